/*
 * plan.h - a compiled operation: SQL, parameters, and the shape that turns rows into a response.
 *
 * Thread:   any; immutable, shared by reference count.
 * Memory:   a plan owns its arena and retains its schema and its operation.
 * Not here: making one (planner.c), running one (execution/).
 *
 * A query is ONE statement, whatever its nesting, so one snapshot and one round
 * trip. A mutation has one or two for each root field: the call, and what reads
 * the rows it returned, after all it has changed; and those that roll a field
 * back whose result is an error (plan_guard.c). They run in order as one
 * transaction, and in one round trip too. Results are in binary format. Columns
 * of to-one objects stand in the row of their parent (a join); a list is one
 * column holding an array of records (record[]), whose elements are again rows
 * in this sense.
 */
#ifndef PLANNER_PLAN_H
#define PLANNER_PLAN_H

#include "pg/pgstatement.h"
#include "schema/opaque.h"
#include "schema/schema.h"
#include "validation/variables.h"

enum shape_kind {
    SHAPE_VALUE,    /* column, by codec */
    SHAPE_OBJECT,   /* columns of this same row, `object` says which; null if its presence column is
                       null */
    SHAPE_RECORD,   /* column holds one record: a row of its own; null: null */
    SHAPE_RECORDS,  /* column holds an array of records, or null for none: a list of objects */
    SHAPE_ROWS,     /* root only: every row of the step is one object of the list */
    SHAPE_ROW,      /* root, or of an outcome: the first row of the step is the object, no row: null
                     */
    SHAPE_RESULT,   /* root only: the only column of the step's first row, by codec, or a record or
                       records of `object` */
    SHAPE_OUTCOME,  /* root only: columns of the step's row, `object` or `otherwise` says which, as
                       the first of them is true or not */
    SHAPE_DOCUMENT, /* column holds jsonb of the declared type of the field */
    SHAPE_KEY,      /* the value of a key of the object's document, JSON of the field's type */
    SHAPE_TYPENAME, /* `text` is the type's name */
    SHAPE_NULL,     /* null, whatever the rows say */
    SHAPE_OPAQUE,   /* `opaque` values of this row behind one text */
    SHAPE_PAGE,     /* the rows of `page`, each an `object`: a list */
    SHAPE_PAGE_CURSOR,   /* of the first row of `page`, or the last; null if it has none */
    SHAPE_PAGE_MORE,     /* whether there are rows before `page`, or behind it */
    SHAPE_INTROSPECTION, /* root only: __schema or __type, `field` and `selection` say what */
};

struct shape;
struct selection;

struct shape_opaque {
    struct opaque_form form;
    const uint16_t *columns; /* form.n of the row */
};

/* A page of a connection: a column that holds its rows, and one row more where there are more. */
struct shape_page {
    uint16_t column; /* an array of records */
    size_t ncolumns; /* of each row */
    bool backward;   /* the one more is the first, not the last */
    int param;       /* position in the plan's params of the size of the page; -1: limit */
    int64_t limit;
    int before; /* column that tells if rows lie before the page; -1: none, see backward */
    int behind;
    struct shape_opaque cursor; /* of each row */
};

#define SHAPE_KEY_CHUNK 32 /* bytes that a key is copied by */

struct shape_field {
    enum shape_kind kind;
    bool non_null;       /* the field's type is non-null: a null goes to the parent */
    bool items_non_null; /* lists: an item that becomes null makes the list null */
    uint16_t column;     /* SHAPE_KEY: in the shape's keys; SHAPE_INTROSPECTION of __type:
                            position in params of its name */
    uint16_t step;       /* SHAPE_ROWS, ROW, RESULT, OUTCOME: whose rows; other fields of a
                            root read step 0 */
    const struct codec
        *codec; /* SHAPE_VALUE, RESULT, scalars of DOCUMENT and KEY; NULL: see object */
    struct str
        key_json;   /* ",\"name\":" ready to append; SHAPE_KEY_CHUNK bytes beyond are readable */
    struct str key; /* response key */
    struct str text;
    const struct shape *object; /* SHAPE_OBJECT, RECORD, RECORDS, ROWS, ROW, OUTCOME, PAGE; RESULT,
                                 DOCUMENT, KEY */
    const struct shape *otherwise;     /* SHAPE_OUTCOME */
    const struct shape_opaque *opaque; /* SHAPE_OPAQUE */
    const struct shape_page *page;     /* SHAPE_PAGE, PAGE_CURSOR, PAGE_MORE */
    bool end; /* SHAPE_PAGE_CURSOR, PAGE_MORE: of the last row, behind it */
    const struct selection *selection; /* in the plan's arena */
    uint32_t offset;                   /* in the document: plan_location() */
};

struct shape {
    const struct shape_field *fields;
    size_t nfields;
    size_t ncolumns; /* of the row it reads; of no use for SHAPE_OBJECT, which reads the parent's */
    const struct str *keys; /* of the document that some fields are in, as JSON has them between
                               quotes, in the order of str_cmp_length() */
    size_t nkeys;
    int document; /* the column with it; -1: the object is the value of a key itself */
    int presence; /* SHAPE_OBJECT: a column that is null only if the object is absent; -1: always
                     there */
};

