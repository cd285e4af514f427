/*
 * parse.h - what parser.c and parser_types.c share; for nobody else.
 *
 * Thread:   one at a time.
 * Memory:   nodes go to the caller's arena. Lists grow on a stack of items and
 *           are copied when they are complete, so that each is one exact array.
 *
 * Every production returns false once an error was added; its caller returns
 * false at once.
 */
#ifndef LANGUAGE_PARSE_H
#define LANGUAGE_PARSE_H

#include "language/ast_types.h"
#include "language/lexer.h"
#include "language/parser.h"

struct parser {
    struct lexer lexer;
    struct token token; /* the one looked at */
    struct arena *arena;
    struct errors *errs;
    const struct parse_limits *limits;
    bool schema; /* type system definitions are allowed */
    size_t ntokens;
    size_t ndirectives;
    size_t depth;
    size_t max_depth;
    char *items; /* the stack of unfinished lists */
    size_t used;
    size_t cap;
};

/* Go on to the next token; past the limit of tokens it is TOKEN_ERROR. */
void parse_advance(struct parser *p);
/* "syntax error: expected …, found …" at the current token; always false. */
bool parse_unexpected(struct parser *p, const char *expected);
bool parse_error_at(struct parser *p, uint32_t offset, const char *fmt, ...) PRINTF_LIKE(3, 4);
NODISCARD bool parse_enter(struct parser *p); /* one level deeper; false past the limit */
/* Push a copy of an item; take all above the mark as one array. */
void parse_push(struct parser *p, const void *item, size_t size);
void *parse_take(struct parser *p, size_t mark, size_t size, size_t *n);

static inline void parse_leave(struct parser *p)
{
    p->depth--;
}

static inline bool parse_at(const struct parser *p, enum token_kind kind)
{
    return p->token.kind == kind;
}

static inline bool parse_skip(struct parser *p, enum token_kind kind)
{
    if (p->token.kind != kind)
        return false;
    parse_advance(p);
    return true;
}

static inline NODISCARD bool parse_expect(struct parser *p, enum token_kind kind)
{
    if (!parse_skip(p, kind))
        return parse_unexpected(p, lexer_kind_name(kind));
    return true;
}

static inline struct str parse_text(const struct parser *p)
{
    return lexer_text(&p->lexer, p->token);
}

static inline bool parse_at_keyword(const struct parser *p, struct str word)
{
    return p->token.kind == TOKEN_NAME && str_eq(parse_text(p), word);
}

NODISCARD bool parse_name(struct parser *p, struct str *name, uint32_t *offset);
/* A string, if there is one: out->data stays NULL otherwise. */
void parse_description(struct parser *p, struct str *out);
NODISCARD bool parse_const_value(struct parser *p, const struct ast_value **out);
NODISCARD bool parse_const_directives(struct parser *p, struct ast_directives *out);
NODISCARD bool parse_type(struct parser *p, const struct ast_type **out);
bool parse_operation_kind(struct str word, enum ast_operation_kind *out);

/* parser_types.c: at the keyword behind the description. False, adding nothing, if it is none. */
bool parse_is_type_system_keyword(const struct parser *p);
NODISCARD bool parse_type_system_definition(struct parser *p, uint32_t offset,
                                            struct str description,
                                            const struct ast_type_system_definition **out);

#endif
