/*
 * tracecontext.c - which trace a request belongs to: W3C Trace Context, and Amazon's header.
 *
 * Thread:   any.
 * Memory:   none.
 */
#include "base/tracecontext.h"

#include "base/digest.h"

/* Each digit's value and 16; 0 for what is none. Every request's id passes through it. */
static const unsigned char lower_hex[256] = {
    ['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21, ['6'] = 22, ['7'] = 23,
    ['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27, ['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31,
};

static bool is_lower_hex(struct str s)
{
    unsigned char all = 16;

    for (size_t i = 0; i < s.len; i++)
        all &= lower_hex[(unsigned char)s.data[i]];
    return all != 0;
}

/* Not all zeros. */
static bool is_id(struct str s)
{
    unsigned char all = 16, any = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char v = lower_hex[(unsigned char)s.data[i]];

        all &= v;
        any |= v;
    }
    return all != 0 && any != 16;
}

static struct span_id read_span_id(struct str hex)
{
    struct span_id id;

    for (size_t i = 0; i < sizeof(id.bytes); i++)
        id.bytes[i] = (unsigned char)(str_hex_value(hex.data[2 * i]) << 4 |
                                      str_hex_value(hex.data[2 * i + 1]));
    return id;
}

static void take_trace_id(struct tracecontext *t, struct str hex)
{
    memcpy(t->trace_id, hex.data, TRACE_ID_TEXT);
    t->trace_id[TRACE_ID_TEXT] = '\0';
    t->continued = true;
}

/* version "-" trace id "-" parent id "-" flags */
bool tracecontext_read_parent(struct tracecontext *t, struct str s)
{
    struct str version = str_sub(s, 0, 2), trace = str_sub(s, 3, TRACE_ID_TEXT);
    struct str parent = str_sub(s, 36, SPAN_ID_TEXT), flags = str_sub(s, 53, 2);

    if (s.len < TRACEPARENT_TEXT || s.data[2] != '-' || s.data[35] != '-' || s.data[52] != '-' ||
        !is_lower_hex(version) || str_is(version, "ff") || !is_id(trace) || !is_id(parent) ||
        !is_lower_hex(flags))
        return false;
    if (s.len > TRACEPARENT_TEXT && (str_is(version, "00") || s.data[TRACEPARENT_TEXT] != '-'))
        return false;
    take_trace_id(t, trace);
    t->parent = read_span_id(parent);
    t->has_flag = true;
    t->sampled = (str_hex_value(flags.data[1]) & 1) != 0;
    return true;
}

/* --- tracestate ------------------------------------------------------------------------- */

#define MAX_MEMBERS 32

static bool is_key_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_key(struct str key)
{
    size_t at = str_find(key, '@');

    if (key.len == 0 || key.len > 256 || !is_key_start(key.data[0]))
        return false;
    for (size_t i = 0; i < key.len; i++) {
        char c = key.data[i];

        if (!is_key_start(c) && c != '_' && c != '-' && c != '*' && c != '/' && i != at)
            return false;
    }
    return at == key.len || at + 1 < key.len;
}

static bool is_value(struct str value)
{
    if (value.len == 0 || value.len > 256)
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] < 0x20 || value.data[i] > 0x7e || value.data[i] == ',' ||
            value.data[i] == '=')
            return false;
    return true;
}

bool tracecontext_read_state(struct tracecontext *t, struct str s)
{
    struct str rest = s, member, key, value;
    size_t members = 0;
    bool more = true;

    if (s.len == 0 || s.len > TRACESTATE_MAX)
        return false;
    while (more) {
        more = str_cut(rest, ',', &member, &rest);
        member = str_trim(member);
        if (member.len == 0) /* allowed */
            continue;
        if (++members > MAX_MEMBERS || !str_cut(member, '=', &key, &value) || !is_key(key) ||
            !is_value(value))
            return false;
    }
    if (members > 0)
        t->state = s;
    return members > 0;
}

/* --- X-Amzn-Trace-Id ---------------------------------------------------------------------- */

