/* audit_test.c - findings about row security, from catalog documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schema/audit.h"
#include "schema/document.h"

/* The role of requests is 10, the owner of everything 11, the superuser 12; type 25 is text. */
#define DOCUMENT_HEAD "{\"role\":10,\"roleSql\":\"app\",\"version\":%d,\"relations\":["
#define DOCUMENT_TAIL                                                                      \
    "],\"types\":[{\"oid\":25,\"schema\":\"pg_catalog\",\"name\":\"text\",\"kind\":\"b\"," \
    "\"sql\":\"text\",\"comparable\":true,\"leakproof\":true},"                            \
    "{\"oid\":26,\"schema\":\"pg_catalog\",\"name\":\"numeric\",\"kind\":\"b\","           \
    "\"sql\":\"numeric\",\"comparable\":true}],\"bypass\":[12],"                           \
    "\"members\":[[10,13],[11,11]],\"policies\":[[1,10],[1,11],[6,10]]}"
#define COLUMNS "\"columns\":[{\"num\":1,\"name\":\"tenant_id\",\"type\":25,\"select\":true}]}"
#define PRICED                                                                     \
    "\"columns\":[{\"num\":1,\"name\":\"tenant_id\",\"type\":25,\"select\":true}," \
    "{\"num\":2,\"name\":\"price\",\"type\":26,\"select\":true}]}"
#define NO_TENANT "\"columns\":[{\"num\":1,\"name\":\"id\",\"type\":25,\"select\":true}]}"
#define UNREADABLE                                                          \
    "\"columns\":[{\"num\":1,\"name\":\"id\",\"type\":25,\"select\":true}," \
    "{\"num\":2,\"name\":\"tenant_id\",\"type\":25}]}"
#define RELATION(oid, kind, name, more)                                                         \
    "{\"oid\":" oid ",\"exposed\":true,\"kind\":\"" kind "\",\"schema\":\"s\",\"name\":\"" name \
    "\",\"sql\":\"s." name "\"," more
#define BELOW(oid, name, more)                                                                 \
    "{\"oid\":" oid ",\"kind\":\"r\",\"schema\":\"s\",\"name\":\"" name "\",\"sql\":\"s." name \
    "\"," more COLUMNS
#define VIEW_BELOW(more)                                                                      \
    "{\"oid\":6,\"kind\":\"v\",\"schema\":\"s\",\"name\":\"w\",\"sql\":\"s.w\",\"owner\":12," \
    "\"uses\":[1]," more COLUMNS

static struct arena *arena;

static struct schema *audited(struct str json, const char *setting)
{
    struct schema_options opt = schema_options_default();
    struct errors errs;
    struct schema *s;

    opt.tenancy = true;
    opt.tenant_setting = str_of(setting);
    errors_init(&errs, arena);
    s = schema_from_catalog(json, &opt, &errs);
    if (s == NULL)
        fail_msg("%.*s", STR_ARG(errs.first->message));
    return s;
}

static struct schema *of_relations(int version, const char *relations)
{
    return audited(arena_printf(arena, DOCUMENT_HEAD "%s" DOCUMENT_TAIL, version, relations),
                   "app.tenant");
}

