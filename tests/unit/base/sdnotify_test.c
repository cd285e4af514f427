/*
 * sdnotify_test.c - what arrives at a service manager's socket, of both forms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sdnotify.h"

/* A manager's end; address as it stands in $NOTIFY_SOCKET. */
static int receiver(const char *address)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len = strlen(address);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    memcpy(un.sun_path, address, len);
    if (address[0] == '@')
        un.sun_path[0] = '\0';
    assert_int_equal(
        bind(fd, (const struct sockaddr *)&un,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (address[0] == '/'))),
        0);
    return fd;
}

static void expect_delivery(const char *address)
{
    const char *why = NULL;
    int to = receiver(address), fd = sdnotify_open(str_of(address), &why);
    char got[64] = "";

    assert_true(fd >= 0);
    assert_true(sdnotify_send(fd, str_of(address), STR("READY=1\nSTATUS=well")));
    assert_int_equal(recv(to, got, sizeof(got), MSG_DONTWAIT), 19);
    assert_string_equal(got, "READY=1\nSTATUS=well");
    /* One datagram each, none kept back. */
    assert_true(sdnotify_send(fd, str_of(address), STR("STOPPING=1")));
    assert_int_equal(recv(to, got, sizeof(got), MSG_DONTWAIT), 10);
    close(to);
    if (address[0] == '/')
        unlink(address);
    /* It went away, and came back. */
    assert_false(sdnotify_send(fd, str_of(address), STR("WATCHDOG=1")));
    to = receiver(address);
    assert_true(sdnotify_send(fd, str_of(address), STR("WATCHDOG=1")));
    close(to);
    if (address[0] == '/')
        unlink(address);
    close(fd);
}

static void test_tells_by_path_and_by_abstract_name(void **state)
{
    char address[64];

    (void)state;
    snprintf(address, sizeof(address), "/tmp/sdnotify-%d", (int)getpid());
    expect_delivery(address);
    snprintf(address, sizeof(address), "@sdnotify-%d", (int)getpid());
    expect_delivery(address);
}

/* A manager that does not read must not hold up the loop. */
static void test_does_not_wait(void **state)
{
    const char *why = NULL;
    char address[64];
    int to, fd, sent = 0;

    (void)state;
    snprintf(address, sizeof(address), "@sdnotify-full-%d", (int)getpid());
    to = receiver(address);
    fd = sdnotify_open(str_of(address), &why);
    while (sent < 1000000 && sdnotify_send(fd, str_of(address), STR("WATCHDOG=1")))
        sent++;
    assert_in_range(sent, 1, 999999);
    close(to);
    close(fd);
}

static void test_refuses_other_addresses(void **state)
{
    static const char *const bad[] = {"", "/", "@", "relative", "vsock:2:1234"};
    const char *why = NULL;
    char longer[200];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(sdnotify_open(str_of(bad[i]), &why), -1);
    assert_non_null(why);
    memset(longer, 'a', sizeof(longer));
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(sdnotify_open(str_of(longer), &why), -1);
    longer[0] = '@';
    assert_int_equal(sdnotify_open(str_of(longer), &why), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_by_path_and_by_abstract_name),
        cmocka_unit_test(test_does_not_wait),
        cmocka_unit_test(test_refuses_other_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
