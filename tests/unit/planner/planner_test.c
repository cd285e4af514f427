/*
 * planner_test.c - what holds for every plan, whatever its SQL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "planner/fixture.h"

static struct fixture f;

static int start(void **state)
{
    (void)state;
    fixture_init(&f);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_fini(&f);
    return 0;
}

static void compile(const char *document, const char *variables, struct compiled *out)
{
    fixture_compile(&f, str_of(document), str_of(variables), out);
}

/* The cache relies on it: another scalar in the same place is another parameter, not another plan.
 */
static void equal_skeletons_mean_equal_plans(void **state)
{
    static const struct {
        const char *document;
        const char *one;
        const char *other;
        bool same;
    } table[] = {
        {"query($s: String) {projects(where: {name: {eq: $s}}) {id}}",                      "{\"s\": \"a\"}",
         "{\"s\": \"b' or true --\"}",                                                                                                                                                                    true },
        {"query($s: String) {projects(where: {name: {eq: $s}}) {id}}",                      "{\"s\": \"a\"}",
         "{\"s\": null}",                                                                                                                                                                                 false},
        {"query($s: String) {projects(where: {name: {eq: $s}}) {id}}",                      "{\"s\": null}",         "{}",
         false                                                                                                                                                                                                 },
        {"query($n: Int) {projects(limit: $n) {id}}",                                       "{\"n\": 1}",            "{\"n\": 999}",                                                                      true },
        {"query($w: ProjectWhereInput) {projects(where: $w) {id}}",
         "{\"w\": {\"name\": {\"in\": [\"a\"]}, \"status\": {\"eq\": \"x\"}}}",                                      "{\"w\": {\"status\": {\"eq\": \"y\"}, \"name\": {\"in\": [\"b\", \"c\", \"d\"]}}}", true },
        {"query($w: ProjectWhereInput) {projects(where: $w) {id}}",
         "{\"w\": {\"name\": {\"in\": [\"a\"]}}}",                                                                   "{\"w\": {\"name\": {\"nin\": [\"a\"]}}}",
         false                                                                                                                                                                                                 },
        {"query($w: [ProjectWhereInput!]) {projects(where: {OR: $w}) {id}}",
         "{\"w\": [{\"name\": {\"eq\": \"a\"}}]}",                                                                   "{\"w\": [{\"name\": {\"eq\": \"a\"}}, {\"name\": {\"eq\": \"b\"}}]}",               false},
        {"query($b: Boolean) {projects(where: {name: {isnull: $b}}) {id}}",                 "{\"b\": true}",
         "{\"b\": false}",                                                                                                                                                                                false},
        {"query($f: [ProjectField!]) {projects(distinctOn: $f) {id}}",                      "{\"f\": [\"status\"]}",
         "{\"f\": [\"status\", \"name\"]}",                                                                                                                                                               false},
        {"query($f: [ProjectField!]!) {projectsGroupBy(by: $f) {count}}",                   "{\"f\": [\"status\"]}",
         "{\"f\": [\"name\"]}",                                                                                                                                                                           false},
        {"query($f: ProjectField!) {projectsAggregate {countDistinct(field: $f)}}",
         "{\"f\": \"status\"}",                                                                                      "{\"f\": \"name\"}",                                                                 false},
        {"query($h: ProjectHavingInput) {projectsGroupBy(by: status, having: $h) {count}}",
         "{\"h\": {\"sum\": {\"budget\": {\"gt\": \"1\"}}}}",                                                        "{\"h\": {\"sum\": {\"budget\": {\"gt\": \"2\"}}}}",                                 true },
        {"query($h: ProjectHavingInput) {projectsGroupBy(by: status, having: $h) {count}}",
         "{\"h\": {\"sum\": {\"budget\": {\"gt\": \"1\"}}}}",                                                        "{\"h\": {\"avg\": {\"budget\": {\"gt\": \"1\"}}}}",                                 false},
        {"query($d: OrderDirection!) {projects(orderBy: [{name: $d}]) {id}}",               "{\"d\": \"ASC\"}",
         "{\"d\": \"DESC\"}",                                                                                                                                                                             false},
        {"query($b: Boolean!) {projects {id name @skip(if: $b)}}",                          "{\"b\": true}",
         "{\"b\": false}",                                                                                                                                                                                false},
        {"query($a: String) {tasksConnection(after: $a) {nodes {id}}}",                     "{\"a\": \"x\"}",
         "{\"a\": \"y\"}",                                                                                                                                                                                true },
        {"query($a: String) {tasksConnection(after: $a) {nodes {id}}}",                     "{\"a\": \"x\"}",
         "{\"a\": null}",                                                                                                                                                                                 false},
        {"query($n: Int) {tasksConnection(first: $n) {nodes {id}}}",                        "{\"n\": 1}",            "{\"n\": 2}",
         true                                                                                                                                                                                                  },
        {"query($id: ID!) {...F} fragment F on Query {node(id: $id) {nodeId}}",
         "{\"id\":\"WyJQcm9qZWN0IiwiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDItMDAwMDAwMDAwMDAxIl0\"}",                         "{\"id\":\"WyJQcm9qZWN0IiwiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDItMDAwMDAwMDAwMDAyIl0\"}",  true },
        {"query($id: ID!) {...F} fragment F on Query {node(id: $id) {nodeId}}",
         "{\"id\":\"WyJQcm9qZWN0IiwiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDItMDAwMDAwMDAwMDAxIl0\"}",                         "{\"id\":\"WyJUYXNrIiwiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDItMDAwMDAwMDAwMDAxIl0\"}",      false},
        {"query($id: ID!) {...F} fragment F on Query {node(id: $id) {nodeId}}",
         "{\"id\":\"WyJQcm9qZWN0IiwiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDItMDAwMDAwMDAwMDAxIl0\"}",                         "{\"id\":\"WyJRdWVyeSIsMV0\"}",                                                      false},
        {"query($id: ID!) {...F} fragment F on Query {node(id: $id) {nodeId}}",
         "{\"id\":\"WyJObyIsMV0\"}",                                                                                 "{\"id\":\"WyJOb3QiLDJd\"}",                                                         true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct compiled one, other;
        struct buf a, b;

        compile(table[i].document, table[i].one, &one);
        compile(table[i].document, table[i].other, &other);
        assert_non_null(one.plan);
        assert_non_null(other.plan);
        buf_init(&a, 0);
        buf_init(&b, 0);
        plan_describe(one.plan, &a);
        plan_describe(other.plan, &b);
        if (table[i].same) {
            assert_memory_equal(&one.skeleton, &other.skeleton, sizeof one.skeleton);
            assert_string_equal(buf_cstr(&a), buf_cstr(&b));
        } else {
            assert_memory_not_equal(&one.skeleton, &other.skeleton, sizeof one.skeleton);
            assert_string_not_equal(buf_cstr(&a), buf_cstr(&b));
        }
        buf_fini(&a);
        buf_fini(&b);
        compiled_fini(&one);
        compiled_fini(&other);
    }
}

static void a_plan_knows_its_size_and_statement(void **state)
{
    struct compiled a, b;

    (void)state;
    compile("{projects(where: {name: {eq: \"x\"}}) {id}}", "", &a);
    compile("{p: projects(where: {name: {eq: \"another\"}}) {i: id}}", "", &b);
    assert_non_null(a.plan);
    assert_true(a.plan->size > 100);
    assert_int_not_equal(a.plan->id, b.plan->id);
    assert_int_equal(a.plan->steps[0].statement.nparams, 1);
    assert_int_equal(a.plan->steps[0].statement.sql.data[a.plan->steps[0].statement.sql.len], '\0');
    /* The constant is bound and aliases are not SQL: both share a prepared statement. */
    assert_int_equal(a.plan->steps[0].statement.hash[0], b.plan->steps[0].statement.hash[0]);
    assert_int_equal(a.plan->steps[0].statement.hash[1], b.plan->steps[0].statement.hash[1]);
    assert_int_equal(*a.plan->cost_ns, 0);
    compiled_fini(&a);
    compiled_fini(&b);
}

static void a_plan_lives_as_long_as_its_references(void **state)
{
    struct compiled c;
    const struct plan *p;
    struct buf b;

    (void)state;
    compile("{projects {name}}", "", &c);
    p = plan_ref(c.plan);
    compiled_fini(&c);
    buf_init(&b, 0);
    plan_describe(p, &b); /* reads the operation, too */
    assert_true(b.len > 0);
    assert_int_equal(plan_location(p, 1).column, 2);
    buf_fini(&b);
    plan_unref(p);
    plan_unref(NULL);
}

/* Parameters that the text does not mention would be refused by PostgreSQL. */
static void every_parameter_is_mentioned(void **state)
{
    static const char *const documents[] = {
        "{projects(where: {OR: [{name: {eq: \"gone\"}}, {}], status: {eq: \"kept\"}}) {id}}",
        "{projects(where: {OR: [{OR: [{name: {eq: \"a\"}}, {}]}, {name: {eq: \"b\"}}]}) {id}}",
        "{projects(where: {tasks: {every: {OR: [{title: {eq: \"a\"}}, {}]}}}) {id}}",
        "{projects(where: {AND: [{status: {eq: \"s\"}}, {OR: [{status: {eq: \"s\"}}, {}]}]}) {id}}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        struct compiled c;

        compile(documents[i], "", &c);
        assert_non_null(c.plan);
        for (size_t n = 1; n <= c.plan->steps[0].statement.nparams; n++) {
            struct str mention = arena_printf(f.arena, "$%zu::", n);

            assert_non_null(strstr(c.plan->steps[0].statement.sql.data, mention.data));
        }
        compiled_fini(&c);
    }
}

static struct relation *relation_of(const char *type)
{
    union {
        const struct relation *from;
        struct relation *to;
    } r = {schema_type(f.schema, str_of(type))->relation};

    return r.to;
}

static void expect_sql(const char *document, const char *sql)
{
    struct compiled c;

    compile(document, "", &c);
    assert_non_null(c.plan);
    assert_string_equal(c.plan->steps[0].statement.sql.data, sql);
    compiled_fini(&c);
}

/* A declared relationship may lead to columns that are no key, and must not multiply rows. */
static void a_to_one_without_a_key_is_one_row_all_the_same(void **state)
{
    struct relation *user = relation_of("User");
    size_t nkeys = user->nkeys;

    (void)state;
    user->nkeys = 0;
    expect_sql("{project(id: 1) {owner {name}}}",
               "select t2.\"id\", t2.\"name\" from \"public\".\"v_project\" t1"
               " left join lateral (select * from \"public\".\"v_user\" t2"
               " where t2.\"id\" = t1.\"owner_id\" limit 1) t2 on true"
               " where t1.\"id\" = $1::uuid limit 1");
    /* Nor has it an order of its own. */
    expect_sql("{users(limit: 3) {name}}",
               "select t1.\"name\" from \"public\".\"v_user\" t1 limit 3");
    user->nkeys = nkeys;
}

static void the_key_of_a_table_needs_no_limit(void **state)
{
    struct relation *project = relation_of("Project");
    enum relation_kind kind = project->kind;

    (void)state;
    project->kind = RELATION_TABLE;
    expect_sql("{project(id: 1) {name}}", "select t1.\"name\" from \"public\".\"v_project\" t1"
                                          " where t1.\"id\" = $1::uuid");
    project->kind = kind;
}

static void names_of_order_terms_are_no_columns(void **state)
{
    struct relation *project = relation_of("Project");
    union {
        const struct column *from;
        struct column *to;
    } column = {&project->columns[project->ncolumns - 1]};
    struct str name = column.from->name;

    (void)state;
    column.to->name = STR("order_1");
    expect_sql("{projects(limit: 1, orderBy: [{owner: {name: ASC}}]) {tenant {name}}}",
               "select t3.\"id\", t3.\"name\" from (select t1.\"id\", t1.\"tenant_id\","
               " t2.\"name\" as \"order_1_\" from \"public\".\"v_project\" t1"
               " left join \"public\".\"v_user\" t2 on t2.\"id\" = t1.\"owner_id\""
               " order by t2.\"name\", t1.\"id\" limit 1) t1"
               " left join \"public\".\"v_tenant\" t3 on t3.\"id\" = t1.\"tenant_id\""
               " order by t1.\"order_1_\", t1.\"id\"");
    column.to->name = name;
}

static void names_are_quoted_wherever_they_stand(void **state)
{
    struct relation *project = relation_of("Project");
    struct str name = project->name;

    (void)state;
    project->name = STR("a\"; drop table b; --");
    expect_sql("{projects(limit: 1) {name}}",
               "select t1.\"name\" from \"public\".\"a\"\"; drop table b; --\" t1"
               " order by t1.\"id\" limit 1");
    project->name = name;
}

/* --- what is too much ---------------------------------------------------------------------- */

static void expect_error(const char *document, enum error_code code)
{
    struct compiled c;

    compile(document, "", &c);
    assert_null(c.plan);
    assert_non_null(f.errs.first);
    assert_int_equal(f.errs.first->code, code);
    compiled_fini(&c);
}

/* Each fragment selects the next one twice under two names: 2^20 fields. */
static void fragments_that_multiply_are_refused(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "{users {...F0}}\n");
    for (int i = 0; i < 20; i++)
        buf_printf(&b,
                   "fragment F%d on User {a: tenant {users {...F%d}} b: tenant {users {...F%d}}}\n",
                   i, i + 1, i + 1);
    buf_append_lit(&b, "fragment F20 on User {id}");
    expect_error(buf_cstr(&b), QUERY_TOO_COMPLEX);
    buf_fini(&b);
}

