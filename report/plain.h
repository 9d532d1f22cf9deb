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

#ifdef __SSE2__
typedef __m128i plain_bytes;

static inline plain_bytes plain_none(void)
{
    return _mm_setzero_si128();
}

/* Adds to bad those of sixteen bytes that are not plain, up to len (-16..16). */
static inline plain_bytes plain_step(plain_bytes bad, char *p, const uint8_t *s, ptrdiff_t len, char a, char b)
{
    static const uint8_t asked[48] = {[0 ... 15] = 0xff};
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)s);
    _mm_storeu_si128((__m128i *)(void *)p, v);
    __m128i other = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(a)), _mm_cmpeq_epi8(v, _mm_set1_epi8(b)));
    other = _mm_or_si128(other, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
    other = _mm_or_si128(other, _mm_cmplt_epi8(v, _mm_set1_epi8(0x20))); /* those from 0x80 on are negative */
    return _mm_or_si128(bad, _mm_and_si128(other, _mm_loadu_si128((const __m128i *)(const void *)(asked + 16 - len))));
}

static inline bool plain_is_none(plain_bytes bad)
{
    return _mm_movemask_epi8(bad) == 0;
}
#else
typedef unsigned plain_bytes;

static inline plain_bytes plain_none(void)
{
    return 0;
}

static inline plain_bytes plain_step(plain_bytes bad, char *p, const uint8_t *s, ptrdiff_t len, char a, char b)
{
    for (ptrdiff_t i = 0; i < len; i++)
        bad |= (unsigned)(s[i] < 0x20) | (s[i] > 0x7e) | (s[i] == (uint8_t)a) | (s[i] == (uint8_t)b);
    memcpy(p, s, 16);
    return bad;
}

static inline bool plain_is_none(plain_bytes bad)
{
    return bad == 0;
}
#endif

/* The name is at p. False: not all of it is printable ASCII, or a or b is in it. No branch asks for lengths up to 32. */
static inline bool plain_copy(char *p, const uint8_t *s, size_t len, char a, char b)
{
    ptrdiff_t left = (ptrdiff_t)len;
    plain_bytes bad = plain_none();
    for (; __builtin_expect(left > PLAIN_LEAST, 0); p += 16, s += 16, left -= 16)
        bad = plain_step(bad, p, s, 16, a, b);
    bad = plain_step(bad, p, s, left < 16 ? left : 16, a, b);
    bad = plain_step(bad, p + 16, s + 16, left - 16, a, b);
    return plain_is_none(bad);
}

#endif
