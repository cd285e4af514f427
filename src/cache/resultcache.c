/*
 * resultcache.c - which answers are kept in PostgreSQL, for how long, and under which key.
 *
 * Thread:   any; what changes is atomic.
 */
#include "cache/resultcache.h"

#include "base/buf.h"
#include "base/log.h"
#include "pg/pgarray.h"

#include "sql/cache_lookup.h"
#include "sql/cache_store.h"
#include "version.h"

/* A look-up is not worth it for what costs less than so many of them. */
#define WORTH 3
/* What a look-up costs, until it is known. */
#define LOOKUP_NS UINT64_C(100000)
/* PostgreSQL plans the first five of a statement each for itself. */
#define FIRST_RUNS 6
/* How often what a plan costs is found out again, while its answers are found. */
#define JUDGE_EACH 64
/* But what takes so long is worth it in any case. */
#define COSTLY_NS UINT64_C(5000000)
/* And what takes so long is made by one daemon only. */
#define CLAIM_NS UINT64_C(20000000)
/* Rules are asked for again after so long: policies may have changed. Nor are they believed for
 * much longer, when nobody has asked meanwhile. */
#define RULE_NS    UINT64_C(60000000000)
#define BELIEVE_NS (2 * RULE_NS)
#define SUSPEND_NS UINT64_C(10000000000)
/* What was asked for within so many minutes is asked for again. */
#define TOUCH_MINUTES 10
#define TOUCHES       (1u << 15)

static const struct str rule_sql =
    STR_INIT("select r.identity || '/' || fraiseql.cache_identity(), r.bases::text, r.exact, "
             "r.tenant_type, r.reads::text from fraiseql.cache_rule($1::text[], $2::text[], "
             "$3::text, $4::text[], $5::text[], $6::text) r");

static const struct str claim_sql =
    STR_INIT("insert into fraiseql.cache_flights as f (key, claimed_by, until) "
             "values ($1::uuid, $2::text, pg_catalog.now() + $3::integer * interval '1 ms') "
             "on conflict (key) do update set claimed_by = excluded.claimed_by, "
             "until = excluded.until where f.until <= pg_catalog.now() returning true");
static const struct str release_sql = STR_INIT(
    "delete from fraiseql.cache_flights f where f.key = $1::uuid and f.claimed_by = $2::text");

/* Of tables whose changes are not noted by triggers. */
static const struct str change_sql = STR_INIT(
    "select fraiseql.note_change(b.oid::pg_catalog.regclass) from (select distinct t.oid from "
    "pg_catalog.unnest($1::oid[]) r (oid), pg_catalog.unnest(fraiseql.base_tables("
    "r.oid::pg_catalog.regclass)) t (oid)) b where not exists (select from "
    "fraiseql.tracked_relations k where k.relation = b.oid)");

static const struct str *copy_names(const struct str *from, size_t n, struct arena *a)
{
    struct str *to = ARENA_ARRAY(a, size_max(n, 1), struct str);

    for (size_t i = 0; i < n; i++)
        to[i] = arena_dup(a, from[i]);
    return to;
}

static const struct resultcache_setting *copy_settings(const struct resultcache_setting *from,
                                                       size_t n, struct arena *a)
{
    struct resultcache_setting *to = ARENA_ARRAY(a, size_max(n, 1), struct resultcache_setting);

    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
        to[i].name = arena_dup(a, from[i].name);
    }
    return to;
}

/* Who makes answers ahead makes those anew that have less than a half of their time left. */
static struct str lookup_ahead(struct arena *a)
{
    static const char tenth[] = "now()) * 10 <=", half[] = "now()) * 2 <=";
    const char *at = strstr(sql_cache_lookup, tenth);

    CHECK(at != NULL);
    return arena_printf(a, "%.*s%s%s", (int)(at - sql_cache_lookup), sql_cache_lookup, half,
                        at + strlen(tenth));
}

