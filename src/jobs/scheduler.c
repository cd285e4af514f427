/*
 * scheduler.c - the clock of the jobs.
 *
 * Thread:   jobs, one of its own.
 * Memory:   an arena for each run.
 *
 * Every daemon computes the same times, and whoever comes first claims a run (jobs.c). Jobs run one
 * after the other; what fell due meanwhile runs once. The wall clock is looked at every few
 * seconds: when it has been put back, what is due is computed anew, and what has run at those times
 * already is not claimed again; when it has been put forward, what was passed over runs once.
 */
#include "jobs/scheduler.h"

#include "base/condition.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/thread.h"
#include "jobs/timezone.h"

#include <pthread.h>

#define SECOND_US      INT64_C(1000000)
#define LOOK_US        (5 * SECOND_US)
#define CLOCK_SLACK_US (60 * SECOND_US)
/* The database was away; something was not installed. */
#define RETRY_US   (5 * SECOND_US)
#define MISSING_US (60 * SECOND_US)
#define CANCEL_MS  100

struct entry {
    const struct scheduled_job *job;
    int64_t due_us;   /* of the claim */
    int64_t begin_us; /* not before */
    enum job_outcome last;
};

struct scheduler {
    struct job_runner runner;
    uint64_t jitter_ms;
    struct thread *thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping; /* under the mutex */
    bool ended;    /* under the mutex */
    /* the thread's own */
    struct entry *entries; /* owned */
    size_t n;
};

static int64_t next_due_us(const struct scheduled_job *j, int64_t after_us)
{
    int64_t due =
        j->off ? CRON_NEVER : cron_next(&j->cron, after_us / SECOND_US, timezone_offset, NULL);

    return due == CRON_NEVER ? INT64_MAX : due * SECOND_US;
}

static int64_t jitter_us(const struct scheduler *s)
{
    uint64_t random;

    if (s->jitter_ms == 0)
        return 0;
    random_bytes(&random, sizeof(random));
    return (int64_t)(random % (s->jitter_ms * 1000));
}

static void plan(struct scheduler *s, struct entry *e, int64_t now_us)
{
    e->due_us = e->begin_us = next_due_us(e->job, now_us);
    if (e->due_us != INT64_MAX)
        e->begin_us += jitter_us(s);
}

/* The same again, if that is before the next. */
static void retry(struct scheduler *s, struct entry *e, int64_t now_us, int64_t pause_us)
{
    int64_t due_us = e->due_us;

    plan(s, e, now_us);
    if (now_us + pause_us < e->begin_us) {
        e->due_us = due_us;
        e->begin_us = now_us + pause_us;
    }
}

static void report(struct entry *e, enum job_outcome outcome, struct str detail, uint64_t ns)
{
    bool calm = outcome == JOB_DONE || outcome == JOB_MISSING;
    enum log_level level = calm ? LOG_INFO : LOG_WARN;

    /* A condition that lasts is told once; so are the successes of what runs all the time. */
    if (outcome == JOB_TAKEN || (outcome == e->last && (calm || outcome == JOB_UNAVAILABLE)))
        level = LOG_DEBUG;
    if (outcome != JOB_TAKEN)
        e->last = outcome;
    LOG(level, outcome == JOB_DONE ? "job done" : "job not done", LOG_STR("job", e->job->name),
        LOG_CSTR("outcome", job_outcome_name(outcome)), LOG_STR("detail", detail),
        LOG_NS("duration_ms", ns),
        LOG_CSTR("hint", outcome == JOB_MISSING ? "run fraiseqld db install" : ""));
}

