/*
 * pgreplica_watch.c - asks a server for its position, and makes of it what a replica may be used
 * for.
 *
 * Thread:   one for each server; it blocks, for a second at most but when it connects.
 * Memory:   owns its connection.
 * Not here: who gets which replica (pgreplicas.c).
 */
#include "pg/pgreplica_watch.h"

#include "pg/pgask.h"

/* How often a replica's thread looks at first whether the primary has answered. */
#define FIRST_MS 10
/* Between attempts to connect. */
#define RETRY_MS 500
/* The header of a WAL page, at most: where the next record would begin behind it. */
#define PAGE_HEADER 40

static const char position_sql[] =
    "select pg_catalog.pg_is_in_recovery(), case when pg_catalog.pg_is_in_recovery() then "
    "pg_catalog.pg_last_wal_replay_lsn() else pg_catalog.pg_current_wal_insert_lsn() end";
static const char cluster_sql[] = "select pg_catalog.current_setting('wal_block_size'), "
                                  "(select system_identifier from pg_catalog.pg_control_system())";
static const char block_size_sql[] = "select pg_catalog.current_setting('wal_block_size'), ''";

static bool is_primary(const struct pgreplica *s)
{
    return s == &s->all->servers[0];
}

static uint64_t age_ns(uint64_t since, uint64_t now)
{
    return now > since ? now - since : 0;
}

/* --- what follows from an answer ---------------------------------------------------------------
 */

/* It is used, or not any more: the log says so once. why: empty when it is. */
static void tell(struct pgreplica *s, bool usable, struct str why)
{
    atomic_store_explicit(&s->usable, usable, memory_order_relaxed);
    if (s->told && s->told_usable == usable)
        return;
    s->told = true;
    s->told_usable = usable;
    if (usable)
        LOG(LOG_INFO, "a replica answers queries", LOG_CSTR("replica", s->name));
    else
        LOG(LOG_WARN, "a replica is not used", LOG_CSTR("replica", s->name),
            LOG_STR("reason", why));
}

static void disconnect(struct pgreplica *s)
{
    PQfinish(s->pg);
    s->pg = NULL;
    if (is_primary(s))
        return;
    atomic_store_explicit(&s->lag_ns, UINT64_MAX, memory_order_relaxed);
    tell(s, false, buf_str(&s->reason));
}

/* Of a primary that is another one, what was remembered says nothing. */
static void remember(struct pgreplicas *r, uint64_t lsn, uint64_t asked_ns)
{
    const struct pgposition *last;

    pthread_mutex_lock(&r->lock);
    last = &r->positions[(r->npositions - 1) % PGREPLICA_POSITIONS];
    if (r->npositions > 0 && lsn < last->lsn)
        r->npositions = 0;
    r->positions[r->npositions++ % PGREPLICA_POSITIONS] = (struct pgposition){lsn, asked_ns};
    pthread_mutex_unlock(&r->lock);
}

/* The newest position of the primary that has been replayed: when it was asked for, or 0. */
static uint64_t time_of(struct pgreplicas *r, uint64_t replayed, bool *all)
{
    uint64_t asked_ns = 0;
    size_t oldest;

    pthread_mutex_lock(&r->lock);
    oldest = r->npositions > PGREPLICA_POSITIONS ? r->npositions - PGREPLICA_POSITIONS : 0;
    *all = false;
    for (size_t i = r->npositions; i > oldest && asked_ns == 0; i--)
        if (r->positions[(i - 1) % PGREPLICA_POSITIONS].lsn <= replayed) {
            asked_ns = r->positions[(i - 1) % PGREPLICA_POSITIONS].asked_ns;
            *all = i == r->npositions;
        }
    pthread_mutex_unlock(&r->lock);
    return asked_ns;
}

/* A replica that has all that is known of the primary is not behind, also while that is away. */
static void judge(struct pgreplica *s, uint64_t replayed)
{
    struct pgreplicas *r = s->all;
    bool all;
    uint64_t has_ns = time_of(r, replayed, &all);
    uint64_t before = atomic_load_explicit(&s->has_ns, memory_order_relaxed);
    uint64_t lag_ns = all ? 0 : age_ns(has_ns != 0 ? has_ns : before, monotonic_ns());

    /* Release: whoever sees the time finds the position. */
    atomic_store_explicit(&s->replayed, replayed, memory_order_relaxed);
    if (has_ns != 0)
        atomic_store_explicit(&s->has_ns, has_ns, memory_order_release);
    else if (before == 0)
        lag_ns = UINT64_MAX; /* nothing can be said yet */
    atomic_store_explicit(&s->lag_ns, lag_ns, memory_order_relaxed);
    buf_clear(&s->reason);
    if (lag_ns == UINT64_MAX)
        buf_append_lit(&s->reason, "it is not known how far behind it is");
    else
        buf_printf(&s->reason, "it is %.1f s behind", (double)lag_ns / 1e9);
    tell(s, lag_ns <= r->opt.max_lag_ms * UINT64_C(1000000), buf_str(&s->reason));
}

