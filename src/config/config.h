/*
 * config.h - the effective configuration: plain fields, and how they are read.
 *
 * Thread:   constant once loaded, shared by reference count.
 * Memory:   everything is in the config's arena until the last config_free().
 * Not here: what an option means to a module (each has its own options structure).
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/error.h"

/* Standbys that may answer queries, at most. */
#define CONFIG_MAX_REPLICAS 16

struct config_strings {
    const struct str *items;
    size_t n;
};

struct config_pair {
    struct str name;
    struct str value;
};

struct config_pairs {
    const struct config_pair *items;
    size_t n;
};

/* auth.claims.<name> */
struct config_claim {
    struct str name;
    struct str path;
    struct config_strings settings;
    bool uuid; /* type: uuid (default text) */
    bool required;
};

/* jobs.definitions.<name>; texts that are not set are empty */
struct config_job {
    struct str name;
    struct str schedule;
    struct str builtin;
    struct str refresh;
    struct str sql;
    bool plainly;        /* concurrently: false */
    uint64_t timeout_ms; /* 0: not set */
    struct config_strings documents;
    struct config_strings tenants;
};

/* auth.jwt.keys[] */
struct config_key {
    struct str kid;
    struct str alg;
    struct str secret;     /* from secret or secret_file … */
    struct str public_key; /* … or public_key, public_key_file */
};

/* auth.issuers[] */
struct config_issuer {
    struct str iss;
    struct config_strings algorithms; /* auth.jwt's, unless it has its own */
    struct config_strings audiences;
    const struct config_key *keys;
    size_t nkeys;
    struct str jwks_url;
    struct str jwks_file;
    const struct config_claim *claims; /* those of the configuration, in their order; path empty:
                                          its tokens have it not */
    struct str roles_path;             /* empty: where they usually are */
    struct str scopes_path;
    struct str role_claim_path; /* auth.role_claim's, unless it has its own */
    struct config_strings role_claim_allowed;
};

enum config_channel_type {
    CONFIG_CHANNEL_WEBHOOK,
    CONFIG_CHANNEL_SLACK,
    CONFIG_CHANNEL_EMAIL,
    CONFIG_CHANNEL_NOTIFY,
};

/* errors.notifications.channels[]; texts that are not set are empty */
struct config_channel {
    struct str name;
    enum config_channel_type type;
    struct str url;
    struct config_pairs headers;
    struct str hmac_secret;
    struct str template;
    struct str subject;
    struct config_strings to;
    struct str channel;
    struct str username;
    struct config_strings severities; /* errors.notifications.severities, unless it has its own */
};

enum config_client_auth {
    CONFIG_CLIENT_AUTH_NONE,
    CONFIG_CLIENT_AUTH_OPTIONAL,
    CONFIG_CLIENT_AUTH_REQUIRED,
};

enum config_smtp_tls {
    CONFIG_SMTP_STARTTLS,
    CONFIG_SMTP_TLS,
    CONFIG_SMTP_NONE,
};

enum config_auth_mode {
    CONFIG_AUTH_NONE,
    CONFIG_AUTH_OPTIONAL,
    CONFIG_AUTH_REQUIRED,
};

enum config_complexity_mode {
    CONFIG_COMPLEXITY_ENFORCE,
    CONFIG_COMPLEXITY_SHADOW,
    CONFIG_COMPLEXITY_OFF,
};

/* database.roles.* */
struct config_role {
    struct str name;
    uint64_t statement_timeout_ms;
};

enum config_cache_mode {
    CONFIG_CACHE_AUTO,
    CONFIG_CACHE_ALWAYS,
    CONFIG_CACHE_NEVER,
};

/* cache.types.*, cache.operations.* */
struct config_cached {
    struct str name;
    bool has_ttl;
    uint64_t ttl_ms;
    enum config_cache_mode mode;
};

enum config_apq_mode {
    CONFIG_APQ_OPTIONAL,
    CONFIG_APQ_REQUIRED,
    CONFIG_APQ_DISABLED,
};

enum config_trusted_mode {
    CONFIG_TRUSTED_OFF,
    CONFIG_TRUSTED_AUDIT,
    CONFIG_TRUSTED_ENFORCE,
};

enum config_rls_check {
    CONFIG_RLS_WARN,
    CONFIG_RLS_FAIL,
};

