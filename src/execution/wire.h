/*
 * wire.h - integers in network byte order.
 *
 * Thread:   any.
 */
#ifndef EXECUTION_WIRE_H
#define EXECUTION_WIRE_H

#include "base/base.h"

#include <endian.h>

static inline uint16_t wire_u16(const char *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof v);
    return be16toh(v);
}

static inline uint32_t wire_u32(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return be32toh(v);
}

static inline uint64_t wire_u64(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return be64toh(v);
}

#endif