/* Nothing ends within a page's header: where the next record is to begin behind one, all that is
 * written ends before it. */
static uint64_t end_of_records(const struct pgreplica *s, uint64_t lsn)
{
    uint64_t within = lsn % s->block_size;

    return within <= PAGE_HEADER ? lsn - within : lsn;
}

/* --- asking ------------------------------------------------------------------------------------
 */

/* One row of two columns; else NULL, and why. */
static PGresult *ask(struct pgreplica *s, const char *sql)
{
    return pgask(s->pg, sql, 2, &s->reason);
}

/* Is it a copy of the primary at all? Where it may not be asked for, that is taken for granted. */
static bool is_of_cluster(struct pgreplica *s, const char *system)
{
    struct pgreplicas *r = s->all;
    bool same;

    pthread_mutex_lock(&r->lock);
    if (is_primary(s))
        snprintf(r->system, sizeof(r->system), "%s", system);
    same = system[0] == '\0' || r->system[0] == '\0' || strcmp(system, r->system) == 0;
    pthread_mutex_unlock(&r->lock);
    if (!same) {
        buf_clear(&s->reason);
        buf_append_lit(&s->reason, "it is not a copy of the primary: its system identifier is "
                                   "another");
    }
    return same;
}

static bool learn_cluster(struct pgreplica *s)
{
    PGresult *res = ask(s, cluster_sql);
    bool ok;

    if (res == NULL && PQstatus(s->pg) == CONNECTION_OK && !PQisBusy(s->pg))
        res = ask(s, block_size_sql);
    if (res == NULL)
        return false;
    s->block_size = strtoull(PQgetvalue(res, 0, 0), NULL, 10);
    ok = s->block_size > 0 && is_of_cluster(s, PQgetvalue(res, 0, 1));
    PQclear(res);
    return ok;
}

static bool connect_to(struct pgreplica *s)
{
    s->pg = pglease_plain(s->pool, &s->reason);
    /* What held it up may have lasted until the pool was gone. */
    if (s->pg == NULL || !rounds_wait(&s->all->rounds, 0) || !learn_cluster(s))
        return false;
    pglease_try_now(s->pool);
    return true;
}

static bool ask_position(struct pgreplica *s)
{
    uint64_t asked_ns = monotonic_ns(), lsn = 0;
    PGresult *res = ask(s, position_sql);
    bool recovers, known;

    if (res == NULL)
        return false;
    recovers = PQgetvalue(res, 0, 0)[0] == 't';
    known = pgposition_parse(str_of(PQgetvalue(res, 0, 1)), &lsn);
    PQclear(res);
    if (is_primary(s)) {
        if (known && !recovers)
            remember(s->all, end_of_records(s, lsn), asked_ns);
        return true;
    }
    /* One that was promoted goes its own way. */
    if (!known || !recovers) {
        buf_clear(&s->reason);
        buf_append_lit(&s->reason, "it is no standby");
        return false;
    }
    judge(s, lsn);
    return true;
}

/* --- the thread ----------------------------------------------------------------------------------
 */

/* Until then nothing can be said of a replica. */
static bool is_primary_known(struct pgreplicas *r)
{
    bool known;

    pthread_mutex_lock(&r->lock);
    known = r->npositions > 0;
    pthread_mutex_unlock(&r->lock);
    return known;
}

void pgreplica_watch(void *server)
{
    struct pgreplica *s = server;
    uint64_t ms = 0;

    if (!is_primary(s))
        while (rounds_wait(&s->all->rounds, FIRST_MS) && !is_primary_known(s->all))
            continue;
    while (rounds_wait(&s->all->rounds, ms)) {
        ms = s->all->poll_ms;
        if ((s->pg == NULL && !connect_to(s)) || !ask_position(s)) {
            disconnect(s);
            ms = RETRY_MS;
        }
    }
    PQfinish(s->pg);
}
