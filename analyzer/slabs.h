/*
 * slabs.h - in which slab each block falls, and what survives there.
 *
 * A load fills jemalloc's slabs in file order: the i-th block of a class is region i mod n of slab i / n (the thread
 * cache is refilled from the lowest free region and hands out what it took in that order: src/arena.c
 * arena_cache_bin_fill_small). So the slabs can be followed in one pass with memory that depends on the number of bins
 * only: per bin the slab being filled, and for what has been filled, sums by death.
 *
 * Glossary.
 *   step    a moment of the forecast, 0 .. nsteps - 1. Step 0 is "after load", each later one a horizon, or the next
 *           rank of an order of eviction: up to SLABS_MAX_STEPS of them cost no more than one.
 *   death   the first step at which a key is gone; nsteps: it outlives them all.
 *   server  owner of the blocks that never die: tables, functions, the baseline. They pin their slabs for ever.
 *   tag     0 .. 255, what pinning is reported by: a type, or the number of a key prefix. SLABS_TAG_SERVER: the server.
 *   slab alive at a step: one of its regions is alive then. An empty slab goes back to the system at once.
 *
 * The life of a model:
 *     s = slabs_new(&allocator, nsteps, at, true);
 *     slabs_server(s);         slabs_give(s, bin, 12);  ...
 *     slabs_key(s, death, tag) slabs_give(s, bin, 1);   slabs_give_large(s, usable, 1);  slabs_take_back(s, bin);
 *     ...
 *     slabs_finish(s);         slabs_bin_at(s, bin, step, &slabs, &regions);  slabs_delete_random(s, 0.5, &e);
 *     slabs_free(s);
 *
 * Temporary blocks. A block that is freed during the load is the next one handed out (the cache is a stack), so it
 * takes no new region. slabs_take_back() therefore retreats by one region: that which the current owner got last.
 * Which of an owner's regions is meant makes no difference to any sum, since all of them have one death and one tag.
 */
#ifndef RDBMEM_SLABS_H
#define RDBMEM_SLABS_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/allocator.h"

enum {
    SLABS_MAX_STEPS = 64,
    SLABS_NEVER = SLABS_MAX_STEPS + 1, /* the server's death, beyond any key's */
    SLABS_DEATHS = SLABS_NEVER + 1,
    SLABS_TAG_SERVER = 256,
    SLABS_TAGS = 257,
    SLABS_NO_BIN = ALLOC_MAX_BINS /* one that slabs_pass() may give no regions to */
};

/* Owner's death and tag in one word, see slabs_fate(). */
typedef uint32_t slabs_fate_t;

/* Regions of the open slab whose owners share death and tag, in one word: fate << 32 | regions. */
typedef uint64_t slabs_run_t;

/* The slab being filled: what earlier owners have of it, then `count` regions (any number: also many slabs) of the last
 * owner, not yet settled. */
struct slabs_open {
    uint64_t owner; /* serial of the last owner; SLABS_NOBODY: the next give must look closer */
    uint64_t count;
    slabs_fate_t fate; /* of the last owner */
    uint32_t regions;  /* of a slab */
    uint32_t limit;    /* what is settled leaves limit + 1 regions of the slab; 0: look closer */
    uint32_t room;     /* slabs_pass() may take so many at once. Unless 0 it stands in for limit, which then is 0 */
    uint32_t holes;    /* regions freed by an owner who could not retreat any more; the next gives of anyone fill them:
                          until then count is 0 */
    bool asked;        /* who pins this slab is asked: its regions' tags are kept too, as runs */
    uint8_t lane;      /* the bin is lent to lane - 1 (lanes.h), which knows more: limit, room, count and holes are 0 */
    slabs_run_t *run;  /* the latest; runs[0] is none */
    slabs_run_t *runs;
    uint32_t tally[SLABS_DEATHS]; /* owners << 16 | regions, by death */
};

#define SLABS_NOBODY UINT64_MAX

static inline slabs_fate_t slabs_fate(unsigned death, unsigned tag)
{
    return death << 16 | tag;
}

static inline unsigned slabs_death(slabs_fate_t fate)
{
    return fate >> 16;
}

