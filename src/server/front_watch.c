/*
 * front_watch.c - has answers in memory forgotten when the database tells of a change.
 *
 * Thread:   a jobs thread of its own.
 *
 * What comes while it does not listen is not heard: answers are kept for a moment only.
 */
#include "server/front_watch.h"

#include "base/thread.h"
#include "pg/pglisten.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LONGEST_WAIT_MS 60000

struct front_watch {
    struct front *front;
    struct thread *thread;
    struct pglisten *listen; /* owned */
    int wake_fd;             /* owned */
    atomic_bool stopping;
};

static void run(void *arg)
{
    struct front_watch *w = arg;

    while (!atomic_load(&w->stopping)) {
        struct pollfd fds[] = {
            {.fd = w->wake_fd, .events = POLLIN},
            {.fd = -1,         .events = POLLIN},
        };
        int64_t left;

        if (pglisten_step(w->listen, STR("cache")))
            front_clear(w->front);
        fds[1].fd = pglisten_fd(w->listen);
        left = deadline_left_ms(pglisten_due(w->listen));
        (void)poll(fds, COUNT_OF(fds), (int)(left > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : left));
    }
}

struct front_watch *front_watch_start(struct pgpool *pool, const char *channel, struct front *front)
{
    struct front_watch *w = xcalloc(1, sizeof(*w));

    w->front = front;
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(w->wake_fd >= 0);
    w->listen = pglisten_new(pool, channel);
    w->thread = thread_start(THREAD_JOBS, "front", run, w);
    return w;
}

void front_watch_stop(struct front_watch *w)
{
    const uint64_t one = 1;

    atomic_store(&w->stopping, true);
    (void)!write(w->wake_fd, &one, sizeof(one));
    thread_join(w->thread);
    pglisten_free(w->listen);
    close(w->wake_fd);
    xfree(w);
}
