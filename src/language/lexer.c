/*
 * lexer.c - characters to tokens.
 *
 * Thread:   one at a time.
 * Memory:   see lexer.h.
 * Not here: grammar (parser.c).
 *
 * One table look-up per character says what begins here. Strings are checked
 * completely while they are scanned, so that decoding one cannot fail.
 */
#include "language/lexer.h"

enum class {
    CLASS_OTHER, /* begins nothing */
    CLASS_IGNORED,
    CLASS_PUNCTUATOR,
    CLASS_NAME,
    CLASS_NUMBER,
    CLASS_QUOTE,
    CLASS_DOT,
    CLASS_COMMENT,
    CLASS_BOM, /* 0xEF, the first byte of U+FEFF */
};

/* What begins with this byte? */
/* clang-format off */
static const uint8_t classes[256] = {
    ['\t'] = CLASS_IGNORED, ['\n'] = CLASS_IGNORED, ['\r'] = CLASS_IGNORED,
    [' '] = CLASS_IGNORED, [','] = CLASS_IGNORED,
    ['!'] = CLASS_PUNCTUATOR, ['$'] = CLASS_PUNCTUATOR, ['&'] = CLASS_PUNCTUATOR,
    ['('] = CLASS_PUNCTUATOR, [')'] = CLASS_PUNCTUATOR, [':'] = CLASS_PUNCTUATOR,
    ['='] = CLASS_PUNCTUATOR, ['@'] = CLASS_PUNCTUATOR, ['['] = CLASS_PUNCTUATOR,
    [']'] = CLASS_PUNCTUATOR, ['{'] = CLASS_PUNCTUATOR, ['|'] = CLASS_PUNCTUATOR,
    ['}'] = CLASS_PUNCTUATOR,
    ['A' ... 'Z'] = CLASS_NAME, ['a' ... 'z'] = CLASS_NAME, ['_'] = CLASS_NAME,
    ['0' ... '9'] = CLASS_NUMBER, ['-'] = CLASS_NUMBER,
    ['"'] = CLASS_QUOTE, ['.'] = CLASS_DOT, ['#'] = CLASS_COMMENT, [0xEF] = CLASS_BOM,
};

static const uint8_t punctuators[128] = {
    ['!'] = TOKEN_BANG, ['$'] = TOKEN_DOLLAR, ['&'] = TOKEN_AMP, ['('] = TOKEN_PAREN_L,
    [')'] = TOKEN_PAREN_R, [':'] = TOKEN_COLON, ['='] = TOKEN_EQUALS, ['@'] = TOKEN_AT,
    ['['] = TOKEN_BRACKET_L, [']'] = TOKEN_BRACKET_R, ['{'] = TOKEN_BRACE_L,
    ['|'] = TOKEN_PIPE, ['}'] = TOKEN_BRACE_R,
};

static const uint8_t name_continue[256] = {
    ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['0' ... '9'] = 1, ['_'] = 1,
};

static const char *const kind_names[] = {
    [TOKEN_EOF] = "end of document", [TOKEN_BANG] = "\"!\"", [TOKEN_DOLLAR] = "\"$\"",
    [TOKEN_AMP] = "\"&\"", [TOKEN_PAREN_L] = "\"(\"", [TOKEN_PAREN_R] = "\")\"",
    [TOKEN_SPREAD] = "\"...\"", [TOKEN_COLON] = "\":\"", [TOKEN_EQUALS] = "\"=\"",
    [TOKEN_AT] = "\"@\"", [TOKEN_BRACKET_L] = "\"[\"", [TOKEN_BRACKET_R] = "\"]\"",
    [TOKEN_BRACE_L] = "\"{\"", [TOKEN_PIPE] = "\"|\"", [TOKEN_BRACE_R] = "\"}\"",
    [TOKEN_NAME] = "name", [TOKEN_INT] = "integer", [TOKEN_FLOAT] = "float",
    [TOKEN_STRING] = "string", [TOKEN_BLOCK_STRING] = "block string",
    [TOKEN_ERROR] = "invalid character",
};
/* clang-format on */

const char *lexer_kind_name(enum token_kind kind)
{
    return kind_names[kind];
}

void lexer_init(struct lexer *lx, struct str text)
{
    CHECK(text.len < UINT32_MAX);
    *lx = (struct lexer){.text = text.data, .len = (uint32_t)text.len};
}

