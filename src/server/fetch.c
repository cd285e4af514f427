/*
 * fetch.c - one request by HTTP, with a deadline and a cap. The only user of libcurl.
 *
 * Thread:   any that may block; a handle for each call.
 */
#include "server/fetch.h"

#include "version.h"

#include <curl/curl.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void setup(void)
{
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == 0);
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct buf *out = ctx;

    buf_append(out, data, size * n);
    return buf_ok(out) ? size * n : 0;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct fetch *f = ctx;

    (void)a, (void)b, (void)c, (void)d;
    return f->stop != NULL && atomic_load(f->stop);
}

static void set_options(CURL *curl, const struct fetch *f, struct buf *out)
{
    curl_easy_setopt(curl, CURLOPT_URL, f->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, f->allow_http ? "https,http" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)f->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "fraiseqld/" FRAISEQLD_VERSION);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, NULL);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, f);
    if (f->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, f->ca_file);
}

static struct curl_slist *make_headers(const struct fetch *f)
{
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < f->nheaders; i++) {
        struct curl_slist *more = curl_slist_append(list, f->headers[i]);

        CHECK(more != NULL);
        list = more;
    }
    return list;
}

/* The status; 0, with a reason, if there was no answer. */
static long perform(CURL *curl, const struct fetch *f, struct buf *out, struct buf *why)
{
    struct curl_slist *headers = make_headers(f);
    CURLcode code;
    long status = 0;

    buf_fini(out);
    buf_init(out, f->max_bytes);
    set_options(curl, f, out);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    if (code == CURLE_OK)
        return status;
    if (code == CURLE_WRITE_ERROR)
        buf_printf(why, "more than %zu bytes", f->max_bytes);
    else
        buf_printf(why, "%s", curl_easy_strerror(code));
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

static bool check_status(long status, long last, struct buf *why)
{
    if (status != 0 && (status < 200 || status > last))
        buf_printf(why, "status %ld", status);
    return status >= 200 && status <= last;
}

bool fetch_get(const struct fetch *f, struct buf *out, struct buf *why)
{
    return check_status(perform(new_handle(), f, out, why), 200, why);
}

bool fetch_post(const struct fetch *f, struct str body, struct buf *out, struct buf *why)
{
    CURL *curl = new_handle();

    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data != NULL ? body.data : "");
    return check_status(perform(curl, f, out, why), 299, why);
}

struct library fetch_library(void)
{
    struct library l = {.name = "libcurl", .compiled = LIBCURL_VERSION};

    snprintf(l.running, sizeof(l.running), "%s", curl_version_info(CURLVERSION_NOW)->version);
    return l;
}
