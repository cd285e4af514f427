/*
 * options.c - the table of options, in the order of the sample file.
 *
 * Thread:   any; constant.
 * Not here: reading values (optvalue.c).
 */
#include "config/options.h"

#define AT(field) offsetof(struct config, field)
#define KIB       UINT64_C(1024)
#define MIB       (1024 * KIB)
#define GIB       (1024 * MIB)
#define SECONDS   UINT64_C(1000)
#define MINUTES   (60 * SECONDS)
#define HOURS     (60 * MINUTES)
#define DAYS      (24 * HOURS)

#define SECRET .secret = true
#define LIVE   .live = true

/* clang-format off */
const struct config_option options_table[] = {
    /* key, type, field, default, least, most, choices, …, help */
    {"version", OPTION_VERSION, 0, "1", 1, 1, NULL,
     .help = "Format of this file."},

    {"reload.watch", OPTION_BOOL, AT(reload_watch), "false", 0, 0, NULL, LIVE,
     .help = "Reload when the file, those of conf.d or those that hold secrets change, as mounted\n"
             "ConfigMaps and Secrets do; besides at SIGHUP."},
    {"reload.interval", OPTION_DURATION, AT(reload_interval_ms), "10s", 100, 1 * HOURS, NULL, LIVE,
     .help = "How often to look."},

    {"server.listen", OPTION_STRINGS, AT(listen), "0.0.0.0:8080", 0, 0, NULL,
     .help = "Where GraphQL is served: host:port, [v6]:port or unix:/path; port 0 takes a free one.\n"
             "systemd:NAME is every socket of that name that systemd hands over.\n"
             "The variable PORT stands for 0.0.0.0:PORT."},
    {"server.admin_listen", OPTION_STRING, AT(admin_listen), "127.0.0.1:9090", 0, 0, NULL,
     .help = "Where metrics and probes are served; \"\": on server.listen only."},
    {"server.workers", OPTION_COUNT, AT(workers), "auto", 0, 1024, "auto",
     .help = "Threads that answer requests; auto: one less than the processors allowed, at least 1."},
    {"server.graphql_path", OPTION_STRING, AT(graphql_path), "/graphql", 0, 0, NULL, LIVE,
     .help = "Path of the GraphQL endpoint."},
    {"server.server_header", OPTION_BOOL, AT(server_header), "false", 0, 0, NULL, LIVE,
     .help = "Name the server in a header of each response."},
    {"server.keepalive_timeout", OPTION_DURATION, AT(keepalive_timeout_ms), "75s", 1, 1 * DAYS, NULL, LIVE,
     .help = "How long an idle connection is kept: longer than the idle timeout of a load balancer."},
    {"server.header_timeout", OPTION_DURATION, AT(header_timeout_ms), "10s", 1, 1 * HOURS, NULL, LIVE,
     .help = "Time for a whole request head."},
    {"server.body_timeout", OPTION_DURATION, AT(body_timeout_ms), "30s", 1, 1 * HOURS, NULL, LIVE,
     .help = "Time for a request body."},
    {"server.request_timeout", OPTION_DURATION, AT(request_timeout_ms), "30s", 1, 1 * HOURS, NULL, LIVE,
     .help = "Time for an answer, waiting included."},
    {"server.write_timeout", OPTION_DURATION, AT(write_timeout_ms), "30s", 1, 1 * HOURS, NULL, LIVE,
     .help = "Time for a client to take its response."},
    {"server.shutdown.delay", OPTION_DURATION, AT(shutdown_delay_ms), "15s", 0, 1 * HOURS, NULL, LIVE,
     .help = "After SIGTERM: how long to go on serving while readiness says no."},
    {"server.shutdown.drain_timeout", OPTION_DURATION, AT(shutdown_drain_timeout_ms), "30s", 0, 1 * HOURS, NULL, LIVE,
     .help = "Then: how long requests may take to end."},
    {"server.limits.max_connections", OPTION_COUNT, AT(max_connections), "10000", 1, 1000000, NULL, LIVE,
     .help = "Client connections."},
    {"server.limits.max_connections_per_ip", OPTION_COUNT, AT(max_connections_per_ip), "0", 0, 1000000, NULL,
     .help = "Client connections of one address; 0: no limit."},
    {"server.limits.max_queue", OPTION_COUNT, AT(max_queue), "1024", 1, 1000000, NULL, LIVE,
     .help = "Requests being worked on or waiting; more are refused with 503."},
    {"server.limits.max_header_bytes", OPTION_BYTES, AT(max_header_bytes), "16KiB", 1 * KIB, 1 * MIB, NULL, LIVE,
     .help = "A request head."},
    {"server.limits.max_headers", OPTION_COUNT, AT(max_headers), "100", 1, 1000, NULL, LIVE,
     .help = "Header fields of a request."},
    {"server.limits.max_uri_bytes", OPTION_BYTES, AT(max_uri_bytes), "8KiB", 128, 1 * MIB, NULL, LIVE,
     .help = "A request target."},
    {"server.limits.max_body_bytes", OPTION_BYTES, AT(max_body_bytes), "1MiB", 1 * KIB, 1 * GIB, NULL, LIVE,
     .help = "A request body."},
    {"server.limits.max_response_bytes", OPTION_BYTES, AT(max_response_bytes), "16MiB", 1 * KIB, 1 * GIB, NULL, LIVE,
     .help = "A response; a larger one becomes an error."},
    {"server.tls.enabled", OPTION_BOOL, AT(tls_enabled), "false", 0, 0, NULL, LIVE,
     .help = "Speak HTTPS, and only that, on server.listen, but for Unix sockets."},
    {"server.tls.cert_file", OPTION_STRING, AT(tls_cert_file), "", 0, 0, NULL, LIVE,
     .help = "PEM: the certificate, and behind it those between it and the root."},
    {"server.tls.key_file", OPTION_STRING, AT(tls_key_file), "", 0, 0, NULL, LIVE,
     .help = "PEM: its private key, without a passphrase."},
    {"server.tls.client_ca_file", OPTION_STRING, AT(tls_client_ca_file), "", 0, 0, NULL, LIVE,
     .help = "PEM: certificates of who may issue those of clients."},
    {"server.tls.client_auth", OPTION_CHOICE, AT(tls_client_auth), "none", 0, 0, "none|optional|required", LIVE,
     .help = "Whether clients show a certificate of client_ca_file."},
    {"server.tls.min_version", OPTION_FLAG, AT(tls_only_1_3), "1.2", 0, 0, "1.2|1.3", LIVE,
     .help = "Clients that speak only older ones are refused."},
    {"server.tls.ciphers", OPTION_STRING, AT(tls_ciphers), "", 0, 0, NULL, LIVE,
     .help = "OpenSSL's names with colons; those that begin with TLS_ are of TLS 1.3.\n"
             "\"\": with forward secrecy and authenticated encryption only."},
    {"server.tls.reload_interval", OPTION_DURATION, AT(tls_reload_interval_ms), "1h", 100, 1 * DAYS, NULL, LIVE,
     .help = "How often to look whether these files have changed, besides at SIGHUP."},
    {"server.trusted_proxies", OPTION_STRINGS, AT(trusted_proxies), "", 0, 0, NULL, LIVE,
     .help = "Networks (CIDR) whose X-Forwarded-For and request ids are believed."},
    {"server.request_id.header", OPTION_STRING, AT(request_id_header), "X-Request-Id", 0, 0, NULL, LIVE,
     .help = "Header that carries the request's id, in and out; \"\": none."},
    {"server.request_id.accept", OPTION_FLAG, AT(request_id_accept_all), "trusted", 0, 0, "trusted|all", LIVE,
     .help = "Whose ids to take over."},
    {"server.compression.enabled", OPTION_BOOL, AT(compression_enabled), "true", 0, 0, NULL, LIVE,
     .help = "Compress responses with gzip for clients that accept it."},
    {"server.compression.level", OPTION_COUNT, AT(compression_level), "4", 1, 9, NULL,
     .help = "1 is fast, 9 is small."},
    {"server.compression.min_bytes", OPTION_BYTES, AT(compression_min_bytes), "1KiB", 0, 1 * GIB, NULL, LIVE,
     .help = "Smaller responses are left as they are."},
    {"server.cors.enabled", OPTION_BOOL, AT(cors_enabled), "false", 0, 0, NULL, LIVE,
     .help = "Let scripts of other origins call the API from browsers."},
    {"server.cors.allow_origins", OPTION_STRINGS, AT(cors_allow_origins), "", 0, 0, NULL, LIVE,
     .help = "Origins, as https://app.example.com, compared exactly; or only \"*\", not with credentials."},
    {"server.cors.allow_methods", OPTION_STRINGS, AT(cors_allow_methods), "GET, POST, OPTIONS", 0, 0, NULL, LIVE,
     .help = "Methods they may use."},
    {"server.cors.allow_headers", OPTION_STRINGS, AT(cors_allow_headers),
     "content-type, authorization, apollo-require-preflight, x-apollo-operation-name, x-request-id, traceparent, idempotency-key, fraiseql-position", 0, 0, NULL, LIVE,
     .help = "Request headers they may send."},
    {"server.cors.expose_headers", OPTION_STRINGS, AT(cors_expose_headers), "x-request-id, server-timing, idempotency-replayed, fraiseql-position", 0, 0, NULL, LIVE,
     .help = "Response headers they may read."},
    {"server.cors.allow_credentials", OPTION_BOOL, AT(cors_allow_credentials), "false", 0, 0, NULL, LIVE,
     .help = "Let browsers send cookies and the like along."},
    {"server.cors.max_age", OPTION_DURATION, AT(cors_max_age_ms), "10m", 0, 1 * DAYS, NULL, LIVE,
     .help = "How long browsers may remember these answers."},
    {"server.csrf_prevention", OPTION_BOOL, AT(csrf_prevention), "true", 0, 0, NULL, LIVE,
     .help = "Refuse what a page of another site can make a browser send unasked: requests without a JSON\n"
             "content type, apollo-require-preflight or x-apollo-operation-name, of an origin that is not listed."},
    {"server.batching.enabled", OPTION_BOOL, AT(batching_enabled), "false", 0, 0, NULL, LIVE,
     .help = "Accept arrays of operations in one POST request."},
    {"server.batching.max_operations", OPTION_COUNT, AT(batching_max_operations), "10", 1, 1000, NULL, LIVE,
     .help = "Most operations in one array."},
    {"server.server_timing", OPTION_BOOL, AT(server_timing), "false", 0, 0, NULL, LIVE,
     .help = "Tell clients in a header how long parsing, planning, the database and the whole took."},

    {"database.url", OPTION_STRING, AT(database_url), "${DATABASE_URL:-}", 0, 0, NULL, SECRET, LIVE,
     .help = "libpq URI. The fields below override its parts; PGHOST and its kin work as well."},
    {"database.host", OPTION_KEYWORD, 0, NULL, 0, 0, "host", LIVE,
     .sample = "localhost", .help = "Name, address or directory of the socket."},
    {"database.port", OPTION_KEYWORD, 0, NULL, 1, 65535, "port", LIVE,
     .sample = "5432", .help = "Port."},
    {"database.name", OPTION_KEYWORD, 0, NULL, 0, 0, "dbname", LIVE,
     .sample = "app", .help = "Database."},
    {"database.user", OPTION_KEYWORD, 0, NULL, 0, 0, "user", LIVE,
     .sample = "app_user", .help = "User."},
    {"database.password", OPTION_KEYWORD, 0, NULL, 0, 0, "password", SECRET, LIVE,
     .sample = "db-password", .help = "Password; better in a file."},
    {"database.auth.password_command", OPTION_STRINGS, AT(password_command), "", 0, 0, NULL, LIVE,
     .help = "A program, by its whole path, and its arguments, that prints the password, such as a token of RDS IAM."},
    {"database.auth.password_ttl", OPTION_DURATION, AT(password_ttl_ms), "10m", 0, 1 * DAYS, NULL, LIVE,
     .help = "How long that password is good for new connections; 0s: it is run for each."},
    {"database.sslmode", OPTION_KEYWORD, 0, NULL, 0, 0, "sslmode", LIVE,
     .sample = "verify-full", .help = "disable, allow, prefer, require, verify-ca or verify-full."},
    {"database.options.*", OPTION_KEYWORD, 0, NULL, 0, 0, NULL, LIVE,
     .sample = "/etc/ssl/database.pem", .help = "Any other connection keyword of libpq."},
    {"database.application_name", OPTION_KEYWORD, 0, "fraiseqld", 0, 0, "application_name", LIVE,
     .help = "Shown in pg_stat_activity."},
    {"database.search_path", OPTION_STRINGS, AT(search_path), "", 0, 0, NULL, LIVE,
     .help = "Schemas, set when a session starts; none: the database's own setting."},
    {"database.role", OPTION_STRING, AT(database_role), "", 0, 0, NULL,
     .help = "Role taken for each request; \"\": that of the connection."},
    {"database.statement_timeout", OPTION_DURATION, AT(statement_timeout_ms), "25s", 1, 1 * HOURS, NULL, LIVE,
     .help = "Longest statement."},
    {"database.roles.*.statement_timeout", OPTION_PART, 0, NULL, 0, 0, NULL, LIVE,
     .sample = "5s", .help = "In place of database.statement_timeout, for requests that run as this role."},
    {"database.prepared_statements", OPTION_CHOICE, AT(prepared_statements), "auto", 0, 0, "auto|on|off",
     .help = "off: for a transaction pooler that does not support them; auto finds out."},
    {"database.pool.min", OPTION_COUNT, AT(pool_min), "10", 0, 10000, NULL,
     .help = "Connections kept open."},
    {"database.pool.max", OPTION_COUNT, AT(pool_max), "200", 1, 10000, NULL,
     .help = "Most connections; mind max_connections of the server and the number of daemons."},
    {"database.pool.fleet_max", OPTION_COUNT, AT(pool_fleet_max), "0", 0, 1000000, NULL,
     .help = "Most connections of all daemons of the database together: each may have the same share of\n"
             "them, and max at most; 0: each has max, however many there are."},
    {"database.pool.acquire_timeout", OPTION_DURATION, AT(pool_acquire_timeout_ms), "5s", 1, 1 * HOURS, NULL,
     .help = "Longest wait for a connection."},
    {"database.pool.idle_timeout", OPTION_DURATION, AT(pool_idle_timeout_ms), "10m", 1 * SECONDS, 30 * DAYS, NULL,
     .help = "Unused connections above min are closed after this."},
    {"database.pool.max_lifetime", OPTION_DURATION, AT(pool_max_lifetime_ms), "30m", 1 * SECONDS, 30 * DAYS, NULL,
     .help = "A connection is replaced after this, give or take a tenth."},
    {"database.pool.max_waiters", OPTION_COUNT, AT(pool_max_waiters), "1000", 1, 1000000, NULL,
     .help = "Operations waiting for a connection; more are refused."},
    {"database.pool.connect_timeout", OPTION_DURATION, AT(pool_connect_timeout_ms), "5s", 100, 10 * MINUTES, NULL,
     .help = "Time for one attempt to connect."},
    {"database.pool.retry_backoff", OPTION_DURATIONS, AT(pool_backoff_min_ms), "100ms, 10s", 1, 1 * HOURS, NULL,
     .help = "First and longest pause between attempts to connect."},
    {"database.notify.listen", OPTION_BOOL, AT(notify_listen), "true", 0, 0, NULL,
     .help = "Listen for notifications, on a connection besides those of the pool: \"schema\", or an empty\n"
             "payload, has the schema read again. Behind a pooler there are none."},
    {"database.notify.channel", OPTION_STRING, AT(notify_channel), "fraiseqld", 0, 0, NULL,
     .help = "Their channel."},

    {"database.replicas.urls", OPTION_STRINGS, AT(replica_urls), "", 0, 0, NULL, SECRET,
     .help = "Streaming standbys that answer queries: a libpq URI each. Of the fields above all but\n"
             "host and port hold for them as well; each gets a pool as large as the primary's."},
    {"database.replicas.policy", OPTION_FLAG, AT(replica_least_busy), "round_robin", 0, 0, "round_robin|least_busy",
     .help = "Of several replicas: in turns, or the one with the fewest statements under way."},
    {"database.replicas.max_lag", OPTION_DURATION, AT(replica_max_lag_ms), "5s", 500, 1 * HOURS, NULL,
     .help = "One that is further behind the primary is not used."},
    {"database.replicas.use_for", OPTION_STRINGS, AT(replica_use_for), "query", 0, 0, NULL,
     .help = "Operations that may run there: query, or none."},
    {"database.replicas.sticky_after_write", OPTION_DURATION, AT(replica_sticky_ms), "2s", 0, 10 * MINUTES, NULL,
     .help = "Queries of who has changed something run on the primary for so long at least, and until a\n"
             "replica has the change."},
    {"database.replicas.fallback_to_primary", OPTION_BOOL, AT(replica_fallback), "true", 0, 0, NULL,
     .help = "Queries run on the primary where no replica can be used, or one has failed. false: they\n"
             "fail, and the primary is kept from that load."},

    {"schema.expose.schemas", OPTION_STRINGS, AT(expose_schemas), "public", 0, 0, NULL, LIVE,
     .help = "PostgreSQL schemas looked at."},
    {"schema.expose.views", OPTION_STRINGS, AT(expose_views), "v_*, tv_*", 0, 0, NULL, LIVE,
     .help = "Views to expose; * and ? match as in a shell."},
    {"schema.expose.materialized_views", OPTION_BOOL, AT(expose_materialized_views), "true", 0, 0, NULL, LIVE,
     .help = "Materialized views of those names too."},
    {"schema.expose.tables", OPTION_STRINGS, AT(expose_tables), "", 0, 0, NULL, LIVE,
     .help = "Tables to expose."},
    {"schema.expose.functions", OPTION_STRINGS, AT(expose_functions), "fn_*", 0, 0, NULL, LIVE,
     .help = "Functions to expose: volatile ones become mutations."},
    {"schema.expose.exclude", OPTION_STRINGS, AT(expose_exclude), "*_internal", 0, 0, NULL, LIVE,
     .help = "What not to expose, whatever the lists above say."},
    {"schema.naming.strip_prefixes", OPTION_STRINGS, AT(strip_prefixes), "v_, tv_, mv_, tb_, fn_", 0, 0, NULL, LIVE,
     .help = "Left out of the names of types and fields."},
    {"schema.sdl_file", OPTION_STRING, AT(sdl_file), "", 0, 0, NULL, LIVE,
     .help = "Type definitions that rename, hide, relate and check what the database gives."},
    {"schema.filters.null_safe", OPTION_BOOL, AT(filters_null_safe), "false", 0, 0, NULL, LIVE,
     .help = "The operators neq and nin also find rows where the value is null; else, as in SQL, they do not."},
    {"schema.filters.full_text", OPTION_STRINGS, AT(filters_full_text), "", 0, 0, NULL, LIVE,
     .help = "Text columns that requests may search by words, as patterns of relation.column: v_task.title, *.body.\n"
             "Without an index of its own a search reads every row; a tsvector column needs none of this."},
    {"schema.pagination.default_limit", OPTION_COUNT, AT(default_limit), "100", 1, 1000000, NULL, LIVE,
     .help = "Rows of a list that asks for no number."},
    {"schema.pagination.max_limit", OPTION_COUNT, AT(max_limit), "1000", 1, 1000000, NULL, LIVE,
     .help = "Most rows one list may ask for."},
    {"schema.mutations.transaction", OPTION_CHOICE, AT(mutation_transaction), "operation", 0, 0, "operation|field", LIVE,
     .help = "What is one transaction: all fields of a mutation, which fail together; or each field by itself."},
    {"schema.mutations.crud", OPTION_BOOL, AT(mutations_crud), "false", 0, 0, NULL, LIVE,
     .help = "Mutations that insert, update, upsert and delete rows of what is exposed, as far as the role may."},
    {"schema.mutations.idempotency_ttl", OPTION_DURATION, AT(idempotency_ttl_ms), "24h", 1 * SECONDS, 365 * DAYS, NULL, LIVE,
     .help = "How long an idempotency key stands for the answer it got: see fraiseqld db install."},
    {"schema.relay.node", OPTION_BOOL, AT(relay_node), "true", 0, 0, NULL, LIVE,
     .help = "A nodeId on each type with a key, and node(id:), which finds a row of any type by it."},
    {"schema.relay.connections", OPTION_BOOL, AT(relay_connections), "true", 0, 0, NULL, LIVE,
     .help = "Next to each list, the same in pages: projectsConnection(first:, after:)."},
    {"schema.reload.poll_interval", OPTION_DURATION, AT(reload_poll_interval_ms), "0s", 0, 30 * DAYS, NULL, LIVE,
     .help = "How often to look whether the catalog has changed, where no notification tells; 0s: never."},
    {"schema.introspection", OPTION_CHOICE, AT(introspection), "auto", 0, 0, "auto|on|off|authenticated", LIVE,
     .help = "Who may ask for the schema; authenticated: requests with a valid token;\n"
             "auto: off when errors.environment is production, else on."},

    {"auth.mode", OPTION_CHOICE, AT(auth_mode), "optional", 0, 0, "none|optional|required",
     .help = "none: tokens are not looked at; optional: a request may come without; required."},
    {"auth.jwt.algorithms", OPTION_STRINGS, AT(jwt_algorithms), "HS256", 0, 0, NULL,
     .help = "Accepted: HS, RS, PS and ES with 256, 384 or 512, EdDSA. A key works with its own algorithm only."},
    {"auth.jwt.issuers", OPTION_STRINGS, AT(jwt_issuers), "", 0, 0, NULL,
     .help = "Accepted iss; none: not checked."},
    {"auth.jwt.audiences", OPTION_STRINGS, AT(jwt_audiences), "", 0, 0, NULL,
     .help = "Accepted aud; none: not checked."},
    {"auth.jwt.leeway", OPTION_DURATION, AT(jwt_leeway_ms), "30s", 0, 10 * MINUTES, NULL,
     .help = "Difference of clocks allowed in exp, nbf and iat."},
    {"auth.jwt.require_exp", OPTION_BOOL, AT(jwt_require_exp), "true", 0, 0, NULL,
     .help = "Refuse tokens that never expire."},
    {"auth.jwt.max_age", OPTION_DURATION, AT(jwt_max_age_ms), "0s", 0, UINT64_C(86400000) * 365, NULL,
     .help = "Refuse tokens that were issued (iat) longer ago; 0: not looked at."},
    {"auth.jwt.max_token_bytes", OPTION_BYTES, AT(jwt_max_token_bytes), "8KiB", 256, 64 * KIB, NULL,
     .help = "Longest token looked at."},
    {"auth.jwt.header", OPTION_STRING, AT(jwt_header), "Authorization", 0, 0, NULL,
     .help = "Header with the token: \"Bearer <token>\", or in another one than Authorization the token alone too."},
    {"auth.jwt.cookie", OPTION_STRING, AT(jwt_cookie), "", 0, 0, NULL,
     .help = "Cookie with the token of requests that do not have the header; needs server.csrf_prevention."},
    {"auth.jwt.cache.entries", OPTION_COUNT, AT(jwt_cache_entries), "10000", 0, 1000000, NULL,
     .help = "Verified tokens remembered; 0: each is verified every time."},
    {"auth.jwt.cache.max_ttl", OPTION_DURATION, AT(jwt_cache_ttl_ms), "60s", 0, HOURS, NULL,
     .help = "For at most so long, and never past their expiry."},
    {"auth.jwt.keys[].kid", OPTION_PART, 0, NULL, 0, 0, NULL, LIVE,
     .sample = "main", .help = "Name of the key in tokens; without one it checks tokens that name none."},
    {"auth.jwt.keys[].alg", OPTION_PART, 0, NULL, 0, 0, CONFIG_JWT_ALGORITHMS, LIVE,
     .sample = "HS256", .help = "The one algorithm of the key (default HS256)."},
    {"auth.jwt.keys[].secret", OPTION_PART, 0, NULL, 0, 0, NULL, SECRET, LIVE,
     .sample = "jwt-secret", .help = "The secret of HS256 and its like; better in a file."},
    {"auth.jwt.keys[].public_key", OPTION_PART, 0, NULL, 0, 0, NULL, SECRET, LIVE,
     .help = "PEM of the public key, or of a certificate, of the other algorithms; better in a file."},
    {"auth.jwks.url", OPTION_STRING, AT(jwks_url), "", 0, 0, NULL,
     .help = "Where the issuer has its key set (RFC 7517); https. Its keys stand beside auth.jwt.keys."},
    {"auth.jwks.file", OPTION_STRING, AT(jwks_file), "", 0, 0, NULL,
     .help = "A key set in a file, in place of the URL."},
    {"auth.jwks.refresh_interval", OPTION_DURATION, AT(jwks_refresh_ms), "10m", 1000, 24 * HOURS, NULL,
     .help = "How often the key set is read again."},
    {"auth.jwks.min_refetch", OPTION_DURATION, AT(jwks_min_refetch_ms), "30s", 100, 24 * HOURS, NULL,
     .help = "A token whose key is not known has it read again, but not more often than this."},
    {"auth.jwks.timeout", OPTION_DURATION, AT(jwks_timeout_ms), "5s", 100, 5 * MINUTES, NULL,
     .help = "For all of a fetch."},
    {"auth.jwks.stale_ok", OPTION_DURATION, AT(jwks_stale_ok_ms), "24h", 0, 24 * 365 * HOURS, NULL,
     .help = "While it cannot be read, its keys hold for so long."},
    {"auth.jwks.ca_file", OPTION_STRING, AT(jwks_ca_file), "", 0, 0, NULL,
     .help = "PEM of the authorities that may vouch for the URL's server; empty: the system's."},
    {"auth.jwks.allow_http", OPTION_BOOL, AT(jwks_allow_http), "false", 0, 0, NULL,
     .help = "Accept an http URL: whoever is on the way makes the keys."},
    {"auth.revocation.enabled", OPTION_BOOL, AT(revocation_enabled), "false", 0, 0, NULL,
     .help = "Refuse tokens that fraiseql.revoke_token() or revoke_subject() name (see fraiseqld db install)."},
    {"auth.revocation.poll_interval", OPTION_DURATION, AT(revocation_poll_ms), "30s", 100, 24 * HOURS, NULL,
     .help = "How often the list is read, besides when something is notified."},
    {"auth.claims.*.path", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "tenant_id", .help = "Where the claim is in the token: names with dots between (default: its name here)."},
    {"auth.claims.*.setting", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "app.current_tenant_id", .help = "Setting of the session that gets its value, read with current_setting()."},
    {"auth.claims.*.settings", OPTION_PART, 0, NULL, 0, 0, NULL, .list = true,
     .help = "The same for several settings."},
    {"auth.claims.*.type", OPTION_PART, 0, NULL, 0, 0, "text|uuid",
     .sample = "uuid", .help = "uuid: other values are refused (default text)."},
    {"auth.claims.*.required", OPTION_PART, 0, NULL, 0, 0, "false|true",
     .sample = "true", .help = "Refuse tokens without it (default false)."},
    {"auth.issuers[].iss", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "https://login.example.com/", .help = "Exactly the iss of its tokens, by which alone an issuer is chosen."},
    {"auth.issuers[].audiences", OPTION_PART, 0, NULL, 0, 0, NULL, .list = true,
     .sample = "api", .help = "Accepted aud (default: auth.jwt.audiences)."},
    {"auth.issuers[].algorithms", OPTION_PART, 0, NULL, 0, 0, NULL, .list = true,
     .sample = "RS256, ES256", .help = "Accepted of its tokens (default: auth.jwt.algorithms)."},
    {"auth.issuers[].keys[].kid", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "main", .help = "As in auth.jwt.keys; for its tokens only."},
    {"auth.issuers[].keys[].alg", OPTION_PART, 0, NULL, 0, 0, CONFIG_JWT_ALGORITHMS,
     .sample = "RS256", .help = "The one algorithm of the key (default HS256)."},
    {"auth.issuers[].keys[].secret", OPTION_PART, 0, NULL, 0, 0, NULL, SECRET,
     .help = "The secret of HS256 and its like; better in a file."},
    {"auth.issuers[].keys[].public_key", OPTION_PART, 0, NULL, 0, 0, NULL, SECRET,
     .sample = "login-key.pem", .help = "PEM of the public key, or of a certificate, of the other algorithms."},
    {"auth.issuers[].jwks.url", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "https://login.example.com/jwks.json", .help = "Its key set; how it is read stands in auth.jwks."},
    {"auth.issuers[].jwks.file", OPTION_PART, 0, NULL, 0, 0, NULL,
     .help = "A key set in a file, in place of the URL."},
    {"auth.issuers[].claims.*.path", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "org.tenant", .help = "Where its tokens have a claim of auth.claims; those it does not list are empty."},
    {"auth.issuers[].claims.*.type", OPTION_PART, 0, NULL, 0, 0, "text|uuid",
     .sample = "uuid", .help = "uuid: other values are refused (default: that of auth.claims)."},
    {"auth.issuers[].claims.*.required", OPTION_PART, 0, NULL, 0, 0, "false|true",
     .sample = "true", .help = "Refuse tokens without it (default: that of auth.claims)."},
    {"auth.issuers[].role_claim.path", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "role", .help = "Default: auth.role_claim.path."},
    {"auth.issuers[].role_claim.allowed", OPTION_PART, 0, NULL, 0, 0, NULL, .list = true,
     .help = "Of auth.role_claim.allowed, those that it may name (default: all); none: not looked at."},
    {"auth.role_claim.path", OPTION_STRING, AT(role_claim_path), "role", 0, 0, NULL,
     .help = "Where in the token the role is that requests run as, in place of database.role."},
    {"auth.role_claim.allowed", OPTION_STRINGS, AT(role_claim_allowed), "", 0, 0, NULL,
     .help = "Roles it may name; others are refused. None: the claim is not looked at."},

    {"tenancy.enabled", OPTION_BOOL, AT(tenancy_enabled), "true", 0, 0, NULL,
     .help = "Refuse requests of nobody's tenant."},
    {"tenancy.claim", OPTION_STRING, AT(tenancy_claim), "tenant_id", 0, 0, NULL,
     .help = "The claim, of those in auth.claims, that names the tenant."},
    {"tenancy.enforce_rls_check", OPTION_CHOICE, AT(enforce_rls_check), "warn", 0, 0, "warn|fail", LIVE,
     .help = "What to do when row security does not hold requests: warn in the log, or serve no such schema."},

    {"tenancy.per_tenant.max_in_flight", OPTION_COUNT, AT(tenant_max_in_flight), "0", 0, 1000000, NULL, LIVE,
     .help = "Requests of one tenant at the same time; further ones are 429. 0: no limit."},
    {"tenancy.per_tenant.rate", OPTION_COUNT, AT(tenant_rate), "0", 0, 1000000, NULL, LIVE,
     .help = "Operations of one tenant a second; further ones are 429. 0: no limit."},
    {"tenancy.per_tenant.burst", OPTION_COUNT, AT(tenant_burst), "0", 0, 1000000, NULL, LIVE,
     .help = "So many at once after a pause; 0: those of a second."},

    {"turborouter.enabled", OPTION_BOOL, AT(turbo_enabled), "true", 0, 0, NULL,
     .help = "Keep compiled operations."},
    {"turborouter.max_entries", OPTION_COUNT, AT(turbo_max_entries), "10000", 1, 10000000, NULL,
     .help = "Most operations kept."},
    {"turborouter.max_bytes", OPTION_BYTES, AT(turbo_max_bytes), "256MiB", 1 * MIB, 64 * GIB, NULL,
     .help = "Most memory for them."},
    {"turborouter.stats", OPTION_BOOL, AT(turbo_stats), "true", 0, 0, NULL,
     .help = "Add how operations are used to fraiseql.turbo_stats, every ten seconds (see fraiseqld db install)."},
    {"turborouter.warm.from_table", OPTION_BOOL, AT(turbo_warm_from_table), "true", 0, 0, NULL,
     .help = "Compile the operations of fraiseql.turbo_queries at the start and at each reload (see fraiseqld turbo)."},
    {"turborouter.warm.file", OPTION_STRING, AT(turbo_warm_file), "", 0, 0, NULL,
     .help = "Those of a file as well: a GraphQL document, a list of requests in JSON, or Apollo's manifest."},

    {"apq.enabled", OPTION_BOOL, AT(apq_enabled), "true", 0, 0, NULL,
     .help = "Let clients register documents, and send their hashes from then on (automatic persisted queries)."},
    {"apq.mode", OPTION_CHOICE, AT(apq_mode), "optional", 0, 0, "optional|required|disabled",
     .help = "required: only documents of apq.queries_dir and trusted_documents.manifest_files are accepted."},
    {"apq.storage", OPTION_STRINGS, AT(apq_storage), "memory, postgres", 0, 0, NULL,
     .help = "Where they are kept: memory, and postgres for all daemons of the database (see fraiseqld db install)."},
    {"apq.max_entries", OPTION_COUNT, AT(apq_max_entries), "10000", 1, 10000000, NULL,
     .help = "Most documents kept in memory."},
    {"apq.max_rows", OPTION_COUNT, AT(apq_max_rows), "100000", 0, 1000000000, NULL,
     .help = "Most documents kept in the database: what was used longest ago is deleted; 0: no limit."},
    {"apq.ttl", OPTION_DURATION, AT(apq_ttl_ms), "30d", 60000, UINT64_C(86400000) * 3650, NULL,
     .help = "What was not used for so long is deleted from the database."},
    {"apq.max_query_bytes", OPTION_BYTES, AT(apq_max_query_bytes), "64KiB", 128, 16 * MIB, NULL,
     .help = "Longer documents are run, but not kept."},
    {"apq.allow_get", OPTION_BOOL, AT(apq_allow_get), "true", 0, 0, NULL,
     .help = "Hashes may come by GET, for caches on the way."},
    {"apq.queries_dir", OPTION_STRING, AT(apq_queries_dir), "", 0, 0, NULL,
     .help = "A directory of documents, *.graphql and *.gql, also in directories below it, that are known from the start."},

    {"trusted_documents.mode", OPTION_CHOICE, AT(trusted_mode), "off", 0, 0, "off|audit|enforce",
     .help = "enforce: refuse all other documents; audit: log and count them."},
    {"trusted_documents.manifest_files", OPTION_STRINGS, AT(trusted_files), "", 0, 0, NULL,
     .help = "Documents by their ids: Apollo's persisted query manifests, or Relay's."},
    {"trusted_documents.allow_introspection", OPTION_BOOL, AT(trusted_introspection), "false", 0, 0, NULL,
     .help = "Introspection needs no trust."},

    {"cache.enabled", OPTION_BOOL, AT(cache_enabled), "true", 0, 0, NULL,
     .help = "Keep answers of queries in the database (see fraiseqld db install, docs/operations.md)."},
    {"cache.default_ttl", OPTION_DURATION, AT(cache_default_ttl_ms), "60s", 0, 7 * DAYS, NULL,
     .help = "How long, where every change of the tables read is noted; 0s: only what has a ttl below."},
    {"cache.types.*.ttl", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "300s", .help = "How long an answer with objects of that type may be kept; 0s: not at all."},
    {"cache.operations.*.ttl", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "300s", .help = "How long answers of operations of that name are kept, whatever their types say."},
    {"cache.operations.*.mode", OPTION_PART, 0, NULL, 0, 0, "auto|always|never",
     .sample = "auto", .help = "auto: if that is cheaper than asking again, and once the same was asked twice."},
    {"cache.max_value_bytes", OPTION_BYTES, AT(cache_max_value_bytes), "1MiB", 128, 64 * MIB, NULL,
     .help = "Longer answers are not kept."},
    {"cache.max_bytes", OPTION_BYTES, AT(cache_max_bytes), "8GiB", 1 * MIB, 1024 * GIB, NULL,
     .help = "Size of all of them: beyond it those that would expire soonest are deleted."},
    {"cache.l1.enabled", OPTION_BOOL, AT(cache_l1), "false", 0, 0, NULL,
     .help = "Keep answers in memory, too: without asking the database, so they may be as old as max_ttl\n"
             "after a change of another daemon's or of psql's, unless changes are heard of (docs/operations.md)."},
    {"cache.l1.max_bytes", OPTION_BYTES, AT(cache_l1_bytes), "64MiB", 1 * MIB, 64 * GIB, NULL,
     .help = "Memory for them."},
    {"cache.l1.max_ttl", OPTION_DURATION, AT(cache_l1_ttl_ms), "2s", 1, 60 * SECONDS, NULL,
     .help = "How long they are kept there."},
    {"cache.single_flight.enabled", OPTION_BOOL, AT(cache_single_flight), "true", 0, 0, NULL,
     .help = "Who asks for what is just being made waits for it."},
    {"cache.single_flight.wait", OPTION_DURATION, AT(cache_wait_ms), "2s", 1, 1 * HOURS, NULL,
     .help = "At most so long."},
    {"cache.stale_while_revalidate", OPTION_DURATION, AT(cache_stale_ms), "0s", 0, 1 * DAYS, NULL,
     .help = "An answer that has expired is sent for so long while another request makes it anew."},
    {"cache.stale_if_error", OPTION_DURATION, AT(cache_stale_if_error_ms), "0s", 0, 1 * DAYS, NULL,
     .help = "And for so long where that fails because of the server or the database."},
    {"cache.stats.sample", OPTION_RATIO, AT(cache_log_sample), "0.01", 0, 0, NULL,
     .help = "Part of the requests that fraiseql.cache_access_log has a row of."},
    {"cache.cleanup.batch", OPTION_COUNT, AT(cache_cleanup_batch), "5000", 1, 1000000, NULL,
     .help = "How many answers that have expired the job cache_cleanup deletes at once."},

    {"jobs.enabled", OPTION_BOOL, AT(jobs_enabled), "true", 0, 0, NULL,
     .help = "Run jobs by the clock (see fraiseqld jobs list); of several daemons of a database one runs each."},
    {"jobs.timezone", OPTION_STRING, AT(jobs_timezone), "UTC", 0, 0, NULL,
     .help = "Schedules are in its time: UTC, or a name such as Europe/Berlin."},
    {"jobs.jitter", OPTION_DURATION, AT(jobs_jitter_ms), "10s", 0, 10 * MINUTES, NULL,
     .help = "A run begins that much later at most, at random."},
    {"jobs.refresh", OPTION_STRINGS, AT(jobs_refresh), "", 0, 0, NULL,
     .help = "Materialized views that are refreshed every five minutes, concurrently where they have a unique index."},
    {"jobs.definitions.*.schedule", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "*/15 * * * *", .help = "When the job runs: as in crontab(5), @daily and the like, \"@every 90s\"; or off."},
    {"jobs.definitions.*.builtin", OPTION_PART, 0, NULL, 0, 0, "cache_cleanup|cache_warm|partitions|retention|statistics",
     .help = "What it does: one that the daemon has; the job of its own name runs besides."},
    {"jobs.definitions.*.refresh", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "v_tenant_project_summary", .help = "Or: refresh a materialized view, which the daemon's role has to own."},
    {"jobs.definitions.*.concurrently", OPTION_PART, 0, NULL, 0, 0, "false|true",
     .help = "Without locking out readers, where it has a unique index (default true)."},
    {"jobs.definitions.*.sql", OPTION_PART, 0, NULL, 0, 0, NULL,
     .help = "Or: run a statement, as the role that the daemon logs in as."},
    {"jobs.definitions.*.documents", OPTION_PART, 0, NULL, 0, 0, NULL, .list = true,
     .sample = "Dashboard", .help = "cache_warm: names of operations in fraiseql.turbo_queries, or files of them (with a dot or slash); none: all that are registered."},
    {"jobs.definitions.*.tenants", OPTION_PART, 0, NULL, 0, 0, NULL, .list = true,
     .sample = "active", .help = "cache_warm: for whom; active (default): who was served within a day, as fraiseql.cache_access_log knows."},
    {"jobs.definitions.*.timeout", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "4m", .help = "It is cancelled after so long (default 4m)."},

    {"security.rate_limit.per_ip", OPTION_COUNT, AT(rate_per_ip), "0", 0, 1000000, NULL, LIVE,
     .help = "Requests of one address (IPv6: of a /64) a second, before their tokens are looked at; 0: no limit."},
    {"security.rate_limit.per_user", OPTION_COUNT, AT(rate_per_user), "0", 0, 1000000, NULL, LIVE,
     .help = "Operations of one user (sub) a second; 0: no limit."},
    {"security.rate_limit.burst", OPTION_COUNT, AT(rate_burst), "0", 0, 1000000, NULL, LIVE,
     .help = "So many at once after a pause, of either; 0: those of a second."},

    {"security.max_depth", OPTION_COUNT, AT(max_depth), "12", 1, 100, NULL, LIVE,
     .help = "Levels of selections."},
    {"security.max_aliases", OPTION_COUNT, AT(max_aliases), "30", 0, 100000, NULL, LIVE,
     .help = "Aliases in a document."},
    {"security.max_root_fields", OPTION_COUNT, AT(max_root_fields), "20", 1, 100000, NULL, LIVE,
     .help = "Fields at the root of an operation."},
    {"security.max_tokens", OPTION_COUNT, AT(max_tokens), "2000", 10, 1000000, NULL, LIVE,
     .help = "Tokens of a document."},
    {"security.max_document_bytes", OPTION_BYTES, AT(max_document_bytes), "64KiB", 128, 16 * MIB, NULL, LIVE,
     .help = "A document's text."},
    {"security.max_directives", OPTION_COUNT, AT(max_directives), "50", 0, 100000, NULL, LIVE,
     .help = "Directives in a document."},
    {"security.max_fragments", OPTION_COUNT, AT(max_fragments), "50", 0, 100000, NULL, LIVE,
     .help = "Fragment definitions in a document."},
    {"security.max_complexity", OPTION_COUNT, AT(max_complexity), "250000", 0, UINT64_C(1000000000000), NULL, LIVE,
     .help = "Complexity of an operation: each field counts 1, times the rows of the lists around it; 0: no limit."},
    {"security.complexity.mode", OPTION_CHOICE, AT(complexity_mode), "enforce", 0, 0, "enforce|shadow|off", LIVE,
     .help = "shadow: what is over security.max_complexity is run, counted and said in the log."},
    {"security.complexity.per_minute", OPTION_COUNT, AT(complexity_per_minute), "0", 0, UINT64_C(10000000000), NULL, LIVE,
     .help = "Complexity that one user (sub; without a token: one address) may ask for in a minute, all at once\n"
             "after a pause; more is 429, or in shadow mode counted. 0: no limit."},
    {"security.complexity.default_list_factor", OPTION_COUNT, AT(complexity_list_factor), "auto", 1, 1000000, "auto", LIVE,
     .help = "Rows that a list without limit counts as; auto: schema.pagination.default_limit."},
    {"security.max_list_variables", OPTION_COUNT, AT(max_list_variables), "1000", 0, 1000000, NULL, LIVE,
     .help = "Items in all lists of an operation's variables together; 0: no limit."},

    {"graphiql.enabled", OPTION_CHOICE, AT(graphiql), "auto", 0, 0, "auto|on|off", LIVE,
     .help = "Serve a page on which people try requests; auto: where the program has it built in and\n"
             "errors.environment is not production."},
    {"graphiql.path", OPTION_STRING, AT(graphiql_path), "/graphiql", 0, 0, NULL, LIVE,
     .help = "Where, on server.listen."},

    {"errors.environment", OPTION_STRING, AT(environment), "${ENVIRONMENT:-production}", 0, 0, NULL,
     .help = "Where this daemon runs: production, staging, development, …"},
    {"errors.mask", OPTION_BOOL, AT(mask_errors), "true", 0, 0, NULL, LIVE,
     .help = "Show clients a reference number in place of the text of internal errors."},
    {"errors.notifications.enabled", OPTION_BOOL, AT(notifications_enabled), "true", 0, 0, NULL,
     .help = "Tell people of errors: by the channels below, and by those in the table\n"
             "tb_error_notification_config (fraiseqld db install). Of many daemons one sends."},
    {"errors.notifications.schedule", OPTION_STRINGS, AT(notify_schedule), "1, 10, 100, 1000", 0, 0, NULL,
     .help = "Which occurrences of an error are told of."},
    {"errors.notifications.then_every", OPTION_COUNT, AT(notify_then_every), "1000", 0, 1000000000, NULL,
     .help = "Beyond them: every so many; 0: none."},
    {"errors.notifications.min_interval", OPTION_DURATION, AT(notify_min_interval_ms), "1m", 0, 7 * DAYS, NULL,
     .help = "Least time between two notifications of one error on one channel; what falls\n"
             "due meanwhile is told of as one."},
    {"errors.notifications.window", OPTION_DURATION, AT(notify_window_ms), "24h", 1 * SECONDS, 90 * DAYS, NULL,
     .help = "An error that has not occurred for so long is counted from 1 again, as is one\n"
             "that was resolved."},
    {"errors.notifications.severities", OPTION_STRINGS, AT(notify_severities), "error, critical", 0, 0, NULL,
     .help = "Which errors channels are for that say nothing else: debug, info, warning,\n"
             "error, critical."},
    {"errors.notifications.max_per_hour", OPTION_COUNT, AT(notify_max_per_hour), "60", 0, 1000000, NULL,
     .help = "Notifications on one channel within an hour; what is more waits; 0: no limit."},
    {"errors.notifications.interval", OPTION_DURATION, AT(notify_interval_ms), "5s", 50, 1 * HOURS, NULL,
     .help = "How often is looked for what is due."},
    {"errors.notifications.attempts", OPTION_COUNT, AT(notify_attempts), "8", 1, 100, NULL,
     .help = "Attempts to send one before it is given up."},
    {"errors.notifications.retry_backoff", OPTION_DURATIONS, AT(notify_backoff_min_ms), "30s, 1h", 10, 1 * DAYS, NULL,
     .help = "Pause after a failure, doubled each time up to the second."},
    {"errors.notifications.timeout", OPTION_DURATION, AT(notify_timeout_ms), "10s", 100, 5 * MINUTES, NULL,
     .help = "Time for one attempt."},
    {"errors.notifications.allow", OPTION_STRINGS, AT(notify_allow), "", 0, 0, NULL,
     .help = "Hosts (hooks.example.com, *.example.com) and networks (10.1.0.0/16) that may\n"
             "be sent to; empty: every public address. Addresses inside (loopback, private,\n"
             "…) only where their network is listed."},
    {"errors.notifications.allow_http", OPTION_BOOL, AT(notify_allow_http), "false", 0, 0, NULL,
     .help = "Let addresses of channels be http."},
    {"errors.notifications.ca_file", OPTION_STRING, AT(notify_ca_file), "", 0, 0, NULL,
     .help = "Certificates that those of receivers are checked against; \"\": the system's."},
    {"errors.notifications.smtp.host", OPTION_STRING, AT(smtp_host), "", 0, 0, NULL,
     .help = "Where mails are handed in; \"\": there is no mail."},
    {"errors.notifications.smtp.port", OPTION_COUNT, AT(smtp_port), "587", 1, 65535, NULL,
     .help = "Its port."},
    {"errors.notifications.smtp.tls", OPTION_CHOICE, AT(smtp_tls), "starttls", 0, 0, "starttls|tls|none",
     .help = "starttls: encrypted before anything else is said; tls: from the beginning."},
    {"errors.notifications.smtp.user", OPTION_STRING, AT(smtp_user), "", 0, 0, NULL,
     .help = "Who logs in; \"\": nobody."},
    {"errors.notifications.smtp.password", OPTION_STRING, AT(smtp_password), NULL, 0, 0, NULL, SECRET,
     .sample = "smtp-password",
     .help = "With which password."},
    {"errors.notifications.smtp.from", OPTION_STRING, AT(smtp_from), "", 0, 0, NULL,
     .help = "Address that mails are from."},
    {"errors.notifications.channels[].name", OPTION_PART, 0, NULL, 0, 0, NULL,
     .sample = "oncall", .help = "in the log; \"\": its type"},
    {"errors.notifications.channels[].type", OPTION_PART, 0, NULL, 0, 0, "webhook|slack|email|notify",
     .sample = "webhook", .help = "webhook, slack, email or notify"},
    {"errors.notifications.channels[].url", OPTION_PART, 0, NULL, 0, 0, NULL, SECRET,
     .sample = "webhook-url", .help = "of webhook and slack; the file holds it"},
    {"errors.notifications.channels[].hmac_secret", OPTION_PART, 0, NULL, 0, 0, NULL, SECRET,
     .sample = "webhook-secret", .help = "webhook: what requests are signed with"},
    {"errors.notifications.channels[].headers.*", OPTION_PART, 0, NULL, 0, 0, NULL, SECRET,
     .help = "webhook: further headers of its requests"},
    {"errors.notifications.channels[].severities", OPTION_PART, 0, NULL, 0, 0, NULL, .list = true,
     .sample = "critical", .help = "which errors it is for"},
    {"errors.notifications.channels[].template", OPTION_PART, 0, NULL, 0, 0, NULL,
     .help = "webhook: the JSON that is sent; slack, email: the text; {{name}} stands for a value"},
    {"errors.notifications.channels[].subject", OPTION_PART, 0, NULL, 0, 0, NULL,
     .help = "email: the subject; {{name}} stands for a value"},
    {"errors.notifications.channels[].to", OPTION_PART, 0, NULL, 0, 0, NULL, .list = true,
     .help = "email: addresses"},
    {"errors.notifications.channels[].channel", OPTION_PART, 0, NULL, 0, 0, NULL,
     .help = "notify: what is listened to; slack: another channel than the webhook's own"},
    {"errors.notifications.channels[].username", OPTION_PART, 0, NULL, 0, 0, NULL,
     .help = "slack: who it is from"},

    {"errors.enabled", OPTION_BOOL, AT(errors_enabled), "true", 0, 0, NULL,
     .help = "Record errors in fraiseql.tb_error_log (fraiseqld db install)."},
    {"errors.release", OPTION_STRING, AT(release), "${VERSION:-}", 0, 0, NULL,
     .help = "The release of what is served, told with each error."},
    {"errors.codes", OPTION_STRINGS, AT(error_codes),
     "FORBIDDEN, TIMEOUT, SERVICE_UNAVAILABLE, UNKNOWN_OUTCOME, INTERNAL_SERVER_ERROR", 0, 0, NULL,
     .help = "Which are recorded; add CONFLICT, BAD_USER_INPUT … to see clients' mistakes."},
    {"errors.fingerprint", OPTION_STRINGS, AT(error_fingerprint), "code, sqlstate, operation, path, message", 0, 0, NULL,
     .help = "What errors have in common that are counted as one."},
    {"errors.sample", OPTION_RATIO, AT(error_sample), "1", 0, 0, NULL,
     .help = "Part of the errors that is kept in full; the others are only counted."},
    {"errors.burst", OPTION_COUNT, AT(error_burst), "10", 1, 10000, NULL,
     .help = "Of each kind of error so many are kept in full between two writes; more are\n"
             "only counted."},
    {"errors.capture_query", OPTION_BOOL, AT(error_capture_query), "true", 0, 0, NULL,
     .help = "Record the operation's text, without the contents of its strings."},
    {"errors.capture_variables", OPTION_CHOICE, AT(error_capture_variables), "redacted", 0, 0, "off|types|redacted",
     .help = "Record variables: nothing of them; names and types; values, but of names in\n"
             "errors.redact."},
    {"errors.redact", OPTION_STRINGS, AT(error_redact), "password, token, secret, authorization", 0, 0, NULL,
     .help = "Words in names of variables whose values are never recorded."},
    {"errors.queue.max", OPTION_COUNT, AT(error_queue), "10000", 10, 1000000, NULL,
     .help = "Errors that wait to be written, and kinds of them; more are dropped and counted."},
    {"errors.queue.flush_interval", OPTION_DURATION, AT(error_flush_interval_ms), "1s", 10, 1 * MINUTES, NULL,
     .help = "How often they are written."},
    {"errors.queue.batch", OPTION_COUNT, AT(error_batch), "200", 1, 10000, NULL,
     .help = "How many at once; so many do not wait for the interval."},
    {"errors.spool", OPTION_STRING, AT(error_spool), "${STATE_DIRECTORY:-}", 0, 0, NULL,
     .help = "A directory in which errors are kept while the database is away; \"\": they wait\n"
             "in memory, where more of them are only counted."},
    {"errors.spool_max", OPTION_BYTES, AT(error_spool_max), "64MiB", 1 * MIB, 0, NULL,
     .help = "Bytes there, at most."},

    {"observability.log.level", OPTION_CHOICE, AT(log_level), "info", 0, 0, "debug|info|warn|error", LIVE,
     .help = "Least level logged."},
    {"observability.log.format", OPTION_CHOICE, AT(log_format), "auto", 0, 0, "json|logfmt|text|auto",
     .help = "auto: text on a terminal, else json."},
    {"observability.log.access.enabled", OPTION_BOOL, AT(log_access), "false", 0, 0, NULL, LIVE,
     .help = "A line for each request."},
    {"observability.log.access.slow", OPTION_DURATION, AT(log_slow_ms), "1s", 0, 1 * HOURS, NULL, LIVE,
     .help = "Requests that take as long are logged as slow operations, with the digest of their SQL; 0s: none."},
    {"observability.metrics.enabled", OPTION_BOOL, AT(metrics_enabled), "true", 0, 0, NULL, LIVE,
     .help = "Serve metrics."},
    {"observability.metrics.path", OPTION_STRING, AT(metrics_path), "/metrics", 0, 0, NULL, LIVE,
     .help = "Where, on server.admin_listen."},
    {"observability.metrics.operation_label", OPTION_CHOICE, AT(metrics_operation_label), "trusted", 0, 0, "none|trusted|all",
     .help = "Operations that have a series of their own in graphql_operation_duration_seconds:\n"
             "trusted: of trusted documents and registered ones (turborouter.warm); all: by whatever name.\n"
             "The others are counted as \"other\"."},
    {"observability.metrics.max_series", OPTION_COUNT, AT(metrics_max_series), "5000", 0, 160000, NULL,
     .help = "Series that they may make together, 16 each; further operations are counted as \"other\"."},
    {"observability.metrics.openmetrics", OPTION_BOOL, AT(metrics_openmetrics), "true", 0, 0, NULL, LIVE,
     .help = "OpenMetrics for who asks for it, with the traces of some requests as exemplars."},
    {"observability.tracing.enabled", OPTION_BOOL, AT(tracing_enabled), "true", 0, 0, NULL,
     .help = "Keep traces of some requests: spans of the request and its stages."},
    {"observability.tracing.accept", OPTION_FLAG, AT(tracing_accept_all), "trusted", 0, 0, "trusted|all", LIVE,
     .help = "Whose traces (traceparent, X-Amzn-Trace-Id) are continued: those that server.trusted_proxies pass\n"
             "on, or everybody's."},
    {"observability.tracing.sampler", OPTION_FLAG, AT(tracing_ignores_caller), "parentbased_ratio", 0, 0, "parentbased_ratio|ratio", LIVE,
     .help = "parentbased_ratio: who sent the trace has decided whether it is sampled; ratio: we do, for all."},
    {"observability.tracing.ratio", OPTION_RATIO, AT(tracing_ratio), "0.01", 0, 0, NULL, LIVE,
     .help = "Part of the traces that is sampled."},
    {"observability.tracing.slow_always", OPTION_DURATION, AT(tracing_slow_ms), "1s", 0, 1 * HOURS, NULL, LIVE,
     .help = "Requests that take as long are kept, sampled or not; 0s: they are not."},
    {"observability.tracing.errors_always", OPTION_BOOL, AT(tracing_errors_always), "true", 0, 0, NULL, LIVE,
     .help = "So are those with errors."},
    {"observability.tracing.exporters", OPTION_STRINGS, AT(tracing_exporters), "postgres", 0, 0, NULL,
     .help = "Where traces are kept: postgres (fraiseql.otel_traces, see fraiseqld db install), otlp."},
    {"observability.tracing.queue", OPTION_COUNT, AT(tracing_queue), "8192", 1, 1000000, NULL,
     .help = "Requests whose spans wait to be written; more are dropped and counted."},
    {"observability.tracing.otlp.endpoint", OPTION_STRING, AT(otlp_endpoint), "${OTEL_EXPORTER_OTLP_ENDPOINT:-}", 0, 0, NULL,
     .help = "A collector's address for OTLP over HTTP (JSON): https://collector:4318, or with its path /v1/traces."},
    {"observability.tracing.otlp.headers", OPTION_STRING, AT(otlp_headers), "${OTEL_EXPORTER_OTLP_HEADERS:-}", 0, 0, NULL, SECRET,
     .help = "Headers of its requests: name=value,name=value."},
    {"observability.tracing.otlp.ca_file", OPTION_STRING, AT(otlp_ca_file), "", 0, 0, NULL,
     .help = "Certificates that its own is checked against; \"\": the system's."},
    {"observability.tracing.otlp.allow_http", OPTION_BOOL, AT(otlp_allow_http), "false", 0, 0, NULL,
     .help = "Let the address be http, for a collector on the same host."},
    {"observability.tracing.otlp.timeout", OPTION_DURATION, AT(otlp_timeout_ms), "10s", 100, 5 * MINUTES, NULL,
     .help = "Time for one request to it."},
    {"observability.service_name", OPTION_STRING, AT(service_name), "${OTEL_SERVICE_NAME:-fraiseqld}", 0, 0, NULL,
     .help = "The daemon's name in traces and in fraiseql.otel_metrics."},
    {"observability.resource_attributes", OPTION_STRING, AT(resource_attributes), "${OTEL_RESOURCE_ATTRIBUTES:-}", 0, 0, NULL,
     .help = "What else is said of it there: name=value,name=value."},
    {"observability.otel_metrics.enabled", OPTION_BOOL, AT(otel_metrics_enabled), "true", 0, 0, NULL,
     .help = "Keep snapshots of the metrics in fraiseql.otel_metrics (fraiseqld db install)."},
    {"observability.otel_metrics.interval", OPTION_DURATION, AT(otel_metrics_interval_ms), "60s", 100, 1 * DAYS, NULL,
     .help = "How often."},
};
/* clang-format on */