/* The byte at i, or 0 behind the end: NUL begins and continues nothing. */
static inline unsigned char byte_at(const struct lexer *lx, uint32_t i)
{
    return i < lx->len ? (unsigned char)lx->text[i] : 0;
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static enum token_kind fail(struct lexer *lx, uint32_t at, const char *why)
{
    lx->error = why;
    lx->pos = at;
    return TOKEN_ERROR;
}

static enum token_kind end_at(struct lexer *lx, enum token_kind kind, uint32_t end)
{
    lx->pos = end;
    return kind;
}

static bool is_continuation(const struct lexer *lx, uint32_t i)
{
    return (byte_at(lx, i) & 0xC0) == 0x80;
}

/* Length of the well-formed UTF-8 sequence at i, whose first byte is not ASCII; 0 if it is none. */
static uint32_t sequence_length(const struct lexer *lx, uint32_t i)
{
    unsigned char first = byte_at(lx, i), second = byte_at(lx, i + 1);

    if (!is_continuation(lx, i + 1))
        return 0;
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (!is_continuation(lx, i + 2))
        return 0;
    if ((first == 0xE0 && second >= 0xA0) || (first >= 0xE1 && first <= 0xEC) ||
        (first == 0xED && second <= 0x9F) || first == 0xEE || first == 0xEF)
        return 3;
    if (!is_continuation(lx, i + 3))
        return 0;
    if ((first == 0xF0 && second >= 0x90) || (first >= 0xF1 && first <= 0xF3) ||
        (first == 0xF4 && second <= 0x8F))
        return 4;
    return 0;
}

/* The line terminator that ends the comment, the end of the text, or a byte that is no UTF-8. */
static uint32_t comment_end(const struct lexer *lx, uint32_t i)
{
    while (i < lx->len) {
        unsigned char c = (unsigned char)lx->text[i];
        uint32_t n = 1;

        if (c == '\n' || c == '\r')
            break;
        if (c >= 0x80 && (n = sequence_length(lx, i)) == 0)
            break;
        i += n;
    }
    return i;
}

static enum token_kind lex_number(struct lexer *lx, uint32_t start)
{
    uint32_t i = start;
    enum token_kind kind = TOKEN_INT;

    if (byte_at(lx, i) == '-')
        i++;
    if (byte_at(lx, i) == '0') {
        if (is_digit(byte_at(lx, ++i)))
            return fail(lx, i, "invalid number: digit after a leading 0");
    } else if (!is_digit(byte_at(lx, i))) {
        return fail(lx, i, "invalid number: expected a digit");
    }
    while (is_digit(byte_at(lx, i)))
        i++;
    if (byte_at(lx, i) == '.') {
        kind = TOKEN_FLOAT;
        if (!is_digit(byte_at(lx, ++i)))
            return fail(lx, i, "invalid number: expected a digit after the point");
        while (is_digit(byte_at(lx, i)))
            i++;
    }
    if (byte_at(lx, i) == 'e' || byte_at(lx, i) == 'E') {
        kind = TOKEN_FLOAT;
        i++;
        if (byte_at(lx, i) == '+' || byte_at(lx, i) == '-')
            i++;
        if (!is_digit(byte_at(lx, i)))
            return fail(lx, i, "invalid number: expected a digit in the exponent");
        while (is_digit(byte_at(lx, i)))
            i++;
    }
    if (byte_at(lx, i) == '.' || classes[byte_at(lx, i)] == CLASS_NAME)
        return fail(lx, i, "invalid number: followed by a name or a point");
    return end_at(lx, kind, i);
}

/* Four hexadecimal digits at i, or -1. */
static int32_t hex_quad(const struct lexer *lx, uint32_t i)
{
    int32_t value = 0;

    for (uint32_t k = 0; k < 4; k++) {
        int digit = str_hex_value((char)byte_at(lx, i + k));

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool is_scalar_value(uint32_t c)
{
    return c <= 0xD7FF || (c >= 0xE000 && c <= 0x10FFFF);
}

/* \u{H…} at i (the backslash): its length and value, or 0. More than eight digits are refused. */
static uint32_t braced_escape(const struct lexer *lx, uint32_t i, uint32_t *value)
{
    uint32_t n = 3, v = 0;
    int digit;

    for (; (digit = str_hex_value((char)byte_at(lx, i + n))) >= 0; n++) {
        if (n == 11)
            return 0;
        v = v * 16 + (uint32_t)digit;
    }
    if (n == 3 || byte_at(lx, i + n) != '}' || !is_scalar_value(v))
        return 0;
    *value = v;
    return n + 1;
}

/* \u at i: the length of the escape and the scalar value it stands for, or 0 if it is none. */
static uint32_t unicode_escape(const struct lexer *lx, uint32_t i, uint32_t *value)
{
    int32_t lead, trail;

    if (byte_at(lx, i + 2) == '{')
        return braced_escape(lx, i, value);
    lead = hex_quad(lx, i + 2);
    if (lead < 0)
        return 0;
    if (is_scalar_value((uint32_t)lead)) {
        *value = (uint32_t)lead;
        return 6;
    }
    if (lead > 0xDBFF || byte_at(lx, i + 6) != '\\' || byte_at(lx, i + 7) != 'u')
        return 0;
    trail = hex_quad(lx, i + 8);
    if (trail < 0xDC00 || trail > 0xDFFF)
        return 0;
    *value = 0x10000 + (((uint32_t)lead & 0x3FF) << 10) + ((uint32_t)trail & 0x3FF);
    return 12;
}

/* The character a simple escape stands for, or 0. */
static char simple_escape(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return (char)c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    }
    return 0;
}

static enum token_kind lex_string(struct lexer *lx, uint32_t start)
{
    uint32_t i = start + 1;

    while (i < lx->len) {
        unsigned char c = (unsigned char)lx->text[i];
        uint32_t n = 1, value;

        if (c == '"')
            return end_at(lx, TOKEN_STRING, i + 1);
        if (c == '\n' || c == '\r')
            break;
        if (c == '\\') {
            n = byte_at(lx, i + 1) == 'u' ? unicode_escape(lx, i, &value)
                                          : 2u * (simple_escape(byte_at(lx, i + 1)) != 0);
            if (n == 0)
                return fail(lx, i, "invalid escape sequence in string");
        } else if (c >= 0x80 && (n = sequence_length(lx, i)) == 0) {
            return fail(lx, i, "invalid UTF-8 in string");
        }
        i += n;
    }
    return fail(lx, i, "unterminated string");
}

static bool three_quotes(const struct lexer *lx, uint32_t i)
{
    return byte_at(lx, i) == '"' && byte_at(lx, i + 1) == '"' && byte_at(lx, i + 2) == '"';
}

static enum token_kind lex_block_string(struct lexer *lx, uint32_t start)
{
    uint32_t i = start + 3;

    while (i < lx->len) {
        unsigned char c = (unsigned char)lx->text[i];
        uint32_t n = 1;

        if (c == '"' && three_quotes(lx, i))
            return end_at(lx, TOKEN_BLOCK_STRING, i + 3);
        if (c == '\\' && three_quotes(lx, i + 1))
            n = 4;
        else if (c >= 0x80 && (n = sequence_length(lx, i)) == 0)
            return fail(lx, i, "invalid UTF-8 in block string");
        i += n;
    }
    return fail(lx, i, "unterminated block string");
}

/* A token that is no name and no punctuator; at i, which is what it begins at. */
static enum token_kind lex_other(struct lexer *lx, uint32_t i)
{
    switch ((enum class)classes[byte_at(lx, i)]) {
    case CLASS_NUMBER:
        return lex_number(lx, i);
    case CLASS_QUOTE:
        return three_quotes(lx, i) ? lex_block_string(lx, i) : lex_string(lx, i);
    case CLASS_DOT:
        if (byte_at(lx, i + 1) == '.' && byte_at(lx, i + 2) == '.')
            return end_at(lx, TOKEN_SPREAD, i + 3);
        return fail(lx, i, "unexpected character \".\"");
    case CLASS_COMMENT:
        return fail(lx, comment_end(lx, i + 1), "invalid UTF-8 in comment");
    case CLASS_BOM:
    case CLASS_NAME:
    case CLASS_PUNCTUATOR:
    case CLASS_IGNORED:
    case CLASS_OTHER:
        break;
    }
    return fail(lx, i, "unexpected character");
}

/* The next byte that is not ignored. A comment that is no UTF-8 is left for lex_other(). */
static uint32_t skip_ignored(const struct lexer *lx, uint32_t i)
{
    for (;;) {
        uint32_t end;

        while (i < lx->len && classes[(unsigned char)lx->text[i]] == CLASS_IGNORED)
            i++;
        if (byte_at(lx, i) == '#') {
            end = comment_end(lx, i + 1);
            if (end < lx->len && lx->text[end] != '\n' && lx->text[end] != '\r')
                return i;
            i = end;
        } else if (byte_at(lx, i) == 0xEF && byte_at(lx, i + 1) == 0xBB &&
                   byte_at(lx, i + 2) == 0xBF) {
            i += 3;
        } else {
            return i;
        }
    }
}

/*
 * Names and punctuators, which nearly all tokens are, come before the jump
 * table of the others, which is slow to predict.
 */
void lexer_next(struct lexer *lx, struct token *out)
{
    uint32_t start, end;
    unsigned char c;

    if (lx->error) {
        *out = (struct token){TOKEN_ERROR, lx->pos, 0};
        return;
    }
    start = skip_ignored(lx, lx->pos);
    c = byte_at(lx, start);
    out->offset = start;
    if (classes[c] == CLASS_NAME) {
        for (end = start + 1; end < lx->len && name_continue[(unsigned char)lx->text[end]];)
            end++;
        out->kind = end_at(lx, TOKEN_NAME, end);
    } else if (classes[c] == CLASS_PUNCTUATOR) {
        out->kind = end_at(lx, (enum token_kind)punctuators[c], start + 1);
    } else if (start == lx->len) {
        out->kind = end_at(lx, TOKEN_EOF, start);
    } else {
        out->kind = lex_other(lx, start);
        if (out->kind == TOKEN_ERROR)
            out->offset = lx->pos;
    }
    out->len = lx->pos - out->offset;
}

static size_t put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xC0 | (c >> 6));
        to[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xE0 | (c >> 12));
        to[1] = (char)(0x80 | ((c >> 6) & 0x3F));
        to[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | (c >> 18));
    to[1] = (char)(0x80 | ((c >> 12) & 0x3F));
    to[2] = (char)(0x80 | ((c >> 6) & 0x3F));
    to[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* No escape is shorter than what it stands for. */
static struct str decode_string(const struct lexer *lx, uint32_t i, uint32_t end, struct arena *a)
{
    char *out = arena_alloc_raw(a, end - i);
    size_t n = 0;

    while (i < end) {
        uint32_t value = 0;

        if (lx->text[i] != '\\') {
            out[n++] = lx->text[i++];
        } else if (lx->text[i + 1] == 'u') {
            i += unicode_escape(lx, i, &value);
            n += put_utf8(out + n, value);
        } else {
            out[n++] = simple_escape((unsigned char)lx->text[i + 1]);
            i += 2;
        }
    }
    return str_make(out, n);
}

/* Cut the next line off *rest; false when there is none left. */
static bool next_line(struct str *rest, bool *more, struct str *line)
{
    size_t n = 0;

    if (!*more)
        return false;
    while (n < rest->len && rest->data[n] != '\n' && rest->data[n] != '\r')
        n++;
    *line = str_make(rest->data, n);
    *more = n < rest->len;
    if (*more && rest->data[n] == '\r' && n + 1 < rest->len && rest->data[n + 1] == '\n')
        n++;
    n = *more ? n + 1 : n;
    *rest = str_make(rest->data + n, rest->len - n);
    return true;
}

static size_t indentation(struct str line)
{
    size_t n = 0;

    while (n < line.len && (line.data[n] == ' ' || line.data[n] == '\t'))
        n++;
    return n;
}

struct block_shape {
    size_t indent;      /* common to all lines but the first */
    size_t first, last; /* lines that are not blank; first > last: none */
};

static struct block_shape block_shape(struct str raw)
{
    struct block_shape shape = {.indent = SIZE_MAX, .first = SIZE_MAX};
    struct str line;
    bool more = true;

    for (size_t i = 0; next_line(&raw, &more, &line); i++) {
        size_t indent = indentation(line);

        if (indent == line.len)
            continue;
        if (shape.first == SIZE_MAX)
            shape.first = i;
        shape.last = i;
        if (i > 0 && indent < shape.indent)
            shape.indent = indent;
    }
    return shape;
}

/* Copy a line, turning \""" into """. */
static size_t copy_line(char *to, struct str line)
{
    size_t n = 0;

    for (size_t i = 0; i < line.len; i++) {
        if (line.data[i] == '\\' && line.len - i >= 4 &&
            memcmp(line.data + i + 1, "\"\"\"", 3) == 0)
            continue;
        to[n++] = line.data[i];
    }
    return n;
}

/* Specification section 2.10.4, BlockStringValue(). Escapes do not change what is blank. */
static struct str decode_block(struct str raw, struct arena *a)
{
    struct block_shape shape = block_shape(raw);
    char *out = arena_alloc_raw(a, raw.len + 1);
    size_t n = 0;
    struct str line;
    bool more = true;

    for (size_t i = 0; next_line(&raw, &more, &line); i++) {
        size_t cut = i == 0 ? 0 : size_min(shape.indent, line.len);

        if (i < shape.first || i > shape.last)
            continue;
        if (i > shape.first)
            out[n++] = '\n';
        n += copy_line(out + n, str_make(line.data + cut, line.len - cut));
    }
    return str_make(out, n);
}

struct str lexer_string(const struct lexer *lx, struct token t, struct arena *a)
{
    const char *text = lx->text + t.offset;

    if (t.kind == TOKEN_BLOCK_STRING)
        return decode_block(str_make(text + 3, t.len - 6), a);
    if (memchr(text + 1, '\\', t.len - 2) == NULL)
        return str_make(text + 1, t.len - 2);
    return decode_string(lx, t.offset + 1, t.offset + t.len - 1, a);
}
