/*
 * encode.c - one value in PostgreSQL's binary format to JSON, by its codec.
 *
 * Thread:   any.
 * Not here: which codec a column has (schema/scalars.c), dates and times (encode_time.c).
 *
 * The bytes come from a server that is trusted to be PostgreSQL and no further:
 * every length is checked before it is used.
 */
#include "execution/encode.h"

#include "base/digits.h"
#include "base/jwriter.h"
#include "execution/encode_time.h"
#include "execution/wire.h"

#include <math.h>

#define MAX_ARRAY_DIMENSIONS 6 /* PostgreSQL's MAXDIM */

/* --- numbers ---------------------------------------------------------------------------- */

static void append_integer(struct buf *out, int64_t v, bool as_string)
{
    if (as_string)
        buf_append_char(out, '"');
    buf_append_i64(out, v);
    if (as_string)
        buf_append_char(out, '"');
}

static __attribute__((noinline)) bool encode_integer(struct pgvalue v, int32_t size, bool as_string,
                                                     struct buf *out)
{
    if (v.len != size)
        return false;
    if (size == 2)
        append_integer(out, (int16_t)wire_u16(v.data), as_string);
    else if (size == 4)
        append_integer(out, (int32_t)wire_u32(v.data), as_string);
    else
        append_integer(out, (int64_t)wire_u64(v.data), as_string);
    return true;
}

static __attribute__((noinline)) bool encode_float4(struct pgvalue v, struct buf *out)
{
    char text[32];
    uint32_t bits;
    float f;

    if (v.len != 4)
        return false;
    bits = wire_u32(v.data);
    memcpy(&f, &bits, sizeof f);
    if (!isfinite(f))
        return false;
    /* The shortest text that reads back as the same float; as a double it would be longer. */
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)f);
        if (strtof(text, NULL) == f)
            break;
    }
    buf_append(out, text, strlen(text));
    return true;
}

static __attribute__((noinline)) bool encode_float8(struct pgvalue v, struct buf *out)
{
    uint64_t bits;
    double d;

    if (v.len != 8)
        return false;
    bits = wire_u64(v.data);
    memcpy(&d, &bits, sizeof d);
    if (!isfinite(d))
        return false;
    jwriter_double(out, d);
    return true;
}

/* numeric as its own text. NaN and Infinity, which JSON has not, become strings. */
static __attribute__((noinline)) void encode_number_text(struct str text, struct buf *out)
{
    bool number = text.len > 0;

    for (size_t i = 0; number && i < text.len; i++)
        number = (text.data[i] >= '0' && text.data[i] <= '9') || text.data[i] == '.' ||
                 (i == 0 && text.data[i] == '-' && text.len > 1);
    if (number)
        buf_append_str(out, text);
    else
        jwriter_string(out, text);
}

/* --- others ------------------------------------------------------------------------------ */

static __attribute__((noinline)) bool encode_bool(struct pgvalue v, struct buf *out)
{
    if (v.len != 1)
        return false;
    jwriter_bool(out, v.data[0] != 0);
    return true;
}

static __attribute__((noinline)) bool encode_uuid(struct pgvalue v, struct buf *out)
{
    char *to;

    if (v.len != 16)
        return false;
    to = buf_reserve(out, UUID_TEXT + 2);
    if (to == NULL)
        return true; /* the buf remembers */
    *to = '"';
    *digits_uuid(to + 1, (const unsigned char *)v.data) = '"';
    out->len += UUID_TEXT + 2;
    return true;
}

static __attribute__((noinline)) bool encode_enum(const struct codec *c, struct str label,
                                                  struct buf *out)
{
    const struct type *t = c->enum_type;

    if (t == NULL) {
        jwriter_string(out, label);
        return true;
    }
    for (size_t i = 0; i < t->nvalues; i++) {
        if (str_eq(t->values[i].label, label)) {
            jwriter_string(out, t->values[i].name);
            return true;
        }
    }
    return false; /* added since the schema was read */
}

static __attribute__((noinline)) bool encode_json(struct str text, struct buf *out)
{
    if (text.len == 0)
        return false;
    buf_append_str(out, text);
    return true;
}

static __attribute__((noinline)) bool encode_jsonb(struct pgvalue v, struct buf *out)
{
    if (v.len < 2 || v.data[0] != 1) /* version */
        return false;
    buf_append(out, v.data + 1, (size_t)v.len - 1);
    return true;
}

/* --- arrays -------------------------------------------------------------------------------- */

