/*
 * catalogdoc.h - the catalog document as structures, and what follows from it through views.
 *
 * Thread:   one at a time.
 * Memory:   in the arena given (a scratch one); text points into the document's tree.
 * Not here: GraphQL (build.h).
 *
 * "Column number" is pg_attribute.attnum everywhere.
 */
#ifndef SCHEMA_CATALOGDOC_H
#define SCHEMA_CATALOGDOC_H

#include "base/error.h"
#include "base/jval.h"
#include "schema/annotations.h"

struct aggregates;
struct composite;
struct doc_relation;
struct relation;
struct type;

struct doc_column {
    int32_t num;
    struct str name;
    struct str comment;
    const struct field_annotation *annotation; /* NULL if none */
    uint32_t type;
    bool not_null;
    bool select; /* exposed relations: the role may read it */
    bool insert; /* the role may, where it may not insert into the whole relation */
    bool update; /* the same */
    bool has_default;
    bool fixed;    /* nobody writes to it: generated, or worked out by the view */
    char identity; /* pg_attribute.attidentity, or NUL */
    /* by lineage_resolve() */
    bool id;                           /* of the key, or references one */
    const struct doc_relation *source; /* plain column of that relation; NULL: none */
    int32_t source_num;
};

struct doc_type {
    uint32_t oid;
    struct str schema;
    struct str name;
    char kind; /* pg_type.typtype */
    struct str sql;
    struct str comment;
    const struct type_annotation *annotation; /* NULL if none */
    uint32_t element;                         /* arrays: type of the elements, else 0 */
    uint32_t base;                            /* domains: type it is over, else 0 */
    bool not_null;                            /* domains */
    bool has_default;                         /* domains */
    bool comparable;
    bool leakproof;
    struct str operators;          /* quoted name of the schema of its =; empty: pg_catalog */
    const struct jval *labels;     /* enums: array of strings */
    uint32_t relation;             /* composite types: pg_type.typrelid, else 0 */
    struct doc_column *attributes; /* composite types, but rows of relations */
    size_t nattributes;
    const struct aggregates *aggregates; /* of columns that are no identifiers, once made */
    const struct type *graphql;          /* enums and types without scalar, once made */
    struct composite *composite;         /* once made */
};

struct doc_key {
    bool primary;
    bool declared;   /* by an annotation: it identifies rows, as was said */
    bool deferrable; /* it cannot be what "on conflict" names */
    size_t n;
    const int32_t *columns;
};

struct doc_policy { /* that fails where a setting is empty */
    struct str name;
    struct str fix;
};

struct doc_foreign_key {
    struct str name;
    size_t n;
    const int32_t *columns;
    uint32_t to;
    const int32_t *to_columns;
    bool to_primary;
    bool valid;
    bool indexed; /* an index finds the rows that refer to one */
};

struct doc_argument {
    struct str name; /* empty: none */
    char mode;       /* pg_proc.proargmodes */
    uint32_t type;
};

struct doc_function {
    uint32_t oid;
    struct str schema;
    struct str name;
    struct str comment;
    const struct function_annotation *annotation; /* NULL if none */
    char volatility;                              /* pg_proc.provolatile */
    bool procedure;
    bool overloaded; /* there is another that a call could mean, be it one the role may not call */
    uint32_t returns;
    uint32_t row; /* relation or composite type whose rows it returns, else 0 */
    bool set;
    struct str sql;   /* name with the arguments' types, as in "alter function" */
    bool definer;     /* runs with its owner's rights … */
    bool search_path; /* … and has a search_path of its own */
    size_t ndefaults; /* so many of the last input arguments have defaults */
    const struct doc_argument *arguments;
    size_t narguments;
    bool served; /* by the builder */
};

enum doc_state {
    DOC_UNRESOLVED,
    DOC_RESOLVING,
    DOC_RESOLVED,
};

struct doc_relation {
    uint32_t oid;
    bool exposed;
    char kind; /* pg_class.relkind */
    struct str schema;
    struct str name;
    struct str comment;
    const struct type_annotation *annotation; /* NULL if none */
    struct str sql;                           /* its name, quoted where needed */
    uint32_t owner;
    bool readable; /* the role has a privilege to select some of it */
    bool insert;   /* it may change all of it, and the relation can be changed */
    bool update;
    bool delete;
    bool upsert; /* "on conflict" works with it */
    bool rls;
    bool force_rls;
    bool invoker;
    bool barrier;
    struct str definition; /* views that read with their owner's rights */
    bool heirs;
    struct doc_column *columns; /* by number */
    size_t ncolumns;
    struct { /* own ones; after lineage_resolve() also those followed through a view */
        struct doc_key *items;
        size_t n, cap;
    } keys;
    struct {
        struct doc_foreign_key *items;
        size_t n, cap;
    } foreign_keys;
    const int32_t *leading; /* under row security: columns that an index begins with … */
    size_t nleading;
    const int32_t *second; /* … or has as its second */
    size_t nsecond;
    bool large; /* about 100,000 rows or more */
    const struct doc_policy *brittle;
    size_t nbrittle;
    const uint32_t *uses;
    size_t nuses;
    struct str rule;
    /* by lineage_resolve() */
    enum doc_state state;
    struct doc_relation *single; /* each row is one row of it, none twice; NULL: no such */
    bool whole;                  /* and every row of it is there */
    /* by the builder */
    struct relation *made;        /* exposed ones */
    struct column **made_columns; /* by position in `columns`; NULL: not readable */
};

struct doc {
    struct arena *arena;
    uint32_t role;
    struct doc_relation *relations; /* in the order of the document: schema, name */
    size_t nrelations;
    struct doc_relation **relations_by_oid;
    struct doc_function *functions; /* in the order of the document: schema, name */
    size_t nfunctions;
    struct doc_type *types;
    size_t ntypes;
    struct doc_type **types_by_oid;
    const uint32_t *bypass; /* roles that row security does not hold */
    size_t nbypass;
    const uint32_t (*members)[2]; /* {user, owner whose rights it has} */
    size_t nmembers;
    const uint32_t (*policies)[2]; /* {relation, user whom a policy lets read rows of it} */
    size_t npolicies;
    struct str role_sql; /* its name, quoted where needed */
    int64_t version;     /* of PostgreSQL, 15; 0: not told */
};

/* False with SCHEMA_INVALID if the document has not the form sql/catalog.sql gives it. */
NODISCARD bool catalogdoc_read(const struct jval *json, struct arena *a, struct doc *out,
                               struct errors *errs);
/* "view", for messages: the kind of a relation. */
const char *catalogdoc_kind(const struct doc_relation *r);
/* NULL if the document has none. */
struct doc_relation *catalogdoc_relation(const struct doc *d, uint32_t oid);
struct doc_type *catalogdoc_type(const struct doc *d, uint32_t oid);
struct doc_column *catalogdoc_column(const struct doc_relation *r, int32_t num);

/* lineage.c: what views inherit from the relations they read. */
void lineage_resolve(struct doc *d);
/* The column of r that is column `num` of `base`, where r stands for base (or is it); NULL if none
 * that the role may read. */
struct doc_column *lineage_column(struct doc_relation *r, const struct doc_relation *base,
                                  int32_t num);
/* Is the user exempt from row security wherever it is? */
bool lineage_bypasses(const struct doc *d, uint32_t user);
/* Does it have the rights of that owner? Told of the owners of relations with row security. */
bool lineage_has_rights_of(const struct doc *d, uint32_t user, uint32_t owner);
/* Does row security hide rows of r from the role? */
bool lineage_rls(const struct doc *d, const struct doc_relation *r);

#endif