/* What becomes of a value before it is sent as text. */
enum param_form {
    PARAM_TEXT,     /* a scalar as its text */
    PARAM_ARRAY,    /* a list as one array literal */
    PARAM_CONTAINS, /* LIKE pattern %x% of literal text */
    PARAM_STARTS,
    PARAM_ENDS,
    PARAM_LIMIT,  /* non-negative, at most schema max_limit; absent or null: default_limit */
    PARAM_OFFSET, /* non-negative; absent or null: 0 */
    PARAM_COLUMN, /* of a list of input objects: one array of what all have for the member that the
                     last of `steps` names, each as its text */
    PARAM_OPAQUE, /* one of the values behind an opaque text */
    PARAM_DOCUMENT, /* an input object as one JSON document */
};

/* Where the value of $n comes from. */
struct plan_param {
    enum param_form form;
    int variable; /* index in the operation, or -1: `constant` or `literal` */
    /* Way into the variable's value. At an input object: position of the input in its type (the
     * client's order of members does not matter); at a list: position of the item. */
    const uint32_t *steps;
    size_t nsteps;
    struct type_ref type; /* of the value: scalar coercion, enum labels */
    struct str constant;  /* NUL-terminated text, already in its form; data NULL: SQL null */
    const struct ast_value *literal;  /* not NULL: of a scalar such as JSON, with variables in it */
    const struct opaque_form *opaque; /* PARAM_OPAQUE */
    uint32_t item;                    /* PARAM_OPAQUE: which of the values, from 0 */
    uint32_t offset;                  /* in the document, for errors */
    struct str what;                  /* "limit": names it in errors */
};

/* One statement, and what is to be known of its rows. */
struct plan_step {
    struct pgstatement statement;
    size_t first_param; /* in the plan's params: of so many as the statement has */
    size_t ncolumns;
    int field;           /* position in the root of the field it is for; -1: several */
    bool one_row;        /* has exactly one */
    const char *refusal; /* it is there to fail by dividing by zero, which means this */
    int guard;           /* the step that has let it run, or not; -1: none */
    bool is_guard;       /* may fail on purpose: see struct pgcall, as the next */
    bool sync;
};

/* What the identity has to have, or the operation is refused before it runs. */
struct plan_demand {
    const struct auth_rule *rule; /* of the schema */
    struct str what;              /* the first thing with it: "Employee", "Employee.salary" */
    const struct path *path;      /* of the field that uses it; NULL: the operation's root */
    uint32_t offset;              /* in the document */
};

/* "schema"."name", mentioned in a statement: a relation, a function, the type of a row. */
struct plan_name {
    struct str schema;
    struct str name;
};

/* What whoever runs plans keeps with one; let go with the plan. */
struct plan_note {
    void (*free)(struct plan_note *n);
};

struct plan {
    struct arena *arena;               /* owned */
    const struct operation *operation; /* retained (it retains the schema) */
    const struct plan_step *steps;     /* in the order they run; a query has one, or none when
                                          nothing of the database is selected */
    size_t nsteps;
    bool transaction;                /* the steps begin and end a transaction of their own */
    const struct plan_param *params; /* the steps', then what introspection needs */
    size_t nparams;
    const struct shape *root;          /* fields in response order */
    const struct plan_demand *demands; /* for each rule of what the operation uses, once */
    size_t ndemands;
    const struct plan_name *names; /* all that the statements mention, each once */
    size_t nnames;
    const struct relation *const *reads; /* all that they read from or write to, each once */
    size_t nreads;
    uint32_t ttl_s; /* the least that @cache says of a field selected; UINT32_MAX: nothing */
    size_t max_open_columns; /* of all rows being read at once, one inside the other */
    uint64_t id;             /* unique in the process */
    size_t size;             /* bytes held */
    /* Measured cost, any thread, relaxed: EWMA of backend nanoseconds; 0: never run. */
    uint64_t *cost_ns;
    struct plan_note **note; /* any thread, atomic; see plan_keep_note() */
    uint32_t *references;    /* private to plan.c */
};

/* Retains the operation. For planner.c; everybody else has plans that are finished. */
struct plan *plan_new(const struct operation *op);

/* Where in the document a field's errors belong. */
struct location plan_location(const struct plan *p, uint32_t offset);
const struct plan *plan_ref(const struct plan *p);
void plan_unref(const struct plan *p); /* NULL is allowed */
/* The plan's only note: this one, which it then owns, or the one that is there already. */
struct plan_note *plan_keep_note(const struct plan *p, struct plan_note *n);
/* NULL: none was kept. */
static inline struct plan_note *plan_note(const struct plan *p)
{
    return __atomic_load_n(p->note, __ATOMIC_ACQUIRE);
}

/* SQL, parameters and shape as text: what the plan tests compare. */
void plan_describe(const struct plan *p, struct buf *out);
/* A statement with its clauses on lines of their own, indented by parentheses. */
void plan_describe_sql(struct str sql, struct buf *out);

#endif
