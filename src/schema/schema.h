/*
 * schema.h - the GraphQL type system as an immutable snapshot with a reference count.
 *
 * Thread:   built by one thread; any may read a published one it has retained.
 * Memory:   everything is in the schema's own arena and dies with the last reference.
 * Not here: reading the catalog (catalog.h), executing (planner/, execution/).
 */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include <stdatomic.h>

#include "base/error.h"
#include "base/map.h"
#include "base/names.h"
#include "language/ast.h"
#include "schema/audit.h"
#include "schema/function.h"
#include "schema/scalars.h"

enum type_kind {
    TYPE_SCALAR,
    TYPE_OBJECT,
    TYPE_INTERFACE,
    TYPE_UNION,
    TYPE_ENUM,
    TYPE_INPUT_OBJECT,
};

struct type;

/*
 * A type with its list and non-null wrappers. Level 0 is the outermost; level
 * nlists is the named type itself. Bit i of non_null: level i is non-null.
 * [Project!]! is {type = Project, nlists = 1, non_null = 0b11}.
 */
struct type_ref {
    const struct type *type;
    uint8_t nlists;
    uint16_t non_null;
};

#define TYPE_REF_MAX_LISTS 15

static inline bool type_ref_non_null(struct type_ref r)
{
    return (r.non_null & 1u) != 0;
}

static inline bool type_ref_is_list(struct type_ref r)
{
    return r.nlists > 0;
}

/* The type of a field that shows a column. Items of arrays may be null in PostgreSQL, whatever the
 * column says. */
static inline struct type_ref type_ref_of_column(const struct column *c)
{
    if (c->nlists > 0)
        return (struct type_ref){c->type, c->nlists, c->non_null};
    return (struct type_ref){c->type, c->is_array, c->not_null && !c->optional};
}

/* The type of a list's items; only for lists. */
static inline struct type_ref type_ref_item(struct type_ref r)
{
    return (struct type_ref){r.type, (uint8_t)(r.nlists - 1), (uint16_t)(r.non_null >> 1)};
}

/* The same without the outermost non-null. */
static inline struct type_ref type_ref_nullable(struct type_ref r)
{
    return (struct type_ref){r.type, r.nlists, (uint16_t)(r.non_null & ~1u)};
}

static inline bool type_ref_eq(struct type_ref a, struct type_ref b)
{
    return a.type == b.type && a.nlists == b.nlists && a.non_null == b.non_null;
}

/* What an input field or argument means to the planner. */
enum input_role {
    INPUT_PLAIN,
    INPUT_KEY,   /* project(id:): column */
    INPUT_WHERE, /* the argument `where` */
    INPUT_ORDER_BY,
    INPUT_LIMIT,
    INPUT_OFFSET,
    INPUT_NODE,  /* node(id:) */
    INPUT_FIRST, /* of a connection, as the next three */
    INPUT_AFTER,
    INPUT_LAST,
    INPUT_BEFORE,
    INPUT_DISTINCT_ON,
    INPUT_FIELD,          /* countDistinct(field:) */
    INPUT_BY,             /* of groups: the argument `by`, the first */
    INPUT_HAVING,         /* of groups: the argument `having` */
    INPUT_AGGREGATE,      /* in a having or order input: `aggregate` of columns, or of rows */
    INPUT_WHERE_COLUMN,   /* in a where input: `column`, its type is an operator input */
    INPUT_WHERE_RELATION, /* in a where input: `relationship`, to-one or some/every/none */
    INPUT_WHERE_AND,
    INPUT_WHERE_OR,
    INPUT_WHERE_NOT,
    INPUT_QUANTIFIER,     /* some every none of a to-many: `quantifier` */
    INPUT_OPERATOR,       /* in an operator input: `op` */
    INPUT_OPERAND,        /* one of the two of an OPERAND_PAIR */
    INPUT_ORDER_COLUMN,   /* in an order input: `column` */
    INPUT_ORDER_DISTANCE, /* of a vector, in the order input of one: `op` */
    INPUT_ORDER_RELATION, /* in an order input: to-one `relationship` */
    INPUT_INCLUDE_DEPRECATED,
    INPUT_NAME,      /* __type(name:) */
    INPUT_FUNCTION,  /* a function's parameter: `column` is NULL, `parameter` its position from 1 */
    INPUT_ARGUMENTS, /* the argument `input`, whose fields are INPUT_FUNCTION */
    INPUT_DOCUMENT,  /* the argument `input`, as a whole the function's `parameter` */
    INPUT_PART,      /* of a composite value: `column` */
    INPUT_ROWS,      /* of a change: the argument `input`, a row or a list of them */
    INPUT_VALUE,     /* in a row: of `column` */
    INPUT_VALUE_RELATION,  /* in a row: rows to be inserted with it, by `relationship` */
    INPUT_ON_CONFLICT,     /* of an upsert */
    INPUT_CONFLICT_KEY,    /* in it: an enum whose values are positions in relation->keys */
    INPUT_CONFLICT_UPDATE, /* in it: a list of enums whose values are positions in
                              relation->columns */
    INPUT_AT_MOST,         /* of a change: how many rows it may affect */
};

