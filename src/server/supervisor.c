/*
 * supervisor.c - tells the service manager (systemd) how the daemon is.
 *
 * Thread:   the main loop's: a loop that is stuck says nothing, which is the point.
 * Memory:   one object, until supervisor_free().
 *
 *   STARTING --schema loaded, or START_MS--> RUNNING <--> RELOADING
 *                                            RUNNING --> STOPPING
 *
 * The daemon serves without a database, with errors, until there is one. So one
 * that cannot be reached must not keep the unit, and what is ordered behind it,
 * from starting: readiness is told after START_MS at the latest.
 */
#include "server/supervisor.h"

#include "base/sdnotify.h"
#include "metrics/metrics.h"
#include "server/ops_endpoints.h"

#include <unistd.h>

#define START_MS 10000
/* While something is waited for. */
#define GLANCE_MS 20
/* Between two lines of status; a watchdog may want them more often. */
#define BEAT_MS 10000
/* A worker comes round every second (workers.c); with a watchdog below this it may be a little
 * late. */
#define LEAST_STALE_MS 3000

enum phase {
    STARTING,
    RUNNING,
    RELOADING,
    STOPPING,
};

struct supervisor {
    struct supervisor_options opt;
    struct str address; /* in the environment */
    int fd;             /* owned; -1: there is nobody to tell */
    struct timer *timer;
    enum phase phase;
    struct deadline start_by;
    uint64_t reload;      /* its number */
    uint64_t watchdog_ms; /* 0: off */
    struct deadline next_beat;
    bool ready_due;    /* to be told with the next beat */
    bool stuck;        /* the log knows */
    bool deaf;         /* the log knows */
    uint64_t requests; /* at the last beat */
    uint64_t beat_ns;
};

static void tell(struct supervisor *s, struct buf *state)
{
    bool ok = sdnotify_send(s->fd, s->address, buf_str(state));

    if (ok)
        s->ready_due = false;
    else if (!s->deaf)
        LOG(LOG_WARN, "could not reach the service manager", LOG_STR("socket", s->address));
    s->deaf = !ok;
    buf_fini(state);
}

/* --- beats -------------------------------------------------------------------------- */

static uint64_t requests_answered(void)
{
    uint64_t n = 0;

    for (enum metric m = METRIC_HTTP_REQUESTS_200; m <= METRIC_HTTP_REQUESTS_OTHER; m++)
        n += metric_total(m);
    return n;
}

static void put_serving(struct supervisor *s, struct buf *out)
{
    uint64_t now = monotonic_ns(), requests = requests_answered();
    struct pgpool_stats pool;
    double seconds = (double)(now - s->beat_ns) / 1e9;

    pgpool_stats(s->opt.health->pool, &pool);
    if (!ops_has_schema(s->opt.health))
        buf_append_lit(out, "waiting for the database");
    else
        buf_printf(out, "serving %.0f req/s, pool %zu/%zu%s",
                   seconds > 0 ? (double)(requests - s->requests) / seconds : 0, pool.busy,
                   pool.max, pool.up ? "" : ", the database cannot be reached");
    s->requests = requests;
    s->beat_ns = now;
}

static void put_status(struct supervisor *s, struct buf *out)
{
    buf_append_lit(out, "STATUS=");
    if (s->stuck)
        buf_append_lit(out, "a worker is stuck");
    else if (s->phase == STOPPING)
        buf_printf(out, "shutting down, %zu requests in flight",
                   workers_in_flight(s->opt.health->workers));
    else if (s->phase == RELOADING)
        buf_append_lit(out, "reloading");
    else
        put_serving(s, out);
    buf_append_char(out, '\n');
}

/* Is every worker well, by the measure of probes or of a shorter watchdog? */
static bool is_live(const struct supervisor *s)
{
    uint64_t stale_ms = s->watchdog_ms > LEAST_STALE_MS ? s->watchdog_ms : LEAST_STALE_MS;

    return ops_is_live(s->opt.health) &&
           workers_oldest_heartbeat_ns(s->opt.health->workers) < stale_ms * UINT64_C(1000000);
}

static void look_for_stuck(struct supervisor *s)
{
    bool stuck = !is_live(s);

    if (stuck && !s->stuck)
        LOG(LOG_ERROR, "a worker is stuck: the watchdog is not fed any more");
    else if (!stuck && s->stuck)
        LOG(LOG_INFO, "no worker is stuck any more");
    s->stuck = stuck;
}

