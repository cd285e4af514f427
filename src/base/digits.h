/*
 * digits.h - numbers as digits, two at a time.
 *
 * Thread:   any.
 * Memory:   none; the caller has made room.
 */
#ifndef BASE_DIGITS_H
#define BASE_DIGITS_H

#include "base/base.h"

/* "00" to "99", "00" to "ff". */
extern const char digit_pairs[];
extern const char hex_pairs[];

/* The two digits of v, which is below 100; what is behind them. */
static inline char *digits_pair(char *to, unsigned v)
{
    memcpy(to, digit_pairs + 2 * (size_t)v, 2);
    return to + 2;
}

static inline char *digits_hex(char *to, unsigned char byte)
{
    memcpy(to, hex_pairs + 2 * (size_t)byte, 2);
    return to + 2;
}

/* How many digits v has; 1 for 0. */
unsigned digits_count(uint64_t v);
/* Exactly `count` digits of v, with zeros in front or without the first of v's; what is behind
 * them. */
char *digits_put(char *to, uint64_t v, unsigned count);

#define UUID_TEXT 36 /* bytes of it */

/* The sixteen bytes of a UUID as its text; what is behind it. */
char *digits_uuid(char *to, const unsigned char *from);

#endif
