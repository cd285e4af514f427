/*
 * fingerprint.c - by what errors are known as one.
 *
 * Thread:   any.
 * Memory:   the caller's arena.
 *
 * A fingerprint has to survive releases and to tell causes apart: so no file and line, and no
 * message as it is, which has values in it.
 */
#include "tracking/fingerprint.h"

#include "base/buf.h"
#include "base/digest.h"

#define MAX_MESSAGE   300
#define MAX_PATH      256
#define MAX_OPERATION 128
#define MIN_HEX       8 /* of a word that is taken for a number in hexadecimal */

static const char *const part_names[FINGERPRINT_PARTS] = {
    [FINGERPRINT_CODE] = "code",           [FINGERPRINT_SQLSTATE] = "sqlstate",
    [FINGERPRINT_OPERATION] = "operation", [FINGERPRINT_PATH] = "path",
    [FINGERPRINT_MESSAGE] = "message",
};

bool fingerprint_part_by_name(struct str name, enum fingerprint_part *out)
{
    for (size_t i = 0; i < FINGERPRINT_PARTS; i++)
        if (str_is(name, part_names[i])) {
            *out = (enum fingerprint_part)i;
            return true;
        }
    return false;
}

/* --- messages ------------------------------------------------------------------------------ */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(char c)
{
    return is_letter(c) || is_digit(c);
}

/* Lists of numbers are as one: "in (1, 2, 3)". */
static void write_number(struct buf *out)
{
    buf_append_char(out, '#');
    if (str_ends(buf_str(out), STR("#,#")))
        out->len -= 2;
    else if (str_ends(buf_str(out), STR("#, #")))
        out->len -= 3;
}

/* Digits of names too: "log_2026_11" is as good as "log_2026_12". */
static void write_word(struct str word, struct buf *out)
{
    for (size_t i = 0; i < word.len; i++) {
        if (!is_digit(word.data[i]))
            buf_append_char(out, word.data[i]);
        else if (i == 0 || !is_digit(word.data[i - 1]))
            write_number(out);
    }
}

/* 8-4-4-4-12 at the beginning of s. */
static bool starts_with_uuid(struct str s)
{
    for (size_t i = 0; i < ERROR_ID_TEXT; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (i >= s.len || (dash ? s.data[i] != '-' : str_hex_value(s.data[i]) < 0))
            return false;
    }
    return s.len == ERROR_ID_TEXT || !is_word(s.data[ERROR_ID_TEXT]);
}

static bool is_hexadecimal(struct str word)
{
    bool digit = false;

    for (size_t i = 0; i < word.len; i++) {
        if (str_hex_value(word.data[i]) < 0)
            return false;
        digit |= is_digit(word.data[i]);
    }
    return digit && word.len >= MIN_HEX;
}

/* A word, or an id; how many bytes it has. */
static size_t take_word(struct str s, struct buf *out)
{
    size_t n = 0;

    if (starts_with_uuid(s)) {
        write_number(out);
        return ERROR_ID_TEXT;
    }
    while (n < s.len && is_word(s.data[n]))
        n++;
    if (is_hexadecimal(str_sub(s, 0, n)))
        write_number(out);
    else
        write_word(str_sub(s, 0, n), out);
    return n;
}

/* Where the quote at s[0] ends, doubled ones being part of it; s.len: nowhere. */
static size_t find_end(struct str s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.data[i] != s.data[0])
            continue;
        if (i + 1 < s.len && s.data[i + 1] == s.data[0])
            i++;
        else
            return i;
    }
    return s.len;
}

/* PostgreSQL's quotes stand around names as well; behind a colon, or "value", they are not. */
static bool is_name(struct str quoted, struct str before)
{
    if (quoted.len == 0 || !is_letter(quoted.data[0]) || str_ends(before, STR(": ")) ||
        str_ends(before, STR("value ")))
        return false;
    for (size_t i = 0; i < quoted.len; i++)
        if (!is_word(quoted.data[i]) && quoted.data[i] != '.' && quoted.data[i] != '-' &&
            quoted.data[i] != '$')
            return false;
    return true;
}

