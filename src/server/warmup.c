/*
 * warmup.c - compiles what is registered, from the table and from a file, whenever schemas are
 * loaded.
 *
 * Thread:   jobs.
 * Memory:   an arena for each run.
 */
#include "server/warmup.h"

#include "base/log.h"
#include "base/readfile.h"

#include <errno.h>

#define TIMEOUT_MS 5000

struct warmup {
    struct warmup_options opt;
    struct digest *said; /* owned; of what the log knows not to be valid */
    size_t nsaid;
    bool table_failing; /* the log knows */
    bool file_failing;
};

struct warmup *warmup_new(const struct warmup_options *opt)
{
    struct warmup *w = xcalloc(1, sizeof(*w));

    w->opt = *opt;
    return w;
}

void warmup_free(struct warmup *w)
{
    if (w == NULL)
        return;
    xfree(w->said);
    xfree(w);
}

/* --- reading -------------------------------------------------------------------------------- */

static struct str text_of(const struct pgvalue *v)
{
    return v->len >= 0 ? str_make(v->data, (size_t)v->len) : str_make(NULL, 0);
}

bool warmup_read_table(struct pgpool *pool, struct arena *a, struct registered_list *out,
                       bool *missing, struct errors *errs)
{
    const struct pgrows *rows =
        pgpool_query(pool,
                     STR("select q.query, q.operation_name, q.variables::text "
                         "from fraiseql.turbo_queries q order by q.created_at desc limit 10000"),
                     deadline_in_ms(TIMEOUT_MS), a, errs);
    struct pgvalue v[3];

    *missing = rows == NULL && (strcmp(errs->first->sqlstate, "3F000") == 0 ||
                                strcmp(errs->first->sqlstate, "42P01") == 0);
    if (rows == NULL)
        return false;
    for (size_t i = 0; i < pgrows_count(rows); i++) {
        pgrows_row(rows, i, v);
        VEC_PUSH(a, out, ((struct registered){text_of(&v[0]), text_of(&v[1]), text_of(&v[2])}));
    }
    return true;
}

/* That nobody has installed it is no failure. */
static void read_table(struct warmup *w, struct arena *a, struct registered_list *out)
{
    struct errors errs;
    bool missing;

    errors_init(&errs, a);
    if (warmup_read_table(w->opt.pool, a, out, &missing, &errs)) {
        w->table_failing = false;
        return;
    }
    if (!missing && !w->table_failing)
        LOG(LOG_WARN, "could not read the registered operations",
            LOG_STR("error", errs.first->message), LOG_STR("detail", errs.first->detail));
    w->table_failing = !missing;
}

static void read_file(struct warmup *w, struct arena *a, struct registered_list *out)
{
    const char *path = arena_dup(a, w->opt.file).data;
    size_t before = out->n;
    struct str problem = STR("");
    struct errors errs;
    struct str text;

    errors_init(&errs, a);
    if (!readfile(path, REGISTERED_FILE_MAX, a, &text))
        problem = str_of(strerror(errno));
    else if (text.len > REGISTERED_FILE_MAX)
        problem = STR("the file is too large");
    else if (!registered_read(text, a, out, &errs))
        problem = errs.first->message;
    if (problem.len > 0) {
        out->n = before;
        if (!w->file_failing)
            LOG(LOG_WARN, "could not read turborouter.warm.file", LOG_CSTR("file", path),
                LOG_STR("error", problem));
    }
    w->file_failing = problem.len > 0;
}

/* --- what is not valid ------------------------------------------------------------------------ */

static struct digest digest_of(const struct registered *r)
{
    return digest_parts((const struct str[]){r->document, r->operation_name}, 2);
}

static bool is_among(const struct digest *all, size_t n, const struct digest *d)
{
    for (size_t i = 0; i < n; i++)
        if (digest_eq(&all[i], d, sizeof(*d)))
            return true;
    return false;
}

/* Each once, until it has been valid again. */
static size_t complain(struct warmup *w, const struct registered_list *l, size_t n,
                       const char *const *invalid)
{
    struct digest *said = xcalloc(n > 0 ? n : 1, sizeof(*said));
    size_t nsaid = 0;

    for (size_t i = 0; i < n; i++) {
        struct digest d, hash;
        char hex[2 * DIGEST_SIZE + 1];

        if (invalid[i] == NULL)
            continue;
        d = digest_of(&l->items[i]);
        if (is_among(said, nsaid, &d)) /* of the table and the file */
            continue;
        if (!is_among(w->said, w->nsaid, &d)) {
            hash = digest_sha256(l->items[i].document);
            digest_hex(&hash, hex);
            LOG(LOG_WARN, "a registered operation is not valid", LOG_CSTR("hash", hex),
                LOG_STR("operation_name", l->items[i].operation_name),
                LOG_CSTR("error", invalid[i]));
        }
        said[nsaid++] = d;
    }
    xfree(w->said);
    w->said = said;
    w->nsaid = nsaid;
    return nsaid;
}

void warmup_run(struct warmup *w, const struct engine *e, const struct schema *const *next,
                size_t nroles)
{
    struct registered_list list = {0};
    uint64_t since = monotonic_ns();
    const char **invalid;
    struct arena *a;
    size_t n;

    if (e->turbo == NULL || (!w->opt.from_table && w->opt.file.len == 0))
        return;
    a = arena_new(0);
    if (w->opt.from_table)
        read_table(w, a, &list);
    if (w->opt.file.len > 0)
        read_file(w, a, &list);
    if (e->labels != NULL)
        labels_set_registered(e->labels, list.items, list.n);
    invalid = ARENA_ARRAY(a, size_max(list.n, 1), const char *);
    n = warm_registered(e, list.items, list.n, next, nroles, a, invalid);
    if (list.n > 0) {
        size_t bad = complain(w, &list, n, invalid);

        LOG(LOG_INFO, "registered operations compiled", LOG_INT("operations", n - bad),
            LOG_INT("invalid", bad), LOG_INT("left", list.n - n),
            LOG_NS("duration_ms", monotonic_ns() - since));
    }
    arena_free(a);
}
