/*
 * schema_watch.c - keeps the published schema true to the database's catalog.
 *
 * Thread:   jobs; others reach it by two flags and an eventfd.
 * Memory:   each load has an arena of its own; the schema has another.
 * Not here: what a catalog document means (schema/catalog.c).
 *
 * A schema is built aside and published whole, so a request sees one or the
 * other. Whatever says that the catalog has changed, be it a signal, a
 * notification, a different fingerprint or a statement that failed, only
 * causes a look: what is the same as before is not published.
 */
#include "jobs/schema_watch.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/readfile.h"
#include "base/thread.h"
#include "metrics/metrics.h"
#include "pg/pgarray.h"
#include "pg/pglisten.h"
#include "sql/catalog.h"
#include "sql/fingerprint.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LOAD_TIMEOUT_MS 60000
#define MAX_READS       10
#define MAX_SDL         ((size_t)16 * 1024 * 1024)
/* A migration says many times that it changed something: all that within this time is one. */
#define SETTLE_MS 100
/* Statements that fail for another reason than the schema's age must not keep us reading. */
#define DOUBT_PAUSE_MS 250

enum load_result {
    LOADED,   /* or the same as before */
    REFUSED,  /* read, but no schema to be served */
    NOT_READ, /* no database */
};

/* Options of later, and who lends what they point to. */
struct replacement {
    struct schema_watch_options opt;
    void (*release)(const void *held);
    const void *held;
};

struct schema_watch {
    struct schema_watch_options opt;
    struct thread *thread;
    int wake_fd; /* owned */
    atomic_bool kicked;
    _Atomic uint64_t wishes;   /* made by schema_watch_kick() */
    _Atomic uint64_t answered; /* made before the last load that has ended began */
    atomic_bool stopping;
    atomic_bool doubted;
    /* Looks at the catalog, be they loads or comparisons of its fingerprint: number of the last one
     * begun, and of the last one that is over. */
    _Atomic uint64_t begun;
    _Atomic uint64_t over;
    atomic_bool certain; /* the last one found the published schemas true */
    pthread_mutex_t lock;
    struct replacement next; /* under the lock; release NULL: none */
    /* jobs */
    struct replacement current;
    bool rebuild;            /* the options are others than those of what is published */
    struct pglisten *listen; /* owned; NULL: off */
    bool loaded;
    struct digest *documents; /* owned; of the published schemas, by role */
    struct buf fingerprint;   /* of the catalog that was read last; empty: unknown */
    struct deadline retry;
    struct deadline next_poll;
    struct deadline next_doubt; /* not before */
    uint64_t pause_ms;
    bool poll_failed; /* the log knows */
    bool load_ok;     /* the last load has published what it read, or found it published */
};

/* --- one load -------------------------------------------------------------------- */

/* A statement's one value, in the arena. */
static bool read_value(struct pgpool *pool, struct str sql, const char *const *params,
                       size_t nparams, struct arena *a, struct str *out, struct errors *errs)
{
    /* PostgreSQL expects one row of each part of the catalog query, and would go through all the
     * others for each of them. */
    static const struct pgsetting settings[] = {
        {"enable_nestloop", "off"},
        {"jit",             "off"}
    };
    struct pgsession session = {.role = "",
                                .settings = settings,
                                .nsettings = COUNT_OF(settings),
                                .timeout_ms = LOAD_TIMEOUT_MS,
                                .read_only = true};
    struct pgstatement statement;
    struct pgcall call = {.statement = &statement, .params = params};
    struct pgbatch batch;
    struct pgvalue value;

    pgstatement_init(&statement, sql, nparams);
    pgbatch_init(&batch, &session, &call, 1, a);
    batch.repeatable = true;
    batch.until = deadline_in_ms(LOAD_TIMEOUT_MS);
    if (!pgpool_run(pool, &batch, errs))
        return false;
    CHECK(pgrows_count(call.rows) == 1 && pgrows_columns(call.rows) == 1);
    pgrows_row(call.rows, 0, &value);
    CHECK(value.len >= 0);
    *out = str_make(value.data, (size_t)value.len);
    return true;
}

