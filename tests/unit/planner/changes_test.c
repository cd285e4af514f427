/*
 * changes_test.c - which changes of rows are offered, and with which inputs; see
 * tests/plan/changes.sql.
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

static const struct type *type_named(const char *name)
{
    const struct type *t = schema_type(f.schema, str_of(name));

    if (t == NULL)
        fail_msg("there is no type %s", name);
    return t;
}

static const struct relation *relation_of(const char *type)
{
    return type_named(type)->relation;
}

static struct str type_text(struct type_ref r)
{
    struct buf b;
    struct str text;

    buf_init(&b, 0);
    type_ref_print(r, &b);
    text = arena_dup(f.arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

/* "name: Type" of each, with blanks between. */
static struct str inputs_text(const struct input_value *inputs, size_t n)
{
    struct str text = STR("");

    for (size_t i = 0; i < n; i++)
        text = arena_printf(f.arena, "%.*s%s%.*s: %.*s", STR_ARG(text), i > 0 ? " " : "",
                            STR_ARG(inputs[i].name), STR_ARG(type_text(inputs[i].type)));
    return text;
}

static void a_role_is_offered_what_it_may(void **state)
{
    static const struct {
        const char *type;
        unsigned changes;
    } rows[] = {
        {"Membership", CHANGE_INSERT | CHANGE_UPDATE | CHANGE_DELETE | CHANGE_UPSERT},
        {"User",       CHANGE_INSERT | CHANGE_UPDATE | CHANGE_DELETE | CHANGE_UPSERT},
        {"Project",    CHANGE_INSERT | CHANGE_UPDATE | CHANGE_DELETE | CHANGE_UPSERT},
        {"Comment",    0                                                            },
        {"Tenant",     0                                                            },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (relation_of(rows[i].type)->changes != rows[i].changes)
            fail_msg("%s: %u", rows[i].type, relation_of(rows[i].type)->changes);
    assert_null(schema_type(f.schema, STR("CommentInsertInput")));
    assert_null(schema_type(f.schema, STR("CommentMutationPayload")));
}

static void inputs_have_what_can_be_written(void **state)
{
    static const struct {
        const char *type;
        const char *inputs;
    } rows[] = {
  /* What may be referred to could come with the row, so that it is not required. */
        {"MembershipInsertInput",     "userId: ID groupOf: ID! since: Date user: UserInsertInput"},
        {"MembershipUpdateInput",     "since: Date"                                              },
        {"MembershipOnConflictInput", "key: MembershipKey update: [MembershipUpdateField!]"      },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct type *t = type_named(rows[i].type);

        assert_string_equal(inputs_text(t->inputs, t->ninputs).data, rows[i].inputs);
        assert_int_equal(t->is_row, i < 2);
    }
    assert_non_null(schema_input(type_named("UserInsertInput"), STR("memberships")));
    assert_null(schema_input(type_named("UserInsertInput"), STR("firstName")));
}

static void a_tenant_is_filled_in_where_nothing_else_is(void **state)
{
    const struct relation *users = relation_of("User"), *projects = relation_of("Project");

    (void)state;
    assert_true(users->tenant_column->is_tenant);
    assert_false(users->tenant_column->needed);
    /* It has a default. */
    assert_false(projects->tenant_column->is_tenant);
    assert_false(projects->tenant_column->needed);
}

static void mutations_have_their_arguments(void **state)
{
    static const struct {
        const char *name, *arguments, *type;
    } rows[] = {
        {"insertMembership",  "input: MembershipInsertInput!",                                       "Membership"                },
        {"insertMemberships", "input: [MembershipInsertInput!]! atMost: Int",
         "MembershipMutationPayload!"                                                                                            },
        {"updateMembership",  "userId: ID! groupOf: ID! input: MembershipUpdateInput!",
         "Membership"                                                                                                            },
        {"updateMemberships",
         "where: MembershipWhereInput! atMost: Int input: MembershipUpdateInput!",                   "MembershipMutationPayload!"},
        {"upsertMembership",  "input: MembershipInsertInput! onConflict: MembershipOnConflictInput",
         "Membership"                                                                                                            },
        {"upsertMemberships",
         "input: [MembershipInsertInput!]! atMost: Int onConflict: MembershipOnConflictInput",       "MembershipMutationPayload!"},
        {"deleteMembership",  "userId: ID! groupOf: ID!",                                            "Membership"                },
        {"deleteMemberships", "where: MembershipWhereInput! atMost: Int",
         "MembershipMutationPayload!"                                                                                            },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct field *m = schema_field(f.schema, f.schema->mutation, str_of(rows[i].name));

        if (m == NULL)
            fail_msg("there is no mutation %s", rows[i].name);
        assert_string_equal(inputs_text(m->arguments, m->narguments).data, rows[i].arguments);
        assert_string_equal(type_text(m->type).data, rows[i].type);
    }
}

static void keys_can_be_named_that_on_conflict_can(void **state)
{
    const struct type *users = type_named("UserKey"), *memberships = type_named("MembershipKey");

    (void)state;
    assert_int_equal(users->nvalues, 2);
    assert_true(str_is(users->values[0].name, "id"));
    assert_true(str_is(users->values[1].name, "tenantId_email"));
    /* Not the deferrable one. */
    assert_int_equal(memberships->nvalues, 1);
    assert_true(str_is(memberships->values[0].name, "userId_groupOf"));
}

/* documents with a variable, two values of it, and whether they share a plan */
static const struct {
    const char *document, *a, *b;
    bool same;
} skeletons[] = {
    {"insertUsers(input: $v)", "[{\"name\":\"a\",\"email\":\"b\"}]",
     "[{\"name\":\"a\",\"email\":\"b\"},{\"email\":\"c\",\"name\":\"d\"}]",                                                                                                    true },
    {"insertUsers(input: $v)",
     "[{\"name\":\"a\",\"email\":\"b\",\"active\":true,\"role\":\"admin\"}]",                        "[{\"name\":\"a\",\"email\":\"b\",\"active\":null,\"role\":\"member\"}]", true },
    {"insertUsers(input: $v)", "[{\"name\":\"a\",\"email\":\"b\"}]",
     "[{\"name\":\"a\",\"email\":\"b\",\"active\":null}]",                                                                                                                     false},
    {"insertUsers(input: $v)", "[]",                                                                 "[{\"name\":\"a\",\"email\":\"b\"}]",                                     false},
 /* Of different fields, or with rows in them, they are taken one by one. */
    {"insertUsers(input: $v)",
     "[{\"name\":\"a\",\"email\":\"b\"},{\"name\":\"a\",\"email\":\"b\",\"active\":true}]",          "[{\"name\":\"a\",\"email\":\"b\"},{\"name\":\"a\",\"email\":\"b\"}]",    false},
    {"insertUsers(input: $v)", "[{\"name\":\"a\",\"email\":\"b\",\"projects\":[]}]",
     "[{\"name\":\"a\",\"email\":\"b\",\"projects\":[]},{\"name\":\"a\",\"email\":\"b\","
     "\"projects\":[]}]",                                                                                                                                                      false},
    {"insertUsers(input: $v)", "[{\"name\":\"a\",\"email\":\"b\",\"projects\":[{\"name\":\"p\"}]}]",
     "[{\"name\":\"a\",\"email\":\"b\",\"projects\":[{\"name\":\"p\"},{\"name\":\"p\"}]}]",                                                                                    false},
};

static void rows_of_a_list_share_a_plan_by_their_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(skeletons); i++) {
        struct str document =
            arena_printf(f.arena, "mutation ($v: [UserInsertInput!]!) { %s { affectedCount } }",
                         skeletons[i].document);
        struct compiled a, b;

        fixture_compile(&f, document, arena_printf(f.arena, "{\"v\":%s}", skeletons[i].a), &a);
        assert_non_null(a.plan);
        fixture_compile(&f, document, arena_printf(f.arena, "{\"v\":%s}", skeletons[i].b), &b);
        assert_non_null(b.plan);
        if ((memcmp(&a.skeleton, &b.skeleton, sizeof a.skeleton) == 0) != skeletons[i].same)
            fail_msg("%s, %s", skeletons[i].a, skeletons[i].b);
        compiled_fini(&a);
        compiled_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_is_offered_what_it_may),
        cmocka_unit_test(inputs_have_what_can_be_written),
        cmocka_unit_test(a_tenant_is_filled_in_where_nothing_else_is),
        cmocka_unit_test(mutations_have_their_arguments),
        cmocka_unit_test(keys_can_be_named_that_on_conflict_can),
        cmocka_unit_test(rows_of_a_list_share_a_plan_by_their_fields),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