static void deep_nesting_is_refused(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "{tasks {");
    for (int i = 0; i < 60; i++)
        buf_append_lit(&b, "project{tasks{");
    buf_append_lit(&b, "id");
    for (int i = 0; i < 60; i++)
        buf_append_lit(&b, "}}");
    buf_append_lit(&b, "}}");
    expect_error(buf_cstr(&b), QUERY_TOO_COMPLEX);
    buf_fini(&b);
}

static void deep_filters_are_refused(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "{projects(where: ");
    for (int i = 0; i < 100; i++)
        buf_append_lit(&b, "{NOT: ");
    buf_append_lit(&b, "{}");
    for (int i = 0; i < 100; i++)
        buf_append_lit(&b, "}");
    buf_append_lit(&b, ") {id}}");
    expect_error(buf_cstr(&b), BAD_USER_INPUT);
    buf_fini(&b);
}

/* PostgreSQL has a limit of 1664 columns, and each of these lists is one. */
static void wide_rows_are_refused(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "{comments {id");
    for (int i = 0; i < 1700; i++)
        buf_printf(&b, " l%d: task {comments {id}}", i);
    buf_append_lit(&b, "}}");
    expect_error(buf_cstr(&b), QUERY_TOO_COMPLEX);
    buf_fini(&b);
}