/* The catalog document of a role, in the arena. */
static bool read_catalog(const struct schema_watch_options *opt, size_t role, struct arena *a,
                         struct str *out, struct errors *errs)
{
    const char *params[] = {
        pgarray_text(opt->schemas, opt->nschemas, a).data,
        pgarray_text(opt->views, opt->nviews, a).data,
        pgarray_text(opt->tables, opt->ntables, a).data,
        pgarray_text(opt->views, opt->materialized_views ? opt->nviews : 0, a).data,
        pgarray_text(opt->exclude, opt->nexclude, a).data,
        opt->roles[role],
        pgarray_text(opt->functions, opt->nfunctions, a).data,
    };

    return read_value(opt->pool, str_of(sql_catalog), params, COUNT_OF(params), a, out, errs);
}

/* The SDL file as it is now; none leaves the options as they are. */
static bool read_sdl(const struct schema_watch_options *opt, struct arena *a,
                     struct schema_options *out, struct errors *errs)
{
    const char *path = arena_dup(a, opt->sdl_file).data;

    if (opt->sdl_file.len == 0)
        return true;
    if (!readfile(path, MAX_SDL, a, &out->sdl)) {
        errors_add(errs, SCHEMA_INVALID, "could not read schema.sdl_file \"%s\": %s", path,
                   strerror(errno));
        return false;
    }
    if (out->sdl.len > MAX_SDL) {
        errors_add(errs, SCHEMA_INVALID, "schema.sdl_file \"%s\" is larger than %zu bytes", path,
                   MAX_SDL);
        return false;
    }
    out->sdl_name = opt->sdl_file;
    return true;
}

/* What is wrong for several roles is told once. */
static void take_errors(const struct schema_watch_options *opt, size_t role,
                        const struct errors *own, struct errors *errs)
{
    for (const struct error *e = own->first; e != NULL; e = e->next) {
        const struct error *said = errs->first;
        struct error *copy, *next;

        while (said != NULL && !(str_eq(said->message, e->message) && str_eq(said->file, e->file)))
            said = said->next;
        if (said != NULL)
            continue;
        copy = errors_add(errs, e->code, "%.*s", STR_ARG(e->message));
        next = copy->next;
        *copy = *e;
        copy->next = next;
        if (opt->nroles > 1 && e->detail.len == 0)
            copy->detail = arena_printf(errs->arena, "role \"%s\"", opt->roles[role]);
    }
    errs->dropped += own->dropped;
}

/* The schema of a role's document. */
static const struct schema *build(const struct schema_watch_options *opt, size_t role,
                                  const struct schema_options *options, struct str json,
                                  struct errors *errs)
{
    struct schema_options partial = *options;
    const struct schema *s;
    struct errors own;

    /* The file is about what the first role sees. */
    partial.partial = role > 0;
    errors_init(&own, errs->arena);
    own.max = errs->max;
    s = schema_from_catalog(json, &partial, &own);
    take_errors(opt, role, &own, errs);
    return s;
}

const struct schema *schema_load(const struct schema_watch_options *opt, size_t role,
                                 struct errors *errs)
{
    struct arena *a = arena_new(0);
    struct schema_options options = opt->schema;
    struct str json;
    const struct schema *s = NULL;

    if (read_sdl(opt, a, &options, errs) && read_catalog(opt, role, a, &json, errs))
        s = build(opt, role, &options, json, errs);
    arena_free(a);
    return s;
}

/* A function that was meant to be served, but is not, is no error: it may be one of another use. */
static void log_skipped(const struct schema *s)
{
    for (size_t i = 0; i < s->nskipped; i++)
        LOG(LOG_WARN, "function not exposed", LOG_STR("function", s->skipped[i].name),
            LOG_STR("reason", s->skipped[i].reason));
    for (size_t i = 0; i < s->nunchangeable; i++)
        LOG(LOG_WARN, "changes not exposed", LOG_STR("relation", s->unchangeable[i].name),
            LOG_STR("reason", s->unchangeable[i].reason));
}

const char *schema_watch_warning(const struct schema_watch_options *opt, const struct schema *s)
{
    return opt->no_tokens && s->has_auth
               ? "nobody can use what has @auth: auth.mode is \"none\", no token is looked at"
               : NULL;
}

