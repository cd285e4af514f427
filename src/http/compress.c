/*
 * compress.c - content coding gzip (RFC 9110 section 8.4.1.3).
 *
 * Thread:   see compress.h.
 * Memory:   see compress.h; zlib allocates with malloc, once per compressor.
 * Not here: which replies are worth it (server/).
 */
#include "http/compress.h"

#include "http/quality.h"

#include <limits.h>
#include <stdio.h>
#include <zlib.h>

/* The largest window, with a header and trailer of gzip around. */
#define WINDOW_BITS  (15 + 16)
#define MEMORY_LEVEL 8
/* Header and trailer: nothing shorter gets smaller. */
#define OVERHEAD 18

struct compressor {
    z_stream z;
};

struct compressor *compressor_new(int level)
{
    struct compressor *c = xcalloc(1, sizeof(*c));

    /* It fails for want of memory only, which ends the process anyway. */
    CHECK(deflateInit2(&c->z, level, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) ==
          Z_OK);
    return c;
}

void compressor_free(struct compressor *c)
{
    if (c == NULL)
        return;
    deflateEnd(&c->z);
    xfree(c);
}

bool compress_gzip(struct compressor *c, struct buf *body)
{
    struct buf out;
    char *to;

    if (body->len <= OVERHEAD || body->len > UINT_MAX)
        return false;
    buf_init(&out, 0);
    /* Room for what is smaller only: for the rest it ends before its time. */
    to = buf_reserve(&out, body->len - 1);
    CHECK(to != NULL && deflateReset(&c->z) == Z_OK);
    c->z.next_in = (unsigned char *)body->data;
    c->z.avail_in = (unsigned)body->len;
    c->z.next_out = (unsigned char *)to;
    c->z.avail_out = (unsigned)(body->len - 1);
    if (deflate(&c->z, Z_FINISH) != Z_STREAM_END) {
        buf_fini(&out);
        return false;
    }
    out.len = body->len - 1 - c->z.avail_out;
    buf_fini(body);
    *body = buf_move(&out);
    return true;
}

bool compress_wanted(struct str accept_encoding)
{
    unsigned gzip = 0, any = 0, identity = 0, q;
    bool gzip_named = false;
    struct str coding;

    while (quality_next(&accept_encoding, &coding, &q)) {
        if (str_eq_nocase(coding, STR("gzip")) || str_eq_nocase(coding, STR("x-gzip"))) {
            gzip = q;
            gzip_named = true;
        } else if (str_eq_nocase(coding, STR("identity"))) {
            identity = q;
        } else if (str_is(coding, "*")) {
            any = q;
        }
    }
    if (!gzip_named)
        gzip = any;
    return gzip > 0 && gzip >= identity;
}

struct library compress_library(void)
{
    struct library l = {.name = "zlib"};

    snprintf(l.compiled, sizeof(l.compiled), "%s", ZLIB_VERSION);
    snprintf(l.running, sizeof(l.running), "%s", zlibVersion());
    return l;
}
