/*
 * session.h - role and settings for one transaction.
 *
 * The one place where an identity becomes what PostgreSQL's policies see.
 */
#ifndef EXECUTION_SESSION_H
#define EXECUTION_SESSION_H

#include "auth/auth.h"
#include "pg/pgbatch.h"

/* roles: by identity.role, "" for the login role. They and the identity must outlive the session.
 */
void session_init(struct pgsession *s, const struct identity *who, const char *const *roles,
                  uint32_t timeout_ms, struct arena *a);

#endif
