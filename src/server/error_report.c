/*
 * error_report.c - what is recorded of an error in a request.
 *
 * Thread:   any.
 * Memory:   the request's arena.
 *
 * Sizes of what clients choose are bounded here, so an element has at most about 20 KB.
 */
#include "server/error_report.h"

#include "base/jwriter.h"
#include "version.h"

#include <unistd.h>

#define MAX_DOCUMENT  4096
#define MAX_VARIABLES 4096
#define MAX_SQL       4096
#define MAX_TEXT      2048
#define MAX_NAME      256

/* --- configuration --------------------------------------------------------------------------- */

static bool code_by_name(struct str name, enum error_code *out)
{
    for (size_t i = 0; i < ERROR_CODE_COUNT; i++)
        if (str_is(name, error_code_info((enum error_code)i)->name)) {
            *out = (enum error_code)i;
            return true;
        }
    return false;
}

bool error_reports_check(const struct config *c, struct errors *errs)
{
    enum error_code code;
    enum fingerprint_part part;
    size_t before = errs->n;

    for (size_t i = 0; i < c->error_codes.n; i++)
        if (!code_by_name(c->error_codes.items[i], &code))
            errors_add(errs, CONFIG_INVALID, "errors.codes: there is no code \"%.*s\"",
                       STR_ARG(c->error_codes.items[i]));
    for (size_t i = 0; i < c->error_fingerprint.n; i++)
        if (!fingerprint_part_by_name(c->error_fingerprint.items[i], &part))
            errors_add(errs, CONFIG_INVALID,
                       "errors.fingerprint: \"%.*s\" is not code, sqlstate, operation, path or "
                       "message",
                       STR_ARG(c->error_fingerprint.items[i]));
    if (c->error_fingerprint.n == 0)
        errors_add(errs, CONFIG_INVALID, "errors.fingerprint: with nothing all errors are one");
    return errs->n == before;
}

static struct str application_object(struct arena *a)
{
    char host[256] = "";
    struct buf out;
    struct str text;

    (void)gethostname(host, sizeof(host) - 1);
    buf_init(&out, 0);
    buf_append_lit(&out, "{\"name\":\"fraiseqld\",\"host\":");
    jwriter_string(&out, redact_text(str_of(host), sizeof(host), a));
    buf_printf(&out, ",\"pid\":%ld,\"version\":\"%s\",\"revision\":\"%s\"}", (long)getpid(),
               FRAISEQLD_VERSION, FRAISEQLD_REVISION);
    text = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return text;
}

struct error_reports error_reports_of(const struct config *c, struct arena *a)
{
    static const enum redact_values values[] = {
        [CONFIG_CAPTURE_OFF] = REDACT_ALL,
        [CONFIG_CAPTURE_TYPES] = REDACT_TYPES,
        [CONFIG_CAPTURE_REDACTED] = REDACT_NAMED,
    };
    struct error_reports r = {
        .fingerprint = {.environment = c->environment},
        .redact = { values[c->error_capture_variables], c->error_redact.items, c->error_redact.n},
        .capture_query = c->error_capture_query,
        .release = c->release,
        .application = application_object(a),
    };
    enum error_code code;
    enum fingerprint_part part;

    for (size_t i = 0; i < c->error_codes.n; i++)
        if (code_by_name(c->error_codes.items[i], &code))
            r.fingerprint.codes[code] = true;
    for (size_t i = 0; i < c->error_fingerprint.n; i++)
        if (fingerprint_part_by_name(c->error_fingerprint.items[i], &part))
            r.fingerprint.parts[part] = true;
    return r;
}

/* --- elements --------------------------------------------------------------------------------- */

/* An element of fraiseql.record_errors() that is being written. */
struct report {
    const struct error_reports *r;
    const struct execution *x;
    const struct http_request *http; /* NULL: of no request */
    const struct error *error;
    int64_t at_us;
    struct arena *arena;
    struct buf out;
};

/* Members follow each other, and the first of an object its brace. */
static void add_key(struct report *w, const char *key)
{
    if (w->out.len > 0 && w->out.data[w->out.len - 1] != '{')
        buf_append_char(&w->out, ',');
    jwriter_key(&w->out, str_of(key));
}

