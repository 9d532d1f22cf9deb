/*
 * placement.h - the life of keys in the slab model: when each one goes, and what is left at every step.
 *
 * Step 0 is after the load; each later step is a horizon, in seconds from `from_ms`, in ascending order. A key is gone
 * at the first horizon that is not before its expiry. PLACEMENT_ALL as the last horizon: all keys with an expiry.
 */
#ifndef RDBMEM_PLACEMENT_H
#define RDBMEM_PLACEMENT_H

#include "analyzer/analysis.h"
#include "analyzer/keyspace.h"
#include "analyzer/slabs.h"
#include "analyzer/zmalloc.h"

enum { PLACEMENT_STEPS = 32 };
#define PLACEMENT_ALL INT64_MAX

struct placement {
    struct slabs *slabs;                  /* NULL: this allocator has no slabs, or nothing is forecast */
    unsigned nsteps;                      /* with step 0 */
    int64_t horizon_s[PLACEMENT_STEPS];   /* [0] = 0 */
    int64_t deadline_ms[PLACEMENT_STEPS]; /* the same as moments: a key that expires by then is gone */
    int64_t from_ms;
    uint64_t keys[PLACEMENT_STEPS + 1]; /* by death: index nsteps = outlives all */
    uint64_t bytes[PLACEMENT_STEPS + 1];
    uint64_t volatile_keys[PLACEMENT_STEPS + 1];
};

/* horizons: ascending, n < PLACEMENT_STEPS. False when out of memory. */
bool placement_init(struct placement *pl, const struct allocator *a, const int64_t *horizons, unsigned n,
                    int64_t from_ms, bool want_slabs);
void placement_free(struct placement *pl);

/* First step at which a key with this expiry (-1: none) is gone. */
static inline unsigned placement_death(const struct placement *pl, int64_t expire_ms)
{
    unsigned death = 1;
    if (expire_ms < 0)
        return pl->nsteps;
    for (unsigned i = 1; i < pl->nsteps; i++) /* to the end: expiries are not foreseeable, for a processor either */
        death += expire_ms > pl->deadline_ms[i];
    return death;
}

static inline void placement_begin(struct placement *pl, unsigned death, unsigned tag)
{
    if (pl->slabs)
        slabs_key(pl->slabs, death, tag);
}

/* So many keys, and their bytes. */
static inline void placement_add(struct placement *pl, unsigned death, bool ttl, uint64_t keys, uint64_t bytes)
{
    pl->keys[death] += keys;
    pl->bytes[death] += bytes;
    pl->volatile_keys[death] += ttl ? keys : 0;
}

static inline void placement_end(struct placement *pl, unsigned death, bool ttl, uint64_t bytes)
{
    placement_add(pl, death, ttl, 1, bytes);
}

/* The first expiries of another death than those before: see moments.h. Returns how many, fewer than PLACEMENT_STEPS. */
unsigned placement_cuts(const struct placement *pl, int64_t *cuts);

/* What is alive at a step. */
struct placement_left {
    uint64_t keys, bytes, volatile_keys;
};
struct placement_left placement_left(const struct placement *pl, unsigned step);

#endif