struct resultcache *resultcache_new(const struct resultcache_options *opt)
{
    struct resultcache *rc = xcalloc(1, sizeof(*rc));
    struct arena *a = arena_new(0);
    struct digest name;
    char hex[2 * DIGEST_SIZE + 1];

    rc->arena = a;
    rc->opt = *opt;
    rc->opt.types = copy_settings(opt->types, opt->ntypes, a);
    rc->opt.operations = copy_settings(opt->operations, opt->noperations, a);
    rc->opt.settings = copy_names(opt->settings, opt->nsettings, a);
    rc->opt.tenant_settings = copy_names(opt->tenant_settings, opt->ntenant_settings, a);
    rc->settings = pgarray_text(rc->opt.settings, opt->nsettings, a);
    rc->tenant_settings = pgarray_text(rc->opt.tenant_settings, opt->ntenant_settings, a);
    pgstatement_init(&rc->lookup, str_of(sql_cache_lookup), 2);
    pgstatement_init(&rc->lookup_ahead, lookup_ahead(a), 2);
    pgstatement_init(&rc->store, str_of(sql_cache_store), 10);
    pgstatement_init(&rc->rule, rule_sql, RESULTCACHE_RULE_PARAMS);
    pgstatement_init(&rc->claim, claim_sql, 3);
    pgstatement_init(&rc->release, release_sql, 2);
    pgstatement_init(&rc->change, change_sql, 1);
    if (opt->single_flight)
        rc->flights = flights_new();
    if (opt->front_bytes > 0)
        rc->front = front_new(opt->front_bytes, opt->front_ttl_ms);
    random_bytes(name.bytes, sizeof(name.bytes));
    digest_hex(&name, hex);
    rc->daemon = arena_printf(a, "%.16s", hex).data;
    rc->touches = xcalloc(TOUCHES, sizeof(*rc->touches));
    return rc;
}

void resultcache_free(struct resultcache *rc)
{
    if (rc == NULL)
        return;
    flights_free(rc->flights);
    front_free(rc->front);
    xfree(rc->touches);
    arena_free(rc->arena);
    xfree(rc);
}

/* --- rules --------------------------------------------------------------------------------- */

/* What a plan keeps. Rules that were replaced may still be in use, so they stay; there are few,
 * since a rule that is the same as before does not replace it. */
struct kept {
    struct plan_note note;
    struct arena *arena; /* this, and the rules */
    uint64_t ask_ns;     /* these are atomic: when to ask again */
    uint64_t known_ns;   /* when the rule was said to be so */
    uint64_t runs;
    uint64_t least_ns; /* of the first runs */
    uint64_t cost_ns;  /* 0: not known */
    uint64_t judged;   /* how often it was asked whether it is worth it */
    struct result_rule *rule;
};

static void free_kept(struct plan_note *n)
{
    arena_free(CONTAINER_OF(n, struct kept, note)->arena);
}

static struct kept *kept_with(const struct plan *p)
{
    struct plan_note *n = plan_note(p);
    struct arena *a;
    struct kept *k;

    if (n != NULL)
        return CONTAINER_OF(n, struct kept, note);
    a = arena_new(0);
    k = ARENA_NEW(a, struct kept);
    k->note.free = free_kept;
    k->arena = a;
    return CONTAINER_OF(plan_keep_note(p, &k->note), struct kept, note);
}

