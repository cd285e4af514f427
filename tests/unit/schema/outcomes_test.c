/* outcomes_test.c - functions that return FraiseQL's composites, or what only looks like them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schema/document.h"

static struct arena *arena;
static bool partial;

/* Oids of types. */
#define BOOL  "16"
#define INT2  "21"
#define TEXT  "25"
#define TEXTS "1009"
#define UUID  "2950"
#define JSONB "3802"
#define CLASS "100"

/* Names and types of columns. */
#define RESULT                                                                                 \
    "id " UUID " updated_fields " TEXTS " status " TEXT " message " TEXT " object_data " JSONB \
    " extra_metadata " JSONB
#define RESPONSE(status_type)                                                      \
    "status " status_type " message " TEXT " entity_id " TEXT " entity_type " TEXT \
    " entity " JSONB " updated_fields " TEXTS " cascade " JSONB " metadata " JSONB
#define APP                                                                                        \
    "succeeded " BOOL " state_changed " BOOL " error_class " CLASS " status_detail " TEXT          \
    " http_status " INT2 " message " TEXT " entity_id " UUID " entity_type " TEXT " entity " JSONB \
    " updated_fields " TEXTS " cascade " JSONB " error_detail " JSONB " metadata " JSONB

#define BASE_TYPE(oid, name, more)                                                     \
    "{\"oid\":" oid ",\"schema\":\"pg_catalog\",\"name\":\"" name "\",\"kind\":\"b\"," \
    "\"sql\":\"" name "\",\"comparable\":true" more "}"

static void append_attributes(const char *columns, struct buf *out)
{
    struct str rest = str_of(columns), name, type;

    for (int num = 1; rest.len > 0; num++) {
        (void)str_cut(rest, ' ', &name, &rest);
        (void)str_cut(rest, ' ', &type, &rest);
        buf_printf(out, "%s{\"num\":%d,\"name\":\"%.*s\",\"type\":%.*s}", num > 1 ? "," : "", num,
                   STR_ARG(name), STR_ARG(type));
    }
}

/* One function "public.<name>" that returns a composite "<schema>.<type>" of these attributes. */
static struct schema *load(const char *type, const char *attributes, const char *name,
                           const char *more, const char *comment, struct errors *errs)
{
    static const char *const relation =
        "{\"oid\":1000,\"exposed\":true,\"kind\":\"r\",\"schema\":\"public\",\"name\":\"%s\","
        "\"sql\":"
        "\"public.%s\",\"owner\":10,\"readable\":true,\"columns\":[{\"num\":1,\"name\":\"id\","
        "\"type\":2950,\"notNull\":true,\"select\":true},{\"num\":2,\"name\":\"%s\",\"type\":25,"
        "\"notNull\":true,\"select\":true}],\"keys\":[{\"primary\":true,\"columns\":[%s]}]}";
    struct schema_options opt = schema_options_default();
    struct buf b;
    struct schema *s;

    buf_init(&b, 0);
    buf_append_lit(&b, "{\"role\":20,\"roleSql\":\"app\",\"version\":15,\"relations\":[");
    buf_printf(&b, relation, "tasks", "tasks", "title", "1");
    buf_append_lit(&b, "],\"functions\":[{\"oid\":2000,\"schema\":\"public\",\"name\":\"");
    buf_printf(&b, "%s\",\"sql\":\"f()\",\"volatility\":\"v\",\"returns\":101%s,\"comment\":", name,
               more);
    buf_printf(&b, "\"%s\"}],\"types\":[", comment);
    buf_append_lit(&b,
                   BASE_TYPE(UUID, "uuid", "") "," BASE_TYPE(TEXT, "text", "") "," BASE_TYPE(
                       TEXTS, "_text", ",\"element\":25") "," BASE_TYPE(JSONB, "jsonb", "") ",");
    buf_append_lit(&b, BASE_TYPE(BOOL, "bool", "") "," BASE_TYPE(INT2, "int2", "") ",");
    buf_append_lit(&b, "{\"oid\":100,\"schema\":\"app\",\"name\":\"mutation_error_class\",\"kind\":"
                       "\"e\",\"sql\":\"app.mutation_error_class\",\"labels\":[\"conflict\"]},");
    buf_printf(&b,
               "{\"oid\":101,\"schema\":\"app\",\"name\":\"%s\",\"kind\":\"c\",\"sql\":\"app.%s\","
               "\"attributes\":[",
               type, type);
    append_attributes(attributes, &b);
    buf_append_lit(&b, "]}]}");
    opt.partial = partial;
    errors_init(errs, arena);
    s = schema_from_catalog(buf_str(&b), &opt, errs);
    buf_fini(&b);
    return s;
}

static struct schema *load_well(const char *type, const char *attributes, const char *name,
                                const char *comment)
{
    struct errors errs;
    struct schema *s = load(type, attributes, name, "", comment, &errs);

    if (s == NULL)
        fail_msg("%.*s", STR_ARG(errs.first->message));
    return s;
}

