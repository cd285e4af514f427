/*
 * options.c - from the configuration to each module's own options.
 *
 * Thread:   main, at start.
 * Memory:   in the arena given, or borrowed from the config.
 */
#include "server/options.h"

#include "base/thread.h"
#include "jobs/timezone.h"
#include "metrics/metrics.h"
#include "server/costs.h"
#include "server/descriptors.h"

size_t options_workers(const struct config *c)
{
    unsigned cpus = thread_cpus();

    if (c->workers > 0)
        return c->workers;
    return cpus > 1 ? cpus - 1 : 1; /* the loop has one */
}

struct listener_options options_listener(const struct config *c, struct str address)
{
    return (struct listener_options){
        .address = address,
        .keepalive_timeout_ms = c->keepalive_timeout_ms,
        .header_timeout_ms = c->header_timeout_ms,
        .body_timeout_ms = c->body_timeout_ms,
        .request_timeout_ms = c->request_timeout_ms,
        .write_timeout_ms = c->write_timeout_ms,
        .max_connections = descriptors_connections(c),
        .max_connections_per_ip = c->max_connections_per_ip,
        .max_header_bytes = c->max_header_bytes,
        .max_headers = c->max_headers,
        .max_uri_bytes = c->max_uri_bytes,
        .max_body_bytes = c->max_body_bytes,
        .server_header = c->server_header,
        .request_id_header = c->request_id_header,
        .accept_request_id = c->request_id_accept_all,
        .trusted_proxies = c->trusted_proxies.items,
        .ntrusted_proxies = c->trusted_proxies.n,
    };
}

struct tls_options options_tls(const struct config *c)
{
    return (struct tls_options){
        .cert_file = c->tls_cert_file,
        .key_file = c->tls_key_file,
        .client_ca_file = c->tls_client_ca_file,
        .client_auth = (enum tls_client_auth)c->tls_client_auth,
        .only_1_3 = c->tls_only_1_3,
        .ciphers = c->tls_ciphers,
    };
}

static const struct auth_key_options *auth_keys(const struct config_key *from, size_t n,
                                                struct arena *a)
{
    struct auth_key_options *keys = ARENA_ARRAY(a, n ? n : 1, struct auth_key_options);

    for (size_t i = 0; i < n; i++)
        keys[i] =
            (struct auth_key_options){from[i].kid, from[i].alg, from[i].secret, from[i].public_key};
    return keys;
}

static const struct auth_claim_options *auth_claims(const struct config_claim *from, size_t n,
                                                    struct arena *a)
{
    struct auth_claim_options *claims = ARENA_ARRAY(a, n ? n : 1, struct auth_claim_options);

    for (size_t i = 0; i < n; i++)
        claims[i] = (struct auth_claim_options){
            .name = from[i].name,
            .path = from[i].path,
            .settings = from[i].settings.items,
            .nsettings = from[i].settings.n,
            .type = from[i].uuid ? CLAIM_UUID : CLAIM_TEXT,
            .required = from[i].required,
        };
    return claims;
}

/* Empty: the claim is where it usually is. */
static struct str claim_path(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->nclaims; i++)
        if (str_eq(c->claims[i].name, name))
            return c->claims[i].path;
    return STR("");
}

static bool check_key_set(const struct config *c, const char *section, struct str url,
                          struct str file, struct errors *errs)
{
    size_t before = errs->n;

    if (url.len > 0 && file.len > 0)
        errors_add(errs, CONFIG_INVALID, "%s.url and %s.file exclude each other", section, section);
    else if (url.len > 0 && !str_starts(url, STR("https://")) &&
             !(c->jwks_allow_http && str_starts(url, STR("http://"))))
        errors_add(errs, CONFIG_INVALID, "%s.url is not https (see auth.jwks.allow_http)", section);
    return errs->n == before;
}

