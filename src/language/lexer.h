/*
 * lexer.h - characters to tokens (specification September 2025, section 2.1).
 *
 * Thread:   one at a time.
 * Memory:   tokens are offsets into the text; decoded strings are in the arena given.
 * Not here: grammar (parser.h), limits.
 */
#ifndef LANGUAGE_LEXER_H
#define LANGUAGE_LEXER_H

#include "base/arena.h"
#include "base/str.h"

enum token_kind {
    TOKEN_EOF,
    TOKEN_BANG,
    TOKEN_DOLLAR,
    TOKEN_AMP,
    TOKEN_PAREN_L,
    TOKEN_PAREN_R,
    TOKEN_SPREAD,
    TOKEN_COLON,
    TOKEN_EQUALS,
    TOKEN_AT,
    TOKEN_BRACKET_L,
    TOKEN_BRACKET_R,
    TOKEN_BRACE_L,
    TOKEN_PIPE,
    TOKEN_BRACE_R,
    TOKEN_NAME,
    TOKEN_INT,
    TOKEN_FLOAT,
    TOKEN_STRING,
    TOKEN_BLOCK_STRING,
    TOKEN_ERROR, /* lexer->error says why */
};

struct token {
    enum token_kind kind;
    uint32_t offset; /* of its first byte */
    uint32_t len;    /* bytes, quotes included */
};

struct lexer {
    const char *text;
    uint32_t len;
    uint32_t pos;
    const char *error; /* set with TOKEN_ERROR: a fact, lower case */
};

/* text.len must be less than UINT32_MAX. */
void lexer_init(struct lexer *lx, struct str text);
/*
 * The next token, written to *out: returned by value it would be put together
 * in parts and read as a whole, which stalls. At the end of the text TOKEN_EOF, again and again.
 * After TOKEN_ERROR the lexer does not move: the error is returned again.
 */
void lexer_next(struct lexer *lx, struct token *out);
/* The value of TOKEN_STRING or TOKEN_BLOCK_STRING; points into the text where it can. */
struct str lexer_string(const struct lexer *lx, struct token t, struct arena *a);
/* For messages: "name", "}", "end of document". */
const char *lexer_kind_name(enum token_kind kind);

static inline struct str lexer_text(const struct lexer *lx, struct token t)
{
    return str_make(lx->text + t.offset, t.len);
}

#endif
