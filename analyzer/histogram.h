/*
 * histogram.h - log-linear buckets for sizes in bytes: exact below 16, then sixteen buckets an octave.
 *
 * A bucket is at most a sixteenth of its lower end wide, and every multiple of eight below 256 has one of its own, so
 * that what comes out of size classes is mostly told exactly. Two histograms are merged by adding their counts.
 */
#ifndef RDBMEM_HISTOGRAM_H
#define RDBMEM_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_SUB_BITS = 4, HISTOGRAM_BUCKETS = (64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS };

/* Keys by size. */
struct histogram {
    uint64_t keys[HISTOGRAM_BUCKETS];
};

static inline unsigned histogram_bucket(uint64_t v)
{
    if (v < 1U << HISTOGRAM_SUB_BITS)
        return (unsigned)v;
    unsigned octave = 63 - (unsigned)__builtin_clzll(v) - HISTOGRAM_SUB_BITS;
    return (octave << HISTOGRAM_SUB_BITS) + (unsigned)(v >> octave);
}

/* The least and the largest value of a bucket. */
uint64_t histogram_low(unsigned bucket);
uint64_t histogram_high(unsigned bucket);

/* The value below or at which the share p (0..1) of all keys lies: the upper end of the bucket where the key of that
 * rank is, but never more than the largest value seen. 0 when there are no keys. */
uint64_t histogram_percentile(const struct histogram *h, double p, uint64_t largest);

#endif
