/*
 * audit.h - where row security does not keep tenants apart, and what will be slow.
 *
 * Thread:   any; constant once the schema is published.
 * Memory:   in the schema's arena.
 * Not here: what is done about it (jobs/schema_watch.c, commands/check.c).
 */
#ifndef SCHEMA_AUDIT_H
#define SCHEMA_AUDIT_H

#include "base/str.h"

enum finding_code {
    FINDING_ROLE_BYPASSES, /* the request role is superuser or has bypassrls */
    FINDING_ROLE_OWNS,     /* it owns a table whose row security is not forced */
    FINDING_NOT_ENABLED,   /* a table without row security */
    FINDING_NO_POLICY,     /* a table that shows the role nothing, for want of a policy */
    FINDING_VIEW_OF_OWNER, /* a view that reads past row security, as its owner */
    FINDING_MATVIEW,       /* row security is not for materialized views … */
    FINDING_FOREIGN_TABLE, /* … nor for foreign tables */
    FINDING_NO_INDEX,      /* advice: rows are looked for without an index */
    FINDING_NOT_LEAKPROOF, /* advice: row security keeps an index from being used */
    FINDING_FAILS_UNSET,   /* advice: a policy that fails where its setting is empty */
    FINDING_SEARCH_PATH,   /* security definer, without a search_path of its own */
};

struct finding {
    enum finding_code code;
    struct str object;  /* table "public.tasks" */
    struct str problem; /* row security is not enabled */
    struct str fix;     /* statements of SQL, one per line; where a choice is left, a comment */
};

/* How many of them are of isolation, and not only advice. */
size_t findings_of_isolation(const struct finding *findings, size_t n);
/* Is it advice about speed? */
bool finding_is_advice(enum finding_code code);
/* "not_enabled": stable, for logs and tools. */
const char *finding_code_name(enum finding_code code);

#endif