static void add_text(struct report *w, const char *key, struct str value, size_t max)
{
    if (value.len == 0)
        return;
    add_key(w, key);
    jwriter_string(&w->out, redact_text(value, max, w->arena));
}

static void begin_object(struct report *w, const char *key)
{
    add_key(w, key);
    buf_append_char(&w->out, '{');
}

static void end_object(struct report *w)
{
    buf_append_char(&w->out, '}');
}

/* What is true of all of its kind, but for whose it was. */
static void add_group(struct report *w)
{
    const struct error_identity *id = w->error->identity;

    add_text(w, "fingerprint", str_of(id->fingerprint), MAX_NAME);
    add_key(w, "fingerprint_version");
    buf_append_u64(&w->out, FINGERPRINT_VERSION);
    add_text(w, "environment", w->r->fingerprint.environment, MAX_NAME);
    add_text(w, "type", id->code, MAX_NAME);
    add_text(w, "message", id->message, MAX_TEXT);
    add_text(w, "sqlstate", id->sqlstate, MAX_NAME);
    add_text(w, "operation", id->operation, MAX_NAME);
    add_text(w, "path", id->path, MAX_NAME);
    add_text(w, "severity", str_of(severity_name(severity_of(w->error->code))), MAX_NAME);
    add_text(w, "release", w->r->release, MAX_NAME);
    add_key(w, "application_context");
    buf_append_str(&w->out, w->r->application);
}

static void add_tenant(struct report *w)
{
    begin_object(w, "user_context");
    if (w->x->identity != NULL)
        add_text(w, "tenant_id", w->x->identity->tenant, MAX_NAME);
    end_object(w);
}

static void add_user(struct report *w)
{
    const struct identity *who = w->x->identity;

    begin_object(w, "user_context");
    if (who != NULL) {
        add_text(w, "tenant_id", who->tenant, MAX_NAME);
        add_text(w, "user_id", who->subject, MAX_NAME);
        add_text(w, "role", str_of(w->x->engine->roles[who->role]), MAX_NAME);
        add_key(w, "authenticated");
        jwriter_bool(&w->out, who->authenticated);
    }
    end_object(w);
}

static void add_http(struct report *w)
{
    static const struct {
        const char *key;
        struct str header;
    } headers[] = {
        {"user_agent",     STR_INIT("user-agent")                  },
        {"origin",         STR_INIT("origin")                      },
        {"client_name",    STR_INIT("apollographql-client-name")   },
        {"client_version", STR_INIT("apollographql-client-version")},
    };

    add_text(w, "method", w->http->method, MAX_NAME);
    add_text(w, "path", w->http->path, MAX_NAME);
    add_text(w, "client", w->http->client, MAX_NAME);
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        add_text(w, headers[i].key, http_request_header(w->http, headers[i].header), MAX_NAME);
}

static void add_document(struct report *w)
{
    const struct graphql_request *q = &w->x->request;

    add_text(w, "operation_type", str_of(w->x->operation_type), MAX_NAME);
    add_text(w, "operation_name", w->error->identity->operation, MAX_NAME);
    add_text(w, "document_hash", q->hash, MAX_NAME);
    add_text(w, "document_id", q->document_id, MAX_NAME);
    if (w->r->capture_query && q->query.len > 0) {
        struct buf document;

        buf_init(&document, 0);
        redact_document(q->query, MAX_DOCUMENT, &document);
        add_text(w, "document", buf_str(&document), MAX_DOCUMENT);
        buf_fini(&document);
    }
    if (q->variables != NULL && q->variables->n > 0 && w->r->redact.values != REDACT_ALL) {
        add_key(w, "variables");
        redact_variables(q->variables, &w->r->redact, MAX_VARIABLES, &w->out);
    }
}

static void add_place(struct report *w)
{
    const struct path *elements[64];
    size_t n = 0;

    for (const struct path *p = w->error->path; p != NULL && n < COUNT_OF(elements); p = p->parent)
        elements[n++] = p;
    if (n == 0)
        return;
    add_key(w, "response_path");
    buf_append_char(&w->out, '[');
    while (n > 0) {
        const struct path *p = elements[--n];

        if (p->index >= 0)
            buf_append_i64(&w->out, p->index);
        else
            jwriter_string(&w->out, redact_text(p->key, MAX_NAME, w->arena));
        if (n > 0)
            buf_append_char(&w->out, ',');
    }
    buf_append_char(&w->out, ']');
}

