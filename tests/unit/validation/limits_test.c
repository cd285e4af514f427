/* limits_test.c - depth, aliases, fields: counted with fragments written out, at linear cost. */
#include "base/buf.h"
#include "validation/verdict.h"

static bool accepted(const struct schema *schema, struct str text,
                     const struct validate_limits *limits)
{
    struct arena *a = arena_new(0);
    struct validate_input in = {
        .schema = schema, .text = text, .parse_limits = &verdict_parse_limits, .limits = limits};
    struct errors errs;
    const struct operation *op;
    bool ok;

    if (str_starts(text, STR("query A")))
        in.operation_name = STR("A");
    errors_init(&errs, a);
    op = validate(&in, &errs);
    ok = op != NULL;
    if (!ok) {
        assert_int_equal(errs.n, 1);
        assert_int_equal(errs.first->code, QUERY_TOO_COMPLEX);
    }
    operation_unref(op);
    arena_free(a);
    return ok;
}

static void a_limit_is_the_last_count_accepted(void **state)
{
    static const struct {
        const char *document;
        struct validate_limits fits, passes;
    } rows[] = {
        {"{dog{mother{name}}hello}",                                                           {.max_depth = 3},      {.max_depth = 2}     },
        {"{dog{...F}}fragment F on Dog{...{mother{name}}}",                                    {.max_depth = 3},      {.max_depth = 2}     },
        {"{__schema{types{ofType{ofType{ofType{name}}}}}}",                                    {.max_depth = 1},      {0}                  },
        {"{a:hello b:hello hello}",                                                            {.max_aliases = 2},    {.max_aliases = 1}   },
        {"{...F dog{...G mother{...G}}}fragment F on Query{a:hello}fragment G on Dog{b:name}",
         {.max_aliases = 3},
         {.max_aliases = 2}                                                                                                                },
        {"{hello dog{name nickname}...{hello}...F}fragment F on Query{hello}",
         {.max_root_fields = 4},
         {.max_root_fields = 3}                                                                                                            },
        {"{dog{mother{...F}father{...F}}}fragment F on Dog{name nickname}",
         {.max_fields = 7},
         {.max_fields = 6}                                                                                                                 },
        {"{hello @tag @tag dog @tag{name}}",                                                   {.max_directives = 3}, {.max_directives = 2}},
        {"{...F ...G}fragment F on Query{hello}fragment G on Query{hello}",
         {.max_fragments = 2},
         {.max_fragments = 1}                                                                                                              },
        {"query A{hello}query B{dog{name}}",                                                   {.max_depth = 2},      {.max_depth = 1}     },
    };
    const struct schema *schema = test_schema_new(test_schema_sdl);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(accepted(schema, str_of(rows[i].document), &rows[i].fits));
        if (memcmp(&rows[i].passes, &(struct validate_limits){0}, sizeof(rows[i].passes)) != 0)
            assert_false(accepted(schema, str_of(rows[i].document), &rows[i].passes));
    }
    schema_unref(schema);
}

/* n fragments, each of which spreads the next twice. */
static void print_bomb(struct buf *b, int n)
{
    buf_append_lit(b, "{dog{...F0}}");
    for (int i = 0; i < n; i++)
        buf_printf(b, "fragment F%d on Dog{a:mother{...F%d}b:mother{...F%d}}", i, i + 1, i + 1);
    buf_printf(b, "fragment F%d on Dog{name}", n);
}

static void a_fragment_bomb_is_counted_without_being_run(void **state)
{
    static const struct validate_limits aliases = {.max_aliases = 1000000};
    static const struct validate_limits fields = {.max_fields = 1000000};
    const struct schema *schema = test_schema_new(test_schema_sdl);
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    print_bomb(&b, 200);
    assert_false(accepted(schema, buf_str(&b), &aliases));
    assert_false(accepted(schema, buf_str(&b), &fields));
    buf_fini(&b);
    schema_unref(schema);
}

static void nesting_through_fragments_is_bounded_without_limits(void **state)
{
    static const struct validate_limits none;
    const struct schema *schema = test_schema_new(test_schema_sdl);
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "{dog{...F0}}");
    for (int i = 0; i < 50000; i++)
        buf_printf(&b, "fragment F%d on Dog{...F%d}", i, i + 1);
    buf_append_lit(&b, "fragment F50000 on Dog{name}");
    assert_false(accepted(schema, buf_str(&b), &none));
    /* The fragments measured before the operation that is too deep. */
    buf_clear(&b);
    buf_append_lit(&b, "query A{dog{...F300}}query B{dog{...F0}}");
    for (int i = 0; i < 700; i++)
        buf_printf(&b, "fragment F%d on Dog{...F%d}", i, i + 1);
    buf_append_lit(&b, "fragment F700 on Dog{name}");
    assert_false(accepted(schema, buf_str(&b), &none));
    buf_fini(&b);
    schema_unref(schema);
}

static void cycles_end_and_are_left_to_their_rule(void **state)
{
    VERDICTS({"{dog{...A}}fragment A on Dog{mother{...A}}", "cannot spread itself", 1, 37});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_is_the_last_count_accepted),
        cmocka_unit_test(a_fragment_bomb_is_counted_without_being_run),
        cmocka_unit_test(nesting_through_fragments_is_bounded_without_limits),
        cmocka_unit_test(cycles_end_and_are_left_to_their_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
