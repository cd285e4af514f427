/*
 * request_id.c - the name of a request in logs, replies and errors.
 *
 * Thread:   the loop's only.
 * Memory:   ids are in the exchange's arena.
 */
#include "base/digest.h"
#include "base/digits.h"
#include "http/state.h"

#define MAX_ACCEPTED 128

static bool is_acceptable(struct str id)
{
    size_t i;

    if (id.len == 0 || id.len > MAX_ACCEPTED)
        return false;
    for (i = 0; i < id.len; i++) {
        char c = id.data[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

/* Random bytes from a pool, so that the system is asked once per hundred requests. */
static void take_random(struct listener *ln, unsigned char *out, size_t n)
{
    if (ln->random_left < n) {
        random_bytes(ln->random, sizeof(ln->random));
        ln->random_left = sizeof(ln->random);
    }
    ln->random_left -= n;
    memcpy(out, ln->random + ln->random_left, n);
}

/* UUID version 7 (RFC 9562 section 5.7): sorts by time, so that indexes and greps like it. */
static struct str make_uuid(struct exchange *x)
{
    uint64_t ms = (uint64_t)wall_clock_us() / 1000;
    unsigned char bytes[16];
    char *text = arena_alloc_raw(x->arena, UUID_TEXT);
    size_t i;

    for (i = 0; i < 6; i++)
        bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
    take_random(x->ln, bytes + 6, 10);
    bytes[6] = (unsigned char)(0x70 | (bytes[6] & 0x0f));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
    digits_uuid(text, bytes);
    return str_make(text, UUID_TEXT);
}

void request_id_set(struct exchange *x, bool trusted)
{
    struct listener *ln = x->ln;
    struct str given = {0};

    if (ln->id_header != NULL && (trusted || ln->opt.accept_request_id))
        given = http_request_header(&x->request, str_of(ln->id_header));
    x->id = is_acceptable(given) ? given : make_uuid(x);
}
