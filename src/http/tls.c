/*
 * tls.c - a certificate with its key, and the sessions of clients that connect under it.
 *
 * Thread:   see tls.h.
 * Memory:   see tls.h.
 * Not here: see tls.h.
 *
 * OpenSSL reads and writes the descriptor itself: a buffer in between would be one more copy.
 * Its queue of errors is the thread's: each call begins with an empty one, so that what another
 * module left there is not taken for a failure of the session.
 */
#include "http/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/readfile.h"
#include "metrics/metrics.h"

#define MAX_PEM ((size_t)1024 * 1024)
/* The most that one record holds (RFC 8446 section 5.1). */
#define MAX_RECORD 16384
/* Records sent before others get their turn. */
#define MAX_ROUND 16
/* With forward secrecy and authenticated encryption only. TLS 1.3 has no others. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct tls {
    SSL_CTX *ctx; /* owned */
    int64_t begins, ends;
    bool exposed;        /* everybody may read the key */
    struct arena *arena; /* owned */
    struct arena *files; /* owned; while they are read */
    struct str cert_file, key_file, subject;
};

/* --- files ------------------------------------------------------------------------------ */

static bool fail(struct errors *errs, const char *key, struct str file, const char *what)
{
    errors_add(errs, CONFIG_INVALID, "server.tls.%s: \"%.*s\" %s", key, STR_ARG(file), what);
    return false;
}

/* OpenSSL's own words, when there are any. */
static bool fail_because(struct errors *errs, const char *key, struct str file, const char *what)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    char text[256];

    snprintf(text, sizeof(text), "%s%s%s", what, why != NULL ? ": " : "", why != NULL ? why : "");
    return fail(errs, key, file, text);
}

static BIO *read_pem(struct tls *t, struct str file, const char *key, struct errors *errs)
{
    struct arena *a = t->files;
    struct str text;
    char why[128];
    BIO *b;

    if (!readfile(file.data, MAX_PEM, a, &text)) {
        errors_add(errs, CONFIG_INVALID, "server.tls.%s: could not read \"%.*s\": %s", key,
                   STR_ARG(file), strerror_r(errno, why, sizeof(why)));
        return NULL;
    }
    if (text.len > MAX_PEM) {
        fail(errs, key, file, "is larger than 1MiB");
        return NULL;
    }
    b = BIO_new_mem_buf(text.data, (int)text.len);
    CHECK(b != NULL);
    return b;
}

/* OpenSSL would ask on the terminal. */
static int no_passphrase(char *to, int size, int writing, void *ctx)
{
    (void)to;
    (void)size;
    (void)writing;
    *(bool *)ctx = true;
    return -1;
}

static int64_t unix_time(const ASN1_TIME *t)
{
    struct tm tm;

    return t != NULL && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void describe(struct tls *t, X509 *leaf)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *text;
    long len;

    CHECK(b != NULL);
    X509_NAME_print_ex(b, X509_get_subject_name(leaf), 0, XN_FLAG_RFC2253);
    len = BIO_get_mem_data(b, &text);
    t->subject = arena_dup(t->arena, str_make(text, len > 0 ? (size_t)len : 0));
    BIO_free(b);
    t->begins = unix_time(X509_get0_notBefore(leaf));
    t->ends = unix_time(X509_get0_notAfter(leaf));
}

