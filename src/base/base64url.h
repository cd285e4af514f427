/*
 * base64url.h - base64 for URLs (RFC 4648 section 5), without padding.
 *
 * Thread:   any.
 */
#ifndef BASE_BASE64URL_H
#define BASE_BASE64URL_H

#include "base/buf.h"

/* False if not strict: another character, padding, or a second spelling of the same bytes. out has
 * room for len * 3 / 4. */
NODISCARD bool base64url_decode(struct str text, unsigned char *out, size_t *len);
void base64url_append(struct buf *b, struct str bytes);

#endif
