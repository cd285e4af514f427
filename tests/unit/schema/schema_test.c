/* schema_test.c - look-ups, references, publication, and the printer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "language/parser.h"
#include "schema/document.h"
#include "schema/sdlprint.h"

static void a_type_reference_prints_its_wrappers(void **state)
{
    static const struct type t = {.name = STR_INIT("T")};
    /* lists, non-null bits, text */
    static const struct {
        uint8_t nlists;
        uint16_t non_null;
        const char *text;
    } rows[] = {
        {0, 0, "T"      },
        {0, 1, "T!"     },
        {1, 0, "[T]"    },
        {1, 1, "[T]!"   },
        {1, 2, "[T!]"   },
        {1, 3, "[T!]!"  },
        {2, 6, "[[T!]!]"},
        {2, 5, "[[T!]]!"},
    };
    struct arena *a = arena_new(0);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(
            document_type_text((struct type_ref){&t, rows[i].nlists, rows[i].non_null}, a),
            rows[i].text);
    arena_free(a);
}

static void the_slot_hands_out_references(void **state)
{
    struct schema_slot *slot = schema_slot_new(2);
    struct arena *a = arena_new(0);
    struct errors errs;
    struct schema *first = document_schema_of_file("demo.json", a, &errs);
    struct schema *second = document_schema_of_file("demo.json", a, &errs);
    const struct schema *shared[] = {first, schema_ref(first)}, *own[] = {second, first};
    const struct schema *held;

    (void)state;
    assert_null(schema_current(slot, 0));
    assert_true(second->version > first->version);
    schema_publish(slot, shared);
    held = schema_current(slot, 0);
    assert_ptr_equal(held, first);
    /* Of two roles, one of which keeps what it had. */
    own[1] = schema_current(slot, 1);
    assert_ptr_equal(own[1], first);
    schema_publish(slot, own);
    schema_unref(held);
    held = schema_current(slot, 1);
    assert_ptr_equal(held, first);
    own[0] = schema_current(slot, 0);
    own[1] = schema_ref(own[0]);
    assert_ptr_equal(own[0], second);
    schema_publish(slot, own);
    /* Still whole, though no longer current. */
    assert_non_null(schema_type(held, STR("Project")));
    schema_unref(held);
    held = schema_current(slot, 1);
    assert_ptr_equal(held, second);
    schema_slot_free(slot);
    assert_non_null(schema_type(held, STR("Project")));
    schema_unref(held);
    schema_unref(NULL);
    schema_slot_free(NULL);
    arena_free(a);
}

static void types_are_dense_and_found(void **state)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    struct schema *s = document_schema_of_file("fixture.json", a, &errs);
    size_t i;

    (void)state;
    assert_ptr_equal(s->types[0], s->query);
    for (i = 0; i < s->ntypes; i++) {
        assert_int_equal(s->types[i]->index, i);
        assert_ptr_equal(schema_type(s, s->types[i]->name), s->types[i]);
    }
    assert_true(schema_is_possible(s->query, s->query));
    assert_false(schema_is_possible(s->query, schema_type(s, STR("Company"))));
    schema_unref(s);
    arena_free(a);
}

static struct str print_file(const char *name, struct arena *a)
{
    struct errors errs;
    struct schema *s = document_schema_of_file(name, a, &errs);
    struct buf b;
    struct str text;

    assert_non_null(s);
    buf_init(&b, 0);
    schema_print(s, &b);
    text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    schema_unref(s);
    return text;
}

static void what_is_printed_parses_and_is_stable(void **state)
{
    static const char *const files[] = {"demo.json", "fixture.json"};
    static const struct parse_limits limits = {10000000, 1000000, 100};
    const struct ast_document *d;
    struct errors errs;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(files); i++) {
        struct arena *a = arena_new(0);
        struct str text = print_file(files[i], a);

        errors_init(&errs, a);
        if (!parser_parse_schema(text, &limits, a, &d, &errs))
            fail_msg("%s: %.*s", files[i], STR_ARG(errs.first->message));
        assert_true(str_eq(text, print_file(files[i], a)));
        arena_free(a);
    }
}

static void print_one(const char *description, const char *reason, const char *expected)
{
    struct arena *a = arena_new(0);
    struct type string = {.kind = TYPE_SCALAR, .name = STR_INIT("Text")};
    struct field f = {
        .name = STR_INIT("f"), .type = {&string, 0, 1}
    };
    struct type query = {
        .kind = TYPE_OBJECT, .name = STR_INIT("Query"), .fields = &f, .nfields = 1};
    const struct type *types[] = {&query};
    struct schema s = {.types = types, .ntypes = 1, .query = &query};
    struct buf b;

    f.description = str_of(description);
    f.deprecated = str_of(reason);
    names_init_pointers(&s.types_by_name, types, 1, a);
    buf_init(&b, 0);
    schema_print(&s, &b);
    if (!str_is(buf_str(&b), expected))
        fail_msg("got %.*s", STR_ARG(buf_str(&b)));
    buf_fini(&b);
    arena_free(a);
}

static void descriptions_survive(void **state)
{
    (void)state;
    print_one(NULL, NULL, "type Query {\n  f: Text!\n}\n");
    print_one("One line.", NULL, "type Query {\n  \"\"\"One line.\"\"\"\n  f: Text!\n}\n");
    print_one("a\n\n  b", NULL, "type Query {\n  \"\"\"\n  a\n\n    b\n  \"\"\"\n  f: Text!\n}\n");
    print_one("with \"\"\" in it", NULL,
              "type Query {\n  \"\"\"with \\\"\"\" in it\"\"\"\n  f: Text!\n}\n");
    print_one("ends in \"", NULL,
              "type Query {\n  \"\"\"\n  ends in \"\n  \"\"\"\n  f: Text!\n}\n");
    print_one(" indented", NULL, "type Query {\n  \" indented\"\n  f: Text!\n}\n");
    print_one("bell \a", NULL, "type Query {\n  \"bell \\u0007\"\n  f: Text!\n}\n");
    print_one(NULL, "use \"g\"",
              "type Query {\n  f: Text! @deprecated(reason: \"use \\\"g\\\"\")\n}\n");
    print_one(NULL, "No longer supported", "type Query {\n  f: Text! @deprecated\n}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_type_reference_prints_its_wrappers),
        cmocka_unit_test(the_slot_hands_out_references),
        cmocka_unit_test(types_are_dense_and_found),
        cmocka_unit_test(what_is_printed_parses_and_is_stable),
        cmocka_unit_test(descriptions_survive),
    };

    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
