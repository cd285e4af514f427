/*
 * certificate.c - the certificate in use, and its exchange for the one that files hold now.
 *
 * Thread:   see certificate.h.
 * Memory:   see certificate.h.
 * Not here: see certificate.h.
 *
 * Open connections go on with the one they began with. Certificate and key may be written one
 * behind the other: until they fit each other the one in use stays, and is looked at more often.
 */
#include "server/certificate.h"

#include "base/digest.h"
#include "metrics/metrics.h"
#include "server/glance.h"
#include "server/options.h"

/* After a failure, should the interval be longer. */
#define RETRY_MS UINT64_C(10000)

struct certificate {
    const struct config *config; /* retained */
    struct tls *tls;             /* owned; NULL: plain HTTP */
    struct timer *timer;
    void (*use)(void *ctx, const struct tls *t);
    void *ctx;
    struct digest seen;    /* of the files when they were read */
    struct digest settled; /* at the last look */
    bool failed;
};

void certificate_glance(const struct config *c, struct buf *out)
{
    glance(c->tls_cert_file, out);
    glance(c->tls_key_file, out);
    glance(c->tls_client_ca_file, out);
}

static struct digest look(const struct config *c)
{
    struct buf all = {0};
    struct digest d;

    certificate_glance(c, &all);
    d = digest_sha256(buf_str(&all));
    buf_fini(&all);
    return d;
}

static void note(struct certificate *x, bool successful)
{
    x->failed = !successful;
    metric_gauge_set(GAUGE_TLS_CERTIFICATE_RELOAD_SUCCESSFUL, successful ? 1 : 0);
}

static void look_later(struct certificate *x)
{
    uint64_t ms = x->config->tls_reload_interval_ms;

    if (!x->config->tls_enabled)
        timer_clear(x->timer);
    else
        timer_set(x->timer, deadline_in_ms(x->failed && ms > RETRY_MS ? RETRY_MS : ms));
}

/* For NULL or another; gives the one before back. */
static struct tls *exchange(struct certificate *x, struct tls *next)
{
    struct tls *old = x->tls;

    x->tls = next;
    x->use(x->ctx, next);
    if (next != NULL)
        tls_announce(next);
    else
        metric_gauge_set(GAUGE_TLS_CERTIFICATE_EXPIRY, 0);
    note(x, true);
    return old;
}

bool certificate_prepare(const struct config *next, struct tls **prepared, struct errors *errs)
{
    struct tls_options opt = options_tls(next);

    *prepared = NULL;
    if (!next->tls_enabled)
        return true;
    *prepared = tls_open(&opt, errs);
    return *prepared != NULL;
}

static void read_again(struct certificate *x)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    struct tls *next;

    errors_init(&errs, a);
    x->seen = x->settled = look(x->config); /* before they are read: what comes later is noticed */
    if (certificate_prepare(x->config, &next, &errs))
        tls_free(exchange(x, next));
    else
        note(x, false);
    for (const struct error *e = errs.first; e != NULL; e = e->next)
        LOG(LOG_ERROR, "could not reload the certificate: the one in use stays",
            LOG_STR("error", e->message), LOG_STR("hint", e->hint));
    arena_free(a);
}

static void on_timer(void *ctx)
{
    struct certificate *x = ctx;
    struct digest now = look(x->config);
    bool changed = !digest_eq(&now, &x->seen, sizeof(now));
    bool settled = digest_eq(&now, &x->settled, sizeof(now));

    x->settled = now;
    if (changed && !settled) {
        timer_set(x->timer, deadline_in_ms(GLANCE_SETTLE_MS));
        return;
    }
    if (changed)
        read_again(x);
    look_later(x);
}

bool certificate_check(const struct config *c, struct errors *errs)
{
    struct tls *t;
    bool ok = certificate_prepare(c, &t, errs);

    tls_free(t);
    return ok;
}

struct certificate *certificate_start(struct loop *l, const struct config *c,
                                      void (*use)(void *ctx, const struct tls *t), void *ctx,
                                      struct errors *errs)
{
    struct digest seen = look(c);
    struct certificate *x;
    struct tls *t;

    if (!certificate_prepare(c, &t, errs))
        return NULL;
    x = xcalloc(1, sizeof(*x));
    x->config = config_ref(c);
    x->use = use;
    x->ctx = ctx;
    x->seen = x->settled = seen;
    x->timer = loop_timer(l, on_timer, x);
    exchange(x, t);
    look_later(x);
    return x;
}

void certificate_take(struct certificate *x, const struct config *next, struct tls *prepared)
{
    const struct config *old = x->config;

    x->config = config_ref(next);
    config_free(old);
    x->seen = x->settled = look(next);
    tls_free(exchange(x, prepared));
    look_later(x);
}

void certificate_look(struct certificate *x)
{
    struct digest now = look(x->config);

    if (x->config->tls_enabled && !digest_eq(&now, &x->seen, sizeof(now)))
        read_again(x);
    look_later(x);
}

const struct tls *certificate_tls(const struct certificate *x)
{
    return x->tls;
}

void certificate_free(struct certificate *x)
{
    if (x == NULL)
        return;
    timer_free(x->timer);
    tls_free(x->tls);
    config_free(x->config);
    xfree(x);
}
