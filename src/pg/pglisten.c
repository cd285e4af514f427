/*
 * pglisten.c - LISTEN, and again after a lost connection.
 *
 * Thread:   one; see pglisten.h.
 * Memory:   owns its connection.
 */
#include "pg/pglisten.h"

#include "pg/pglease.h"

struct pglisten {
    struct pgpool *pool;
    const char *channel;
    PGconn *pg; /* owned; NULL while not connected */
    struct buf reason;
    struct deadline next_try; /* while not connected */
    uint64_t pause_ms;
    bool told; /* the log knows that nothing is heard */
};

struct pglisten *pglisten_new(struct pgpool *p, const char *channel)
{
    struct pglisten *l = xcalloc(1, sizeof(*l));

    l->pool = p;
    l->channel = channel;
    buf_init(&l->reason, 0);
    return l;
}

void pglisten_free(struct pglisten *l)
{
    if (l == NULL)
        return;
    PQfinish(l->pg);
    buf_fini(&l->reason);
    xfree(l);
}

int pglisten_fd(const struct pglisten *l)
{
    return l->pg != NULL ? PQsocket(l->pg) : -1;
}

struct deadline pglisten_due(const struct pglisten *l)
{
    return l->pg != NULL ? DEADLINE_NEVER : l->next_try;
}

static void disconnect(struct pglisten *l)
{
    const struct pgpool_options *opt = &l->pool->opt;

    PQfinish(l->pg);
    l->pg = NULL;
    l->pause_ms =
        l->pause_ms == 0 ? opt->backoff_min_ms : size_min(2 * l->pause_ms, opt->backoff_max_ms);
    l->next_try = deadline_in_ms(l->pause_ms);
    if (!l->told)
        LOG(LOG_WARN, "notifications are not heard", LOG_CSTR("channel", l->channel),
            LOG_STR("reason", buf_str(&l->reason)));
    l->told = true;
}

/* A pooler makes up the process id that it gives its clients. */
static bool is_pooled(struct pglisten *l)
{
    PGresult *res = PQexec(l->pg, "select pg_catalog.pg_backend_pid()");
    bool pooled = PQresultStatus(res) == PGRES_TUPLES_OK &&
                  strtol(PQgetvalue(res, 0, 0), NULL, 10) != PQbackendPID(l->pg);

    PQclear(res);
    return pooled;
}

static bool listen_to(struct pglisten *l)
{
    char *name = PQescapeIdentifier(l->pg, l->channel, strlen(l->channel));
    PGresult *res;
    bool ok;

    buf_clear(&l->reason);
    buf_printf(&l->reason, "listen %s", name != NULL ? name : "\"\"");
    PQfreemem(name);
    res = PQexec(l->pg, buf_cstr(&l->reason));
    ok = PQresultStatus(res) == PGRES_COMMAND_OK;
    PQclear(res);
    buf_clear(&l->reason);
    if (!ok)
        buf_append_str(&l->reason, str_trim(str_of(PQerrorMessage(l->pg))));
    return ok;
}

static void connect_and_listen(struct pglisten *l)
{
    l->pg = pglease_plain(l->pool, &l->reason);
    if (l->pg == NULL) {
        disconnect(l);
        return;
    }
    if (is_pooled(l)) {
        LOG(LOG_INFO, "notifications are not heard: a pooler is between",
            LOG_CSTR("channel", l->channel));
        PQfinish(l->pg);
        l->pg = NULL;
        l->next_try = DEADLINE_NEVER;
        return;
    }
    if (!listen_to(l)) {
        disconnect(l);
        return;
    }
    if (l->told)
        LOG(LOG_INFO, "notifications are heard again", LOG_CSTR("channel", l->channel));
    l->told = false;
    l->pause_ms = 0;
}

static bool hear(struct pglisten *l, struct str payload)
{
    bool alive = PQconsumeInput(l->pg) == 1;
    bool heard = false;
    PGnotify *n;

    while ((n = PQnotifies(l->pg)) != NULL) {
        heard = heard || n->extra[0] == '\0' || str_eq(str_of(n->extra), payload);
        PQfreemem(n);
    }
    if (!alive || PQstatus(l->pg) != CONNECTION_OK) {
        buf_clear(&l->reason);
        buf_append_str(&l->reason, str_trim(str_of(PQerrorMessage(l->pg))));
        disconnect(l);
    }
    return heard;
}

bool pglisten_step(struct pglisten *l, struct str payload)
{
    if (l->pg != NULL)
        return hear(l, payload);
    if (!deadline_passed(l->next_try))
        return false;
    connect_and_listen(l);
    return l->pg != NULL;
}
