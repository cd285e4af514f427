/*
 * sdlfile.h - the SDL file: what it says, laid over what comments say.
 *
 * Thread:   one at a time.
 * Memory:   in the builder's scratch arena; text points into the file's.
 * Not here: printing such a file (sdlsource.c).
 *
 * A definition lists all fields of its type, an extension adds to them. Types
 * are those of relations, or of documents in jsonb columns, or such as are there
 * anyway, which have to be as they are written.
 */
#ifndef SCHEMA_SDLFILE_H
#define SCHEMA_SDLFILE_H

#include "schema/build.h"
#include "schema/sdldirective.h"

enum sdl_kind {
    SDL_RELATION,
    SDL_DOCUMENT,
    SDL_ROOT,
};

/* The definition and the extensions of one object type. */
struct sdl_type {
    struct str name;
    struct place at;
    enum sdl_kind kind;
    bool closed; /* it is defined, not just extended */
    bool seen;   /* it is in the schema, or is of some field */
    struct str description;
    struct sdl_directives directives;
    struct declared_fields fields;
    struct sdl_directives *of_fields; /* same order */
};

/* Any other definition. */
struct sdl_other {
    struct place at;
    const struct ast_type_system_definition *ast;
    bool told; /* what is wrong with its members was said already */
};

struct sdl {
    struct sdl_reader reader;
    struct map types;             /* of struct sdl_type */
    struct map by_type, by_name;  /* exposed relations: struct doc_relation */
    struct doc_relation *several; /* stands for a name that is in several schemas */
    struct {
        struct sdl_other *items;
        size_t n, cap;
    } others;
};

/* Read schema_options.sdl, and lay it over the annotations of the document. */
void sdl_apply(struct builder *b);
/* The fields that a type is about to get, against what is declared: what is not listed goes,
 * descriptions and nullability follow the file, and what does not fit is told. */
void sdl_settle_fields(struct builder *b, struct type *t, struct fields *fields);
/* What is in the file, but not in the schema. */
void sdl_check(struct builder *b);
/* May a field of this name be of the type? */
bool sdl_exposes(const struct type_annotation *t, struct str name);

#endif
