/*
 * endpoints.c - table: path to handler.
 *
 * Thread:   loop.
 * Memory:   none kept.
 * Not here: what the handlers do.
 */
#include "server/endpoints.h"

#include "metrics/metrics.h"
#include "server/ops_endpoints.h"

enum {
    ON_API = 1,
    ON_ADMIN = 2
};

struct route {
    const char *path;
    unsigned where;
    void (*handler)(const struct health *h, struct http_reply *r);
};

/* path, listeners, handler; GET and HEAD only */
static const struct route routes[] = {
    {"/health",   ON_API | ON_ADMIN, ops_ready  },
    {"/healthz",  ON_ADMIN,          ops_live   },
    {"/livez",    ON_ADMIN,          ops_live   },
    {"/ready",    ON_API | ON_ADMIN, ops_ready  },
    {"/readyz",   ON_ADMIN,          ops_ready  },
    {"/startupz", ON_ADMIN,          ops_startup},
};

static const struct http_header allow_get[] = {
    {STR_INIT("Allow"), STR_INIT("GET, HEAD")},
};

static bool is_read(const struct http_request *q)
{
    return str_is(q->method, "GET") || str_is(q->method, "HEAD");
}

static void refuse_method(struct exchange *x)
{
    struct http_reply r;

    graphql_error_reply(x, METHOD_NOT_ALLOWED, "the method must be GET or HEAD", &r);
    r.headers = allow_get;
    r.nheaders = COUNT_OF(allow_get);
    exchange_reply(x, &r);
}

static void answer(struct exchange *x, const struct health *h,
                   void (*handler)(const struct health *h, struct http_reply *r))
{
    struct http_reply r = {0};

    if (!is_read(exchange_request(x))) {
        refuse_method(x);
        return;
    }
    handler(h, &r);
    exchange_reply(x, &r);
}

static bool answer_route(struct exchange *x, const struct endpoints *e, unsigned where)
{
    struct str path = exchange_request(x)->path;

    for (size_t i = 0; i < COUNT_OF(routes); i++)
        if ((routes[i].where & where) != 0 && str_is(path, routes[i].path)) {
            answer(x, e->health, routes[i].handler);
            return true;
        }
    if (where == ON_ADMIN && e->metrics_path.len > 0 && str_eq(path, e->metrics_path)) {
        struct str accept = http_request_header(exchange_request(x), STR("accept"));
        bool open = e->openmetrics && accept.data != NULL && ops_wants_openmetrics(accept);

        answer(x, e->health, open ? ops_openmetrics : ops_metrics);
        return true;
    }
    return false;
}

static bool answer_page(struct exchange *x, const struct endpoints *e)
{
    struct http_reply r = {0};

    if (!graphiql_answer(e->graphiql, exchange_request(x), &r))
        return false;
    if (is_read(exchange_request(x))) {
        exchange_reply(x, &r);
    } else {
        buf_fini(&r.body);
        refuse_method(x);
    }
    return true;
}

static void not_found(struct exchange *x)
{
    struct http_reply r;

    graphql_error_reply(x, NOT_FOUND, "there is nothing at this path", &r);
    exchange_reply(x, &r);
}

void endpoints_api(struct exchange *x, void *ctx)
{
    const struct endpoints *e = ctx;
    struct http_reply r;

    if (!str_eq(exchange_request(x)->path, e->graphql_path)) {
        if (!answer_route(x, e, ON_API) && !answer_page(x, e))
            not_found(x);
        return;
    }
    if (e->graphql->cors.enabled && str_is(exchange_request(x)->method, "OPTIONS")) {
        graphql_options_reply(e->graphql, x, &r);
        exchange_reply(x, &r);
        return;
    }
    if (!graphql_admit_address(e->graphql, x, &r)) {
        exchange_reply(x, &r);
        return;
    }
    if (workers_submit(e->workers, x, graphql_endpoint_run, e->graphql, e->users))
        return;
    metric_add(METRIC_HTTP_REJECTED_QUEUE, 1);
    graphql_overload_reply(e->graphql, x, &r);
    exchange_reply(x, &r);
}

void endpoints_admin(struct exchange *x, void *ctx)
{
    if (!answer_route(x, ctx, ON_ADMIN))
        not_found(x);
}
