/*
 * fetch.c - one request by HTTP, or one mail, with a deadline and a cap. The only user of libcurl.
 *
 * Thread:   any that may block; a handle for each call.
 */
#include "server/fetch.h"

#include "version.h"

#include <curl/curl.h>
#include <pthread.h>
#include <sys/socket.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void setup(void)
{
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == 0);
}

/* One call. */
struct transfer {
    const struct fetch *f;
    struct buf *out; /* NULL: what is answered is not kept */
    size_t nout;
    struct str unsent; /* of a mail */
    struct str host;
    bool allowed;               /* an address was connected to … */
    char refused[IP_TEXT_SIZE]; /* … or that one, among others, was not */
};

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;

    t->nout += size * n;
    if (t->out == NULL)
        return t->nout <= t->f->max_bytes ? size * n : 0;
    buf_append(t->out, data, size * n);
    return buf_ok(t->out) ? size * n : 0;
}

static size_t on_upload(char *to, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    size_t len = size_min(size * n, t->unsent.len);

    memcpy(to, t->unsent.data, len);
    t->unsent = str_sub(t->unsent, len, SIZE_MAX);
    return len;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct transfer *t = ctx;

    (void)a, (void)b, (void)c, (void)d;
    return t->f->stop != NULL && atomic_load(t->f->stop);
}

/* Each address is looked at as it is connected to: what a name meant before does not count. */
static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct transfer *t = ctx;
    struct ip_address ip;

    if (purpose != CURLSOCKTYPE_IPCXN || !ip_of(&to->addr, &ip))
        return CURL_SOCKET_BAD;
    if (!egress_allows(t->f->egress, t->host, &ip)) {
        (void)ip_format(&ip, t->refused);
        return CURL_SOCKET_BAD;
    }
    t->allowed = true;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static void set_options(CURL *curl, struct transfer *t)
{
    const struct fetch *f = t->f;

    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)f->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "fraiseqld/" FRAISEQLD_VERSION);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, NULL);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    if (f->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, f->ca_file);
    if (f->egress == NULL)
        return;
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, t);
}

static struct curl_slist *make_list(const char *const *items, size_t n)
{
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < n; i++) {
        struct curl_slist *more = curl_slist_append(list, items[i]);

        CHECK(more != NULL);
        list = more;
    }
    return list;
}

static void describe(const struct transfer *t, CURLcode code, long status, struct buf *why)
{
    if (code == CURLE_WRITE_ERROR)
        buf_printf(why, "more than %zu bytes", t->f->max_bytes);
    else if (t->refused[0] != '\0' && !t->allowed)
        buf_printf(why, "the address %s is not among those that may be sent to", t->refused);
    else if (status != 0)
        buf_printf(why, "%s, reply %ld", curl_easy_strerror(code), status);
    else
        buf_append_str(why, str_of(curl_easy_strerror(code)));
}

/* The URL as libcurl has parsed it: the host that is asked about is the one that is meant. */
static CURLcode perform_url(CURL *curl, CURLU *url, struct transfer *t)
{
    CURLcode code = CURLE_URL_MALFORMAT;
    char *host = NULL;

    if (curl_url_set(url, CURLUPART_URL, t->f->url, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        t->host = str_of(host);
        curl_easy_setopt(curl, CURLOPT_CURLU, url);
        code = curl_easy_perform(curl);
    }
    curl_free(host);
    t->host = STR("");
    return code;
}

static CURLcode perform(CURL *curl, struct transfer *t, const char *protocols, long *status,
                        uint64_t *after_ms)
{
    struct curl_slist *headers = make_list(t->f->headers, t->f->nheaders);
    curl_off_t after_s = 0;
    CURLU *url = curl_url();
    CURLcode code;

    CHECK(url != NULL);
    set_options(curl, t);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    code = perform_url(curl, url, t);
    *status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    if (after_ms != NULL && curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &after_s) == CURLE_OK)
        *after_ms = after_s > 0 ? (uint64_t)after_s * 1000 : 0;
    curl_easy_cleanup(curl);
    curl_url_cleanup(url);
    curl_slist_free_all(headers);
    return code;
}

static const char *http_protocols(const struct fetch *f)
{
    return f->allow_http ? "https,http" : "https";
}

