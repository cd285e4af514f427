/*
 * handed.c - listening sockets that the service manager handed to this process.
 *
 * Thread:   main, at start.
 */
#include "http/handed.h"

#include <fcntl.h>
#include <unistd.h>

/* The first one; the others are behind it (sd_listen_fds(3)). */
#define FIRST_FD 3

void handed_read(struct handed *h, const char *pid, const char *fds, const char *names)
{
    struct str rest = names != NULL ? str_of(names) : STR("");
    uint64_t n, process;

    h->n = 0;
    if (pid == NULL || fds == NULL || !str_to_u64(str_of(pid), &process) ||
        process != (uint64_t)getpid() || !str_to_u64(str_of(fds), &n))
        return;
    for (; h->n < n && h->n < MAX_HANDED; h->n++) {
        struct handed_socket *s = &h->items[h->n];

        *s = (struct handed_socket){.fd = FIRST_FD + (int)h->n, .name = STR("unknown")};
        if (names != NULL)
            str_cut(rest, ':', &s->name, &rest);
        /* Not for programs that are started from here. */
        (void)fcntl(s->fd, F_SETFD, FD_CLOEXEC);
    }
}

int handed_take(struct handed *h, struct str name)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->items[i].taken || !str_eq(h->items[i].name, name))
            continue;
        h->items[i].taken = true;
        return h->items[i].fd;
    }
    return -1;
}
