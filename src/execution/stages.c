/*
 * stages.c - how long each stage of a request took, and what it was, for traces and the log.
 *
 * Thread:   a worker's.
 * Memory:   texts are copied to the request's arena.
 */
#include "execution/execute.h"

void stages_add_batch(struct stages *s, const struct pgbatch *b)
{
    uint64_t now = monotonic_ns();

    stage_add(&s->times[STAGE_DATABASE], now - b->backend_ns, b->backend_ns);
    stage_add(&s->times[STAGE_WAIT], now - b->backend_ns - b->queued_ns, b->queued_ns);
}

static struct str join_statements(const struct plan *p, struct arena *a)
{
    struct buf text;
    struct str out;

    buf_init(&text, 0);
    for (size_t i = 0; i < p->nsteps && text.len < STAGES_SQL_MAX; i++) {
        if (i > 0)
            buf_append_lit(&text, ";\n");
        buf_append_str(&text, p->steps[i].statement.sql);
    }
    if (text.len > STAGES_SQL_MAX) {
        text.len = STAGES_SQL_MAX;
        while (text.len > 0 && !str_is_utf8(buf_str(&text)))
            text.len--;
    }
    out = arena_dup(a, buf_str(&text));
    buf_fini(&text);
    return out;
}

uint64_t stages_end_ns(const struct stages *s)
{
    const struct stage_time *t = &s->times[STAGE_RESPOND];

    return t->since_ns != 0 ? t->since_ns + t->ns : monotonic_ns();
}

/* Sampled, wrong or slow: all others cost one comparison of times. */
static bool is_told_of(const struct execution *x)
{
    return x->trace != NULL && (x->trace->sampled || errors_any(&x->errors) ||
                                (x->engine->slow_ns > 0 &&
                                 stages_end_ns(&x->stages) - x->received_ns >= x->engine->slow_ns));
}

/* The first bytes of the text's SHA-256. */
static void write_digest(const uint64_t *hash, char *out)
{
    unsigned char bytes[8];

    memcpy(bytes, hash, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

void stages_describe(struct execution *x)
{
    struct stages *s = &x->stages;
    const struct error *e = x->errors.first;

    if (!is_told_of(x))
        return;
    if (e != NULL) {
        s->code = error_code_info(e->code)->name;
        s->sqlstate = arena_dup(x->arena, str_of(e->sqlstate)).data;
    }
    if (x->operation != NULL && x->operation->ast->name.len > 0)
        s->name = arena_dup(x->arena, x->operation->ast->name);
    if (x->plan == NULL || x->plan->nsteps == 0)
        return;
    s->sql = join_statements(x->plan, x->arena);
    write_digest(x->plan->steps[0].statement.hash, s->sql_digest);
}