static void relations_are_judged_by_whom_they_are_read_as(void **state)
{
    static const struct {
        const char *relations;
        const char *findings; /* "code object" each, a comma between */
    } rows[] = {
  /* clang-format off */
        {RELATION("1", "r", "t", "\"owner\":11,\"rls\":true," COLUMNS), ""},
        {RELATION("1", "p", "t", "\"owner\":11,\"rls\":true," COLUMNS), ""},
        {RELATION("1", "r", "t", "\"owner\":11," COLUMNS), "not_enabled table \"s.t\""},
        {RELATION("2", "r", "t", "\"owner\":11,\"rls\":true," COLUMNS), "no_policy table \"s.t\""},
        {RELATION("1", "r", "t", "\"owner\":10,\"rls\":true," COLUMNS), "role_owns table \"s.t\""},
        {RELATION("1", "r", "t", "\"owner\":13,\"rls\":true," COLUMNS), "role_owns table \"s.t\""},
        {RELATION("1", "r", "t", "\"owner\":10,\"rls\":true,\"forceRls\":true," COLUMNS), ""},
        /* Guarded by the daemon, if it knows by which column. */
        {RELATION("1", "m", "t", "\"owner\":11," COLUMNS), ""},
        {RELATION("1", "m", "t", "\"owner\":11," NO_TENANT), "materialized_view materialized view \"s.t\""},
        {RELATION("1", "m", "t", "\"owner\":11," UNREADABLE), "materialized_view materialized view \"s.t\""},
        {RELATION("1", "f", "t", "\"owner\":11," COLUMNS), ""},
        {RELATION("1", "f", "t", "\"owner\":11," NO_TENANT), "foreign_table foreign table \"s.t\""},
        {RELATION("1", "r", "t", "\"owner\":11,\"comment\":\"@fraiseql:type\\ntenant_column: tenant_id\"," COLUMNS), ""},
        {RELATION("1", "r", "t", "\"owner\":11,\"comment\":\"@fraiseql:type\\ntenant_column: id\"," NO_TENANT), ""},
        {RELATION("1", "m", "t", "\"owner\":11,\"comment\":\"@fraiseql:type\\ntenant_column: id\"," NO_TENANT), ""},
        /* Views: of whom, over what. */
        {RELATION("5", "v", "v", "\"owner\":11,\"invoker\":true,\"uses\":[1]," COLUMNS) ","
         BELOW("1", "t", "\"owner\":11,\"rls\":true,"), ""},
        {RELATION("5", "v", "v", "\"owner\":11,\"uses\":[1]," COLUMNS) ","
         BELOW("1", "t", "\"owner\":11,\"rls\":true,"), "view_of_owner view \"s.v\""},
        {RELATION("5", "v", "v", "\"owner\":11,\"uses\":[1]," COLUMNS) ","
         BELOW("1", "t", "\"owner\":11,\"rls\":true,\"forceRls\":true,"), ""},
        {RELATION("5", "v", "v", "\"owner\":12,\"uses\":[1]," COLUMNS) ","
         BELOW("1", "t", "\"owner\":11,\"rls\":true,\"forceRls\":true,"), "view_of_owner view \"s.v\""},
        {RELATION("5", "v", "v", "\"owner\":14,\"uses\":[1]," COLUMNS) ","
         BELOW("1", "t", "\"owner\":11,"), "not_enabled table \"s.t\""},
        {RELATION("5", "v", "v", "\"owner\":11,\"invoker\":true,\"uses\":[6]," COLUMNS) ","
         RELATION("6", "v", "w", "\"owner\":12,\"uses\":[1]," COLUMNS) ","
         BELOW("1", "t", "\"owner\":11,\"rls\":true,"), "view_of_owner view \"s.w\""},
        {RELATION("5", "v", "v", "\"owner\":12,\"uses\":[6]," COLUMNS) ","
         RELATION("6", "v", "w", "\"owner\":12,\"uses\":[1]," COLUMNS) ","
         BELOW("1", "t", "\"owner\":11,\"rls\":true,"),
         "view_of_owner view \"s.w\""},
        /* A declaration is after the marker; of a view that is not exposed, it counts on a barrier. */
        {RELATION("5", "v", "v", "\"owner\":12,\"uses\":[1],\"comment\":\"x\\n"
         "@fraiseql:type\\n tenant_column: tenant_id\"," COLUMNS) ","
         BELOW("1", "t", "\"owner\":11,\"rls\":true,"), ""},
        {RELATION("5", "v", "v", "\"owner\":12,\"uses\":[1],\"comment\":\""
         "tenant_column: tenant_id\"," COLUMNS) ","
         BELOW("1", "t", "\"owner\":11,\"rls\":true,"), "view_of_owner view \"s.v\""},
        {RELATION("5", "v", "v", "\"owner\":12,\"invoker\":true,\"uses\":[1],\"comment\":\""
         "@fraiseql:type\\ntenant_column: tenant_id\"," COLUMNS) ","
         BELOW("1", "t", "\"owner\":11,"), ""},
        {RELATION("5", "v", "v", "\"owner\":11,\"invoker\":true,\"uses\":[6]," NO_TENANT) ","
         VIEW_BELOW("\"barrier\":true,\"comment\":\"@fraiseql:type\\ntenant_column: tenant_id\",") ","
         BELOW("1", "t", "\"owner\":11,\"rls\":true,"), ""},
        {RELATION("5", "v", "v", "\"owner\":11,\"invoker\":true,\"uses\":[6]," NO_TENANT) ","
         VIEW_BELOW("\"comment\":\"@fraiseql:type\\ntenant_column: tenant_id\",") ","
         BELOW("1", "t", "\"owner\":11,\"rls\":true,"), "view_of_owner view \"s.w\""},
        {RELATION("5", "v", "v", "\"owner\":11,\"invoker\":true,\"uses\":[6]," NO_TENANT) ","
         VIEW_BELOW("\"barrier\":true,\"comment\":\"@fraiseql:type\\ntenant_column: tenant\",") ","
         BELOW("1", "t", "\"owner\":11,\"rls\":true,"), "view_of_owner view \"s.w\""},
        /* One that reads as the request is not exempt by saying so. */
        {RELATION("5", "v", "v", "\"owner\":11,\"invoker\":true,\"uses\":[6]," NO_TENANT) ","
         VIEW_BELOW("\"invoker\":true,\"barrier\":true,\"comment\":\"@fraiseql:type\\ntenant_column: tenant_id\",") ","
         BELOW("1", "t", "\"owner\":11,"), "not_enabled table \"s.t\""},
  /* Foreign keys to what is there. */
        {RELATION("1", "r", "t", "\"owner\":11,\"rls\":true,\"foreignKeys\":["
         "{\"name\":\"a\",\"columns\":[1],\"to\":1,\"toColumns\":[1]},"
         "{\"name\":\"b\",\"columns\":[1],\"to\":1,\"toColumns\":[1],\"indexed\":true},"
         "{\"name\":\"c\",\"columns\":[1],\"to\":99,\"toColumns\":[1]}]," COLUMNS),
         "no_index foreign key \"a\" of table \"s.t\""},
  /* Indexes of no use, or missing; type 26 has no leakproof =. */
        {RELATION("1", "r", "t", "\"owner\":11,\"rls\":true,\"leading\":[1],\"second\":[2]," PRICED),
         "not_leakproof table \"s.t\""},
        {RELATION("1", "r", "t", "\"owner\":11,\"rls\":true,\"leading\":[1]," PRICED), ""},
        {RELATION("1", "r", "t", "\"owner\":11,\"rls\":true,\"large\":true,\"leading\":[1]," PRICED),
         "no_index filters of table \"s.t\""},
        {RELATION("1", "r", "t", "\"owner\":11,\"rls\":true,\"large\":true,\"second\":[1]," COLUMNS),
         "no_index table \"s.t\""},
        {RELATION("1", "r", "t", "\"owner\":11,\"rls\":true,\"large\":true,\"leading\":[1]," COLUMNS), ""},
        {RELATION("1", "r", "t", "\"owner\":11,\"rls\":true,\"brittle\":["
         "{\"name\":\"p\",\"fix\":\"alter\"},{\"name\":\"q\",\"fix\":\"alter\"}]," COLUMNS),
         "fails_unset policy \"p\" of table \"s.t\",fails_unset policy \"q\" of table \"s.t\""},
  /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct schema *s = of_relations(15, rows[i].relations);
        struct buf got = {0};

        for (size_t j = 0; j < s->nfindings; j++)
            buf_printf(&got, "%s%s %.*s", j ? "," : "", finding_code_name(s->findings[j].code),
                       STR_ARG(s->findings[j].object));
        if (strcmp(buf_cstr(&got), rows[i].findings) != 0)
            fail_msg("row %zu: \"%s\", expected \"%s\"", i, buf_cstr(&got), rows[i].findings);
        buf_fini(&got);
        schema_unref(s);
    }
}

