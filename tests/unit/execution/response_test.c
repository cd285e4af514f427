/*
 * response_test.c - rows and shapes become "data"; nulls go where the specification says.
 *
 * The results are made here: a row of C strings, NULL for null, or bytes of records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "execution/response.h"

#define MAX_CELLS 8

/* In place of pg/'s. */
struct pgrows {
    size_t nrows;
    size_t ncolumns;
    struct pgvalue cells[MAX_CELLS][MAX_CELLS];
};

size_t pgrows_count(const struct pgrows *r)
{
    return r->nrows;
}

size_t pgrows_columns(const struct pgrows *r)
{
    return r->ncolumns;
}

void pgrows_row(const struct pgrows *r, size_t row, struct pgvalue *out)
{
    memcpy(out, r->cells[row], r->ncolumns * sizeof *out);
}

static struct pgvalue text(const char *s)
{
    return (struct pgvalue){s, s != NULL ? (int32_t)strlen(s) : -1};
}

/* --- bytes of records ------------------------------------------------------------------- */

static void put_i32(struct buf *b, int32_t v)
{
    unsigned char bytes[4] = {(unsigned char)((uint32_t)v >> 24), (unsigned char)(v >> 16),
                              (unsigned char)(v >> 8), (unsigned char)v};

    buf_append(b, bytes, 4);
}

static void put_value(struct buf *b, struct pgvalue v)
{
    put_i32(b, v.len);
    if (v.len > 0)
        buf_append(b, v.data, (size_t)v.len);
}

static struct pgvalue keep(struct arena *a, struct buf *b)
{
    struct pgvalue v = {arena_copy(a, b->data, b->len), (int32_t)b->len};

    buf_fini(b);
    return v;
}

static struct pgvalue record(struct arena *a, size_t n, const struct pgvalue *values)
{
    struct buf b;

    buf_init(&b, 0);
    put_i32(&b, (int32_t)n);
    for (size_t i = 0; i < n; i++) {
        put_i32(&b, 25);
        put_value(&b, values[i]);
    }
    return keep(a, &b);
}

static struct pgvalue array(struct arena *a, size_t n, const struct pgvalue *values)
{
    struct buf b;

    buf_init(&b, 0);
    put_i32(&b, n > 0);
    put_i32(&b, 0);
    put_i32(&b, 2249);
    if (n > 0) {
        put_i32(&b, (int32_t)n);
        put_i32(&b, 1);
    }
    for (size_t i = 0; i < n; i++)
        put_value(&b, values[i]);
    return keep(a, &b);
}

/* --- plans ---------------------------------------------------------------------------------- */

static const struct codec text_codec = {.kind = CODEC_TEXT};
static const struct codec int4_codec = {.kind = CODEC_INT4};
static const struct codec texts_codec = {.kind = CODEC_ARRAY, .element = &text_codec};

/* A key is read in chunks. */
#define ROOM "................................"
#define KEY(text)                                  \
    {                                              \
        .data = text ROOM, .len = sizeof(text) - 1 \
    }
#define FIELD(name) .key = STR_INIT(name), .key_json = KEY(",\"" name "\":")

static const struct ast_document document = {.source = STR_INIT("{\n  projects { name }\n}")};
static const struct operation operation = {.document = &document};

struct fixture {
    struct arena *arena;
    struct plan plan;
    struct shape root;
    struct plan_step steps[2];
    struct pgrows rows; /* of the first step */
    struct pgrows more; /* of the second, if there is one */
    struct buf out;
    struct errors errs;
};

static void setup(struct fixture *f, const struct shape_field *fields, size_t nfields)
{
    memset(f, 0, sizeof *f);
    f->arena = arena_new(0);
    f->root = (struct shape){.fields = fields, .nfields = nfields, .presence = -1};
    f->plan.operation = &operation;
    f->plan.root = &f->root;
    f->plan.max_open_columns = 16;
    buf_init(&f->out, 0);
    errors_init(&f->errs, f->arena);
}

static void teardown(struct fixture *f)
{
    buf_fini(&f->out);
    arena_free(f->arena);
}