static bool check_jwks(const struct config *c, struct arena *a, struct errors *errs)
{
    bool ok = check_key_set(c, "auth.jwks", c->jwks_url, c->jwks_file, errs);

    for (size_t i = 0; i < c->nissuers; i++)
        ok = check_key_set(c, arena_printf(a, "auth.issuers[%zu].jwks", i).data,
                           c->issuers[i].jwks_url, c->issuers[i].jwks_file, errs) &&
             ok;
    return ok;
}

static const struct auth_issuer_options *auth_issuers(const struct config *c, struct arena *a)
{
    struct auth_issuer_options *all = ARENA_ARRAY(a, c->nissuers, struct auth_issuer_options);

    for (size_t i = 0; i < c->nissuers; i++) {
        const struct config_issuer *from = &c->issuers[i];

        all[i] = (struct auth_issuer_options){
            .iss = from->iss,
            .algorithms = from->algorithms.items,
            .nalgorithms = from->algorithms.n,
            .audiences = from->audiences.items,
            .naudiences = from->audiences.n,
            .keys = auth_keys(from->keys, from->nkeys, a),
            .nkeys = from->nkeys,
            .key_sets = from->jwks_url.len > 0 || from->jwks_file.len > 0,
            .key_sets_open = from->jwks_url.len > 0,
            .claims = auth_claims(from->claims, c->nclaims, a),
            .roles_path = from->roles_path,
            .scopes_path = from->scopes_path,
            .role_path = from->role_claim_path,
            .roles = from->role_claim_allowed.items,
            .nroles = from->role_claim_allowed.n,
        };
    }
    return all;
}

/* What no request runs as would have no effect. */
static bool check_roles(const struct config *c, struct errors *errs)
{
    size_t before = errs->n;

    for (size_t i = 0; i < c->nroles; i++) {
        struct str name = c->roles[i].name;
        bool known = str_eq(name, c->database_role);

        for (size_t j = 0; j < c->role_claim_allowed.n; j++)
            known = known || str_eq(name, c->role_claim_allowed.items[j]);
        if (!known)
            errors_add(errs, CONFIG_INVALID,
                       "database.roles.%.*s: not database.role, nor among auth.role_claim.allowed",
                       STR_ARG(name));
    }
    return errs->n == before;
}

struct auth *options_auth(const struct config *c, struct arena *a, struct errors *errs)
{
    static const enum auth_mode modes[] = {
        [CONFIG_AUTH_NONE] = AUTH_NONE,
        [CONFIG_AUTH_OPTIONAL] = AUTH_OPTIONAL,
        [CONFIG_AUTH_REQUIRED] = AUTH_REQUIRED,
    };
    struct auth_options opt = {
        .mode = modes[c->auth_mode],
        .by_issuer = auth_issuers(c, a),
        .nby_issuer = c->nissuers,
        .algorithms = c->jwt_algorithms.items,
        .nalgorithms = c->jwt_algorithms.n,
        .issuers = c->jwt_issuers.items,
        .nissuers = c->jwt_issuers.n,
        .audiences = c->jwt_audiences.items,
        .naudiences = c->jwt_audiences.n,
        .leeway_s = c->jwt_leeway_ms / 1000,
        .require_exp = c->jwt_require_exp,
        .max_age_s = c->jwt_max_age_ms / 1000,
        .max_token_bytes = c->jwt_max_token_bytes,
        .cache_entries = c->jwt_cache_entries,
        .cache_ttl_s = c->jwt_cache_ttl_ms / 1000,
        .keys = auth_keys(c->jwt_keys, c->njwt_keys, a),
        .nkeys = c->njwt_keys,
        .revocation = c->revocation_enabled,
        .key_sets = c->jwks_url.len > 0 || c->jwks_file.len > 0,
        .key_sets_open = c->jwks_url.len > 0,
        .claims = auth_claims(c->claims, c->nclaims, a),
        .nclaims = c->nclaims,
        .roles_path = claim_path(c, STR("roles")),
        .scopes_path = claim_path(c, STR("scopes")),
        .role_path = c->role_claim_path,
        .roles = c->role_claim_allowed.items,
        .nroles = c->role_claim_allowed.n,
        .tenancy = c->tenancy_enabled,
        .tenant_claim = c->tenancy_claim,
    };