static void add_request(struct report *w)
{
    begin_object(w, "request_context");
    if (w->http != NULL)
        add_http(w);
    add_document(w);
    add_place(w);
    add_text(w, "sql", w->x->stages.sql, MAX_SQL);
    add_text(w, "sql_digest", str_of(w->x->stages.sql_digest), MAX_NAME);
    end_object(w);
}

/* What the request went through, and how long each took. */
static void add_breadcrumbs(struct report *w)
{
    static const char *const names[STAGE_COUNT] = {
        [STAGE_VALIDATE] = "validate", [STAGE_PLAN] = "plan",       [STAGE_WAIT] = "wait",
        [STAGE_DATABASE] = "database", [STAGE_RESPOND] = "respond",
    };
    uint64_t since = w->x->received_ns;
    bool first = true;

    add_key(w, "breadcrumbs");
    buf_append_char(&w->out, '[');
    for (size_t i = 0; i < STAGE_COUNT; i++) {
        const struct stage_time *t = &w->x->stages.times[i];

        if (t->since_ns == 0)
            continue;
        buf_printf(&w->out, "%s{\"stage\":\"%s\",\"at_ms\":%.3f,\"ms\":%.3f}", first ? "" : ",",
                   names[i], t->since_ns > since ? (double)(t->since_ns - since) / 1e6 : 0.0,
                   (double)t->ns / 1e6);
        first = false;
    }
    buf_append_char(&w->out, ']');
}

/* PostgreSQL's words, without the values of keys and rows that its details have. */
static struct str full_message(const struct report *w)
{
    const struct error *e = w->error;

    return redact_detail(e->detail.len > 0 ? e->detail : e->message, w->arena);
}

static void add_occurrence(struct report *w)
{
    const struct tracecontext *trace = w->x->trace;
    char id[PENDING_ID_TEXT + 1], at[PENDING_TIME_TEXT + 1], span[SPAN_ID_TEXT + 1];

    pending_id(w->at_us, id);
    pending_time(w->at_us, at);
    add_text(w, "occurrence_id", str_of(id), MAX_NAME);
    add_text(w, "occurred_at", str_of(at), MAX_NAME);
    add_text(w, "detail", full_message(w), MAX_TEXT);
    add_text(w, "request_id", w->x->request_id, MAX_NAME);
    if (trace != NULL) {
        span_id_text(trace->span, span);
        add_text(w, "trace_id", str_of(trace->trace_id), MAX_NAME);
        add_text(w, "span_id", str_of(span), MAX_NAME);
    }
    add_text(w, "stack_trace", redact_quoted(w->error->context, MAX_TEXT, w->arena), MAX_TEXT);
    add_user(w);
    add_request(w);
    add_breadcrumbs(w);
}

static void report(struct report *w)
{
    const struct error_identity *id = w->error->identity;
    struct pending_kind kind = {
        .fingerprint = str_of(id->fingerprint),
        .tenant = w->x->identity != NULL ? w->x->identity->tenant : STR(""),
        .severity = severity_of(w->error->code),
        .at_us = w->at_us,
    };
    struct str common;
    size_t group;

    if (!pending_count(w->r->pending, &kind))
        return;
    buf_init(&w->out, 0);
    add_group(w);
    group = w->out.len;
    add_tenant(w);
    common = arena_dup(w->arena, buf_str(&w->out));
    buf_clear(&w->out);
    buf_append_char(&w->out, '{');
    buf_append_str(&w->out, str_sub(common, 0, group));
    add_occurrence(w);
    end_object(w);
    pending_keep(w->r->pending, &kind, common, buf_str(&w->out));
    buf_fini(&w->out);
}

void error_report(const struct error_reports *r, const struct execution *x,
                  const struct http_request *q)
{
    struct report w = {
        .r = r, .x = x, .http = q, .at_us = wall_clock_us(), .arena = x->errors.arena};

    for (w.error = x->errors.first; w.error != NULL; w.error = w.error->next)
        if (w.error->identity != NULL)
            report(&w);
}