/* Do they keep the schema from being served? */
static bool log_findings(const struct schema *s, bool refuse)
{
    size_t serious = findings_of_isolation(s->findings, s->nfindings);

    for (size_t i = 0; i < s->nfindings; i++) {
        bool advice = finding_is_advice(s->findings[i].code);

        LOG(refuse && !advice ? LOG_ERROR : LOG_WARN,
            advice ? "requests may be slow, or fail" : "tenants may not be isolated",
            LOG_CSTR("finding", finding_code_name(s->findings[i].code)),
            LOG_STR("object", s->findings[i].object), LOG_STR("problem", s->findings[i].problem),
            LOG_STR("fix", s->findings[i].fix));
    }
    if (!refuse || serious == 0)
        return false;
    LOG(LOG_ERROR, "refused to serve the schema", LOG_INT("findings", serious),
        LOG_CSTR("hint", "see fraiseqld check --connect, or tenancy.enforce_rls_check"));
    return true;
}

/* --- the thread ------------------------------------------------------------------------ */

static void log_errors(const struct errors *errs)
{
    for (const struct error *e = errs->first; e != NULL; e = e->next)
        LOG(LOG_ERROR, "could not load the schema",
            LOG_CSTR("code", error_code_info(e->code)->name), LOG_STR("place", e->file),
            LOG_STR("error", e->message), LOG_STR("detail", e->detail), LOG_STR("hint", e->hint));
}

/*
 * The catalog's documents, by role, and its fingerprint. Rows of the catalog are read as of the
 * statement's begin, but privileges as of now: a view dropped in between and
 * made anew would seem to be nobody's. So nothing may have changed meanwhile.
 */
static bool read_settled(struct schema_watch *w, struct arena *a, struct str *json,
                         struct str *fingerprint, struct errors *errs)
{
    const struct str sql = str_of(sql_fingerprint);
    struct str before;

    if (!read_value(w->opt.pool, sql, NULL, 0, a, fingerprint, errs))
        return false;
    for (int i = 0; i < MAX_READS; i++) {
        before = *fingerprint;
        for (size_t role = 0; role < w->opt.nroles; role++)
            if (!read_catalog(&w->opt, role, a, &json[role], errs))
                return false;
        if (!read_value(w->opt.pool, sql, NULL, 0, a, fingerprint, errs))
            return false;
        if (str_eq(before, *fingerprint))
            return true;
    }
    errors_add(errs, SERVICE_UNAVAILABLE, "the catalog changes faster than it can be read");
    return false;
}

/* Of all that a schema is made of but the role's name, which comes last in the document: roles that
 * may use the same share a schema. */
static struct digest document_digest(struct str json, struct str sdl)
{
    static const char name[] = "\"roleSql\":";
    size_t end = json.len;

    /* Within a string the quotes would have backslashes. */
    for (size_t i = 0; i + strlen(name) <= json.len; i++)
        if (memcmp(json.data + i, name, strlen(name)) == 0)
            end = i;
    return digest_parts((const struct str[]){str_make(json.data, end), sdl}, 2);
}

/* Is it among those before it? */
static bool is_first(const struct schema *const *schemas, size_t role)
{
    for (size_t i = 0; i < role; i++)
        if (schemas[i] == schemas[role])
            return false;
    return true;
}

static bool is_unchanged(const struct schema_watch *w, const struct digest *digests, size_t role)
{
    return w->loaded && !w->rebuild &&
           digest_eq(&digests[role], &w->documents[role], sizeof(*digests));
}

/*
 * The schemas of all roles: what is unchanged is kept, with all that was compiled for it, and what
 * is equal is built once. All that is wrong is told at once. False: nothing is left in `out`.
 */
static bool build_all(struct schema_watch *w, const struct schema_options *options,
                      const struct str *json, const struct digest *digests,
                      const struct schema **out, struct errors *errs)
{
    bool ok = true;

    for (size_t i = 0; i < w->opt.nroles; i++) {
        size_t like = 0;

        while (!digest_eq(&digests[like], &digests[i], sizeof(digests[i])))
            like++;
        if (is_unchanged(w, digests, i))
            out[i] = schema_current(w->opt.slot, i);
        else if (like < i)
            out[i] = out[like] != NULL ? schema_ref(out[like]) : NULL;
        else
            out[i] = build(&w->opt, i, options, json[i], errs);
        ok = ok && out[i] != NULL;
    }
    for (size_t i = 0; i < w->opt.nroles && ok; i++)
        if (is_first(out, i) && !is_unchanged(w, digests, i) &&
            log_findings(out[i], w->opt.refuse_findings))
            ok = false;
    for (size_t i = 0; i < w->opt.nroles && !ok; i++)
        schema_unref(out[i]);
    return ok;
}