/* Those behind the first are what leads from it to a root. */
static bool take_chain(struct tls *t, BIO *b, struct errors *errs)
{
    X509 *x;

    while ((x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(t->ctx, x) == 1)
            continue;
        X509_free(x);
        return fail_because(errs, "cert_file", t->cert_file, "has a certificate that is refused");
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return fail_because(errs, "cert_file", t->cert_file, "is damaged");
    ERR_clear_error();
    return true;
}

/* The first one, or NULL. */
static X509 *take_certificate(struct tls *t, struct errors *errs)
{
    BIO *b = read_pem(t, t->cert_file, "cert_file", errs);
    X509 *leaf = NULL;
    bool ok = false;

    if (b == NULL)
        return NULL;
    leaf = PEM_read_bio_X509(b, NULL, NULL, NULL);
    if (leaf == NULL)
        fail_because(errs, "cert_file", t->cert_file, "has no certificate in PEM");
    else if (SSL_CTX_use_certificate(t->ctx, leaf) != 1)
        fail_because(errs, "cert_file", t->cert_file, "has a certificate that is refused");
    else
        ok = take_chain(t, b, errs);
    BIO_free(b);
    if (ok)
        return leaf;
    X509_free(leaf);
    return NULL;
}

static bool take_key(struct tls *t, X509 *leaf, struct errors *errs)
{
    BIO *b = read_pem(t, t->key_file, "key_file", errs);
    bool asked = false, ok = false;
    struct stat st;
    EVP_PKEY *key;
    char what[512], *text;
    long len;

    if (b == NULL)
        return false;
    len = BIO_get_mem_data(b, &text);
    key = PEM_read_bio_PrivateKey(b, NULL, no_passphrase, &asked);
    snprintf(what, sizeof(what), "is not the key of the certificate in \"%.*s\"",
             STR_ARG(t->cert_file));
    if (asked)
        fail(errs, "key_file", t->key_file, "has a passphrase, which nobody could enter");
    else if (key == NULL)
        fail_because(errs, "key_file", t->key_file, "has no private key in PEM");
    else if (X509_check_private_key(leaf, key) != 1)
        fail(errs, "key_file", t->key_file, what);
    else if (SSL_CTX_use_PrivateKey(t->ctx, key) != 1)
        fail_because(errs, "key_file", t->key_file, "has a key that is refused");
    else
        ok = true;
    OPENSSL_cleanse(text, (size_t)len);
    t->exposed = stat(t->key_file.data, &st) == 0 && (st.st_mode & S_IROTH);
    EVP_PKEY_free(key);
    BIO_free(b);
    return ok;
}

static bool take_clients(struct tls *t, const struct tls_options *opt, struct errors *errs)
{
    struct str file = arena_dup(t->arena, opt->client_ca_file);
    int mode = SSL_VERIFY_PEER;
    size_t n = 0;
    BIO *b;
    X509 *x;

    if (opt->client_auth == TLS_CLIENT_NONE)
        return true;
    b = read_pem(t, file, "client_ca_file", errs);
    if (b == NULL)
        return false;
    while ((x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
        CHECK(X509_STORE_add_cert(SSL_CTX_get_cert_store(t->ctx), x) == 1);
        CHECK(SSL_CTX_add_client_CA(t->ctx, x) == 1);
        X509_free(x);
        n++;
    }
    BIO_free(b);
    if (n == 0)
        return fail_because(errs, "client_ca_file", file, "has no certificate in PEM");
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return fail_because(errs, "client_ca_file", file, "is damaged");
    if (opt->client_auth == TLS_CLIENT_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(t->ctx, mode, NULL);
    return true;
}

/* --- what is spoken ------------------------------------------------------------------------ */

static bool take_ciphers(struct tls *t, struct str list, struct errors *errs)
{
    struct buf old = {0}, new = {0};
    struct str rest = list, name;
    bool ok;

    while (rest.len > 0) {
        struct buf *to;

        str_cut(rest, ':', &name, &rest);
        to = str_starts(name, STR("TLS_")) ? &new : &old;
        buf_printf(to, "%s%.*s", to->len > 0 ? ":" : "", STR_ARG(name));
    }
    ok = SSL_CTX_set_cipher_list(t->ctx, old.len > 0 ? buf_cstr(&old) : CIPHERS) == 1 &&
         (new.len == 0 || SSL_CTX_set_ciphersuites(t->ctx, buf_cstr(&new)) == 1);
    if (!ok)
        errors_add(errs, CONFIG_INVALID,
                   "server.tls.ciphers: \"%.*s\" is not a list of ciphers that OpenSSL has",
                   STR_ARG(list))
            ->hint = STR("see \"openssl ciphers -v\"");
    buf_fini(&old);
    buf_fini(&new);
    return ok;
}

/* A client that names protocols, but not ours, could not understand our answers (RFC 7301). */
static int choose_protocol(SSL *s, const unsigned char **out, unsigned char *len,
                           const unsigned char *in, unsigned int n, void *ctx)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;

    (void)s;
    (void)ctx;
    if (SSL_select_next_proto(&chosen, len, ours, sizeof(ours) - 1, in, n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static void set_protocol(struct tls *t, const struct tls_options *opt)
{
    static const unsigned char id[] = "fraiseqld";
    SSL_CTX *ctx = t->ctx;

    CHECK(SSL_CTX_set_min_proto_version(ctx, opt->only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION));
    /* A ticket holds the whole session, so there is nothing to store. */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    CHECK(SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1) == 1);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    /* Each record that holds no data gives the loop back: a flood of them is nobody else's. */
    SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
}

struct tls *tls_open(const struct tls_options *opt, struct errors *errs)
{
    struct tls *t = xcalloc(1, sizeof(*t));
    X509 *leaf;
    bool ok;

    ERR_clear_error();
    t->arena = arena_new(0);
    t->files = arena_new(0);
    t->cert_file = arena_dup(t->arena, opt->cert_file);
    t->key_file = arena_dup(t->arena, opt->key_file);
    t->ctx = SSL_CTX_new(TLS_server_method());
    CHECK(t->ctx != NULL);
    set_protocol(t, opt);
    leaf = take_certificate(t, errs);
    ok = leaf != NULL && take_key(t, leaf, errs);
    /* Each has its own error, and one need not be mended before the next is said. */
    ok = take_clients(t, opt, errs) && ok;
    ok = take_ciphers(t, opt->ciphers, errs) && ok;
    if (ok)
        describe(t, leaf);
    X509_free(leaf);
    arena_free(t->files);
    t->files = NULL;
    ERR_clear_error();
    if (ok)
        return t;
    tls_free(t);
    return NULL;
}

void tls_free(struct tls *t)
{
    if (t == NULL)
        return;
    SSL_CTX_free(t->ctx);
    arena_free(t->arena);
    xfree(t);
}

void tls_announce(const struct tls *t)
{
    int64_t now = (int64_t)time(NULL);
    time_t ends = (time_t)t->ends;
    char text[32] = "";
    struct tm tm;

    if (gmtime_r(&ends, &tm) != NULL)
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    metric_gauge_set(GAUGE_TLS_CERTIFICATE_EXPIRY, (double)t->ends);
    LOG(LOG_INFO, "certificate in use", LOG_STR("file", t->cert_file),
        LOG_STR("subject", t->subject), LOG_CSTR("expires", text));
    if (t->ends <= now)
        LOG(LOG_WARN, "certificate has expired", LOG_STR("file", t->cert_file),
            LOG_CSTR("expires", text));
    if (t->begins > now)
        LOG(LOG_WARN, "certificate is not valid yet", LOG_STR("file", t->cert_file));
    if (t->exposed)
        LOG(LOG_WARN, "private key can be read by everybody", LOG_STR("file", t->key_file));
}

/* --- sessions ---------------------------------------------------------------------------- */

struct ssl_st *tls_accept(const struct tls *t, int fd)
{
    SSL *s = SSL_new(t->ctx);

    CHECK(s != NULL && SSL_set_fd(s, fd) == 1);
    SSL_set_accept_state(s);
    return s;
}

enum tls_step tls_handshake(struct ssl_st *s)
{
    const char *why;
    int rc;

    ERR_clear_error();
    rc = SSL_do_handshake(s);
    if (rc == 1) {
        metric_add(
            SSL_session_reused(s) ? METRIC_TLS_HANDSHAKES_RESUMED : METRIC_TLS_HANDSHAKES_FULL, 1);
        return TLS_DONE;
    }
    switch (SSL_get_error(s, rc)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    default:
        break;
    }
    metric_add(METRIC_TLS_HANDSHAKES_FAILED, 1);
    why = ERR_reason_error_string(ERR_peek_error());
    LOG(LOG_DEBUG, "TLS handshake failed", LOG_CSTR("error", why != NULL ? why : "client left"));
    return ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST ? TLS_NOT_TLS : TLS_FAILED;
}

static ssize_t failure(SSL *s)
{
    int why = SSL_get_error(s, 0);

    if (why == SSL_ERROR_ZERO_RETURN)
        return 0;
    /* Also to write while reading, to answer a change of keys: the next call does it. */
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return -1;
}

ssize_t tls_recv(struct ssl_st *s, char *to, size_t n)
{
    size_t got;

    ERR_clear_error();
    return SSL_read_ex(s, to, n, &got) == 1 ? (ssize_t)got : failure(s);
}

/* The next record of both from `at`: a head is not worth one of its own, nor a packet. The same
 * bytes come again after EAGAIN, as OpenSSL demands. */
static struct str next_record(struct str first, struct str second, size_t at,
                              char joined[MAX_RECORD])
{
    struct str head = str_sub(first, at, first.len);
    struct str body = str_sub(second, at > first.len ? at - first.len : 0, second.len);

    if (head.len >= MAX_RECORD || body.len == 0)
        return str_sub(head, 0, MAX_RECORD);
    body.len = size_min(body.len, MAX_RECORD - head.len);
    if (head.len == 0)
        return body;
    memcpy(joined, head.data, head.len);
    memcpy(joined + head.len, body.data, body.len);
    return str_make(joined, head.len + body.len);
}

ssize_t tls_send(struct ssl_st *s, struct str first, struct str second)
{
    size_t total = first.len + second.len, sent = 0, n;
    char joined[MAX_RECORD];

    for (size_t i = 0; i < MAX_ROUND && sent < total; i++) {
        struct str record = next_record(first, second, sent, joined);

        ERR_clear_error();
        if (SSL_write_ex(s, record.data, record.len, &n) != 1)
            return sent > 0 ? (ssize_t)sent : failure(s);
        sent += n;
    }
    return (ssize_t)sent;
}

size_t tls_pending(const struct ssl_st *s)
{
    return (size_t)SSL_pending(s);
}

void tls_close(struct ssl_st *s)
{
    ERR_clear_error();
    /* Harmless where the session has failed or never began. */
    (void)SSL_shutdown(s);
    SSL_free(s);
    ERR_clear_error();
}
