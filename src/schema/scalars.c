/*
 * scalars.c - the tables of scalars and of PostgreSQL's types, and coercion of input.
 *
 * Thread:   any; constant.
 * Memory:   coerced text is in the arena given or points into the input.
 * Not here: output (execution/encode.c); enums and named scalars of other types (build.c).
 *
 * What is accepted here is still checked by PostgreSQL, so these functions need not know everything
 * a type refuses; but what they accept, they accept in one form for all versions and settings
 * (dates do not depend on DateStyle), and what cannot be right is refused before it takes a
 * connection.
 */
#include <errno.h>
#include <math.h>

#include "base/buf.h"
#include "base/jwriter.h"
#include "schema/operators.h"
#include "schema/scalartext.h"

/* What both kinds of input come down to. */
enum input_kind {
    INPUT_STRING,
    INPUT_NUMBER, /* as written: a literal Int or Float, a JSON number */
    INPUT_BOOLEAN,
    INPUT_OTHER,
};

struct input {
    enum input_kind kind;
    bool integer; /* INPUT_NUMBER: digits only */
    struct str text;
};

static bool digits_only(struct str s)
{
    size_t i = s.len && s.data[0] == '-';

    if (i == s.len)
        return false;
    for (; i < s.len; i++)
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    return true;
}

/* PostgreSQL's text cannot hold NUL. */
static bool has_nul(struct str s)
{
    return s.len > 0 && memchr(s.data, 0, s.len) != NULL;
}

static struct input input_of_json(const struct jval *v)
{
    struct input in = {.kind = INPUT_OTHER, .text = v->text};

    if (v->kind == JVAL_STRING && !has_nul(v->text))
        in.kind = INPUT_STRING;
    else if (v->kind == JVAL_NUMBER)
        in.kind = INPUT_NUMBER;
    else if (v->kind == JVAL_BOOL) {
        in.kind = INPUT_BOOLEAN;
        in.text = v->boolean ? STR("true") : STR("false");
    }
    in.integer = in.kind == INPUT_NUMBER && digits_only(v->text);
    return in;
}

static struct input input_of_literal(const struct ast_value *v)
{
    struct input in = {.kind = INPUT_OTHER, .text = v->text};

    if (v->kind == AST_STRING && !has_nul(v->text))
        in.kind = INPUT_STRING;
    else if (v->kind == AST_INT || v->kind == AST_FLOAT)
        in.kind = INPUT_NUMBER;
    else if (v->kind == AST_BOOLEAN) {
        in.kind = INPUT_BOOLEAN;
        in.text = v->boolean ? STR("true") : STR("false");
    }
    in.integer = v->kind == AST_INT;
    return in;
}

/* --- one rule per scalar: is it acceptable, and what is its text? ----------------------------- */

/* JSON has one kind of number, so 3.0 and 3e0 of a variable are integers; the literal 3.0 is not.
 */
static bool take_int(const struct input *in, bool json, struct arena *a, struct str *text)
{
    int64_t n;
    double d;

    if (in->kind != INPUT_NUMBER)
        return false;
    if (in->integer) {
        if (!str_to_i64(in->text, &n))
            return false;
    } else {
        if (!json || in->text.len > 64)
            return false;
        d = strtod(arena_dup(a, in->text).data, NULL);
        if (!(d >= INT32_MIN && d <= INT32_MAX) || d != floor(d))
            return false;
        n = (int64_t)d;
    }
    if (n < INT32_MIN || n > INT32_MAX)
        return false;
    *text = arena_printf(a, "%lld", (long long)n);
    return true;
}

static bool take_bigint(const struct input *in, bool json, struct arena *a, struct str *text)
{
    int64_t n;

    (void)json;
    if ((in->kind != INPUT_STRING && !in->integer) || !digits_only(in->text) ||
        !str_to_i64(in->text, &n))
        return false;
    *text = arena_printf(a, "%lld", (long long)n);
    return true;
}

static bool take_float(const struct input *in, bool json, struct arena *a, struct str *text)
{
    (void)json;
    if (in->kind != INPUT_NUMBER || !isfinite(strtod(arena_dup(a, in->text).data, NULL)))
        return false;
    *text = in->text;
    return true;
}

static bool take_decimal(const struct input *in, bool json, struct arena *a, struct str *text)
{
    (void)json;
    (void)a;
    *text = in->text;
    if (in->kind == INPUT_STRING && str_is(in->text, "NaN"))
        return true;
    return (in->kind == INPUT_NUMBER || in->kind == INPUT_STRING) && scalartext_decimal(in->text);
}

static bool take_string(const struct input *in, bool json, struct arena *a, struct str *text)
{
    (void)json;
    (void)a;
    *text = in->text;
    return in->kind == INPUT_STRING;
}

