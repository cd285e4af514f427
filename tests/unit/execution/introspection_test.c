/*
 * introspection_test.c - __schema and __type answer from the model (specification section 4).
 *
 * That standard clients can rebuild the whole schema from the answer is for the e2e tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "execution/bind.h"
#include "execution/response.h"
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

/* clang-format off */
static const struct {
    const char *document;
    const char *variables;
    const char *data;
} table[] = {
    /* document, variables, data */
    {"{__schema {queryType {name kind} mutationType {name} subscriptionType {name} description __typename}}", "",
     "{\"__schema\":{\"queryType\":{\"name\":\"Query\",\"kind\":\"OBJECT\"},\"mutationType\":{\"name\":\"Mutation\"},\"subscriptionType\":null,\"description\":null,\"__typename\":\"__Schema\"}}"},
    {"query($n: String!) {t: __type(name: $n) {k: kind name enumValues {name isDeprecated} fields {name}}}", "{\"n\": \"UserRole\"}",
     "{\"t\":{\"k\":\"ENUM\",\"name\":\"UserRole\",\"enumValues\":[{\"name\":\"owner\",\"isDeprecated\":false},{\"name\":\"admin\",\"isDeprecated\":false},{\"name\":\"member\",\"isDeprecated\":false},{\"name\":\"BILLING_CONTACT\",\"isDeprecated\":false}],\"fields\":null}}"},
    {"{a: __type(name: \"Nothing\") {name} b: __type(name: \"Int\") {kind name ofType {name} isOneOf} __typename}", "",
     "{\"a\":null,\"b\":{\"kind\":\"SCALAR\",\"name\":\"Int\",\"ofType\":null,\"isOneOf\":null},\"__typename\":\"Query\"}"},
    {"{__type(name: \"TenantSummary\") {fields {name type {kind name ofType {kind name}}}}}", "",
     "{\"__type\":{\"fields\":[{\"name\":\"tenantId\",\"type\":{\"kind\":\"NON_NULL\",\"name\":null,\"ofType\":{\"kind\":\"SCALAR\",\"name\":\"ID\"}}},"
     "{\"name\":\"projectCount\",\"type\":{\"kind\":\"SCALAR\",\"name\":\"BigInt\",\"ofType\":null}},"
     "{\"name\":\"totalTasks\",\"type\":{\"kind\":\"SCALAR\",\"name\":\"BigInt\",\"ofType\":null}},"
     "{\"name\":\"projectIds\",\"type\":{\"kind\":\"LIST\",\"name\":null,\"ofType\":{\"kind\":\"SCALAR\",\"name\":\"UUID\"}}},"
     "{\"name\":\"nodeId\",\"type\":{\"kind\":\"NON_NULL\",\"name\":null,\"ofType\":{\"kind\":\"SCALAR\",\"name\":\"ID\"}}},"
     "{\"name\":\"tenant\",\"type\":{\"kind\":\"OBJECT\",\"name\":\"Tenant\",\"ofType\":null}},"
     "{\"name\":\"neighbour\",\"type\":{\"kind\":\"OBJECT\",\"name\":\"TenantSummary\",\"ofType\":null}},"
     "{\"name\":\"others\",\"type\":{\"kind\":\"NON_NULL\",\"name\":null,\"ofType\":{\"kind\":\"LIST\",\"name\":null}}}]}}"},
    {"{__type(name: \"TaskListWhereInput\") {kind isOneOf inputFields {name type {name} defaultValue isDeprecated deprecationReason}}}", "",
     "{\"__type\":{\"kind\":\"INPUT_OBJECT\",\"isOneOf\":false,\"inputFields\":["
     "{\"name\":\"some\",\"type\":{\"name\":\"TaskWhereInput\"},\"defaultValue\":null,\"isDeprecated\":false,\"deprecationReason\":null},"
     "{\"name\":\"every\",\"type\":{\"name\":\"TaskWhereInput\"},\"defaultValue\":null,\"isDeprecated\":false,\"deprecationReason\":null},"
     "{\"name\":\"none\",\"type\":{\"name\":\"TaskWhereInput\"},\"defaultValue\":null,\"isDeprecated\":false,\"deprecationReason\":null}]}}"},
    {"{__schema {directives {name isRepeatable locations args(includeDeprecated: true) {name type {kind} defaultValue}}}}", "",
     "{\"__schema\":{\"directives\":["
     "{\"name\":\"include\",\"isRepeatable\":false,\"locations\":[\"FIELD\",\"FRAGMENT_SPREAD\",\"INLINE_FRAGMENT\"],\"args\":[{\"name\":\"if\",\"type\":{\"kind\":\"NON_NULL\"},\"defaultValue\":null}]},"
     "{\"name\":\"skip\",\"isRepeatable\":false,\"locations\":[\"FIELD\",\"FRAGMENT_SPREAD\",\"INLINE_FRAGMENT\"],\"args\":[{\"name\":\"if\",\"type\":{\"kind\":\"NON_NULL\"},\"defaultValue\":null}]},"
     "{\"name\":\"deprecated\",\"isRepeatable\":false,\"locations\":[\"FIELD_DEFINITION\",\"ARGUMENT_DEFINITION\",\"ENUM_VALUE\",\"INPUT_FIELD_DEFINITION\"],\"args\":[{\"name\":\"reason\",\"type\":{\"kind\":\"NON_NULL\"},\"defaultValue\":\"\\\"No longer supported\\\"\"}]},"
     "{\"name\":\"specifiedBy\",\"isRepeatable\":false,\"locations\":[\"SCALAR\"],\"args\":[{\"name\":\"url\",\"type\":{\"kind\":\"NON_NULL\"},\"defaultValue\":null}]},"
     "{\"name\":\"oneOf\",\"isRepeatable\":false,\"locations\":[\"INPUT_OBJECT\"],\"args\":[]}]}}"},
    {"{__type(name: \"__Type\") {fields {name args {name defaultValue}}}}", "",
     "{\"__type\":{\"fields\":[{\"name\":\"kind\",\"args\":[]},{\"name\":\"name\",\"args\":[]},{\"name\":\"description\",\"args\":[]},{\"name\":\"specifiedByURL\",\"args\":[]},"
     "{\"name\":\"fields\",\"args\":[{\"name\":\"includeDeprecated\",\"defaultValue\":\"false\"}]},{\"name\":\"interfaces\",\"args\":[]},{\"name\":\"possibleTypes\",\"args\":[]},"
     "{\"name\":\"enumValues\",\"args\":[{\"name\":\"includeDeprecated\",\"defaultValue\":\"false\"}]},{\"name\":\"inputFields\",\"args\":[{\"name\":\"includeDeprecated\",\"defaultValue\":\"false\"}]},"
     "{\"name\":\"ofType\",\"args\":[]},{\"name\":\"isOneOf\",\"args\":[]}]}}"},
};
/* clang-format on */