static void count_objects(const struct schema *s)
{
    metric_gauge_set(GAUGE_SCHEMA_RELATIONS, (double)s->nrelations);
    metric_gauge_set(GAUGE_SCHEMA_FUNCTIONS, (double)s->nfunctions);
    metric_gauge_set(GAUGE_SCHEMA_TYPES, (double)s->ntypes);
}

static void tell_loaded(struct schema_watch *w, const struct schema *const *schemas,
                        uint64_t duration_ns)
{
    if (schemas[0] != NULL)
        count_objects(schemas[0]);
    for (size_t i = 0; i < w->opt.nroles; i++) {
        const struct schema *s = schemas[i];

        if (s == NULL)
            continue;
        LOG(LOG_INFO, "schema loaded", LOG_INT("version", s->version),
            LOG_CSTR("role", w->opt.roles[i]), LOG_INT("relations", s->nrelations),
            LOG_INT("functions", s->nfunctions), LOG_INT("types", s->ntypes),
            LOG_NS("duration_ms", duration_ns));
        if (is_first(schemas, i)) {
            const char *warning = schema_watch_warning(&w->opt, s);

            log_skipped(s);
            if (warning != NULL)
                LOG(LOG_WARN, warning);
        }
    }
}

/* Who reads that it is loaded finds it there. */
static void publish(struct schema_watch *w, const struct schema **schemas, uint64_t started_ns,
                    struct arena *a)
{
    size_t n = w->opt.nroles;
    uint64_t *versions = ARENA_ARRAY(a, n, uint64_t);
    const struct schema **loaded = ARENA_ARRAY(a, n, const struct schema *);
    uint64_t duration_ns = monotonic_ns() - started_ns;

    for (size_t i = 0; i < n; i++) {
        const struct schema *old = schema_current(w->opt.slot, i);

        versions[i] = schemas[i]->version;
        loaded[i] = schemas[i] != old ? schema_ref(schemas[i]) : NULL;
        schema_unref(old);
    }
    if (w->opt.before != NULL)
        w->opt.before(w->opt.ctx, schemas, w->opt.nroles);
    schema_publish(w->opt.slot, schemas);
    if (w->opt.after != NULL)
        w->opt.after(w->opt.ctx, versions, w->opt.nroles);
    tell_loaded(w, loaded, duration_ns);
    for (size_t i = 0; i < n; i++)
        schema_unref(loaded[i]);
}

/* What is compiled for them may have become more. */
static void tell_unchanged(struct schema_watch *w, struct arena *a)
{
    const struct schema **schemas = ARENA_ARRAY(a, w->opt.nroles, const struct schema *);

    for (size_t i = 0; i < w->opt.nroles; i++)
        schemas[i] = schema_current(w->opt.slot, i);
    if (w->opt.before != NULL)
        w->opt.before(w->opt.ctx, schemas, w->opt.nroles);
    for (size_t i = 0; i < w->opt.nroles; i++)
        schema_unref(schemas[i]);
}

static enum load_result load_in(struct schema_watch *w, struct arena *a, struct errors *errs)
{
    size_t n = w->opt.nroles;
    uint64_t started = monotonic_ns();
    struct schema_options options = w->opt.schema;
    const struct schema **schemas = ARENA_ARRAY(a, n, const struct schema *);
    struct digest *digests = ARENA_ARRAY(a, n, struct digest);
    struct str *json = ARENA_ARRAY(a, n, struct str);
    struct str fingerprint;

    if (!read_settled(w, a, json, &fingerprint, errs))
        return NOT_READ;
    buf_clear(&w->fingerprint);
    buf_append_str(&w->fingerprint, fingerprint);
    if (!read_sdl(&w->opt, a, &options, errs))
        return REFUSED;
    for (size_t i = 0; i < n; i++)
        digests[i] = document_digest(json[i], options.sdl);
    if (w->loaded && !w->rebuild && memcmp(digests, w->documents, n * sizeof(*digests)) == 0) {
        LOG(LOG_INFO, "schema unchanged");
        tell_unchanged(w, a);
        return LOADED;
    }
    if (!build_all(w, &options, json, digests, schemas, errs))
        return REFUSED;
    publish(w, schemas, started, a);
    memcpy(w->documents, digests, n * sizeof(*digests));
    w->loaded = true;
    w->rebuild = false;
    return LOADED;
}

static struct deadline poll_deadline(const struct schema_watch *w)
{
    return w->opt.poll_interval_ms > 0 ? deadline_in_ms(w->opt.poll_interval_ms) : DEADLINE_NEVER;
}