/* The steps that the shape reads: one, unless the test made its own. */
static void make_step(struct fixture *f)
{
    size_t n = f->root.ncolumns;

    for (size_t i = 0; n == 0 && i < f->root.nfields; i++)
        if (f->root.fields[i].object != NULL)
            n = f->root.fields[i].object->ncolumns;
    f->plan.steps = f->steps;
    if (f->plan.nsteps > 0 || n == 0)
        return;
    f->plan.nsteps = 1;
    f->steps[0] = (struct plan_step){.ncolumns = n, .one_row = f->root.ncolumns > 0};
}

static bool run(struct fixture *f)
{
    const struct pgcall calls[] = {{.rows = &f->rows}, {.rows = &f->more}};

    make_step(f);
    return response_data(&f->plan, NULL, calls, false, &f->out, &f->errs);
}

static void expect(struct fixture *f, const char *data)
{
    buf_clear(&f->out);
    assert_true(run(f));
    assert_string_equal(buf_cstr(&f->out), data);
}

static void expect_path(const struct error *e, const char *path)
{
    struct errors one = {.first = NULL};
    struct error copy = *e;
    struct buf b;

    copy.next = NULL;
    one.first = &copy;
    buf_init(&b, 0);
    response_errors_member(&one, STR(""), false, &b);
    if (strstr(buf_cstr(&b), path) == NULL)
        fail_msg("%s is not in %s", path, buf_cstr(&b));
    buf_fini(&b);
}

/* --- lists and objects of the result's rows -------------------------------------------------- */

static const struct shape_field name_fields[] = {
    {FIELD("name"), .kind = SHAPE_VALUE, .codec = &text_codec, .column = 0},
    {FIELD("status"),             .kind = SHAPE_VALUE,                  .codec = &text_codec,       .column = 1, .non_null = true},
    {FIELD("__typename"),  .kind = SHAPE_TYPENAME,     .text = STR_INIT("Project")                  },
};
static const struct shape name_shape = {
    .fields = name_fields, .nfields = 3, .ncolumns = 2, .presence = -1};

static void a_list_of_rows(void **state)
{
    static const struct shape_field root[] = {
        {FIELD("projects"),      .kind = SHAPE_ROWS, .object = &name_shape, .non_null = true,
         .items_non_null = true},
        {FIELD("__typename"), .kind = SHAPE_TYPENAME,                   .text = STR_INIT("Query")                     },
    };
    struct fixture f;

    (void)state;
    setup(&f, root, 2);
    f.rows.ncolumns = 2;
    expect(&f, "{\"data\":{\"projects\":[],\"__typename\":\"Query\"}}");
    f.rows.nrows = 2;
    f.rows.cells[0][0] = text("A \"quoted\"");
    f.rows.cells[0][1] = text("ACTIVE");
    f.rows.cells[1][0] = text(NULL);
    f.rows.cells[1][1] = text("");
    expect(&f, "{\"data\":{\"projects\":["
               "{\"name\":\"A \\\"quoted\\\"\",\"status\":\"ACTIVE\",\"__typename\":\"Project\"},"
               "{\"name\":null,\"status\":\"\",\"__typename\":\"Project\"}],"
               "\"__typename\":\"Query\"}}");
    assert_int_equal(f.errs.n, 0);
    teardown(&f);
}

/* Specification section 6.4.4. */
static void null_in_a_non_null_field_goes_to_the_nearest_nullable_parent(void **state)
{
    static const struct {
        bool list_non_null;
        bool items_non_null;
        const char *data;
    } table[] = {
        {false, false,
         "{\"data\":{\"p\":[null,{\"name\":\"b\",\"status\":\"x\",\"__typename\":\"Project\"}]}}"},
        {true,  false,
         "{\"data\":{\"p\":[null,{\"name\":\"b\",\"status\":\"x\",\"__typename\":\"Project\"}]}}"},
        {false, true,  "{\"data\":{\"p\":null}}"                                                 },
        {true,  true,  "{\"data\":null}"                                                         },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct shape_field root[] = {
            {FIELD("p"), .kind = SHAPE_ROWS, .object = &name_shape,
             .non_null = table[i].list_non_null, .items_non_null = table[i].items_non_null},
        };
        struct fixture f;

        setup(&f, root, 1);
        f.rows.ncolumns = 2;
        f.rows.nrows = 2;
        f.rows.cells[0][0] = text("a");
        f.rows.cells[0][1] = text(NULL);
        f.rows.cells[1][0] = text("b");
        f.rows.cells[1][1] = text("x");
        expect(&f, table[i].data);
        assert_int_equal(f.errs.n, 1); /* once, where it began */
        expect_path(f.errs.first, "\"path\":[\"p\",0,\"status\"]");
        teardown(&f);
    }
}

