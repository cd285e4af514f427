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
};

enum filter_class {        /* bits: which columns have the operator */
    FILTER_ANY = 1 << 0,   /* every column, also of types without = (json, xml, point) */
    FILTER_EQUAL = 1 << 5, /* types with = */
    FILTER_ORDERED = 1 << 1,
    FILTER_STRING = 1 << 2,
    FILTER_ARRAY = 1 << 3,
    FILTER_JSON = 1 << 4,
};

/*
 * `sql` is a pattern: %c the column, %p the parameter with its cast. It is
 * always put in parentheses. `sql_null` is used when the operand is null
 * (eq, neq); NULL: a null operand is an error.
 */
struct filter_operator {
    struct str name;
    unsigned classes;
    enum operand operand;
    const char *sql;
    const char *sql_false; /* OPERAND_BOOLEAN */
    const char *sql_null;
    const char
        *cast; /* of the parameter; NULL: the column's type ("[]" appended for OPERAND_LIST) */
    const char *scalar; /* GraphQL type of the operand; NULL: the column's (OPERAND_TEXT and
                           its kin: String, OPERAND_BOOLEAN: Boolean) */
    const char *description;
};

size_t operator_count(void);
const struct filter_operator *operator_at(size_t i);
/* Operators of a column's class by name; NULL if it has none of that name. */
const struct filter_operator *operator_find(struct str name, unsigned classes);

#endif
