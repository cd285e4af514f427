/*
 * paramtext.c - the text PostgreSQL gets for a parameter: pattern escaping, array and record
 * literals.
 *
 * Thread:   any.
 * Memory:   in the arena given.
 */
#include "planner/paramtext.h"

#include "schema/scalartext.h"

struct str paramtext_pattern(enum param_form form, struct str text, struct arena *a)
{
    bool before = form == PARAM_CONTAINS || form == PARAM_ENDS;
    bool behind = form == PARAM_CONTAINS || form == PARAM_STARTS;
    char *out;
    size_t n = 0;

    if (!before && !behind)
        return arena_dup(a, text);
    out = arena_alloc_raw(a, 2 * text.len + 3);
    if (before)
        out[n++] = '%';
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '%' || c == '_' || c == '\\')
            out[n++] = '\\';
        out[n++] = c;
    }
    if (behind)
        out[n++] = '%';
    out[n] = '\0';
    return str_make(out, n);
}

/* Items in quotes, always: then spaces, commas, braces and the word NULL have no meaning. */
static struct str delimited(char open, const struct str *items, size_t n, struct str null,
                            char close, struct arena *a)
{
    size_t size = 3;
    size_t len = 0;
    char *out;

    for (size_t i = 0; i < n; i++)
        size += items[i].data == NULL ? null.len + 1 : 2 * items[i].len + 3;
    out = arena_alloc_raw(a, size);
    out[len++] = open;
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            out[len++] = ',';
        if (items[i].data == NULL) {
            memcpy(out + len, null.data, null.len);
            len += null.len;
            continue;
        }
        out[len++] = '"';
        for (size_t j = 0; j < items[i].len; j++) {
            char c = items[i].data[j];

            if (c == '"' || c == '\\')
                out[len++] = '\\';
            out[len++] = c;
        }
        out[len++] = '"';
    }
    out[len++] = close;
    out[len] = '\0';
    return str_make(out, len);
}

struct str paramtext_array(const struct str *items, size_t n, struct arena *a)
{
    return delimited('{', items, n, STR("NULL"), '}', a);
}

struct str paramtext_record(const struct str *items, size_t n, struct arena *a)
{
    return delimited('(', items, n, STR(""), ')', a);
}

static bool has_nul(struct str s)
{
    return s.len > 0 && memchr(s.data, '\0', s.len) != NULL;
}

static bool label_of(const struct type *t, struct str name, struct str *out)
{
    const struct enum_value *e = schema_enum_value(t, name);

    if (e == NULL)
        return false;
    *out = e->label;
    return true;
}

bool paramtext_leaf(const struct type *t, const struct jval *v, struct arena *a, struct str *out)
{
    if (t->kind == TYPE_ENUM)
        return v->kind == JVAL_STRING && label_of(t, v->text, out);
    if (t->kind != TYPE_SCALAR)
        return false;
    if (t->scalar != NULL)
        return t->scalar->coerce_json(t->scalar, v, a, out) && !has_nul(*out);
    /* A PostgreSQL type we know nothing of: its own text form. */
    if (v->kind == JVAL_BOOL)
        *out = v->boolean ? STR("true") : STR("false");
    else if (v->kind == JVAL_STRING || v->kind == JVAL_NUMBER)
        *out = v->text;
    else
        return false;
    return !has_nul(*out);
}

bool paramtext_literal(const struct type *t, const struct ast_value *v, struct arena *a,
                       struct str *out)
{
    if (t->kind == TYPE_ENUM)
        return v->kind == AST_ENUM && label_of(t, v->text, out);
    if (t->kind != TYPE_SCALAR)
        return false;
    if (t->scalar != NULL)
        return t->scalar->coerce_literal(t->scalar, v, a, out) && !has_nul(*out);
    if (v->kind == AST_BOOLEAN)
        *out = v->boolean ? STR("true") : STR("false");
    else if (v->kind == AST_STRING || v->kind == AST_INT || v->kind == AST_FLOAT)
        *out = v->text;
    else
        return false;
    return !has_nul(*out);
}

static bool encoded_value(const struct codec *c, const struct jval *v, struct arena *a,
                          struct str *out);

static bool encoded_array(const struct codec *c, const struct jval *v, struct arena *a,
                          struct str *out)
{
    struct str *items;

    if (v->kind != JVAL_ARRAY)
        return false;
    items = ARENA_ARRAY(a, v->n, struct str);
    for (size_t i = 0; i < v->n; i++)
        if (!encoded_value(c->element, v->items[i], a, &items[i]))
            return false;
    *out = paramtext_array(items, v->n, a);
    return true;
}