/* "1-" 8 digits "-" 24 digits: the trace id, cut in two. */
static bool read_root(struct str v, char hex[TRACE_ID_TEXT])
{
    if (v.len != 35 || v.data[0] != '1' || v.data[1] != '-' || v.data[10] != '-')
        return false;
    memcpy(hex, v.data + 2, 8);
    memcpy(hex + 8, v.data + 11, 24);
    return is_id(str_make(hex, TRACE_ID_TEXT));
}

bool tracecontext_read_amazon(struct tracecontext *t, struct str header)
{
    struct str rest = header, field, name, value;
    struct str parent = {0}, sampled = {0};
    char root[TRACE_ID_TEXT];
    bool found = false, more = true;

    while (more) {
        more = str_cut(rest, ';', &field, &rest);
        if (!str_cut(str_trim(field), '=', &name, &value))
            continue;
        if (str_is(name, "Root")) {
            if (found || !read_root(value, root))
                return false;
            found = true;
        } else if (str_is(name, "Parent")) {
            parent = value;
        } else if (str_is(name, "Sampled")) {
            sampled = value;
        }
    }
    if (!found)
        return false;
    take_trace_id(t, str_make(root, TRACE_ID_TEXT));
    if (parent.len == SPAN_ID_TEXT && is_id(parent))
        t->parent = read_span_id(parent);
    t->has_flag = str_is(sampled, "0") || str_is(sampled, "1");
    t->sampled = str_is(sampled, "1");
    return true;
}

/* --- ids ------------------------------------------------------------------------------------ */

/* splitmix64 from a seed of the system's: ids have to differ, not to be secrets. */
static uint64_t next_random(void)
{
    static _Thread_local uint64_t state;
    uint64_t z;

    if (state == 0)
        random_bytes(&state, sizeof(state));
    z = (state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

struct span_id span_id_new(void)
{
    struct span_id id;
    uint64_t v;

    do
        v = next_random();
    while (v == 0);
    memcpy(id.bytes, &v, sizeof(v));
    return id;
}

bool span_id_is_zero(struct span_id id)
{
    uint64_t v;

    memcpy(&v, id.bytes, sizeof(v));
    return v == 0;
}

static void write_hex(const unsigned char *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 0x0f];
    }
    out[2 * n] = '\0';
}

void span_id_text(struct span_id id, char out[SPAN_ID_TEXT + 1])
{
    write_hex(id.bytes, sizeof(id.bytes), out);
}

/* A UUID's 32 digits; false if it is none in lower case. */
static bool digits_of_uuid(struct str id, char out[TRACE_ID_TEXT])
{
    if (id.len != 36 || id.data[8] != '-' || id.data[13] != '-' || id.data[18] != '-' ||
        id.data[23] != '-')
        return false;
    memcpy(out, id.data, 8);
    memcpy(out + 8, id.data + 9, 4);
    memcpy(out + 12, id.data + 14, 4);
    memcpy(out + 16, id.data + 19, 4);
    memcpy(out + 20, id.data + 24, 12);
    return is_id(str_make(out, TRACE_ID_TEXT));
}

void tracecontext_begin(struct tracecontext *t, struct str request_id)
{
    uint64_t v[2];

    t->continued = t->has_flag = t->sampled = false;
    t->parent = (struct span_id){{0}};
    if (digits_of_uuid(request_id, t->trace_id)) {
        t->trace_id[TRACE_ID_TEXT] = '\0';
        return;
    }
    v[0] = next_random() | 1; /* not all zeros */
    v[1] = next_random();
    write_hex((const unsigned char *)v, sizeof(v), t->trace_id);
}

void tracecontext_write(const struct tracecontext *t, char out[TRACEPARENT_TEXT + 1])
{
    char span[SPAN_ID_TEXT + 1];

    span_id_text(t->span, span);
    snprintf(out, TRACEPARENT_TEXT + 1, "00-%s-%s-0%d", t->trace_id, span, t->sampled);
}

bool tracecontext_within(const struct tracecontext *t, uint64_t threshold)
{
    uint64_t v = 0;

    for (size_t i = TRACE_ID_TEXT - 14; i < TRACE_ID_TEXT; i++)
        v = v << 4 | (lower_hex[(unsigned char)t->trace_id[i]] & 15);
    return v < threshold;
}
