/*
 * bind_test.c - variables become the parameters of a statement.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "execution/bind.h"
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

/* document, variables, parameters joined with "|" in the order of their numbers; NULL: refused */
/* clang-format off */
static const struct {
    const char *document;
    const char *variables;
    const char *params;
} table[] = {
    {"{projects {id}}", "", ""},
    {"{project(id: \"abc\") {id}}", "", "abc"},
    {"mutation($i: FileTaskInput) {fileTask(input: $i)}",
     "{\"i\": {\"dueOn\": \"2026-01-01\", \"title\": null, \"stops\": {\"lat\": 1.50}, \"roles\": \"BILLING_CONTACT\"}}",
     "app.current_tenant_id|{\"title\":null,\"due_on\":\"2026-01-01\",\"stops\":[{\"lat\":1.50}],\"roles\":[\"billing contact\"]}"},
    {"mutation($t: String) {fileTask(input: {title: $t, more: {aB: $t}, stops: [{lon: 2}, null]})}", "{}",
     "app.current_tenant_id|{\"stops\":[{\"lon\":2},null],\"more\":{}}"},
    {"mutation($t: String) {fileTask(input: {title: $t, more: {aB: $t}})}", "{\"t\": \"q\\\"\"}",
     "app.current_tenant_id|{\"title\":\"q\\\"\",\"more\":{\"aB\":\"q\\\"\"}}"},
    {"query($id: ID!) {project(id: $id) {id}}", "{\"id\": \"x-1\"}", "x-1"},
    {"query($id: ID!) {project(id: $id) {id}}", "{\"id\": 17}", "17"},
    {"query($s: String = \"dflt\") {projects(where: {name: {eq: $s}}) {id}}", "{}", "dflt"},
    {"query($s: String) {projects(where: {name: {eq: $s}}) {id}}", "{\"s\": \"a'b\\\"c\"}", "a'b\"c"},
    {"query($s: String) {projects(where: {name: {eq: $s}}) {id}}", "{\"s\": \"\"}", ""},
    {"query($s: String) {projects(where: {name: {contains: $s}}) {id}}", "{\"s\": \"5%_\\\\\"}", "%5\\%\\_\\\\%"},
    {"query($s: String) {projects(where: {name: {istartswith: $s}}) {id}}", "{\"s\": \"%\"}", "\\%%"},
    {"query($s: String) {projects(where: {name: {endswith: $s}}) {id}}", "{\"s\": \"x\"}", "%x"},
    {"query($s: String) {projects(where: {name: {like: $s}}) {id}}", "{\"s\": \"a%\"}", "a%"},
    {"query($s: [String!]) {projects(where: {name: {in: $s}}) {id}}", "{\"s\": [\"a\", \"NULL\", \"{\\\"}\"]}", "{\"a\",\"NULL\",\"{\\\"}\"}"},
    {"query($s: [String!]) {projects(where: {name: {in: $s}}) {id}}", "{\"s\": \"lone\"}", "{\"lone\"}"},
    {"query($s: [String!]) {projects(where: {name: {in: $s}}) {id}}", "{\"s\": []}", "{}"},
    {"query($w: ProjectWhereInput) {projects(where: $w) {id}}", "{\"w\": {\"name\": {\"in\": \"lone\"}}}", "{\"lone\"}"},
    {"query($w: ProjectWhereInput) {projects(where: $w) {id}}",
     "{\"w\": {\"owner\": {\"name\": {\"eq\": \"second\"}}, \"OR\": [{\"name\": {\"eq\": \"third\"}}, {\"name\": {\"eq\": \"fourth\"}}], \"name\": {\"eq\": \"first\"}}}",
     "first|second|third|fourth"},
    {"query($r: UserRole) {users(where: {role: {eq: $r}}) {id}}", "{\"r\": \"BILLING_CONTACT\"}", "billing contact"},
    {"query($r: [UserRole!]) {users(where: {role: {in: $r}}) {id}}", "{\"r\": [\"BILLING_CONTACT\", \"owner\"]}", "{\"billing contact\",\"owner\"}"},
    {"query($b: Boolean) {users(where: {active: {eq: $b}}) {id}}", "{\"b\": false}", "false"},
    {"query($n: Int) {projects(where: {taskCount: {gt: $n}}) {id}}", "{\"n\": -3}", "-3"},
    {"query($n: BigInt) {projects(where: {storageBytes: {gt: $n}}) {id}}", "{\"n\": \"9007199254740993\"}", "9007199254740993"},
    {"query($n: Decimal) {projects(where: {budget: {gt: $n}}) {id}}", "{\"n\": 0.1000000000000000000001}", "0.1000000000000000000001"},
    {"query($j: JSON) {projects(where: {settings: {contains: $j}}) {id}}", "{\"j\": {\"a\": [1, null, \"x\"]}}", "{\"a\":[1,null,\"x\"]}"},
    {"query($x: Int, $j: JSON, $a: Int) {projects(where: {settings: {contains: {a: $x, b: [$j, 1.50, \"s\", null, true], c: $a}}}) {id}}",
     "{\"x\": 17, \"j\": {\"k\": null}}", "{\"a\":17,\"b\":[{\"k\":null},1.50,\"s\",null,true]}"},
    {"query($s: String!) {projects(where: {labels: {in: [[\"a\", $s]]}}) {id}}", "{\"s\": \"b\"}", "a|b"},
    {"query($n: Int) {projects(limit: $n) {id}}", "{\"n\": 0}", "0"},
    {"mutation($r: [UserInsertInput!]!) {insertUsers(input: $r) {affectedCount}}",
     "{\"r\": [{\"email\": \"a\", \"name\": \"A\", \"role\": \"BILLING_CONTACT\", \"skills\": [\"x\", null]}, {\"email\": \"\", \"name\": \"\\\"\", \"role\": null, \"skills\": []}]}",
     "app.current_tenant_id|{\"a\",\"\"}|{\"A\",\"\\\"\"}|{\"billing contact\",NULL}|{\"{\\\"x\\\",NULL}\",\"{}\"}"},
    {"mutation($r: UserInsertInput!) {insertUsers(input: [$r]) {affectedCount}}", "{\"r\": {\"email\": \"a\", \"name\": \"A\", \"active\": false}}",
     "app.current_tenant_id|a|A|false"},
    {"mutation($n: Int) {deleteTasks(where: {title: {eq: \"x\"}}, atMost: $n) {affectedCount}}", "{\"n\": 7}", "x|7"},
    {"mutation($n: Int) {deleteTasks(where: {title: {eq: \"x\"}}, atMost: $n) {affectedCount}}", "{\"n\": -7}", NULL},
    {"query($n: Int) {projects(limit: $n) {id}}", "{\"n\": 1000}", "1000"},
    {"query($n: Int) {projects(limit: $n) {id}}", "{\"n\": 1001}", NULL},
    {"query($n: Int) {projects(limit: $n) {id}}", "{\"n\": -1}", NULL},
    {"query($n: Int) {projects(offset: $n) {id}}", "{\"n\": 2147483647}", "2147483647"},
    {"query($n: Int) {projects(offset: $n) {id}}", "{\"n\": -1}", NULL},
    {"query($n: Int) {projects(limit: $n, offset: $n) {id}}", "{\"n\": 5}", "5|5"},
    {"query($n: String!) {__type(name: $n) {name} projects(where: {name: {eq: $n}}) {id}}", "{\"n\": \"x\"}", "x|x"},
};
/* clang-format on */