/* What is left of a value. */
struct reader {
    const char *next;
    const char *end;
    uint32_t type; /* of the values, in an array */
};

static bool read_i32(struct reader *r, int32_t *out)
{
    if (r->end - r->next < 4)
        return false;
    *out = (int32_t)wire_u32(r->next);
    r->next += 4;
    return true;
}

/* A length and that many bytes; -1 for null. */
static bool read_value(struct reader *r, struct pgvalue *out)
{
    if (!read_i32(r, &out->len) || out->len < -1 || out->len > r->end - r->next)
        return false;
    out->data = r->next;
    out->type = r->type;
    if (out->len > 0)
        r->next += out->len;
    return true;
}

/* Number of dimensions and their sizes. */
static bool read_array_header(struct reader *r, int32_t *ndim, int32_t sizes[MAX_ARRAY_DIMENSIONS])
{
    int32_t ignored, type;

    if (!read_i32(r, ndim) || *ndim < 0 || *ndim > MAX_ARRAY_DIMENSIONS ||
        !read_i32(r, &ignored) || /* flags */
        !read_i32(r, &type))
        return false;
    r->type = (uint32_t)type;
    for (int32_t i = 0; i < *ndim; i++)
        if (!read_i32(r, &sizes[i]) || sizes[i] < 0 || !read_i32(r, &ignored)) /* lower bound */
            return false;
    return true;
}

/* Recursion is bounded by the number of dimensions, which is at most 6. */
static bool encode_dimension(const struct codec *element, struct reader *r, const int32_t *sizes,
                             int32_t ndim, struct buf *out)
{
    buf_append_char(out, '[');
    for (int32_t i = 0; i < sizes[0]; i++) {
        struct pgvalue v;

        if (i > 0)
            buf_append_char(out, ',');
        if (ndim > 1) {
            if (!encode_dimension(element, r, sizes + 1, ndim - 1, out))
                return false;
            continue;
        }
        if (!read_value(r, &v))
            return false;
        if (v.len < 0)
            buf_append_lit(out, "null");
        else if (!encode_value(element, v, out))
            return false;
    }
    buf_append_char(out, ']');
    /* A size of many millions with an inner size of 0 has no bytes to run out of. */
    return buf_ok(out);
}

static __attribute__((noinline)) bool encode_array(const struct codec *c, struct pgvalue v,
                                                   struct buf *out)
{
    struct reader r = {v.data, v.data + v.len, 0};
    int32_t sizes[MAX_ARRAY_DIMENSIONS];
    int32_t ndim;

    if (!read_array_header(&r, &ndim, sizes))
        return false;
    for (int32_t i = 0; i < ndim; i++)
        if (sizes[i] == 0)
            return false; /* PostgreSQL writes an empty array without dimensions */
    if (ndim == 0) {
        buf_append_lit(out, "[]");
        return r.next == r.end;
    }
    return encode_dimension(c->element, &r, sizes, ndim, out) && r.next == r.end;
}

bool encode_array_begin(struct pgvalue v, struct encode_array *it)
{
    struct reader r = {v.data, v.data + (v.len > 0 ? v.len : 0), 0};
    int32_t sizes[MAX_ARRAY_DIMENSIONS];
    int32_t ndim;

    if (!read_array_header(&r, &ndim, sizes) || ndim > 1)
        return false;
    *it = (struct encode_array){r.next, r.end, ndim == 0 ? 0 : sizes[0], r.type};
    return true;
}

bool encode_array_next(struct encode_array *it, struct pgvalue *out)
{
    struct reader r = {it->next, it->end, it->type};

    CHECK(it->left > 0);
    if (!read_value(&r, out))
        return false;
    it->next = r.next;
    it->left--;
    return true;
}

int encode_record(struct pgvalue record, struct pgvalue *out, size_t max)
{
    struct reader r = {record.data, record.data + (record.len > 0 ? record.len : 0), 0};
    int32_t n, type;

    if (!read_i32(&r, &n) || n < 0 || (size_t)n > max)
        return -1;
    for (int32_t i = 0; i < n; i++) {
        if (!read_i32(&r, &type) || !read_value(&r, &out[i]))
            return -1;
        out[i].type = (uint32_t)type;
    }
    return r.next == r.end ? n : -1;
}

/* --- types -------------------------------------------------------------------------------------
 */

#define FIRST_OF_USERS 16384 /* oids of types that do not come with PostgreSQL */
#define TYPE_TEXT      25
#define TYPE_VARCHAR   1043

