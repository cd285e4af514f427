/*
 * tls.h - a certificate with its key, and the sessions of clients that connect under it.
 *
 * Thread:   the loop's only; opening blocks for files.
 * Memory:   a session holds what it needs of the certificate, which may be freed before it.
 * Not here: sockets and timeouts (connection.c), when a certificate is exchanged
 *           (server/certificate.c).
 *
 * TLS 1.2 and 1.3, sessions resumed by tickets, http/1.1 as the only protocol (ALPN). Ticket
 * keys are the certificate's: with another one, clients shake hands in full again.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <sys/types.h>

#include "base/error.h"

struct ssl_st; /* OpenSSL's SSL */

enum tls_client_auth {
    TLS_CLIENT_NONE,
    TLS_CLIENT_OPTIONAL, /* one that is shown must be good */
    TLS_CLIENT_REQUIRED,
};

struct tls_options {
    struct str cert_file; /* PEM: the certificate, then those between it and the root */
    struct str key_file;  /* PEM, without a passphrase */
    struct str client_ca_file;
    enum tls_client_auth client_auth;
    bool only_1_3;
    struct str ciphers; /* OpenSSL's list; names that begin with TLS_ are of TLS 1.3; empty: ours */
};

struct tls;

/* NULL with CONFIG_INVALID, which names the option and the file. */
struct tls *tls_open(const struct tls_options *opt, struct errors *errs);
void tls_free(struct tls *t); /* NULL is allowed */
/* What is in use from now on, to the log and the metrics; warns of what clients may refuse. */
void tls_announce(const struct tls *t);

enum tls_step {
    TLS_DONE,
    TLS_WANT_READ,
    TLS_WANT_WRITE,
    TLS_NOT_TLS, /* the client speaks plain HTTP */
    TLS_FAILED,
};

/* A session on an accepted descriptor, which stays the caller's. */
struct ssl_st *tls_accept(const struct tls *t, int fd);
enum tls_step tls_handshake(struct ssl_st *s);
/* As recv() and send(): 0 is the end, -1 sets errno, to EAGAIN when the descriptor is not ready. */
ssize_t tls_recv(struct ssl_st *s, char *to, size_t n);
/* What is sent of both, one behind the other; what was not must be given again. */
ssize_t tls_send(struct ssl_st *s, struct str first, struct str second);
/* Bytes that were received and decrypted, and wait for tls_recv(). */
size_t tls_pending(const struct ssl_st *s);
/* Say goodbye, as far as that goes without waiting, and free the session. */
void tls_close(struct ssl_st *s);

#endif
