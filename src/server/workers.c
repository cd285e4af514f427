/*
 * workers.c - worker threads: each a loop, a share of the connection pool, and the jobs in its
 * hands.
 *
 * Thread:   workers_submit() and the abandon callback run on the main loop,
 *           everything named job_ on the worker that has the job.
 * Memory:   a job lives in the arena of its exchange, so after exchange_reply()
 *           it may be gone at any time. Nobody keeps a pointer to a job across
 *           threads: the news that a client has gone travels with the job's id,
 *           and the worker looks whether it still has it.
 * Not here: what a job does.
 */
#include "server/workers.h"

#include "base/thread.h"

#include <stdatomic.h>
#include <unistd.h>

#define HEARTBEAT_MS 1000
/* How long the database may take to confirm that a statement was cancelled, or that an errand was
 * done. */
#define STOP_MS       1000
#define STOP_CHECK_MS 10

struct worker {
    struct workers *all;
    struct thread *thread;
    struct loop *loop;
    struct pgclient *pg;
    struct pgreaders *readers; /* NULL: there are no replicas */
    struct timer *heartbeat;
    struct compressor *compressor; /* owned; NULL until it is used */
    struct job *jobs;              /* in hand */
    bool stopping;
    struct deadline stop_by;
    struct loop_task stop;
    uint64_t last_id; /* main loop only */
    /* any thread, relaxed: counts and flags, nothing is published through them */
    atomic_size_t in_flight;
    atomic_uint_fast64_t beat_ns;
};

struct workers {
    size_t n;
    size_t max_queue;
    struct pgpool *pool;
    struct pgreplicas *replicas;
    int compression_level;
    struct worker *items;
};

/* --- on the worker ------------------------------------------------------------ */

/* Statements may be under way that no job waits for. */
static void stop_when_idle(struct worker *w)
{
    if (w->stopping && w->jobs == NULL && pgclient_pending(w->pg) == 0 &&
        (w->readers == NULL || pgreaders_pending(w->readers) == 0))
        loop_stop(w->loop);
}

static void beat(void *ctx)
{
    struct worker *w = ctx;

    atomic_store_explicit(&w->beat_ns, monotonic_ns(), memory_order_relaxed);
    timer_set(w->heartbeat, deadline_in_ms(w->stopping ? STOP_CHECK_MS : HEARTBEAT_MS));
    /* A database that does not even take a cancel request must not keep us from ending. */
    if (w->stopping && deadline_passed(w->stop_by)) {
        LOG(LOG_WARN, "statements could not be cancelled: ending without");
        _exit(0);
    }
    stop_when_idle(w);
}

static void work(void *arg)
{
    struct worker *w = arg;

    w->pg = pgclient_new(w->all->pool, w->loop);
    if (w->all->replicas != NULL)
        w->readers = pgreaders_new(w->all->replicas, w->loop);
    w->heartbeat = loop_timer(w->loop, beat, w);
    beat(w);
    loop_run(w->loop);
    timer_free(w->heartbeat);
    pgreaders_free(w->readers);
    pgclient_free(w->pg);
    compressor_free(w->compressor);
}

/* Jobs in hand are cancelled, not waited for. None is posted behind this task. */
static void stop_worker(struct loop_task *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, stop);
    struct job *next;

    w->stopping = true;
    w->stop_by = deadline_in_ms(STOP_MS);
    for (struct job *j = w->jobs; j != NULL; j = next) {
        next = j->next;
        j->cancelled = true;
        execute_cancel(&j->execution);
    }
    stop_when_idle(w);
    timer_set(w->heartbeat, deadline_in_ms(STOP_CHECK_MS));
}

static void job_start(struct loop_task *t)
{
    struct exchange *x = exchange_of_task(t);
    struct job *j = exchange_user(x);
    struct worker *w = j->worker;

    thread_check(THREAD_WORKER);
    j->next = w->jobs;
    if (w->jobs != NULL)
        w->jobs->prev = j;
    w->jobs = j;
    j->run(j);
}

void job_reply(struct job *j, struct http_reply *r)
{
    struct worker *w = j->worker;
    atomic_size_t *users = j->users;

    thread_check(THREAD_WORKER);
    if (j->prev != NULL)
        j->prev->next = j->next;
    else
        w->jobs = j->next;
    if (j->next != NULL)
        j->next->prev = j->prev;
    atomic_fetch_sub_explicit(&w->in_flight, 1, memory_order_relaxed);
    exchange_reply(j->exchange, r);
    /* Whoever sees 0 may free what the job used. */
    if (users != NULL)
        atomic_fetch_sub_explicit(users, 1, memory_order_release);
    stop_when_idle(w);
}

struct pgclient *job_pg(const struct job *j)
{
    return j->worker->pg;
}

