/*
 * document.c - what is selected of a JSON document.
 *
 * Thread:   any.
 *
 * Finding keys is one walk over an object, in which values are stepped over: a
 * string by looking for its quote, an object or array by counting what opens and
 * closes. Of the values found, scalars are checked and copied, objects walked in
 * turn. So a byte is passed once for each level it is selected below, and what is
 * not selected is never taken apart.
 */
#include "execution/document.h"

#include "base/jwriter.h"
#include "schema/scalartext.h"

bool document_open(struct pgvalue jsonb, struct str *out)
{
    if (jsonb.len < 2 || jsonb.data[0] != 1) /* version */
        return false;
    *out = str_make(jsonb.data + 1, (size_t)jsonb.len - 1);
    return true;
}

bool document_is_null(struct str json)
{
    return str_is(json, "null");
}

/* --- stepping over values ----------------------------------------------------------------- */

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

/* Behind the closing quote of a string that begins at p; NULL if it has none. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *back;

        if (quote == NULL)
            return NULL;
        back = quote;
        while (back > p && back[-1] == '\\')
            back--;
        p = quote;
        if ((quote - back) % 2 == 0)
            return quote + 1;
    }
    return NULL;
}

/* Behind an object or array: brackets are counted, not told apart, since the text is valid. */
static const char *skip_container(const char *p, const char *end)
{
    size_t depth = 0;

    while (p < end) {
        switch (*p) {
        case '"':
            p = skip_string(p, end);
            if (p == NULL)
                return NULL;
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (--depth == 0)
                return p + 1;
            break;
        }
        p++;
    }
    return NULL;
}

/* Behind the value that begins at p; NULL if there is none. */
static const char *skip_value(const char *p, const char *end)
{
    const char *start = p;

    if (p == end)
        return NULL;
    if (*p == '"')
        return skip_string(p, end);
    if (*p == '{' || *p == '[')
        return skip_container(p, end);
    while (p < end && *p != ',' && *p != '}' && *p != ']' && *p != ' ' && *p != '\n' &&
           *p != '\t' && *p != '\r')
        p++;
    return p > start ? p : NULL;
}

/* --- keys ------------------------------------------------------------------------------------ */

/* One "key": value; *next behind it. False: malformed. */
static bool read_member(const char **next, const char *end, struct str *key, struct str *value)
{
    const char *p = skip_blanks(*next, end);
    const char *start = p;

    if (p == end || *p != '"' || (p = skip_string(p, end)) == NULL)
        return false;
    *key = str_make(start + 1, (size_t)(p - start) - 2);
    p = skip_blanks(p, end);
    if (p == end || *p != ':')
        return false;
    start = skip_blanks(p + 1, end);
    p = skip_value(start, end);
    if (p == NULL)
        return false;
    *value = str_make(start, (size_t)(p - start));
    *next = p;
    return true;
}

/*
 * Keys come in the order that they are looked for in, so that one comparison
 * mostly settles each. A key with escapes may stand out of that order, which is by
 * what they mean: then it is looked for from the first again.
 */
static size_t find_key(const struct str *keys, size_t n, size_t from, struct str key)
{
    if (from > 0 && str_cmp_length(keys[from - 1], key) >= 0)
        from = 0;
    while (from < n && str_cmp_length(keys[from], key) < 0)
        from++;
    return from;
}

bool document_find(struct str json, const struct str *keys, size_t n, struct pgvalue *out)
{
    const char *end = json.data + json.len;
    const char *p = skip_blanks(json.data, end);
    size_t at = 0;

    for (size_t i = 0; i < n; i++)
        out[i] = (struct pgvalue){NULL, -1, 0};
    if (p == end || *p != '{')
        return false;
    p = skip_blanks(p + 1, end);
    if (p < end && *p == '}')
        return true;
    for (;; p++) {
        struct str key, value;

        if (!read_member(&p, end, &key, &value))
            return false;
        at = find_key(keys, n, at, key);
        if (at < n && str_eq(keys[at], key)) {
            if (!document_is_null(value))
                out[at] = (struct pgvalue){value.data, (int32_t)value.len, 0};
            at++;
        }
        p = skip_blanks(p, end);
        if (p < end && *p == '}')
            return true;
        if (p == end || *p != ',')
            return false;
    }
}

