/* complexity_test.c - fields times the rows of the lists around them. */
#include <inttypes.h>

#include "validation/complexity.h"
#include "validation/verdict.h"

static const char sdl[] =
    "type Query { nodes(limit: Int, distinctOn: [String!]): [Node!]! page(limit: Int = 7): [Node] "
    "node: Node any: [Any] "
    "hello: String }\n"
    "type Node { id: ID! tags: [String!] parent: Node children(limit: Int): [Node!]! "
    "childrenAggregate: Aggregate! }\n"
    "type Aggregate { count: Int! countDistinct: Int! sum: Sum! } type Sum { size: Int }\n"
    "union Any = Node | Query\n";

static const struct operation *parse(const struct schema *schema, const char *document,
                                     const struct validate_limits *limits, struct errors *errs)
{
    struct validate_input in = {.schema = schema,
                                .text = str_of(document),
                                .parse_limits = &verdict_parse_limits,
                                .limits = limits};

    if (str_starts(in.text, STR("query A")))
        in.operation_name = STR("A");
    return validate(&in, errs);
}

struct cost_row {
    const char *document;
    const char *variables; /* NULL: the cost does not depend on any */
    uint64_t complexity;
};

/* A list without limit counts as 100 rows. */
static const struct cost_row costs[] = {
  /* clang-format off */
    {"{hello}", NULL, 1},
    {"{hello a:hello hello}", NULL, 3},
    {"{node{id tags}}", NULL, 3},
    {"{node{parent{parent{id}}}}", NULL, 4},
    {"{nodes{id}}", NULL, 101},
    {"{nodes(limit:20){id}}", NULL, 21},
    {"{nodes(limit:0){id}}", NULL, 1},
    {"{nodes(limit:-5){id}}", NULL, 1},
    {"{nodes(limit:null){id}}", NULL, 101},
    {"{nodes(limit:20){id parent{id} children(limit:10){id tags parent{id}}}}", NULL, 1 + 20 * (1 + 2 + 1 + 10 * 4)},
    {"{nodes{children{id}}}", NULL, 1 + 100 * (1 + 100)},
    {"{nodes{children{children{id}}}}", NULL, 1 + 100 * (1 + 100 * (1 + 100))},
    {"{nodes(limit:2){...F}}fragment F on Node{id tags}", NULL, 5},
    {"{...F ...F}fragment F on Query{nodes(limit:2){id}}", NULL, 6},
    {"{nodes(limit:2){...F children(limit:3){...F}}}fragment F on Node{id parent{...G}}fragment G on Node{id}", NULL, 1 + 2 * (3 + 1 + 3 * 3)},
    {"{any{...on Node{id}...on Query{hello}__typename}}", NULL, 1 + 100 * 3},
    {"{nodes(limit:2){...{id}...@include(if:false){id}}}", NULL, 5},
    {"{nodes(limit:2,distinctOn:\"x\"){id}}", NULL, 100 + 2},
    {"{node{childrenAggregate{count sum{size}}}}", NULL, 1 + 100 + 3},
    {"{nodes(limit:2){childrenAggregate{count a:countDistinct b:countDistinct}}}", NULL, 1 + 2 * (100 + 1 + 200)},
    {"{__schema{types{name fields{name}}}}", NULL, 5},
    {"query A{hello}query B{nodes{id}}", NULL, 1},
    {"query($n:Int){nodes(limit:$n){id}}", "{\"n\":20}", 21},
    {"query($n:Int){nodes(limit:$n){id}}", "{\"n\":null}", 101},
    {"query($n:Int){nodes(limit:$n){id}}", NULL, 101},
    {"query($n:Int=3){nodes(limit:$n){id}}", NULL, 4},
    {"query($n:Int){nodes(limit:$n){id}}", "{\"n\":-1}", 1},
    {"query($n:Int,$m:Int){nodes(limit:$n){id children(limit:$m){id}}}", "{\"n\":5,\"m\":6}", 1 + 5 * (2 + 6)},
    {"query($n:Int){...F a:nodes(limit:10){...G}}fragment F on Query{nodes(limit:3){...G}}fragment G on Node{children(limit:$n){id}}", "{\"n\":9}", 1 + 3 * 10 + 1 + 10 * 10},
  /* clang-format on */
};

static void coerce(const struct operation *op, const char *text, struct arena *a,
                   struct variables *out, struct errors *errs)
{
    static const struct jval_limits json_limits = {64, 1000};
    const struct jval *given = NULL;

    if (text != NULL)
        assert_true(jval_parse(str_of(text), &json_limits, a, &given, errs));
    assert_true(variables_coerce(op, given, a, out, errs));
}

static void lists_multiply_what_is_selected_of_them(void **state)
{
    static const struct validate_limits limits = {.list_rows = 100};
    const struct schema *schema = test_schema_new(sdl);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(costs); i++) {
        struct arena *a = arena_new(0);
        const struct operation *op;
        struct variables v;
        struct errors errs;
        uint64_t got;

        errors_init(&errs, a);
        op = parse(schema, costs[i].document, &limits, &errs);
        if (op == NULL)
            fail_msg("%s: %.*s", costs[i].document, STR_ARG(errs.first->message));
        coerce(op, costs[i].variables, a, &v, &errs);
        got = complexity_of(op, &v, a);
        if (got != costs[i].complexity)
            fail_msg("%s: %" PRIu64 ", expected %" PRIu64, costs[i].document, got,
                     costs[i].complexity);
        operation_unref(op);
        arena_free(a);
    }
    schema_unref(schema);
}