static bool take_boolean(const struct input *in, bool json, struct arena *a, struct str *text)
{
    (void)json;
    (void)a;
    *text = in->text;
    return in->kind == INPUT_BOOLEAN;
}

static bool take_id(const struct input *in, bool json, struct arena *a, struct str *text)
{
    (void)json;
    (void)a;
    *text = in->text;
    return in->kind == INPUT_STRING || in->integer;
}

static bool take_uuid(const struct input *in, bool json, struct arena *a, struct str *text)
{
    (void)json;
    return in->kind == INPUT_STRING && scalartext_uuid(in->text, a, text);
}

static bool take_bytes(const struct input *in, bool json, struct arena *a, struct str *text)
{
    (void)json;
    return in->kind == INPUT_STRING && scalartext_bytes(in->text, a, text);
}

/* Strings that pass a check, as they are. */
#define TAKE_CHECKED(name)                                                                        \
    static bool take_##name(const struct input *in, bool json, struct arena *a, struct str *text) \
    {                                                                                             \
        (void)json;                                                                               \
        (void)a;                                                                                  \
        *text = in->text;                                                                         \
        return in->kind == INPUT_STRING && scalartext_##name(in->text);                           \
    }                                                                                             \
    COERCIONS(name)

/* The two public forms of a rule. */
#define COERCIONS(name)                                                                            \
    static bool name##_json(const struct scalar *s, const struct jval *v, struct arena *a,         \
                            struct str *text)                                                      \
    {                                                                                              \
        struct input in = input_of_json(v);                                                        \
                                                                                                   \
        (void)s;                                                                                   \
        return take_##name(&in, true, a, text);                                                    \
    }                                                                                              \
                                                                                                   \
    static bool name##_literal(const struct scalar *s, const struct ast_value *v, struct arena *a, \
                               struct str *text)                                                   \
    {                                                                                              \
        struct input in = input_of_literal(v);                                                     \
                                                                                                   \
        (void)s;                                                                                   \
        return take_##name(&in, false, a, text);                                                   \
    }

COERCIONS(int)
COERCIONS(bigint)
COERCIONS(float)
COERCIONS(decimal)
COERCIONS(string)
COERCIONS(boolean)
COERCIONS(id)
COERCIONS(uuid)
COERCIONS(bytes)
TAKE_CHECKED(date)
TAKE_CHECKED(time)
TAKE_CHECKED(datetime)
TAKE_CHECKED(local_datetime)
TAKE_CHECKED(interval)
TAKE_CHECKED(address)
TAKE_CHECKED(network)
TAKE_CHECKED(mac)

/* Any JSON value at all. */
static bool document_json(const struct scalar *s, const struct jval *v, struct arena *a,
                          struct str *text)
{
    struct buf b;

    (void)s;
    buf_init(&b, 0);
    jval_write(v, &b);
    *text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return true;
}

static bool document_literal(const struct scalar *s, const struct ast_value *v, struct arena *a,
                             struct str *text)
{
    struct buf b;
    bool ok;

    (void)s;
    buf_init(&b, 0);
    ok = scalartext_write_literal(v, 0, &b);
    *text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return ok;
}

/* A list of numbers, which is pgvector's own form as well; or that form as a string. */
static bool vector_json(const struct scalar *s, const struct jval *v, struct arena *a,
                        struct str *text)
{
    if (v->kind == JVAL_STRING)
        return string_json(s, v, a, text);
    if (v->kind != JVAL_ARRAY)
        return false;
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i]->kind != JVAL_NUMBER)
            return false;
    return document_json(s, v, a, text);
}

static bool vector_literal(const struct scalar *s, const struct ast_value *v, struct arena *a,
                           struct str *text)
{
    if (v->kind == AST_STRING)
        return string_literal(s, v, a, text);
    if (v->kind != AST_LIST)
        return false;
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i]->kind != AST_INT && v->items[i]->kind != AST_FLOAT)
            return false;
    return document_literal(s, v, a, text);
}

/* --- tables ----------------------------------------------------------------------------------- */

#define RFC3339 "https://scalars.graphql.org/andimarek/date-time.html"

enum {
    EQUAL = FILTER_ANY | FILTER_EQUAL,
    ORDERED = EQUAL | FILTER_ORDERED,
    STRING = ORDERED | FILTER_STRING,
    DOCUMENT = EQUAL | FILTER_JSON,
    RANGE = EQUAL | FILTER_RANGE,
};

/* name, description, specified by, built in, filters of comparable columns, coercion of JSON and of
 * literals. Sorted by name. */