static void an_object_by_key(void **state)
{
    struct shape_field root[] = {
        {FIELD("project"), .kind = SHAPE_ROW, .object = &name_shape},
    };
    struct fixture f;

    (void)state;
    setup(&f, root, 1);
    f.rows.ncolumns = 2;
    expect(&f, "{\"data\":{\"project\":null}}");
    assert_int_equal(f.errs.n, 0);
    f.rows.nrows = 1;
    f.rows.cells[0][0] = text("a");
    f.rows.cells[0][1] = text("b");
    expect(&f, "{\"data\":{\"project\":{\"name\":\"a\",\"status\":\"b\","
               "\"__typename\":\"Project\"}}}");
    f.rows.cells[0][1] = text(NULL);
    expect(&f, "{\"data\":{\"project\":null}}");
    assert_int_equal(f.errs.n, 1);
    root[0].non_null = true;
    f.rows.nrows = 0;
    expect(&f, "{\"data\":null}");
    expect_path(f.errs.last, "\"path\":[\"project\"]");
    teardown(&f);
}

/* --- to-one objects -------------------------------------------------------------------------- */

static void a_joined_object_is_null_when_its_row_is_not_there(void **state)
{
    static const struct shape_field owner_fields[] = {
        {FIELD("name"), .kind = SHAPE_VALUE, .codec = &text_codec, .column = 1, .non_null = true},
    };
    static const struct shape owner = {
        .fields = owner_fields, .nfields = 1, .ncolumns = 3, .presence = 2};
    struct shape_field fields[] = {
        {FIELD("id"), .kind = SHAPE_VALUE, .codec = &text_codec, .column = 0},
        {FIELD("owner"),           .kind = SHAPE_OBJECT,                 .object = &owner      },
    };
    const struct shape project = {.fields = fields, .nfields = 2, .ncolumns = 3, .presence = -1};
    struct shape_field root[] = {
        {FIELD("project"), .kind = SHAPE_ROW, .object = &project}
    };
    struct fixture f;

    (void)state;
    setup(&f, root, 1);
    f.rows.ncolumns = 3;
    f.rows.nrows = 1;
    f.rows.cells[0][0] = text("1");
    f.rows.cells[0][1] = text(NULL);
    f.rows.cells[0][2] = text(NULL);
    expect(&f, "{\"data\":{\"project\":{\"id\":\"1\",\"owner\":null}}}");
    assert_int_equal(f.errs.n, 0);
    f.rows.cells[0][2] = text("7"); /* there, but its non-null name is null */
    expect(&f, "{\"data\":{\"project\":{\"id\":\"1\",\"owner\":null}}}");
    assert_int_equal(f.errs.n, 1);
    expect_path(f.errs.first, "\"path\":[\"project\",\"owner\",\"name\"]");
    fields[1].non_null = true;
    expect(&f, "{\"data\":{\"project\":null}}");
    assert_int_equal(f.errs.n, 2);
    teardown(&f);
}

/* --- nested lists ------------------------------------------------------------------------------
 */

static const struct shape_field task_fields[] = {
    {FIELD("title"), .kind = SHAPE_VALUE, .codec = &text_codec, .column = 0, .non_null = true},
};
static const struct shape task_shape = {
    .fields = task_fields, .nfields = 1, .ncolumns = 1, .presence = -1};