bool document_begin(struct str json, struct document_items *it)
{
    const char *end = json.data + json.len;
    const char *p = skip_blanks(json.data, end);

    if (p == end || *p != '[')
        return false;
    *it = (struct document_items){.next = skip_blanks(p + 1, end), .end = end, .first = true};
    return true;
}

bool document_next(struct document_items *it, struct str *item, bool *more)
{
    const char *p = it->next;
    const char *behind;

    *more = false;
    if (p < it->end && *p == ']')
        return true;
    if (!it->first) {
        if (p == it->end || *p != ',')
            return false;
        p = skip_blanks(p + 1, it->end);
    }
    behind = skip_value(p, it->end);
    if (behind == NULL)
        return false;
    *item = str_make(p, (size_t)(behind - p));
    it->next = skip_blanks(behind, it->end);
    it->first = false;
    *more = true;
    return true;
}

/* --- scalars ---------------------------------------------------------------------------------- */

static bool is_string(struct str json)
{
    return json.len >= 2 && json.data[0] == '"' && json.data[json.len - 1] == '"';
}

static struct str content(struct str json)
{
    return str_sub(json, 1, json.len - 2);
}

static bool is_number(struct str json)
{
    return json.len > 0 && (json.data[0] == '-' || (json.data[0] >= '0' && json.data[0] <= '9')) &&
           scalartext_decimal(json);
}

/* The integer that a number is: zeros behind a point are none. False: it is no integer. */
static bool integer_of(struct str json, struct str *digits, int64_t *out)
{
    size_t n = 0, i;

    while (n < json.len && json.data[n] != '.')
        n++;
    for (i = n + 1; i < json.len; i++)
        if (json.data[i] != '0')
            return false;
    *digits = str_sub(json, 0, n);
    return str_to_i64(*digits, out);
}

static void append_quoted(struct buf *out, struct str text)
{
    buf_append_char(out, '"');
    buf_append_str(out, text);
    buf_append_char(out, '"');
}

static bool write_int(struct str json, struct buf *out)
{
    struct str digits;
    int64_t n;

    if (!is_number(json) || !integer_of(json, &digits, &n) || n < INT32_MIN || n > INT32_MAX)
        return false;
    buf_append_i64(out, n);
    return true;
}

static bool write_bigint(struct str json, bool as_string, struct buf *out)
{
    struct str text = is_string(json) ? content(json) : json, digits;
    int64_t n;

    if (!scalartext_decimal(text) || !integer_of(text, &digits, &n))
        return false;
    if (as_string)
        buf_append_char(out, '"');
    buf_append_i64(out, n);
    if (as_string)
        buf_append_char(out, '"');
    return true;
}

static bool write_decimal(struct str json, bool as_string, struct buf *out)
{
    struct str text = is_string(json) ? content(json) : json;

    if (is_string(json) && str_is(text, "NaN")) {
        buf_append_str(out, json);
        return true;
    }
    if (is_string(json) ? !scalartext_decimal(text) : !is_number(json))
        return false;
    /* A string may be a number in ways that JSON's are not: +1, .5 */
    if (as_string || is_string(json))
        append_quoted(out, text);
    else
        buf_append_str(out, text);
    return true;
}

static bool write_id(struct str json, struct buf *out)
{
    struct str digits;
    int64_t n;

    if (is_string(json)) {
        buf_append_str(out, json);
        return true;
    }
    if (!is_number(json) || !integer_of(json, &digits, &n))
        return false;
    append_quoted(out, digits);
    return true;
}

