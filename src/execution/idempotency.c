/*
 * idempotency.c - the statements of idempotency keys, and what identifies a request.
 *
 * Thread:   a worker's.
 * Memory:   in the arena given.
 */
#include "execution/idempotency.h"

#include "base/buf.h"
#include "base/digest.h"

enum {
    CLAIM,
    STORE,
    READ,
};

static const struct {
    struct str sql;
    size_t nparams;
} statements[] = {
  /* clang-format off */
    [CLAIM] = {STR_INIT("select 1 / fraiseql.claim_idempotency_key($1::text, $2::text, $3::text, "
                        "$4::interval)::int4"), 4},
    [STORE] = {STR_INIT("select fraiseql.store_idempotent_response($1::text, $2::text, $3::text)"), 3},
    [READ] = {STR_INIT("select r.request, r.response "
                       "from fraiseql.idempotent_response($1::text, $2::text) r"), 2},
  /* clang-format on */
};

static const char *hex_of(const struct digest *d, struct arena *a)
{
    char *out = arena_alloc(a, 2 * DIGEST_SIZE + 1);

    digest_hex(d, out);
    return out;
}

/* Who asks: nobody else can use the key, or hear of its answer. */
static struct digest scope_of(const struct identity *who, const char *role)
{
    const struct str parts[] = {who->tenant, who->subject, str_of(role)};

    return digest_parts(parts, COUNT_OF(parts));
}

static struct digest request_of(const struct idempotency_request *r)
{
    struct buf variables;
    struct digest d;

    buf_init(&variables, 0);
    if (r->variables != NULL)
        jval_write(r->variables, &variables);
    d = digest_parts((struct str[]){r->document, r->operation_name, buf_str(&variables)}, 3);
    buf_fini(&variables);
    return d;
}

void idempotency_init(struct idempotency *k, const struct idempotency_request *r,
                      const struct identity *who, const char *role, uint64_t ttl_ms,
                      struct arena *a)
{
    struct digest scope = scope_of(who, role);
    struct digest request = request_of(r);

    for (size_t i = 0; i < COUNT_OF(statements); i++)
        pgstatement_init(&k->statements[i], statements[i].sql, statements[i].nparams);
    k->claim[0] = k->store[0] = k->read[0] = hex_of(&scope, a);
    k->claim[1] = k->store[1] = k->read[1] = arena_dup(a, r->key).data;
    k->claim[2] = hex_of(&request, a);
    k->claim[3] = arena_printf(a, "%llu milliseconds", (unsigned long long)ttl_ms).data;
    k->store[2] = NULL;
}

struct pgcall idempotency_claim(const struct idempotency *k)
{
    return (struct pgcall){.statement = &k->statements[CLAIM], .params = k->claim};
}

struct pgcall idempotency_store(struct idempotency *k, const char *response)
{
    k->store[2] = response;
    return (struct pgcall){.statement = &k->statements[STORE], .params = k->store};
}

struct pgcall idempotency_read(const struct idempotency *k)
{
    return (struct pgcall){.statement = &k->statements[READ], .params = k->read};
}

enum idempotency_claimed idempotency_claim_failure(const struct pgbatch *b)
{
    /* No such schema, function or table, or no privilege on them. */
    static const char *const missing[] = {"3F000", "42883", "42P01", "42501"};

    if (strcmp(b->sqlstate, "22012") == 0)
        return IDEMPOTENCY_TAKEN;
    for (size_t i = 0; i < COUNT_OF(missing); i++)
        if (strcmp(b->sqlstate, missing[i]) == 0)
            return IDEMPOTENCY_MISSING;
    return IDEMPOTENCY_ERROR;
}

enum idempotency_found idempotency_found(const struct idempotency *k, const struct pgrows *rows,
                                         struct str *response)
{
    struct pgvalue v[2];
    struct str request;

    if (rows == NULL || pgrows_count(rows) != 1 || pgrows_columns(rows) != 2)
        return IDEMPOTENCY_GONE;
    pgrows_row(rows, 0, v);
    if (v[0].len < 0 || v[1].len < 0)
        return IDEMPOTENCY_GONE;
    request = str_make(v[0].data, (size_t)v[0].len);
    *response = str_make(v[1].data, (size_t)v[1].len);
    return str_is(request, k->claim[2]) ? IDEMPOTENCY_REPEAT : IDEMPOTENCY_OTHER;
}
