/*
 * glance_test.c - a file that is another is noticed, also behind a link.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/glance.h"

static char directory[64];

static const char *path(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *p = paths[next++ % 4];

    snprintf(p, sizeof(paths[0]), "%s/%s", directory, name);
    return p;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(path(name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static bool differs(const char *name, struct buf *before)
{
    struct buf now = {0};
    bool other;

    glance(str_of(path(name)), &now);
    other = !str_eq(buf_str(&now), buf_str(before));
    buf_fini(before);
    *before = now;
    return other;
}

static void sees_changes(void **state)
{
    struct buf before = {0};
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    (void)state;
    assert_true(differs("file", &before));
    assert_false(differs("file", &before)); /* it is still not there */
    put("file", "a");
    assert_true(differs("file", &before));
    assert_false(differs("file", &before));
    put("file", "ab");
    assert_true(differs("file", &before));
    assert_int_equal(utimensat(AT_FDCWD, path("file"), old, 0), 0);
    assert_true(differs("file", &before));
    put("other", "ab");
    assert_int_equal(utimensat(AT_FDCWD, path("other"), old, 0), 0);
    assert_int_equal(rename(path("other"), path("file")), 0);
    assert_true(differs("file", &before)); /* another inode of the same size and time */
    assert_int_equal(unlink(path("file")), 0);
    assert_true(differs("file", &before));
    buf_fini(&before);
}

static void looks_through_links(void **state)
{
    struct buf before = {0};

    (void)state;
    assert_int_equal(mkdir(path("1"), 0700), 0);
    assert_int_equal(mkdir(path("2"), 0700), 0);
    put("1/file", "a");
    put("2/file", "a");
    assert_int_equal(symlink("1", path("data")), 0);
    assert_true(differs("data/file", &before));
    assert_false(differs("data/file", &before));
    assert_int_equal(symlink("2", path("next")), 0);
    assert_int_equal(rename(path("next"), path("data")), 0);
    assert_true(differs("data/file", &before));
    buf_fini(&before);
    for (const char *const *name = (const char *const[]){"1/file", "2/file", "data", NULL};
         *name != NULL; name++)
        assert_int_equal(unlink(path(*name)), 0);
    assert_int_equal(rmdir(path("1")), 0);
    assert_int_equal(rmdir(path("2")), 0);
}

static void an_empty_name_is_no_file(void **state)
{
    struct buf none = {0}, absent = {0};

    (void)state;
    glance(STR(""), &none);
    glance(str_of(path("absent")), &absent);
    assert_true(none.len > 0 && str_eq(buf_str(&none), buf_str(&absent)));
    buf_fini(&none);
    buf_fini(&absent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_changes),
        cmocka_unit_test(looks_through_links),
        cmocka_unit_test(an_empty_name_is_no_file),
    };
    int failed;

    snprintf(directory, sizeof(directory), "/tmp/glance_test.XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    CHECK(rmdir(directory) == 0);
    return failed;
}
