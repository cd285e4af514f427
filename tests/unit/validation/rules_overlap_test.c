/* rules_overlap_test.c - fields of one response key can be merged (specification section 5.3.2). */
#include "base/buf.h"
#include "validation/verdict.h"

static void the_same_field_twice_is_one(void **state)
{
    VERDICTS({"{dog{name name}}", NULL, 0, 0}, {"{dog{n:name n:name}}", NULL, 0, 0},
             {"{dog{name}dog{nickname}}", NULL, 0, 0},
             {"{dog{doesKnow(command:SIT)doesKnow(command:SIT)}}", NULL, 0, 0},
             {"{dog{isAtLocation(x:1 y:2)isAtLocation(y:2 x:1)}}", NULL, 0, 0},
             {"{arguments{point(a:{x:1 y:2})point(a:{y:2 x:1})}}", NULL, 0, 0},
             {"query($a:Int){dog{isAtLocation(x:$a)isAtLocation(x:$a)}}", NULL, 0, 0},
             {"{dog{name @include(if:true)name @skip(if:true)}}", NULL, 0, 0},
             {"{dog{...F ...F ...{name}}}fragment F on Dog{name}", NULL, 0, 0});
}

static void different_fields_conflict(void **state)
{
    VERDICTS({"{dog{a:name\n a:nickname}}", "are different fields", 1, 6},
             {"{dog{name name:nickname}}", "are different fields", 1, 6},
             {"{dog{...F a:nickname}}fragment F on Dog{a:name}", "are different fields", 1, 41},
             {"{dog{...on Pet{a:name}...on Dog{a:nickname}}}", "are different fields", 1, 16},
             {"{dog{owner{a:name}}dog{owner{a:iq}}}", "return different types", 1, 12},
             {"{human{a:relatives{name}a:pets{name}}}", "return different types", 1, 8},
             {"{human{...F}human{...G}}fragment F on Human{a:name}fragment G on Human{...H}"
              "fragment H on Human{a:iq}",
              "return different types", 1, 45});
}

static void different_arguments_conflict(void **state)
{
    VERDICTS(
        {"{dog{doesKnow(command:SIT)doesKnow(command:HEEL)}}", "different arguments", 1, 6},
        {"{dog{doesKnow doesKnow(command:HEEL)}}", "different arguments", 1, 6},
        {"{dog{isAtLocation(x:1)isAtLocation(y:1)}}", "different arguments", 1, 6},
        {"query($a:Int,$b:Int){dog{isAtLocation(x:$a)isAtLocation(x:$b)}}", "different arguments",
         1, 26},
        {"{arguments{list(a:[\"x\"\"y\"])list(a:[\"y\"\"x\"])}}", "different arguments", 1, 12},
        {"{arguments{point(a:{x:1 y:2})point(a:{x:1 y:3})}}", "different arguments", 1, 12},
        {"{arguments{string(a:\"x\")string(a:\"\"\"x\"\"\")}}", "different arguments", 1, 12});
}

static void fields_of_different_objects_may_differ(void **state)
{
    VERDICTS({"{pet{...on Dog{a:nickname}...on Cat{a:name}}}", NULL, 0, 0},
             {"{pet{...on Dog{name(surname:true)}...on Cat{name}}}", NULL, 0, 0},
             {"{anyBox{...on IntBox{deep{a:plain}}...on StringBox{deep{a:plain}}}}", NULL, 0, 0},
             {"{pet{...on Dog{name}name(surname:true)}}", "different arguments", 1, 16},
             {"{box{...on IntBox{deep{a:plain}}...on StringBox{deep{a:only}}}}",
              "return different types", 1, 24});
}