static void check_fix(const struct schema *s, const char *expected)
{
    assert_int_equal(s->nfindings, 1);
    assert_string_equal(arena_dup(arena, s->findings[0].fix).data, expected);
}

static void fixes_are_statements(void **state)
{
    static const char view[] =
        RELATION("5", "v", "v",
                 "\"owner\":12,\"definition\":\" SELECT "
                 "1\",\"uses\":[1],\"comment\":\"it's\"," COLUMNS) "," BELOW("1", "t",
                                                                             "\"owner\":11,\"rls\":"
                                                                             "true,");
    struct schema *s = of_relations(15, view);

    (void)state;
    check_fix(s, "alter view s.v set (security_invoker = true);\ngrant select on s.t to app;");
    schema_unref(s);
    /* PostgreSQL 14 has no security_invoker. */
    s = of_relations(14, view);
    check_fix(s, "comment on view s.v is 'it''s\n@fraiseql:type\ntenant_column: tenant_id';");
    schema_unref(s);
    s = of_relations(
        14,
        RELATION("5", "v", "v", "\"owner\":11,\"invoker\":true,\"uses\":[6]," NO_TENANT) "," VIEW_BELOW(
            "\"definition\":\" SELECT 1\",") "," BELOW("1", "t", "\"owner\":11,\"rls\":true,"));
    check_fix(s, "create or replace view s.w with (security_barrier = true) as\n"
                 "select * from ( SELECT 1) s where s.\"tenant_id\" = (select "
                 "nullif(pg_catalog.current_setting('app.tenant', true), '')::text);\n"
                 "comment on view s.w is '@fraiseql:type\ntenant_column: tenant_id';");
    schema_unref(s);
    s = of_relations(15, RELATION("1", "m", "t", "\"owner\":11," UNREADABLE));
    check_fix(s, "grant select (\"tenant_id\") on s.t to app;");
    schema_unref(s);
    s = of_relations(15, RELATION("1", "m", "t", "\"owner\":11," NO_TENANT));
    check_fix(s, "revoke select on s.t from app;");
    schema_unref(s);
    s = of_relations(15, RELATION("1", "r", "t", "\"owner\":11," NO_TENANT));
    check_fix(s, "alter table s.t enable row level security;\n"
                 "-- It has no tenant's column. If all tenants share its rows:\n"
                 "-- create policy shared_rows on s.t for select to app using (true);");
    schema_unref(s);
    /* A name cannot leave a comment. */
    s = of_relations(15, RELATION("2", "r", "t\\n;drop", "\"owner\":11,\"rls\":true," NO_TENANT));
    check_fix(s, "-- It has no tenant's column. If all tenants share its rows:\n"
                 "-- create policy shared_rows on s.t ;drop for select to app using (true);");
    schema_unref(s);
}

