/*
 * yamlfile_test.c - which YAML is accepted, and what it becomes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "config/yamlfile.h"

/* "key=value@line:column;" per entry; lists and maps as "key[]" and "key{}". */
static void describe(const struct yamlfile *f, struct buf *out)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct yamlfile_entry *e = &f->entries[i];

        buf_append_str(out, e->key);
        if (e->kind == YAMLTREE_LIST)
            buf_append_lit(out, "[]");
        else if (e->kind == YAMLTREE_MAP)
            buf_append_lit(out, "{}");
        else if (e->null)
            buf_append_lit(out, "=null");
        else
            buf_printf(out, "=%.*s", STR_ARG(e->text));
        buf_printf(out, "@%u:%u;", e->at.line, e->at.column);
    }
}

/* clang-format off */
static const struct {
    const char *text, *entries; /* NULL: refused, */
    const char *place;          /* there */
} cases[] = {
    {"", "", NULL},
    {"# nothing\n", "", NULL},
    {"---\n...\n", "", NULL},
    {"a: 1\nb:\n  c: [x, 'y z']\n", "a=1@1:1;b{}@2:1;b.c[]@3:3;b.c[0]=x@3:7;b.c[1]=y z@3:10;", NULL},
    {"k:\n- a: 1\n  b: 2\n- a: 3\n", "k[]@1:1;k[0]{}@2:3;k[0].a=1@2:3;k[0].b=2@3:3;k[1]{}@4:3;k[1].a=3@4:3;", NULL},
    {"a:\nb: ~\nc: null\nd: \"\"\ne: 'null'\n", "a=null@1:1;b=null@2:1;c=null@3:1;d=@4:1;e=null@5:1;", NULL},
    {"a: |\n  two\n  lines\n", "a=two\nlines\n@1:1;", NULL},
    {"a: {b: {c: d}}\n", "a{}@1:1;a.b{}@1:5;a.b.c=d@1:9;", NULL},
    {"on: yes\n", "on=yes@1:1;", NULL},

    {"a: 1\na: 2\n", NULL, "f:2:1"},
    {"a: {b: 1, b: 2}\n", NULL, "f:1:11"},
    {"a: &x 1\n", NULL, "f:1:4"},
    {"a: &x [1]\n", NULL, "f:1:4"},
    {"a: *x\n", NULL, "f:1:4"},
    {"a: !!str 1\n", NULL, "f:1:4"},
    {"a: !x {}\n", NULL, "f:1:4"},
    {"<<: {a: 1}\n", NULL, "f:1:1"},
    {"a: 1\n---\nb: 2\n", NULL, "f:2:1"},
    {"[1, 2]\n", NULL, "f:1:1"},
    {"text\n", NULL, "f:1:1"},
    {"? [a]\n: 1\n", NULL, "f:1:3"},
    {"a.b: 1\n", NULL, "f:1:1"},
    {"\"\": 1\n", NULL, "f:1:1"},
    {"a: [1\n", NULL, "f:2:1"},
    {"a: 'open\n", NULL, "f:2:1"},
    {"a:\tb: c\n", NULL, "f:1:5"},
    {"a: \"\\0\"\n", NULL, "f:1:4"},
    {"a: \xff\n", NULL, "f:1:1"},
    {"\xff\xfe" "a", NULL, "f:1:1"},
};
/* clang-format on */

static void test_accepts_and_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *a = arena_new(0);
        struct buf out = {0};
        struct yamlfile f;
        struct errors errs;
        bool ok;

        errors_init(&errs, a);
        ok = yamlfile_parse(str_of(cases[i].text), STR("f"), a, &f, &errs);
        if (ok != (cases[i].entries != NULL) || ok == errors_any(&errs))
            fail_msg("case %zu: %s", i, cases[i].text);
        if (ok) {
            describe(&f, &out);
            assert_string_equal(buf_cstr(&out), cases[i].entries);
        } else {
            assert_int_equal(errs.n, 1);
            assert_int_equal(errs.first->code, CONFIG_INVALID);
            if (!str_is(errs.first->file, cases[i].place))
                fail_msg("case %zu: at %.*s: %.*s", i, STR_ARG(errs.first->file),
                         STR_ARG(errs.first->message));
        }
        buf_fini(&out);
        arena_free(a);
    }
}

static void test_bounds_depth_and_size(void **state)
{
    static char big[2 * 1024 * 1024];
    struct arena *a = arena_new(0);
    struct buf deep = {0};
    struct yamlfile f;
    struct errors errs;

    (void)state;
    errors_init(&errs, a);
    buf_append_lit(&deep, "a: ");
    for (int i = 0; i < 31; i++)
        buf_append_char(&deep, '[');
    for (int i = 0; i < 31; i++)
        buf_append_char(&deep, ']');
    assert_true(yamlfile_parse(buf_str(&deep), STR("f"), a, &f, &errs));
    buf_clear(&deep);
    buf_append_lit(&deep, "a: ");
    for (int i = 0; i < 100000; i++)
        buf_append_char(&deep, '[');
    assert_false(yamlfile_parse(buf_str(&deep), STR("f"), a, &f, &errs));
    memset(big, '#', sizeof(big));
    assert_false(yamlfile_parse(str_make(big, sizeof(big)), STR("f"), a, &f, &errs));
    buf_fini(&deep);
    arena_free(a);
}

static void test_points_at_the_place(void **state)
{
    static const char text[] = "a: 1\n\tcaf\xc3\xa9: x y\npassword: hunter2\n";
    struct arena *a = arena_new(0);
    struct yamlfile f = {
        .source = {STR("dir/f.yaml"), str_of(text), CONFIG_INVALID}
    };
    struct errors errs;
    struct error *e;

    (void)state;
    errors_init(&errs, a);
    e = errors_add(&errs, CONFIG_INVALID, "wrong");
    sourcetext_place(&f.source, (struct location){2, 8}, e, &errs);
    assert_true(str_is(e->file, "dir/f.yaml:2:8"));
    assert_true(str_is(e->detail, "\tcaf\xc3\xa9: x y\n\t      ^"));
    assert_int_equal(e->locations[0].column, 8);
    e = errors_add(&errs, CONFIG_INVALID, "wrong");
    sourcetext_place(&f.source, (struct location){3, 1}, e, &errs);
    assert_int_equal(e->detail.len, 0); /* secrets are not shown */
    sourcetext_place(&f.source, (struct location){99, 1}, e, &errs);
    assert_int_equal(e->detail.len, 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts_and_refuses),
        cmocka_unit_test(test_bounds_depth_and_size),
        cmocka_unit_test(test_points_at_the_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
