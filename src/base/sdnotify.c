/*
 * sdnotify.c - datagrams that tell a service manager how this process is.
 *
 * Thread:   one at a time.
 * Memory:   none.
 */
#include "base/sdnotify.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* 0: no address of a kind that is known here. */
static socklen_t fill_address(struct str text, struct sockaddr_un *out)
{
    memset(out, 0, sizeof(*out));
    out->sun_family = AF_UNIX;
    /* The kernel wants a path's NUL to fit as well. */
    if (text.len < 2 || text.len >= sizeof(out->sun_path) ||
        (text.data[0] != '/' && text.data[0] != '@'))
        return 0;
    memcpy(out->sun_path, text.data, text.len);
    if (text.data[0] == '@')
        out->sun_path[0] = '\0';
    /* An abstract name is as long as it is said to be. */
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + text.len +
                       (text.data[0] == '/' ? 1 : 0));
}

int sdnotify_open(struct str address, const char **why)
{
    struct sockaddr_un un;
    int fd;

    if (fill_address(address, &un) == 0) {
        *why = "neither a path nor an abstract name of a socket";
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        *why = "the system has no socket left";
    return fd;
}

bool sdnotify_send(int fd, struct str address, struct str state)
{
    struct sockaddr_un un;
    socklen_t len = fill_address(address, &un);
    ssize_t sent;

    do {
        sent = sendto(fd, state.data, state.len, MSG_NOSIGNAL | MSG_DONTWAIT,
                      (const struct sockaddr *)&un, len);
    } while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)state.len;
}
