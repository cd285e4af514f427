/* validate_test.c - the driver: operations, their choice, their life, errors. */
#include "validation/verdict.h"

struct fixture {
    const struct schema *schema;
    struct arena *arena;
    struct errors errs;
    struct validate_input in;
    const struct operation *op;
};

static void setup(struct fixture *f, const char *document)
{
    *f = (struct fixture){.schema = test_schema_new(test_schema_sdl), .arena = arena_new(0)};
    errors_init(&f->errs, f->arena);
    f->in = (struct validate_input){.schema = f->schema,
                                    .text = str_of(document),
                                    .parse_limits = &verdict_parse_limits,
                                    .limits = &verdict_limits};
}

static void teardown(struct fixture *f)
{
    operation_unref(f->op);
    arena_free(f->arena);
    schema_unref(f->schema);
}

static void an_operation_is_chosen_by_name(void **state)
{
    static const struct {
        const char *document, *name;
        bool found;
    } rows[] = {
        {"{hello}",                      "",  true },
        {"query A{hello}",               "",  true },
        {"query A{hello}",               "A", true },
        {"query A{hello}",               "B", false},
        {"{hello}",                      "A", false},
        {"query A{hello}query B{hello}", "B", true },
        {"query A{hello}query B{hello}", "",  false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f;

        setup(&f, rows[i].document);
        f.in.operation_name = str_of(rows[i].name);
        f.op = validate(&f.in, &f.errs);
        assert_int_equal(f.op != NULL, rows[i].found);
        if (f.op) {
            assert_true(rows[i].name[0] == '\0' || str_is(f.op->ast->name, rows[i].name));
        } else {
            assert_int_equal(f.errs.n, 1);
            assert_int_equal(f.errs.first->code, OPERATION_RESOLUTION_FAILURE);
        }
        teardown(&f);
    }
}

static void a_document_without_operation_has_none_to_choose(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, "fragment F on Query{hello}");
    assert_null(validate(&f.in, &f.errs));
    assert_int_equal(f.errs.first->code, GRAPHQL_VALIDATION_FAILED);
    teardown(&f);
}

static void an_operation_says_what_the_planner_needs(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, "mutation M(\n $id: ID!, $p: [[Point!]!] = [])"
              "{rename(id:$id){name} x:setPoint(point:{x:1 y:2 label:\"a\"})@tag(name:\"b\") "
              "y:setPoint(point:{x:1 y:2}) rename(id:$id){query{arguments{complex(a:{required:true "
              "points:$p})}}}}");
    f.op = validate(&f.in, &f.errs);
    assert_non_null(f.op);
    assert_int_equal(f.op->kind, AST_MUTATION);
    assert_ptr_equal(f.op->root, f.schema->mutation);
    assert_ptr_equal(f.op->schema, f.schema);
    assert_true(f.op->id > 0);
    assert_true(operation_size(f.op) > f.in.text.len);
    assert_int_equal(f.op->nvariables, 2);
    assert_true(str_eq(f.op->variables[0].name, STR("id")));
    assert_int_equal(f.op->variables[0].at.line, 2);
    assert_int_equal(f.op->variables[0].at.column, 2);
    assert_int_equal(f.op->variables[1].type.nlists, 2);
    assert_int_equal(f.op->variables[1].type.non_null, 6);
    assert_ptr_equal(f.op->variables[1].type.type, schema_type(f.schema, STR("Point")));
    assert_non_null(f.op->variables[1].default_value);
    assert_int_equal(operation_variable_find(f.op, STR("p")), 1);
    assert_int_equal(operation_variable_find(f.op, STR("q")), -1);
    teardown(&f);
}

static void an_operation_owns_its_text_and_retains_its_schema(void **state)
{
    char text[] = "query A{hello}";
    struct fixture f;
    const struct operation *again;

    (void)state;
    setup(&f, text);
    f.op = validate(&f.in, &f.errs);
    memset(text, 'x', sizeof(text) - 1);
    schema_unref(f.schema);
    again = operation_ref(f.op);
    operation_unref(f.op);
    assert_true(str_eq(again->ast->name, STR("A")));
    assert_true(str_eq(again->schema->query->name, STR("Query")));
    f.schema = NULL;
    f.op = again;
    teardown(&f);
}