static void run_entry(struct scheduler *s, struct entry *e)
{
    struct arena *a = arena_new(0);
    uint64_t started = monotonic_ns();
    int64_t now = wall_clock_us(), next;
    enum job_outcome outcome;
    struct str detail;

    /* Of several that were passed over, the last. */
    if (now - e->due_us > LOOK_US + (int64_t)s->jitter_ms * 1000)
        while ((next = next_due_us(e->job, e->due_us)) <= now)
            e->due_us = next;
    outcome = job_run(e->job, &s->runner, e->due_us, a, &detail);
    report(e, outcome, detail, monotonic_ns() - started);
    now = wall_clock_us();
    if (outcome == JOB_UNAVAILABLE)
        retry(s, e, now, RETRY_US);
    else if (outcome == JOB_MISSING)
        retry(s, e, now, MISSING_US);
    else
        plan(s, e, now);
    arena_free(a);
}

/* Until then, or a look at the clock; false: stopping. */
static bool wait_until(struct scheduler *s, int64_t begin_us)
{
    int64_t now = wall_clock_us();
    int64_t left_us = begin_us - now < LOOK_US ? begin_us - now : LOOK_US;
    bool stopping;

    pthread_mutex_lock(&s->mutex);
    if (!s->stopping && left_us > 0)
        (void)condition_wait(&s->wake, &s->mutex, deadline_in_ms((uint64_t)(left_us + 999) / 1000));
    stopping = s->stopping;
    pthread_mutex_unlock(&s->mutex);
    return !stopping;
}

static int64_t earliest(const struct scheduler *s)
{
    int64_t begin = INT64_MAX;

    for (size_t i = 0; i < s->n; i++)
        if (s->entries[i].begin_us < begin)
            begin = s->entries[i].begin_us;
    return begin;
}

static void run(void *arg)
{
    struct scheduler *s = arg;
    int64_t last = wall_clock_us(), now;

    for (size_t i = 0; i < s->n; i++) {
        struct entry *e = &s->entries[i];

        e->last = JOB_TAKEN;
        plan(s, e, last);
        if (e->job->at_start && !e->job->off)
            e->due_us = e->begin_us = last;
    }
    while (wait_until(s, earliest(s))) {
        now = wall_clock_us();
        if (now < last - CLOCK_SLACK_US) {
            LOG(LOG_WARN, "the clock was put back", LOG_INT("seconds", (last - now) / SECOND_US));
            for (size_t i = 0; i < s->n; i++)
                plan(s, &s->entries[i], now);
        }
        last = now;
        for (size_t i = 0; i < s->n && !atomic_load(&s->runner.stopping); i++)
            if (s->entries[i].begin_us <= now)
                run_entry(s, &s->entries[i]);
    }
    pthread_mutex_lock(&s->mutex);
    s->ended = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->mutex);
}

struct scheduler *scheduler_start(const struct scheduler_options *opt)
{
    const struct job_list *jobs = opt->jobs;
    struct scheduler *s = xcalloc(1, sizeof(*s));

    s->runner.pool = opt->pool;
    s->runner.warm = opt->warm;
    s->runner.warm_ctx = opt->warm_ctx;
    s->jitter_ms = opt->jitter_ms;
    s->n = jobs->n;
    s->entries = xcalloc(size_max(jobs->n, 1), sizeof(*s->entries));
    for (size_t i = 0; i < jobs->n; i++)
        s->entries[i].job = &jobs->items[i];
    CHECK(pthread_mutex_init(&s->mutex, NULL) == 0);
    condition_init(&s->wake);
    s->thread = thread_start(THREAD_JOBS, "scheduler", run, s);
    return s;
}

void scheduler_stop(struct scheduler *s)
{
    atomic_store(&s->runner.stopping, true);
    pthread_mutex_lock(&s->mutex);
    s->stopping = true;
    pthread_cond_signal(&s->wake);
    while (!s->ended) {
        if (atomic_load(&s->runner.busy)) {
            pthread_mutex_unlock(&s->mutex);
            pgpool_cancel_runs(s->runner.pool);
            pthread_mutex_lock(&s->mutex);
        }
        if (!s->ended)
            (void)condition_wait(&s->wake, &s->mutex, deadline_in_ms(CANCEL_MS));
    }
    pthread_mutex_unlock(&s->mutex);
    thread_join(s->thread);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->mutex);
    xfree(s->entries);
    xfree(s);
}
