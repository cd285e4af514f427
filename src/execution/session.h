/*
 * session.h - role and settings for one transaction.
 *
 * The one place where an identity becomes what PostgreSQL's policies see.
 */
#ifndef EXECUTION_SESSION_H
#define EXECUTION_SESSION_H

#include "auth/auth.h"
#include "pg/pgbatch.h"

/* role: "" for none. The identity must outlive the session. */
void session_init(struct pgsession *s, const struct identity *who, const char *role,
                  uint32_t timeout_ms, struct arena *a);

#endif