struct pgreaders *job_readers(const struct job *j)
{
    return j->worker->readers;
}

struct compressor *job_compressor(const struct job *j)
{
    struct worker *w = j->worker;

    thread_check(THREAD_WORKER);
    if (w->compressor == NULL)
        w->compressor = compressor_new(w->all->compression_level);
    return w->compressor;
}

/* --- a client that went away ------------------------------------------------------ */

struct abandon {
    struct loop_task task;
    struct worker *worker;
    uint64_t id;
};

static void cancel_job(struct loop_task *t)
{
    struct abandon *a = CONTAINER_OF(t, struct abandon, task);
    struct job *j = a->worker->jobs;

    while (j != NULL && j->id != a->id)
        j = j->next;
    if (j != NULL) {
        j->cancelled = true;
        execute_cancel(&j->execution);
    }
    xfree(a);
}

/* Main loop; the exchange has not been replied to there, so its job can be read. */
static void on_abandon(struct exchange *x, void *ctx)
{
    const struct job *j = exchange_user(x);
    struct abandon *a = xcalloc(1, sizeof(*a));

    (void)ctx;
    a->task.fn = cancel_job;
    a->worker = j->worker;
    a->id = j->id;
    loop_post(a->worker->loop, &a->task);
}

/* --- on the main loop ----------------------------------------------------------------- */

struct workers *workers_start(const struct workers_options *opt)
{
    struct workers *all = xcalloc(1, sizeof(*all));

    CHECK(opt->count > 0);
    all->n = opt->count;
    all->max_queue = opt->max_queue;
    all->pool = opt->pool;
    all->replicas = opt->replicas;
    all->compression_level = opt->compression_level;
    all->items = xcalloc(all->n, sizeof(*all->items));
    for (size_t i = 0; i < all->n; i++) {
        struct worker *w = &all->items[i];
        char name[32];

        snprintf(name, sizeof(name), "worker-%zu", i);
        w->all = all;
        w->loop = loop_new(name);
        atomic_store_explicit(&w->beat_ns, monotonic_ns(), memory_order_relaxed);
        w->thread = thread_start(THREAD_WORKER, name, work, w);
    }
    return all;
}

static struct worker *least_busy(struct workers *all, size_t *total)
{
    struct worker *best = NULL;
    size_t best_load = SIZE_MAX;

    *total = 0;
    for (size_t i = 0; i < all->n; i++) {
        size_t load = atomic_load_explicit(&all->items[i].in_flight, memory_order_relaxed);

        *total += load;
        if (load < best_load) {
            best_load = load;
            best = &all->items[i];
        }
    }
    return best;
}

bool workers_submit(struct workers *all, struct exchange *x, void (*run)(struct job *j),
                    const void *context, atomic_size_t *users)
{
    size_t total;
    struct worker *w = least_busy(all, &total);
    struct job *j;
    struct loop_task *t;

    if (total >= all->max_queue)
        return false;
    j = ARENA_NEW(exchange_arena(x), struct job);
    j->exchange = x;
    j->worker = w;
    j->id = ++w->last_id;
    j->run = run;
    j->context = context;
    j->users = users;
    if (users != NULL)
        atomic_fetch_add_explicit(users, 1, memory_order_relaxed);
    exchange_set_user(x, j);
    exchange_on_abandon(x, on_abandon, NULL);
    atomic_fetch_add_explicit(&w->in_flight, 1, memory_order_relaxed);
    t = exchange_task(x);
    t->fn = job_start;
    loop_post(w->loop, t);
    return true;
}

void workers_set_max_queue(struct workers *all, size_t max_queue)
{
    all->max_queue = max_queue;
}

size_t workers_in_flight(const struct workers *all)
{
    size_t total = 0;

    for (size_t i = 0; i < all->n; i++)
        total += atomic_load_explicit(&all->items[i].in_flight, memory_order_relaxed);
    return total;
}

uint64_t workers_oldest_heartbeat_ns(const struct workers *all)
{
    uint64_t now = monotonic_ns();
    uint64_t oldest = 0;

    for (size_t i = 0; i < all->n; i++) {
        uint64_t at = atomic_load_explicit(&all->items[i].beat_ns, memory_order_relaxed);

        if (now > at && now - at > oldest)
            oldest = now - at;
    }
    return oldest;
}

void workers_stop(struct workers *all)
{
    for (size_t i = 0; i < all->n; i++) {
        all->items[i].stop.fn = stop_worker;
        loop_post(all->items[i].loop, &all->items[i].stop);
    }
    for (size_t i = 0; i < all->n; i++) {
        thread_join(all->items[i].thread);
        loop_free(all->items[i].loop);
    }
    xfree(all->items);
    xfree(all);
}
