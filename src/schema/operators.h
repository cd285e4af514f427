/*
 * operators.h - filter operators: one row each, with its SQL.
 */
#ifndef SCHEMA_OPERATORS_H
#define SCHEMA_OPERATORS_H

#include "schema/schema.h"

/* What becomes of the operand before it is bound. */
enum operand {
    OPERAND_VALUE,    /* one value of the column's type: of an array column, a list */
    OPERAND_LIST,     /* a list of them, bound as one array */
    OPERAND_BOOLEAN,  /* true or false, decides the SQL (isnull): `sql` when true, `sql_false` when
                         false */
    OPERAND_TEXT,     /* text as it is (like, regex) */
    OPERAND_CONTAINS, /* literal text: % _ \ escaped, % on both sides */
    OPERAND_STARTS,
    OPERAND_ENDS,
    OPERAND_ELEMENT, /* of an array column: one value of its elements' type */
    OPERAND_PAIR,    /* an input object with the two members of `pair` */
};

enum filter_class {          /* bits: which columns have the operator */
    FILTER_ANY = 1 << 0,     /* every column, also of types without = (json, xml, point) */
    FILTER_EQUAL = 1 << 1,   /* types with = */
    FILTER_ORDERED = 1 << 2, /* types with an order that means something */
    FILTER_STRING = 1 << 3,
    FILTER_FULL_TEXT = 1 << 4, /* String that schema.filters.full_text names */
    FILTER_ARRAY = 1 << 5,
    FILTER_JSON = 1 << 6,
    FILTER_ADDRESS = 1 << 7, /* inet */
    FILTER_NETWORK = 1 << 8, /* cidr */
    FILTER_LTREE = 1 << 9,
    FILTER_RANGE = 1 << 10,
    FILTER_DATE_RANGE = 1 << 11, /* and one for each type of bounds */
    FILTER_INT_RANGE = 1 << 12,
    FILTER_BIGINT_RANGE = 1 << 13,
    FILTER_DECIMAL_RANGE = 1 << 14,
    FILTER_LOCAL_RANGE = 1 << 15,
    FILTER_MOMENT_RANGE = 1 << 16,
    FILTER_TSVECTOR = 1 << 17,
    FILTER_VECTOR = 1 << 18,
};

/* What an OPERAND_PAIR is made of: both are required. */
struct operand_pair {
    struct str type; /* GraphQL input type */
    struct str description;
    struct operand_member {
        struct str name;
        const char *scalar; /* GraphQL; NULL: the column's */
        const char *cast;   /* as filter_operator.cast; NULL: the column's type */
    } members[2];
};

/*
 * `sql` is a pattern: %c the column, %p the parameter with its cast, %q the second
 * of a pair, %{=} the operator = where the column's type has it, %s the schema of
 * an extension's functions. It is always put in parentheses. `sql_null` is used
 * when the operand is null (eq, neq); NULL: a null operand is an error.
 */
struct filter_operator {
    struct str name;
    unsigned classes;
    enum operand operand;
    const char *sql;
    const char *sql_false; /* OPERAND_BOOLEAN */
    const char *sql_null;
    const char *cast;   /* of the parameter, behind @ one of the column's extension; NULL: the
                           column's type ("[]" appended for OPERAND_LIST) */
    const char *scalar; /* GraphQL type of the operand; NULL: the column's (OPERAND_TEXT and
                           its kin: String, OPERAND_BOOLEAN: Boolean) */
    const char *description;
    const char *sql_null_safe; /* under schema.filters.null_safe; NULL: as ever */
    const struct operand_pair *pair;
    struct str distance; /* the operator that lists can be sorted by, from near to far; or empty */
};

size_t operator_count(void);
const struct filter_operator *operator_at(size_t i);
/* Operators of a column's class by name; NULL if it has none of that name. */
const struct filter_operator *operator_find(struct str name, unsigned classes);

#endif
