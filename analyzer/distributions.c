/*
 * distributions.c - see distributions.h. The thresholds are in thresholds.c.
 */
#include "analyzer/distributions.h"

#include <string.h>

#include "analyzer/analysis.h"
#include "analyzer/moments.h"
#include "analyzer/thresholds.h"

/* ---------------------------------------------------------------- rows */

static void begin(struct distribution *d, const char *name, const char *unit)
{
    memset(d, 0, sizeof *d);
    d->name = name;
    d->unit = unit;
}

static void row(struct distribution *d, uint64_t upto, const char *name)
{
    d->rows[d->n++] = (struct dist_row){.upto = upto, .name = name};
}

static void rows_of(struct distribution *d, const uint64_t *upto, size_t n)
{
    for (size_t i = 0; i < n; i++)
        row(d, upto[i], NULL);
}

/* Sizes: powers of two from 32 bytes on, row i holds up to 32 << i. */
enum { SIZE_FIRST_BITS = 5, SIZE_ROWS = 38 };

static const uint64_t element_rows[] = {0, 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, UINT64_MAX};
static const uint64_t time_rows[] = {60, 3600, 86400, 7 * 86400, 30 * 86400, 365 * 86400, UINT64_MAX};
static const uint64_t frequency_rows[] = {0, 1, 4, 9, 19, 49, 99, 199, 254, 255};

/* The rows of ttl: "expired" stands before, "none" behind those of time_rows without the first. */
enum { TTL_FIRST = 1, TTL_NO_EXPIRY = 7 };

void distributions_init(struct distributions *d)
{
    memset(d, 0, sizeof *d);
    begin(&d->size, "size", "bytes");
    for (unsigned i = 0; i < SIZE_ROWS; i++)
        row(&d->size, i + 1 < SIZE_ROWS ? UINT64_C(1) << (SIZE_FIRST_BITS + i) : UINT64_MAX, NULL);
    begin(&d->elements, "elements", "elements");
    rows_of(&d->elements, element_rows, sizeof element_rows / sizeof element_rows[0]);
    begin(&d->ttl, "ttl", "seconds");
    row(&d->ttl, 0, "expired");
    rows_of(&d->ttl, time_rows + 1, sizeof time_rows / sizeof time_rows[0] - 1);
    row(&d->ttl, UINT64_MAX, "none");
    begin(&d->idle, "idle", "seconds");
    rows_of(&d->idle, time_rows, sizeof time_rows / sizeof time_rows[0]);
    begin(&d->frequency, "frequency", "");
    rows_of(&d->frequency, frequency_rows, sizeof frequency_rows / sizeof frequency_rows[0]);
    thresholds_init(d->thresholds);
}

void distributions_target(struct distributions *d, const struct profile *pf, const struct allocator *a, int64_t now_ms)
{
    d->begun = true;
    d->pf = pf;
    d->alloc = a;
    d->now_ms = now_ms;
    thresholds_target(d->thresholds, pf);
}

/* ---------------------------------------------------------------- keys */

static inline void count_many(struct distribution *d, unsigned i, uint64_t bytes, uint64_t n)
{
    d->rows[i].keys += n;
    d->rows[i].bytes += bytes * n;
}

static inline void count(struct distribution *d, unsigned i, uint64_t bytes)
{
    count_many(d, i, bytes, 1);
}

static void count_upto(struct distribution *d, unsigned first, uint64_t v, uint64_t bytes)
{
    unsigned i = first;
    while (v > d->rows[i].upto)
        i++;
    count(d, i, bytes);
    d->seen = true;
}

static inline unsigned size_row(uint64_t bytes)
{
    unsigned bits = bytes <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(bytes - 1); /* least power of two not below */
    unsigned i = bits <= SIZE_FIRST_BITS ? 0 : bits - SIZE_FIRST_BITS;
    return i < SIZE_ROWS ? i : SIZE_ROWS - 1;
}

void distributions_strings(struct distributions *d, uint64_t bytes, uint64_t n)
{
    d->sizes.keys[histogram_bucket(bytes)] += n;
    d->largest = bytes > d->largest ? bytes : d->largest;
    count_many(&d->size, size_row(bytes), bytes, n);
}

void distributions_ttl(struct distributions *d, int64_t expire_ms, bool expired, uint64_t keys, uint64_t bytes)
{
    unsigned i = expired ? 0 : TTL_FIRST;
    uint64_t left = (uint64_t)((expire_ms - d->now_ms) / 1000);
    for (unsigned row = TTL_FIRST; row < TTL_NO_EXPIRY - 1; row++) /* to the end: no branch that cannot be foreseen */
        i += !expired && left > d->ttl.rows[row].upto;
    d->ttl.rows[i].keys += keys;
    d->ttl.rows[i].bytes += bytes;
}

unsigned distributions_cuts(const struct distributions *d, int64_t *cuts)
{
    unsigned n = 0;
    for (unsigned row = TTL_FIRST; row < TTL_NO_EXPIRY - 1; row++)
        n += moments_cut(d->now_ms, (int64_t)d->ttl.rows[row].upto, &cuts[n]);
    return n;
}

void distributions_no_ttl(struct distributions *d, uint64_t bytes, uint64_t n)
{
    count_many(&d->ttl, TTL_NO_EXPIRY, bytes, n);
}

void distributions_add(struct distributions *d, const struct key_report *k)
{
    distributions_strings(d, k->bytes, 1);
    if (k->expire_ms >= 0)
        distributions_ttl(d, k->expire_ms, (k->flags & KEY_EXPIRED) != 0, 1, k->bytes);
    else
        distributions_no_ttl(d, k->bytes, 1);
    if (k->idle_s >= 0)
        count_upto(&d->idle, 0, (uint64_t)k->idle_s, k->bytes);
    if (k->freq >= 0)
        count_upto(&d->frequency, 0, (uint64_t)k->freq, k->bytes);
    if (k->type == RDB_T_STRING)
        return; /* a string's "elements" are its bytes */
    count_upto(&d->elements, 0, k->elements, k->bytes);
    if (d->pf)
        thresholds_add(d->thresholds, d->pf, d->alloc, k);
}

/* ---------------------------------------------------------------- sums */

static void merge_rows(struct distribution *d, const struct distribution *from)
{
    d->seen |= from->seen;
    for (unsigned i = 0; i < d->n; i++) {
        d->rows[i].keys += from->rows[i].keys;
        d->rows[i].bytes += from->rows[i].bytes;
    }
}

void distributions_merge(struct distributions *d, const struct distributions *from)
{
    for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++)
        d->sizes.keys[b] += from->sizes.keys[b];
    d->largest = from->largest > d->largest ? from->largest : d->largest;
    merge_rows(&d->size, &from->size);
    merge_rows(&d->elements, &from->elements);
    merge_rows(&d->ttl, &from->ttl);
    merge_rows(&d->idle, &from->idle);
    merge_rows(&d->frequency, &from->frequency);
    thresholds_merge(d->thresholds, from->thresholds, from->begun);
}

static void scale_rows(struct distribution *d, uint64_t scale)
{
    for (unsigned i = 0; i < d->n; i++) {
        d->rows[i].keys *= scale;
        d->rows[i].bytes *= scale;
    }
}

void distributions_finish(struct distributions *d, uint64_t scale)
{
    struct distribution *all[] = {&d->size, &d->elements, &d->ttl, &d->idle, &d->frequency};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        scale_rows(all[i], scale);
    thresholds_scale(d->thresholds, scale);
    d->size.seen = d->ttl.seen = true;
    d->pf = NULL;
    d->alloc = NULL;
}
