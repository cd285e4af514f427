/*
 * plans_test.c - every tests/plan/NAME.graphql becomes the plan in NAME.expected.
 *
 * Variables are in NAME.variables.json. Those of auth_NAME have the rules of auth.sdl.
 * PLAN_UPDATE=1 in the environment writes the expected files instead of comparing: read the
 * difference before it is kept.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "planner/fixture.h"

#define FOLDER "tests/plan/"

/* What the result cache asks the catalog about. */
static void describe_mentions(const struct plan *p, struct buf *out)
{
    buf_append_lit(out, "mentions\n");
    for (size_t i = 0; i < p->nnames; i++)
        buf_printf(out, "  %.*s.%.*s\n", STR_ARG(p->names[i].schema), STR_ARG(p->names[i].name));
    buf_append_lit(out, "reads\n");
    for (size_t i = 0; i < p->nreads; i++)
        buf_printf(out, "  %.*s.%.*s\n", STR_ARG(p->reads[i]->schema), STR_ARG(p->reads[i]->name));
}

static void describe(struct fixture *f, const struct compiled *c, struct buf *out)
{
    if (c->plan != NULL) {
        plan_describe(c->plan, out);
        describe_mentions(c->plan, out);
    }
    for (const struct error *e = f->errs.first; e != NULL; e = e->next) {
        buf_printf(out, "error %s", error_code_info(e->code)->name);
        for (size_t i = 0; i < e->nlocations; i++)
            buf_printf(out, " %u:%u", e->locations[i].line, e->locations[i].column);
        buf_append_char(out, '\n');
    }
}

static void update(const char *path, const struct buf *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
    fclose(file);
}

/* False: not as expected; the difference is printed. */
static bool check(struct fixture *f, const char *file)
{
    struct arena *a = f->arena;
    struct str base =
        arena_printf(a, FOLDER "%.*s", (int)(strlen(file) - strlen(".graphql")), file);
    const char *expected_path = arena_printf(a, "%s.expected", base.data).data;
    struct str document = fixture_read(a, arena_printf(a, "%s.graphql", base.data).data);
    struct str variables = fixture_read(a, arena_printf(a, "%s.variables.json", base.data).data);
    struct str expected = fixture_read(a, expected_path);
    struct compiled c;
    struct buf got;
    bool same;

    buf_init(&got, 0);
    fixture_compile(f, document, variables, &c);
    describe(f, &c, &got);
    compiled_fini(&c);
    same = str_eq(buf_str(&got), expected);
    if (getenv("PLAN_UPDATE") != NULL && !same) {
        update(expected_path, &got);
        same = true;
    }
    if (!same)
        print_error("%s: expected\n%.*s\ngot\n%s\n", file, STR_ARG(expected), buf_cstr(&got));
    buf_fini(&got);
    return same;
}

static void documents_become_the_expected_plans(void **state)
{
    DIR *folder = opendir(FOLDER);
    const struct dirent *entry;
    struct fixture f, guarded;
    size_t n = 0;
    size_t different = 0;

    (void)state;
    assert_non_null(folder);
    fixture_init(&f);
    fixture_init_with(&guarded, FOLDER "auth.sdl");
    while ((entry = readdir(folder)) != NULL) {
        if (!str_ends(str_of(entry->d_name), STR(".graphql")))
            continue;
        n++;
        different +=
            !check(str_starts(str_of(entry->d_name), STR("auth_")) ? &guarded : &f, entry->d_name);
    }
    closedir(folder);
    assert_true(n >= 40); /* fewer: they were not found */
    assert_int_equal(different, 0);
    fixture_fini(&f);
    fixture_fini(&guarded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_become_the_expected_plans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
