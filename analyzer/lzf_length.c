/*
 * lzf_length.c - see lzf_length.h. rdb/lzf.c has the format.
 */
#include "analyzer/lzf_length.h"

#include <string.h>

enum {
    FARTHEST = 8192,
    LONGEST = 264,
    RUN_MAX = 32,   /* literals behind one head byte */
    LONG_COPY = 9,  /* takes a byte more for its length */
    UNCHECKED = 19, /* the compressor looks at so many bytes before it looks for the end of the input */
};

static uint32_t *slot(struct lzf_table *t, const uint8_t *p)
{
    uint32_t three = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    return &t->last[((three >> 8) - three * 5) & (LZF_SLOTS - 1)];
}

static size_t run_length(size_t literals)
{
    return literals + (literals + RUN_MAX - 1) / RUN_MAX;
}

/* How much of what stands at `to` is copied from `from`, of which three bytes are known to be the same. A copy does not
 * take the last two bytes of the input unless it is short. */
static size_t copy_length(const uint8_t *from, const uint8_t *to, size_t left)
{
    size_t most = left - 2 < LONGEST ? left - 2 : LONGEST, len = 3;
    if (most > UNCHECKED - 3 && most < UNCHECKED)
        most = UNCHECKED;
    while (len < most && from[len] == to[len])
        len++;
    return len;
}

/* A later call must not take an earlier one's positions for its own. */
static void begin(struct lzf_table *t, size_t n)
{
    if (t->base <= UINT32_MAX - n)
        return;
    memset(t->last, 0, sizeof t->last);
    t->base = 0;
}

size_t lzf_length(struct lzf_table *t, const uint8_t *in, size_t n)
{
    size_t at = 0, literals = 0, length = 0;
    begin(t, n);
    while (at + 2 < n) {
        uint32_t *last = slot(t, in + at);
        size_t from = *last > t->base ? *last - t->base : 0; /* the first byte is never copied from */
        *last = t->base + (uint32_t)at;
        if (from == 0 || at - from > FARTHEST || memcmp(in + from, in + at, 3) != 0) {
            literals++;
            at++;
            continue;
        }
        size_t copied = copy_length(in + from, in + at, n - at);
        length += run_length(literals) + (copied < LONG_COPY ? 2 : 3);
        literals = 0;
        at += copied;
        if (at + 2 < n) { /* of a copy only its last two places are remembered */
            *slot(t, in + at - 2) = t->base + (uint32_t)at - 2;
            *slot(t, in + at - 1) = t->base + (uint32_t)at - 1;
        }
    }
    t->base += (uint32_t)n;
    return length + run_length(literals + (n - at));
}