static const struct scalar scalars[] = {
  /* clang-format off */
    { STR_INIT("BigInt"), STR_INIT("A whole number of 64 bits, as a string."),
      STR_INIT(""), false, ORDERED, bigint_json, bigint_literal },
    { STR_INIT("BigIntRange"), STR_INIT("A range of BigInt, such as [1,10)."),
      STR_INIT(""), false, RANGE | FILTER_BIGINT_RANGE, string_json, string_literal },
    { STR_INIT("Boolean"), STR_INIT("True or false."),
      STR_INIT(""), true, EQUAL, boolean_json, boolean_literal },
    { STR_INIT("Bytes"), STR_INIT("Bytes in base64."),
      STR_INIT("https://www.rfc-editor.org/rfc/rfc4648#section-4"), false, EQUAL, bytes_json, bytes_literal },
    { STR_INIT("CIDR"), STR_INIT("An IPv4 or IPv6 network, such as 10.1.0.0/16."),
      STR_INIT("https://www.rfc-editor.org/rfc/rfc4632#section-3.1"), false, EQUAL | FILTER_NETWORK, network_json, network_literal },
    { STR_INIT("Date"), STR_INIT("A day, such as 2026-11-23."),
      STR_INIT("https://www.rfc-editor.org/rfc/rfc3339#section-5.6"), false, ORDERED, date_json, date_literal },
    { STR_INIT("DateRange"), STR_INIT("A range of Date, such as [2026-01-01,2027-01-01)."),
      STR_INIT(""), false, RANGE | FILTER_DATE_RANGE, string_json, string_literal },
    { STR_INIT("DateTime"), STR_INIT("A moment, such as 2026-11-23T06:13:04Z."),
      STR_INIT(RFC3339), false, ORDERED, datetime_json, datetime_literal },
    { STR_INIT("DateTimeRange"), STR_INIT("A range of DateTime."),
      STR_INIT(""), false, RANGE | FILTER_MOMENT_RANGE, string_json, string_literal },
    { STR_INIT("Decimal"), STR_INIT("A number of any precision, as a string."),
      STR_INIT(""), false, ORDERED, decimal_json, decimal_literal },
    { STR_INIT("DecimalRange"), STR_INIT("A range of Decimal."),
      STR_INIT(""), false, RANGE | FILTER_DECIMAL_RANGE, string_json, string_literal },
    { STR_INIT("Float"), STR_INIT("A number of double precision."),
      STR_INIT(""), true, ORDERED, float_json, float_literal },
    { STR_INIT("ID"), STR_INIT("An identifier, as a string."),
      STR_INIT(""), true, EQUAL, id_json, id_literal },
    { STR_INIT("Int"), STR_INIT("A whole number of 32 bits."),
      STR_INIT(""), true, ORDERED, int_json, int_literal },
    { STR_INIT("IntRange"), STR_INIT("A range of Int, such as [1,10)."),
      STR_INIT(""), false, RANGE | FILTER_INT_RANGE, string_json, string_literal },
    { STR_INIT("Interval"), STR_INIT("A duration, such as P1DT12H."),
      STR_INIT("https://www.rfc-editor.org/rfc/rfc3339#appendix-A"), false, ORDERED, interval_json, interval_literal },
    { STR_INIT("IpAddress"), STR_INIT("An IPv4 or IPv6 address, with or without the length of its network."),
      STR_INIT(""), false, EQUAL | FILTER_ADDRESS, address_json, address_literal },
    { STR_INIT("JSON"), STR_INIT("Any JSON value."),
      STR_INIT("https://www.rfc-editor.org/rfc/rfc8259"), false, DOCUMENT, document_json, document_literal },
    { STR_INIT("LTree"), STR_INIT("A path of labels, such as Top.Science.Astronomy."),
      STR_INIT(""), false, ORDERED | FILTER_LTREE, string_json, string_literal },
    { STR_INIT("LocalDateTime"), STR_INIT("A date and a time of day without zone, such as 2026-11-23T06:13:04."),
      STR_INIT(""), false, ORDERED, local_datetime_json, local_datetime_literal },
    { STR_INIT("LocalDateTimeRange"), STR_INIT("A range of LocalDateTime."),
      STR_INIT(""), false, RANGE | FILTER_LOCAL_RANGE, string_json, string_literal },
    { STR_INIT("MacAddress"), STR_INIT("The address of a network interface, such as 08:00:2b:01:02:03."),
      STR_INIT(""), false, EQUAL, mac_json, mac_literal },
    { STR_INIT("String"), STR_INIT("Text."),
      STR_INIT(""), true, STRING, string_json, string_literal },
    { STR_INIT("TSVector"), STR_INIT("A document prepared for full-text search."),
      STR_INIT(""), false, EQUAL | FILTER_TSVECTOR, string_json, string_literal },
    { STR_INIT("Time"), STR_INIT("A time of day, such as 06:13:04."),
      STR_INIT(""), false, ORDERED, time_json, time_literal },
    { STR_INIT("UUID"), STR_INIT("A universally unique identifier."),
      STR_INIT("https://www.rfc-editor.org/rfc/rfc9562"), false, EQUAL, uuid_json, uuid_literal },
    { STR_INIT("Vector"), STR_INIT("A vector: a list of numbers, such as [1, 2, 3]."),
      STR_INIT(""), false, EQUAL | FILTER_VECTOR, vector_json, vector_literal },
  /* clang-format on */
};

