/*
 * request.c - HTTP request to GraphQL request (GraphQL over HTTP, sections 4 and 5).
 *
 * Thread:   any.
 * Memory:   in the arena given, or pointing into the HTTP request.
 * Not here: status codes (graphql_endpoint.c).
 */
#include "server/request.h"

#include "http/quality.h"

static const struct jval_limits body_limits = {.max_depth = 64, .max_values = 100000};

/* --- Accept (RFC 9110 section 12.5.1) --------------------------------------------- */

struct preference { /* quality by the most specific range that matches */
    unsigned q;
    int specificity; /* -1: nothing matched */
};

static void prefer(struct preference *p, struct str range, const char *media, unsigned q)
{
    int specificity = str_eq_nocase(range, str_of(media))           ? 2
                      : str_eq_nocase(range, STR("application/*"))  ? 1
                      : str_eq(range, STR("*/*")) || range.len == 0 ? 0
                                                                    : -1;

    if (specificity > p->specificity)
        *p = (struct preference){q, specificity};
}

bool request_accept(struct str accept, enum request_media *out)
{
    struct preference json = {0, -1};
    struct preference graphql = {0, -1};
    struct str range;
    unsigned weight;

    *out = MEDIA_JSON;
    if (str_trim(accept).len == 0)
        return true;
    while (quality_next(&accept, &range, &weight)) {
        if (range.len == 0)
            continue;
        prefer(&json, range, "application/json", weight);
        prefer(&graphql, range, "application/graphql-response+json", weight);
    }
    if (graphql.specificity == 2 && graphql.q > 0 && (graphql.q >= json.q || json.specificity < 2))
        *out = MEDIA_GRAPHQL;
    else if (json.q == 0 && graphql.q > 0)
        *out = MEDIA_GRAPHQL;
    return json.q > 0 || graphql.q > 0;
}

/* --- the parts of a request ----------------------------------------------------------- */

static bool bad(struct errors *errs, const char *message)
{
    errors_add(errs, BAD_REQUEST, "%s", message);
    return false;
}

static bool text_member(const struct jval *body, struct str name, struct str *out,
                        struct errors *errs)
{
    const struct jval *v = jval_get(body, name);

    if (v == NULL || v->kind == JVAL_NULL)
        return true;
    if (v->kind != JVAL_STRING) {
        errors_add(errs, BAD_REQUEST, "\"%.*s\" must be a string", STR_ARG(name));
        return false;
    }
    *out = v->text;
    return true;
}

static bool object_member(const struct jval *body, struct str name, const struct jval **out,
                          struct errors *errs)
{
    const struct jval *v = jval_get(body, name);

    if (v == NULL || v->kind == JVAL_NULL)
        return true;
    if (v->kind != JVAL_OBJECT) {
        errors_add(errs, BAD_REQUEST, "\"%.*s\" must be an object", STR_ARG(name));
        return false;
    }
    *out = v;
    return true;
}

/* {"version": 1, "sha256Hash": "…"}, as Apollo's clients send it. */
static bool read_persisted(const struct jval *extensions, struct graphql_request *out,
                           struct errors *errs)
{
    const struct jval *persisted = NULL;
    const struct jval *version;

    if (!object_member(extensions, STR("persistedQuery"), &persisted, errs))
        return false;
    if (persisted == NULL)
        return true;
    version = jval_get(persisted, STR("version"));
    if (version == NULL || version->kind != JVAL_NUMBER || !str_is(version->text, "1"))
        return bad(errs, "unsupported persisted query version");
    if (!text_member(persisted, STR("sha256Hash"), &out->hash, errs))
        return false;
    return out->hash.data != NULL || bad(errs, "\"sha256Hash\" is missing");
}

static bool require_document(const struct graphql_request *r, struct errors *errs)
{
    if (r->query.data != NULL || r->hash.data != NULL || r->document_id.data != NULL)
        return true;
    return bad(errs, "the request has no \"query\"");
}

static bool check_key(struct str key, struct errors *errs)
{
    bool ok = key.len > 0 && key.len <= IDEMPOTENCY_KEY_MAX;

    for (size_t i = 0; i < key.len && ok; i++)
        ok = key.data[i] > ' ' && key.data[i] < 0x7f;
    if (!ok)
        errors_add(errs, BAD_REQUEST, "an idempotency key is 1 to %d visible characters of ASCII",
                   IDEMPOTENCY_KEY_MAX);
    return ok;
}

static bool read_extensions(const struct jval *extensions, struct graphql_request *out,
                            struct errors *errs)
{
    const struct jval *dry = jval_get(extensions, STR("dryRun"));

    if (dry != NULL && dry->kind != JVAL_NULL && dry->kind != JVAL_BOOL)
        return bad(errs, "\"dryRun\" must be true or false");
    out->dry_run = dry != NULL && dry->kind == JVAL_BOOL && dry->boolean;
    if (!read_persisted(extensions, out, errs))
        return false;
    if (!text_member(extensions, STR("idempotencyKey"), &out->idempotency_key, errs))
        return false;
    return out->idempotency_key.data == NULL || check_key(out->idempotency_key, errs);
}

