/*
 * socket.c - from an address as text to a listening descriptor.
 *
 * Thread:   any; blocks for name resolution, so at start only.
 * Memory:   what is returned is on the heap and the caller's.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/state.h"

#define BACKLOG 4096 /* the kernel lowers it to net.core.somaxconn */

static bool fail_as(struct errors *errs, enum error_code code, struct str address, const char *why)
{
    errors_add(errs, code, "could not listen on \"%.*s\": %s", STR_ARG(address), why);
    return false;
}

/* The address makes no sense. */
static bool fail(struct errors *errs, struct str address, const char *why)
{
    return fail_as(errs, CONFIG_INVALID, address, why);
}

/* The system refused. */
static bool fail_errno(struct errors *errs, struct str address)
{
    char text[128];

    return fail_as(errs, INTERNAL_SERVER_ERROR, address, strerror_r(errno, text, sizeof(text)));
}

/* The address a descriptor is bound to, as one would connect to it. */
static char *describe(int fd)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof(ss);
    char host[NI_MAXHOST], port[NI_MAXSERV], text[NI_MAXHOST + NI_MAXSERV + 8];

    if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
        return xstrdup("?");
    if (ss.ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const struct sockaddr_un *)&ss;

        snprintf(text, sizeof(text), "unix:%.*s", (int)sizeof(un->sun_path), un->sun_path);
        return xstrdup(text);
    }
    if (getnameinfo((struct sockaddr *)&ss, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return xstrdup("?");
    snprintf(text, sizeof(text), ss.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    return xstrdup(text);
}

/* A socket file nobody listens on is left over from a process that died; any other file is not
 * ours. */
static bool remove_stale(const struct sockaddr_un *un)
{
    struct stat st;
    int fd, rc;

    if (lstat(un->sun_path, &st) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    rc = connect(fd, (const struct sockaddr *)un, sizeof(*un));
    close(fd);
    if (rc == 0 || errno != ECONNREFUSED) {
        errno = EADDRINUSE;
        return false;
    }
    return unlink(un->sun_path) == 0;
}

static bool bind_and_listen(int fd, const struct sockaddr *sa, socklen_t len)
{
    int on = 1;

    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
           bind(fd, sa, len) == 0 && listen(fd, BACKLOG) == 0;
}

static bool listen_unix(struct str address, struct str path, struct socket_address *out,
                        struct errors *errs)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    if (path.len == 0 || path.len >= sizeof(un.sun_path))
        return fail(errs, address, "path is empty or too long");
    memcpy(un.sun_path, path.data, path.len);
    if (!remove_stale(&un))
        return fail_errno(errs, address);
    out->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (out->fd < 0)
        return fail_errno(errs, address);
    if (!bind_and_listen(out->fd, (const struct sockaddr *)&un, sizeof(un))) {
        fail_errno(errs, address);
        close(out->fd);
        return false;
    }
    out->unix_path = xstrdup(un.sun_path);
    return true;
}

/* A socket that was handed to the process (socket activation). */
static bool take_over(struct str address, struct str number, struct socket_address *out,
                      struct errors *errs)
{
    int64_t fd;
    int listening = 0;
    socklen_t len = sizeof(listening);

    if (!str_to_i64(number, &fd) || fd < 0 || fd > INT32_MAX ||
        getsockopt((int)fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || !listening)
        return fail(errs, address, "not a listening socket");
    if (fcntl((int)fd, F_SETFL, fcntl((int)fd, F_GETFL) | O_NONBLOCK) != 0 ||
        fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
        return fail_errno(errs, address);
    out->fd = (int)fd;
    return true;
}

/* "host:port" and "[v6]:port" to what getaddrinfo() wants. */
static bool split_host(struct str address, char host[NI_MAXHOST], char port[NI_MAXSERV])
{
    size_t colon = address.len;
    struct str h;
    uint64_t number;

    while (colon > 0 && address.data[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return false;
    h = str_sub(address, 0, colon - 1);
    if (h.len > 2 && h.data[0] == '[' && h.data[h.len - 1] == ']')
        h = str_sub(h, 1, h.len - 2);
    else if (str_find(h, ':') < h.len)
        return false;
    if (h.len >= NI_MAXHOST || !str_to_u64(str_sub(address, colon, address.len), &number) ||
        number > 65535)
        return false;
    snprintf(host, NI_MAXHOST, "%.*s", STR_ARG(h));
    snprintf(port, NI_MAXSERV, "%u", (unsigned)number);
    return true;
}

static bool listen_inet(struct str address, struct socket_address *out, struct errors *errs)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char host[NI_MAXHOST], port[NI_MAXSERV];
    struct addrinfo *found;
    bool ok;
    int rc;

    if (!split_host(address, host, port))
        return fail(errs, address, "must be host:port, [v6]:port or unix:/path");
    rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0)
        return fail(errs, address, gai_strerror(rc));
    out->fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ok = out->fd >= 0 && bind_and_listen(out->fd, found->ai_addr, found->ai_addrlen);
    if (!ok)
        fail_errno(errs, address);
    if (!ok && out->fd >= 0)
        close(out->fd);
    freeaddrinfo(found);
    return ok;
}

bool socket_listen(struct str address, struct socket_address *out, struct errors *errs)
{
    bool ok;

    memset(out, 0, sizeof(*out));
    if (str_starts(address, STR("unix:")))
        ok = listen_unix(address, str_sub(address, 5, address.len), out, errs);
    else if (str_starts(address, STR("fd:")))
        ok = take_over(address, str_sub(address, 3, address.len), out, errs);
    else
        ok = listen_inet(address, out, errs);
    if (ok)
        out->text = describe(out->fd);
    return ok;
}
