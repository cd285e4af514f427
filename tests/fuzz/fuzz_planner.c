/*
 * fuzz_planner.c - random documents and variables, as far as the statements they become.
 *
 * The input is a document and, behind a NUL, JSON for its variables. Of what is accepted,
 * the statements use each of their parameters and no other, and nothing that the client wrote as a
 * value is in their text, but for limits and offsets: they stay the same when every string and
 * number is another.
 */
#include "execution/bind.h"
#include "language/lexer.h"
#include "planner/planner.h"
#include "schema/catalog.h"

#define CATALOG "tests/plan/catalog.json"

static const struct parse_limits parse_limits = {
    .max_bytes = 1 << 14, .max_tokens = 3000, .max_depth = 60};
static const struct validate_limits limits = {
    .max_depth = 40, .max_aliases = 500, .max_fields = 2000, .max_errors = 20};
static const struct jval_limits json_limits = {.max_depth = 32, .max_values = 2000};

static const struct schema *load_schema(void)
{
    struct schema_options options = schema_options_default();
    struct arena *a = arena_new(0);
    FILE *f = fopen(CATALOG, "r");
    const struct schema *schema;
    struct errors errs;
    struct buf text;
    char part[4096];
    size_t n;

    CHECK(f != NULL); /* runs in the project's folder */
    buf_init(&text, 0);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        buf_append(&text, part, n);
    fclose(f);
    errors_init(&errs, a);
    options.crud = true;
    options.tenant_setting = STR("app.current_tenant_id");
    schema = schema_from_catalog(buf_str(&text), &options, &errs);
    CHECK(schema != NULL);
    buf_fini(&text);
    arena_free(a);
    return schema;
}

/* --- parameters ------------------------------------------------------------------- */

/* Behind a literal or a name in quotes, in which a doubled quote stands for itself. */
static size_t skip_quoted(struct str sql, size_t i)
{
    char quote = sql.data[i++];

    while (sql.data[i] != quote || (i + 1 < sql.len && sql.data[i + 1] == quote)) {
        i += sql.data[i] == quote ? 2 : 1;
        CHECK(i < sql.len);
    }
    return i + 1;
}

static void check_statement(const struct pgstatement *s, struct arena *a)
{
    bool *used = ARENA_ARRAY(a, s->nparams + 1, bool);
    size_t i = 0;

    CHECK(s->sql.len > 0 && strlen(s->sql.data) == s->sql.len && str_is_utf8(s->sql));
    while (i < s->sql.len) {
        if (s->sql.data[i] == '\'' || s->sql.data[i] == '"') {
            i = skip_quoted(s->sql, i);
        } else if (s->sql.data[i] == '$') {
            char *end;
            unsigned long n = strtoul(s->sql.data + i + 1, &end, 10);

            CHECK(n >= 1 && n <= s->nparams);
            used[n] = true;
            i = (size_t)(end - s->sql.data);
        } else {
            i++;
        }
    }
    for (i = 1; i <= s->nparams; i++)
        CHECK(used[i]);
}

static void check_plan(const struct plan *p, const struct variables *v, struct arena *a)
{
    const char *const *params;
    size_t n = 0;
    struct errors errs;
    struct buf text;

    for (size_t i = 0; i < p->nsteps; i++) {
        CHECK(p->steps[i].first_param == n);
        check_statement(&p->steps[i].statement, a);
        n += p->steps[i].statement.nparams;
    }
    CHECK(n <= p->nparams);
    buf_init(&text, 0);
    plan_describe(p, &text);
    buf_fini(&text);
    errors_init(&errs, a);
    if (!bind_parameters(p, v, a, &params, &errs))
        CHECK(errs.n > 0 && errs.first->code == BAD_USER_INPUT);
}

/* How many bytes of digits there are at i, if they are a limit or an offset. */
static size_t page_number(struct str sql, size_t i)
{
    struct str before = str_sub(sql, 0, i);
    size_t n = 0;

    if (!str_ends(before, STR(" limit ")) && !str_ends(before, STR(" offset ")))
        return 0;
    while (i + n < sql.len && sql.data[i + n] >= '0' && sql.data[i + n] <= '9')
        n++;
    return n;
}

/* Numbers of literal limits and offsets are written out, so that PostgreSQL can plan with them. */
static void check_same_text(struct str x, struct str y)
{
    size_t i = 0, k = 0;

    while (i < x.len && k < y.len) {
        size_t n = page_number(x, i), m = page_number(y, k);

        CHECK((n > 0) == (m > 0));
        if (n == 0) {
            CHECK(x.data[i] == y.data[k]);
            n = m = 1;
        }
        i += n;
        k += m;
    }
    CHECK(i == x.len && k == y.len);
}

static void check_same(const struct plan *p, const struct plan *q)
{
    CHECK(p->nsteps == q->nsteps);
    for (size_t i = 0; i < p->nsteps; i++) {
        check_same_text(p->steps[i].statement.sql, q->steps[i].statement.sql);
        CHECK(p->steps[i].statement.nparams == q->steps[i].statement.nparams);
    }
}

/* --- other values ------------------------------------------------------------------ */

/*
 * The document with a digit in front of every string and number, so that equal ones stay equal:
 * equal constants share a parameter. False: it has what this cannot be done to.
 */