const struct result_rule *resultcache_rule(struct resultcache *rc, const struct plan *p, bool *ask)
{
    struct kept *k = kept_with(p);
    uint64_t now = monotonic_ns();
    uint64_t at = __atomic_load_n(&k->ask_ns, __ATOMIC_RELAXED);

    (void)rc;
    *ask = now >= at && __atomic_compare_exchange_n(&k->ask_ns, &at, now + RULE_NS, false,
                                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    if (now >= __atomic_load_n(&k->known_ns, __ATOMIC_ACQUIRE) + BELIEVE_NS)
        return NULL;
    return __atomic_load_n(&k->rule, __ATOMIC_ACQUIRE);
}

void resultcache_ask_again(const struct plan *p)
{
    __atomic_store_n(&kept_with(p)->ask_ns, 0, __ATOMIC_RELAXED);
}

void resultcache_rule_params(const struct resultcache *rc, const struct plan *p, const char *role,
                             struct arena *a, const char **params)
{
    struct str *schemas = ARENA_ARRAY(a, size_max(p->nnames, 1), struct str);
    struct str *names = ARENA_ARRAY(a, size_max(p->nnames, 1), struct str);

    for (size_t i = 0; i < p->nnames; i++) {
        schemas[i] = p->names[i].schema;
        names[i] = p->names[i].name;
    }
    params[0] = pgarray_text(schemas, p->nnames, a).data;
    params[1] = pgarray_text(names, p->nnames, a).data;
    params[2] = p->steps[0].statement.sql.data;
    params[3] = rc->settings.data;
    params[4] = rc->tenant_settings.data;
    params[5] = role;
}

static const struct resultcache_setting *find(const struct resultcache_setting *all, size_t n,
                                              struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(all[i].name, name))
            return &all[i];
    return NULL;
}

/* A TTL below a second is one: entries are as exact as that. */
static uint32_t seconds(uint64_t ms)
{
    return (uint32_t)((ms + 999) / 1000);
}

/* The shortest of what its types have; those that have none count as the default where the answer
 * is exact, and where it is not nobody has said that it may be old. */
static void set_ttl_of_types(const struct resultcache *rc, const struct plan *p,
                             struct result_rule *r)
{
    uint64_t shortest = UINT64_MAX;

    for (size_t i = 0; i < p->nreads; i++) {
        const struct resultcache_setting *s =
            p->reads[i]->type != NULL ? find(rc->opt.types, rc->opt.ntypes, p->reads[i]->type->name)
                                      : NULL;
        const struct type *t = p->reads[i]->type;
        uint64_t ttl = r->exact ? rc->opt.default_ttl_ms : 0;

        if (s != NULL && s->has_ttl)
            ttl = s->ttl_ms;
        else if (t != NULL && t->cache.said)
            ttl = t->cache.seconds * UINT64_C(1000);
        r->chosen |= s != NULL || (t != NULL && t->cache.said);
        shortest = ttl < shortest ? ttl : shortest;
    }
    r->ttl_s = p->nreads > 0 ? seconds(shortest) : 0;
    if (p->ttl_s < r->ttl_s)
        r->ttl_s = p->ttl_s;
    r->chosen |= p->ttl_s != UINT32_MAX;
}

static void set_ttl(const struct resultcache *rc, const struct plan *p, struct str operation_name,
                    struct result_rule *r)
{
    const struct resultcache_setting *s =
        find(rc->opt.operations, rc->opt.noperations, operation_name);

    if (operation_name.len > 0 && s != NULL) {
        r->mode = s->mode;
        r->chosen = s->has_ttl;
        r->ttl_s = seconds(s->ttl_ms);
    }
    if (!r->chosen)
        set_ttl_of_types(rc, p, r);
    if (r->mode == RESULTCACHE_NEVER)
        r->ttl_s = 0;
}

static struct str text_of(const struct pgvalue *v)
{
    return v->len < 0 ? STR("") : str_make(v->data, (size_t)v->len);
}

static enum tenant_type tenant_type_of(struct str name)
{
    if (str_is(name, "text"))
        return TENANT_TEXT;
    if (str_is(name, "uuid"))
        return TENANT_UUID;
    return str_is(name, "integer") ? TENANT_INTEGER : TENANT_UNKNOWN;
}

/* {t,f}, an item for each setting. */
static bool read_flags(struct str text, bool *out, size_t n)
{
    if (text.len != (n > 0 ? 2 * n + 1 : 2))
        return false;
    for (size_t i = 0; i < n; i++)
        out[i] = text.data[2 * i + 1] != 'f';
    return true;
}

/* Everything that the answer is made by; another version may write the same rows differently. */
static struct digest digest_of(const struct plan *p, struct str operation_name, struct str identity)
{
    struct buf description;
    struct digest d;

