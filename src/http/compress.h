/*
 * compress.h - content coding gzip (RFC 9110 section 8.4.1.3).
 *
 * Thread:   a compressor belongs to one thread at a time.
 * Memory:   a compressor owns about 260 kB, which is why it is kept.
 * Not here: which replies are worth it (server/).
 */
#ifndef HTTP_COMPRESS_H
#define HTTP_COMPRESS_H

#include "base/buf.h"
#include "base/library.h"

struct compressor;

/* level: 1 (fast) to 9 (small). */
struct compressor *compressor_new(int level);
void compressor_free(struct compressor *c); /* NULL is allowed */
/* Replace the bytes of a body by their gzip form. False, with the body as it was, when that would
 * not be smaller. */
bool compress_gzip(struct compressor *c, struct buf *body);
/* Does an Accept-Encoding header want gzip rather than no coding? */
bool compress_wanted(struct str accept_encoding);
/* zlib. */
struct library compress_library(void);

#endif
