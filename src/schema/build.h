/*
 * build.h - what the files that build a schema share.
 *
 * Thread:   one at a time.
 * Memory:   what is kept is in the schema's arena; `scratch` dies with the building.
 * Not here: the finished schema (schema.h).
 */
#ifndef SCHEMA_BUILD_H
#define SCHEMA_BUILD_H

#include "schema/catalog.h"
#include "schema/catalogdoc.h"

struct sdl;

struct fields { /* VEC_PUSH in scratch, then type_set_fields() */
    struct field *items;
    size_t n, cap;
};

struct inputs {
    struct input_value *items;
    size_t n, cap;
};

/* What a relation's type is made with. */
struct built {
    struct type *object;
    struct type *where;
    struct type *list_where;        /* NULL until a list of it is filtered */
    struct type *order_by;          /* NULL if nothing can be sorted by */
    struct type *field_enum;        /* its columns; NULL if none can be compared */
    struct composite *document;     /* its declared document; NULL: none */
    const struct input_value *list; /* arguments of a list of it */
    size_t nlist;
    struct type *aggregate;
    struct type *group;                 /* NULL if nothing can be grouped by */
    const struct input_value *grouping; /* arguments of a list of groups */
    size_t ngrouping;
    struct type *connection;              /* NULL if it has none */
    const struct input_value *connecting; /* arguments of a connection */
    size_t nconnecting;
    struct fields fields; /* of object, until objects_finish() */
};

/* The ways from a relation to others, before they have their names. */
struct ways {
    struct way {
        struct relationship way;
        bool forward;     /* made of a foreign key of the relation itself */
        struct said name; /* declared */
        struct said description;
        struct str preferred; /* empty: none */
        struct str fallback;
        struct str
            last; /* where several have the same fallback; empty: a number tells them apart */
    } * items;
    size_t n, cap;
};

struct builder {
    struct schema *schema;
    struct arena *arena;   /* the schema's */
    struct arena *scratch; /* dies with the building */
    const struct schema_options *opt;
    struct errors *errs;
    struct doc doc;
    struct relation *relations;
    struct doc_relation **sources; /* of relations, same order */
    struct built *built;           /* of relations, same order */
    size_t nrelations;
    struct fields query;            /* of the query root, until objects_finish() */
    const struct input_value *page; /* inputs_page() */
    struct {
        struct type **items;
        size_t n, cap;
    } types;
    struct {
        struct composite **items;
        size_t n, cap;
    } composites;
    struct map types_by_name; /* in scratch */
    struct type **scalars;    /* by position in the table of scalars; NULL until used */
    struct sdl *sdl;          /* sdlfile.h; NULL: there is no such file */
    struct {
        struct str *items;
        size_t n, cap;
    } origins; /* of types, same order: what they were made of, for messages */
};

/* A type in the schema under a name; if the name is taken, SCHEMA_INVALID naming both origins. */
struct type *builder_add_type(struct builder *b, enum type_kind kind, struct str name,
                              struct str origin);
/*
 * A type that a relation's has beside it: ProjectWhereInput. Where something of the
 * database has that name, which it keeps, it is ProjectWhereInputType.
 */
struct type *builder_derive_type(struct builder *b, enum type_kind kind, const struct relation *r,
                                 const char *suffix);
/* NULL if there is none yet. */
struct type *builder_find_type(const struct builder *b, struct str name);
/* The type of a scalar's name, made at first use. */
struct type *builder_scalar(struct builder *b, const char *name);
/* Copy into the schema and index; a name that stands twice is SCHEMA_INVALID. */
void builder_set_fields(struct builder *b, struct type *t, const struct fields *fields);
/* The same without the copy: they are in the schema already. */
void builder_share_fields(struct builder *b, struct type *t, const struct field *fields, size_t n);
void builder_set_inputs(struct builder *b, struct type *t, const struct inputs *inputs);
void builder_set_values(struct builder *b, struct type *t, const struct enum_value *values,
                        size_t n);