    if (!check_jwks(c, a, errs) || !check_roles(c, errs))
        return NULL;
    return auth_new(&opt, errs);
}

bool options_set_keys(const struct config *c, struct auth *auth, struct arena *a,
                      struct errors *errs)
{
    return auth_set_keys(auth, auth_keys(c->jwt_keys, c->njwt_keys, a), c->njwt_keys, errs);
}

size_t options_issuers(const struct config *c)
{
    return c->nissuers > 0 ? c->nissuers : 1;
}

struct jwks_watch_options options_jwks_watch(const struct config *c, size_t issuer, struct arena *a)
{
    struct str url = c->nissuers > 0 ? c->issuers[issuer].jwks_url : c->jwks_url;
    struct str file = c->nissuers > 0 ? c->issuers[issuer].jwks_file : c->jwks_file;

    return (struct jwks_watch_options){
        .issuer = issuer,
        .url = url.len > 0 ? arena_dup(a, url).data : NULL,
        .file = file.len > 0 ? arena_dup(a, file).data : NULL,
        .ca_file = c->jwks_ca_file.len > 0 ? arena_dup(a, c->jwks_ca_file).data : NULL,
        .refresh_ms = c->jwks_refresh_ms,
        .min_refetch_ms = c->jwks_min_refetch_ms,
        .timeout_ms = c->jwks_timeout_ms,
        .stale_ok_ms = c->jwks_stale_ok_ms,
        .allow_http = c->jwks_allow_http,
    };
}

bool options_graphiql(const struct config *c, struct arena *a, const struct graphiql **out,
                      struct errors *errs)
{
    bool suits = graphiql_embedded() != NULL && !str_is(c->environment, "production");
    struct graphiql_options opt = {
        .enabled = c->graphiql == CONFIG_AUTO ? suits : c->graphiql == CONFIG_ON,
        .content = graphiql_embedded(),
        .path = c->graphiql_path,
        .graphql_path = c->graphql_path,
        .token_required = c->auth_mode == CONFIG_AUTH_REQUIRED,
    };

    return graphiql_new(&opt, a, out, errs);
}

static struct credentials_options credentials(const struct config *c)
{
    bool usual = str_eq_nocase(c->jwt_header, STR("Authorization"));

    return (struct credentials_options){.header = usual ? STR("") : c->jwt_header,
                                        .cookie = c->jwt_cookie};
}

struct graphql_context options_graphql(const struct config *c, struct arena *a)
{
    struct graphql_context ctx = {
        .credentials = credentials(c),
        .vary =
            arena_printf(a, "Accept, %s%.*s%s%s", c->compression_enabled ? "Accept-Encoding, " : "",
                         STR_ARG(c->jwt_header), c->jwt_cookie.len > 0 ? ", Cookie" : "",
                         c->cors_enabled ? ", Origin" : ""),
        .compress_from = c->compression_enabled ? c->compression_min_bytes : SIZE_MAX,
        .max_batch = c->batching_enabled ? c->batching_max_operations : 0,
        .csrf_prevention = c->csrf_prevention,
        .server_timing = c->server_timing,
        .log_access = c->log_access,
    };

    cors_init(&ctx.cors, c, a);
    return ctx;
}

static const struct pgkeyword *pool_keywords(const struct config *c, struct arena *a)
{
    struct pgkeyword *k =
        ARENA_ARRAY(a, c->database_keywords.n ? c->database_keywords.n : 1, struct pgkeyword);

    for (size_t i = 0; i < c->database_keywords.n; i++)
        k[i] = (struct pgkeyword){arena_dup(a, c->database_keywords.items[i].name).data,
                                  arena_dup(a, c->database_keywords.items[i].value).data};
    return k;
}

static const char *const *c_strings(struct config_strings list, struct arena *a)
{
    const char **out = ARENA_ARRAY(a, list.n + 1, const char *); /* to NULL */

    for (size_t i = 0; i < list.n; i++)
        out[i] = arena_dup(a, list.items[i]).data;
    return out;
}

