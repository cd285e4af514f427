/*
 * pgstatement.c - a statement's identity.
 *
 * Thread:   any.
 * Memory:   none.
 */
#include "pg/pgstatement.h"

#include "base/digest.h"

void pgstatement_init(struct pgstatement *s, struct str sql, size_t nparams)
{
    struct digest d;

    CHECK(sql.data != NULL && sql.data[sql.len] == '\0');
    *s = (struct pgstatement){.sql = sql, .nparams = nparams};
    /*
     * Cryptographic, and not keyed: behind a pooler a name must mean one text
     * for every connection and every daemon. Once per plan, so its price is none.
     */
    d = digest_sha256(sql);
    memcpy(s->hash, d.bytes, sizeof(s->hash));
}
