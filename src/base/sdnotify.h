/*
 * sdnotify.h - datagrams that tell a service manager how this process is: sd_notify(3).
 *
 * Thread:   one at a time.
 * Not here: what is told, and when (server/supervisor.c); libsystemd, for which one
 *           datagram is not reason enough.
 */
#ifndef BASE_SDNOTIFY_H
#define BASE_SDNOTIFY_H

#include "base/str.h"

/*
 * The socket of $NOTIFY_SOCKET: a path, or "@" and an abstract name. A descriptor
 * that the caller closes; -1 with a reason in *why when it is no such thing. Does
 * not need anybody to be there yet.
 */
int sdnotify_open(struct str address, const char **why);
/* "READY=1\nSTATUS=…": false when it could not be delivered, without waiting. */
bool sdnotify_send(int fd, struct str address, struct str state);

#endif