enum config_auto {
    CONFIG_AUTO,
    CONFIG_ON,
    CONFIG_OFF,
};

enum config_transaction {
    CONFIG_TRANSACTION_OPERATION,
    CONFIG_TRANSACTION_FIELD,
};

enum config_introspection {
    CONFIG_INTROSPECTION_AUTO, /* off when errors.environment is production, else on */
    CONFIG_INTROSPECTION_ON,
    CONFIG_INTROSPECTION_OFF,
    CONFIG_INTROSPECTION_AUTHENTICATED,
};

/* observability.metrics.operation_label */
enum config_operation_label {
    CONFIG_OPERATION_LABEL_NONE,
    CONFIG_OPERATION_LABEL_TRUSTED,
    CONFIG_OPERATION_LABEL_ALL,
};

struct settings;

/* errors.capture_variables */
enum config_capture {
    CONFIG_CAPTURE_OFF,
    CONFIG_CAPTURE_TYPES,
    CONFIG_CAPTURE_REDACTED,
};

struct config {
    struct arena *arena; /* owned */
    atomic_size_t references;
    const struct settings *settings; /* every value as text, and where it came from */
    struct config_strings files;     /* that it was read from, and directories with such */

    bool reload_watch;
    uint64_t reload_interval_ms;

    /* server */
    struct config_strings listen; /* default ["0.0.0.0:8080"] */
    struct str admin_listen;      /* default "127.0.0.1:9090"; "": probes on the main port only */
    size_t workers;               /* auto is 0 */
    struct str graphql_path;
    bool server_header;
    uint64_t keepalive_timeout_ms;
    uint64_t header_timeout_ms;
    uint64_t body_timeout_ms;
    uint64_t request_timeout_ms;
    uint64_t write_timeout_ms;
    uint64_t shutdown_delay_ms;
    uint64_t shutdown_drain_timeout_ms;
    size_t max_connections;
    size_t max_connections_per_ip;
    size_t max_queue; /* requests in the workers' hands */
    size_t max_header_bytes;
    size_t max_headers;
    size_t max_uri_bytes;
    size_t max_body_bytes;
    size_t max_response_bytes;
    struct config_strings trusted_proxies;
    struct str request_id_header;
    bool request_id_accept_all; /* request_id.accept: trusted (default) | all */
    bool compression_enabled;
    size_t compression_level;
    size_t compression_min_bytes;
    bool cors_enabled;
    struct config_strings cors_allow_origins;
    struct config_strings cors_allow_methods;
    struct config_strings cors_allow_headers;
    struct config_strings cors_expose_headers;
    bool cors_allow_credentials;
    uint64_t cors_max_age_ms;
    bool tls_enabled;
    struct str tls_cert_file;
    struct str tls_key_file;
    struct str tls_client_ca_file;
    enum config_client_auth tls_client_auth;
    bool tls_only_1_3;
    struct str tls_ciphers;
    uint64_t tls_reload_interval_ms;
    bool csrf_prevention;
    bool batching_enabled;
    size_t batching_max_operations;
    bool server_timing;

    /* database */
    struct str database_url;
    struct config_strings password_command;
    uint64_t password_ttl_ms;
    struct config_pairs database_keywords; /* host port dbname user password sslmode
                                              application_name … and options.*, by libpq's names */
    struct config_strings search_path;
    struct str database_role;
    uint64_t statement_timeout_ms;
    const struct config_role *roles; /* with limits of their own */
    size_t nroles;
    enum config_auto prepared_statements;
    size_t pool_min;
    size_t pool_max;
    size_t pool_fleet_max; /* 0: off */
    uint64_t pool_acquire_timeout_ms;
    uint64_t pool_idle_timeout_ms;
    uint64_t pool_max_lifetime_ms;
    size_t pool_max_waiters;
    uint64_t pool_connect_timeout_ms;
    uint64_t pool_backoff_min_ms; /* retry_backoff: [min, max] */
    uint64_t pool_backoff_max_ms;
    bool notify_listen;
    struct str notify_channel;
    struct config_strings replica_urls;
    bool replica_least_busy;
    uint64_t replica_max_lag_ms;
    struct config_strings replica_use_for;
    uint64_t replica_sticky_ms;
    bool replica_fallback;