bool request_idempotency(struct str header, struct graphql_request *out, struct errors *errs)
{
    struct str key = str_trim(header);

    if (header.data == NULL)
        return true;
    /* A string of structured fields (RFC 9651), as the header's draft has it; most send it bare. */
    if (key.len > 2 && key.data[0] == '"' && key.data[key.len - 1] == '"')
        key = str_sub(key, 1, key.len - 2);
    if (!check_key(key, errs))
        return false;
    if (out->idempotency_key.len > 0 && !str_eq(out->idempotency_key, key))
        return bad(errs, "the header Idempotency-Key and the extension idempotencyKey differ");
    out->idempotency_key = key;
    return true;
}

bool request_from_json(const struct jval *v, struct graphql_request *out, struct errors *errs)
{
    const struct jval *extensions = NULL;

    *out = (struct graphql_request){0};
    if (v->kind != JVAL_OBJECT)
        return bad(errs, "a request must be a JSON object");
    if (!text_member(v, STR("query"), &out->query, errs) ||
        !text_member(v, STR("documentId"), &out->document_id, errs) ||
        (out->document_id.data == NULL &&
         !text_member(v, STR("doc_id"), &out->document_id, errs)) ||
        !text_member(v, STR("operationName"), &out->operation_name, errs) ||
        !object_member(v, STR("variables"), &out->variables, errs) ||
        !object_member(v, STR("extensions"), &extensions, errs) ||
        !read_extensions(extensions, out, errs))
        return false;
    return require_document(out, errs);
}

/* application/json, in UTF-8 if it says. */
static bool is_json(struct str content_type)
{
    struct str media, parameters, one, value;

    str_cut(content_type, ';', &media, &parameters);
    if (!str_eq_nocase(str_trim(media), STR("application/json")))
        return false;
    while (parameters.len > 0) {
        str_cut(parameters, ';', &one, &parameters);
        if (!str_cut(str_trim(one), '=', &one, &value) || !str_eq_nocase(one, STR("charset")))
            continue;
        if (!str_eq_nocase(value, STR("utf-8")) && !str_eq_nocase(value, STR("\"utf-8\"")))
            return false;
    }
    return true;
}

static bool decode_post(const struct http_request *q, struct str content_type, struct arena *a,
                        struct graphql_request *out, const struct jval **batch, struct errors *errs)
{
    const struct jval *body;

    if (!is_json(content_type)) {
        errors_add(errs, UNSUPPORTED_MEDIA_TYPE, "the request body must be application/json");
        return false;
    }
    if (!jval_parse(q->body, &body_limits, a, &body, errs))
        return false;
    if (body->kind != JVAL_ARRAY)
        return request_from_json(body, out, errs);
    if (batch == NULL)
        return bad(errs, "batches of requests are not accepted");
    *batch = body;
    return true;
}

/* --- GET ------------------------------------------------------------------------------- */

bool request_percent_decode(struct str s, struct arena *a, struct str *out)
{
    char *to = arena_alloc_raw(a, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = s.len - i > 2 ? str_hex_value(s.data[i + 1]) : -1;
            int low = s.len - i > 2 ? str_hex_value(s.data[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        to[n++] = c;
    }
    *out = str_make(to, n);
    return str_is_utf8(*out);
}

static bool json_parameter(struct str text, struct arena *a, const struct jval **out,
                           struct errors *errs)
{
    const struct jval *v;

    if (text.len == 0)
        return true;
    if (!jval_parse(text, &body_limits, a, &v, errs))
        return false;
    if (v->kind == JVAL_NULL)
        return true;
    if (v->kind != JVAL_OBJECT)
        return bad(errs, "\"variables\" and \"extensions\" must be objects");
    *out = v;
    return true;
}

static bool decode_get(const struct http_request *q, struct arena *a, struct graphql_request *out,
                       struct errors *errs)
{
    struct str rest = q->query;
    struct str one, name, value;
    const struct jval *extensions = NULL;

    out->query_only = true;
    while (rest.len > 0) {
        str_cut(rest, '&', &one, &rest);
        str_cut(one, '=', &name, &value);
        if (!request_percent_decode(name, a, &name) || !request_percent_decode(value, a, &value))
            return bad(errs, "the query string is not percent-encoded UTF-8");
        if (str_is(name, "query"))
            out->query = value;
        else if (str_is(name, "operationName"))
            out->operation_name = value;
        else if (str_is(name, "documentId") || str_is(name, "doc_id"))
            out->document_id = value;
        else if (str_is(name, "variables") && !json_parameter(value, a, &out->variables, errs))
            return false;
        else if (str_is(name, "extensions") && !json_parameter(value, a, &extensions, errs))
            return false;
    }
    return read_persisted(extensions, out, errs) && require_document(out, errs);
}

bool request_decode(const struct http_request *q, struct str content_type, struct arena *a,
                    struct graphql_request *out, const struct jval **batch, struct errors *errs)
{
    *out = (struct graphql_request){0};
    if (batch != NULL)
        *batch = NULL;
    if (str_is(q->method, "POST"))
        return decode_post(q, content_type, a, out, batch, errs);
    if (str_is(q->method, "GET") || str_is(q->method, "HEAD"))
        return decode_get(q, a, out, errs);
    errors_add(errs, METHOD_NOT_ALLOWED, "the method must be GET or POST");
    return false;
}