static inline unsigned slabs_tag(slabs_fate_t fate)
{
    return fate & 0xffff;
}

/* What deleting one key would give back, and what it would leave stranded, in bytes. */
struct slabs_own {
    uint64_t slab_bytes;     /* whole slabs that hold nothing but this key: pages returned */
    uint64_t stranded_bytes; /* regions in slabs shared with others: free for reuse, but active as before */
    uint64_t large_bytes;    /* page runs, pads included: returned */
};

/* Large blocks (page runs), as sums. */
struct slabs_large {
    uint64_t blocks;
    uint64_t usable; /* bytes, as used_memory counts them */
    uint64_t active; /* bytes of their pages: usable + pad */
};

struct lanes;
struct slabs_sums; /* what is known of the slabs that have been filled; slabs.c */

struct slabs {
    const struct allocator *a;
    unsigned nsteps, nbins;
    unsigned at;                                /* the step at which random deletion is asked about */
    uint64_t owner;                             /* serial of the current owner; 0 is the server */
    uint64_t last_key;                          /* serial of the current or latest key */
    slabs_fate_t fate;                          /* of the current owner */
    slabs_fate_t key_fate;                      /* of the current or latest key */
    struct slabs_own own;                       /* of the current key: what has been settled before its end */
    struct slabs_large key_large;               /* of the current key */
    struct slabs_open open[ALLOC_MAX_BINS + 1]; /* the last one is none */
    struct slabs_large large[SLABS_DEATHS];
    struct slabs_sums *sums;
    struct lanes *lanes; /* see lanes.h; NULL: none yet. The model's to free */
};

/* nsteps: 1 .. SLABS_MAX_STEPS. at < nsteps: the step whose survivors slabs_delete_random() draws from. want_pins:
 * keep account of who pins (costs steps x tags for each slab of mixed deaths; others cost nothing).
 * NULL when out of memory or when the allocator has no slabs (allocator_has_slabs). *a must outlive the model. */
struct slabs *slabs_new(const struct allocator *a, unsigned nsteps, unsigned at, bool want_pins);
void slabs_free(struct slabs *s);

/* ---------------------------------------------------------------- feeding, the hot part */

/* From now on blocks belong to a new key. */
static inline void slabs_key(struct slabs *s, unsigned death, unsigned tag)
{
    s->owner = ++s->last_key;
    s->fate = s->key_fate = slabs_fate(death, tag);
    s->own = (struct slabs_own){0};
    s->key_large = (struct slabs_large){0};
}

/* From now on blocks belong to the server; so it is at first. */
static inline void slabs_server(struct slabs *s)
{
    s->owner = 0;
    s->fate = slabs_fate(SLABS_NEVER, SLABS_TAG_SERVER);
}

/* Back to the key that slabs_server() interrupted. In a bin that the server got regions of meanwhile, its regions
 * before and after count as those of two keys for slabs_delete_random(). */
static inline void slabs_key_again(struct slabs *s)
{
    s->owner = s->last_key;
    s->fate = s->key_fate;
}

void slabs_give_closely(struct slabs *s, struct slabs_open *o, uint64_t count);
void slabs_take_back_settled(struct slabs *s, unsigned b);

void slabs_add_run(struct slabs_open *o, slabs_fate_t fate, uint32_t regions);

/* Regions of an owner become part of the open slab. They must fit. */
static inline void slabs_settle_some(struct slabs_open *o, slabs_fate_t fate, uint32_t regions)
{
    o->tally[slabs_death(fate)] += 1U << 16 | regions;
    o->limit -= regions;
    if (o->asked)
        slabs_add_run(o, fate, regions);
}

/* Another owner's first. Mostly the regions of the owner before are few and fit. count - 1 wraps when there are none:
 * look closer. */
static inline void slabs_give_first(struct slabs *s, struct slabs_open *o, uint64_t count)
{
    if (__builtin_expect(o->count - 1 >= o->limit || s->owner == 0, 0)) {
        slabs_give_closely(s, o, count);
        return;
    }
    slabs_settle_some(o, o->fate, (uint32_t)o->count);
    o->owner = s->owner;
    o->fate = s->fate;
    o->count = count;
}

