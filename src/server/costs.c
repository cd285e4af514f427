/*
 * costs.c - how much complexity one identity may ask for in a minute.
 *
 * Thread:   a worker's.
 */
#include "server/costs.h"

#include "base/log.h"
#include "metrics/metrics.h"
#include "server/graphql_endpoint.h"

/* Buckets fill by whole tokens a second: one is a sixtieth of what a cost of 1 takes. */
#define TOKENS 60

struct ratelimit *cost_limit(size_t slots, uint64_t per_minute)
{
    return ratelimit_new(slots, per_minute, per_minute * TOKENS);
}

/* Of whom is it? No key can be one of the other kind. */
static struct digest key_of(const struct job *j)
{
    const struct identity *who = &j->identity;
    struct ip_address room;

    if (who->authenticated && who->subject.len > 0)
        return digest_parts((const struct str[]){who->tenant, who->subject}, 2);
    return digest_parts(
        (const struct str[]){graphql_address_key(exchange_request(j->exchange)->client, &room)}, 1);
}

bool cost_spend(struct execution *x, uint64_t cost)
{
    const struct job *j = CONTAINER_OF(x, struct job, execution);
    const struct request_limits *limits = &((const struct graphql_context *)j->context)->limits;
    uint64_t most = cost < limits->cost_per_minute ? cost : limits->cost_per_minute, wait_s;
    struct digest key = key_of(j);

    if (ratelimit_take(limits->cost, str_make((const char *)key.bytes, sizeof(key.bytes)),
                       most * TOKENS, monotonic_ns(), &wait_s))
        return true;
    metric_add(limits->cost_shadow ? METRIC_LIMIT_COST_SHADOW : METRIC_LIMIT_COST, 1);
    if (limits->cost_shadow)
        return true;
    x->retry_s = wait_s;
    errors_add(&x->errors, RATE_LIMITED, "too much is asked for in a minute");
    return false;
}
