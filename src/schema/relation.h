/*
 * relation.h - what PostgreSQL's catalog says: relations, columns, keys, foreign keys.
 *
 * Thread:   any; constant once the schema is published.
 * Memory:   in the schema's arena.
 * Not here: GraphQL types made of it (schema.h).
 */
#ifndef SCHEMA_RELATION_H
#define SCHEMA_RELATION_H

#include "schema/scalars.h"

enum relation_kind {
    RELATION_TABLE,
    RELATION_PARTITIONED,
    RELATION_VIEW,
    RELATION_MATVIEW,
    RELATION_FOREIGN,
};

struct auth_rule; /* schema/authrule.h */
struct composite;
struct relation;
struct type;

struct column;

enum aggregate {
    AGGREGATE_NONE,
    AGGREGATE_COUNT,          /* of rows */
    AGGREGATE_COUNT_DISTINCT, /* of the values of a column */
    AGGREGATE_SUM,
    AGGREGATE_AVG,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_STDDEV,
};

#define NAGGREGATES 8

/* The aggregates of values of one type. */
struct aggregates {
    struct str schema; /* of the functions */
    bool cast;         /* they want the base type itself */
    /* Their results, described as columns are; NULL: undefined. min and max return what they were
     * given. */
    const struct column *results[NAGGREGATES];
};

/* A column of a relation, or a part of a value: see struct composite. */
struct column {
    struct str name; /* in the database */
    struct str field_name;
    struct str comment; /* for people: without annotations; a plain view column has its table's */
    struct str deprecated;  /* reason; data is NULL if not deprecated */
    uint32_t type_oid;      /* of the base type where the column's type is a domain */
    struct str type_sql;    /* the type's name for a cast, schema-qualified and quoted where needed:
                               "uuid", "public.task_status" */
    struct str element_sql; /* arrays: the same of their elements */
    struct str operators;   /* quoted name of the schema that has the type's operators; empty:
                               pg_catalog */
    bool full_text;         /* text that schema.filters.full_text names */
    bool not_null;          /* known never to be null, through views too */
    bool optional;          /* declared: may be null as far as clients are told */
    bool required;          /* declared, of an attribute: is not null when it is given */
    bool is_id;             /* a key column, or one that references a key: GraphQL type ID */
    bool comparable;        /* its type has = and an order: eq, in, orderBy */
    bool leakproof_equality;             /* its = is leakproof: an index works under RLS */
    const struct aggregates *aggregates; /* NULL: none but counts */
    const struct codec *codec;           /* how its value becomes JSON */
    const struct scalar
        *scalar; /* GraphQL scalar; element's for arrays; NULL for enums and composites */
    const struct type *type; /* named GraphQL type (scalar, enum, object) */
    bool is_array;
    bool insertable; /* the role may give it a value; false everywhere without schema.mutations.crud
                      */
    bool updatable;
    bool needed;           /* by an insert: not null, and nothing else gives it a value */
    bool is_tenant;        /* an insert without it gets the request's tenant */
    struct str expression; /* for the SELECT list when the plain column will not do, for example
                              "::text"; empty: none */
    const struct composite *composite; /* what its values consist of; NULL: they have no parts */
    bool document;     /* it is jsonb of a declared shape: its parts are keys, not attributes */
    uint8_t nlists;    /* of what is declared in a document, see struct type_ref … */
    uint16_t non_null; /* … and these; is_array if there is a list */
    /* NULL: this is of a relation. Else a part of the values of that column, or an aggregate or a
     * distance of them. */
    const struct column *of;
    enum aggregate aggregate;
    struct str distance; /* or the distance of its values from `operand`, by this operator … */
    struct str operand;  /* … which is SQL */
    size_t index;        /* position in relation->columns */
    const struct auth_rule *auth; /* what it takes to use it, wherever; NULL: nothing */
};

/* What a value consists of: the attributes of a composite type, the keys of a declared document. */
struct composite {
    struct str sql;             /* the type's name for a cast; empty: only in documents */
    struct str stem;            /* of the names of its inputs */
    const struct column *parts; /* in the order of the type, not bound: `of` is NULL */
    size_t nparts;
    const struct type *object;
    const struct type *where; /* these four: NULL until something has need of them */
    const struct type *list_where;
    const struct type *order_by; /* or if nothing can be sorted by */
    const struct type *input;    /* has one input for each part, in their order */
    size_t index;                /* among all: for the builder */
};

