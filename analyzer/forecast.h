/*
 * forecast.h - what INFO memory will show at each step: allocator figures, fragmentation, RSS, and what can be done.
 *
 * Pure functions of the slab model, of the server's idle state, which is measured, and of used_memory at each step,
 * which is the caller's sum. Nothing is printed, nothing is kept. All sizes are bytes; figures that INFO also shows
 * carry INFO's name and mean what that version of the server puts there (src/zmalloc.c zmalloc_get_allocator_info,
 * src/object.c getMemoryOverheadData).
 *
 * The model. Idle = the empty server, measured. L = bytes loaded. w = L / (L + 1 MB) leads from the idle server's
 * figures to those of a loaded one, so that an empty dump gives the idle server exactly. So do s sweeps of the collector
 * over the thread caches, of which each leaves a quarter of what is in those that nothing was taken from.
 *
 *   allocated = used_memory + overhead + thread cache
 *       overhead     4^-s of the idle server's (allocated - used), for the rest what jemalloc counts and zmalloc does not
 *                    after loads, beyond the thread cache (measured; what is least wrong in relation to the heaps, of 8 to
 *                    35 MB: what blocks that came and went left in the caches, libc's own blocks, the cache of Lua's arena).
 *       thread cache after a load: of each bin half a fill on average. A fill is half the capacity, but not more than
 *                    one to two times what the load takes between two turns of the collector: it halves the fills of a
 *                    bin that did not run dry meanwhile, and doubles those of one that did (src/tcache.c tcache_gc_small).
 *                    A sweep of it over the 44 caches is 211 blocks (up to jemalloc 5.2) or 64 KiB (5.3) for each.
 *                    after frees: of each bin min(freed, f * capacity) regions instead, if that is more. f = 3/4 (the
 *                    stack wavers between half full and full).
 *   active(0)  = allocated(0) + waste + pads of large blocks, and at least .85 times as far beyond used_memory as the idle
 *                server's: what a load does not touch keeps its slabs (but for Redis 8.8, whose caches hold whole slabs)
 *       waste        idle: active - allocated of the empty server; loaded: half a slab for each bin in use,
 *                    and slabs that blocks which came and went while the load ran have left behind (measured: 60 KB with
 *                    jemalloc 5.1 and 5.2, 25 KB with 5.3).
 *   active(h)  = active(0) - slabs gone - large blocks gone - tables given back
 *       slabs gone   from the slab model, less those that hold a region of the thread cache: of T cached regions,
 *                    drawn from the F freed ones, T D n / F lie in the D slabs (of n regions) that would be gone. The
 *                    collector empties idle caches: T is halved.
 *   resident   = active + what the idle server has beyond it + 128 for each slab and large block (jemalloc's edata_t)
 *                (settled: dirty pages have decayed, 10 s after the last change; jemalloc up to 4: an eighth may stay)
 *   RSS        = resident + the server's code, stacks and libc heap (measured)
 *
 * Fitted, not derived: the 1 MB of w, f for Redis 8.8, the .85, the halving of T, overheads and what temporary blocks
 * leave (of two to nine loads a server).
 * Measured error on seven servers and six steps of a 30 MB load: active and ratio within 0.8 % on expiries (8.8: 1.9 %),
 * 1.9 % after a random half (one draw). What does not grow with the heap, 0.08 MB (8.8: 0.3 MB), is most of it.
 */
#ifndef RDBMEM_FORECAST_H
#define RDBMEM_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/allocator.h"
#include "analyzer/slabs.h"

/* ---------------------------------------------------------------- the server */

/* What INFO calls allocator_frag_ratio and allocator_frag_bytes. */
enum forecast_frag {
    FRAG_NOT_SHOWN,     /* up to 4.0 */
    FRAG_ACTIVE,        /* 5.0 - 7.2, Valkey 7.2: active / allocated, active - allocated */
    FRAG_SMALL,         /* Valkey 8.0+: 1 + free bytes in slabs / allocated */
    FRAG_SMALL_LESS_LUA /* Redis 7.4+: the same without the arena of Lua */
};

