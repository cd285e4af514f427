/*
 * handed.h - listening sockets that the service manager handed to this process:
 * sd_listen_fds(3).
 *
 * Thread:   main, at start.
 * Memory:   names are borrowed from the environment.
 * Not here: accepting from them (listener.h takes "fd:3").
 */
#ifndef HTTP_HANDED_H
#define HTTP_HANDED_H

#include "base/str.h"

#define MAX_HANDED 32

struct handed {
    size_t n;
    struct handed_socket {
        int fd;
        struct str name; /* FileDescriptorName= of the socket unit */
        bool taken;
    } items[MAX_HANDED];
};

/* From $LISTEN_PID, $LISTEN_FDS and $LISTEN_FDNAMES, each NULL if not set; for another process:
 * none. */
void handed_read(struct handed *h, const char *pid, const char *fds, const char *names);
/* The next socket of that name, which is taken then; -1: there is none left. */
int handed_take(struct handed *h, struct str name);

#endif
