/*
 * catalog.h - the catalog document (JSON) to a schema.
 *
 * Thread:   any; one at a time per call.
 * Memory:   the schema owns everything; nothing of the document is kept.
 * Not here: reading the document from the database (sql/catalog.sql, run by jobs/ and commands/).
 */
#ifndef SCHEMA_CATALOG_H
#define SCHEMA_CATALOG_H

#include "schema/schema.h"

/* A claim of the identity's, which fills arguments named auth_<claim>. */
struct schema_claim {
    struct str name;
    struct str setting; /* session setting that holds it; empty: none does */
};

struct schema_options {
    const struct str *strip_prefixes; /* of relation names: "v_", "tv_", ... */
    size_t nstrip_prefixes;
    struct str tenant_column;  /* name of the column that holds the tenant; empty: none */
    bool tenancy;              /* requests have tenants: see what keeps them apart (audit.h), and
                                  guard what nothing else does (tenancy.h) */
    struct str tenant_setting; /* session setting that holds the request's tenant; empty: none */
    int64_t default_limit;     /* schema.pagination */
    int64_t max_limit;
    bool field_transactions; /* schema.mutations.transaction: field */
    struct str sdl;          /* text of schema.sdl_file; data is NULL: none */
    struct str sdl_name;     /* its path, for messages */
    bool partial;            /* of a role that may see less than what comments and the file name */
    const struct schema_claim *claims;
    size_t nclaims;
    bool crud;                   /* mutations that insert, update, delete and upsert rows */
    bool null_safe_filters;      /* neq and nin keep rows where the value is null */
    const struct str *full_text; /* patterns relation.column of text that can be searched */
    size_t nfull_text;
    bool connections; /* schema.relay */
    bool node;
    bool bigint_numbers;  /* int8 as JSON numbers, not strings */
    bool decimal_numbers; /* numeric as JSON numbers, not strings */
};

/* v_ tv_ tb_ mv_ fn_, tenant_id, 100, 1000, no claims, all of Relay. */
struct schema_options schema_options_default(void);

/*
 * The GraphQL schema of the one JSON document that sql/catalog.sql returns, with
 * one reference. NULL, with SCHEMA_INVALID for each thing that is wrong, if it is
 * not a legal schema. A document that is none (BAD_REQUEST of jval, or
 * SCHEMA_INVALID) is refused the same way.
 */
struct schema *schema_from_catalog(struct str json, const struct schema_options *opt,
                                   struct errors *errs);

#endif
