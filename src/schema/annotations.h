/*
 * annotations.h - what people say of objects of the database, in comments or in the SDL file.
 *
 * Thread:   one at a time.
 * Memory:   in the arena given (the document's, a scratch one); text points into the comments.
 * Not here: what follows from it (relations.c, relationships.c, functions.c).
 *
 * An annotation is what stands behind a marker "@fraiseql:type" in a comment, up to the next
 * marker or the end: YAML, or for a field "name=email,type=String!,required=true". Everything said
 * has its place, so that what turns out to be wrong later can be told with it.
 */
#ifndef SCHEMA_ANNOTATIONS_H
#define SCHEMA_ANNOTATIONS_H

#include "base/sourcetext.h"

struct ast_field_definition;
struct doc;

/* A word or text that was said; text.data is NULL where nothing was. */
struct said {
    struct str text;
    struct place at;
};

struct said_list {
    const struct said *items;
    size_t n;
    bool said; /* [] is not nothing */
};

enum said_flag {
    UNSAID,
    SAID_NO,
    SAID_YES,
};

/* @auth, or "auth" in comments; both lists unsaid: any identity. */
struct said_auth {
    bool said;
    struct place at;
    struct said_list roles;
    struct said_list scopes;
};

/* @cache(ttl:), or "cache" in comments. */
struct said_ttl {
    bool said;
    struct place at;
    uint32_t seconds;
};

#define TTL_MAX_S 604800 /* a week */

/* A type as it was written, "[Tag!]!": wrappers as in struct type_ref. */
struct said_type {
    struct said name; /* "Tag": of a GraphQL type, or "app.address": of one of the database */
    uint8_t nlists;
    uint16_t non_null;
};

/* A field of a document, and in the SDL file of any object type. */
struct declared_field {
    struct place at;
    struct str name; /* GraphQL */
    struct str key;  /* in the JSON object, or the name of the column */
    struct str description;
    struct str deprecated;                /* data is NULL if not deprecated */
    struct said_type type;                /* name unsaid: an object of `fields` */
    const struct declared_fields *fields; /* NULL: of the type named */
    /* in the SDL file only */
    bool hide;
    unsigned weight; /* 0: not said */
    struct said_ttl cache;
    struct said_auth auth;
    const struct ast_field_definition *ast;
};

struct declared_fields {
    const struct declared_field *items;
    size_t n;
};

/* @fraiseql:relation, and the items of "relations" */
struct relation_annotation {
    struct place at;
    struct said name;
    struct said to; /* GraphQL type, or relation of the database */
    struct said_list columns;
    struct said_list references; /* columns of the other; unsaid: its key */
    enum said_flag list;         /* unsaid: unless the columns referred to are a key */
    struct said description;
    struct said_auth auth;
};

struct relation_annotations {
    const struct relation_annotation *items;
    size_t n;
};

/* @fraiseql:type: of a relation or composite type */
struct type_annotation {
    struct place at;
    struct said name;
    struct said description;
    struct said deprecated;
    struct said_list key; /* columns */
    enum said_flag trinity;
    struct said column;                   /* the jsonb column that `fields` or `shape` describe;
                                             unsaid: data */
    const struct declared_fields *fields; /* NULL: unsaid */
    struct said shape;                    /* composite type */
    struct said_list expose_fields;       /* columns; the others are not fields */
    struct said_list hide;                /* columns that are not fields */
    struct said tenant_column;
    struct said_auth auth;
    struct said_ttl cache;
    struct relation_annotations relations;
    const struct declared_fields *declared; /* in the SDL file; NULL: it is not there */
    bool closed;                            /* those are all its fields */
};

/* @fraiseql:field: of a column, or of an attribute of a composite type */
struct field_annotation {
    struct place at;
    struct said name;
    struct said_type type; /* name unsaid: what PostgreSQL says */
    enum said_flag required;
    enum said_flag is_enum;
    struct said description;
    struct said deprecated;
    enum said_flag hide;
    const struct declared_fields *fields; /* of a jsonb column; NULL: unsaid */
    struct said shape;                    /* of a jsonb column: composite type */
    struct said_auth auth;
    struct relation_annotations relations;
};

/* A parameter that the identity fills, and the claim it is filled from. */
struct context_param {
    struct said parameter;
    struct str claim;
};

enum function_use {
    USE_BY_VOLATILITY,
    USE_AS_QUERY,
    USE_AS_MUTATION,
};

/* @fraiseql:mutation, @fraiseql:query: of a function */
struct function_annotation {
    struct place at;
    enum function_use use;
    struct said name;
    struct said description;
    struct said deprecated;
    struct said
        input_type; /* composite type, whose attributes are the fields of a jsonb argument */
    struct said success_type; /* GraphQL type */
    struct said error_type;
    struct context_params {
        const struct context_param *items;
        size_t n;
        bool said;
    } context_params;
    struct said_list invalidates;
    struct said_auth auth;
};

/* The claim that a parameter is named after: auth_tenant_id, tenant_id. */
struct str annotation_claim(struct str parameter);

static inline bool is_said(struct said s)
{
    return s.text.data != NULL;
}

/*
 * The annotations of a comment; NULL if there are none. `object` names what the
 * comment is on, for messages: view "public.v_user". SCHEMA_INVALID for each thing
 * that is wrong.
 */
const struct type_annotation *annotations_type(struct str comment, struct str object,
                                               struct arena *a, struct errors *errs);
const struct field_annotation *annotations_field(struct str comment, struct str object,
                                                 struct arena *a, struct errors *errs);
const struct function_annotation *annotations_function(struct str comment, struct str object,
                                                       struct arena *a, struct errors *errs);
/* Those of all comments of a document, which then has them. */
void annotations_read(struct doc *d, struct errors *errs);

#endif
