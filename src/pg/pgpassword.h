/*
 * pgpassword.h - a password that a command prints, for as long as it holds.
 *
 * Thread:   any that may block.
 * Memory:   what is remembered is wiped when it goes.
 */
#ifndef PG_PGPASSWORD_H
#define PG_PGPASSWORD_H

#include "base/buf.h"

struct pgpassword;

/* argv: the program, by an absolute path, with its arguments, to NULL; copied. Its password holds
 * for ttl_ms, 0: for one connection; it may take timeout_ms. */
struct pgpassword *pgpassword_new(const char *const *argv, uint64_t ttl_ms, uint64_t timeout_ms);
void pgpassword_free(struct pgpassword *p); /* NULL is allowed */
/*
 * Adds it to `out`, for the caller to wipe: what was remembered, or else what the command prints
 * now, up to the end of its first line. *fresh: it was printed now. False, and why in `reason`:
 * there is none.
 */
NODISCARD bool pgpassword_get(struct pgpassword *p, struct buf *out, bool *fresh,
                              struct buf *reason);
/* The database did not accept it. */
void pgpassword_forget(struct pgpassword *p);

#endif