/* The status; 0, with a reason, if there was no answer. */
static long exchange_http(CURL *curl, const struct fetch *f, struct buf *out, struct buf *why)
{
    struct transfer t = {.f = f, .out = out};
    CURLcode code;
    long status;

    buf_fini(out);
    buf_init(out, f->max_bytes);
    code = perform(curl, &t, http_protocols(f), &status, NULL);
    if (code == CURLE_OK)
        return status;
    describe(&t, code, 0, why);
    return 0;
}

static CURL *new_handle(void)
{
    CURL *curl;

    CHECK(pthread_once(&once, setup) == 0);
    curl = curl_easy_init();
    CHECK(curl != NULL);
    return curl;
}

static void set_body(CURL *curl, struct str body)
{
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data != NULL ? body.data : "");
}

static bool check_status(long status, long last, struct buf *why)
{
    if (status != 0 && (status < 200 || status > last))
        buf_printf(why, "status %ld", status);
    return status >= 200 && status <= last;
}

bool fetch_get(const struct fetch *f, struct buf *out, struct buf *why)
{
    return check_status(exchange_http(new_handle(), f, out, why), 200, why);
}

bool fetch_post(const struct fetch *f, struct str body, struct buf *out, struct buf *why)
{
    CURL *curl = new_handle();

    set_body(curl, body);
    return check_status(exchange_http(curl, f, out, why), 299, why);
}

/* What failed before anything was said. */
static enum fetch_outcome outcome_of(const struct transfer *t, CURLcode code)
{
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
        (t->refused[0] != '\0' && !t->allowed))
        return FETCH_REFUSED;
    return FETCH_TRY_AGAIN;
}

enum fetch_outcome fetch_deliver(const struct fetch *f, struct str body, uint64_t *after_ms,
                                 struct buf *why)
{
    struct transfer t = {.f = f};
    CURL *curl = new_handle();
    CURLcode code;
    long status;

    set_body(curl, body);
    code = perform(curl, &t, http_protocols(f), &status, after_ms);
    /* A status is an answer, whatever becomes of the rest. */
    if (check_status(status, 299, why))
        return FETCH_DONE;
    if (status == 0) {
        describe(&t, code, 0, why);
        return outcome_of(&t, code);
    }
    if (status >= 300 && status < 400)
        buf_append_lit(why, ", which is not followed");
    return status >= 500 || status == 408 || status == 425 || status == 429 ? FETCH_TRY_AGAIN
                                                                            : FETCH_REFUSED;
}

enum fetch_outcome fetch_mail(const struct fetch *f, const struct fetch_mail *m, struct buf *why)
{
    struct transfer t = {.f = f, .unsent = m->message};
    struct curl_slist *to = make_list(m->to, m->nto);
    CURL *curl = new_handle();
    CURLcode code;
    long status;

    curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(m->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, m->from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(curl, CURLOPT_READDATA, &t);
    if (m->user != NULL) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, m->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, m->password);
    }
    code = perform(curl, &t, "smtps,smtp", &status, NULL);
    curl_slist_free_all(to);
    if (code == CURLE_OK)
        return FETCH_DONE;
    describe(&t, code, status, why);
    /* RFC 5321 section 4.2.1: 5yz is for good. */
    return status >= 500 ? FETCH_REFUSED : outcome_of(&t, code);
}

struct str fetch_host(struct str url, struct arena *a)
{
    static const char *const schemes[] = {"https", "http", "smtps", "smtp"};
    char *host = NULL, *scheme = NULL;
    CURLU *parsed = curl_url();
    struct str found = STR("");

    CHECK(parsed != NULL);
    if (curl_url_set(parsed, CURLUPART_URL, arena_dup(a, url).data, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        for (size_t i = 0; i < COUNT_OF(schemes); i++)
            if (str_is(str_of(scheme), schemes[i]))
                found = arena_dup(a, str_of(host));
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return found;
}

struct library fetch_library(void)
{
    struct library l = {.name = "libcurl", .compiled = LIBCURL_VERSION};

    snprintf(l.running, sizeof(l.running), "%s", curl_version_info(CURLVERSION_NOW)->version);
    return l;
}