/* What was doubted before is answered by it; what is from now on, by the next one. */
static void begin_look(struct schema_watch *w)
{
    atomic_store(&w->doubted, false);
    atomic_fetch_add(&w->begun, 1);
}

static void end_look(struct schema_watch *w, bool certain)
{
    atomic_store(&w->certain, certain);
    atomic_store(&w->over, atomic_load(&w->begun));
}

static void release(const struct replacement *r)
{
    if (r->release != NULL)
        r->release(r->held);
}

/* What is about us stays. */
static void take_replacement(struct schema_watch *w)
{
    struct replacement r;

    pthread_mutex_lock(&w->lock);
    r = w->next;
    w->next = (struct replacement){0};
    pthread_mutex_unlock(&w->lock);
    if (r.release == NULL)
        return;
    r.opt.pool = w->opt.pool;
    r.opt.slot = w->opt.slot;
    r.opt.roles = w->opt.roles;
    r.opt.nroles = w->opt.nroles;
    r.opt.before = w->opt.before;
    r.opt.after = w->opt.after;
    r.opt.ctx = w->opt.ctx;
    w->opt = r.opt;
    w->rebuild = true;
    release(&w->current);
    w->current = r;
}

/* What could not be read is tried again, and the first schema until there is one. */
static void load(struct schema_watch *w)
{
    struct arena *a = arena_new(0);
    uint64_t wishes = atomic_load(&w->wishes);
    enum load_result result;
    struct errors errs;

    errors_init(&errs, a);
    take_replacement(w);
    begin_look(w);
    result = load_in(w, a, &errs);
    w->load_ok = result == LOADED;
    end_look(w, w->load_ok);
    atomic_store(&w->answered, wishes);
    metric_add(result == LOADED ? METRIC_SCHEMA_LOADS_OK : METRIC_SCHEMA_LOADS_ERROR, 1);
    if (result != LOADED)
        log_errors(&errs);
    arena_free(a);
    xmalloc_trim();
    w->retry = DEADLINE_NEVER;
    if (result == NOT_READ || !w->loaded) {
        w->pause_ms = w->pause_ms == 0
                          ? size_max(w->opt.backoff_min_ms, 1)
                          : size_min(2 * w->pause_ms, size_max(w->opt.backoff_max_ms, 1));
        w->retry = deadline_in_ms(w->pause_ms);
    } else {
        w->pause_ms = 0;
    }
    w->next_poll = poll_deadline(w);
}

/* --- what asks for a load ------------------------------------------------------------------ */

enum comparison {
    CATALOG_SAME,
    CATALOG_CHANGED,
    CATALOG_UNKNOWN,
};

/* With what was read last. */
static enum comparison compare_catalog(struct schema_watch *w)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    struct str now;
    enum comparison result = CATALOG_UNKNOWN;

    errors_init(&errs, a);
    if (read_value(w->opt.pool, str_of(sql_fingerprint), NULL, 0, a, &now, &errs)) {
        result = str_eq(now, buf_str(&w->fingerprint)) ? CATALOG_SAME : CATALOG_CHANGED;
        w->poll_failed = false;
    } else if (!w->poll_failed) {
        LOG(LOG_WARN, "could not look for changes of the schema",
            LOG_STR("error", errs.first->message), LOG_STR("detail", errs.first->detail));
        w->poll_failed = true;
    }
    arena_free(a);
    w->next_poll = poll_deadline(w);
    return result;
}

/* Has the catalog changed? What had changed is over when it has been loaded. */
static bool check_doubt(struct schema_watch *w)
{
    enum comparison result;

    begin_look(w);
    result = compare_catalog(w);
    w->next_doubt = deadline_in_ms(DOUBT_PAUSE_MS);
    if (result != CATALOG_CHANGED)
        end_look(w, result == CATALOG_SAME && w->load_ok);
    return result == CATALOG_CHANGED;
}

/* Sleep until something happens or the time has come. */
static void sleep_until(struct schema_watch *w, struct deadline until, bool hear)
{
    struct pollfd fds[] = {
        {.fd = w->wake_fd,                                              .events = POLLIN},
        {.fd = hear && w->listen != NULL ? pglisten_fd(w->listen) : -1, .events = POLLIN},
    };
    uint64_t count;
    int64_t left;

    if (hear && w->listen != NULL)
        until = deadline_earlier(until, pglisten_due(w->listen));
    left = deadline_left_ms(until);
    (void)poll(fds, COUNT_OF(fds),
               until.at_ns == UINT64_MAX ? -1 : (int)(left > 60000 ? 60000 : left));
    if (fds[0].revents != 0)
        (void)!read(w->wake_fd, &count, sizeof(count));
}

