/* scalars_test.c - the tables of scalars, and coercion of JSON and literals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "language/parser.h"
#include "schema/scalars.h"

/* The text PostgreSQL gets; NULL: refused. */
struct row {
    const char *scalar;
    const char *input;
    const char *json;
    const char *literal; /* "=": as json */
};

static const struct row rows[] = {
  /* clang-format off */
    {"Int", "1", "1", "="},
    {"Int", "-2147483648", "-2147483648", "="},
    {"Int", "2147483648", NULL, "="},
    {"Int", "1.0", "1", NULL},
    {"Int", "1e3", "1000", NULL},
    {"Int", "1.5", NULL, "="},
    {"Int", "1e400", NULL, "="},
    {"Int", "\"1\"", NULL, "="},
    {"Int", "true", NULL, "="},
    {"Int", "99999999999999999999", NULL, "="},
    {"BigInt", "9223372036854775807", "9223372036854775807", "="},
    {"BigInt", "\"-9223372036854775808\"", "-9223372036854775808", "="},
    {"BigInt", "9223372036854775808", NULL, "="},
    {"BigInt", "\"9223372036854775808\"", NULL, "="},
    {"BigInt", "\"1.0\"", NULL, "="},
    {"BigInt", "1.0", NULL, "="},
    {"BigInt", "\"\"", NULL, "="},
    {"BigInt", "\"-\"", NULL, "="},
    {"BigInt", "\"0x10\"", NULL, "="},
    {"Float", "1.5", "1.5", "="},
    {"Float", "1", "1", "="},
    {"Float", "1e308", "1e308", "="},
    {"Float", "1e309", NULL, "="},
    {"Float", "\"1\"", NULL, "="},
    {"Decimal", "\"123456789012345678901234567890.1\"", "123456789012345678901234567890.1", "="},
    {"Decimal", "0.10", "0.10", "="},
    {"Decimal", "\"NaN\"", "NaN", "="},
    {"Decimal", "\"1,5\"", NULL, "="},
    {"Decimal", "\"1e9999999\"", NULL, "="},
    {"Decimal", "\".\"", NULL, "="},
    {"Decimal", "\" 1\"", NULL, "="},
    {"Decimal", "true", NULL, "="},
    {"String", "\"a\"", "a", "="},
    {"String", "\"\"", "", "="},
    {"String", "\"'; drop table x; --\"", "'; drop table x; --", "="},
    {"String", "1", NULL, "="},
    {"String", "true", NULL, "="},
    {"Boolean", "true", "true", "="},
    {"Boolean", "false", "false", "="},
    {"Boolean", "1", NULL, "="},
    {"Boolean", "\"true\"", NULL, "="},
    {"ID", "\"a-b\"", "a-b", "="},
    {"ID", "12345678901234567890", "12345678901234567890", "="},
    {"ID", "1.5", NULL, "="},
    {"ID", "true", NULL, "="},
    {"UUID", "\"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11\"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "="},
    {"UUID", "\"a0eebc999c0b4ef8bb6d6bb9bd380a11\"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "="},
    {"UUID", "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1\"", NULL, "="},
    {"UUID", "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g\"", NULL, "="},
    {"UUID", "\"a0eebc999-c0b-4ef8-bb6d-6bb9bd380a11\"", NULL, "="},
    {"UUID", "\"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}\"", NULL, "="},
    {"Date", "\"2024-02-29\"", "2024-02-29", "="},
    {"Date", "\"2023-02-29\"", NULL, "="},
    {"Date", "\"1900-02-29\"", NULL, "="},
    {"Date", "\"2000-02-29\"", "2000-02-29", "="},
    {"Date", "\"2024-13-01\"", NULL, "="},
    {"Date", "\"0000-01-01\"", NULL, "="},
    {"Date", "\"24-01-01\"", NULL, "="},
    {"Date", "\"tomorrow\"", NULL, "="},
    {"Date", "\"now()\"", NULL, "="},
    {"Date", "\"infinity\"", "infinity", "="},
    {"Date", "\"2024-01-01T00:00:00Z\"", NULL, "="},
    {"Time", "\"06:13\"", "06:13", "="},
    {"Time", "\"06:13:04.123456\"", "06:13:04.123456", "="},
    {"Time", "\"06:13:04+01:00\"", "06:13:04+01:00", "="},
    {"Time", "\"24:00\"", NULL, "="},
    {"Time", "\"6:13\"", NULL, "="},
    {"Time", "\"06:60\"", NULL, "="},
    {"Time", "\"06:13:04.\"", NULL, "="},
    {"DateTime", "\"2026-11-23T06:13:04Z\"", "2026-11-23T06:13:04Z", "="},
    {"DateTime", "\"2026-11-23T06:13:04.5-08:00\"", "2026-11-23T06:13:04.5-08:00", "="},
    {"DateTime", "\"2026-11-23T06:13:04\"", NULL, "="},
    {"DateTime", "\"2026-11-23 06:13:04Z\"", NULL, "="},
    {"DateTime", "\"2026-11-23T06:13Z\"", NULL, "="},
    {"DateTime", "\"2026-11-23T06:13:04+99:00\"", NULL, "="},
    {"DateTime", "1700000000", NULL, "="},
    {"LocalDateTime", "\"2026-11-23T06:13:04\"", "2026-11-23T06:13:04", "="},
    {"LocalDateTime", "\"2026-11-23T06:13:04Z\"", NULL, "="},
    {"Interval", "\"P1Y2M3DT4H5M6.7S\"", "P1Y2M3DT4H5M6.7S", "="},
    {"Interval", "\"P-1M\"", "P-1M", "="},
    {"Interval", "\"PT36H\"", "PT36H", "="},
    {"Interval", "\"P2W\"", "P2W", "="},
    {"Interval", "\"P\"", NULL, "="},
    {"Interval", "\"PT\"", NULL, "="},
    {"Interval", "\"P1DT\"", NULL, "="},
    {"Interval", "\"P1H\"", NULL, "="},
    {"Interval", "\"P1D1Y\"", NULL, "="},
    {"Interval", "\"P1.5D\"", NULL, "="},
    {"Interval", "\"1 day\"", NULL, "="},
    {"JSON", "{a: [1, 2.50, \"x\\\"\", true, null], b: {}}", "{\"a\":[1,2.50,\"x\\\"\",true,null],\"b\":{}}", "="},
    {"JSON", "null", "null", "="},
    {"JSON", "{a: ENUM}", NULL, "="},
    {"JSON", "[$v]", NULL, "="},
    {"Bytes", "\"aGk=\"", "\\x6869", "="},
    {"Bytes", "\"/+8=\"", "\\xffef", "="},
    {"Bytes", "\"\"", "\\x", "="},
    {"Bytes", "\"aGk\"", NULL, "="},
    {"Bytes", "\"aGl=\"", NULL, "="},
    {"Bytes", "\"a===\"", NULL, "="},
    {"Bytes", "\"aG k\"", NULL, "="},
    {"IpAddress", "\"10.1.2.3\"", "10.1.2.3", "="},
    {"IpAddress", "\"::1/64\"", "::1/64", "="},
    {"IpAddress", "\"10.1.2.3/33\"", NULL, "="},
    {"IpAddress", "\"10.1.2\"", NULL, "="},
    {"IpAddress", "\"host\"", NULL, "="},
    {"IpAddress", "\"10.1.2.3/\"", NULL, "="},
    {"CIDR", "\"10.1.0.0/16\"", "10.1.0.0/16", "="},
    {"CIDR", "\"10.1.2.0/16\"", NULL, "="},
    {"MacAddress", "\"08:00:2b:01:02:03\"", "08:00:2b:01:02:03", "="},
    {"MacAddress", "\"08:00:2b:01:02\"", NULL, "="},
    {"MacAddress", "\"08:00-2b:01:02:03\"", NULL, "="},
    {"LTree", "\"a.b\"", "a.b", "="},
    {"LTree", "1", NULL, "="},
  /* clang-format on */
};

static const struct ast_value *parse_literal(const char *text, struct arena *a)
{
    static const struct parse_limits limits = {100000, 1000, 100};
    const struct ast_document *d;
    struct errors errs;

    errors_init(&errs, a);
    assert_true(
        parser_parse(arena_printf(a, "query($v: Int) {f(x: %s)}", text), &limits, a, &d, &errs));
    return d->definitions[0].operation->selections.items[0]->arguments.items[0].value;
}

/* The same tree that a client would have sent as a variable. */
static const struct jval *to_json(const struct ast_value *v, struct arena *a)
{
    struct jval *out = ARENA_NEW(a, struct jval);
    struct jval_member *members = ARENA_ARRAY(a, v->n, struct jval_member);
    size_t i;

    out->text = v->text;
    out->n = v->n;
    out->boolean = v->boolean;
    switch (v->kind) {
    case AST_INT:
    case AST_FLOAT:
        out->kind = JVAL_NUMBER;
        break;
    case AST_STRING:
        out->kind = JVAL_STRING;
        break;
    case AST_BOOLEAN:
        out->kind = JVAL_BOOL;
        break;
    case AST_NULL:
        out->kind = JVAL_NULL;
        break;
    case AST_LIST:
        out->kind = JVAL_ARRAY;
        out->items = ARENA_ARRAY(a, v->n, const struct jval *);
        for (i = 0; i < v->n; i++)
            if ((out->items[i] = to_json(v->items[i], a)) == NULL)
                return NULL;
        break;
    case AST_OBJECT:
        out->kind = JVAL_OBJECT;
        out->members = members;
        for (i = 0; i < v->n; i++) {
            members[i].name = v->fields[i].name;
            if ((members[i].value = to_json(v->fields[i].value, a)) == NULL)
                return NULL;
        }
        break;
    case AST_VARIABLE:
    case AST_ENUM:
        return NULL;
    }
    return out;
}

static void check(const struct row *row, const char *how, bool ok, struct str got,
                  const char *expected)
{
    if (ok != (expected != NULL) || (ok && !str_is(got, expected)))
        fail_msg("%s %s as %s: got %s \"%.*s\"", row->scalar, row->input, how,
                 ok ? "accepted" : "refused", STR_ARG(got));
}

static void values_are_coerced_or_refused(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct arena *a = arena_new(0);
        const struct row *r = &rows[i];
        const struct scalar *s = scalar_find(str_of(r->scalar));
        const struct ast_value *literal = parse_literal(r->input, a);
        const struct jval *json = to_json(literal, a);
        bool same = r->literal != NULL && r->literal[0] == '=';
        struct str text = {0};

        assert_non_null(s);
        if (json != NULL)
            check(r, "JSON", s->coerce_json(s, json, a, &text), text, r->json);
        text = STR("");
        check(r, "a literal", s->coerce_literal(s, literal, a, &text), text,
              same ? r->json : r->literal);
        arena_free(a);
    }
}

static void no_scalar_takes_a_nul(void **state)
{
    static const struct jval json = {
        .kind = JVAL_STRING, .text = {"a\0b", 3}
    };
    static const struct ast_value literal = {
        .kind = AST_STRING, .text = {"a\0b", 3}
    };
    struct arena *a = arena_new(0);
    struct str text;
    size_t i;

    (void)state;
    for (i = 0; i < scalar_count(); i++) {
        const struct scalar *s = scalar_at(i);

        assert_false(s->coerce_literal(s, &literal, a, &text));
        /* jval refuses it before a document can hold it. */
        if (!str_is(s->name, "JSON"))
            assert_false(s->coerce_json(s, &json, a, &text));
    }
    arena_free(a);
}

static void tables_are_sorted_and_agree(void **state)
{
    static const char *const types[] = {
        "bool",      "bpchar",      "bytea",    "char",     "cidr",      "citext",   "date",
        "daterange", "float4",      "float8",   "inet",     "int2",      "int4",     "int4range",
        "int8",      "int8range",   "interval", "json",     "jsonb",     "ltree",    "macaddr",
        "macaddr8",  "name",        "numeric",  "numrange", "oid",       "text",     "time",
        "timestamp", "timestamptz", "timetz",   "tsrange",  "tstzrange", "tsvector", "uuid",
        "varchar",   "vector"};
    size_t i;

    (void)state;
    for (i = 1; i < scalar_count(); i++)
        assert_true(str_cmp(scalar_at(i - 1)->name, scalar_at(i)->name) < 0);
    for (i = 0; i < scalar_count(); i++)
        assert_ptr_equal(scalar_find(scalar_at(i)->name), scalar_at(i));
    for (i = 0; i < COUNT_OF(types); i++) {
        const struct scalar_mapping *m = scalar_for_pg_type(str_of(types[i]));

        assert_non_null(m);
        assert_non_null(scalar_find(str_of(m->scalar)));
    }
    assert_null(scalar_find(STR("Nothing")));
    assert_null(scalar_for_pg_type(STR("point")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_coerced_or_refused),
        cmocka_unit_test(no_scalar_takes_a_nul),
        cmocka_unit_test(tables_are_sorted_and_agree),
    };

    return cmocka_run_group_tests_name("scalars", tests, NULL, NULL);
}