    buf_init(&description, 0);
    plan_describe(p, &description);
    d = digest_parts(
        (const struct str[]){
            STR(FRAISEQLD_VERSION),
            identity,
            p->operation->document->source,
            operation_name,
            buf_str(&description),
        },
        5);
    buf_fini(&description);
    return d;
}

static bool same_rule(const struct result_rule *a, const struct result_rule *b, size_t nsettings)
{
    return memcmp(&a->digest, &b->digest, sizeof(a->digest)) == 0 && str_eq(a->bases, b->bases) &&
           a->tenant_type == b->tenant_type && a->exact == b->exact && a->ttl_s == b->ttl_s &&
           memcmp(a->reads, b->reads, nsettings * sizeof(*a->reads)) == 0;
}

/* Only one is asked for at a time, so nobody else is here. */
static void keep_rule(const struct plan *p, const struct result_rule *r, size_t nsettings)
{
    struct kept *k = kept_with(p);
    struct result_rule *copy;

    if (k->rule != NULL && same_rule(k->rule, r, nsettings))
        return;
    copy = arena_copy(k->arena, r, sizeof(*r));
    copy->bases = arena_dup(k->arena, r->bases);
    copy->reads = arena_copy(k->arena, r->reads, size_max(nsettings, 1) * sizeof(*r->reads));
    copy->next = k->rule;
    __atomic_store_n(&k->rule, copy, __ATOMIC_RELEASE);
}

bool resultcache_learn_rule(struct resultcache *rc, const struct plan *p, struct str operation_name,
                            const struct pgrows *rows, struct arena *a)
{
    struct result_rule r = {.mode = RESULTCACHE_AUTO};
    struct pgvalue v[5];

    if (rows == NULL || pgrows_count(rows) != 1 || pgrows_columns(rows) != COUNT_OF(v))
        return false;
    pgrows_row(rows, 0, v);
    r.reads = ARENA_ARRAY(a, size_max(rc->opt.nsettings, 1), bool);
    if (v[0].len <= 0 || v[1].len < 2 || v[2].len != 1 ||
        !read_flags(text_of(&v[4]), r.reads, rc->opt.nsettings))
        return false;
    r.digest = digest_of(p, operation_name, text_of(&v[0]));
    r.bases = text_of(&v[1]);
    r.exact = v[2].data[0] != 0;
    r.tenant_type = tenant_type_of(text_of(&v[3]));
    set_ttl(rc, p, operation_name, &r);
    keep_rule(p, &r, rc->opt.nsettings);
    __atomic_store_n(&kept_with(p)->known_ns, monotonic_ns(), __ATOMIC_RELEASE);
    return true;
}

/* As PostgreSQL writes it. */
static bool is_plain_uuid(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = s.data[i];

        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return s.len == 36;
}

static bool is_plain_integer(struct str s)
{
    size_t from = s.len > 0 && s.data[0] == '-';

    if (s.len == from || (s.data[from] == '0' && s.len > 1))
        return false;
    for (size_t i = from; i < s.len; i++)
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    return true;
}

bool result_rule_by_tenant(const struct result_rule *r, struct str tenant)
{
    switch (r->tenant_type) {
    case TENANT_TEXT:
        return tenant.len > 0 && !str_is(tenant, "*");
    case TENANT_UUID:
        return is_plain_uuid(tenant);
    case TENANT_INTEGER:
        return is_plain_integer(tenant);
    case TENANT_UNKNOWN:
        break;
    }
    return false;
}

struct str resultcache_label(struct str operation_name, const struct digest *document,
                             struct arena *a)
{
    char hex[2 * DIGEST_SIZE + 1];

    digest_hex(document, hex);
    return arena_printf(a, "%.*s#%.8s", STR_ARG(operation_name), hex);
}

/* --- keys ------------------------------------------------------------------------------------ */

