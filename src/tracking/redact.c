/*
 * redact.c - what is told of a request without what is nobody's business.
 *
 * Thread:   any.
 * Memory:   the caller's.
 */
#include "tracking/redact.h"

#include "base/jwriter.h"

#define MAX_DEPTH  8
#define MAX_ITEMS  20
#define MAX_STRING 256

static const struct str hidden = STR_INIT("[redacted]");
static const struct str cut = STR_INIT("[cut]");

struct str redact_text(struct str s, size_t max, struct arena *a)
{
    struct str out = arena_dup(a, str_sub(s, 0, max));
    char *bytes = (char *)(uintptr_t)out.data;                 /* our copy */
    size_t least = s.len > max && max > 3 ? max - 3 : out.len; /* of a character that was cut */

    if (str_find(out, '\0') == out.len)
        for (struct str shorter = out; shorter.len >= least; shorter.len--) {
            if (str_is_utf8(shorter))
                return shorter;
            if (shorter.len == 0)
                break;
        }
    for (size_t i = 0; i < out.len; i++)
        if (bytes[i] == '\0' || (unsigned char)bytes[i] >= 0x80)
            bytes[i] = '?';
    return out;
}

/* --- variables ------------------------------------------------------------------------------- */

struct walk {
    const struct redact_options *opt;
    struct buf *out;
    size_t end; /* of out, about */
};

static bool contains_nocase(struct str s, struct str word)
{
    for (size_t i = 0; word.len > 0 && i + word.len <= s.len; i++)
        if (str_eq_nocase(str_sub(s, i, word.len), word))
            return true;
    return false;
}

static bool is_secret_name(const struct redact_options *opt, struct str name)
{
    for (size_t i = 0; i < opt->nwords; i++)
        if (contains_nocase(name, opt->words[i]))
            return true;
    return false;
}

/* A JWT, or what stands in Authorization. */
static bool looks_like_token(struct str s)
{
    return (str_starts(s, STR("eyJ")) && str_find(s, '.') < s.len) ||
           str_eq_nocase(str_sub(s, 0, 7), STR("Bearer ")) ||
           str_eq_nocase(str_sub(s, 0, 6), STR("Basic ")) || contains_nocase(s, STR("PRIVATE KEY"));
}

static void write_text(struct walk *w, struct str s)
{
    struct str shown = str_sub(s, 0, MAX_STRING);

    if (looks_like_token(s)) {
        jwriter_string(w->out, hidden);
        return;
    }
    while (shown.len > 0 && !str_is_utf8(shown))
        shown.len--;
    shown = str_sub(shown, 0, str_find(shown, '\0'));
    buf_append_char(w->out, '"');
    jwriter_escape(w->out, shown);
    if (shown.len < s.len)
        buf_append_lit(w->out, "…");
    buf_append_char(w->out, '"');
}

static void write_scalar(struct walk *w, const struct jval *v)
{
    static const struct str types[] = {
        [JVAL_BOOL] = STR_INIT("Boolean"),
        [JVAL_NUMBER] = STR_INIT("Number"),
        [JVAL_STRING] = STR_INIT("String"),
    };

    if (v->kind != JVAL_NULL && w->opt->values == REDACT_TYPES)
        jwriter_string(w->out, types[v->kind]);
    else if (v->kind == JVAL_STRING)
        write_text(w, v->text);
    else if (v->kind == JVAL_NUMBER && v->text.len > 40)
        jwriter_string(w->out, cut);
    else
        jval_write(v, w->out);
}

static void write_value(struct walk *w, const struct jval *v, size_t depth);

static void write_items(struct walk *w, const struct jval *v, size_t depth)
{
    buf_append_char(w->out, '[');
    for (size_t i = 0; i < v->n; i++) {
        if (i > 0)
            buf_append_char(w->out, ',');
        if (i == MAX_ITEMS || w->out->len > w->end) {
            jwriter_string(w->out, cut);
            break;
        }
        write_value(w, v->items[i], depth + 1);
    }
    buf_append_char(w->out, ']');
}