static bool accepts(const struct schema *schema, const char *document, const char *variables,
                    size_t max)
{
    const struct validate_limits limits = {.list_rows = 100, .max_complexity = max};
    struct arena *a = arena_new(0);
    const struct operation *op;
    struct variables v;
    struct errors errs;
    bool ok;

    errors_init(&errs, a);
    op = parse(schema, document, &limits, &errs);
    ok = op != NULL;
    if (ok) {
        coerce(op, variables, a, &v, &errs);
        ok = complexity_check(op, &v, max, a, &errs);
    }
    if (!ok) {
        assert_int_equal(errs.n, 1);
        assert_int_equal(errs.first->code, QUERY_TOO_COMPLEX);
        assert_int_equal(errs.first->nlocations, 1);
    }
    operation_unref(op);
    arena_free(a);
    return ok;
}

static void the_limit_is_the_last_complexity_accepted(void **state)
{
    const struct schema *schema = test_schema_new(sdl);

    (void)state;
    assert_true(accepts(schema, "{nodes(limit:20){id}}", NULL, 21));
    assert_false(accepts(schema, "{nodes(limit:20){id}}", NULL, 20));
    assert_true(accepts(schema, "query($n:Int){nodes(limit:$n){id}}", "{\"n\":20}", 21));
    assert_false(accepts(schema, "query($n:Int){nodes(limit:$n){id}}", "{\"n\":21}", 21));
    assert_true(accepts(schema, "{nodes{children{children{id}}}}", NULL, 0));
    schema_unref(schema);
}

/* What wraps around would be cheap. */
static void sums_and_products_saturate(void **state)
{
    const struct schema *schema = test_schema_new(sdl);

    (void)state;
    assert_false(accepts(schema,
                         "{nodes(limit:2147483647){children(limit:2147483647){children(limit:"
                         "2147483647){children(limit:8){id}}}}}",
                         NULL, SIZE_MAX - 1));
    assert_false(accepts(schema,
                         "query($n:Int){nodes(limit:$n){children(limit:$n){children(limit:$n){"
                         "children(limit:8){id}}}}}",
                         "{\"n\":2147483647}", SIZE_MAX - 1));
    schema_unref(schema);
}

/* n fragments, each of which spreads the next twice. */
static void a_fragment_bomb_is_measured_without_being_run(void **state)
{
    const struct schema *schema = test_schema_new(sdl);
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "{node{...F0}}");
    for (int i = 0; i < 200; i++)
        buf_printf(&b, "fragment F%d on Node{a:parent{...F%d}b:parent{...F%d}}", i, i + 1, i + 1);
    buf_append_lit(&b, "fragment F200 on Node{id}");
    assert_false(accepts(schema, buf_cstr(&b), NULL, SIZE_MAX - 1));
    buf_fini(&b);
    schema_unref(schema);
}

/* As deep as limits.c allows: each level a fragment and a field. */
static void the_deepest_legal_operation_is_measured(void **state)
{
    const struct schema *schema = test_schema_new(sdl);
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "query($n:Int){node{...F0}}");
    for (int i = 0; i < 290; i++)
        buf_printf(&b, "fragment F%d on Node{children(limit:$n){...F%d}}", i, i + 1);
    buf_append_lit(&b, "fragment F290 on Node{id}");
    assert_true(accepts(schema, buf_cstr(&b), "{\"n\":1}", 300));
    assert_false(accepts(schema, buf_cstr(&b), "{\"n\":2}", 300));
    buf_fini(&b);
    schema_unref(schema);
}

static void items_of_all_lists_in_variables_are_counted(void **state)
{
    static const struct {
        const char *json;
        size_t items;
    } rows[] = {
        {"{}",                                      0},
        {"{\"a\":1,\"b\":\"x\"}",                   0},
        {"{\"a\":[]}",                              0},
        {"{\"a\":[1,2,3]}",                         3},
        {"{\"a\":[1],\"b\":{\"c\":[2,{}]}}",        3},
        {"{\"a\":[[1,2],[3]],\"b\":[{\"c\":[4]}]}", 7},
    };
    static const struct jval_limits json_limits = {64, 1000};

    (void)state;
    assert_true(limits_variables(NULL, 1, NULL));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *a = arena_new(0);
        const struct jval *v;
        struct errors errs;

        errors_init(&errs, a);
        assert_true(jval_parse(str_of(rows[i].json), &json_limits, a, &v, &errs));
        assert_true(limits_variables(v, rows[i].items, &errs));
        assert_true(limits_variables(v, 0, &errs));
        if (rows[i].items > 1) {
            assert_false(limits_variables(v, rows[i].items - 1, &errs));
            assert_int_equal(errs.first->code, QUERY_TOO_COMPLEX);
        }
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_multiply_what_is_selected_of_them),
        cmocka_unit_test(the_limit_is_the_last_complexity_accepted),
        cmocka_unit_test(sums_and_products_saturate),
        cmocka_unit_test(a_fragment_bomb_is_measured_without_being_run),
        cmocka_unit_test(the_deepest_legal_operation_is_measured),
        cmocka_unit_test(items_of_all_lists_in_variables_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