/* What is no setting of ours, the rule knows nothing of: it counts. */
static bool matters(const struct resultcache *rc, const struct result_rule *r, const char *name)
{
    for (size_t i = 0; i < rc->opt.nsettings; i++)
        if (str_is(rc->opt.settings[i], name))
            return r->reads[i];
    return true;
}

bool result_rule_by_user(const struct resultcache *rc, const struct result_rule *r)
{
    for (size_t i = 0; i < rc->opt.nsettings; i++)
        if (r->reads[i] &&
            !str_is_among(rc->opt.settings[i], rc->opt.tenant_settings, rc->opt.ntenant_settings))
            return true;
    return false;
}

struct flight_key resultcache_key(const struct resultcache *rc, const struct result_rule *r,
                                  const char *const *params, size_t nparams,
                                  const struct pgsession *session, struct str tenant,
                                  struct arena *a)
{
    struct str *parts = ARENA_ARRAY(a, 3 + 2 * session->nsettings + 2 * nparams, struct str);
    struct flight_key key;
    struct digest d;
    size_t n = 0;

    parts[n++] = str_make((const char *)r->digest.bytes, sizeof(r->digest.bytes));
    parts[n++] = str_of(session->role);
    parts[n++] = tenant;
    for (size_t i = 0; i < session->nsettings; i++) {
        const struct pgsetting *s = &session->settings[i];

        if (!matters(rc, r, s->name))
            continue;
        parts[n++] = str_of(s->name);
        parts[n++] = str_of(s->value);
    }
    for (size_t i = 0; i < nparams; i++) {
        parts[n++] = params[i] != NULL ? STR("value") : STR("null");
        if (params[i] != NULL)
            parts[n++] = str_of(params[i]);
    }
    d = digest_parts(parts, n);
    memcpy(key.bytes, d.bytes, sizeof(key.bytes));
    return key;
}

/* --- what is worth it --------------------------------------------------------------------------
 */

static uint64_t mean(uint64_t old, uint64_t ns, unsigned weight)
{
    return old != 0 ? old - old / weight + ns / weight : ns;
}

/* A lost update of two threads does not matter. */
void resultcache_learn_cost(const struct plan *p, uint64_t ns)
{
    struct kept *k = kept_with(p);
    uint64_t run = __atomic_add_fetch(&k->runs, 1, __ATOMIC_RELAXED);
    uint64_t least = __atomic_load_n(&k->least_ns, __ATOMIC_RELAXED);
    uint64_t cost = __atomic_load_n(&k->cost_ns, __ATOMIC_RELAXED);

    if (run > FIRST_RUNS) {
        __atomic_store_n(&k->cost_ns, mean(cost, ns, 4), __ATOMIC_RELAXED);
        return;
    }
    least = least != 0 && least < ns ? least : ns;
    __atomic_store_n(&k->least_ns, least, __ATOMIC_RELAXED);
    if (run > 1 && least > COSTLY_NS)
        __atomic_store_n(&k->cost_ns, least, __ATOMIC_RELAXED);
}

bool resultcache_worthwhile(const struct resultcache *rc, const struct plan *p,
                            const struct result_rule *r)
{
    uint64_t lookup = __atomic_load_n(&rc->lookup_ns, __ATOMIC_RELAXED);
    struct kept *k = kept_with(p);

    if (r->ttl_s == 0 || r->mode == RESULTCACHE_ALWAYS)
        return r->ttl_s != 0;
    /* Now and then it is run, whatever is kept: it may have become cheap. */
    if (__atomic_add_fetch(&k->judged, 1, __ATOMIC_RELAXED) % JUDGE_EACH == 0)
        return false;
    return __atomic_load_n(&k->cost_ns, __ATOMIC_RELAXED) >
           WORTH * (lookup != 0 ? lookup : LOOKUP_NS);
}

bool resultcache_costly(const struct plan *p)
{
    return __atomic_load_n(&kept_with(p)->cost_ns, __ATOMIC_RELAXED) > CLAIM_NS;
}