/* active-defrag-*; percentages but for ignore_bytes. */
struct forecast_defrag {
    unsigned threshold_lower, threshold_upper, cycle_min, cycle_max;
    uint64_t ignore_bytes;
    bool available; /* the server has active defrag with this allocator */
};

struct forecast_server {
    const char *family;
    int version; /* major * 100 + minor */
    enum alloc_kind kind;
    enum forecast_frag frag;
    /* INFO of the empty server */
    uint32_t used, allocated, active, resident, rss;
    /* after loads */
    uint32_t loaded_overhead; /* allocator_allocated - used_memory, less the thread cache: least wrong for the heaps */
    uint32_t loaded_pinned;   /* free bytes in slabs that temporary blocks have left behind, mean by jemalloc */
    uint32_t rss_overhead;    /* used_memory_rss - allocator_resident, mean */
    uint32_t lua_allocated, lua_active; /* the arena of Lua */
    float cache_full;                   /* f above */
    bool sweeps_by_blocks;              /* the collector: jemalloc up to 5.2 */
};

/* The row of this server, or of the nearest older one of the family, with this allocator if there is one (Debian's);
 * NULL for an unknown family. *exact: it is this version's. */
const struct forecast_server *forecast_server_find(const char *family, int version, enum alloc_kind kind, bool *exact);

/* The server's defaults; available only with bundled jemalloc from 4.0 on (needs its defrag hook). */
struct forecast_defrag forecast_defrag_defaults(const char *family, int version, enum alloc_kind kind);

/* ---------------------------------------------------------------- a step */

struct forecast_input {
    const struct allocator *a;
    const struct slabs *slabs;            /* finished; NULL: this allocator has no slab model */
    const struct forecast_server *server; /* NULL: unknown: as if the empty server were nothing */
    struct forecast_defrag defrag;
    double used_loaded; /* used_memory at step 0 */
};

/* What the caller knows of a step. */
struct forecast_moment {
    double keys;
    double used_memory;
    double tables_freed; /* bytes of large blocks of the server (bucket arrays) given back since step 0; in used_memory
                            the caller has taken them off already */
};

enum forecast_band {
    BAND_LOW,      /* allocator_frag_ratio < 1.1: active defrag would not start */
    BAND_MODERATE, /* < 1.5 */
    BAND_HIGH,     /* < 2 */
    BAND_SEVERE
};

struct forecast_step {
    bool modelled; /* false: only keys and used_memory are known (allocators without a slab model) */
    bool in_info;  /* this server's INFO shows allocator_* (5.0+) */
    double keys;
    double used_memory;
    double allocator_allocated;
    double allocator_active;
    double allocator_resident;
    double allocator_frag_ratio; /* by the server's own formula; before 5.0 active / allocated */
    double allocator_frag_bytes;
    double allocator_rss_ratio, allocator_rss_bytes;
    double rss_overhead_ratio, rss_overhead_bytes;
    double used_memory_rss;
    double mem_fragmentation_ratio, mem_fragmentation_bytes;
    double active_error; /* standard error of allocated and of active from what is not predicted: caches */
    enum forecast_band band;

    /* active defrag */
    double defrag_percent; /* what the server compares with threshold-lower, of defrag_bytes with ignore-bytes */
    double defrag_bytes;
    bool defrag_starts;   /* if it is switched on */
    unsigned defrag_cpu;  /* percent of a core it would take, 0 if it does not start */
    double defrag_least;  /* bytes of active that it gives back until it stops starting again */
    double defrag_most;   /* ... if every bin's regions were packed into as few slabs as hold them */
    double restart_gains; /* bytes of active that loading the remaining keys afresh would give back */
};

/* Step `step` of the slab model, 0 = after load. */
void forecast_step(const struct forecast_input *in, unsigned step, const struct forecast_moment *m,
                   struct forecast_step *out);

/* slabs->at, then each key deleted with probability d. */
void forecast_deleted(const struct forecast_input *in, double d, const struct forecast_moment *m,
                      struct forecast_step *out);

/* What is left of the slabs is the caller's to say: another order of deletions than that of the steps. */
void forecast_left(const struct forecast_input *in, const struct slabs_expected *left, const struct forecast_moment *m,
                   struct forecast_step *out);

const char *forecast_band_name(enum forecast_band band);

#endif
