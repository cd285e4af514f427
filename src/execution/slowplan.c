/*
 * slowplan.c - how PostgreSQL runs a query that was slow, for the log.
 *
 * Thread:   a worker's; what was explained lately is atomic.
 * Memory:   see slowplan.h.
 */
#include "execution/slowplan.h"

#include "execution/errand.h"
#include "execution/execute.h"

#define TIMEOUT_MS 5000
#define MAX_PLAN   ((size_t)16 * 1024)
#define EACH_NS    UINT64_C(1000000000)
#define AGAIN_NS   UINT64_C(3600000000000)
/* Statements that are remembered; those that share a slot push each other out. */
#define SLOTS 256

static atomic_uint_fast64_t next_ns;
static struct {
    atomic_uint_fast64_t hash, at_ns;
} explained[SLOTS];

struct told {
    struct str request_id, trace_id, operation_name, sql_digest;
};

/* A lost update of two threads explains once more. */
static bool is_due(uint64_t hash)
{
    uint64_t now = monotonic_ns();
    size_t slot = hash % SLOTS;
    uint_fast64_t next = atomic_load_explicit(&next_ns, memory_order_relaxed);

    if (now < next ||
        (atomic_load_explicit(&explained[slot].hash, memory_order_relaxed) == hash &&
         now < atomic_load_explicit(&explained[slot].at_ns, memory_order_relaxed) + AGAIN_NS) ||
        !atomic_compare_exchange_strong_explicit(&next_ns, &next, now + EACH_NS,
                                                 memory_order_relaxed, memory_order_relaxed))
        return false;
    atomic_store_explicit(&explained[slot].hash, hash, memory_order_relaxed);
    atomic_store_explicit(&explained[slot].at_ns, now, memory_order_relaxed);
    return true;
}

/* --- what is told ---------------------------------------------------------------------------- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '"' || (unsigned char)c >= 0x80;
}

/* Where the text that begins at `at` with a quote ends: behind the last one. Within, they come in
 * pairs. */
static size_t end_of_text(struct str s, size_t at)
{
    for (at++; at < s.len; at++)
        if (s.data[at] == '\'' && (at + 1 == s.len || s.data[at + 1] != '\''))
            return at + 1;
        else if (s.data[at] == '\'')
            at++;
    return s.len;
}

/* Behind a number that does not belong to a name; `at`: there is none. */
static size_t end_of_number(struct str s, size_t at)
{
    size_t end = at;

    if (at > 0 && is_word(s.data[at - 1]))
        return at;
    while (end < s.len &&
           ((s.data[end] >= '0' && s.data[end] <= '9') || (end > at && s.data[end] == '.')))
        end++;
    return end < s.len && is_word(s.data[end]) ? at : end;
}

/* Values are somebody's: what stands in quotes, and numbers behind a colon, as in conditions. */
static void append_line(struct buf *out, struct str line)
{
    bool condition = false;

    for (size_t at = 0; at < line.len;) {
        size_t end = at;

        if (line.data[at] == '\'')
            end = end_of_text(line, at);
        else if (condition)
            end = end_of_number(line, at);
        condition = condition || line.data[at] == ':';
        if (end > at)
            buf_append_char(out, '?');
        else
            buf_append_char(out, line.data[end++]);
        at = end;
    }
    buf_append_char(out, '\n');
}

static void on_explained(struct errand *e)
{
    const struct told *t = e->ctx;
    const struct pgrows *rows = errand_rows(e);
    struct buf plan;

    if (rows == NULL || pgrows_columns(rows) != 1)
        return;
    buf_init(&plan, MAX_PLAN);
    for (size_t i = 0; i < pgrows_count(rows); i++) {
        struct pgvalue v;

        pgrows_row(rows, i, &v);
        append_line(&plan, str_make(v.data, v.len > 0 ? (size_t)v.len : 0));
    }
    LOG(LOG_WARN, "plan of a slow operation", LOG_STR("request_id", t->request_id),
        LOG_STR("trace_id", t->trace_id), LOG_STR("operation_name", t->operation_name),
        LOG_STR("sql_digest", t->sql_digest), LOG_STR("plan", buf_str(&plan)));
    buf_fini(&plan);
}

/* --- asking ------------------------------------------------------------------------------------
 */

static const char *copy(struct arena *a, const char *text)
{
    return text != NULL ? arena_dup(a, str_of(text)).data : NULL;
}

static struct pgsession copy_session(const struct pgsession *from, struct arena *a)
{
    struct pgsession to = *from;
    struct pgsetting *settings = ARENA_ARRAY(a, size_max(from->nsettings, 1), struct pgsetting);

    for (size_t i = 0; i < from->nsettings; i++)
        settings[i] =
            (struct pgsetting){copy(a, from->settings[i].name), copy(a, from->settings[i].value)};
    to.settings = settings;
    to.role = copy(a, from->role);
    to.timeout_ms = TIMEOUT_MS;
    to.read_only = true;
    return to;
}

void slowplan_tell(const struct execution *x)
{
    const struct plan_step *step;
    struct pgstatement none;
    struct pgstatement *statement;
    struct errand *e;
    struct told *t;

    if (x->engine->log_slow_ns == 0 || x->backend_ns < x->engine->log_slow_ns || x->abandoned ||
        x->plan == NULL || x->plan->nsteps == 0 || x->operation->kind != AST_QUERY ||
        x->result.state == RESULT_HIT || !is_due(x->plan->steps[0].statement.hash[0]))
        return;
    step = &x->plan->steps[0];
    pgstatement_init(&none, STR(""), step->statement.nparams);
    e = errand_new(&none, TIMEOUT_MS);
    statement = ARENA_NEW(e->arena, struct pgstatement);
    pgstatement_init(statement,
                     arena_printf(e->arena, "explain %.*s", STR_ARG(step->statement.sql)),
                     step->statement.nparams);
    e->call.statement = statement;
    e->session = copy_session(&x->session, e->arena);
    for (size_t i = 0; i < statement->nparams; i++)
        e->params[i] = copy(e->arena, x->params[step->first_param + i]);
    t = ARENA_NEW(e->arena, struct told);
    *t = (struct told){
        .request_id = arena_dup(e->arena, x->request_id),
        .trace_id = x->trace != NULL ? arena_dup(e->arena, str_of(x->trace->trace_id)) : STR(""),
        .operation_name = arena_dup(e->arena, x->operation->ast->name),
        .sql_digest = arena_dup(e->arena, str_of(x->stages.sql_digest))};
    e->done = on_explained;
    e->ctx = t;
    errand_run(e, x->pg);
}