/* A slot holds 48 bits of a key and the minute when it was asked for last. Keys that share one push
 * each other out, and what two threads do to it at once does not matter. */
bool resultcache_touch(struct resultcache *rc, const struct flight_key *k)
{
    uint64_t minute = monotonic_ns() / UINT64_C(60000000000) & 0xffff;
    uint64_t hash, old, *slot;

    memcpy(&hash, k->bytes, sizeof(hash));
    slot = &rc->touches[(hash >> 48) % TOUCHES];
    hash <<= 16;
    old = __atomic_exchange_n(slot, hash | minute, __ATOMIC_RELAXED);
    return (old & ~UINT64_C(0xffff)) == hash && ((minute - old) & 0xffff) <= TOUCH_MINUTES;
}

uint32_t resultcache_ttl_s(const struct result_rule *r)
{
    static uint64_t turns;
    uint64_t turn = __atomic_fetch_add(&turns, 1, __ATOMIC_RELAXED);
    uint32_t spread = r->ttl_s / 5;

    return r->ttl_s - spread / 2 +
           (uint32_t)(turn * UINT64_C(0x9e3779b97f4a7c15) >> 40) % (spread + 1);
}

void resultcache_changed(struct resultcache *rc)
{
    if (rc->front != NULL)
        front_clear(rc->front);
}

bool resultcache_keeps_by_time(const struct resultcache *rc, const struct plan *mutation)
{
    bool any = rc->opt.ntypes > 0 || rc->opt.noperations > 0;

    for (size_t i = 0; i < mutation->nreads; i++)
        any = any || (mutation->reads[i]->type != NULL && mutation->reads[i]->type->cache.said);
    return any && mutation->nreads > 0;
}

/* --- when it does not work ---------------------------------------------------------------------
 */

bool resultcache_works(const struct resultcache *rc)
{
    return monotonic_ns() >= __atomic_load_n(&rc->suspended_until_ns, __ATOMIC_RELAXED);
}

void resultcache_went_well(struct resultcache *rc, uint64_t lookup_ns)
{
    uint64_t old = __atomic_load_n(&rc->lookup_ns, __ATOMIC_RELAXED);

    if (lookup_ns > 0 && __atomic_add_fetch(&rc->lookups, 1, __ATOMIC_RELAXED) > FIRST_RUNS)
        __atomic_store_n(&rc->lookup_ns, mean(old, lookup_ns, 8), __ATOMIC_RELAXED);
    if (__atomic_load_n(&rc->failing, __ATOMIC_RELAXED) &&
        __atomic_exchange_n(&rc->failing, 0, __ATOMIC_RELAXED))
        LOG(LOG_INFO, "the result cache works again");
}

/* Its tables are not there, or the role may not use them. */
static bool is_missing(const char *sqlstate)
{
    return strcmp(sqlstate, "42P01") == 0 || strcmp(sqlstate, "3F000") == 0 ||
           strcmp(sqlstate, "42883") == 0 || strcmp(sqlstate, "42501") == 0 ||
           strcmp(sqlstate, "42703") == 0;
}

void resultcache_failed(struct resultcache *rc, const struct pgbatch *b)
{
    bool failed = b->outcome == PGBATCH_FAILED;
    bool missing = failed && is_missing(b->sqlstate);

    /* Nobody has time, or the database is away: that concerns everybody, and is said elsewhere. */
    if (b->outcome == PGBATCH_CANCELLED || b->outcome == PGBATCH_TIMEOUT)
        return;
    __atomic_store_n(&rc->suspended_until_ns, monotonic_ns() + SUSPEND_NS, __ATOMIC_RELAXED);
    if (!failed || __atomic_exchange_n(&rc->failing, 1, __ATOMIC_RELAXED))
        return;
    LOG(LOG_WARN, "results are not cached: the cache does not work",
        LOG_CSTR("sqlstate", b->sqlstate), LOG_STR("detail", b->message),
        LOG_CSTR("hint", missing ? "run fraiseqld db install, or set cache.enabled to false" : ""));
}