static bool encoded_enum(const struct type *t, const struct jval *v, struct str *out)
{
    *out = v->text;
    return v->kind == JVAL_STRING && (t == NULL || label_of(t, v->text, out));
}

static bool encoded_document(const struct jval *v, struct arena *a, struct str *out)
{
    struct buf b;

    buf_init(&b, 0);
    jval_write(v, &b);
    *out = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return true;
}

/* A value as encode_value() writes it, back to PostgreSQL's text. Lists are as deep as the codec.
 */
static bool encoded_value(const struct codec *c, const struct jval *v, struct arena *a,
                          struct str *out)
{
    struct str text = v->text;
    bool ok = true;

    if (v->kind == JVAL_NULL) {
        *out = str_make(NULL, 0);
        return true;
    }
    if (c->kind == CODEC_ARRAY)
        return encoded_array(c, v, a, out);
    if (c->kind == CODEC_JSON || c->kind == CODEC_JSONB)
        return encoded_document(v, a, out);
    if (c->kind == CODEC_ENUM)
        ok = encoded_enum(c->enum_type, v, &text);
    else if (c->kind == CODEC_BYTEA)
        ok = v->kind == JVAL_STRING && scalartext_bytes(v->text, a, &text);
    else if (v->kind == JVAL_BOOL)
        text = v->boolean ? STR("true") : STR("false");
    else
        ok = v->kind == JVAL_STRING || v->kind == JVAL_NUMBER;
    if (!ok || has_nul(text))
        return false;
    *out = arena_dup(a, text);
    if (out->data == NULL)
        *out = STR("");
    return true;
}

bool paramtext_opaque(const struct opaque_form *form, const struct jval *const *values, size_t i,
                      struct arena *a, struct str *out)
{
    if (values[i]->kind == JVAL_NULL && (form->nullable == NULL || !form->nullable[i]))
        return false;
    return encoded_value(form->codecs[i], values[i], a, out);
}

static const struct jval *json_of_list(const struct operation *op,
                                       const struct variables *variables, const struct ast_value *v,
                                       struct arena *a)
{
    struct jval *out = ARENA_NEW(a, struct jval);

    out->kind = JVAL_ARRAY;
    out->n = v->n;
    out->items = ARENA_ARRAY(a, v->n, const struct jval *);
    for (size_t i = 0; i < v->n; i++)
        out->items[i] = paramtext_json(op, variables, v->items[i], a);
    return out;
}

static const struct jval *json_of_object(const struct operation *op,
                                         const struct variables *variables,
                                         const struct ast_value *v, struct arena *a)
{
    struct jval_member *members = ARENA_ARRAY(a, v->n, struct jval_member);
    struct jval *out = ARENA_NEW(a, struct jval);

    out->kind = JVAL_OBJECT;
    out->members = members;
    for (size_t i = 0; i < v->n; i++) {
        const struct ast_value *member = v->fields[i].value;

        if (member->kind == AST_VARIABLE &&
            variables->values[operation_variable_find(op, member->text)] == NULL)
            continue;
        members[out->n++] =
            (struct jval_member){v->fields[i].name, paramtext_json(op, variables, member, a)};
    }
    return out;
}

/* Recursion is bounded by the parser's limit of depth. */
const struct jval *paramtext_json(const struct operation *op, const struct variables *variables,
                                  const struct ast_value *v, struct arena *a)
{
    const struct jval *given;
    struct jval *out;

    switch (v->kind) {
    case AST_LIST:
        return json_of_list(op, variables, v, a);
    case AST_OBJECT:
        return json_of_object(op, variables, v, a);
    case AST_VARIABLE:
        given = variables->values[operation_variable_find(op, v->text)];
        if (given != NULL)
            return given;
        break;
    case AST_INT:
    case AST_FLOAT:
    case AST_STRING:
    case AST_BOOLEAN:
    case AST_NULL:
    case AST_ENUM:
        break;
    }
    out = ARENA_NEW(a, struct jval);
    out->kind = JVAL_NULL;
    if (v->kind == AST_INT || v->kind == AST_FLOAT)
        out->kind = JVAL_NUMBER;
    else if (v->kind == AST_STRING || v->kind == AST_ENUM)
        out->kind = JVAL_STRING;
    else if (v->kind == AST_BOOLEAN)
        out->kind = JVAL_BOOL;
    out->boolean = v->boolean;
    out->text = v->text;
    return out;
}
