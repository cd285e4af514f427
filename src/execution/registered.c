/*
 * registered.c - operations that are known before anybody sends them, and the files that list them.
 *
 * Thread:   any.
 */
#include "execution/registered.h"

#include "base/jval.h"
#include "base/readfile.h"
#include "language/parser.h"

#include <unistd.h>

static const struct jval_limits file_limits = {.max_depth = 64, .max_values = 1000000};

static bool invalid(struct errors *errs, const char *what)
{
    errors_add(errs, BAD_REQUEST, "%s", what);
    return false;
}

static bool add(struct registered_list *out, const struct registered *r, struct arena *a,
                struct errors *errs)
{
    if (out->n == REGISTERED_MAX) {
        errors_add(errs, BAD_REQUEST, "more than %d operations", REGISTERED_MAX);
        return false;
    }
    VEC_PUSH(a, out, *r);
    return true;
}

/* Each of its operations. */
static bool read_document(struct str text, struct arena *a, struct registered_list *out,
                          struct errors *errs)
{
    static const struct parse_limits limits = {.max_tokens = 1000000};
    const struct ast_document *doc;

    if (!parser_parse(text, &limits, a, &doc, errs))
        return false;
    if (doc->noperations == 0)
        return invalid(errs, "a document without an operation");
    for (size_t i = 0; i < doc->n; i++) {
        const struct ast_operation *op = doc->definitions[i].operation;

        if (op != NULL && !add(out,
                               &(struct registered){
                                   text, op->name, {NULL, 0}
        },
                               a, errs))
            return false;
    }
    return true;
}

/* Absent, null or a text. */
static bool take_text(const struct jval *v, struct str *out)
{
    *out = STR("");
    if (v != NULL && v->kind == JVAL_STRING)
        *out = v->text;
    return v == NULL || v->kind == JVAL_NULL || v->kind == JVAL_STRING;
}

static bool read_request(const struct jval *v, const char *document, const char *name,
                         struct arena *a, struct registered_list *out, struct errors *errs)
{
    const struct jval *variables = jval_get(v, STR("variables"));
    struct registered r = {.document = STR("")};
    struct buf b;

    if (!take_text(jval_get(v, str_of(document)), &r.document) || r.document.len == 0 ||
        !take_text(jval_get(v, str_of(name)), &r.operation_name)) {
        errors_add(errs, BAD_REQUEST, "an operation without a text for \"%s\"", document);
        return false;
    }
    if (variables != NULL && variables->kind != JVAL_NULL) {
        if (variables->kind != JVAL_OBJECT)
            return invalid(errs, "\"variables\" must be an object");
        buf_init(&b, 0);
        jval_write(variables, &b);
        r.variables = arena_dup(a, buf_str(&b));
        buf_fini(&b);
    }
    return add(out, &r, a, errs);
}

static bool read_json(struct str text, struct arena *a, struct registered_list *out,
                      struct errors *errs)
{
    const struct jval *v, *list;
    bool manifest;

    if (!jval_parse(text, &file_limits, a, &v, errs))
        return false;
    manifest = v->kind == JVAL_OBJECT;
    list = manifest ? jval_get(v, STR("operations")) : v;
    if (list == NULL || list->kind != JVAL_ARRAY)
        return invalid(errs, "neither a list of requests nor a manifest of \"operations\"");
    for (size_t i = 0; i < list->n; i++)
        if (!read_request(list->items[i], manifest ? "body" : "query",
                          manifest ? "name" : "operationName", a, out, errs))
            return false;
    return true;
}

/* No GraphQL document begins as JSON's lists do, or its objects that have members. */
static bool is_json(struct str text)
{
    struct str t = str_trim(text);

    if (t.len > 0 && t.data[0] == '[')
        return true;
    return t.len > 0 && t.data[0] == '{' &&
           str_starts(str_trim(str_sub(t, 1, t.len - 1)), STR("\""));
}

bool registered_read(struct str text, struct arena *a, struct registered_list *out,
                     struct errors *errs)
{
    return is_json(text) ? read_json(text, a, out, errs) : read_document(text, a, out, errs);
}

bool registered_read_file(const char *path, struct arena *a, struct registered_list *out,
                          struct errors *errs)
{
    bool in = strcmp(path, "-") == 0;
    struct str text;

    if (in ? !readfile_descriptor(STDIN_FILENO, REGISTERED_FILE_MAX, a, &text)
           : !readfile(path, REGISTERED_FILE_MAX, a, &text))
        errors_add(errs, BAD_REQUEST, "could not read \"%s\": %m", path);
    else if (text.len > REGISTERED_FILE_MAX)
        errors_add(errs, BAD_REQUEST, "\"%s\" is too long", path);
    else
        return registered_read(text, a, out, errs);
    return false;
}