enum quantifier {
    QUANTIFIER_SOME,
    QUANTIFIER_EVERY,
    QUANTIFIER_NONE,
};

struct filter_operator; /* schema/operators.h */

/* An argument of a field or directive, or a field of an input object. */
struct input_value {
    struct str name;
    struct str description;
    struct str deprecated; /* reason; data is NULL if not deprecated */
    struct type_ref type;
    const struct ast_value *default_value; /* NULL if none */
    enum input_role role;
    union { /* by role */
        enum quantifier quantifier;
        enum aggregate aggregate;
        int parameter;
    };
    const struct column *column;
    union { /* by role */
        const struct relationship *relationship;
        const struct filter_operator *op;
    };
};

/* How a field gets its value. */
enum resolver {
    RESOLVE_COLUMN,    /* `column` of the parent's relation */
    RESOLVE_PART,      /* `column`, a part of the parent's composite */
    RESOLVE_TO_ONE,    /* `relationship` */
    RESOLVE_TO_MANY,   /* `relationship`, with where, orderBy, limit, offset */
    RESOLVE_BY_KEY,    /* root: one row of `relation` by `key`, whose columns are the arguments */
    RESOLVE_LIST,      /* root: rows of `relation` */
    RESOLVE_AGGREGATE, /* all rows of `relation`, by `relationship` if there is one, with where */
    RESOLVE_COUNT,     /* in an aggregate: of rows … */
    RESOLVE_COUNT_DISTINCT, /* … and of the values of one of its fields */
    RESOLVE_AGGREGATES,     /* in an aggregate: `aggregate` of its fields … */
    RESOLVE_AGGREGATED,     /* … and in that, of `column` */
    RESOLVE_GROUPS,         /* root: rows of `relation` by groups, each an aggregate … */
    RESOLVE_GROUP_KEY,      /* … with `column`, which all rows of it have in common */
    RESOLVE_FUNCTION,       /* a call of `function`, of a root or with the row of the parent */
    RESOLVE_CHANGE,     /* mutation root: `change` of rows of `relation`; singular: by `key`, or one
                           row inserted */
    RESOLVE_AFFECTED,   /* of a change: number of rows */
    RESOLVE_RETURNING,  /* of a change: the rows, of `relation` */
    RESOLVE_OUTCOME,    /* of what a function says of its success: `outcome` */
    RESOLVE_CONNECTION, /* rows of `relation` in pages, by `relationship` if there is one */
    RESOLVE_CONNECTION_PART, /* in a connection: `part` says what */
    RESOLVE_NODE,            /* root: the row of any type that an id is of */
    RESOLVE_NODE_ID,         /* in a row: what node() finds it by */
    RESOLVE_TYPENAME,        /* __typename */
    RESOLVE_INTROSPECTION,   /* __schema, __type, and every field of the introspection types:
                                `introspect` names it */
};

