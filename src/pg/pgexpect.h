/*
 * pgexpect.h - the results that are to come on a connection, in order.
 *
 * Thread:   the connection's owner.
 * Memory:   a ring of the connection, which grows and never shrinks.
 *
 * Every command sent adds an entry; every result read belongs to the first.
 */
#ifndef PG_PGEXPECT_H
#define PG_PGEXPECT_H

#include "pg/pgconn.h"

#define NO_SERIAL 0

enum expect_kind {
    EXPECT_PARSE,
    EXPECT_ROWS,
    EXPECT_OWN,
    EXPECT_HOLD, /* nothing comes: the rest of the batch is to be sent */
    EXPECT_SYNC,
};

struct pgexpect {
    struct pgbatch *batch; /* NULL: a command of our own */
    size_t call; /* index, also of a Sync behind it; SIZE_MAX: settings; ncalls: the last Sync */
    uint32_t serial; /* of the slot it uses, or NO_SERIAL */
    uint16_t slot;
    uint8_t kind;
};

static inline struct pgexpect *pgexpect_first(struct pgconn *c)
{
    return &c->expected[c->expected_first];
}

static inline void pgexpect_pop(struct pgconn *c)
{
    c->expected_first = (c->expected_first + 1) % c->expected_cap;
    c->expected_count--;
    c->got_result = false;
}

#endif
