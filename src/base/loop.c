/*
 * loop.c - one event base per thread. The only file that includes event2/.
 *
 * Thread:   see loop.h. No libevent object is shared, so libevent's own locking
 *           is off; threads reach each other through the list of tasks.
 * Memory:   the loop, its watches and timers are heap objects of their owners.
 *
 * Tasks are pushed on a lock-free stack, which the loop takes whole and
 * reverses. Who pushes on an empty stack from another thread writes the
 * eventfd if the loop sleeps, or is about to; the loop looks at the stack
 * after it has said so. Nobody reads the eventfd: each write is an edge.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/loop.h"

struct signal_watch {
    struct signal_watch *next;
    struct event *event; /* owned */
    void (*fn)(int signo, void *ctx);
    void *ctx;
};

struct loop {
    /* any thread */
    _Atomic(struct loop_task *) posted; /* newest first */
    atomic_bool stop;
    atomic_bool asleep; /* or about to look at the tasks and sleep */
    int wake_fd;
    /* the loop's thread */
    struct event_base *base;
    struct event *wake;
    struct signal_watch *signals;
    uint64_t now_ns; /* 0: not read yet in this round */
    char name[16];
};

struct watch {
    struct event *read;  /* owned */
    struct event *write; /* owned */
    unsigned events;
    watch_handler *fn;
    void *ctx;
};

/*
 * A timer moved to a later time, or disarmed, leaves its event where it is:
 * most timers are time limits that never pass, set anew with every request.
 */
struct timer {
    struct loop *loop;
    struct event *event; /* owned */
    struct deadline at;
    struct deadline event_at; /* when the event fires; never: not pending */
    void (*fn)(void *ctx);
    void *ctx;
};

static _Thread_local struct loop *current_loop;

/* An event has come: tasks are looked at before the next sleep. */
static void wake(void)
{
    /* Relaxed: who still sees the old value writes the eventfd in vain. */
    atomic_store_explicit(&current_loop->asleep, false, memory_order_relaxed);
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    (void)ctx;
    wake();
}