size_t options_nroles(const struct config *c)
{
    return 1 + c->role_claim_allowed.n;
}

const char *const *options_roles(const struct config *c, struct arena *a)
{
    const char **roles = ARENA_ARRAY(a, options_nroles(c), const char *);

    roles[0] = arena_dup(a, c->database_role).data;
    for (size_t i = 0; i < c->role_claim_allowed.n; i++)
        roles[i + 1] = arena_dup(a, c->role_claim_allowed.items[i]).data;
    return roles;
}

const uint32_t *options_timeouts(const struct config *c, struct arena *a)
{
    const char *const *roles = options_roles(c, a);
    uint32_t *timeouts = ARENA_ARRAY(a, options_nroles(c), uint32_t);

    for (size_t i = 0; i < options_nroles(c); i++) {
        timeouts[i] = (uint32_t)c->statement_timeout_ms;
        for (size_t j = 0; j < c->nroles; j++)
            if (str_is(c->roles[j].name, roles[i]))
                timeouts[i] = (uint32_t)c->roles[j].statement_timeout_ms;
    }
    return timeouts;
}

uint64_t options_slow_ns(const struct config *c)
{
    uint64_t log = c->log_slow_ms, trace = c->tracing_slow_ms;

    return (log == 0 || (trace > 0 && trace < log) ? trace : log) * UINT64_C(1000000);
}

const char *options_application_name(const struct config *c, struct arena *a)
{
    for (size_t i = 0; i < c->database_keywords.n; i++)
        if (str_is(c->database_keywords.items[i].name, "application_name"))
            return arena_dup(a, c->database_keywords.items[i].value).data;
    return "";
}

struct pgpool_options options_pgpool(const struct config *c, struct arena *a)
{
    static const enum pgprepared prepared[] = {
        [CONFIG_AUTO] = PGPREPARED_AUTO,
        [CONFIG_ON] = PGPREPARED_ON,
        [CONFIG_OFF] = PGPREPARED_OFF,
    };

    return (struct pgpool_options){
        .url = arena_dup(a, c->database_url).data,
        .keywords = pool_keywords(c, a),
        .nkeywords = c->database_keywords.n,
        .password_command = c->password_command.n > 0 ? c_strings(c->password_command, a) : NULL,
        .password_ttl_ms = c->password_ttl_ms,
        .search_path = c_strings(c->search_path, a),
        .nsearch_path = c->search_path.n,
        .min = c->pool_min,
        .max = c->pool_max,
        .max_waiters = c->pool_max_waiters,
        .acquire_timeout_ms = c->pool_acquire_timeout_ms,
        .idle_timeout_ms = c->pool_idle_timeout_ms,
        .max_lifetime_ms = c->pool_max_lifetime_ms,
        .connect_timeout_ms = c->pool_connect_timeout_ms,
        .backoff_min_ms = c->pool_backoff_min_ms,
        .backoff_max_ms = c->pool_backoff_max_ms,
        .prepared = prepared[c->prepared_statements],
        .nworkers = options_workers(c),
    };
}

struct pgpool *options_pool(const struct config *c, struct arena *a, struct errors *errs)
{
    struct pgpool_options opt = options_pgpool(c, a);

    return pgpool_new(&opt, errs);
}

/* The first setting of a claim stands for it: they all hold the same. */
static struct str tenant_setting(const struct config *c)
{
    for (size_t i = 0; i < c->nclaims; i++)
        if (str_eq(c->claims[i].name, c->tenancy_claim) && c->claims[i].settings.n > 0)
            return c->claims[i].settings.items[0];
    return STR("");
}

static const struct schema_claim *schema_claims(const struct config *c, struct arena *a)
{
    struct schema_claim *claims = ARENA_ARRAY(a, c->nclaims ? c->nclaims : 1, struct schema_claim);

    for (size_t i = 0; i < c->nclaims; i++) {
        claims[i].name = c->claims[i].name;
        if (c->claims[i].settings.n > 0)
            claims[i].setting = c->claims[i].settings.items[0];
    }
    return claims;
}