static void respond(const struct compiled *c, struct buf *out)
{
    const char *const *params;

    assert_non_null(c->plan);
    assert_int_equal(c->plan->nsteps, 0);
    assert_true(bind_parameters(c->plan, &c->variables, f.arena, &params, &f.errs));
    assert_true(response_data(c->plan, params, NULL, false, out, &f.errs));
    assert_int_equal(f.errs.n, 0);
}

static void the_model_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct compiled c;
        struct buf out;

        buf_init(&out, 0);
        fixture_compile(&f, str_of(table[i].document), str_of(table[i].variables), &c);
        respond(&c, &out);
        assert_string_equal(buf_cstr(&out),
                            arena_printf(f.arena, "{\"data\":%s}", table[i].data).data);
        buf_fini(&out);
        compiled_fini(&c);
    }
}

/* A schema of our own with something deprecated in it; the catalog of the fixture has nothing. */
static void what_is_deprecated_is_shown_when_asked_for(void **state)
{
    static const struct {
        const char *document;
        const char *variables;
        bool shown;
    } cases[] = {
        {"{__type(name: \"Project\") {fields {name}}}",                                            "", false},
        {"{__type(name: \"Project\") {fields(includeDeprecated: false) {name}}}",                  "", false},
        {"{__type(name: \"Project\") {fields(includeDeprecated: true) {name}}}",                   "", true },
        {"query($d: Boolean!) {__type(name: \"Project\") {fields(includeDeprecated: $d) {name}}}",
         "{\"d\": true}",                                                                              true },
        {"query($d: Boolean!) {__type(name: \"Project\") {fields(includeDeprecated: $d) {name}}}",
         "{\"d\": false}",                                                                             false},
    };
    const struct type *project = schema_type(f.schema, STR("Project"));
    union {
        const struct field *from;
        struct field *to;
    } status = {schema_field(f.schema, project, STR("status"))};

    (void)state;
    status.to->deprecated = STR("use state");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct compiled c;
        struct buf out;

        buf_init(&out, 0);
        fixture_compile(&f, str_of(cases[i].document), str_of(cases[i].variables), &c);
        respond(&c, &out);
        assert_int_equal(strstr(buf_cstr(&out), "\"status\"") != NULL, cases[i].shown);
        buf_fini(&out);
        compiled_fini(&c);
    }
    status.to->deprecated = str_make(NULL, 0);
}

/* The maximum of the response ends the writing. */
static void an_answer_that_is_too_large_ends(void **state)
{
    static const char document[] = "{__schema {types {name fields {name type {name}}}}}";
    const char *const *params;
    struct compiled c;
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    fixture_compile(&f, str_of(document), STR(""), &c);
    assert_non_null(c.plan);
    assert_true(bind_parameters(c.plan, &c.variables, f.arena, &params, &f.errs));
    assert_false(response_data(c.plan, params, NULL, false, &out, &f.errs));
    buf_fini(&out);
    compiled_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_answers),
        cmocka_unit_test(what_is_deprecated_is_shown_when_asked_for),
        cmocka_unit_test(an_answer_that_is_too_large_ends),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
