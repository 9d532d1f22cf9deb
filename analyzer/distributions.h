/*
 * distributions.h - keys and bytes by size, elements, time to live, idle time and access frequency, and the collections
 * that stand just above or below the settings which decide whether they are packed.
 */
#ifndef RDBMEM_DISTRIBUTIONS_H
#define RDBMEM_DISTRIBUTIONS_H

#include "analyzer/allocator.h"
#include "analyzer/config.h"
#include "analyzer/histogram.h"
#include "rdb/rdb.h"

struct key_report;
struct profile;

/* Keys with a figure up to and including upto and above the row before. */
struct dist_row {
    uint64_t upto;    /* UINT64_MAX: all that is larger */
    const char *name; /* of rows with a word of their own ("expired", "none"), else NULL */
    uint64_t keys, bytes;
};

enum { DIST_ROWS = 44, THRESHOLDS = 6 };

struct distribution {
    const char *name; /* "size", "elements", "ttl", "idle", "frequency" */
    const char *unit; /* "bytes", "elements", "seconds", "" */
    bool seen;        /* the dump says this of some key */
    unsigned n;
    struct dist_row rows[DIST_ROWS];
};

/*
 * What a setting does to keys near it. `above`: tables although the setting doubled would have them packed (for a limit
 * on the length of a value: quadrupled). `below`: packed, and would not be if the setting were halved (a quarter).
 * Savings are estimates from the number and the average length of elements.
 */
struct threshold_side {
    uint64_t keys, bytes;
    int64_t saving; /* above: bytes less if raised; below: bytes that it saves now */
};

struct threshold_row {
    enum setting setting;
    enum rdb_type type;
    bool by_length;  /* the limit is on an element's length */
    bool known;      /* the target has it */
    int64_t value;   /* of the last dump's target */
    uint64_t raised; /* what "above" supposes */
    struct threshold_side above, below;
};

struct distributions {
    bool begun; /* there was a dump with a target */
    int64_t now_ms;
    struct histogram sizes; /* of all keys: percentiles */
    uint64_t largest;
    struct distribution size, elements, ttl, idle, frequency;
    struct threshold_row thresholds[THRESHOLDS];
    const struct allocator *alloc; /* while a dump is read */
    const struct profile *pf;
};

void distributions_init(struct distributions *d);

/* Another dump begins. */
void distributions_target(struct distributions *d, const struct profile *pf, const struct allocator *a, int64_t now_ms);

void distributions_add(struct distributions *d, const struct key_report *k);

/* The same for n strings of this size, none of which the dump says more of: */
void distributions_strings(struct distributions *d, uint64_t bytes, uint64_t n);

/* ... but when they expire, which is to be said of all that do (expire_ms >= 0): keys that expire in one row, and their bytes. */
void distributions_ttl(struct distributions *d, int64_t expire_ms, bool expired, uint64_t keys, uint64_t bytes);

/* The first expiries of each row; returns how many, fewer than DIST_ROWS: see moments.h. */
unsigned distributions_cuts(const struct distributions *d, int64_t *cuts);
void distributions_no_ttl(struct distributions *d, uint64_t bytes, uint64_t n);

/* Adds all of `from`, a later dump's, whose target is the one that is told. */
void distributions_merge(struct distributions *d, const struct distributions *from);

/* Figures times scale; the target is forgotten. */
void distributions_finish(struct distributions *d, uint64_t scale);

#endif
