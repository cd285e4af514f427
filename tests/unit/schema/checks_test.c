/* checks_test.c - what is no legal schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schema/build.h"

/* A schema of Query {f(x: In): S!}, input In {a: S}, scalar S, for one thing at a time to be
 * broken. */
struct world {
    struct arena *arena;
    struct type scalar, in, query, node, color;
    struct input_value arg, a;
    struct field f, g;
    const struct type *interfaces[1];
    const struct type *types[5];
    struct schema schema;
};

static void make_world(struct world *w)
{
    *w = (struct world){.arena = arena_new(0)};
    w->scalar = (struct type){.kind = TYPE_SCALAR, .name = STR("S")};
    w->a = (struct input_value){
        .name = STR("a"), .type = {&w->scalar, 0, 0}
    };
    w->in = (struct type){
        .kind = TYPE_INPUT_OBJECT, .name = STR("In"), .inputs = &w->a, .ninputs = 1, .index = 1};
    w->arg = (struct input_value){
        .name = STR("x"), .type = {&w->in, 0, 0}
    };
    w->f = (struct field){
        .name = STR("f"), .type = {&w->scalar, 0, 1},
             .arguments = &w->arg, .narguments = 1
    };
    w->query = (struct type){
        .kind = TYPE_OBJECT, .name = STR("Query"), .fields = &w->f, .nfields = 1, .index = 2};
    w->g = (struct field){
        .name = STR("f"), .type = {&w->scalar, 0, 0}
    };
    w->node = (struct type){
        .kind = TYPE_INTERFACE, .name = STR("Node"), .fields = &w->g, .nfields = 1, .index = 3};
    w->color = (struct type){.kind = TYPE_ENUM, .name = STR("Color"), .index = 4};
    w->interfaces[0] = &w->node;
    w->types[0] = &w->scalar;
    w->types[1] = &w->in;
    w->types[2] = &w->query;
    w->types[3] = &w->node;
    w->types[4] = &w->color;
    w->schema = (struct schema){.types = w->types, .ntypes = 4, .query = &w->query};
    names_init(&w->query.members, &w->f, 1, sizeof(w->f), w->arena);
    names_init_pointers(&w->schema.types_by_name, w->types, 5, w->arena);
}

static size_t count_errors(struct world *w)
{
    struct errors errs;
    size_t n;

    errors_init(&errs, w->arena);
    checks_run(&w->schema, &errs);
    n = errs.n;
    arena_free(w->arena);
    return n;
}

static void a_legal_schema_passes(void **state)
{
    struct world w;

    (void)state;
    make_world(&w);
    assert_int_equal(count_errors(&w), 0);
    make_world(&w);
    w.query.interfaces = w.interfaces;
    w.query.ninterfaces = 1;
    assert_int_equal(count_errors(&w), 0);
}

static void illegal_names_are_told(void **state)
{
    struct world w;

    (void)state;
    make_world(&w);
    w.in.name = STR("__In");
    assert_int_equal(count_errors(&w), 1);
    make_world(&w);
    w.f.name = STR("9");
    assert_int_equal(count_errors(&w), 1);
    make_world(&w);
    w.a.name = STR("a b");
    assert_int_equal(count_errors(&w), 1);
}

static void types_have_something_in_them(void **state)
{
    struct world w;

    (void)state;
    make_world(&w);
    w.query.nfields = 0;
    assert_int_equal(count_errors(&w), 1);
    make_world(&w);
    w.in.ninputs = 0;
    assert_int_equal(count_errors(&w), 1);
    make_world(&w);
    w.schema.ntypes = 5; /* Color has no values */
    assert_int_equal(count_errors(&w), 1);
}

static void fields_and_arguments_have_types_of_their_kind(void **state)
{
    struct world w;

    (void)state;
    make_world(&w);
    w.f.type.type = &w.in;
    assert_int_equal(count_errors(&w), 1);
    make_world(&w);
    w.arg.type.type = &w.query;
    assert_int_equal(count_errors(&w), 1);
    make_world(&w);
    w.a.deprecated = STR("x");
    assert_int_equal(count_errors(&w), 0);
    make_world(&w);
    w.a.deprecated = STR("x");
    w.a.type.non_null = 1;
    assert_int_equal(count_errors(&w), 1);
}

static void an_input_cannot_require_itself(void **state)
{
    struct world w;

    (void)state;
    make_world(&w);
    w.a.type = (struct type_ref){&w.in, 0, 1};
    assert_int_equal(count_errors(&w), 1);
    make_world(&w);
    w.a.type = (struct type_ref){&w.in, 1, 3};
    assert_int_equal(count_errors(&w), 0);
}

static void interfaces_are_implemented(void **state)
{
    struct world w;

    (void)state;
    make_world(&w);
    w.query.interfaces = w.interfaces;
    w.query.ninterfaces = 1;
    w.g.name = STR("other");
    assert_int_equal(count_errors(&w), 1);
    make_world(&w);
    w.query.interfaces = w.interfaces;
    w.query.ninterfaces = 1;
    w.g.type.non_null = 1;
    w.f.type.non_null = 0;
    assert_int_equal(count_errors(&w), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_legal_schema_passes),
        cmocka_unit_test(illegal_names_are_told),
        cmocka_unit_test(types_have_something_in_them),
        cmocka_unit_test(fields_and_arguments_have_types_of_their_kind),
        cmocka_unit_test(an_input_cannot_require_itself),
        cmocka_unit_test(interfaces_are_implemented),
    };

    return cmocka_run_group_tests_name("checks", tests, NULL, NULL);
}
