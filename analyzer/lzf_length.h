/*
 * lzf_length.h - how long the servers' LZF compressor makes some bytes, without making them.
 *
 * The compressor is greedy: it remembers for each hash of three bytes where they stood last, and copies from there what
 * it can. The servers' (and liblzf) does not clear that memory between calls, so that now and then a left-over finds it
 * one more copy; here each call begins with nothing remembered, and the same bytes always have the same length.
 */
#ifndef RDBMEM_LZF_LENGTH_H
#define RDBMEM_LZF_LENGTH_H

#include <stddef.h>
#include <stdint.h>

enum { LZF_SLOTS = 1 << 16 };

struct lzf_table {
    uint32_t last[LZF_SLOTS]; /* base + where three bytes of this hash stood last; not above base: not in this call */
    uint32_t base;
};

/* All zero before the first call; n at most 1 GiB. Also where the result is longer than n. */
size_t lzf_length(struct lzf_table *t, const uint8_t *in, size_t n);

#endif