/* Give their room back, where each of thousands of relations has some. */
void builder_release_fields(struct builder *b, struct fields *fields);
void builder_release_inputs(struct builder *b, struct inputs *inputs);
/* Position of a relation in builder->relations. */
size_t builder_index(const struct builder *b, const struct relation *r);

/* {t}, {t}!, [{t}!], [{t}!]! */
static inline struct type_ref type_ref_named(const struct type *t)
{
    return (struct type_ref){t, 0, 0};
}

static inline struct type_ref type_ref_required(const struct type *t)
{
    return (struct type_ref){t, 0, 1};
}

static inline struct type_ref type_ref_list(const struct type *t)
{
    return (struct type_ref){t, 1, 2};
}

static inline struct type_ref type_ref_required_list(const struct type *t)
{
    return (struct type_ref){t, 1, 3};
}

/* declared.c: what a name means, of a type or of a relation; NULL, as was told, if there is none.
 */
struct doc_relation *declared_relation(struct builder *b, const struct said *to);

/* A comment without its annotations, and the reason of its line "@deprecated reason". */
void comment_read(struct str comment, struct arena *a, struct str *description,
                  struct str *deprecated);

/* values.c: the type at the end of a chain of domains; NULL if the document has none. */
struct doc_type *values_base_type(const struct builder *b, uint32_t oid);
/* Everything of a column that follows from its type. False if the document has no such type.
 * id: of a key, or a reference to one. */
NODISCARD bool values_describe(struct builder *b, uint32_t type, bool id, struct column *out);
/* The same for a type of pg_catalog that has a scalar, by its name there. */
void values_describe_scalar(struct builder *b, const char *pg_type, struct column *out);

/* exposure.c: what annotations make of a relation. Declare its key, and tell of columns that are
 * not there; before columns are made. */
void exposure_prepare(struct builder *b, struct doc_relation *d);
struct str exposure_type_name(struct builder *b, const struct doc_relation *d);
struct str exposure_field_name(struct builder *b, const struct doc_column *c);
/* Is the column no field? */
bool exposure_hides(const struct doc_relation *d, const struct doc_column *c);
/* Is the key of its document no field? */
bool exposure_hides_key(const struct doc_relation *d, struct str key);
/* Does it hold the tenant? */
bool exposure_is_tenant(const struct builder *b, const struct doc_relation *d, struct str column);
/* values_describe(), and what is said of the column. */
NODISCARD bool exposure_describe(struct builder *b, const struct doc_relation *d,
                                 const struct doc_column *c, struct column *out);
/* A column by the name that was said; NULL, with an error at its place, if there is none. */
struct doc_column *exposure_column(struct builder *b, const struct doc_relation *d,
                                   const struct said *name);

/* relationships.c: */
void relationships_name_to_one(struct builder *b, struct way *w);
void relationships_name_reverse(struct builder *b, struct way *w);
bool relationships_is_key(const struct relation *r, const struct column *const *columns, size_t n);
/* declared.c: the declared relationships of a relation, and the names that are declared. */
void declared_ways(struct builder *b, size_t index, struct ways *list);
void declared_names(struct builder *b, const struct relation *r, struct ways *list,
                    struct map *taken);

/* A type's name as its comment says, or as it is called; its description. */
struct str values_type_name(struct builder *b, const struct doc_type *d);
void values_describe_type(struct builder *b, struct type *t, const struct doc_type *d);
/* A scalar or enum in a document, or with out->is_array a list of them. False: no scalar of that
 * name can be in one. */
NODISCARD bool values_describe_json(struct builder *b, struct str name, struct column *out);
void values_describe_enum(struct builder *b, const struct type *t, struct column *out);
/* What a client gives as such a value: composites have inputs of their own. */
struct type_ref values_input(struct builder *b, const struct column *value);

/* composites.c: a composite type with its object; the same type twice is one. */
const struct composite *composite_make(struct builder *b, struct doc_type *d);
/* An empty one; `stem` begins the names of its inputs. Then its parts, attributes of a type, and
 * the fields of an object that are parts. */