/* PostgreSQL's type, scalar, codec, cast of the SELECT, is it of an extension? Sorted by type. */
/* inet's cast to text adds "/32" to an address; name has no cast from it and so takes the output
 * form. */
static const struct scalar_mapping mappings[] = {
  /* clang-format off */
    { "bool",        "Boolean",            CODEC_BOOL,         "", false },
    { "bpchar",      "String",             CODEC_TEXT,         "", false },
    { "bytea",       "Bytes",              CODEC_BYTEA,        "", false },
    { "char",        "String",             CODEC_TEXT,         "::text", false },
    { "cidr",        "CIDR",               CODEC_TEXT,         "::text", false },
    { "citext",      "String",             CODEC_TEXT,         "", true },
    { "date",        "Date",               CODEC_DATE,         "", false },
    { "daterange",   "DateRange",          CODEC_TEXT,         "::text", false },
    { "float4",      "Float",              CODEC_FLOAT4,       "", false },
    { "float8",      "Float",              CODEC_FLOAT8,       "", false },
    { "inet",        "IpAddress",          CODEC_TEXT,         "::name", false },
    { "int2",        "Int",                CODEC_INT2,         "", false },
    { "int4",        "Int",                CODEC_INT4,         "", false },
    { "int4range",   "IntRange",           CODEC_TEXT,         "::text", false },
    { "int8",        "BigInt",             CODEC_INT8_STRING,  "", false },
    { "int8range",   "BigIntRange",        CODEC_TEXT,         "::text", false },
    { "interval",    "Interval",           CODEC_INTERVAL,     "", false },
    { "json",        "JSON",               CODEC_JSON,         "", false },
    { "jsonb",       "JSON",               CODEC_JSONB,        "", false },
    { "ltree",       "LTree",              CODEC_TEXT,         "::text", true },
    { "macaddr",     "MacAddress",         CODEC_TEXT,         "::text", false },
    { "macaddr8",    "MacAddress",         CODEC_TEXT,         "::text", false },
    { "name",        "String",             CODEC_TEXT,         "", false },
    { "numeric",     "Decimal",            CODEC_TEXT,         "::text", false },
    { "numrange",    "DecimalRange",       CODEC_TEXT,         "::text", false },
    { "oid",         "BigInt",             CODEC_INT8_STRING,  "::bigint", false },
    { "text",        "String",             CODEC_TEXT,         "", false },
    { "time",        "Time",               CODEC_TIME,         "", false },
    { "timestamp",   "LocalDateTime",      CODEC_TIMESTAMP,    "", false },
    { "timestamptz", "DateTime",           CODEC_TIMESTAMPTZ,  "", false },
    { "timetz",      "Time",               CODEC_TIMETZ,       "", false },
    { "tsrange",     "LocalDateTimeRange", CODEC_TEXT,         "::text", false },
    { "tstzrange",   "DateTimeRange",      CODEC_TEXT,         "::text", false },
    { "tsvector",    "TSVector",           CODEC_TEXT,         "::text", false },
    { "uuid",        "UUID",               CODEC_UUID,         "", false },
    { "varchar",     "String",             CODEC_TEXT,         "", false },
    { "vector",      "Vector",             CODEC_JSON,         "::text", true },
  /* clang-format on */
};

static int compare_scalar(const void *key, const void *row)
{
    const struct str *name = key;
    const struct scalar *s = row;

    return str_cmp(*name, s->name);
}

const struct scalar *scalar_find(struct str name)
{
    return bsearch(&name, scalars, COUNT_OF(scalars), sizeof(scalars[0]), compare_scalar);
}

size_t scalar_count(void)
{
    return COUNT_OF(scalars);
}

const struct scalar *scalar_at(size_t i)
{
    CHECK(i < COUNT_OF(scalars));
    return &scalars[i];
}

static int compare_mapping(const void *key, const void *row)
{
    const struct str *name = key;
    const struct scalar_mapping *m = row;

    return str_cmp(*name, str_of(m->pg_type));
}

const struct scalar_mapping *scalar_for_pg_type(struct str pg_type)
{
    return bsearch(&pg_type, mappings, COUNT_OF(mappings), sizeof(mappings[0]), compare_mapping);
}
