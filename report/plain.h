/*
 * plain.h - a key's name copied as it is, and whether that will do: sixteen bytes at a time.
 *
 * Nearly all names are printable ASCII without a byte that means something to the format. They are copied while they are
 * looked at; one that turns out to be another kind is written anew with its escapes.
 */
#ifndef RDBMEM_PLAIN_H
#define RDBMEM_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* From the name's first byte on PLAIN_LEAST bytes can be read and written, and PLAIN_PAD behind its last one. */
enum { PLAIN_LEAST = 32, PLAIN_PAD = 16 };

/* Copies sixteen bytes. Bits: those that are not plain. */
#ifdef __SSE2__
static inline uint32_t plain_step(char *p, const uint8_t *s, char a, char b)
{
    const __m128i least = _mm_set1_epi8(0x20), span = _mm_set1_epi8(0x7e - 0x20);
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)s), d = _mm_sub_epi8(v, least);
    __m128i meant = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(a)), _mm_cmpeq_epi8(v, _mm_set1_epi8(b)));
    __m128i plain = _mm_andnot_si128(meant, _mm_cmpeq_epi8(_mm_min_epu8(d, span), d));
    _mm_storeu_si128((__m128i *)(void *)p, v);
    return (uint32_t)_mm_movemask_epi8(plain) ^ 0xffff;
}
#else
static inline uint32_t plain_step(char *p, const uint8_t *s, char a, char b)
{
    uint32_t other = 0;
    for (unsigned i = 0; i < 16; i++)
        other |= (uint32_t)(s[i] < 0x20 || s[i] > 0x7e || s[i] == (uint8_t)a || s[i] == (uint8_t)b) << i;
    memcpy(p, s, 16);
    return other;
}
#endif

/* The name is at p. False: not all of it is printable ASCII, or a or b is in it. No branch asks for lengths up to 32. */
static inline bool plain_copy(char *p, const uint8_t *s, size_t len, char a, char b)
{
    uint32_t others = 0;
    for (; __builtin_expect(len > PLAIN_LEAST, 0); p += 16, s += 16, len -= 16)
        others |= plain_step(p, s, a, b);
    uint64_t last = plain_step(p, s, a, b) | plain_step(p + 16, s + 16, a, b) << 16;
    return (others | (last & ((UINT64_C(1) << len) - 1))) == 0;
}

#endif
