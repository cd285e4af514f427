/*
 * joblist.c - which jobs there are: those of the daemon, jobs.refresh and jobs.definitions.
 *
 * Thread:   the one that starts, or a command's.
 * Memory:   the list's arena.
 */
#include "jobs/jobs.h"

#define MINUTES UINT64_C(60000)

#define REFRESH_SCHEDULE   "*/5 * * * *"
#define DEFAULT_TIMEOUT_MS (4 * MINUTES)

/* clang-format off */
/* In the order of enum job_kind: name, schedule, timeout, once at the start too, each daemon for itself. */
static const struct builtin {
    const char *name;
    const char *schedule;
    uint64_t timeout_ms;
    bool at_start;
    bool everywhere;
} builtins[] = {
    [JOB_CACHE_CLEANUP] = {"cache_cleanup", "*/5 * * * *", 2 * MINUTES,  false, false},
    [JOB_PARTITIONS]    = {"partitions",    "@weekly",     5 * MINUTES,  true,  false},
    [JOB_RETENTION]     = {"retention",     "15 3 * * *",  10 * MINUTES, false, false},
    [JOB_STATISTICS]    = {"statistics",    "*/5 * * * *", 1 * MINUTES,  true,  true },
    [JOB_CACHE_WARM]    = {"cache_warm",    "off",         4 * MINUTES,  false, false},
};
/* clang-format on */

static size_t builtin_find(struct str name)
{
    size_t i = 0;

    while (i < COUNT_OF(builtins) && !str_is(name, builtins[i].name))
        i++;
    return i;
}

static void refuse(struct errors *errs, struct str name, const char *what, const char *why)
{
    errors_add(errs, CONFIG_INVALID, "jobs.definitions.%.*s%s %s", STR_ARG(name), what, why);
}

static void set_schedule(struct scheduled_job *j, struct str text, struct errors *errs)
{
    const char *why;

    j->schedule = text;
    j->off = str_is(text, "off") || str_is(text, "false");
    if (!j->off && !cron_parse(text, &j->cron, &why))
        refuse(errs, j->name, ".schedule:", why);
}

static struct scheduled_job builtin_job(enum job_kind kind, struct errors *errs)
{
    const struct builtin *b = &builtins[kind];
    struct scheduled_job j = {
        .name = str_of(b->name),
        .kind = kind,
        .timeout_ms = b->timeout_ms,
        .at_start = b->at_start,
        .everywhere = b->everywhere,
    };

    set_schedule(&j, str_of(b->schedule), errs);
    return j;
}

/* What a definition is about: one of builtin, refresh and sql; or the builtin of its own name. */
static bool define(struct scheduled_job *j, const struct config_job *c, struct arena *a,
                   struct errors *errs)
{
    size_t builtin = builtin_find(c->builtin.len > 0 ? c->builtin : c->name);
    int n = (c->builtin.len > 0) + (c->refresh.len > 0) + (c->sql.len > 0);

    if (n > 1 || (n == 0 && builtin == COUNT_OF(builtins)) ||
        (c->builtin.len == 0 && n > 0 && builtin < COUNT_OF(builtins))) {
        refuse(errs, c->name, "", "needs one of builtin, refresh and sql, and a name of its own");
        return false;
    }
    *j = (struct scheduled_job){.kind = JOB_SQL, .timeout_ms = DEFAULT_TIMEOUT_MS};
    if (builtin < COUNT_OF(builtins))
        *j = builtin_job((enum job_kind)builtin, errs);
    else if (c->refresh.len > 0)
        j->kind = JOB_REFRESH;
    j->name = c->name;
    j->argument = arena_dup(a, c->refresh.len > 0 ? c->refresh : c->sql);
    j->plainly = c->plainly;
    j->documents = c->documents.items;
    j->ndocuments = c->documents.n;
    j->tenants = c->tenants.items;
    j->ntenants = c->tenants.n;
    if (j->kind != JOB_CACHE_WARM && j->ndocuments + j->ntenants > 0)
        refuse(errs, c->name, "", "is not cache_warm: it has no documents and tenants");
    if (c->timeout_ms > 0)
        j->timeout_ms = c->timeout_ms;
    if (c->schedule.len > 0)
        set_schedule(j, c->schedule, errs);
    else if (builtin == COUNT_OF(builtins))
        refuse(errs, c->name, "", "has no schedule");
    return true;
}

static struct scheduled_job refresh_job(struct str view, struct arena *a, struct errors *errs)
{
    struct scheduled_job j = {.name = arena_printf(a, "refresh_%.*s", STR_ARG(view)),
                              .kind = JOB_REFRESH,
                              .argument = arena_dup(a, view),
                              .timeout_ms = DEFAULT_TIMEOUT_MS};

    set_schedule(&j, STR(REFRESH_SCHEDULE), errs);
    return j;
}

/* In its place by name; one of the same name is replaced. */
static void put(struct scheduled_job *jobs, size_t *n, struct scheduled_job j)
{
    size_t at = 0;

    while (at < *n && str_cmp(jobs[at].name, j.name) < 0)
        at++;
    if (at == *n || !str_eq(jobs[at].name, j.name)) {
        memmove(jobs + at + 1, jobs + at, (*n - at) * sizeof(*jobs));
        (*n)++;
    }
    jobs[at] = j;
}

bool jobs_list(const struct config *c, struct arena *a, struct job_list *out, struct errors *errs)
{
    struct scheduled_job *jobs =
        ARENA_ARRAY(a, COUNT_OF(builtins) + c->jobs_refresh.n + c->njobs, struct scheduled_job);
    size_t n = 0, before = errs->n;
    struct scheduled_job j;

    for (size_t i = 0; i < COUNT_OF(builtins); i++)
        put(jobs, &n, builtin_job((enum job_kind)i, errs));
    for (size_t i = 0; i < c->jobs_refresh.n; i++)
        put(jobs, &n, refresh_job(c->jobs_refresh.items[i], a, errs));
    for (size_t i = 0; i < c->njobs; i++)
        if (define(&j, &c->jobs[i], a, errs))
            put(jobs, &n, j);
    for (size_t i = 0; i < n; i++) {
        jobs[i].batch = c->cache_cleanup_batch;
        jobs[i].max_bytes = c->cache_max_bytes;
    }
    *out = (struct job_list){jobs, n};
    return errs->n == before;
}

const struct scheduled_job *jobs_find(const struct job_list *l, struct str name)
{
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->items[i].name, name))
            return &l->items[i];
    return NULL;
}