/* count regions of bin b for the current owner. Any count takes the same time. */
static inline void slabs_give(struct slabs *s, unsigned b, uint64_t count)
{
    struct slabs_open *o = &s->open[b];
    if (__builtin_expect(o->owner == s->owner, 1))
        o->count += count;
    else
        slabs_give_first(s, o, count);
}

/* Regions of one key in one bin. */
struct slabs_few {
    uint8_t bin, count;
};

/* All regions of bin b that a key which does not become the current one ever gets: settled at once. What comes of that
 * key to other bins may be given in the same way; nothing of it can be taken back. */
void slabs_pass_closely(struct slabs *s, struct slabs_open *o, uint32_t count, slabs_fate_t fate);

static inline void slabs_pass(struct slabs *s, struct slabs_open *o, uint32_t count, slabs_fate_t fate)
{
    if (__builtin_expect(count > o->room, 0)) {
        slabs_pass_closely(s, o, count, fate);
        return;
    }
    o->room -= count;
    o->tally[slabs_death(fate)] += 1U << 16 | count;
}

/* The current owner frees one of its regions of bin b. */
static inline void slabs_take_back(struct slabs *s, unsigned b)
{
    struct slabs_open *o = &s->open[b];
    if (__builtin_expect(o->owner == s->owner && o->count > 0, 1))
        o->count--;
    else
        slabs_take_back_settled(s, b);
}

/* count page runs of this usable size each, for the current owner; and the way back. */
void slabs_give_large(struct slabs *s, uint64_t usable, uint64_t count);
void slabs_take_back_large(struct slabs *s, uint64_t usable);

/* The current key turns out not to be there: what it got goes back. Not for keys that the server interrupted. Where the
 * server is the owner, as in a tally, nothing goes back. */
void slabs_key_drop(struct slabs *s);

/* What one key was given, bin by bin: for keys that are rebuilt apart and placed later. */
struct slabs_share {
    uint64_t count;
    unsigned bin;
};

/* A model that only counts what it is given, until slabs_tally() asks. NULL: see slabs_new(). */
struct slabs *slabs_new_tally(const struct allocator *a);

/* Since the last time: shares of at most a->nbins bins, and large blocks. Returns how many bins. */
unsigned slabs_tally(struct slabs *s, struct slabs_share *shares, struct slabs_large *large);

/* The same to the current key of a model of the same allocator. */
void slabs_give_tally(struct slabs *s, const struct slabs_share *shares, unsigned n, const struct slabs_large *large);

/* To be called while the current key is still the current one: what its deletion gives back. A slab that the key has
 * begun but not filled counts as shared, with the keys to come. O(bins). */
void slabs_key_own(const struct slabs *s, struct slabs_own *own);

/* ---------------------------------------------------------------- results */

/* Closes the open slabs: regions that were never handed out are free regions of a slab. Nothing may be given after. */
void slabs_finish(struct slabs *s);

/* Slabs and regions of bin b that are alive at a step. */
void slabs_bin_at(const struct slabs *s, unsigned b, unsigned step, uint64_t *slabs, uint64_t *regions);

/* Large blocks alive at a step. */
void slabs_large_at(const struct slabs *s, unsigned step, struct slabs_large *large);

/* The expectation at step `at` once each key alive there has been deleted with probability d, 0 <= d <= 1. Keys, not
 * regions, are the independent units: a slab with regions of m keys is gone with probability d^m. */
struct slabs_expected {
    double slabs[ALLOC_MAX_BINS];
    double regions[ALLOC_MAX_BINS];
    double large_blocks, large_usable, large_active;
};
void slabs_delete_random(const struct slabs *s, double d, struct slabs_expected *e);

/* Who pins half-empty slabs: the free bytes in slabs that are alive at a step though some region has died by then, the
 * part of them that falls to a tag (< SLABS_TAGS) when each slab's are shared out in proportion to the surviving
 * regions. 0 without want_pins. */
double slabs_pinned(const struct slabs *s, unsigned step, unsigned tag);

#endif