static void write_members(struct walk *w, const struct jval *v, size_t depth)
{
    buf_append_char(w->out, '{');
    for (size_t i = 0; i < v->n; i++) {
        const struct jval_member *m = &v->members[i];

        if (i > 0)
            buf_append_char(w->out, ',');
        if (i == 5 * MAX_ITEMS || w->out->len > w->end) {
            buf_append_lit(w->out, "\"…\":true");
            break;
        }
        write_text(w, m->name);
        buf_append_char(w->out, ':');
        if (is_secret_name(w->opt, m->name))
            jwriter_string(w->out, hidden);
        else
            write_value(w, m->value, depth + 1);
    }
    buf_append_char(w->out, '}');
}

static void write_value(struct walk *w, const struct jval *v, size_t depth)
{
    if (v->kind != JVAL_OBJECT && v->kind != JVAL_ARRAY)
        write_scalar(w, v);
    else if (depth >= MAX_DEPTH)
        jwriter_string(w->out, cut);
    else if (v->kind == JVAL_OBJECT)
        write_members(w, v, depth);
    else
        write_items(w, v, depth);
}

void redact_variables(const struct jval *v, const struct redact_options *opt, size_t max,
                      struct buf *out)
{
    struct walk w = {opt, out, out->len + max};

    if (opt->values != REDACT_ALL)
        write_value(&w, v, 0);
}

/* --- documents -------------------------------------------------------------------------------- */

/* Of the string at s[0], with its quotes; one that does not end is all that follows. */
static size_t string_length(struct str s)
{
    bool block = str_starts(s, STR("\"\"\""));
    size_t i = block ? 3 : 1;

    for (; i < s.len; i++) {
        if (s.data[i] == '\\')
            i += block && str_starts(str_sub(s, i, SIZE_MAX), STR("\\\"\"\"")) ? 3 : !block;
        else if (block && str_starts(str_sub(s, i, SIZE_MAX), STR("\"\"\"")))
            return i + 3;
        else if (!block && s.data[i] == '"')
            return i + 1;
    }
    return s.len;
}

void redact_document(struct str text, size_t max, struct buf *out)
{
    size_t start = out->len;

    for (size_t i = 0; i < text.len && out->len - start < max;) {
        char c = text.data[i];

        if (c == '"') {
            buf_append_lit(out, "\"?\"");
            i += string_length(str_sub(text, i, SIZE_MAX));
        } else if (c == '#') {
            i += str_find(str_sub(text, i, SIZE_MAX), '\n');
        } else {
            bool space = (unsigned char)c <= ' ';

            if (!space)
                buf_append_char(out, c);
            else if (out->len > start && out->data[out->len - 1] != ' ')
                buf_append_char(out, ' ');
            i++;
        }
    }
    if (out->len - start > max)
        out->len = start + max;
    while (out->len > start && !str_is_utf8(str_sub(buf_str(out), start, SIZE_MAX)))
        out->len--;
}

/* --- PostgreSQL's words -------------------------------------------------------------------------
 */

/* Values have parentheses of their own: all up to the last one are theirs. */
struct str redact_detail(struct str detail, struct arena *a)
{
    static const struct str before[] = {STR_INIT("=("), STR_INIT("contains (")};
    size_t last = detail.len;

    while (last > 0 && detail.data[last - 1] != ')')
        last--;
    if (last == 0)
        return arena_dup(a, detail);
    for (size_t i = 0; i < last; i++)
        for (size_t k = 0; k < COUNT_OF(before); k++)
            if (str_starts(str_sub(detail, i, SIZE_MAX), before[k])) {
                struct str head = str_sub(detail, 0, i + before[k].len);
                struct str tail = str_sub(detail, last - 1, SIZE_MAX);

                return arena_printf(a, "%.*s?%.*s", STR_ARG(head), STR_ARG(tail));
            }
    return arena_dup(a, detail);
}

struct str redact_quoted(struct str text, size_t max, struct arena *a)
{
    struct buf out;
    struct str result;
    bool inside = false;

    buf_init(&out, 0);
    for (size_t i = 0; i < text.len && out.len < max; i++) {
        if (text.data[i] == '\'') {
            buf_append_str(&out, inside ? STR("?'") : STR("'"));
            inside = !inside;
        } else if (!inside) {
            buf_append_char(&out, text.data[i]);
        }
    }
    result = redact_text(buf_str(&out), max, a);
    buf_fini(&out);
    return result;
}