/* How many bytes were taken. */
static size_t take_quoted(struct str s, struct buf *out)
{
    struct str before = buf_str(out);
    size_t end = find_end(s);
    struct str quoted = str_sub(s, 1, end - 1);
    char quote = s.data[0];
    bool apostrophe = quote == '\'' && before.len > 0 && is_word(before.data[before.len - 1]);

    if (end == s.len || apostrophe) {
        buf_append_char(out, quote);
        return 1;
    }
    buf_append_char(out, quote);
    if (quote == '"' && is_name(quoted, str_sub(before, 0, before.len)))
        write_word(quoted, out);
    else
        buf_append_char(out, '?');
    buf_append_char(out, quote);
    return end + 1;
}

struct str fingerprint_message(struct str message, struct arena *a)
{
    struct str rest = str_trim(message), text;
    struct buf out;
    size_t n;

    buf_init(&out, 0);
    while (rest.len > 0 && out.len < MAX_MESSAGE) {
        char c = rest.data[0];

        n = 1;
        if (is_word(c))
            n = take_word(rest, &out);
        else if (c == '\'' || c == '"')
            n = take_quoted(rest, &out);
        else if ((unsigned char)c > ' ')
            buf_append_char(&out, c);
        else if (out.len > 0 && out.data[out.len - 1] != ' ')
            buf_append_char(&out, ' ');
        rest = str_sub(rest, n, SIZE_MAX);
    }
    text = str_sub(buf_str(&out), 0, MAX_MESSAGE);
    while (text.len > 0 && !str_is_utf8(text))
        text.len--;
    text = arena_dup(a, text);
    buf_fini(&out);
    return text;
}

/* --- paths --------------------------------------------------------------------------------- */

static struct str path_text(const struct path *p, struct arena *a)
{
    struct str keys[64];
    size_t n = 0;
    struct buf out;
    struct str text;

    for (; p != NULL && n < COUNT_OF(keys); p = p->parent)
        if (p->index < 0)
            keys[n++] = p->key;
    buf_init(&out, 0);
    while (n > 0 && out.len < MAX_PATH) {
        if (out.len > 0)
            buf_append_char(&out, '.');
        buf_append_str(&out, keys[--n]);
    }
    text = arena_dup(a, str_sub(buf_str(&out), 0, MAX_PATH));
    buf_fini(&out);
    return text;
}

/* --- the digest ------------------------------------------------------------------------------ */

static void write_error_id(struct str environment, struct error_identity *id)
{
    char hex[2 * DIGEST_SIZE + 1];
    struct digest d;
    struct buf text;

    buf_init(&text, 0);
    buf_printf(&text, "%.*s\n%s", STR_ARG(environment), id->fingerprint);
    d = digest_sha256(buf_str(&text));
    buf_fini(&text);
    digest_hex(&d, hex);
    snprintf(id->error_id, sizeof(id->error_id), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
             hex + 12, hex + 16, hex + 20);
}

void fingerprint_make(const struct fingerprint_options *opt, struct error_identity *id)
{
    char hex[2 * DIGEST_SIZE + 1];
    struct str parts[1 + FINGERPRINT_PARTS] = {
        [0] = STR("1"), /* FINGERPRINT_VERSION */
        [1 + FINGERPRINT_CODE] = id->code,
        [1 + FINGERPRINT_SQLSTATE] = id->sqlstate,
        [1 + FINGERPRINT_OPERATION] = id->operation,
        [1 + FINGERPRINT_PATH] = id->path,
        [1 + FINGERPRINT_MESSAGE] = id->message,
    };
    struct digest d;

    for (size_t i = 0; i < FINGERPRINT_PARTS; i++)
        if (!opt->parts[i])
            parts[1 + i] = STR("");
    d = digest_parts(parts, COUNT_OF(parts));
    digest_hex(&d, hex);
    snprintf(id->fingerprint, sizeof(id->fingerprint), "%.*s", FINGERPRINT_TEXT, hex);
    write_error_id(opt->environment, id);
}

void fingerprint_errors(const struct fingerprint_options *opt, struct str operation,
                        struct errors *errs)
{
    for (struct error *e = errs->first; e != NULL; e = e->next) {
        struct error_identity *id;

        if (e->identity != NULL || !opt->codes[e->code])
            continue;
        id = ARENA_NEW(errs->arena, struct error_identity);
        id->code = str_of(error_code_info(e->code)->name);
        id->sqlstate = str_of(e->sqlstate);
        id->operation = arena_dup(errs->arena, str_sub(operation, 0, MAX_OPERATION));
        id->path = path_text(e->path, errs->arena);
        id->message = fingerprint_message(e->cause.len > 0 ? e->cause : e->message, errs->arena);
        fingerprint_make(opt, id);
        e->identity = id;
    }
}