static void nested_lists_are_arrays_of_records(void **state)
{
    struct shape_field project_fields[] = {
        {FIELD("name"),          .kind = SHAPE_VALUE, .codec = &text_codec, .column = 0},
        { FIELD("tasks"), .kind = SHAPE_RECORDS,         .object = &task_shape,                                                  .column = 1,
         .non_null = true, .items_non_null = true},
    };
    const struct shape project = {
        .fields = project_fields, .nfields = 2, .ncolumns = 2, .presence = -1};
    struct shape_field root[] = {
        {FIELD("all"), .kind = SHAPE_RECORDS, .object = &project, .column = 0,
         .items_non_null = true},
        {FIELD("one"),            .kind = SHAPE_RECORD,                      .object = &project,         .column = 1},
        {FIELD("none"),            .kind = SHAPE_RECORD,                     .object = &project,        .column = 2},
    };
    struct pgvalue title, tasks[2], both, projects[2], columns[2];
    struct fixture f;

    (void)state;
    setup(&f, root, 3);
    f.root.ncolumns = 3;
    title = text("x");
    tasks[0] = record(f.arena, 1, &title);
    title = text("y");
    tasks[1] = record(f.arena, 1, &title);
    both = array(f.arena, 2, tasks);
    columns[0] = text("P");
    columns[1] = both;
    projects[0] = record(f.arena, 2, columns);
    columns[1] = array(f.arena, 0, NULL);
    projects[1] = record(f.arena, 2, columns);
    f.rows.ncolumns = 3;
    f.rows.nrows = 1;
    f.rows.cells[0][0] = array(f.arena, 2, projects);
    f.rows.cells[0][1] = projects[0];
    f.rows.cells[0][2] = text(NULL);
    expect(&f, "{\"data\":{\"all\":["
               "{\"name\":\"P\",\"tasks\":[{\"title\":\"x\"},{\"title\":\"y\"}]},"
               "{\"name\":\"P\",\"tasks\":[]}],"
               "\"one\":{\"name\":\"P\",\"tasks\":[{\"title\":\"x\"},{\"title\":\"y\"}]},"
               "\"none\":null}}");
    assert_int_equal(f.errs.n, 0);

    title = text(NULL);
    tasks[1] = record(f.arena, 1, &title);
    columns[1] = array(f.arena, 2, tasks);
    projects[1] = record(f.arena, 2, columns);
    f.rows.cells[0][0] = array(f.arena, 2, projects);
    expect(&f, "{\"data\":{\"all\":null,"
               "\"one\":{\"name\":\"P\",\"tasks\":[{\"title\":\"x\"},{\"title\":\"y\"}]},"
               "\"none\":null}}");
    assert_int_equal(f.errs.n, 1);
    expect_path(f.errs.first, "\"path\":[\"all\",1,\"tasks\",1,\"title\"]");
    project_fields[1].items_non_null = false;
    f.rows.cells[0][1] = projects[1];
    expect(&f,
           "{\"data\":{\"all\":[{\"name\":\"P\",\"tasks\":[{\"title\":\"x\"},{\"title\":\"y\"}]},"
           "{\"name\":\"P\",\"tasks\":[{\"title\":\"x\"},null]}],"
           "\"one\":{\"name\":\"P\",\"tasks\":[{\"title\":\"x\"},null]},\"none\":null}}");
    teardown(&f);
}

static void malformed_records_are_errors_at_their_place(void **state)
{
    struct shape_field root[] = {
        {FIELD("a"), .kind = SHAPE_RECORDS, .object = &task_shape, .column = 0},
        {FIELD("b"), .kind = SHAPE_RECORD,  .object = &task_shape, .column = 1},
    };
    struct pgvalue titles[2] = {text("x"), text("y")};
    struct pgvalue wide;
    struct fixture f;

    (void)state;
    setup(&f, root, 2);
    f.root.ncolumns = 2;
    wide = record(f.arena, 2, titles); /* a column too many */
    f.rows.ncolumns = 2;
    f.rows.nrows = 1;
    f.rows.cells[0][0] = array(f.arena, 1, &wide);
    f.rows.cells[0][1] = text("garbage");
    expect(&f, "{\"data\":{\"a\":[null],\"b\":null}}");
    assert_int_equal(f.errs.n, 2);
    assert_int_equal(f.errs.first->code, INTERNAL_SERVER_ERROR);
    expect_path(f.errs.first, "\"path\":[\"a\",0]");
    expect_path(f.errs.last, "\"path\":[\"b\"]");
    f.rows.cells[0][0].len -= 3;
    expect(&f, "{\"data\":{\"a\":null,\"b\":null}}");
    teardown(&f);
}

/* --- values --------------------------------------------------------------------------------------
 */