#define MAX_TYPE_DEPTH 200 /* of values, types and selections in a document's text */

bool options_jobs(const struct config *c, struct arena *a, struct job_list *out,
                  struct errors *errs)
{
    bool ok = jobs_list(c, a, out, errs);

    if (timezone_exists(c->jobs_timezone))
        return ok;
    errors_add(errs, CONFIG_INVALID, "jobs.timezone: there is no time zone \"%.*s\"",
               STR_ARG(c->jobs_timezone));
    return false;
}

struct parse_limits options_parse_limits(const struct config *c)
{
    return (struct parse_limits){c->max_document_bytes, c->max_tokens, MAX_TYPE_DEPTH};
}

struct validate_limits options_validate_limits(const struct config *c)
{
    return (struct validate_limits){
        .max_depth = c->max_depth,
        .max_aliases = c->max_aliases,
        .max_root_fields = c->max_root_fields,
        .max_directives = c->max_directives,
        .max_fragments = c->max_fragments,
        .max_complexity = c->complexity_mode == CONFIG_COMPLEXITY_ENFORCE ? c->max_complexity : 0,
        .list_rows = c->complexity_list_factor,
        .max_list_items = c->max_list_variables,
        .max_errors = 50,
    };
}

struct schema_watch_options options_schema_watch(const struct config *c, struct arena *a)
{
    struct schema_watch_options opt = {
        .roles = options_roles(c, a),
        .nroles = options_nroles(c),
        .schemas = c->expose_schemas.items,
        .nschemas = c->expose_schemas.n,
        .views = c->expose_views.items,
        .nviews = c->expose_views.n,
        .tables = c->expose_tables.items,
        .ntables = c->expose_tables.n,
        .functions = c->expose_functions.items,
        .nfunctions = c->expose_functions.n,
        .sdl_file = c->sdl_file,
        .exclude = c->expose_exclude.items,
        .nexclude = c->expose_exclude.n,
        .materialized_views = c->expose_materialized_views,
        .no_tokens = c->auth_mode == CONFIG_AUTH_NONE,
        .refuse_findings = c->tenancy_enabled && c->enforce_rls_check == CONFIG_RLS_FAIL,
        .schema = schema_options_default(),
        .backoff_min_ms = c->pool_backoff_min_ms,
        .backoff_max_ms = c->pool_backoff_max_ms,
        .channel = c->notify_listen ? arena_dup(a, c->notify_channel).data : NULL,
        .poll_interval_ms = c->reload_poll_interval_ms,
    };

    opt.schema.strip_prefixes = c->strip_prefixes.items;
    opt.schema.nstrip_prefixes = c->strip_prefixes.n;
    opt.schema.tenancy = c->tenancy_enabled;
    opt.schema.tenant_setting = tenant_setting(c);
    opt.schema.claims = schema_claims(c, a);
    opt.schema.nclaims = c->nclaims;
    opt.schema.crud = c->mutations_crud;
    opt.schema.null_safe_filters = c->filters_null_safe;
    opt.schema.full_text = c->filters_full_text.items;
    opt.schema.nfull_text = c->filters_full_text.n;
    opt.schema.default_limit = (int64_t)c->default_limit;
    opt.schema.max_limit = (int64_t)c->max_limit;
    opt.schema.field_transactions = c->mutation_transaction == CONFIG_TRANSACTION_FIELD;
    opt.schema.connections = c->relay_connections;
    opt.schema.node = c->relay_node;
    return opt;
}

/* In memory, at most so much; documents are mostly below a kilobyte. */
#define PERSISTED_MAX_BYTES ((size_t)64 * 1024 * 1024)

/* Is it shared through the database? False with errors for another name than the two. */
static bool apq_storage(const struct config *c, bool *shared, struct errors *errs)
{
    *shared = false;
    for (size_t i = 0; i < c->apq_storage.n; i++) {
        if (str_is(c->apq_storage.items[i], "postgres")) {
            *shared = true;
        } else if (!str_is(c->apq_storage.items[i], "memory")) {
            errors_add(errs, CONFIG_INVALID, "apq.storage: \"%.*s\" is not memory or postgres",
                       STR_ARG(c->apq_storage.items[i]));
            return false;
        }
    }
    return true;
}