/* Does the text of a JSON string mean this? */
static bool means(struct str escaped, struct str text)
{
    struct buf b;
    bool same;

    if (memchr(escaped.data, '\\', escaped.len) == NULL)
        return str_eq(escaped, text);
    buf_init(&b, 0);
    jwriter_escape(&b, text);
    same = str_eq(buf_str(&b), escaped);
    buf_fini(&b);
    return same;
}

static bool write_enum(const struct type *t, struct str json, struct buf *out)
{
    if (!is_string(json))
        return false;
    for (size_t i = 0; t != NULL && i < t->nvalues; i++) {
        if (means(content(json), t->values[i].label)) {
            jwriter_string(out, t->values[i].name);
            return true;
        }
    }
    return false;
}

/* 8-4-4-4-12, as PostgreSQL writes it and most others do. */
static bool is_uuid(struct str s)
{
    if (s.len != 36)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? s.data[i] != '-' : str_hex_value(s.data[i]) < 0)
            return false;
    }
    return true;
}

/* PostgreSQL's text of bytes, \x00ff, its backslash doubled in JSON. */
static bool write_bytes(struct str json, struct buf *out)
{
    struct str hex = str_sub(json, 4, json.len - 5);
    struct buf bytes;
    bool ok = is_string(json) && str_starts(json, STR("\"\\\\x")) && hex.len % 2 == 0;

    buf_init(&bytes, 0);
    for (size_t i = 0; ok && i < hex.len; i += 2) {
        int high = str_hex_value(hex.data[i]), low = str_hex_value(hex.data[i + 1]);

        ok = high >= 0 && low >= 0;
        buf_append_char(&bytes, (char)(high * 16 + low));
    }
    if (ok)
        jwriter_base64(out, buf_str(&bytes));
    buf_fini(&bytes);
    return ok;
}

/* Strings of a form are passed on as they are. */
static bool write_checked(struct str json, bool (*check)(struct str), struct buf *out)
{
    if (!is_string(json) || !check(content(json)))
        return false;
    buf_append_str(out, json);
    return true;
}

static bool any_text(struct str s)
{
    (void)s;
    return true;
}

bool document_value(const struct codec *c, struct str json, struct buf *out)
{
    switch (c->json) {
    case JSON_ANY:
        buf_append_str(out, json);
        return true;
    case JSON_TEXT:
        return write_checked(json, any_text, out);
    case JSON_ID:
        return write_id(json, out);
    case JSON_BOOLEAN:
        buf_append_str(out, json);
        return str_is(json, "true") || str_is(json, "false");
    case JSON_INT:
        return write_int(json, out);
    case JSON_BIGINT:
    case JSON_BIGINT_NUMBER:
        return write_bigint(json, c->json == JSON_BIGINT, out);
    case JSON_FLOAT:
        buf_append_str(out, json);
        return is_number(json);
    case JSON_DECIMAL:
    case JSON_DECIMAL_NUMBER:
        return write_decimal(json, c->json == JSON_DECIMAL, out);
    case JSON_ENUM:
        return write_enum(c->enum_type, json, out);
    case JSON_BYTES:
        return write_bytes(json, out);
    case JSON_UUID:
        return write_checked(json, is_uuid, out);
    case JSON_DATE:
        return write_checked(json, scalartext_date, out);
    case JSON_TIME:
        return write_checked(json, scalartext_time, out);
    case JSON_DATETIME:
        return write_checked(json, scalartext_datetime, out);
    case JSON_LOCAL_DATETIME:
        return write_checked(json, scalartext_local_datetime, out);
    case JSON_INTERVAL:
        return write_checked(json, scalartext_interval, out);
    case JSON_ADDRESS:
        return write_checked(json, scalartext_address, out);
    case JSON_NETWORK:
        return write_checked(json, scalartext_network, out);
    case JSON_MAC:
        return write_checked(json, scalartext_mac, out);
    }
    return false;
}