static void wake_up(struct loop *l)
{
    const uint64_t one = 1;

    while (write(l->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

struct loop *loop_new(const char *name)
{
    struct loop *l = xcalloc(1, sizeof(*l));
    struct event_config *config = event_config_new();

    CHECK(config != NULL);
    CHECK(event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV) == 0);
    CHECK(event_config_require_features(config, EV_FEATURE_ET) == 0);
    l->base = event_base_new_with_config(config);
    event_config_free(config);
    CHECK(l->base != NULL);
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(l->wake_fd >= 0);
    l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST | EV_ET, on_wake, l);
    CHECK(l->wake != NULL && event_add(l->wake, NULL) == 0);
    snprintf(l->name, sizeof(l->name), "%s", name);
    return l;
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    while (l->signals != NULL) {
        struct signal_watch *s = l->signals;

        l->signals = s->next;
        event_free(s->event);
        xfree(s);
    }
    event_free(l->wake);
    event_base_free(l->base);
    close(l->wake_fd);
    xfree(l);
}

static bool has_tasks(struct loop *l)
{
    return atomic_load_explicit(&l->posted, memory_order_seq_cst) != NULL;
}

/* What was posted until now; what these tasks post comes in the next round. */
static void run_tasks(struct loop *l)
{
    /* Acquire: pairs with the release of loop_post(), for what the tasks carry. */
    struct loop_task *newest = atomic_exchange_explicit(&l->posted, NULL, memory_order_acquire);
    struct loop_task *oldest = NULL;

    while (newest != NULL) {
        struct loop_task *t = newest;

        newest = t->next;
        t->next = oldest;
        oldest = t;
    }
    while (oldest != NULL) {
        struct loop_task *t = oldest;

        /* The task may free or post itself. */
        oldest = t->next;
        t->next = NULL;
        t->fn(t);
    }
}

void loop_run(struct loop *l)
{
    struct loop *outer = current_loop;

    CHECK(outer == NULL);
    current_loop = l;
    while (!atomic_load_explicit(&l->stop, memory_order_acquire)) {
        l->now_ns = 0;
        if (has_tasks(l))
            run_tasks(l);
        if (atomic_load_explicit(&l->stop, memory_order_acquire))
            break;
        /* The tasks may have read the clock; the wait for events ends later than that. */
        l->now_ns = 0;
        /* Sequentially consistent, with loop_post(): either the task is seen here or this there. */
        atomic_store_explicit(&l->asleep, true, memory_order_seq_cst);
        event_base_loop(l->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY |
                                     (has_tasks(l) ? EVLOOP_NONBLOCK : 0));
        atomic_store_explicit(&l->asleep, false, memory_order_relaxed);
    }
    while (has_tasks(l))
        run_tasks(l);
    /* So that it may run again. */
    atomic_store_explicit(&l->stop, false, memory_order_relaxed);
    current_loop = outer;
}

void loop_stop(struct loop *l)
{
    atomic_store_explicit(&l->stop, true, memory_order_release);
    wake_up(l);
}

void loop_post(struct loop *l, struct loop_task *t)
{
    struct loop_task *head = atomic_load_explicit(&l->posted, memory_order_relaxed);

    do {
        t->next = head;
        /* Also a release: the loop sees all that was written to the task's object. */
    } while (!atomic_compare_exchange_weak_explicit(&l->posted, &head, t, memory_order_seq_cst,
                                                    memory_order_relaxed));
    if (head == NULL && current_loop != l && atomic_load_explicit(&l->asleep, memory_order_seq_cst))
        wake_up(l);
}

bool loop_is_current(const struct loop *l)
{
    return current_loop == l;
}

uint64_t loop_now_ns(const struct loop *l)
{
    struct loop *own = current_loop;

    /* Outside of loop_run() there is no round. */
    if (own != l)
        return monotonic_ns();
    if (own->now_ns == 0)
        own->now_ns = monotonic_ns();
    return own->now_ns;
}

/* --- watches ------------------------------------------------------------------------- */

static void on_ready(evutil_socket_t fd, short what, void *ctx)
{
    struct watch *w = ctx;

    wake();
    w->fn(fd, (what & EV_WRITE) ? LOOP_WRITE : LOOP_READ, w->ctx);
}

struct watch *loop_watch(struct loop *l, int fd, unsigned events, watch_handler *fn, void *ctx)
{
    struct watch *w = xcalloc(1, sizeof(*w));

    /* Two events, so that waiting for one more direction is one system call. */
    w->read = event_new(l->base, fd, EV_READ | EV_PERSIST, on_ready, w);
    w->write = event_new(l->base, fd, EV_WRITE | EV_PERSIST, on_ready, w);
    CHECK(w->read != NULL && w->write != NULL);
    w->fn = fn;
    w->ctx = ctx;
    watch_set(w, events);
    return w;
}

static void set_event(struct event *e, bool was, bool is)
{
    if (is && !was)
        CHECK(event_add(e, NULL) == 0);
    else if (was && !is)
        event_del(e);
}

void watch_set(struct watch *w, unsigned events)
{
    if (events == w->events)
        return;
    set_event(w->read, w->events & LOOP_READ, events & LOOP_READ);
    set_event(w->write, w->events & LOOP_WRITE, events & LOOP_WRITE);
    w->events = events;
}

void watch_free(struct watch *w)
{
    if (w == NULL)
        return;
    event_free(w->read);
    event_free(w->write);
    xfree(w);
}

/* --- timers -------------------------------------------------------------------------- */

static void arm(struct timer *t)
{
    uint64_t now = monotonic_ns();
    uint64_t left = t->at.at_ns > now ? t->at.at_ns - now : 0;
    struct timeval tv = {(time_t)(left / UINT64_C(1000000000)),
                         (suseconds_t)(left % UINT64_C(1000000000) / 1000)};

    CHECK(event_add(t->event, &tv) == 0);
    t->event_at = t->at;
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct timer *t = ctx;

    (void)fd;
    (void)what;
    t->event_at = DEADLINE_NEVER;
    if (t->at.at_ns == UINT64_MAX)
        return;
    /* Moved to later; or early, as libevent's clock is coarse. */
    if (monotonic_ns() < t->at.at_ns) {
        arm(t);
        return;
    }
    t->at = DEADLINE_NEVER;
    t->fn(t->ctx);
}

struct timer *loop_timer(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
    struct timer *t = xcalloc(1, sizeof(*t));

    t->loop = l;
    t->event = evtimer_new(l->base, on_timer, t);
    CHECK(t->event != NULL);
    t->at = DEADLINE_NEVER;
    t->event_at = DEADLINE_NEVER;
    t->fn = fn;
    t->ctx = ctx;
    return t;
}

void timer_set(struct timer *t, struct deadline at)
{
    t->at = at;
    if (at.at_ns < t->event_at.at_ns)
        arm(t);
}

void timer_clear(struct timer *t)
{
    t->at = DEADLINE_NEVER;
}

void timer_free(struct timer *t)
{
    if (t == NULL)
        return;
    event_free(t->event);
    xfree(t);
}

/* --- signals ------------------------------------------------------------------------- */

static void on_signal(evutil_socket_t signo, short what, void *ctx)
{
    struct signal_watch *s = ctx;

    (void)what;
    s->fn((int)signo, s->ctx);
}

void loop_signal(struct loop *l, int signo, void (*fn)(int signo, void *ctx), void *ctx)
{
    struct signal_watch *s = xcalloc(1, sizeof(*s));

    s->fn = fn;
    s->ctx = ctx;
    s->event = evsignal_new(l->base, signo, on_signal, s);
    CHECK(s->event != NULL && event_add(s->event, NULL) == 0);
    s->next = l->signals;
    l->signals = s;
}

struct library loop_library(void)
{
    struct library l = {.name = "libevent"};

    snprintf(l.compiled, sizeof(l.compiled), "%s", LIBEVENT_VERSION);
    snprintf(l.running, sizeof(l.running), "%s", event_get_version());
    return l;
}
