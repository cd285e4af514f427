/*
 * reply.c - what the head of a reply says.
 *
 * Thread:   the loop's only.
 * Memory:   heads are written to the exchange's own buffer.
 * Not here: sending it (connection.c).
 */
#include "base/jwriter.h"
#include "http/state.h"

/* status, reason phrase; sorted by status */
static const struct {
    int status;
    const char *reason;
} reasons[] = {
  /* clang-format off */
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
  /* clang-format on */
};

/* HTTP status of this layer's own errors, code; every other is BAD_REQUEST */
static const struct {
    int status;
    enum error_code code;
} codes[] = {
  /* clang-format off */
    {408, TIMEOUT},
    {413, PAYLOAD_TOO_LARGE},
    {414, PAYLOAD_TOO_LARGE},
    {431, PAYLOAD_TOO_LARGE},
    {500, INTERNAL_SERVER_ERROR},
    {503, SERVICE_UNAVAILABLE},
  /* clang-format on */
};

static const char *reason_of(int status)
{
    size_t i;

    if (status == 200)
        return "OK";
    for (i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return ""; /* RFC 9112 section 4 allows none */
}

/* RFC 9110 section 5.6.7; made once a second. The C library's names depend on the locale. */
static struct str date_now(struct listener *ln)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t second = wall_clock_us() / 1000000;
    time_t when = (time_t)second;
    struct tm tm;

    if (second != ln->date_second && gmtime_r(&when, &tm) != NULL) {
        ln->date_second = second;
        snprintf(ln->date, sizeof(ln->date), "%s, %02u %s %04u %02u:%02u:%02u GMT",
                 days[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12],
                 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
                 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
    }
    return str_of(ln->date);
}

/* A header whose text could end the line is left out: it would be a second header, or a body. */
static void append_header(struct buf *b, struct str name, struct str value)
{
    if (!reqparse_is_token(name) || !reqparse_is_value(value)) {
        LOG(LOG_ERROR, "reply header left out", LOG_STR("name", name));
        return;
    }
    buf_append_str(b, name);
    buf_append_lit(b, ": ");
    buf_append_str(b, value);
    buf_append_lit(b, "\r\n");
}

static void append_status(struct buf *b, int status)
{
    buf_append_lit(b, "HTTP/1.1 ");
    buf_append_u64(b, (uint64_t)status);
    buf_append_char(b, ' ');
    buf_append_str(b, str_of(reason_of(status)));
    buf_append_lit(b, "\r\n");
}

void reply_head(struct exchange *x)
{
    struct listener *ln = x->ln;
    const struct http_reply *r = &x->reply;
    struct buf *b = &x->head;
    size_t i;

    CHECK(r->status >= 200 && r->status <= 599);
    x->closing = r->close || !x->keep_alive || ln->draining;
    append_status(b, r->status);
    buf_append_lit(b, "Date: ");
    buf_append_str(b, date_now(ln));
    buf_append_lit(b, "\r\n");
    if (ln->opt.server_header)
        buf_append_lit(b, "Server: fraiseqld\r\n");
    if (r->content_type.len > 0)
        append_header(b, STR("Content-Type"), r->content_type);
    /* RFC 9110 section 8.6: forbidden in 204; in 304 it would describe another reply. */
    if (r->status != 204 && r->status != 304) {
        buf_append_lit(b, "Content-Length: ");
        buf_append_u64(b, r->body.len);
        buf_append_lit(b, "\r\n");
    }
    if (ln->id_header != NULL)
        append_header(b, str_of(ln->id_header), x->id);
    for (i = 0; i < r->nheaders; i++)
        append_header(b, r->headers[i].name, r->headers[i].value);
    if (x->closing)
        buf_append_lit(b, "Connection: close\r\n");
    else if (x->request.http_1_0)
        buf_append_lit(b, "Connection: keep-alive\r\n");
    buf_append_lit(b, "\r\n");
}

void reply_fault_body(const struct http_fault *fault, struct buf *out)
{
    enum error_code code = BAD_REQUEST;
    size_t i;

    for (i = 0; i < COUNT_OF(codes); i++)
        if (codes[i].status == fault->status)
            code = codes[i].code;
    buf_append_lit(out, "{\"errors\":[{\"message\":");
    jwriter_string(out, str_of(fault->message));
    buf_append_lit(out, ",\"extensions\":{\"code\":");
    jwriter_string(out, str_of(error_code_info(code)->name));
    buf_append_lit(out, "}}]}");
}

void reply_fault(struct exchange *x, const struct http_fault *fault)
{
    buf_fini(&x->reply.body);
    memset(&x->reply, 0, sizeof(x->reply));
    buf_init(&x->reply.body, 0);
    reply_fault_body(fault, &x->reply.body);
    x->reply.status = fault->status;
    x->reply.content_type = STR("application/json");
    x->reply.close = true;
    if (x->id.len == 0)
        request_id_set(x, false);
    LOG(LOG_DEBUG, "refused request", LOG_STR("request_id", x->id),
        LOG_INT("status", fault->status), LOG_CSTR("reason", fault->message));
}
