/* rules_values_test.c - literals (specification section 5.6). */
#include "validation/verdict.h"

static void literals_fit_their_scalars(void **state)
{
    VERDICTS(
        {"{arguments{int(a:1)float(a:1)string(a:\"x\")boolean(a:true)id(a:1)enum(a:BROWN)}}", NULL,
         0, 0},
        {"{arguments{int(a:null)float(a:1.5e3)string(a:\"\"\"x\"\"\")id(a:\"x\")}}", NULL, 0, 0},
        {"{arguments{int(a:\"1\")}}", "expected a value of type \"Int\", found \"1\"", 1, 18},
        {"{arguments{int(a:1.0)}}", "found 1.0", 1, 18},
        {"{arguments{int(a:2147483648)}}", "expected a value", 1, 18},
        {"{arguments{int(a:A)}}", "found A", 1, 18},
        {"{arguments{int(a:{b:1})}}", "found {b:1}", 1, 18},
        {"{arguments{float(a:\"1\")}}", "\"Float\"", 1, 20},
        {"{arguments{string(a:1)}}", "\"String\"", 1, 21},
        {"{arguments{boolean(a:1)}}", "\"Boolean\"", 1, 22},
        {"{arguments{id(a:1.5)}}", "\"ID\"", 1, 17},
        {"{arguments{enum(a:\"BROWN\")}}", "\"Colour\"", 1, 19},
        {"{arguments{enum(a:PINK)}}", "found PINK", 1, 19},
        {"{arguments{nonNull(a:null)}}", "\"Int!\", found null", 1, 22},
        {"query($a:Int=\"x\"){arguments{int(a:$a)}}", "\"Int\"", 1, 14},
        {"{dog @skip(if:1){name}}", "\"Boolean!\"", 1, 15});
}

static void custom_scalars_take_what_they_know(void **state)
{
    VERDICTS(
        {"{arguments{json(a:{a:[1\"x\"null true]})jsons(a:[{a:1}2])ltree(a:\"a.b\")}}", NULL, 0, 0},
        {"query($x:Int){arguments{json(a:{a:[{b:$x}]})}}", NULL, 0, 0},
        {"{arguments{ltree(a:{b:1})}}", "\"Ltree\"", 1, 20});
}

static void lists_take_items_and_single_values(void **state)
{
    VERDICTS({"{arguments{list(a:[\"x\"null])nonNullList(a:[])matrix(a:[[1]])}}", NULL, 0, 0},
             {"{arguments{list(a:\"x\")matrix(a:1)}}", NULL, 0, 0},
             {"{arguments{matrix(a:[1[2]])}}", NULL, 0, 0},
             {"{arguments{list(a:[\"x\"1])}}", "\"String\", found 1", 1, 23},
             {"{arguments{list(a:1)}}", "\"[String]\", found 1", 1, 19},
             {"{arguments{nonNullList(a:[null])}}", "\"String!\", found null", 1, 27},
             {"{arguments{matrix(a:[[null]])}}", "\"Int!\"", 1, 23},
             {"{arguments{list(a:[[\"x\"]])}}", "\"String\"", 1, 20},
             {"{arguments{int(a:[1])}}", "\"Int\", found [1]", 1, 18});
}

static void input_objects_have_their_fields(void **state)
{
    VERDICTS({"{arguments{complex(a:{required:true})point(a:{x:1,y:2,label:null})}}", NULL, 0, 0},
             {"{arguments{complex(a:{required:true,points:{x:1,y:2},list:[{required:false}]})}}",
              NULL, 0, 0},
             {"{arguments{complex(a:{required:true,huh:1})}}",
              "unknown field \"huh\" on input type \"Complex\"", 1, 37},
             {"{arguments{complex(a:{int:1})}}", "requires the field \"required\"", 1, 22},
             {"{arguments{complex(a:{required:true,int:\"x\"})}}", "\"Int\"", 1, 41},
             {"{arguments{complex(a:{required:true,nonNull:null})}}", "\"Boolean!\"", 1, 45},
             {"{arguments{complex(a:{required:true,nested:{}})}}", "requires the field", 1, 44},
             {"{arguments{complex(a:1)}}", "\"Complex\", found 1", 1, 22},
             {"{arguments{complex(a:[{required:true}])}}", "\"Complex\"", 1, 22});
}

static void input_fields_are_unique(void **state)
{
    VERDICTS({"{arguments{point(a:{x:1,y:2})}}", NULL, 0, 0},
             {"{arguments{point(a:{x:1,y:2,x:3})}}", "only one input field named \"x\"", 1, 21},
             {"{arguments{json(a:{x:[{y:1,y:2}]})}}", "only one input field", 1, 24});
}

static void one_of_objects_have_one_field(void **state)
{
    VERDICTS({"{arguments{one(a:{a:1})ones(a:[{b:\"x\"}{d:[1]}])}}", NULL, 0, 0},
             {"query($x:Int!){arguments{one(a:{a:$x})}}", NULL, 0, 0},
             {"{arguments{one(a:{})}}", "exactly one field", 1, 18},
             {"{arguments{one(a:{a:1,b:\"x\"})}}", "exactly one field", 1, 18},
             {"{arguments{one(a:{a:null})}}", "cannot be null", 1, 21},
             {"query($x:Int){arguments{one(a:{a:$x})}}", "must be non-null", 1, 7},
             {"query($x:Int=1){arguments{ones(a:[{a:$x}])}}", "must be non-null", 1, 7});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_fit_their_scalars),
        cmocka_unit_test(custom_scalars_take_what_they_know),
        cmocka_unit_test(lists_take_items_and_single_values),
        cmocka_unit_test(input_objects_have_their_fields),
        cmocka_unit_test(input_fields_are_unique),
        cmocka_unit_test(one_of_objects_have_one_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