bool options_recall(const struct config *c, struct persisted **store, struct trusted **trusted,
                    struct recall_options *out, struct errors *errs)
{
    const char *directory =
        c->apq_queries_dir.len > 0 ? arena_dup(errs->arena, c->apq_queries_dir).data : NULL;
    bool registers = c->apq_enabled && c->apq_mode == CONFIG_APQ_OPTIONAL, shared;
    bool required = c->apq_mode == CONFIG_APQ_REQUIRED || c->trusted_mode == CONFIG_TRUSTED_ENFORCE;

    *store = NULL;
    *trusted = NULL;
    if (!apq_storage(c, &shared, errs))
        return false;
    if (directory != NULL || c->trusted_files.n > 0) {
        *trusted = trusted_new(c->trusted_files.items, c->trusted_files.n, directory,
                               c->max_document_bytes, errs);
        if (*trusted == NULL)
            return false;
    }
    if (*trusted == NULL && (required || c->trusted_mode == CONFIG_TRUSTED_AUDIT)) {
        errors_add(errs, CONFIG_INVALID,
                   "trusted_documents.mode and apq.mode: required need "
                   "trusted_documents.manifest_files or apq.queries_dir");
        return false;
    }
    if (registers) {
        *store = persisted_new(c->apq_max_entries, PERSISTED_MAX_BYTES);
        persisted_set_shared(*store, shared);
    }
    *out = (struct recall_options){
        .store = *store,
        .trusted = *trusted,
        .policy =
            required || c->trusted_mode == CONFIG_TRUSTED_AUDIT ? RECALL_REQUIRED : RECALL_OPTIONAL,
        .audit = !required,
        .allow_introspection = c->trusted_introspection,
        .allow_get = c->apq_allow_get,
        .max_bytes = c->apq_max_query_bytes,
    };
    return true;
}

struct labels *options_labels(const struct config *c, const struct trusted *trusted)
{
    static const enum label_policy policies[] = {
        [CONFIG_OPERATION_LABEL_NONE] = LABEL_NONE,
        [CONFIG_OPERATION_LABEL_TRUSTED] = LABEL_TRUSTED,
        [CONFIG_OPERATION_LABEL_ALL] = LABEL_ALL,
    };

    return labels_new(policies[c->metrics_operation_label], trusted,
                      c->metrics_max_series / HISTOGRAM_SERIES);
}

/* About so many addresses, users and tenants are remembered, 24 bytes each. */
#define RATE_SLOTS ((size_t)65536)

static struct ratelimit *limit_of(size_t rate, size_t burst)
{
    return rate > 0 ? ratelimit_new(RATE_SLOTS, rate, burst > 0 ? burst : rate) : NULL;
}

struct request_limits options_limits(const struct config *c)
{
    return (struct request_limits){
        .per_ip = limit_of(c->rate_per_ip, c->rate_burst),
        .per_user = limit_of(c->rate_per_user, c->rate_burst),
        .per_tenant = limit_of(c->tenant_rate, c->tenant_burst),
        .tenant_in_flight =
            c->tenant_max_in_flight > 0 ? inflight_new(c->tenant_max_in_flight) : NULL,
        .cost = c->complexity_mode != CONFIG_COMPLEXITY_OFF && c->complexity_per_minute > 0
                    ? cost_limit(RATE_SLOTS, c->complexity_per_minute)
                    : NULL,
        .cost_per_minute = c->complexity_per_minute,
        .cost_shadow = c->complexity_mode == CONFIG_COMPLEXITY_SHADOW,
    };
}

void options_limits_free(struct request_limits *l)
{
    ratelimit_free(l->per_ip);
    ratelimit_free(l->per_user);
    ratelimit_free(l->per_tenant);
    ratelimit_free(l->cost);
    inflight_free(l->tenant_in_flight);
}