static void a_value_that_cannot_be_read_is_an_error(void **state)
{
    static const struct shape_field fields[] = {
        {FIELD("n"), .kind = SHAPE_VALUE, .codec = &int4_codec, .column = 0, .offset = 4},
    };
    static const struct shape shape = {
        .fields = fields, .nfields = 1, .ncolumns = 1, .presence = -1};
    struct shape_field root[] = {
        {FIELD("p"), .kind = SHAPE_ROW, .object = &shape}
    };
    struct fixture f;

    (void)state;
    setup(&f, root, 1);
    f.rows.ncolumns = 1;
    f.rows.nrows = 1;
    f.rows.cells[0][0] = text("abc");
    expect(&f, "{\"data\":{\"p\":{\"n\":null}}}");
    assert_int_equal(f.errs.n, 1);
    assert_int_equal(f.errs.first->code, INTERNAL_SERVER_ERROR);
    assert_int_equal(f.errs.first->locations[0].line, 2);
    assert_int_equal(f.errs.first->locations[0].column, 3);
    teardown(&f);
}

static void a_null_in_an_array_of_non_null_items(void **state)
{
    struct shape_field fields[] = {
        {FIELD("labels"), .kind = SHAPE_VALUE, .codec = &texts_codec, .column = 0,
         .items_non_null = true},
    };
    const struct shape shape = {.fields = fields, .nfields = 1, .ncolumns = 1, .presence = -1};
    struct shape_field root[] = {
        {FIELD("p"), .kind = SHAPE_ROW, .object = &shape}
    };
    struct pgvalue labels[2] = {text("a"), text(NULL)};
    struct fixture f;

    (void)state;
    setup(&f, root, 1);
    f.rows.ncolumns = 1;
    f.rows.nrows = 1;
    f.rows.cells[0][0] = array(f.arena, 2, labels);
    expect(&f, "{\"data\":{\"p\":{\"labels\":null}}}");
    expect_path(f.errs.first, "\"path\":[\"p\",\"labels\",1]");
    fields[0].items_non_null = false;
    expect(&f, "{\"data\":{\"p\":{\"labels\":[\"a\",null]}}}");
    teardown(&f);
}

static void results_of_another_width_are_refused(void **state)
{
    static const struct shape_field root[] = {
        {FIELD("projects"), .kind = SHAPE_ROWS, .object = &name_shape},
    };
    struct fixture f;

    (void)state;
    setup(&f, root, 1);
    f.rows.ncolumns = 3;
    f.rows.nrows = 1;
    expect(&f, "{\"data\":null}");
    assert_int_equal(f.errs.n, 1);
    teardown(&f);
}

static void a_response_has_a_maximum(void **state)
{
    static const struct shape_field root[] = {
        {FIELD("projects"), .kind = SHAPE_ROWS, .object = &name_shape},
    };
    struct fixture f;

    (void)state;
    setup(&f, root, 1);
    f.out.max = 40;
    f.rows.ncolumns = 2;
    f.rows.nrows = 2;
    for (int i = 0; i < 2; i++) {
        f.rows.cells[i][0] = text("a name of some length");
        f.rows.cells[i][1] = text("ACTIVE");
    }
    assert_false(run(&f));
    teardown(&f);
}

/* Though keys and times are written where there is more room than they need. */
static void the_maximum_is_exact(void **state)
{
    static const struct codec time_codec = {.kind = CODEC_TIMESTAMPTZ};
    static const struct shape_field fields[] = {
        {FIELD("since"), .kind = SHAPE_VALUE, .codec = &time_codec},
    };
    static const struct shape shape = {.fields = fields, .nfields = 1, .ncolumns = 1};
    static const struct shape_field root[] = {
        {FIELD("projects"), .kind = SHAPE_ROWS, .object = &shape},
    };
    static const char whole[] = "{\"data\":{\"projects\":[{\"since\":\"2000-01-01T00:00:00Z\"}]}}";

    (void)state;
    for (size_t max = 1; max < sizeof(whole); max++) {
        struct fixture f;

        setup(&f, root, 1);
        f.out.max = max;
        f.rows.ncolumns = 1;
        f.rows.nrows = 1;
        f.rows.cells[0][0] = (struct pgvalue){"\0\0\0\0\0\0\0\0", 8, 0};
        assert_int_equal(run(&f), max == sizeof(whole) - 1);
        if (max == sizeof(whole) - 1)
            assert_string_equal(buf_cstr(&f.out), whole);
        teardown(&f);
    }
}

/* --- steps of a mutation ---------------------------------------------------------------------- */

