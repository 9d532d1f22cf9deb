/*
 * histogram.c - see histogram.h.
 */
#include "analyzer/histogram.h"

#include <math.h>

uint64_t histogram_low(unsigned bucket)
{
    unsigned octave = bucket >> HISTOGRAM_SUB_BITS;
    uint64_t sub = bucket & ((1U << HISTOGRAM_SUB_BITS) - 1);
    if (octave <= 1)
        return bucket;
    return (sub + (1U << HISTOGRAM_SUB_BITS)) << (octave - 1);
}

uint64_t histogram_high(unsigned bucket)
{
    return bucket + 1 >= HISTOGRAM_BUCKETS ? UINT64_MAX : histogram_low(bucket + 1) - 1;
}

uint64_t histogram_percentile(const struct histogram *h, double p, uint64_t largest)
{
    uint64_t all = 0, seen = 0;
    for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++)
        all += h->keys[b];
    if (all == 0)
        return 0;
    uint64_t rank = (uint64_t)ceil(p * (double)all);
    for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++) {
        seen += h->keys[b];
        if (seen >= rank && seen > 0)
            return histogram_high(b) < largest ? histogram_high(b) : largest;
    }
    return largest;
}
