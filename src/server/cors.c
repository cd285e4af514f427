/*
 * cors.c - what scripts of other origins may do (Fetch standard, CORS protocol).
 *
 * Thread:   any; constant once made.
 * Not here: see cors.h.
 *
 * Nothing of a request is reflected but an origin that is on the list, and then
 * it is the list's text that is sent. Vary names Origin whenever the list
 * decides, so that no cache gives one origin's permission to another.
 */
#include "server/cors.h"

static struct str join(const struct config_strings *names, struct arena *a)
{
    struct str all = STR("");

    for (size_t i = 0; i < names->n; i++)
        all = arena_printf(a, "%.*s%s%.*s", STR_ARG(all), i > 0 ? ", " : "",
                           STR_ARG(names->items[i]));
    return all;
}

void cors_init(struct cors *c, const struct config *config, struct arena *a)
{
    *c = (struct cors){
        .enabled = config->cors_enabled,
        .any =
            config->cors_allow_origins.n == 1 && str_is(config->cors_allow_origins.items[0], "*"),
        .origins = config->cors_allow_origins,
        .credentials = config->cors_allow_credentials,
        .methods = join(&config->cors_allow_methods, a),
        .headers = join(&config->cors_allow_headers, a),
        .exposed = join(&config->cors_expose_headers, a),
        .max_age = arena_printf(a, "%llu", (unsigned long long)config->cors_max_age_ms / 1000),
    };
    CHECK(!c->any || !c->credentials);
}

/* The list's own text, or data NULL. */
static struct str find_origin(const struct cors *c, struct str origin)
{
    for (size_t i = 0; c->enabled && !c->any && i < c->origins.n; i++)
        if (str_eq(c->origins.items[i], origin))
            return c->origins.items[i];
    return str_make(NULL, 0);
}

bool cors_lists(const struct cors *c, struct str origin)
{
    return find_origin(c, origin).data != NULL;
}

/* True: the origin is allowed. */
static bool add_origin(const struct cors *c, struct str origin, struct reply_headers *out)
{
    struct str allowed = c->enabled && c->any ? STR("*") : find_origin(c, origin);

    if (origin.data == NULL || allowed.data == NULL)
        return false;
    headers_add(out, STR("Access-Control-Allow-Origin"), allowed);
    if (c->credentials)
        headers_add(out, STR("Access-Control-Allow-Credentials"), STR("true"));
    return true;
}

void cors_add(const struct cors *c, struct str origin, struct reply_headers *out)
{
    if (add_origin(c, origin, out) && c->exposed.len > 0)
        headers_add(out, STR("Access-Control-Expose-Headers"), c->exposed);
}

void cors_preflight(const struct cors *c, const struct http_request *q, struct arena *a,
                    struct http_reply *out)
{
    struct reply_headers *h = ARENA_NEW(a, struct reply_headers);
    bool asks = http_request_header(q, STR("access-control-request-method")).data != NULL;

    if (!c->any)
        headers_add(h, STR("Vary"), STR("Origin"));
    if (!asks) {
        headers_add(h, STR("Allow"), STR("GET, POST, OPTIONS"));
    } else if (add_origin(c, http_request_header(q, STR("origin")), h)) {
        headers_add(h, STR("Access-Control-Allow-Methods"), c->methods);
        headers_add(h, STR("Access-Control-Allow-Headers"), c->headers);
        headers_add(h, STR("Access-Control-Max-Age"), c->max_age);
    }
    *out = (struct http_reply){.status = 204, .headers = h->items, .nheaders = h->n};
    buf_init(&out->body, 0);
}