struct composite *composite_new(struct builder *b, struct str stem);
void composite_set_parts(struct builder *b, const struct doc_type *d, struct composite *c);
void composite_set_fields(struct builder *b, const struct composite *c, struct type *object);
/* Conditions on its parts. */
const struct type *composite_where(struct builder *b, const struct composite *of);
/* Conditions on a list of such. */
const struct type *composite_list_where(struct builder *b, const struct composite *of);
/* NULL if nothing of it can be sorted by. */
const struct type *composite_order_by(struct builder *b, const struct composite *of);

/* documents.c: a jsonb column of a declared shape, of which values_describe() was told. */
void documents_describe(struct builder *b, const struct doc_relation *d,
                        const struct field_annotation *f, struct column *out);
/* Is it the name of an enum or composite type of the database? */
bool documents_have_type(struct builder *b, struct str name);
/* Has a relation a document whose keys are its fields? */
bool documents_declared(const struct doc_relation *d);
/* The steps of making one: for all relations, that there is one; for each, its column (NULL with an
 * error added), how many keys there are, columns that are keys too, and columns for the others:
 * the number of columns then. */
void documents_begin(struct builder *b, const struct doc_relation *d, struct built *made);
struct doc_column *documents_column(struct builder *b, struct doc_relation *d);
size_t documents_count(struct builder *b, const struct doc_relation *d, struct built *made);
void documents_merge(struct builder *b, const struct doc_relation *d, const struct doc_column *from,
                     struct column *out);
size_t documents_add(struct builder *b, const struct doc_relation *d, struct column *columns,
                     size_t n, struct map *names);

/* inputs.c: the conditions on a value. */
const struct type *inputs_filter(struct builder *b, const struct column *c);
/* some, every and none. */
void inputs_add_quantifiers(struct builder *b, const struct type *where, struct inputs *out);
/* AND, OR and NOT. */
void inputs_add_logic(struct builder *b, const struct type *where, struct inputs *out);
/* The order by a value, if it has one. */
void inputs_add_order(struct builder *b, const struct column *c, struct inputs *out);
/* OrderDirection */
const struct type *inputs_direction(struct builder *b);
/* inputs.c: the arguments of a list of which there are no conditions: limit and offset. */
const struct input_value *inputs_page(struct builder *b, size_t *n);

/* In the order the steps are taken: */
void relations_build(struct builder *b);     /* relations.c: relations, columns, keys */
void relationships_build(struct builder *b); /* relationships.c */
/* junctions.c: the ways through join tables, of the foreign keys in `ways` (one per relation). */
void junctions_add(struct builder *b, struct ways *ways);
void metatypes_build(struct builder *b); /* metatypes.c: introspection, directives */
void inputs_build(struct builder *b);    /* inputs.c: where, order and filter inputs */
void fieldenum_build(struct builder *b, const struct relation *r); /* fieldenum.c: for inputs.c */
void aggregates_build(struct builder *b); /* aggregate_types.c: of aggregates and groups */
/* group_inputs.c: the arguments of lists of groups. */
void groups_build(struct builder *b);
void connections_build(struct builder *b); /* connections.c: their types and arguments */
void objects_build(struct builder *b); /* objects.c: fields of object types and the query root */
/* A field for each column. */
void objects_add_columns(struct builder *b, const struct relation *r, struct fields *out);
void functions_build(struct builder *b); /* functions.c: fields of all roots and types */
void nodes_build(struct builder *b);     /* nodes.c: the interface of rows with a key */
/* The field that leads to them, at the end of the query root. */
void nodes_add_root(struct builder *b, struct fields *root);
/* nodeId of a relation with a key, if there is the interface. */
void nodes_add_id(struct builder *b, const struct relation *r, struct fields *out);
/* crud.c: which rows may be changed; the mutations that change them, at the end of root. */
void crud_build(struct builder *b, struct fields *root);
void objects_finish(struct builder *b); /* the types have these fields, and no more come */
/* audit.c: does row security hold whom it should? */
void audit_run(struct builder *b);
/* checks.c: is this a legal schema (specification section 3)? */
void checks_run(const struct schema *s, struct errors *errs);

#endif
