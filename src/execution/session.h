/*
 * session.h - role and settings for one transaction.
 *
 * The one place where an identity becomes what PostgreSQL's policies see.
 */
#ifndef EXECUTION_SESSION_H
#define EXECUTION_SESSION_H

#include "auth/auth.h"
#include "base/tracecontext.h"
#include "pg/pgbatch.h"

/* roles: by identity.role, "" for the login role. They and the identity must outlive the session.
 */
void session_init(struct pgsession *s, const struct identity *who, const char *const *roles,
                  uint32_t timeout_ms, struct arena *a);

#define SESSION_TRACE_SETTING "fraiseql.trace_id"
#define SESSION_NAME_SETTING  "application_name"

/*
 * A sampled trace's id, where people who look at the database meet it: in pg_stat_activity and in
 * PostgreSQL's log as the end of application_name, in SQL as the setting fraiseql.trace_id. Nothing
 * for all others (trace NULL or not sampled), whose settings stay as they are.
 */
void session_add_trace(struct pgsession *s, const struct tracecontext *trace,
                       const char *application_name, struct arena *a);

#endif
