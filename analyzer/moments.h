/*
 * moments.h - expiries, by what there is to say of them.
 *
 * A key's expiry matters to the forecast (by which step is the key gone), to the table of expiries and to the distribution
 * of times to live. All three only ask between which two moments it lies. So time is cut into spans at all these
 * moments, a key is counted in its span, and each table is told of a span when the counts are asked for.
 */
#ifndef RDBMEM_MOMENTS_H
#define RDBMEM_MOMENTS_H

#include <stdbool.h>
#include <stdint.h>

enum { MOMENTS_SPANS = 64 };

struct moments {
    unsigned n; /* spans, a power of two; the last ones may be the same */
    /* Ascending, as unsigned numbers: the last span is of keys that do not expire, whose expiry is negative. */
    uint64_t first[MOMENTS_SPANS];
    struct moments_sum {
        uint64_t keys;
        uint32_t mark, row; /* the owner's */
        uint64_t bytes;     /* apart from keys, lest both are added as one: that takes longer */
    } sum[MOMENTS_SPANS];
};

/* A cut before each of these moments, which may come in any order and again; all spans begin empty. */
void moments_init(struct moments *m, const int64_t *cuts, unsigned n);

/* The first expiry of which more than upto_s whole seconds are left. False: there is none. */
static inline bool moments_cut(int64_t now_ms, int64_t upto_s, int64_t *cut)
{
    return !__builtin_mul_overflow(upto_s + 1, 1000, cut) && !__builtin_add_overflow(*cut, now_ms, cut);
}

static inline bool moments_expires(const struct moments *m, unsigned span)
{
    return m->first[span] <= INT64_MAX;
}

/* The span of an expiry (negative: none). No branch that depends on it: expiries are not foreseeable. */
static inline unsigned moments_span(const struct moments *m, int64_t expire_ms)
{
    unsigned span = 0;
    for (unsigned half = m->n / 2; half > 0; half /= 2) {
        unsigned later = span + half;
        bool is_later = (uint64_t)expire_ms >= m->first[later];
        __asm__("" : "+r"(later)); /* so that it is chosen, not jumped over */
        span = is_later ? later : span;
    }
    return span;
}

#endif
