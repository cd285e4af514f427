/*
 * pgretry.h - what to do with a batch that came back: hand it over, or send it again?
 *
 * Thread:   the batch's.
 * Memory:   none.
 * Not here: finding another connection (pgclient.c, pgrun.c).
 */
#ifndef PG_PGRETRY_H
#define PG_PGRETRY_H

#include "pg/pgbatch.h"

/* Each at most once. */
enum pgretry {
    PGRETRY_LOST = 1,     /* the connection broke */
    PGRETRY_CONFLICT = 2, /* 40001, 40P01 */
    PGRETRY_STALE = 4,    /* the prepared statement is out of date, or not there */
    PGRETRY_SLOW = 8,     /* too slow for the fast lane */
    PGRETRY_UNSENT = 16,  /* it could not even be sent */
};

/* statement_timeout of the fast lane. */
#define PGRETRY_FAST_TIMEOUT_MS 50

/* A batch whose Sync came back: may it be sent again? If not, its outcome is final. */
bool pgretry_after_failure(struct pgbatch *b);
/* A batch that was in flight when its connection broke. */
bool pgretry_after_loss(struct pgbatch *b);
/* A batch that pgconn_send() refused: the connection's fault, or, the second time, its own. */
bool pgretry_after_no_send(struct pgbatch *b);
/* Under its own name, or unnamed? */
bool pgretry_may_name(const struct pgbatch *b);

#endif
