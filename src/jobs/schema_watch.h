/*
 * schema_watch.h - keeps the published schema true to the database's catalog.
 *
 * Thread:   started and stopped from the main thread, kicked by any; works on its own (jobs).
 * Memory:   copies nothing of its options: they must outlive it.
 * Not here: what a catalog document means (schema/catalog.c).
 */
#ifndef JOBS_SCHEMA_WATCH_H
#define JOBS_SCHEMA_WATCH_H

#include "base/str.h"
#include "pg/pgpool.h"
#include "schema/catalog.h"

struct schema_watch_options {
    struct pgpool *pool;
    struct schema_slot *slot;
    const char *const *roles; /* a schema for each, of what it may use; "": the login role */
    size_t nroles;
    const struct str *schemas;
    size_t nschemas;
    const struct str *views;
    size_t nviews;
    const struct str *tables;
    size_t ntables;
    const struct str *functions;
    size_t nfunctions;
    const struct str *exclude;
    size_t nexclude;
    struct str sdl_file;     /* schema.sdl_file; empty: none */
    bool materialized_views; /* those that match `views` */
    bool refuse_findings;    /* publish no schema that the audit found something in */
    bool no_tokens;          /* nobody is authenticated: auth.mode is none */
    struct schema_options schema;
    uint64_t backoff_min_ms;
    uint64_t backoff_max_ms;
    /* Schemas are about to be published, or were found to be those that are; and have been
     * published; by role. NULL: nobody minds. */
    void (*before)(void *ctx, const struct schema *const *next, size_t n);
    void (*after)(void *ctx, const uint64_t *versions, size_t n);
    void *ctx;
    const char *channel;       /* database.notify.channel; NULL: do not listen */
    uint64_t poll_interval_ms; /* schema.reload.poll_interval; 0: off */
};

struct schema_watch;

/* Loads at once, and again with growing pauses until it succeeds once. */
struct schema_watch *schema_watch_start(const struct schema_watch_options *opt);
/* Load again soon. The old schema stays when that fails, or when nothing has changed. The number of
 * this wish. */
uint64_t schema_watch_kick(struct schema_watch *w);
/*
 * From the next load on, whose schemas are made anew, what is exposed, and how, is that of other
 * options; pool, slot, roles, channel and callbacks stay. Any thread. release(held) is called when
 * they are not needed any more.
 */
void schema_watch_configure(struct schema_watch *w, const struct schema_watch_options *opt,
                            void (*release)(const void *held), const void *held);
/* Has a load that began after that wish ended, well or badly? */
bool schema_watch_answered(const struct schema_watch *w, uint64_t wish);
/*
 * A statement failed as if the schema were out of date: see whether the catalog has changed, and
 * load it if so; soon, but not more often than four times a second. The number of the look, which
 * begins after now.
 */
uint64_t schema_watch_doubt(struct schema_watch *w);
/* Is that look over? certain: the catalog is that of the published schemas. */
bool schema_watch_checked(struct schema_watch *w, uint64_t number, bool *certain);
void schema_watch_stop(struct schema_watch *w);

/* What an operator should know of a schema that is served all the same; NULL: nothing. */
const char *schema_watch_warning(const struct schema_watch_options *opt, const struct schema *s);

/*
 * Read the catalog and build the schema of one of the roles once, blocking: one reference, or NULL
 * with errors (SERVICE_UNAVAILABLE: no database; SCHEMA_INVALID: no legal schema).
 */
const struct schema *schema_load(const struct schema_watch_options *opt, size_t role,
                                 struct errors *errs);

#endif
