/*
 * scalartext.c - is this text a date, an address, a number ...? and forms PostgreSQL takes.
 *
 * Thread:   any.
 * Memory:   results are in the arena given.
 * Not here: which scalar asks (scalars.c).
 */
#include <arpa/inet.h>

#include "base/jwriter.h"
#include "schema/scalartext.h"

#define MAX_LITERAL_DEPTH 200

/* What is left of a text that is being read. */
struct reader {
    const char *at;
    const char *end;
};

static struct reader reader_of(struct str s)
{
    return (struct reader){s.data, s.data ? s.data + s.len : s.data};
}

static bool at_end(const struct reader *r)
{
    return r->at == r->end;
}

static bool take(struct reader *r, char c)
{
    if (at_end(r) || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* At least one digit; how many, up to the end. */
static size_t take_digits(struct reader *r)
{
    const char *start = r->at;

    while (!at_end(r) && is_digit(*r->at))
        r->at++;
    return (size_t)(r->at - start);
}

/* Exactly n digits. */
static bool take_number(struct reader *r, unsigned n, int *out)
{
    *out = 0;
    for (; n > 0; n--) {
        if (at_end(r) || !is_digit(*r->at))
            return false;
        *out = *out * 10 + (*r->at++ - '0');
    }
    return true;
}

bool scalartext_decimal(struct str s)
{
    struct reader r = reader_of(s);
    size_t digits;

    if (!take(&r, '-'))
        take(&r, '+');
    digits = take_digits(&r);
    if (take(&r, '.'))
        digits += take_digits(&r);
    if (digits == 0)
        return false;
    if (take(&r, 'e') || take(&r, 'E')) {
        if (!take(&r, '-'))
            take(&r, '+');
        digits = take_digits(&r);
        if (digits == 0 || digits > 6)
            return false;
    }
    return at_end(&r);
}

static bool take_date(struct reader *r)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, last;

    if (!take_number(r, 4, &year) || !take(r, '-') || !take_number(r, 2, &month) || !take(r, '-') ||
        !take_number(r, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12)
        return false;
    last = days[month - 1];
    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
        last++;
    return day >= 1 && day <= last;
}

/* hh:mm, then seconds and their fraction, which may have to be there. */
static bool take_time(struct reader *r, bool seconds_required)
{
    int hour, minute, second;
    size_t fraction;

    if (!take_number(r, 2, &hour) || !take(r, ':') || !take_number(r, 2, &minute) || hour > 23 ||
        minute > 59)
        return false;
    if (!take(r, ':'))
        return !seconds_required;
    /* 60: a leap second. */
    if (!take_number(r, 2, &second) || second > 60)
        return false;
    if (!take(r, '.'))
        return true;
    fraction = take_digits(r);
    return fraction >= 1 && fraction <= 9;
}

static bool take_zone(struct reader *r)
{
    int hour, minute;

    if (take(r, 'Z') || take(r, 'z'))
        return true;
    if (!take(r, '+') && !take(r, '-'))
        return false;
    /* PostgreSQL's limit is below 16 hours. */
    return take_number(r, 2, &hour) && take(r, ':') && take_number(r, 2, &minute) && hour <= 15 &&
           minute <= 59;
}

static bool is_infinity(struct str s)
{
    return str_is(s, "infinity") || str_is(s, "-infinity");
}

bool scalartext_date(struct str s)
{
    struct reader r = reader_of(s);

    return is_infinity(s) || (take_date(&r) && at_end(&r));
}

bool scalartext_time(struct str s)
{
    struct reader r = reader_of(s);

    return take_time(&r, false) && (at_end(&r) || (take_zone(&r) && at_end(&r)));
}

bool scalartext_datetime(struct str s)
{
    struct reader r = reader_of(s);

    return is_infinity(s) || (take_date(&r) && (take(&r, 'T') || take(&r, 't')) &&
                              take_time(&r, true) && take_zone(&r) && at_end(&r));
}

bool scalartext_local_datetime(struct str s)
{
    struct reader r = reader_of(s);

    return is_infinity(s) || (take_date(&r) && (take(&r, 'T') || take(&r, 't')) &&
                              take_time(&r, false) && at_end(&r));
}

/* Parts such as -3M, each unit once and in order; how many there were, or -1. Only seconds have a
 * fraction. */
static int take_parts(struct reader *r, const char *units)
{
    int n = 0;

    while (!at_end(r) && *r->at != 'T') {
        size_t digits;
        bool fraction = false;

        take(r, '-');
        digits = take_digits(r);
        if (digits == 0 || digits > 10)
            return -1;
        if (take(r, '.')) {
            fraction = true;
            digits = take_digits(r);
            if (digits == 0 || digits > 9)
                return -1;
        }
        if (at_end(r))
            return -1;
        while (*units != '\0' && *units != *r->at)
            units++;
        if (*units == '\0' || (fraction && *units != 'S'))
            return -1;
        units++;
        r->at++;
        n++;
    }
    return n;
}

bool scalartext_interval(struct str s)
{
    struct reader r = reader_of(s);
    int days, times = 0;

    if (!take(&r, 'P'))
        return false;
    days = take_parts(&r, "YMWD");
    if (days < 0)
        return false;
    if (take(&r, 'T')) {
        times = take_parts(&r, "HMS");
        if (times <= 0)
            return false;
    }
    return days + times > 0 && at_end(&r);
}

/* The address in bytes (their number, or 0) and the length of its network. */
static size_t read_address(struct str s, unsigned char bytes[16], int64_t *length)
{
    char text[INET6_ADDRSTRLEN];
    struct str address, rest;
    bool has_length = str_cut(s, '/', &address, &rest);
    size_t n = memchr(s.data ? s.data : "", ':', s.len) ? 16 : 4;

    if (address.len >= sizeof(text))
        return 0;
    memcpy(text, address.data ? address.data : "", address.len);
    text[address.len] = '\0';
    if (inet_pton(n == 4 ? AF_INET : AF_INET6, text, bytes) != 1)
        return 0;
    *length = (int64_t)n * 8;
    if (has_length && (rest.len == 0 || rest.len > 3 || !is_digit(rest.data[0]) ||
                       !str_to_i64(rest, length) || *length > (int64_t)n * 8))
        return 0;
    return n;
}

bool scalartext_address(struct str s)
{
    unsigned char bytes[16];
    int64_t length;

    return read_address(s, bytes, &length) > 0;
}

bool scalartext_network(struct str s)
{
    unsigned char bytes[16];
    int64_t length;
    size_t n = read_address(s, bytes, &length), bit;

    for (bit = (size_t)(n ? length : 0); bit < n * 8; bit++)
        if (bytes[bit / 8] & (0x80u >> bit % 8))
            return false;
    return n > 0;
}

bool scalartext_mac(struct str s)
{
    size_t digits = 0, i;
    char separator = '\0';

    for (i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (str_hex_value(c) >= 0) {
            digits++;
            continue;
        }
        if ((c != ':' && c != '-' && c != '.') || (separator && c != separator) || digits % 2)
            return false;
        separator = c;
    }
    return digits == 12 || digits == 16;
}

bool scalartext_uuid(struct str s, struct arena *a, struct str *out)
{
    bool hyphens = s.len == 36;
    size_t i = 0, n = 0;
    char *to;

    if (s.len != 32 && s.len != 36)
        return false;
    to = arena_alloc_raw(a, 37);
    while (n < 36) {
        if (n == 8 || n == 13 || n == 18 || n == 23) {
            if (hyphens && s.data[i++] != '-')
                return false;
            to[n++] = '-';
            continue;
        }
        if (str_hex_value(s.data[i]) < 0)
            return false;
        to[n++] = "0123456789abcdef"[str_hex_value(s.data[i++])];
    }
    to[n] = '\0';
    *out = str_make(to, n);
    return true;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (is_digit(c))
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

bool scalartext_bytes(struct str s, struct arena *a, struct str *out)
{
    static const char hex[] = "0123456789abcdef";
    size_t padding = 0, n = 0, i;
    uint32_t bits = 0;
    unsigned nbits = 0;
    char *to;

    if (s.len % 4 != 0)
        return false;
    while (padding < 2 && padding < s.len && s.data[s.len - 1 - padding] == '=')
        padding++;
    to = arena_alloc_raw(a, s.len / 4 * 6 + 3);
    to[n++] = '\\';
    to[n++] = 'x';
    for (i = 0; i < s.len - padding; i++) {
        int v = base64_value(s.data[i]);

        if (v < 0)
            return false;
        bits = (bits << 6 | (uint32_t)v) & 0xffff;
        nbits += 6;
        if (nbits >= 8) {
            nbits -= 8;
            to[n++] = hex[bits >> (nbits + 4) & 15];
            to[n++] = hex[bits >> nbits & 15];
        }
    }
    to[n] = '\0';
    *out = str_make(to, n);
    /* Bits that belong to no byte have to be zero: one spelling for the same bytes. */
    return (bits & ((1u << nbits) - 1)) == 0;
}

static bool write_object(const struct ast_value *v, unsigned depth, struct buf *out)
{
    size_t i;

    buf_append_char(out, '{');
    for (i = 0; i < v->n; i++) {
        if (i > 0)
            buf_append_char(out, ',');
        jwriter_key(out, v->fields[i].name);
        if (!scalartext_write_literal(v->fields[i].value, depth + 1, out))
            return false;
    }
    buf_append_char(out, '}');
    return true;
}

static bool write_list(const struct ast_value *v, unsigned depth, struct buf *out)
{
    size_t i;

    buf_append_char(out, '[');
    for (i = 0; i < v->n; i++) {
        if (i > 0)
            buf_append_char(out, ',');
        if (!scalartext_write_literal(v->items[i], depth + 1, out))
            return false;
    }
    buf_append_char(out, ']');
    return true;
}

bool scalartext_write_literal(const struct ast_value *v, unsigned depth, struct buf *out)
{
    if (depth > MAX_LITERAL_DEPTH)
        return false;
    switch (v->kind) {
    case AST_INT:
    case AST_FLOAT:
        buf_append_str(out, v->text);
        return true;
    case AST_STRING:
        if (v->text.len > 0 && memchr(v->text.data, 0, v->text.len) != NULL)
            return false;
        jwriter_string(out, v->text);
        return true;
    case AST_BOOLEAN:
        jwriter_bool(out, v->boolean);
        return true;
    case AST_NULL:
        buf_append_lit(out, "null");
        return true;
    case AST_LIST:
        return write_list(v, depth, out);
    case AST_OBJECT:
        return write_object(v, depth, out);
    case AST_VARIABLE:
    case AST_ENUM:
        break;
    }
    return false;
}
