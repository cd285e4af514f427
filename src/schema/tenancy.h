/*
 * tenancy.h - relations whose rows the daemon itself keeps to the request's tenant.
 *
 * Thread:   one at a time.
 * Memory:   in the schema's arena.
 * Not here: where the condition is written into statements (planner/compile.c), which relations
 *           row security guards (audit.c).
 */
#ifndef SCHEMA_TENANCY_H
#define SCHEMA_TENANCY_H

#include "schema/build.h"

/* Does the relation's annotation say which column holds the tenant? */
bool tenancy_declared(const struct doc_relation *r);
/* The column that holds the tenant: the declared one, or the one that is named as tenants' columns
 * are; NULL if none. */
const struct doc_column *tenancy_column(const struct builder *b, const struct doc_relation *r);
/*
 * Is every read of the exposed relation to have the tenant's condition? Where it is declared, and
 * where row security cannot be: on materialized views and foreign tables with the tenant's column.
 */
bool tenancy_guards(const struct builder *b, const struct doc_relation *r);
/* Sets tenant_column and tenant_value of a relation whose columns are made. SCHEMA_INVALID if it
 * declares a column that the role may not read. */
void tenancy_set(struct builder *b, const struct doc_relation *d, struct relation *r);

#endif
