/*
 * recall.c - finds the document that a request names, by its hash or its id: stage 5.
 *
 * Thread:   a worker's.
 *
 * What is found goes the same way as a document that was sent: the same key in the
 * TurboRouter, the same checks. A hash is verified before anything is kept under it.
 */
#include "execution/recall.h"

#include "execution/execute.h"
#include "metrics/metrics.h"

#define READ_TIMEOUT_MS 2000

static const struct str read_sql = STR_INIT(
    "select q.query from fraiseql.persisted_queries q where q.hash = pg_catalog.decode($1, 'hex')");

static enum recall_result refuse(struct execution *x, enum error_code code, const char *message)
{
    errors_add(&x->errors, code, "%s", message);
    return RECALL_REFUSED;
}

static enum recall_result found(struct execution *x, struct str text)
{
    x->request.query = text;
    return RECALL_FOUND;
}

/* 64 hexadecimal digits, in either case. */
static bool read_hash(struct str hex, struct digest *out)
{
    if (hex.len != (size_t)2 * DIGEST_SIZE)
        return false;
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        int high = str_hex_value(hex.data[2 * i]), low = str_hex_value(hex.data[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out->bytes[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

/* --- the table --------------------------------------------------------------------------- */

static enum recall_result not_found(struct execution *x)
{
    metric_add(METRIC_APQ_MISS, 1);
    return refuse(x, PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound");
}

/* A row's text, if it is what the hash says: the table is not ours alone. */
static bool read_row(const struct digest *hash, const struct pgrows *rows, struct str *text)
{
    struct pgvalue v;
    struct digest d;

    if (rows == NULL || pgrows_count(rows) != 1 || pgrows_columns(rows) != 1)
        return false;
    pgrows_row(rows, 0, &v);
    *text = str_make(v.data, v.len > 0 ? (size_t)v.len : 0);
    d = digest_sha256(*text);
    return v.len > 0 && digest_eq(&d, hash, sizeof(d));
}

static enum recall_result take_row(struct execution *x, const struct pgrows *rows)
{
    struct persisted *store = x->engine->recall.store;
    const struct digest *hash = &x->recall.hash;
    struct str text;

    if (!read_row(hash, rows, &text)) {
        persisted_looked(store, hash, PERSISTED_MISSING);
        metric_add(METRIC_APQ_TABLE_MISS, 1);
        return not_found(x);
    }
    persisted_looked(store, hash, PERSISTED_THERE);
    metric_add(METRIC_APQ_TABLE_HIT, 1);
    metric_add(METRIC_APQ_HIT, 1);
    persisted_put(store, hash, text, true);
    return found(x, text);
}

static void on_read(struct pgbatch *b, void *ctx)
{
    struct execution *x = ctx;

    x->in_flight = false;
    x->backend_ns += b->backend_ns;
    if (b->outcome != PGBATCH_OK) {
        persisted_looked(x->engine->recall.store, &x->recall.hash, PERSISTED_UNKNOWN);
        metric_add(METRIC_APQ_TABLE_ERROR, 1);
    }
    if (b->outcome == PGBATCH_OK)
        x->recalled(x, take_row(x, b->calls[0].rows));
    else if (b->outcome == PGBATCH_CANCELLED)
        x->recalled(x, refuse(x, SERVICE_UNAVAILABLE, "the request was cancelled"));
    else
        /* Whatever ails the table, the client has the text. */
        x->recalled(x, not_found(x));
}

static enum recall_result read_table(struct execution *x)
{
    struct recall *r = &x->recall;
    char *hex = arena_alloc(x->arena, 2 * DIGEST_SIZE + 1);

    digest_hex(&r->hash, hex);
    r->params[0] = hex;
    pgstatement_init(&r->statement, read_sql, 1);
    r->call = (struct pgcall){.statement = &r->statement, .params = r->params};
    /* No request's role may read the table, and no tenant has a part in it. */
    r->session = (struct pgsession){.role = "", .timeout_ms = READ_TIMEOUT_MS, .read_only = true};
    pgbatch_init(&x->batch, &r->session, &r->call, 1, x->arena);
    x->batch.until = x->until;
    x->batch.repeatable = true;
    x->batch.lane = PGLANE_FAST;
    x->in_flight = true;
    pgclient_submit(x->pg, &x->batch, on_read, x);
    return RECALL_WAITING;
}

/* --- by hash --------------------------------------------------------------------------------- */

/* A hash that comes with the text, or with another name of it, has to be the text's. */
static bool verify(struct execution *x, struct str text)
{
    struct recall *r = &x->recall;
    struct digest d;

    if (!read_hash(x->request.hash, &r->hash)) {
        refuse(x, BAD_REQUEST, "\"sha256Hash\" must be 64 hexadecimal digits");
        return false;
    }
    d = digest_sha256(text);
    if (digest_eq(&d, &r->hash, sizeof(d)))
        return true;
    metric_add(METRIC_APQ_MISMATCH, 1);
    refuse(x, BAD_REQUEST, "provided sha does not match query");
    return false;
}

/* The client registers nothing: the document has to be known. */
static enum recall_result by_store(struct execution *x)
{
    const struct recall_options *opt = &x->engine->recall;
    struct recall *r = &x->recall;

    if (opt->store == NULL && opt->trusted == NULL)
        return refuse(x, PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported");
    if (opt->store == NULL || (opt->policy == RECALL_REQUIRED && !opt->audit))
        return not_found(x);
    r->text = persisted_get(opt->store, &r->hash);
    r->unknown = opt->policy == RECALL_REQUIRED;
    if (r->text != NULL) {
        metric_add(METRIC_APQ_HIT, 1);
        return found(x, persisted_str(r->text));
    }
    if (!persisted_is_shared(opt->store))
        return not_found(x);
    if (persisted_may_look(opt->store, &r->hash))
        return read_table(x);
    metric_add(METRIC_APQ_TABLE_SPARED, 1);
    return not_found(x);
}

static enum recall_result by_hash(struct execution *x)
{
    const struct trusted *trusted = x->engine->recall.trusted;
    struct recall *r = &x->recall;
    struct str text = {.data = NULL};
    bool is_hash = read_hash(x->request.hash, &r->hash);

    /* Apollo's clients that have a manifest send its ids in the place of hashes. */
    if (trusted != NULL)
        text = trusted_by_id(trusted, x->request.hash);
    if (trusted != NULL && text.data == NULL && is_hash)
        text = trusted_by_hash(trusted, &r->hash);
    if (text.data != NULL) {
        metric_add(METRIC_TRUSTED_HIT, 1);
        return found(x, text);
    }
    if (!is_hash)
        return refuse(x, BAD_REQUEST, "\"sha256Hash\" must be 64 hexadecimal digits");
    return by_store(x);
}

static enum recall_result by_id(struct execution *x)
{
    const struct trusted *trusted = x->engine->recall.trusted;
    struct str text;

    if (trusted == NULL)
        return refuse(x, PERSISTED_QUERY_NOT_SUPPORTED, "there are no trusted documents");
    text = trusted_by_id(trusted, x->request.document_id);
    if (text.data == NULL) {
        metric_add(METRIC_TRUSTED_UNKNOWN, 1);
        return refuse(x, PERSISTED_QUERY_NOT_FOUND, "there is no trusted document of this id");
    }
    if (x->request.query.data != NULL && !str_eq(x->request.query, text))
        return refuse(x, BAD_REQUEST, "the document of this id is another than \"query\"");
    if (x->request.hash.data != NULL && !verify(x, text))
        return RECALL_REFUSED;
    metric_add(METRIC_TRUSTED_HIT, 1);
    return found(x, text);
}

/* --- by text ---------------------------------------------------------------------------------- */

static enum recall_result distrust(struct execution *x)
{
    metric_add(METRIC_TRUSTED_REFUSED, 1);
    return refuse(x, FORBIDDEN, "only trusted documents are accepted");
}

static enum recall_result by_text(struct execution *x)
{
    const struct recall_options *opt = &x->engine->recall;
    struct recall *r = &x->recall;
    bool hashed = x->request.hash.data != NULL;

    if (hashed && !verify(x, x->request.query))
        return RECALL_REFUSED;
    r->registers = hashed && opt->store != NULL && x->request.query.len <= opt->max_bytes;
    if (opt->policy == RECALL_OPTIONAL)
        return RECALL_FOUND;
    if (!hashed)
        r->hash = digest_sha256(x->request.query);
    r->unknown = trusted_by_hash(opt->trusted, &r->hash).data == NULL;
    /* Only while they are audited may others be kept. */
    r->registers = r->registers && r->unknown && opt->audit;
    if (!r->unknown)
        metric_add(METRIC_TRUSTED_HIT, 1);
    else if (!opt->audit && !opt->allow_introspection)
        return distrust(x);
    return RECALL_FOUND;
}

enum recall_result recall_begin(struct execution *x,
                                void (*then)(struct execution *x, enum recall_result result))
{
    const struct graphql_request *q = &x->request;

    x->recalled = then;
    if (q->document_id.data != NULL)
        return by_id(x);
    if (q->query.data != NULL)
        return by_text(x);
    if (q->query_only && !x->engine->recall.allow_get)
        return refuse(x, PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported");
    return by_hash(x);
}

/* --- what is valid --------------------------------------------------------------------------- */

static bool is_introspection(const struct operation *op)
{
    const struct ast_selection_set *set = &op->ast->selections;

    for (size_t i = 0; i < set->n; i++)
        if (set->items[i]->kind != AST_FIELD || !str_starts(set->items[i]->name, STR("__")))
            return false;
    return true;
}

bool recall_accept(struct execution *x)
{
    const struct recall_options *opt = &x->engine->recall;
    struct recall *r = &x->recall;

    if (r->unknown && !(opt->allow_introspection && is_introspection(x->operation))) {
        if (!opt->audit) {
            (void)distrust(x);
            return false;
        }
        metric_add(METRIC_TRUSTED_AUDITED, 1);
        LOG(LOG_INFO, "a document that is not trusted",
            LOG_STR("operation_name", x->request.operation_name),
            LOG_STR("request_id", x->request_id));
    }
    if (r->registers)
        persisted_put(opt->store, &r->hash, x->request.query, false);
    return true;
}

void recall_end(struct execution *x)
{
    persisted_unref(x->recall.text);
    x->recall.text = NULL;
}
