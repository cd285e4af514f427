/*
 * response_errors.c - the errors of a response as its "errors" member.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf.
 * Not here: which errors there are (response.c adds those of fields).
 */
#include "execution/response.h"

#include "base/jwriter.h"
#include "tracking/fingerprint.h"

static void write_path(const struct path *p, struct buf *out)
{
    const struct path *elements[256]; /* deeper than any shape */
    size_t n = 0;

    for (; p != NULL && n < COUNT_OF(elements); p = p->parent)
        elements[n++] = p;
    buf_append_lit(out, ",\"path\":[");
    while (n > 0) {
        const struct path *e = elements[--n];

        if (e->index >= 0)
            buf_append_i64(out, e->index);
        else
            jwriter_string(out, e->key);
        if (n > 0)
            buf_append_char(out, ',');
    }
    buf_append_char(out, ']');
}

static void write_locations(const struct error *e, struct buf *out)
{
    buf_append_lit(out, ",\"locations\":[");
    for (size_t i = 0; i < e->nlocations; i++)
        buf_printf(out, "%s{\"line\":%u,\"column\":%u}", i > 0 ? "," : "", e->locations[i].line,
                   e->locations[i].column);
    buf_append_char(out, ']');
}

static void write_error(const struct error *e, struct str request_id, bool mask, struct buf *out)
{
    const struct error_code_info *info = error_code_info(e->code);
    bool masked = mask && info->masked;

    buf_append_lit(out, "{\"message\":");
    jwriter_string(out, masked ? STR("internal server error") : e->message);
    if (e->nlocations > 0)
        write_locations(e, out);
    if (e->path != NULL)
        write_path(e->path, out);
    buf_append_lit(out, ",\"extensions\":{\"code\":");
    jwriter_string(out, str_of(info->name));
    if (request_id.len > 0) {
        buf_append_lit(out, ",\"requestId\":");
        jwriter_string(out, request_id);
    }
    if (masked && e->identity != NULL) {
        buf_append_lit(out, ",\"errorId\":");
        jwriter_string(out, str_of(e->identity->error_id));
    }
    buf_append_lit(out, "}}");
}

void response_errors_member(const struct errors *errs, struct str request_id, bool mask,
                            struct buf *out)
{
    buf_append_lit(out, "\"errors\":[");
    for (const struct error *e = errs->first; e != NULL; e = e->next) {
        if (e != errs->first)
            buf_append_char(out, ',');
        write_error(e, request_id, mask, out);
    }
    buf_append_char(out, ']');
}

void response_errors(const struct errors *errs, struct str request_id, bool mask, struct buf *out)
{
    buf_append_char(out, '{');
    response_errors_member(errs, request_id, mask, out);
    buf_append_char(out, '}');
}

void response_add_errors(struct buf *body, const struct errors *errs, struct str request_id,
                         bool mask)
{
    struct buf errors;

    CHECK(buf_ok(body) && body->len > 2 && body->data[0] == '{');
    buf_init(&errors, 0);
    buf_append_char(&errors, '{');
    response_errors_member(errs, request_id, mask, &errors);
    buf_append_char(&errors, ',');
    body->max = 0;
    buf_grow(body, errors.len);
    memmove(body->data + errors.len, body->data + 1, body->len - 1);
    memcpy(body->data, errors.data, errors.len);
    body->len += errors.len - 1;
    buf_fini(&errors);
}