static bool is_due(struct schema_watch *w)
{
    bool due = atomic_exchange(&w->kicked, false);

    if (w->listen != NULL && pglisten_step(w->listen, STR("schema")))
        due = true;
    if (deadline_passed(w->retry))
        due = true;
    if (!due && deadline_passed(w->next_poll))
        due = compare_catalog(w) == CATALOG_CHANGED;
    if (!due && atomic_load(&w->doubted) && deadline_passed(w->next_doubt))
        due = check_doubt(w);
    return due;
}

static struct deadline next_look(const struct schema_watch *w)
{
    struct deadline next = deadline_earlier(w->retry, w->next_poll);

    return atomic_load(&w->doubted) ? deadline_earlier(next, w->next_doubt) : next;
}

/* False: stopping. */
static bool wait_for_work(struct schema_watch *w)
{
    struct deadline settled;

    while (!atomic_load(&w->stopping) && !is_due(w))
        sleep_until(w, next_look(w), true);
    settled = deadline_in_ms(SETTLE_MS);
    while (!atomic_load(&w->stopping) && !deadline_passed(settled))
        sleep_until(w, settled, false);
    /* Heard meanwhile: the load about to begin sees it. */
    atomic_store(&w->kicked, false);
    if (w->listen != NULL && pglisten_fd(w->listen) >= 0)
        (void)pglisten_step(w->listen, STR("schema"));
    return !atomic_load(&w->stopping);
}

static void run(void *arg)
{
    struct schema_watch *w = arg;

    /* Before the first load: nothing that changes after it is missed. */
    if (w->listen != NULL)
        (void)pglisten_step(w->listen, STR("schema"));
    do {
        load(w);
    } while (wait_for_work(w));
}

struct schema_watch *schema_watch_start(const struct schema_watch_options *opt)
{
    struct schema_watch *w = xcalloc(1, sizeof(*w));

    w->opt = *opt;
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(w->wake_fd >= 0);
    CHECK(pthread_mutex_init(&w->lock, NULL) == 0);
    buf_init(&w->fingerprint, 0);
    w->documents = xcalloc(opt->nroles, sizeof(*w->documents));
    if (opt->channel != NULL)
        w->listen = pglisten_new(opt->pool, opt->channel);
    w->thread = thread_start(THREAD_JOBS, "jobs", run, w);
    return w;
}

void schema_watch_configure(struct schema_watch *w, const struct schema_watch_options *opt,
                            void (*release_held)(const void *held), const void *held)
{
    struct replacement skipped;

    pthread_mutex_lock(&w->lock);
    skipped = w->next;
    w->next = (struct replacement){*opt, release_held, held};
    pthread_mutex_unlock(&w->lock);
    release(&skipped);
}

static void set_flag(struct schema_watch *w, atomic_bool *flag)
{
    const uint64_t one = 1;

    atomic_store(flag, true);
    (void)!write(w->wake_fd, &one, sizeof(one));
}

uint64_t schema_watch_kick(struct schema_watch *w)
{
    uint64_t wish = atomic_fetch_add(&w->wishes, 1) + 1;

    set_flag(w, &w->kicked);
    return wish;
}

bool schema_watch_answered(const struct schema_watch *w, uint64_t wish)
{
    return atomic_load(&w->answered) >= wish;
}

uint64_t schema_watch_doubt(struct schema_watch *w)
{
    /* The one that is under way may have read before what was met. */
    uint64_t number = atomic_load(&w->begun) + 1;

    if (!atomic_load(&w->doubted))
        set_flag(w, &w->doubted);
    return number;
}

bool schema_watch_checked(struct schema_watch *w, uint64_t number, bool *certain)
{
    bool over = atomic_load(&w->over) >= number;

    *certain = over && atomic_load(&w->certain);
    return over;
}

void schema_watch_stop(struct schema_watch *w)
{
    set_flag(w, &w->stopping);
    thread_join(w->thread);
    pglisten_free(w->listen);
    release(&w->current);
    release(&w->next);
    pthread_mutex_destroy(&w->lock);
    buf_fini(&w->fingerprint);
    xfree(w->documents);
    close(w->wake_fd);
    xfree(w);
}
