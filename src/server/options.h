/*
 * options.h - from the configuration to each module's own options.
 *
 * Modules see their options structure only; this is the seam between their
 * words and the configuration's.
 */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "auth/auth.h"
#include "config/config.h"
#include "http/listener.h"
#include "http/tls.h"
#include "jobs/jobs.h"
#include "jobs/schema_watch.h"
#include "pg/pgreplicas.h"
#include "server/graphiql.h"
#include "server/graphql_endpoint.h"
#include "server/jwks_watch.h"

size_t options_workers(const struct config *c);
struct listener_options options_listener(const struct config *c, struct str address);
struct tls_options options_tls(const struct config *c);
/* The roles that requests may run as: database.role, then those that tokens may name. */
size_t options_nroles(const struct config *c);
const char *const *options_roles(const struct config *c, struct arena *a);
/* Of their statements, in milliseconds. */
const uint32_t *options_timeouts(const struct config *c, struct arena *a);
/* NULL with CONFIG_INVALID errors. */
struct auth *options_auth(const struct config *c, struct arena *a, struct errors *errs);
/* Those of auth.jwt.keys in place of those before; as auth_set_keys(). */
NODISCARD bool options_set_keys(const struct config *c, struct auth *auth, struct arena *a,
                                struct errors *errs);
/* All but auth; neither url nor file: there is no key set. */
/* Issuers of tokens, whose key sets are watched each for itself; at least 1. */
size_t options_issuers(const struct config *c);
struct jwks_watch_options options_jwks_watch(const struct config *c, size_t issuer,
                                             struct arena *a);
/* From when on a request is slow, for the log or for traces; 0: never. */
uint64_t options_slow_ns(const struct config *c);
/* Of its connections. */
const char *options_application_name(const struct config *c, struct arena *a);
/* By which a connection is made. */
struct pgpool_options options_pgpool(const struct config *c, struct arena *a);
struct pgpool *options_pool(const struct config *c, struct arena *a, struct errors *errs);
/* The standbys that may answer queries, of that primary. False with CONFIG_INVALID errors; NULL:
 * there are none. */
NODISCARD bool options_replicas(const struct config *c, struct pgpool *primary, struct arena *a,
                                struct pgreplicas **out, struct errors *errs);
/* How connections to each of them are made. */
const struct pgpool_options *options_replica_pools(const struct config *c, struct arena *a);
/* What documents may be named by, with stores of their own: NULL where there is none. False with
 * CONFIG_INVALID errors. */
NODISCARD bool options_recall(const struct config *c, struct persisted **store,
                              struct trusted **trusted, struct recall_options *out,
                              struct errors *errs);
/* Which operations have a name in metrics; trusted may be NULL. */
struct labels *options_labels(const struct config *c, const struct trusted *trusted);
/* The settings that hold the tenant. */
const struct config_strings *options_tenant_settings(const struct config *c);
/* NULL: off. Owned by the caller. */
struct resultcache *options_results(const struct config *c, struct arena *a);
/* Owned by the caller: options_limits_free(). */
struct request_limits options_limits(const struct config *c);
void options_limits_free(struct request_limits *l);
/* All but auth, engine and limits. */
struct graphql_context options_graphql(const struct config *c, struct arena *a);
/* As graphiql_new(). */
NODISCARD bool options_graphiql(const struct config *c, struct arena *a,
                                const struct graphiql **out, struct errors *errs);
/* As jobs_list(), and the time zone exists. */
NODISCARD bool options_jobs(const struct config *c, struct arena *a, struct job_list *out,
                            struct errors *errs);
struct parse_limits options_parse_limits(const struct config *c);
struct validate_limits options_validate_limits(const struct config *c);
/* All but pool and slot. */
struct schema_watch_options options_schema_watch(const struct config *c, struct arena *a);

#endif
