/*
 * consistency.c - what one value of the configuration cannot tell about itself.
 *
 * Thread:   the one that loads.
 * Memory:   the config's arena.
 * Not here: types and ranges (optvalue.c), what only a module knows (server/options.c).
 */
#include "config/settings.h"

static void require(struct loader *l, bool ok, const char *key, const char *what)
{
    if (!ok)
        loader_refuse(l, settings_get(l->settings, str_of(key)), "%s %s", key, what);
}

static bool has_claim(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->nclaims; i++)
        if (str_eq(c->claims[i].name, name))
            return true;
    return false;
}

/* scheme://host or scheme://host:port, as browsers write it: no path, no wildcard, no user. */
static bool is_origin(struct str s)
{
    size_t colon = str_find(s, ':');
    struct str host = str_sub(s, colon + 3, SIZE_MAX);

    if (colon == 0 || !str_starts(str_sub(s, colon, SIZE_MAX), STR("://")) || host.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';

        if (!plain && c != ':' && (i < colon + 3 ? c != '/' && c != '+' : c != '[' && c != ']'))
            return false;
    }
    return true;
}

/* Names of methods and headers, which are sent as they stand. */
static void check_names(struct loader *l, struct config_strings names, const char *key)
{
    for (size_t i = 0; i < names.n; i++) {
        bool ok = names.items[i].len > 0;

        for (size_t j = 0; j < names.items[i].len; j++) {
            char c = names.items[i].data[j];

            ok = ok && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '_');
        }
        require(l, ok, key, "must be of names");
    }
}

static void check_cors(struct loader *l)
{
    static const char origins[] = "server.cors.allow_origins";
    const struct config *c = l->config;
    size_t any = 0;

    for (size_t i = 0; i < c->cors_allow_origins.n; i++) {
        any += str_is(c->cors_allow_origins.items[i], "*");
        require(l, any > 0 || is_origin(c->cors_allow_origins.items[i]), origins,
                "must be of origins in lower case, such as https://app.example.com");
    }
    check_names(l, c->cors_allow_methods, "server.cors.allow_methods");
    check_names(l, c->cors_allow_headers, "server.cors.allow_headers");
    check_names(l, c->cors_expose_headers, "server.cors.expose_headers");
    require(l, any == 0 || c->cors_allow_origins.n == 1, origins, "may have \"*\" alone only");
    require(l, any == 0 || !c->cors_allow_credentials, origins,
            "cannot be \"*\" with server.cors.allow_credentials");
    require(l, !c->cors_enabled || c->cors_allow_origins.n > 0, origins,
            "must not be empty with server.cors.enabled");
}

/* A browser sends a cookie along whoever's page made it send the request. */
static void check_token(struct loader *l)
{
    const struct config *c = l->config;
    bool cookie = c->jwt_cookie.len > 0;
    bool any = c->cors_allow_origins.n > 0 && str_is(c->cors_allow_origins.items[0], "*");

    check_names(l, (struct config_strings){&c->jwt_header, 1}, "auth.jwt.header");
    check_names(l, (struct config_strings){&c->jwt_cookie, cookie}, "auth.jwt.cookie");
    require(l, !cookie || c->csrf_prevention, "auth.jwt.cookie", "needs server.csrf_prevention");
    require(l, !cookie || !c->cors_enabled || !any, "auth.jwt.cookie",
            "cannot be with \"*\" in server.cors.allow_origins");
}

static void check_password(struct loader *l)
{
    static const char key[] = "database.auth.password_command";
    const struct config_strings *command = &l->config->password_command;

    if (command->n == 0)
        return;
    require(l, str_starts(command->items[0], STR("/")), key, "must begin with an absolute path");
    require(l, settings_get(l->settings, STR("database.password")) == NULL, key,
            "and database.password exclude each other");
}

static void check_tls(struct loader *l)
{
    const struct config *c = l->config;
    bool asked = c->tls_client_auth != CONFIG_CLIENT_AUTH_NONE;

    require(l, !c->tls_enabled || c->tls_cert_file.len > 0, "server.tls.cert_file",
            "must be set with server.tls.enabled");
    require(l, !c->tls_enabled || c->tls_key_file.len > 0, "server.tls.key_file",
            "must be set with server.tls.enabled");
    require(l, !asked || c->tls_client_ca_file.len > 0, "server.tls.client_auth",
            "needs server.tls.client_ca_file");
    require(l, asked || c->tls_client_ca_file.len == 0, "server.tls.client_ca_file",
            "needs server.tls.client_auth");
}

/* libpq would only say so at each attempt to connect. */
static void check_sslmode(struct loader *l)
{
    const struct setting *s = settings_get(l->settings, STR("database.sslmode"));

    require(l,
            s == NULL || option_choice("disable|allow|prefer|require|verify-ca|verify-full",
                                       s->items[0], &(unsigned){0}),
            "database.sslmode",
            "must be disable, allow, prefer, require, verify-ca or verify-full");
}

static void check_replicas(struct loader *l)
{
    const struct config *c = l->config;

    require(l, c->replica_urls.n <= CONFIG_MAX_REPLICAS, "database.replicas.urls",
            "must be 16 at most");
    for (size_t i = 0; i < c->replica_urls.n; i++)
        require(l, c->replica_urls.items[i].len > 0, "database.replicas.urls",
                "must not be empty texts");
    for (size_t i = 0; i < c->replica_use_for.n; i++)
        require(l, str_is(c->replica_use_for.items[i], "query"), "database.replicas.use_for",
                "must be of query");
}

void consistency_check(struct loader *l)
{
    const struct config *c = l->config;

    require(l, c->listen.n > 0, "server.listen", "must not be empty");
    require(l, str_starts(c->graphql_path, STR("/")), "server.graphql_path", "must begin with /");
    require(l, str_starts(c->metrics_path, STR("/")), "observability.metrics.path",
            "must begin with /");
    require(l, c->pool_min <= c->pool_max, "database.pool.min",
            "must not be more than database.pool.max");
    require(l, c->pool_fleet_max == 0 || c->pool_fleet_max >= c->pool_min,
            "database.pool.fleet_max", "must not be less than database.pool.min");
    require(l, c->default_limit <= c->max_limit, "schema.pagination.default_limit",
            "must not be more than schema.pagination.max_limit");
    require(l, c->expose_schemas.n > 0, "schema.expose.schemas", "must not be empty");
    require(l, !c->tenancy_enabled || has_claim(c, c->tenancy_claim), "tenancy.claim",
            "must be a claim of auth.claims");
    for (size_t i = 0; i < c->jwt_algorithms.n; i++)
        require(l, option_choice(CONFIG_JWT_ALGORITHMS, c->jwt_algorithms.items[i], &(unsigned){0}),
                "auth.jwt.algorithms",
                "must be of HS256, RS256, PS256, ES256, their like, and EdDSA");
    check_cors(l);
    check_token(l);
    check_password(l);
    check_tls(l);
    check_sslmode(l);
    check_replicas(l);
}