/* Each below every limit of validation, together more than PostgreSQL should be asked to plan. */
static void too_many_relations_are_refused(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "{projects(where: {OR: [");
    for (int i = 0; i < 1001; i++)
        buf_append_lit(&b, "{owner: {}} ");
    buf_append_lit(&b, "]}) {id}}");
    expect_error(buf_cstr(&b), QUERY_TOO_COMPLEX);
    buf_fini(&b);
}

/* The text of the statement does not grow with the list, and neither does the number of parameters.
 */
static void a_long_list_is_one_parameter(void **state)
{
    struct compiled c;
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "{projects(where: {name: {in: [");
    for (int i = 0; i < 5000; i++)
        buf_printf(&b, "\"n%d\" ", i);
    buf_append_lit(&b, "]}}) {id}}");
    compile(buf_cstr(&b), "", &c);
    assert_non_null(c.plan);
    assert_int_equal(c.plan->steps[0].statement.nparams, 1);
    compiled_fini(&c);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_skeletons_mean_equal_plans),
        cmocka_unit_test(a_plan_knows_its_size_and_statement),
        cmocka_unit_test(a_plan_lives_as_long_as_its_references),
        cmocka_unit_test(every_parameter_is_mentioned),
        cmocka_unit_test(a_to_one_without_a_key_is_one_row_all_the_same),
        cmocka_unit_test(the_key_of_a_table_needs_no_limit),
        cmocka_unit_test(names_of_order_terms_are_no_columns),
        cmocka_unit_test(names_are_quoted_wherever_they_stand),
        cmocka_unit_test(fragments_that_multiply_are_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(deep_filters_are_refused),
        cmocka_unit_test(wide_rows_are_refused),
        cmocka_unit_test(too_many_relations_are_refused),
        cmocka_unit_test(a_long_list_is_one_parameter),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