    /* schema */
    struct config_strings expose_schemas;
    struct config_strings expose_views;
    bool expose_materialized_views;
    uint64_t reload_poll_interval_ms;
    struct config_strings expose_tables;
    struct config_strings expose_functions;
    struct config_strings expose_exclude;
    struct config_strings strip_prefixes;
    bool filters_null_safe;
    struct config_strings filters_full_text;
    size_t default_limit;
    size_t max_limit;
    enum config_transaction mutation_transaction;
    bool mutations_crud;
    bool relay_connections;
    uint64_t idempotency_ttl_ms;
    bool relay_node;
    enum config_introspection introspection;
    struct str sdl_file;

    /* auth, tenancy */
    enum config_auth_mode auth_mode;
    struct config_strings jwt_algorithms;
    struct config_strings jwt_issuers;
    struct config_strings jwt_audiences;
    uint64_t jwt_leeway_ms;
    bool jwt_require_exp;
    uint64_t jwt_max_age_ms;
    size_t jwt_max_token_bytes;
    struct str jwt_header; /* default Authorization */
    struct str jwt_cookie; /* empty: none */
    size_t jwt_cache_entries;
    uint64_t jwt_cache_ttl_ms;
    const struct config_key *jwt_keys;
    size_t njwt_keys;
    const struct config_issuer *issuers; /* in place of jwt_issuers, jwt_keys and jwks_url, _file */
    size_t nissuers;
    bool revocation_enabled;
    uint64_t revocation_poll_ms;
    struct str jwks_url;
    struct str jwks_file;
    uint64_t jwks_refresh_ms;
    uint64_t jwks_min_refetch_ms;
    uint64_t jwks_timeout_ms;
    uint64_t jwks_stale_ok_ms;
    struct str jwks_ca_file;
    bool jwks_allow_http;
    struct str role_claim_path;
    struct config_strings role_claim_allowed;
    const struct config_claim *claims;
    size_t nclaims;
    bool tenancy_enabled;
    struct str tenancy_claim;
    size_t tenant_max_in_flight;
    size_t tenant_rate;
    size_t tenant_burst;
    enum config_rls_check enforce_rls_check;

    bool jobs_enabled;
    struct str jobs_timezone;
    uint64_t jobs_jitter_ms;
    struct config_strings jobs_refresh;
    const struct config_job *jobs;
    size_t njobs;

    /* turborouter */
    bool turbo_enabled;
    size_t turbo_max_entries;
    size_t turbo_max_bytes;
    bool turbo_stats;
    bool turbo_warm_from_table;
    struct str turbo_warm_file;

    /* apq, trusted_documents */
    bool apq_enabled;
    enum config_apq_mode apq_mode;
    struct config_strings apq_storage;
    size_t apq_max_entries;
    size_t apq_max_rows;
    uint64_t apq_ttl_ms;
    size_t apq_max_query_bytes;
    bool apq_allow_get;
    struct str apq_queries_dir;
    enum config_trusted_mode trusted_mode;
    struct config_strings trusted_files;
    bool trusted_introspection;

    /* cache */
    bool cache_enabled;
    uint64_t cache_default_ttl_ms;
    const struct config_cached *cache_types;
    size_t ncache_types;
    const struct config_cached *cache_operations;
    size_t ncache_operations;
    size_t cache_max_value_bytes;
    size_t cache_max_bytes;
    bool cache_l1;
    size_t cache_l1_bytes;
    uint64_t cache_l1_ttl_ms;
    bool cache_single_flight;
    uint64_t cache_wait_ms;
    uint64_t cache_stale_ms;
    uint64_t cache_stale_if_error_ms;
    double cache_log_sample;
    size_t cache_cleanup_batch;

    /* security */
    size_t rate_per_ip;
    size_t rate_per_user;
    size_t rate_burst;
    size_t max_depth;
    size_t max_aliases;
    size_t max_root_fields;
    size_t max_tokens;
    size_t max_document_bytes;
    size_t max_directives;
    size_t max_fragments;
    size_t max_complexity;
    enum config_complexity_mode complexity_mode;
    uint64_t complexity_per_minute;
    size_t complexity_list_factor; /* auto is 0: default_limit */
    size_t max_list_variables;