static void composites_are_known_by_their_columns(void **state)
{
    static const struct {
        const char *type;
        const char *attributes;
        enum outcome_form form;
    } rows[] = {
        {"mutation_result",   RESULT,         OUTCOME_RESULT      },
        {"mutation_response", RESPONSE(TEXT), OUTCOME_RESPONSE    },
        {"mutation_response", APP,            OUTCOME_APP_RESPONSE},
        {"any_name",          RESULT,         OUTCOME_RESULT      },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct schema *s = load_well(rows[i].type, rows[i].attributes, "fn_create_task", "");
        const struct field *f = document_field(s, "Mutation", "createTask");

        assert_int_equal(f->function->result, FUNCTION_OUTCOME);
        assert_int_equal(f->function->outcome->form, rows[i].form);
        assert_string_equal(document_type_text(f->type, arena), "CreateTaskResult");
        assert_int_equal(f->type.type->kind, TYPE_UNION);
        assert_int_equal(f->type.type->npossible, 2);
        assert_true(str_is(f->function->outcome->entity->name, "tasks"));
        assert_int_equal(document_field(s, "CreateTaskSuccess", "cascade") != NULL,
                         rows[i].form != OUTCOME_RESULT);
        assert_string_equal(
            document_type_text(document_field(s, "CreateTaskError", "errors")->type, arena),
            "[MutationError!]!");
        schema_unref(s);
    }
}

static void what_is_named_so_and_is_not_is_refused(void **state)
{
    static const struct {
        const char *type;
        const char *attributes;
        const char *reason;
    } rows[] = {
        {"mutation_response", RESPONSE(UUID),            "\"status\" of type uuid, not text"},
        {"mutation_response", RESPONSE(TEXT) " x " TEXT, "has 9 columns, not 8"             },
        {"mutation_result",   "status " TEXT,            "no column \"id\""                 },
    };
    struct errors errs;
    struct schema *s;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        s = load(rows[i].type, rows[i].attributes, "fn_f", "", "", &errs);
        assert_non_null(s);
        assert_int_equal(s->nskipped, 1);
        if (memmem(s->skipped[0].reason.data, s->skipped[0].reason.len, rows[i].reason,
                   strlen(rows[i].reason)) == NULL)
            fail_msg("%.*s", STR_ARG(s->skipped[0].reason));
        schema_unref(s);
    }
    s = load("mutation_result", RESULT, "fn_f", ",\"set\":true", "", &errs);
    assert_int_equal(s->nskipped, 1);
    schema_unref(s);
}

static void comments_name_the_types(void **state)
{
    struct schema *s = load_well("mutation_result", RESULT, "fn_f",
                                 "@fraiseql:mutation\\nname: f\\nsuccess_type: Task\\n"
                                 "error_type: AnyError");
    const struct field *f = document_field(s, "Mutation", "f");

    (void)state;
    assert_true(str_is(f->function->outcome->entity->name, "tasks"));
    assert_true(str_is(f->function->outcome->success->name, "FSuccess"));
    assert_true(str_is(f->function->outcome->error->name, "AnyError"));
    assert_string_equal(document_type_text(document_field(s, "FSuccess", "task")->type, arena),
                        "Task");
    schema_unref(s);
    s = load_well("mutation_result", RESULT, "fn_f",
                  "@fraiseql:mutation\\nname: f\\nsuccess_type: DoneSuccess\\nerror_type: E");
    f = document_field(s, "Mutation", "f");
    assert_null(f->function->outcome->entity);
    assert_true(str_is(f->function->outcome->success->name, "DoneSuccess"));
    assert_string_equal(document_type_text(document_field(s, "DoneSuccess", "entity")->type, arena),
                        "JSON");
    schema_unref(s);
}

/* Of a role that may see less. */
static void an_entity_that_the_role_may_not_see_is_left_out(void **state)
{
    struct errors errs;
    struct schema *s;

    (void)state;
    partial = true;
    s = load("mutation_result", RESULT, "fn_f", "",
             "@fraiseql:mutation\\nname: f\\nsuccess_type: Contact\\nerror_type: E", &errs);
    partial = false;
    assert_non_null(s);
    assert_non_null(document_field(s, "FSuccess", "status"));
    assert_null(document_field(s, "FSuccess", "entity"));
    assert_null(document_field(s, "FSuccess", "contact"));
    schema_unref(s);
}

static void an_entity_that_is_not_exposed_is_an_error_at_its_place(void **state)
{
    struct errors errs;

    (void)state;
    assert_null(load("mutation_result", RESULT, "fn_f", "",
                     "@fraiseql:mutation\\nname: f\\nsuccess_type: Contact\\nerror_type: E",
                     &errs));
    assert_int_equal(errs.n, 1);
    assert_non_null(memmem(errs.first->message.data, errs.first->message.len, "\"Contact\"", 9));
    assert_int_equal(errs.first->nlocations, 1);
}

/* The first word is the verb; what follows has to be a type, or nothing is assumed. */
static void the_functions_name_may_tell_the_entity(void **state)
{
    static const struct {
        const char *name;
        const char *field;
        bool has_task;
    } rows[] = {
        {"fn_create_task",      "createTask",     true },
        {"archive_task",        "archiveTask",    true },
        {"fn_create_tasks",     "createTasks",    false},
        {"fn_task",             "task",           false},
        {"fn_bulk_create_task", "bulkCreateTask", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct schema *s = load_well("mutation_result", RESULT, rows[i].name, "");
        const struct field *f = document_field(s, "Mutation", rows[i].field);

        assert_int_equal(f->function->outcome->entity != NULL, rows[i].has_task);
        schema_unref(s);
    }
}

static int make_arena(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int drop_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(composites_are_known_by_their_columns),
        cmocka_unit_test(what_is_named_so_and_is_not_is_refused),
        cmocka_unit_test(comments_name_the_types),
        cmocka_unit_test(an_entity_that_the_role_may_not_see_is_left_out),
        cmocka_unit_test(an_entity_that_is_not_exposed_is_an_error_at_its_place),
        cmocka_unit_test(the_functions_name_may_tell_the_entity),
    };

    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
