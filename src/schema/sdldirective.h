/*
 * sdldirective.h - the directives of the SDL file.
 *
 * Thread:   one at a time.
 * Memory:   in the reader's arena; text points into the file's.
 * Not here: what follows from them (sdlfile.c).
 */
#ifndef SCHEMA_SDLDIRECTIVE_H
#define SCHEMA_SDLDIRECTIVE_H

#include "language/ast.h"
#include "schema/annotations.h"
#include "schema/schema.h"

struct sdl_reader {
    struct arena *arena;
    struct errors *errs;
    const struct sourcetext *source;
    const uint32_t *lines; /* offsets of their beginnings */
    size_t nlines;
};

/* What the directives of one definition say. */
struct sdl_directives {
    struct said relation; /* @source */
    struct said document; /* @source(column:) */
    struct said_list key; /* @source(key:) */
    struct said column;   /* @column(name:) */
    struct said_list on;  /* @relation */
    struct said function; /* @function(name:) */
    struct said_list context;
    struct said_list invalidates;
    struct said tenant; /* @tenant(column:) */
    unsigned weight;    /* @cost; 0: none */
    struct said_ttl cache;
    bool hide;
    struct said_auth auth;
    struct said deprecated; /* the reason */
    bool told;              /* what they name is not there, as was said already */
};

/* Fill in the lines. */
void sdl_reader_start(struct sdl_reader *r);
struct place sdl_place(const struct sdl_reader *r, uint32_t offset);
/* Errors for those that are unknown, stand where they must not, or have wrong arguments. */
void sdl_directives_read(struct sdl_reader *r, const struct ast_directives *from,
                         enum directive_location where, struct sdl_directives *out);
/* Is it one that the file may define, for the sake of other tools? */
bool sdl_directive_is_known(struct str name);
/* The definition of one that is known. */
void sdl_directive_print(struct str name, struct buf *out);
/* The definitions of all of them. */
void sdl_directives_print(struct buf *out);

#endif