static void two_operations_have_two_numbers(void **state)
{
    struct fixture f;
    const struct operation *other;

    (void)state;
    setup(&f, "{hello}");
    f.op = validate(&f.in, &f.errs);
    other = validate(&f.in, &f.errs);
    assert_int_not_equal(f.op->id, other->id);
    operation_unref(other);
    teardown(&f);
}

static void a_syntax_error_ends_it(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, "{hello");
    assert_null(validate(&f.in, &f.errs));
    assert_int_equal(f.errs.n, 1);
    assert_int_equal(f.errs.first->code, GRAPHQL_PARSE_FAILED);
    teardown(&f);
}

static void a_document_that_is_too_long_is_refused_unread(void **state)
{
    static const struct parse_limits short_documents = {.max_bytes = 4};
    struct fixture f;

    (void)state;
    setup(&f, "}}}}}");
    f.in.parse_limits = &short_documents;
    assert_null(validate(&f.in, &f.errs));
    assert_int_equal(f.errs.first->code, QUERY_TOO_COMPLEX);
    teardown(&f);
}

static void validation_stops_at_the_limit_of_errors(void **state)
{
    static const struct validate_limits three = {.max_errors = 3};
    struct fixture f;

    (void)state;
    setup(&f, "{a b c d e f}");
    f.in.limits = &three;
    assert_null(validate(&f.in, &f.errs));
    assert_int_equal(f.errs.n, 3);
    teardown(&f);
}

static void suggestions_are_made_only_when_asked_for(void **state)
{
    static const struct {
        const char *document, *suggestion;
    } rows[] = {
        {"{helo}",                                     "did you mean \"hello\"?"  },
        {"{dog{doesKnow(comand:SIT)}}",                "did you mean \"command\"?"},
        {"{dog{doesKnow(command:HEAL)}}",              "did you mean \"HEEL\"?"   },
        {"{arguments{point(a:{x:1 y:1 labl:\"\"})}}",  "did you mean \"label\"?"  },
        {"{dog{...on Dig{name}}}",                     "did you mean \"Dog\"?"    },
        {"query($a:Complx){arguments{complex(a:$a)}}", "did you mean \"Complex\"?"},
        {"{qqqqqqqqqqqq}",                             NULL                       },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int asked = 0; asked < 2; asked++) {
            struct fixture f;
            const char *message;

            setup(&f, rows[i].document);
            f.in.suggestions = asked;
            assert_null(validate(&f.in, &f.errs));
            message = arena_dup(f.arena, f.errs.first->message).data;
            if (asked && rows[i].suggestion)
                assert_non_null(strstr(message, rows[i].suggestion));
            else
                assert_null(strstr(message, "did you mean"));
            teardown(&f);
        }
    }
}

static void long_literals_are_cut_in_messages(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, "{arguments{int(a:"
              "\"aé€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€\")}}");
    assert_null(validate(&f.in, &f.errs));
    assert_true(f.errs.first->message.len < 160);
    assert_true(str_is_utf8(f.errs.first->message));
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_is_chosen_by_name),
        cmocka_unit_test(a_document_without_operation_has_none_to_choose),
        cmocka_unit_test(an_operation_says_what_the_planner_needs),
        cmocka_unit_test(an_operation_owns_its_text_and_retains_its_schema),
        cmocka_unit_test(two_operations_have_two_numbers),
        cmocka_unit_test(a_syntax_error_ends_it),
        cmocka_unit_test(a_document_that_is_too_long_is_refused_unread),
        cmocka_unit_test(validation_stops_at_the_limit_of_errors),
        cmocka_unit_test(suggestions_are_made_only_when_asked_for),
        cmocka_unit_test(long_literals_are_cut_in_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
