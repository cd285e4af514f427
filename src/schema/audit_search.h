/*
 * audit_search.h - the search for findings, for the files that make it.
 *
 * Memory:   in the builder's scratch arena.
 */
#ifndef SCHEMA_AUDIT_SEARCH_H
#define SCHEMA_AUDIT_SEARCH_H

#include "schema/build.h"

struct visit {
    const struct doc_relation *relation;
    uint32_t user;                   /* whom it is read as */
    const struct doc_relation *view; /* which made it that user; NULL: the request's role */
};

struct search {
    struct builder *b;
    const struct doc *doc;
    struct map known; /* visits and findings, by their text */
    struct {
        struct visit *items;
        size_t n, cap;
    } visits;
    struct {
        struct finding *items;
        size_t n, cap;
    } findings;
};

/* Once for each code and object: it is not found worse for being found twice. Takes over the text.
 */
void search_add(struct search *s, enum finding_code code, struct str object, const char *problem,
                struct buf *fix);
/* table "public.tasks" */
struct str search_describe(struct search *s, const struct doc_relation *r);
/* With each quote in it doubled. */
void search_append_quoted(struct buf *out, struct str text, char quote);

/* advice.c: what works, but slowly, or fails where it could show nothing. */
void advice_find(struct search *s);

#endif
