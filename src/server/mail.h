/*
 * mail.h - a mail as text (RFC 5322): header and body, for SMTP.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf.
 * Not here: sending it (fetch.h).
 */
#ifndef SERVER_MAIL_H
#define SERVER_MAIL_H

#include "base/buf.h"

struct mail {
    struct str from;      /* an address */
    const struct str *to; /* addresses */
    size_t nto;
    struct str subject; /* one line, UTF-8 */
    struct str body;    /* UTF-8 */
    struct str id;      /* of this mail: letters, digits and hyphens … */
    struct str thread;  /* … and of what it belongs to */
    int64_t at_us;      /* since 1970 */
};

/* Is it one address, user@host, that can stand in a command and in a header as it is? */
bool mail_is_address(struct str s);
void mail_compose(const struct mail *m, struct buf *out);

#endif