/* The argument of a document that a message names. */
static const char *named_by(const char *document, struct str message)
{
    static const char *const names[] = {"limit", "offset", "atMost"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strstr(document, names[i]) != NULL &&
            memmem(message.data, message.len, names[i], strlen(names[i])) != NULL)
            return names[i];
    return NULL;
}

static void variables_become_parameters(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        const char *const *params;
        struct compiled c;
        struct buf joined;

        fixture_compile(&f, str_of(table[i].document), str_of(table[i].variables), &c);
        if (c.plan == NULL)
            fail_msg("row %zu: %.*s", i, STR_ARG(f.errs.first->message));
        buf_init(&joined, 0);
        if (!bind_parameters(c.plan, &c.variables, f.arena, &params, &f.errs)) {
            assert_null(table[i].params);
            assert_int_equal(f.errs.first->code, BAD_USER_INPUT);
            assert_non_null(named_by(table[i].document, f.errs.first->message));
            assert_int_equal(f.errs.first->nlocations, 1);
        } else {
            assert_non_null(table[i].params);
            for (size_t j = 0; j < c.plan->nparams; j++)
                buf_printf(&joined, "%s%s", j > 0 ? "|" : "", params[j]);
            assert_string_equal(buf_cstr(&joined), table[i].params);
        }
        buf_fini(&joined);
        compiled_fini(&c);
    }
}

/* A plan that is used with other variables of the same skeleton. */
static void a_plan_is_bound_to_other_variables(void **state)
{
    static const char document[] = "query($w: ProjectWhereInput, $n: Int) {"
                                   "projects(where: $w, limit: $n) {id}}";
    const char *const *params;
    struct compiled one, other;

    (void)state;
    fixture_compile(&f, str_of(document),
                    STR("{\"w\": {\"name\": {\"contains\": \"a\"}, \"status\": {\"eq\": \"b\"}},"
                        " \"n\": 1}"),
                    &one);
    fixture_compile(&f, str_of(document),
                    STR("{\"n\": 2, \"w\": {\"status\": {\"eq\": \"d\"},"
                        " \"name\": {\"contains\": \"c\"}}}"),
                    &other);
    assert_true(bind_parameters(one.plan, &other.variables, f.arena, &params, &f.errs));
    assert_string_equal(params[0], "%c%");
    assert_string_equal(params[1], "d");
    assert_string_equal(params[2], "2");
    compiled_fini(&one);
    compiled_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_become_parameters),
        cmocka_unit_test(a_plan_is_bound_to_other_variables),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
