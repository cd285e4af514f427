/*
 * sqlbuf.h - SQL text: the only place that quotes names and numbers parameters.
 *
 * Thread:   one at a time.
 * Memory:   text grows in the scratch arena of its parameters.
 * Not here: what to say (plan_*.c).
 *
 * What a client sends can get into a statement in two ways only: as a bound
 * parameter, or as an integer through sqlbuf_integer(). Everything else is a
 * string literal of the program, a name from the catalog or what is said in its
 * comments, quoted, or the name of a type as the catalog prints it.
 */
#ifndef PLANNER_SQLBUF_H
#define PLANNER_SQLBUF_H

#include "planner/plan.h"

/* What the statements of a plan mention, as struct plan tells it. */
struct sqlmentions {
    struct {
        struct plan_name *items;
        size_t n, cap;
    } names;
    struct {
        const struct relation **items;
        size_t n, cap;
    } reads;
    uint32_t ttl_s;
};

/* $1 … of one statement, shared by all the pieces it is put together from. */
struct sqlparams {
    struct arena *scratch; /* text and bookkeeping while compiling */
    struct plan_param *items;
    struct str *casts; /* of items: one parameter has one type */
    size_t n;
    size_t cap;
    bool as_known; /* sqlbuf_known() casts */
    bool overflow; /* more than the protocol can number: the statement must not be used */
    struct sqlmentions *mentions; /* of all statements; NULL: nobody asks */
};

/* A piece of a statement. */
struct sqlbuf {
    struct sqlparams *params;
    char *data;
    size_t len;
    size_t cap;
};

/* Notes it; of a mutation what it changes counts, too. */
void sqlmentions_read(struct sqlmentions *m, const struct relation *r, struct arena *scratch);

void sqlparams_init(struct sqlparams *p, struct arena *scratch);
void sqlbuf_init(struct sqlbuf *b, struct sqlparams *params);

/* Text of the program. */
#define sqlbuf_text(b, literal) sqlbuf_raw((b), "" literal, sizeof(literal) - 1)
/* A name, quoted. */
void sqlbuf_identifier(struct sqlbuf *b, struct str name);
/* "schema"."name", which is noted among the mentions. */
void sqlbuf_qualified(struct sqlbuf *b, struct str schema, struct str name);
/* Notes that the statement reads a relation. */
void sqlbuf_reads(struct sqlbuf *b, const struct relation *r);
/* t7 */
void sqlbuf_alias(struct sqlbuf *b, unsigned alias);
/* A name from the catalog that is looked for in values: a key of documents. 'name' */
void sqlbuf_literal(struct sqlbuf *b, struct str name);
/* t7."name"; of a part (t7."name")."part", and in a document (t7."name"->>'part')::type */
void sqlbuf_column(struct sqlbuf *b, unsigned alias, const struct column *c);
/* The same as it is selected: with the cast its codec needs. */
void sqlbuf_value(struct sqlbuf *b, unsigned alias, const struct column *c);
/*
 * What comes behind an expression whose value is selected as that of c: the cast its codec needs.
 * That hides what was cast, should the database have another type by then than the schema, so the
 * type that the schema knows comes first; also in statements that change something, for which it
 * would be too late to find that out when the answer is written.
 */
void sqlbuf_known(struct sqlbuf *b, const struct column *c);
/* The type's name as the catalog prints it, quoted where needed, after "::". */
void sqlbuf_cast(struct sqlbuf *b, struct str type_sql, bool array);
/*
 * $n::cast, and n. A recent equal parameter with an equal cast is used again. "::cast[]" when
 * array. Everything p points to is borrowed and has to live as long as the plan.
 */
size_t sqlbuf_parameter(struct sqlbuf *b, const struct plan_param *p, struct str cast, bool array);
/*
 * Digits in the text. For LIMIT and OFFSET that are constants of the document:
 * with a parameter there PostgreSQL estimates that a tenth of the rows is wanted,
 * finds its generic plan worse than a custom one, and plans each execution anew.
 */
void sqlbuf_integer(struct sqlbuf *b, int64_t v);
void sqlbuf_append(struct sqlbuf *b, const struct sqlbuf *piece);
/*
 * An operator on a column's values: "=", or operator("extension".=) where the type has it elsewhere
 * than in pg_catalog, and the search_path may not lead there.
 */
void sqlbuf_operator(struct sqlbuf *b, const struct column *c, struct str name);
/* " = " on a column's values. */
void sqlbuf_equals(struct sqlbuf *b, const struct column *c);
/* What stands in a pattern (struct filter_operator): its column and its operands, as SQL. */
struct sqlpattern {
    const struct column *type; /* whose operators are meant */
    const struct sqlbuf *column;
    const struct sqlbuf *operands[2];
};
void sqlbuf_pattern(struct sqlbuf *b, const char *pattern, const struct sqlpattern *with);

/* Only through sqlbuf_text(). */
void sqlbuf_raw(struct sqlbuf *b, const char *text, size_t len);

#endif