/* Its name in GraphQL, which is the one in PostgreSQL: aggregates.c. */
struct str aggregate_name(enum aggregate f);

/* How the result of an aggregate of c is read; NULL: undefined. */
static inline const struct column *column_aggregate(const struct column *c, enum aggregate f)
{
    if (c->aggregates == NULL)
        return NULL;
    return f == AGGREGATE_MIN || f == AGGREGATE_MAX ? c : c->aggregates->results[f];
}

/* The column of the relation that a part, or a part of a part, is in. */
static inline const struct column *column_root(const struct column *c)
{
    while (c->of != NULL)
        c = c->of;
    return c;
}

struct key {
    const struct column *const *columns;
    size_t n;
    bool primary;
    bool arbiter;    /* "on conflict" can name it */
    bool declared;   /* by an annotation or in the SDL file */
    bool identifies; /* no column of it can be null: every row has its own value */
};

/* The rows that connect two relations, many to many. */
struct junction {
    const struct relation *relation;
    const struct column *const *near_columns; /* = from.from_columns[i], relationship->n of them */
    const struct column *const *far_columns;  /* = to.to_columns[i] */
    size_t nfar;
};

/* One way from a relation to another, made of a foreign key (or declared), or of two. */
struct relationship {
    struct str field_name;
    struct str description; /* declared */
    const struct relation *from;
    const struct relation *to;
    bool to_many;
    enum {
        KEY_NONE,  /* there is no foreign key */
        KEY_HERE,  /* it is of from */
        KEY_THERE, /* it is of to */
    } foreign_key;
    size_t n; /* column pairs: from.from_columns[i] = to.to_columns[i] */
    const struct column *const *from_columns;
    const struct column *const *to_columns; /* with `via`: junction->nfar of them */
    const struct junction *via;             /* many to many; NULL: the columns meet each other */
    const struct auth_rule *auth;           /* of its own; its columns may have more */
    bool nullable; /* to-one: the row may be absent or invisible; always true where RLS may hide it
                    */
};

struct relation {
    uint32_t oid;
    enum relation_kind kind;
    struct str schema;
    struct str name;
    struct str comment;           /* for people: without annotations */
    struct str deprecated;        /* reason; data is NULL if not deprecated */
    struct str type_name;         /* GraphQL */
    const struct column *columns; /* those that are fields, then the hidden ones */
    size_t ncolumns;              /* of the first */
    size_t nall_columns;          /* of both */
    const struct key
        *keys; /* primary first, then those that identify rows, then other unique ones */
    size_t nkeys;
    const struct relationship *relationships;
    size_t nrelationships;
    const struct type *type;            /* object type */
    const struct column *tenant_column; /* NULL if none */
    struct str tenant_value; /* every read has the condition that tenant_column is equal to this
                                SQL, since row security does not see to it; empty: none has */
    bool rls;                /* that, or row security, of the relation or of one that the view
                                reads, hides rows from the request role */
    bool security_invoker;   /* views */
    unsigned changes;        /* enum change bits: offered to the role */
};

/* What may be done to the rows of a relation. */
enum change {
    CHANGE_INSERT = 1 << 0,
    CHANGE_UPDATE = 1 << 1,
    CHANGE_DELETE = 1 << 2,
    CHANGE_UPSERT = 1 << 3,
};

/* A relation that could be changed, but safely not. */
struct unchangeable {
    struct str name; /* schema.name */
    struct str reason;
};

/* Hidden columns make relationships and keys, but are nothing that clients can name. */
static inline bool column_is_hidden(const struct relation *r, const struct column *c)
{
    return c->index >= r->ncolumns;
}

/* The key that identifies rows (the primary one, or the first without nullable columns), or NULL.
 */
static inline const struct key *relation_key(const struct relation *r)
{
    return r->nkeys && r->keys[0].identifies ? &r->keys[0] : NULL;
}

/* One that identifies rows by columns that clients may know, or NULL. */
static inline const struct key *relation_visible_key(const struct relation *r)
{
    for (size_t i = 0; i < r->nkeys; i++) {
        const struct key *k = &r->keys[i];
        size_t n = 0;

        while (n < k->n && !column_is_hidden(r, k->columns[n]))
            n++;
        if (n == k->n && k->identifies)
            return k;
    }
    return NULL;
}

/* Can rows be put in the order of it? */
static inline bool column_sortable(const struct column *c)
{
    return c->comparable && !c->is_array && c->codec->kind != CODEC_JSONB;
}

#endif