/* The one type that a codec reads; 0: several, by their text. */
static const uint32_t type_of[] = {
    [CODEC_BOOL] = 16,        [CODEC_INT2] = 21,        [CODEC_INT4] = 23,
    [CODEC_INT8_STRING] = 20, [CODEC_INT8_NUMBER] = 20, [CODEC_FLOAT4] = 700,
    [CODEC_FLOAT8] = 701,     [CODEC_TEXT] = 0,         [CODEC_TEXT_NUMBER] = 0,
    [CODEC_ID_INT2] = 21,     [CODEC_ID_INT4] = 23,     [CODEC_ID_INT8] = 20,
    [CODEC_UUID] = 2950,      [CODEC_DATE] = 1082,      [CODEC_TIME] = 1083,
    [CODEC_TIMETZ] = 1266,    [CODEC_TIMESTAMP] = 1114, [CODEC_TIMESTAMPTZ] = 1184,
    [CODEC_INTERVAL] = 1186,  [CODEC_JSON] = 0,         [CODEC_JSONB] = 3802,
    [CODEC_BYTEA] = 17,       [CODEC_ENUM] = 0,         [CODEC_ARRAY] = 0,
};

/* A type that is not the codec's own. In a record a domain stands for its base type, of which
 * nothing is told. */
static __attribute__((noinline)) bool fits_otherwise(const struct codec *c, uint32_t v)
{
    uint32_t type = type_of[c->kind];

    if (v == 0)
        return true;
    /* The least or greatest of what is like text is text. */
    if (v == TYPE_TEXT || v == TYPE_VARCHAR)
        return type == 0 && c->kind != CODEC_ARRAY;
    if (c->type_oid != 0)
        return v == c->type_oid;
    if (v >= FIRST_OF_USERS)
        return true;
    if (type != 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(type_of); i++)
        if (type_of[i] == v)
            return false; /* its bytes are not text, nor an array */
    return true;
}

static inline bool fits_as_usual(const struct codec *c, struct pgvalue v)
{
    return v.type == type_of[c->kind] || (c->kind == CODEC_TEXT && v.type == TYPE_TEXT);
}

bool encode_fits(const struct codec *c, struct pgvalue v)
{
    return fits_as_usual(c, v) || fits_otherwise(c, v.type);
}

/* --- the table ----------------------------------------------------------------------------------
 */

/* All that needs more than registers is in functions of its own, so that this is but a jump to
 * one of them. */
static __attribute__((noinline)) bool encode_fitting(const struct codec *c, struct pgvalue v,
                                                     struct buf *out)
{
    struct str text = str_make(v.data, (size_t)v.len);

    switch (c->kind) {
    case CODEC_BOOL:
        return encode_bool(v, out);
    case CODEC_INT2:
    case CODEC_ID_INT2:
        return encode_integer(v, 2, c->kind == CODEC_ID_INT2, out);
    case CODEC_INT4:
    case CODEC_ID_INT4:
        return encode_integer(v, 4, c->kind == CODEC_ID_INT4, out);
    case CODEC_INT8_NUMBER:
        return encode_integer(v, 8, false, out);
    case CODEC_INT8_STRING:
    case CODEC_ID_INT8:
        return encode_integer(v, 8, true, out);
    case CODEC_FLOAT4:
        return encode_float4(v, out);
    case CODEC_FLOAT8:
        return encode_float8(v, out);
    case CODEC_TEXT:
        jwriter_string(out, text);
        return true;
    case CODEC_TEXT_NUMBER:
        encode_number_text(text, out);
        return true;
    case CODEC_UUID:
        return encode_uuid(v, out);
    case CODEC_DATE:
    case CODEC_TIME:
    case CODEC_TIMETZ:
    case CODEC_TIMESTAMP:
    case CODEC_TIMESTAMPTZ:
    case CODEC_INTERVAL:
        return encode_time(c->kind, v, out);
    case CODEC_JSON:
        return encode_json(text, out);
    case CODEC_JSONB:
        return encode_jsonb(v, out);
    case CODEC_BYTEA:
        jwriter_base64(out, text);
        return true;
    case CODEC_ENUM:
        return encode_enum(c, text, out);
    case CODEC_ARRAY:
        return encode_array(c, v, out);
    }
    return false;
}

bool encode_value(const struct codec *c, struct pgvalue v, struct buf *out)
{
    CHECK(v.len >= 0);
    if (__builtin_expect(!fits_as_usual(c, v), 0) && !fits_otherwise(c, v.type))
        return false;
    return encode_fitting(c, v, out);
}