    /* graphiql */
    enum config_auto graphiql; /* auto: off when errors.environment is production */
    struct str graphiql_path;

    /* errors */
    struct str environment;
    bool mask_errors;
    bool notifications_enabled;
    struct config_strings notify_schedule; /* ascending numbers from 1 */
    size_t notify_then_every;              /* 0: never again */
    uint64_t notify_min_interval_ms;
    uint64_t notify_window_ms;
    struct config_strings notify_severities;
    uint64_t notify_interval_ms;
    size_t notify_max_per_hour;
    size_t notify_attempts;
    uint64_t notify_backoff_min_ms; /* retry_backoff: [min, max] */
    uint64_t notify_backoff_max_ms;
    uint64_t notify_timeout_ms;
    struct config_strings notify_allow;
    bool notify_allow_http;
    struct str notify_ca_file;
    struct str smtp_host;
    size_t smtp_port;
    struct str smtp_user;
    struct str smtp_password;
    struct str smtp_from;
    enum config_smtp_tls smtp_tls;
    const struct config_channel *channels;
    size_t nchannels;
    bool errors_enabled;
    struct str release;
    struct config_strings error_codes;
    struct config_strings error_fingerprint;
    size_t error_queue;
    uint64_t error_flush_interval_ms;
    size_t error_batch;
    size_t error_burst;
    double error_sample;
    bool error_capture_query;
    enum config_capture error_capture_variables;
    struct config_strings error_redact;
    struct str error_spool; /* "": none */
    size_t error_spool_max;

    /* observability */
    enum log_level log_level;
    enum log_format log_format;
    bool log_access; /* default false: a line per request */
    bool metrics_enabled;
    struct str metrics_path;
    enum config_operation_label metrics_operation_label;
    size_t metrics_max_series;
    bool metrics_openmetrics;
    bool tracing_accept_all;     /* tracing.accept: trusted (default) | all */
    bool tracing_ignores_caller; /* tracing.sampler: parentbased_ratio (default) | ratio */
    double tracing_ratio;
    uint64_t log_slow_ms; /* log.access.slow; 0: off */
    bool tracing_enabled;
    uint64_t tracing_slow_ms; /* 0: off */
    bool tracing_errors_always;
    struct config_strings tracing_exporters;
    size_t tracing_queue;
    struct str otlp_endpoint;
    struct str otlp_headers; /* "name=value,name=value", as resource_attributes */
    struct str otlp_ca_file;
    bool otlp_allow_http;
    uint64_t otlp_timeout_ms;
    struct str service_name;
    struct str resource_attributes;
    bool otel_metrics_enabled;
    uint64_t otel_metrics_interval_ms;
};

struct config_sources {
    const char
        *file; /* NULL: $FRAISEQLD_CONFIG, else /etc/fraiseqld/fraiseqld.yaml if it is there */
    const char *const *settings; /* "key=value" of --set, in order */
    size_t nsettings;
    const char *const *environment; /* environ */
};

/* False with CONFIG_INVALID errors, as many as were found (at most 20), each with its place. */
NODISCARD bool config_load(const struct config_sources *from, struct config **out,
                           struct errors *errs);
/*
 * What a running daemon goes on with: the sources read anew, but keys that need a restart keep the
 * values of `running`; those that differ are listed in `waiting`, in the new configuration's arena.
 * False as for config_load().
 */
NODISCARD bool config_reload(const struct config_sources *from, const struct config *running,
                             struct config **out, struct config_strings *waiting,
                             struct errors *errs);
/* The keys that differ. */
struct config_strings config_changes(const struct config *before, const struct config *after,
                                     struct arena *a);
/* It lives as long as somebody has a reference; the one who loads it has the first. */
const struct config *config_ref(const struct config *c);
void config_free(const struct config *c); /* gives one back; NULL is allowed */
/* Effective values as YAML with their origin in a comment; secrets as "***". */
void config_dump(const struct config *c, struct buf *out);
/* conf/fraiseqld.yaml: every option with its default and what it does. */
void config_example(struct buf *out);
/* A JSON Schema of the file. */
void config_schema(struct buf *out);
/* docs/configuration.md: every option in tables. */
void config_reference(struct buf *out);
/* Type, default, range and help of one key; false if there is none (out: a suggestion). */
bool config_explain(struct str key, struct buf *out);

#endif
