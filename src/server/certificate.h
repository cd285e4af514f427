/*
 * certificate.h - the certificate in use, and its exchange for the one that files hold now.
 *
 * Thread:   the main loop's: files are small, and local.
 * Memory:   it retains the configuration that names the files, and owns the certificate.
 * Not here: what a certificate is (http/tls.h).
 */
#ifndef SERVER_CERTIFICATE_H
#define SERVER_CERTIFICATE_H

#include "base/buf.h"
#include "base/loop.h"
#include "config/config.h"
#include "http/tls.h"

struct certificate;

/* Of its files, as glance() of each. */
void certificate_glance(const struct config *c, struct buf *out);
/* Could they be used, if TLS is on? */
NODISCARD bool certificate_check(const struct config *c, struct errors *errs);
/* Read the files, if TLS is on. `use` is called with what connections speak from now on, whenever
 * that changes, also from here; NULL: plain HTTP. NULL: errors. */
struct certificate *certificate_start(struct loop *l, const struct config *c,
                                      void (*use)(void *ctx, const struct tls *t), void *ctx,
                                      struct errors *errs);
/* By another configuration: read first, and take over when all else is well. What is prepared is
 * NULL if TLS is off. False with errors. */
NODISCARD bool certificate_prepare(const struct config *next, struct tls **prepared,
                                   struct errors *errs);
void certificate_take(struct certificate *x, const struct config *next, struct tls *prepared);
/* Look now: other files are read, and used unless they have errors. */
void certificate_look(struct certificate *x);
/* NULL: plain HTTP. */
const struct tls *certificate_tls(const struct certificate *x);
void certificate_free(struct certificate *x); /* NULL is allowed */

#endif