static bool other_document(struct str document, struct buf *out)
{
    struct lexer lexer;
    struct token t;
    size_t copied = 0;

    lexer_init(&lexer, document);
    for (lexer_next(&lexer, &t); t.kind != TOKEN_EOF; lexer_next(&lexer, &t)) {
        size_t at = t.offset;

        if (t.kind == TOKEN_BLOCK_STRING || t.kind == TOKEN_ERROR)
            return false;
        if (t.kind != TOKEN_STRING && t.kind != TOKEN_INT && t.kind != TOKEN_FLOAT)
            continue;
        if (document.data[at] == '-' || str_is(lexer_text(&lexer, t), "0")) /* offset: 0 is none */
            return false;
        at += t.kind == TOKEN_STRING;
        buf_append_str(out, str_sub(document, copied, at - copied));
        buf_append_char(out, '7');
        copied = at;
    }
    buf_append_str(out, str_sub(document, copied, SIZE_MAX));
    return true;
}

/* Coerced values with other scalars in them, but for what a plan may depend on. */
static const struct jval *other_value(const struct jval *v, struct type_ref type, struct arena *a)
{
    const struct type *named = type.type;
    struct jval *copy;

    if (v == NULL || v->kind == JVAL_NULL || v->kind == JVAL_BOOL || named->kind == TYPE_ENUM)
        return v;
    copy = arena_copy(a, v, sizeof(*v));
    if (type_ref_is_list(type)) {
        copy->items = ARENA_ARRAY(a, v->n, const struct jval *);
        for (size_t i = 0; i < v->n; i++)
            copy->items[i] = other_value(v->items[i], type_ref_item(type), a);
    } else if (named->kind == TYPE_INPUT_OBJECT) {
        struct jval_member *members = arena_copy(a, v->members, v->n * sizeof(*members));

        for (size_t i = 0; i < v->n; i++)
            members[i].value =
                other_value(v->members[i].value, schema_input(named, v->members[i].name)->type, a);
        copy->members = members;
    } else if (v->kind == JVAL_STRING || v->kind == JVAL_NUMBER) {
        copy->text = arena_printf(a, "7%.*s", STR_ARG(v->text));
    }
    return copy;
}

static void check_other_variables(const struct operation *op, const struct variables *v,
                                  const struct plan *p, struct arena *a)
{
    const struct jval **values = ARENA_ARRAY(a, v->n, const struct jval *);
    struct variables other = {.n = v->n, .values = values};
    struct digest x = variables_skeleton(op, v), y;
    const struct plan *q;
    struct errors errs;

    for (size_t i = 0; i < v->n; i++)
        values[i] = op->variables[i].node_id ? v->values[i]
                                             : other_value(v->values[i], op->variables[i].type, a);
    y = variables_skeleton(op, &other);
    CHECK(memcmp(&x, &y, sizeof(x)) == 0);
    errors_init(&errs, a);
    q = planner_compile(op, &other, &errs);
    CHECK(q != NULL);
    check_same(p, q);
    plan_unref(q);
}

/* --- all of it -------------------------------------------------------------------------- */

static const struct operation *validated(const struct schema *schema, struct str document,
                                         struct arena *a)
{
    struct validate_input in = {
        .schema = schema, .text = document, .parse_limits = &parse_limits, .limits = &limits};
    struct errors errs;

    errors_init(&errs, a);
    return validate(&in, &errs);
}

/* With the variables of the first document: what they are is another's matter. */
static void check_other_document(const struct schema *schema, struct str document,
                                 const struct jval *given, const struct plan *p, struct arena *a)
{
    const struct operation *op = NULL;
    const struct plan *q = NULL;
    struct variables v;
    struct errors errs;
    struct buf text;

    errors_init(&errs, a);
    buf_init(&text, 0);
    if (other_document(document, &text))
        op = validated(schema, buf_str(&text), a);
    if (op != NULL && variables_coerce(op, given, a, &v, &errs))
        q = planner_compile(op, &v, &errs);
    if (q != NULL)
        check_same(p, q);
    plan_unref(q);
    operation_unref(op);
    buf_fini(&text);
}

static void check_operation(const struct schema *schema, const struct operation *op,
                            struct str json, struct arena *a)
{
    const struct jval *given = NULL;
    const struct plan *p;
    struct variables v;
    struct errors errs;

    errors_init(&errs, a);
    if (!jval_parse(json, &json_limits, a, &given, &errs) ||
        !variables_coerce(op, given, a, &v, &errs))
        return;
    p = planner_compile(op, &v, &errs);
    CHECK((p != NULL) == !errors_any(&errs));
    if (p == NULL)
        return;
    check_plan(p, &v, a);
    check_other_variables(op, &v, p, a);
    check_other_document(schema, op->document->source, given, p, a);
    plan_unref(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct schema *schema;
    struct str input = str_make((const char *)data, size), document, json;
    struct arena *a = arena_new(0);
    const struct operation *op;

    if (schema == NULL)
        schema = load_schema();
    if (!str_cut(input, '\0', &document, &json)) {
        document = input;
        json = STR("{}");
    }
    op = validated(schema, document, a);
    if (op != NULL)
        check_operation(schema, op, json, a);
    operation_unref(op);
    arena_free(a);
    return 0;
}