/* field.part: of a connection, its edges, its page info (Relay's Cursor Connections). */
enum connection_part {
    CONNECTION_NONE,
    CONNECTION_EDGES,
    CONNECTION_NODES,
    CONNECTION_PAGE_INFO,
    CONNECTION_TOTAL_COUNT,
    CONNECTION_EDGE_CURSOR,
    CONNECTION_EDGE_NODE,
    CONNECTION_HAS_NEXT,
    CONNECTION_HAS_PREVIOUS,
    CONNECTION_START_CURSOR,
    CONNECTION_END_CURSOR,
};

/* field.introspect: which field of the introspection system this is (specification section 4). */
enum introspection_field {
    INTROSPECT_NONE,
    INTROSPECT_SCHEMA, /* __schema on the query root */
    INTROSPECT_TYPE,   /* __type(name:) on the query root */
    INTROSPECT_SCHEMA_DESCRIPTION,
    INTROSPECT_SCHEMA_TYPES,
    INTROSPECT_SCHEMA_QUERY_TYPE,
    INTROSPECT_SCHEMA_MUTATION_TYPE,
    INTROSPECT_SCHEMA_SUBSCRIPTION_TYPE,
    INTROSPECT_SCHEMA_DIRECTIVES,
    INTROSPECT_TYPE_KIND,
    INTROSPECT_TYPE_NAME,
    INTROSPECT_TYPE_DESCRIPTION,
    INTROSPECT_TYPE_SPECIFIED_BY_URL,
    INTROSPECT_TYPE_FIELDS, /* (includeDeprecated:) */
    INTROSPECT_TYPE_INTERFACES,
    INTROSPECT_TYPE_POSSIBLE_TYPES,
    INTROSPECT_TYPE_ENUM_VALUES,  /* (includeDeprecated:) */
    INTROSPECT_TYPE_INPUT_FIELDS, /* (includeDeprecated:) */
    INTROSPECT_TYPE_OF_TYPE,
    INTROSPECT_TYPE_IS_ONE_OF,
    INTROSPECT_FIELD_NAME,
    INTROSPECT_FIELD_DESCRIPTION,
    INTROSPECT_FIELD_ARGS, /* (includeDeprecated:) */
    INTROSPECT_FIELD_TYPE,
    INTROSPECT_FIELD_IS_DEPRECATED,
    INTROSPECT_FIELD_DEPRECATION_REASON,
    INTROSPECT_INPUT_NAME,
    INTROSPECT_INPUT_DESCRIPTION,
    INTROSPECT_INPUT_TYPE,
    INTROSPECT_INPUT_DEFAULT_VALUE,
    INTROSPECT_INPUT_IS_DEPRECATED,
    INTROSPECT_INPUT_DEPRECATION_REASON,
    INTROSPECT_ENUM_VALUE_NAME,
    INTROSPECT_ENUM_VALUE_DESCRIPTION,
    INTROSPECT_ENUM_VALUE_IS_DEPRECATED,
    INTROSPECT_ENUM_VALUE_DEPRECATION_REASON,
    INTROSPECT_DIRECTIVE_NAME,
    INTROSPECT_DIRECTIVE_DESCRIPTION,
    INTROSPECT_DIRECTIVE_IS_REPEATABLE,
    INTROSPECT_DIRECTIVE_LOCATIONS,
    INTROSPECT_DIRECTIVE_ARGS, /* (includeDeprecated:) */
};

/* field.outcome: of the objects made of struct function_outcome. */
enum outcome_field {
    OUTCOME_NONE,
    OUTCOME_STATUS,
    OUTCOME_MESSAGE,
    OUTCOME_ENTITY, /* a row of the field's `relation`, or JSON */
    OUTCOME_ENTITY_ID,
    OUTCOME_UPDATED_FIELDS,
    OUTCOME_CASCADE,
    OUTCOME_CODE,
    OUTCOME_ERRORS,
    OUTCOME_ERROR_CODE, /* of an item of them */
    OUTCOME_ERROR_IDENTIFIER,
    OUTCOME_ERROR_MESSAGE,
    OUTCOME_ERROR_DETAILS,
    OUTCOME_FIELDS, /* so many */
};

