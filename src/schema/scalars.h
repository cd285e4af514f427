/*
 * scalars.h - GraphQL scalars and PostgreSQL types: how values go in and come out.
 *
 * Thread:   any; constant tables.
 * Not here: writing JSON from binary values (execution/encode.c uses struct codec).
 */
#ifndef SCHEMA_SCALARS_H
#define SCHEMA_SCALARS_H

#include "base/error.h"
#include "base/jval.h"
#include "language/ast.h"

/* How a value in PostgreSQL's binary format becomes JSON. */
enum codec_kind {
    CODEC_BOOL,
    CODEC_INT2,
    CODEC_INT4,
    CODEC_INT8_STRING, /* int8 as a JSON string */
    CODEC_INT8_NUMBER,
    CODEC_FLOAT4,
    CODEC_FLOAT8,
    CODEC_TEXT, /* bytes are UTF-8 text (text, varchar, citext, and anything cast ::text): JSON
                   string */
    CODEC_TEXT_NUMBER, /* bytes are the text of a number: JSON number as it is (NaN and infinities
                          as strings) */
    CODEC_ID_INT2,     /* integer keys: JSON string */
    CODEC_ID_INT4,
    CODEC_ID_INT8,
    CODEC_UUID,
    CODEC_DATE,
    CODEC_TIME,
    CODEC_TIMETZ,
    CODEC_TIMESTAMP,   /* without zone: 2026-11-23T06:13:04.123456 */
    CODEC_TIMESTAMPTZ, /* RFC 3339 in UTC, "Z" */
    CODEC_INTERVAL,    /* ISO 8601 */
    CODEC_JSON,        /* text of JSON, passed through */
    CODEC_JSONB,       /* version byte, then as JSON */
    CODEC_BYTEA,       /* base64 */
    CODEC_ENUM,        /* label -> GraphQL name by `enum_type` (same text when NULL) */
    CODEC_ARRAY,       /* of `element`; any dimensions: nested lists */
};

/* How a value in a JSON document becomes the JSON of the scalar it is declared as. */
enum json_form {
    JSON_ANY,  /* as it is */
    JSON_TEXT, /* a string, as are all but numbers and booleans; those with a form are checked */
    JSON_ID,   /* a string, or a whole number, which becomes one */
    JSON_BOOLEAN,
    JSON_INT,
    JSON_BIGINT, /* a whole number or a string of one: a string */
    JSON_BIGINT_NUMBER,
    JSON_FLOAT,
    JSON_DECIMAL, /* a number or a string of one: a string */
    JSON_DECIMAL_NUMBER,
    JSON_ENUM,  /* label -> GraphQL name */
    JSON_BYTES, /* PostgreSQL's text of bytes: base64 */
    JSON_UUID,
    JSON_DATE,
    JSON_TIME,
    JSON_DATETIME,
    JSON_LOCAL_DATETIME,
    JSON_INTERVAL,
    JSON_ADDRESS,
    JSON_NETWORK,
    JSON_MAC,
};

struct type;

struct codec {
    enum codec_kind kind;
    enum json_form json;          /* when it is in a document */
    const struct codec *element;  /* CODEC_ARRAY */
    const struct type *enum_type; /* CODEC_ENUM */
    uint32_t type_oid;            /* of the values; 0: not known */
};

/* A GraphQL scalar. */
struct scalar {
    struct str name;
    struct str description;
    struct str specified_by; /* URL or empty */
    bool built_in;           /* Int Float String Boolean ID */
    unsigned filters;        /* enum filter_class bits (operators.h) of comparable columns */
    /*
     * Is this JSON value (from variables) or literal acceptable? On success *text is
     * what PostgreSQL gets as the text of a parameter (arena or borrowed).
     * JSON: strings, numbers, booleans; any value for the scalar JSON.
     */
    bool (*coerce_json)(const struct scalar *s, const struct jval *v, struct arena *a,
                        struct str *text);
    bool (*coerce_literal)(const struct scalar *s, const struct ast_value *v, struct arena *a,
                           struct str *text);
};

/* By GraphQL name; NULL if unknown. */
const struct scalar *scalar_find(struct str name);
size_t scalar_count(void);
const struct scalar *scalar_at(size_t i);

/* A row: PostgreSQL base type -> scalar, codec, and the cast its SELECT needs ("" or "::text"). */
struct scalar_mapping {
    const char *pg_type; /* pg_catalog name: "int4" */
    const char *scalar;  /* GraphQL name */
    enum codec_kind codec;
    const char *select_cast;
    bool extension; /* of an extension, in whatever schema; others are in pg_catalog */
};

/* NULL: an unknown type: a named scalar of its own, text form. */
const struct scalar_mapping *scalar_for_pg_type(struct str pg_type);

#endif