static void what_is_declared_has_to_be_there(void **state)
{
    static const char *const documents[] = {
        RELATION("1", "r", "t",
                 "\"owner\":11,\"comment\":\"@fraiseql:type\\ntenant_column: no\"," COLUMNS),
        RELATION(
            "1", "r", "t",
            "\"owner\":11,\"comment\":\"@fraiseql:type\\ntenant_column: tenant_id\"," UNREADABLE),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        struct schema_options opt = schema_options_default();
        struct errors errs;

        errors_init(&errs, arena);
        assert_null(schema_from_catalog(
            arena_printf(arena, DOCUMENT_HEAD "%s" DOCUMENT_TAIL, 15, documents[i]), &opt, &errs));
        assert_int_equal(errs.first->code, SCHEMA_INVALID);
    }
}

static void relations_without_row_security_are_guarded(void **state)
{
    struct schema_options opt = schema_options_default();
    struct errors errs;
    struct str json = arena_printf(arena, DOCUMENT_HEAD "%s" DOCUMENT_TAIL, 15,
                                   RELATION("1", "m", "t", "\"owner\":11," COLUMNS));
    struct schema *s;

    (void)state;
    errors_init(&errs, arena);
    opt.tenancy = true;
    opt.tenant_setting = STR("app.te'na\\nt");
    s = schema_from_catalog(json, &opt, &errs);
    assert_string_equal(arena_dup(arena, s->relations[0].tenant_value).data,
                        "(select nullif(pg_catalog.current_setting(E'app.te''na\\\\nt', true), "
                        "'')::text)");
    assert_true(s->relations[0].rls);
    schema_unref(s);
    opt.tenancy = false;
    s = schema_from_catalog(json, &opt, &errs);
    assert_int_equal(s->relations[0].tenant_value.len, 0);
    schema_unref(s);
    opt.tenancy = true;
    opt.tenant_setting = STR("");
    s = schema_from_catalog(json, &opt, &errs);
    assert_int_equal(s->relations[0].tenant_value.len, 0);
    schema_unref(s);
}

static void the_demo_keeps_its_tenants_apart(void **state)
{
    struct buf json = document_read("demo.json");
    struct schema *s = audited(buf_str(&json), "app.current_tenant_id");

    (void)state;
    /* All it is asked for but the materialized view, which the role may not read. */
    assert_int_equal(s->nfindings, 0);
    assert_true(s->nrelations > 6 && s->nfunctions > 0);
    schema_unref(s);
    buf_fini(&json);
}

static void nothing_is_looked_for_unless_asked(void **state)
{
    struct errors errs;
    struct schema *s = document_schema_of_file("fixture.json", arena, &errs);

    (void)state;
    assert_int_equal(s->nfindings, 0);
    schema_unref(s);
}

static int make_arena(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relations_are_judged_by_whom_they_are_read_as),
        cmocka_unit_test(fixes_are_statements),
        cmocka_unit_test(what_is_declared_has_to_be_there),
        cmocka_unit_test(relations_without_row_security_are_guarded),
        cmocka_unit_test(the_demo_keeps_its_tenants_apart),
        cmocka_unit_test(nothing_is_looked_for_unless_asked),
    };

    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