static void types_have_one_shape_everywhere(void **state)
{
    VERDICTS(
        {"{box{...on IntBox{same}...on StringBox{same}}}", NULL, 0, 0},
        {"{box{...on IntBox{a:deep{plain}}...on StringBox{a:deep{plain}}}}", NULL, 0, 0},
        {"{box{...on IntBox{scalar}...on StringBox{scalar}}}", "return different types", 1, 19},
        {"{box{...on IntBox{only}...on StringBox{only}}}", "return different types", 1, 19},
        {"{box{...on IntBox{list}...on StringBox{list}}}", "return different types", 1, 19},
        {"{box{...on IntBox{a:lists{plain}}...on StringBox{a:deep{plain}}}}",
         "return different types", 1, 19},
        {"{box{...on IntBox{a:deep{plain}}...on StringBox{a:scalar}}}", "return different types", 1,
         19},
        {"{box{...on IntBox{deep{deep{a:scalar}}}...on StringBox{deep{deep{a:scalar}}}}}",
         "return different types", 1, 29});
}

static void a_conflict_names_both_places(void **state)
{
    const struct schema *schema = test_schema_new(test_schema_sdl);
    struct arena *a = arena_new(0);
    struct validate_input in = {.schema = schema,
                                .text = STR("{\n dog { a: name\n  a: nickname }\n}"),
                                .parse_limits = &verdict_parse_limits,
                                .limits = &verdict_limits};
    struct errors errs;

    (void)state;
    errors_init(&errs, a);
    assert_null(validate(&in, &errs));
    assert_int_equal(errs.first->nlocations, 2);
    assert_int_equal(errs.first->locations[0].line, 2);
    assert_int_equal(errs.first->locations[1].line, 3);
    assert_int_equal(errs.first->locations[1].column, 3);
    arena_free(a);
    schema_unref(schema);
}

/* k automatons, each of which remembers whether its step was "mother": 2^k merged sets. */
static void print_subset_construction(struct buf *b, int k)
{
    buf_append_lit(b, "{dog{");
    for (int i = 0; i < k; i++)
        buf_printf(b, "...F%d_0 ", i);
    buf_append_lit(b, "}}");
    for (int i = 0; i < k; i++) {
        for (int j = 0; j < k; j++) {
            buf_printf(b, "fragment F%d_%d on Dog{mother{...F%d_%d}", i, j, i, j + 1);
            if (i != j)
                buf_printf(b, "father{...F%d_%d}", i, j + 1);
            buf_append_lit(b, "}");
        }
        buf_printf(b, "fragment F%d_%d on Dog{name}", i, k);
    }
}

static void exponential_merging_is_refused(void **state)
{
    const struct schema *schema = test_schema_new(test_schema_sdl);
    struct arena *a = arena_new(0);
    struct validate_input in = {
        .schema = schema, .parse_limits = &verdict_parse_limits, .limits = &verdict_limits};
    struct errors errs;
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    print_subset_construction(&b, 24);
    in.text = buf_str(&b);
    errors_init(&errs, a);
    assert_null(validate(&in, &errs));
    assert_int_equal(errs.n, 1);
    assert_int_equal(errs.first->code, QUERY_TOO_COMPLEX);
    buf_fini(&b);
    arena_free(a);
    schema_unref(schema);
}

/* Twenty thousand fields of one key: pairs would be 2 * 10^8. */
static void one_key_many_times_is_compared_with_its_first_only(void **state)
{
    const struct schema *schema = test_schema_new(test_schema_sdl);
    struct buf b;
    struct verdict row = {.says = NULL};

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "{dog{");
    for (int i = 0; i < 20000; i++)
        buf_append_lit(&b, "name ");
    buf_append_lit(&b, "}}");
    row.document = buf_cstr(&b);
    verdict_check_one(schema, &row);
    buf_fini(&b);
    schema_unref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_field_twice_is_one),
        cmocka_unit_test(different_fields_conflict),
        cmocka_unit_test(different_arguments_conflict),
        cmocka_unit_test(fields_of_different_objects_may_differ),
        cmocka_unit_test(types_have_one_shape_everywhere),
        cmocka_unit_test(a_conflict_names_both_places),
        cmocka_unit_test(exponential_merging_is_refused),
        cmocka_unit_test(one_key_many_times_is_compared_with_its_first_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