const size_t options_count = COUNT_OF(options_table);

/* Does a concrete key have the form of a pattern? With `prefix`: of the beginning of one. */
static bool matches(const char *pattern, struct str key, bool prefix)
{
    const char *p = pattern;
    size_t i = 0;

    while (i < key.len) {
        if (*p == '*') {
            size_t from = i;

            while (i < key.len && key.data[i] != '.' && key.data[i] != '[')
                i++;
            if (i == from)
                return false;
            p++;
        } else if (p[0] == '[' && p[1] == ']' && key.data[i] == '[') {
            i += str_find(str_sub(key, i, SIZE_MAX), ']') + 1;
            if (i > key.len)
                return false;
            p += 2;
        } else if (*p == key.data[i]) {
            p++;
            i++;
        } else {
            return false;
        }
    }
    return prefix ? *p == '.' || *p == '[' : *p == '\0';
}

const struct config_option *option_find(struct str key)
{
    for (size_t i = 0; i < options_count; i++)
        if (matches(options_table[i].key, key, false))
            return &options_table[i];
    return NULL;
}

bool option_is_section(struct str key)
{
    for (size_t i = 0; i < options_count; i++)
        if (matches(options_table[i].key, key, true))
            return true;
    return false;
}

/* The section of a key: what is before its last dot. */
static struct str section_of(struct str key)
{
    while (key.len > 0 && key.data[key.len - 1] != '.')
        key.len--;
    return key.len > 0 ? str_sub(key, 0, key.len - 1) : key;
}

