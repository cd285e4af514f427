/*
 * fetch.c - one document by HTTP, with a deadline and a cap. The only user of libcurl.
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

bool fetch_get(const struct fetch *f, struct buf *out, struct buf *why)
{
    CURL *curl;
    CURLcode code;
    long status = 0;

    CHECK(pthread_once(&once, setup) == 0);
    curl = curl_easy_init();
    CHECK(curl != NULL);
    buf_fini(out);
    buf_init(out, f->max_bytes);
    set_options(curl, f, out);
    code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (code == CURLE_WRITE_ERROR)
        buf_printf(why, "more than %zu bytes", f->max_bytes);
    else if (code != CURLE_OK)
        buf_printf(why, "%s", curl_easy_strerror(code));
    else if (status != 200)
        buf_printf(why, "status %ld", status);
    return code == CURLE_OK && status == 200;
}

struct library fetch_library(void)
{
    struct library l = {.name = "libcurl", .compiled = LIBCURL_VERSION};

    snprintf(l.running, sizeof(l.running), "%s", curl_version_info(CURLVERSION_NOW)->version);
    return l;
}