static void each_field_of_a_mutation_reads_its_step(void **state)
{
    static const struct shape_field root[] = {
        {FIELD("done"),       .kind = SHAPE_RESULT,  .codec = &text_codec},
        { FIELD("project"),  .kind = SHAPE_ROW, .object = &name_shape,            .step = 1},
        { FIELD("projects"), .kind = SHAPE_ROWS, .object = &name_shape,            .step = 1},
    };
    struct fixture f;

    (void)state;
    setup(&f, root, 3);
    f.plan.nsteps = 2;
    f.steps[0] = (struct plan_step){.ncolumns = 1, .one_row = true};
    f.steps[1] = (struct plan_step){.ncolumns = 2};
    f.rows.ncolumns = 1;
    f.rows.nrows = 1;
    f.rows.cells[0][0] = text("yes");
    f.more.ncolumns = 2;
    expect(&f, "{\"data\":{\"done\":\"yes\",\"project\":null,\"projects\":[]}}");
    f.rows.cells[0][0] = text(NULL);
    expect(&f, "{\"data\":{\"done\":null,\"project\":null,\"projects\":[]}}");
    /* A call that did not give its one row. */
    f.rows.nrows = 0;
    expect(&f, "{\"data\":null}");
    assert_int_equal(f.errs.n, 1);
    teardown(&f);
}

/* --- errors
 * ------------------------------------------------------------------------------------------ */

static void errors_have_code_place_and_request(void **state)
{
    static const struct path list = {.key = STR_INIT("projects"), .index = -1};
    static const struct path item = {.parent = &list, .index = 3};
    struct arena *a = arena_new(0);
    struct errors errs;
    struct error *e;
    struct buf out;

    (void)state;
    errors_init(&errs, a);
    buf_init(&out, 0);
    e = errors_add(&errs, BAD_USER_INPUT, "bad \"thing\"");
    error_at(e, &errs, (struct location){3, 4});
    e->path = &item;
    e->detail = STR("not for clients");
    e = errors_add(&errs, INTERNAL_SERVER_ERROR, "secret cause");
    response_errors(&errs, STR("r-1"), true, &out);
    assert_string_equal(
        buf_cstr(&out),
        "{\"errors\":[{\"message\":\"bad \\\"thing\\\"\",\"locations\":[{\"line\":3,\"column\":4}],"
        "\"path\":[\"projects\",3],"
        "\"extensions\":{\"code\":\"BAD_USER_INPUT\",\"requestId\":\"r-1\"}},"
        "{\"message\":\"internal server error\","
        "\"extensions\":{\"code\":\"INTERNAL_SERVER_ERROR\",\"requestId\":\"r-1\"}}]}");
    buf_clear(&out);
    response_errors(&errs, STR(""), false, &out);
    assert_non_null(strstr(buf_cstr(&out), "secret cause"));
    assert_null(strstr(buf_cstr(&out), "requestId"));
    assert_null(strstr(buf_cstr(&out), "not for clients"));
    buf_fini(&out);
    arena_free(a);
}

static void errors_come_before_data(void **state)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    struct buf body;

    (void)state;
    errors_init(&errs, a);
    errors_add(&errs, TIMEOUT, "late");
    buf_init(&body, 16);
    buf_append_lit(&body, "{\"data\":null}");
    response_add_errors(&body, &errs, STR(""), true);
    assert_string_equal(buf_cstr(&body), "{\"errors\":[{\"message\":\"late\","
                                         "\"extensions\":{\"code\":\"TIMEOUT\"}}],\"data\":null}");
    buf_fini(&body);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_rows),
        cmocka_unit_test(null_in_a_non_null_field_goes_to_the_nearest_nullable_parent),
        cmocka_unit_test(an_object_by_key),
        cmocka_unit_test(a_joined_object_is_null_when_its_row_is_not_there),
        cmocka_unit_test(nested_lists_are_arrays_of_records),
        cmocka_unit_test(malformed_records_are_errors_at_their_place),
        cmocka_unit_test(a_value_that_cannot_be_read_is_an_error),
        cmocka_unit_test(a_null_in_an_array_of_non_null_items),
        cmocka_unit_test(results_of_another_width_are_refused),
        cmocka_unit_test(each_field_of_a_mutation_reads_its_step),
        cmocka_unit_test(a_response_has_a_maximum),
        cmocka_unit_test(the_maximum_is_exact),
        cmocka_unit_test(errors_have_code_place_and_request),
        cmocka_unit_test(errors_come_before_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