/* The nearest name in the section of the key. */
static struct str nearest_sibling(struct str section, struct str name)
{
    size_t skip = section.len > 0 ? section.len + 1 : 0;
    size_t limit = size_min(3, name.len / 2);
    struct str found = STR("");

    for (size_t i = 0; i < options_count; i++) {
        struct str whole = str_of(options_table[i].key);
        struct str next = str_sub(whole, skip, SIZE_MAX);
        size_t distance;

        if (!str_starts(whole, section) || (skip > 0 && whole.data[section.len] != '.'))
            continue;
        next.len = size_min(str_find(next, '.'), str_find(next, '['));
        distance = str_distance(name, next, limit);
        if (distance < limit + (found.len == 0)) {
            limit = distance;
            found = str_sub(whole, 0, skip + next.len);
        }
    }
    return found;
}

/* The one key that is spelt nearly so as a whole, or has this name in another section. */
static struct str nearest_key(struct str key, struct str name)
{
    struct str near = STR(""), moved = STR("");
    size_t nmoved = 0;

    for (size_t i = 0; i < options_count; i++) {
        struct str whole = str_of(options_table[i].key);

        if (near.len == 0 && key.len > 6 && str_distance(key, whole, 3) <= 3)
            near = whole;
        if (whole.len > name.len && str_ends(whole, name) &&
            whole.data[whole.len - name.len - 1] == '.') {
            moved = whole;
            nmoved++;
        }
    }
    if (near.len > 0)
        return near;
    return nmoved == 1 ? moved : STR("");
}

struct str option_suggest(struct str key)
{
    struct str section = section_of(key);
    struct str name = str_sub(key, section.len > 0 ? section.len + 1 : 0, SIZE_MAX);
    struct str found = nearest_sibling(section, name);

    return found.len > 0 ? found : nearest_key(key, name);
}
