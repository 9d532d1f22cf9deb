/*
 * blanked.h - the hash of a name with its digits blanked, sixteen bytes at a time: segments_blanked() of a short one, where
 * it is wanted of every key, but for the few in 2^64 that are 0.
 */
#ifndef RDBMEM_BLANKED_H
#define RDBMEM_BLANKED_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLANKED_LONGEST = 64, BLANKED_PAD = 32 };
#define BLANKED_BEGIN UINT64_C(0x2545F4914F6CDD1D)

static inline uint64_t multiply_fold(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Sixteen bytes with the digits among them made '0', those from len on (-16..32) made 0; as two words. */
struct blanked_bytes {
    uint64_t v[2];
};

#ifdef __SSE2__
static inline struct blanked_bytes blank(const uint8_t *p, ptrdiff_t len)
{
    static const uint8_t kept[64] = {[0 ... 31] = 0xff};
    const __m128i zero = _mm_set1_epi8('0'), nine = _mm_set1_epi8(9);
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i d = _mm_sub_epi8(v, zero), digit = _mm_cmpeq_epi8(_mm_min_epu8(d, nine), d);
    __m128i b = _mm_sub_epi8(v, _mm_and_si128(digit, d));
    b = _mm_and_si128(b, _mm_loadu_si128((const __m128i *)(const void *)(kept + 32 - len)));
    return (struct blanked_bytes){
        {(uint64_t)_mm_cvtsi128_si64(b), (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(b, b))}};
}
#else
static inline struct blanked_bytes blank(const uint8_t *p, ptrdiff_t len)
{
    uint8_t b[16] = {0};
    struct blanked_bytes out;
    for (ptrdiff_t i = 0; i < 16 && i < len; i++)
        b[i] = p[i] >= '0' && p[i] <= '9' ? '0' : p[i];
    memcpy(out.v, b, sizeof b);
    return out;
}
#endif

static inline uint64_t blanked_add(uint64_t hash, struct blanked_bytes b)
{
    return multiply_fold(hash ^ b.v[0], b.v[1] ^ UINT64_C(0xD6E8FEB86659FD93));
}

/* BLANKED_PAD bytes behind the name can be read. Names of up to 32 bytes are looked at as 32, without a branch. */
static inline uint64_t blanked_hash(const uint8_t *name, size_t len)
{
    uint64_t hash = BLANKED_BEGIN ^ len;
    ptrdiff_t left = (ptrdiff_t)len;
    for (; __builtin_expect(left > 32, 0); name += 16, left -= 16)
        hash = blanked_add(hash, blank(name, 16));
    hash = blanked_add(hash, blank(name, left));
    uint64_t longer = blanked_add(hash, blank(name + 16, left - 16));
    __asm__("" : "+r"(longer)); /* so that it is chosen, not jumped over: many names are about so long */
    return left > 16 ? longer : hash;
}

#endif