/* @cache: how long an answer with it may be kept. */
struct field_ttl {
    bool said;
    uint32_t seconds;
};

struct field {
    struct str name;
    struct str description;
    struct str deprecated; /* reason; data is NULL if not deprecated */
    struct type_ref type;
    const struct input_value *arguments;
    uint32_t narguments;
    enum resolver resolver;
    union {                                  /* by resolver */
        enum introspection_field introspect; /* RESOLVE_INTROSPECTION */
        enum aggregate aggregate;            /* RESOLVE_AGGREGATES */
        enum change change;                  /* RESOLVE_CHANGE */
        enum outcome_field outcome;          /* RESOLVE_OUTCOME */
        enum connection_part part;           /* RESOLVE_CONNECTION_PART */
    };
    unsigned weight; /* @cost: what it counts for; 0: as any other */
    struct field_ttl cache;
    const struct column *column;
    const struct relationship *relationship;
    const struct relation *relation;
    const struct key *key;
    const struct function *function;
    const struct auth_rule *auth; /* of the field alone; see authrule_of_field() */
};

struct enum_value {
    struct str name;
    struct str description;
    struct str deprecated;
    struct str label; /* in the database; the name where there is none */
    int value; /* enums of our own: OrderDirection (enum order_direction), ProjectField (index
                  of the column), __TypeKind (enum schema_type_kind), __DirectiveLocation (the
                  bit of enum directive_location) */
};

enum order_direction {
    ORDER_ASC,
    ORDER_DESC,
    ORDER_ASC_NULLS_FIRST,
    ORDER_ASC_NULLS_LAST,
    ORDER_DESC_NULLS_FIRST,
    ORDER_DESC_NULLS_LAST,
};

/* __TypeKind: enum type_kind, then the wrappers. */
enum schema_type_kind {
    SCHEMA_KIND_LIST = TYPE_INPUT_OBJECT + 1,
    SCHEMA_KIND_NON_NULL,
};

struct type {
    struct str name;
    enum type_kind kind;
    struct str description;
    const struct scalar *scalar; /* TYPE_SCALAR; NULL for named scalars of unknown PostgreSQL types:
                                    text in and out */
    struct str specified_by;     /* TYPE_SCALAR */
    bool one_of;                 /* TYPE_INPUT_OBJECT with @oneOf */
    bool is_row;                 /* TYPE_INPUT_OBJECT of values to be stored: booleans and enums in
                                    it decide nothing */
    bool is_document;   /* TYPE_INPUT_OBJECT that is sent whole, as JSON: what is in it decides
                           nothing */
    bool introspection; /* __Schema and its kin */
    const struct field *fields; /* TYPE_OBJECT, TYPE_INTERFACE, in declaration order */
    size_t nfields;
    const struct input_value *inputs; /* TYPE_INPUT_OBJECT */
    size_t ninputs;
    const struct enum_value *values; /* TYPE_ENUM */
    size_t nvalues;
    struct names members;                 /* the fields, inputs or values by name */
    const struct type *const *interfaces; /* TYPE_OBJECT, TYPE_INTERFACE */
    size_t ninterfaces;
    const struct type *const *possible; /* TYPE_UNION, TYPE_INTERFACE: object types */
    size_t npossible;
    const struct relation *relation;   /* object types and where/order inputs made of one */
    const struct composite *composite; /* object types and values given, made of one */
    struct str enum_sql;               /* TYPE_ENUM of the database: its type's name for a cast */
    size_t index;                      /* in the schema, dense from 0: for per-type tables */
    const struct auth_rule *auth;      /* TYPE_OBJECT: what it takes to reach it; NULL: nothing */
    struct field_ttl cache;            /* TYPE_OBJECT of a relation */
};

