/*
 * eviction.h - what maxmemory would do to this data set: which keys the policy evicts until used_memory fits.
 *
 * One pass. While keys are read nobody knows yet how many must go, so each gets its place in the order of eviction: a
 * bucket of idle times, frequencies or times left, fine for counting (EVICTION_FINE, 0.4 % apart), coarse for the slabs
 * they lie in (EVICTION_RANKS, a rank is a step of a second slab model). At the end the order is cut where the bytes
 * freed reach used_memory - maxmemory (src/evict.c performEvictions compares these two: fragmentation does not trigger
 * eviction). Inside the bucket and the rank that are cut, keys count as alike.
 *
 * Ranks should part the keys evenly, and how these are spread is not known at first. So the first keys are kept, block
 * by block, until there are enough of them to tell; half of the ranks part them evenly, the other half the logarithm of
 * all possible values, should the first keys not be like the rest. Then they are placed as if nothing had been.
 *
 * The server draws samples (maxmemory-samples) and evicts the best of them; here the order is followed exactly. Random
 * policies, and orders of which the dump has nothing (no idle times, no frequencies), are expectations.
 */
#ifndef RDBMEM_EVICTION_H
#define RDBMEM_EVICTION_H

#include "analyzer/analysis.h"
#include "analyzer/profile.h"
#include "analyzer/slabs.h"
#include "analyzer/zmalloc.h"

enum {
    EVICTION_RANKS = SLABS_MAX_STEPS - 1, /* step 0 of the slab model is "none evicted" */
    EVICTION_FINE = 48 * 256,             /* 48 powers of two, 256 buckets each */
    EVICTION_PREFIXES = 1024,             /* prefix and type; what comes later is counted as one */
    EVICTION_SAMPLE = 2048,               /* keys from which ranks are chosen */
    EVICTION_EVENTS = 65536               /* their blocks; when there are more, fewer keys must do */
};

struct eviction_tally {
    uint64_t keys, bytes;
};

struct eviction_row;   /* a prefix and type; eviction.c */
struct eviction_event; /* of a key of the sample; eviction.c */

struct eviction {
    struct zfollower follower; /* of the heap that holds the keys */
    const struct allocator *a;
    const struct profile *pf;
    struct slabs *slabs; /* NULL: this allocator has none */
    uint64_t maxmemory;  /* 0: eviction is not asked about, nothing is allocated */
    enum policy policy;
    int64_t now_ms;
    struct eviction_tally *fine; /* [EVICTION_FINE]: keys within the policy's reach, first to go first */
    struct eviction_row *rows;   /* [EVICTION_PREFIXES] */
    uint16_t *index;             /* hash table over rows */
    unsigned nrows;
    uint64_t with_order;           /* keys of which the dump knows what the policy goes by */
    uint8_t *rank_of;              /* [EVICTION_FINE + 1], once they are chosen */
    struct eviction_event *events; /* NULL: ranks have been chosen */
    unsigned nevents, nsample;
    /* the current key */
    struct eviction_row *row;
    unsigned bucket, rank;
};

/* Does nothing unless pf sets maxmemory; else follows heap. False: out of memory. */
bool eviction_init(struct eviction *ev, const struct profile *pf, struct zheap *heap, int64_t now_ms);
void eviction_free(struct eviction *ev);

/* Around the blocks of one key that is loaded. begin: name, type, expiry, idle_s and freq of k are set; end: bytes. */
void eviction_begin(struct eviction *ev, const struct key_report *k, enum rdb_type type);
void eviction_end(struct eviction *ev, const struct key_report *k);

/* Fills a->eviction: a->ledger is known. top: most prefixes to report. scale: the keys seen are one in so many (of the
 * slabs nothing is then said). False: out of memory. */
bool eviction_finish(struct eviction *ev, struct analysis *a, unsigned top, uint64_t scale);

#endif
