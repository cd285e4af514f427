/*
 * authrule.h - what a request needs to use a part of the schema: @auth.
 *
 * Thread:   any; constant once made.
 * Memory:   rules are in the schema's arena.
 * Not here: what an operation uses (planner/plan_auth.c), whether an identity has it
 *           (execution/authorize.c).
 */
#ifndef SCHEMA_AUTHRULE_H
#define SCHEMA_AUTHRULE_H

#include "base/buf.h"
#include "schema/annotations.h"

struct builder;
struct field;

/* One of the roles, if there are any, and all of the scopes; neither: any identity that is
 * authenticated. */
struct auth_rule {
    const struct str *roles;
    size_t nroles;
    const struct str *scopes;
    size_t nscopes;
};

bool authrule_eq(const struct auth_rule *a, const struct auth_rule *b);
/* ' @auth(roles: ["admin"], scopes: ["read:pay"])'; nothing for NULL. */
void authrule_print(const struct auth_rule *r, struct buf *out);
/* The rule that stands at a field: its own, or that of what it shows. NULL: none. */
const struct auth_rule *authrule_of_field(const struct field *f);

/* For the builder: what was said as a rule, NULL if nothing was; the schema has rules then. */
const struct auth_rule *authrule_make(struct builder *b, const struct said_auth *said);
/* SCHEMA_INVALID for a list that nobody could satisfy. */
void authrule_check(const struct said_auth *said, struct errors *errs);
/* What was said at a field of the SDL file: of the column, relationship or function that it
 * shows, which has it wherever it is used, or of the field itself. */
void authrule_settle(struct builder *b, const struct said_auth *said, struct field *f);

#endif
