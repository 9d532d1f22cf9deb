/*
 * sizes.h - requested sizes of the small building blocks: sds, listpack and ziplist entries, radix tree nodes.
 *
 * Letters: len = string length; a "request" is what is asked of zmalloc, before rounding to a class.
 */
#ifndef RDBMEM_SIZES_H
#define RDBMEM_SIZES_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/profile.h"

/* Header of an sds that is embedded behind something else: an empty one is type 5 there. sds.c sdsReqType */
static inline uint64_t sds_header_embedded(const struct profile *pf, uint64_t len)
{
    if (pf->sds == SDS_INTS)
        return 8;
    if (len < 32)
        return 1;
    bool slack = pf->sds == SDS_SLACK;
    if (len <= (slack ? 252U : 255U))
        return 3;
    if (len <= (slack ? 65530U : 65535U))
        return 5;
    return len < (1ULL << 32) ? 9 : 17;
}

/* Header of an sds in a block of its own: sdsnew never makes an empty type 5 (sds.c _sdsnewlen). */
static inline uint64_t sds_header(const struct profile *pf, uint64_t len)
{
    return len == 0 && pf->sds != SDS_INTS ? 3 : sds_header_embedded(pf, len);
}

static inline uint64_t sds_request(const struct profile *pf, uint64_t len)
{
    return sds_header(pf, len) + len + 1;
}

/* mstr.c: 1, 3 or 9 bytes of header */
static inline uint64_t mstr_request(uint64_t len, bool ttl)
{
    uint64_t header = len < 32 ? 1 : len < 65536 ? 3 : 9;
    return (ttl ? 16 + 2 : 0) + header + len + 1;
}

/* listpack.c lpEncodeBacklen: 7 bits a byte. Up to 8.6 the largest number of 2, 3 and 4 bytes took one more. */
static inline uint64_t lp_backlen(const struct profile *pf, uint64_t enc)
{
    uint64_t e = enc + (pf->backlen_wastes ? 1 : 0);
    return enc <= 127 ? 1 : e <= 16383 ? 2 : e <= 2097151 ? 3 : e <= 268435455 ? 4 : 5;
}

/* Whole entry of a string that is not an integer: encoding, bytes, backlen. */
static inline uint64_t lp_string(const struct profile *pf, uint64_t len)
{
    uint64_t enc = len + (len < 64 ? 1 : len < 4096 ? 2 : 5);
    return enc + lp_backlen(pf, enc);
}

static inline uint64_t lp_integer(int64_t v)
{
    if (v >= 0 && v <= 127)
        return 2;
    if (v >= -4096 && v <= 4095)
        return 3;
    if (v >= INT16_MIN && v <= INT16_MAX)
        return 4;
    if (v >= -8388608 && v <= 8388607)
        return 5;
    if (v >= INT32_MIN && v <= INT32_MAX)
        return 6;
    return 10;
}

/* ziplist.c: entry without its prevlen field */
static inline uint64_t zl_integer_body(int64_t v)
{
    if (v >= 0 && v <= 12)
        return 1;
    if (v >= INT8_MIN && v <= INT8_MAX)
        return 2;
    if (v >= INT16_MIN && v <= INT16_MAX)
        return 3;
    if (v >= -8388608 && v <= 8388607)
        return 4;
    if (v >= INT32_MIN && v <= INT32_MAX)
        return 5;
    return 9;
}

static inline uint64_t zl_string_body(uint64_t len)
{
    return len + (len < 64 ? 1 : len < 16384 ? 2 : 5);
}

static inline uint64_t round8(uint64_t n)
{
    return (n + 7) & ~7ULL;
}

static inline uint64_t pow2_at_least(uint64_t n)
{
    return n <= 1 ? 1 : n > (1ULL << 62) ? 1ULL << 63 : 1ULL << (64 - __builtin_clzll(n - 1));
}

#endif
