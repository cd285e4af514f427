/*
 * datagrams.c - plays the service manager's end of $NOTIFY_SOCKET.
 *
 *   datagrams ADDRESS    a path, or "@" and an abstract name
 *
 * Prints "ready" once it listens, then each datagram as one line: milliseconds since it listens, a
 * space, and the datagram with tabs for newlines. Ends with its standard input.
 */
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/deadline.h"

static int listen_at(const char *address)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len = strlen(address);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0 && len < sizeof(un.sun_path));
    memcpy(un.sun_path, address, len);
    if (address[0] == '@')
        un.sun_path[0] = '\0';
    len += offsetof(struct sockaddr_un, sun_path) + (address[0] == '/' ? 1 : 0);
    CHECK(bind(fd, (const struct sockaddr *)&un, (socklen_t)len) == 0);
    return fd;
}

static void print_datagram(int fd, uint64_t began)
{
    char text[4096];
    ssize_t n = recv(fd, text, sizeof(text), 0);

    for (ssize_t i = 0; i < n; i++)
        if (text[i] == '\n')
            text[i] = '\t';
    printf("%llu %.*s\n", (unsigned long long)(monotonic_ns() - began) / 1000000, (int)n, text);
}

int main(int argc, char **argv)
{
    uint64_t began = monotonic_ns();
    int fd;

    if (argc != 2)
        return 2;
    fd = listen_at(argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    for (;;) {
        struct pollfd p[] = {
            {.fd = fd,           .events = POLLIN},
            {.fd = STDIN_FILENO, .events = POLLIN},
        };

        if (poll(p, 2, -1) < 0)
            continue;
        if (p[0].revents != 0)
            print_datagram(fd, began);
        else if (p[1].revents != 0)
            return 0;
    }
}
