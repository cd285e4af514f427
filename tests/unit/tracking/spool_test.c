/*
 * spool_test.c - lines come back at least once, in order, and what is torn is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "tracking/spool.h"

static char directory[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/spool-test.XXXXXX");
    return mkdtemp(directory) == NULL;
}

static size_t files(void)
{
    DIR *d = opendir(directory);
    size_t n = 0;

    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static int tear_down(void **state)
{
    DIR *d = opendir(directory);

    (void)state;
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    return rmdir(directory);
}

static struct spool *open_spool(uint64_t max)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    struct spool *s;

    errors_init(&errs, a);
    s = spool_open(str_of(directory), max, &errs);
    assert_non_null(s);
    arena_free(a);
    return s;
}

/* Reads and deletes all; the lines one after the other. */
static struct str drain(struct spool *s, struct arena *a, size_t *torn)
{
    struct str all = STR("");
    struct spool_file f;

    *torn = 0;
    while (spool_read(s, a, &f)) {
        for (size_t i = 0; i < f.n; i++)
            all = arena_printf(a, "%.*s%s%.*s", STR_ARG(all), all.len > 0 ? " " : "",
                               STR_ARG(f.lines[i]));
        *torn += f.torn;
        spool_delete(s, &f);
    }
    return all;
}

static void test_lines_come_back(void **state)
{
    struct spool *s = open_spool(1000000), *next;
    struct arena *a = arena_new(0);
    struct spool_file f;
    size_t torn;

    (void)state;
    assert_false(spool_read(s, a, &f));
    assert_true(spool_append(s, (struct str[]){STR("one"), STR("two")}, 2));
    assert_true(spool_append(s, (struct str[]){STR("three")}, 1));
    assert_int_equal(spool_bytes(s), 14);
    assert_int_equal(files(), 1);
    /* Read, but not dealt with: it comes again. */
    assert_true(spool_read(s, a, &f));
    assert_int_equal(f.n, 3);
    assert_true(spool_append(s, (struct str[]){STR("four")}, 1));
    assert_int_equal(files(), 2);
    spool_close(s);
    next = open_spool(1000000);
    assert_int_equal(spool_bytes(next), 19);
    assert_string_equal(drain(next, a, &torn).data, "one two three four");
    assert_int_equal(torn, 0);
    assert_int_equal(files(), 0);
    assert_int_equal(spool_bytes(next), 0);
    spool_close(next);
    spool_close(NULL);
    arena_free(a);
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void test_what_is_torn_or_another_thing(void **state)
{
    struct spool *s;
    struct arena *a = arena_new(0);
    size_t torn;

    (void)state;
    write_file("1.spool", "first\n\nsecond\nthi");
    write_file("2.spool", "");
    write_file("0.other", "not ours\n");
    write_file("3.spool.new", "nor is this\n");
    s = open_spool(1000000);
    assert_string_equal(drain(s, a, &torn).data, "first second");
    assert_int_equal(torn, 1);
    assert_int_equal(files(), 2);
    spool_close(s);
    arena_free(a);
}

static void test_nobody_reads_what_another_writes(void **state)
{
    struct spool *writer = open_spool(1000000), *reader = open_spool(1000000);
    struct arena *a = arena_new(0);
    size_t torn;

    (void)state;
    assert_true(spool_append(writer, (struct str[]){STR("mine")}, 1));
    assert_string_equal(drain(reader, a, &torn).data, "");
    assert_int_equal(files(), 1);
    spool_close(writer);
    assert_string_equal(drain(reader, a, &torn).data, "mine");
    spool_close(reader);
    arena_free(a);
}

static void test_it_is_bounded(void **state)
{
    struct spool *s = open_spool(1500000);
    struct arena *a = arena_new(0);
    char *text = xcalloc(1, 400001);
    struct str line = {text, 400000};
    size_t torn;

    (void)state;
    memset(text, 'x', 400000);
    assert_true(spool_append(s, &line, 1));
    assert_true(spool_append(s, &line, 1));
    assert_true(spool_append(s, &line, 1)); /* ends the first file */
    assert_false(spool_append(s, &line, 1));
    assert_int_equal(files(), 1);
    assert_true(spool_append(s, (struct str[]){STR("small")}, 1));
    assert_int_equal(files(), 2);
    assert_int_equal(drain(s, a, &torn).len, 3 * 400001 + 5);
    assert_true(spool_append(s, &line, 1)); /* there is room again */
    spool_close(s);
    xfree(text);
    arena_free(a);
}

static void test_where_none_can_be(void **state)
{
    struct arena *a = arena_new(0);
    struct errors errs;

    (void)state;
    errors_init(&errs, a);
    assert_null(spool_open(STR("/nonexistent/spool"), 1000, &errs));
    assert_int_equal(errs.first->code, CONFIG_INVALID);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_torn_or_another_thing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_reads_what_another_writes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_it_is_bounded, set_up, tear_down),
        cmocka_unit_test(test_where_none_can_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