enum directive_location { /* bits */
    ON_QUERY = 1 << 0,
    ON_MUTATION = 1 << 1,
    ON_SUBSCRIPTION = 1 << 2,
    ON_FIELD = 1 << 3,
    ON_FRAGMENT_DEFINITION = 1 << 4,
    ON_FRAGMENT_SPREAD = 1 << 5,
    ON_INLINE_FRAGMENT = 1 << 6,
    ON_VARIABLE_DEFINITION = 1 << 7,
    ON_SCHEMA = 1 << 8,
    ON_SCALAR = 1 << 9,
    ON_OBJECT = 1 << 10,
    ON_FIELD_DEFINITION = 1 << 11,
    ON_ARGUMENT_DEFINITION = 1 << 12,
    ON_INTERFACE = 1 << 13,
    ON_UNION = 1 << 14,
    ON_ENUM = 1 << 15,
    ON_ENUM_VALUE = 1 << 16,
    ON_INPUT_OBJECT = 1 << 17,
    ON_INPUT_FIELD_DEFINITION = 1 << 18,
};

struct directive {
    struct str name;
    struct str description;
    unsigned locations; /* enum directive_location bits */
    bool repeatable;
    const struct input_value *arguments;
    size_t narguments;
};

struct schema {
    struct arena *arena;             /* owned */
    atomic_size_t *references;       /* for schema_ref() and schema_unref() only */
    uint64_t version;                /* unique in the process, grows */
    const struct type *const *types; /* by index; order of introspection */
    size_t ntypes;
    struct names types_by_name;
    const struct type *query;
    const struct type *mutation; /* NULL if none */
    const struct type *subscription;
    const struct type *node; /* the interface of what node() finds; NULL if there is none */
    const struct directive *directives;
    size_t ndirectives;
    const struct relation *relations;
    size_t nrelations;
    size_t nfunctions;                      /* served */
    const struct skipped_function *skipped; /* and those that are not, for the log */
    size_t nskipped;
    const struct unchangeable *unchangeable; /* relations whose rows the role could change, but is
                                                not offered to */
    size_t nunchangeable;
    const struct finding *findings; /* where tenants are not kept apart (schema/audit.h) */
    size_t nfindings;
    struct field typename_field; /* __typename: String! on every composite type */
    struct field schema_field;   /* __schema on the query root */
    struct field type_field;     /* __type on the query root */
    struct str tenant_setting;   /* session setting that holds the request's tenant; may be empty */
    int64_t default_limit;       /* schema.pagination */
    int64_t max_limit;
    bool field_transactions; /* each root field of a mutation is a transaction, not all of them */
    bool null_safe_filters;  /* schema.filters.null_safe */
    bool has_auth;           /* something in it has a rule */
};

const struct type *schema_type(const struct schema *s, struct str name);
/* A declared field, or __typename, or on the query root __schema and __type; NULL if there is none.
 */
const struct field *schema_field(const struct schema *s, const struct type *t, struct str name);
const struct input_value *schema_input(const struct type *input_object, struct str name);
const struct input_value *field_argument(const struct field *f, struct str name);
const struct enum_value *schema_enum_value(const struct type *t, struct str name);
const struct directive *schema_directive(const struct schema *s, struct str name);
/* Can a value of `abstract_or_same` be of object type t? */
bool schema_is_possible(const struct type *abstract_or_same, const struct type *t);
/* "[Project!]!" */
void type_ref_print(struct type_ref r, struct buf *out);

static inline bool type_is_composite(const struct type *t)
{
    return t->kind == TYPE_OBJECT || t->kind == TYPE_INTERFACE || t->kind == TYPE_UNION;
}

static inline bool type_is_input(const struct type *t)
{
    return t->kind == TYPE_SCALAR || t->kind == TYPE_ENUM || t->kind == TYPE_INPUT_OBJECT;
}

const struct schema *schema_ref(const struct schema *s);
void schema_unref(const struct schema *s); /* NULL is allowed */

/* The one place that says which schema is current, for each role that requests run as. */
struct schema_slot;
struct schema_slot *schema_slot_new(size_t nroles);
void schema_slot_free(struct schema_slot *slot);
/* Retained, or NULL before the first publication. */
const struct schema *schema_current(struct schema_slot *slot, size_t role);
/* One for each role, all at once. Takes over the caller's references; the array is used up. */
void schema_publish(struct schema_slot *slot, const struct schema **schemas);

#endif