static uint64_t beat_ms(const struct supervisor *s)
{
    /* sd_watchdog_enabled(3): at half of the time */
    return s->watchdog_ms > 0 && s->watchdog_ms / 2 < BEAT_MS ? s->watchdog_ms / 2 : BEAT_MS;
}

static void beat(struct supervisor *s)
{
    struct buf state = {0};

    s->next_beat = deadline_in_ms(beat_ms(s));
    if (s->watchdog_ms > 0)
        look_for_stuck(s);
    if (s->ready_due)
        buf_append_lit(&state, "READY=1\n");
    if (s->watchdog_ms > 0 && !s->stuck)
        buf_append_lit(&state, "WATCHDOG=1\n");
    put_status(s, &state);
    tell(s, &state);
}

/* --- phases ------------------------------------------------------------------------- */

static void run(struct supervisor *s, bool starting)
{
    s->phase = RUNNING;
    s->ready_due = true;
    if (starting && s->opt.started != NULL)
        s->opt.started(s->opt.ctx);
    if (s->fd >= 0)
        beat(s);
}

static void on_timer(void *ctx)
{
    struct supervisor *s = ctx;
    bool glance;

    if (s->phase == STARTING && (ops_has_schema(s->opt.health) || deadline_passed(s->start_by)))
        run(s, true);
    else if (s->phase == RELOADING && s->opt.reloaded(s->opt.ctx, s->reload))
        run(s, false);
    else if (s->fd >= 0 && deadline_passed(s->next_beat))
        beat(s);
    glance = s->phase == STARTING || s->phase == RELOADING;
    if (glance || s->fd >= 0)
        timer_set(s->timer, glance ? deadline_in_ms(GLANCE_MS) : s->next_beat);
}

/* $WATCHDOG_USEC, unless it is for another process. */
static uint64_t watchdog_ms(void)
{
    const char *pid = getenv("WATCHDOG_PID"), *usec = getenv("WATCHDOG_USEC");
    uint64_t process, us;

    if (usec == NULL || !str_to_u64(str_of(usec), &us) || us == 0)
        return 0;
    if (pid != NULL && (!str_to_u64(str_of(pid), &process) || process != (uint64_t)getpid()))
        return 0;
    return us / 1000 > 2 ? us / 1000 : 2;
}

static void open_socket(struct supervisor *s)
{
    const char *address = getenv("NOTIFY_SOCKET"), *why;

    s->fd = -1;
    if (address == NULL || address[0] == '\0')
        return;
    s->address = str_of(address);
    s->fd = sdnotify_open(s->address, &why);
    if (s->fd < 0)
        LOG(LOG_WARN, "could not use $NOTIFY_SOCKET", LOG_STR("socket", s->address),
            LOG_CSTR("error", why));
    else
        s->watchdog_ms = watchdog_ms();
}

struct supervisor *supervisor_start(const struct supervisor_options *opt)
{
    struct supervisor *s = xcalloc(1, sizeof(*s));

    s->opt = *opt;
    s->start_by = deadline_in_ms(START_MS);
    s->next_beat = deadline_in_ms(0);
    s->beat_ns = monotonic_ns();
    open_socket(s);
    s->timer = loop_timer(opt->loop, on_timer, s);
    timer_set(s->timer, deadline_in_ms(0));
    return s;
}

void supervisor_reloading(struct supervisor *s, uint64_t number)
{
    struct buf state = {0};

    if (s->fd < 0 || s->phase == STARTING || s->phase == STOPPING)
        return;
    s->phase = RELOADING;
    s->reload = number;
    buf_printf(&state, "RELOADING=1\nMONOTONIC_USEC=%llu\n",
               (unsigned long long)(monotonic_ns() / 1000));
    put_status(s, &state);
    tell(s, &state);
    timer_set(s->timer, deadline_in_ms(GLANCE_MS));
}

void supervisor_stopping(struct supervisor *s, uint64_t longest_ms)
{
    struct buf state = {0};

    if (s->phase == STARTING && s->opt.started != NULL)
        s->opt.started(s->opt.ctx);
    s->phase = STOPPING;
    s->ready_due = false;
    if (s->fd < 0)
        return;
    buf_printf(&state, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu\n",
               (unsigned long long)longest_ms * 1000);
    put_status(s, &state);
    tell(s, &state);
    timer_set(s->timer, s->next_beat);
}

void supervisor_free(struct supervisor *s)
{
    if (s == NULL)
        return;
    timer_free(s->timer);
    if (s->fd >= 0)
        close(s->fd);
    xfree(s);
}
