/*
 * allocator.h - what an allocator hands out for a request: size classes as data.
 *
 * Glossary: request = bytes asked for; usable = bytes handed out (malloc_usable_size); class = one usable size that
 * small requests are rounded to; bin = a class served from slabs; region = one block of a slab; pad = bytes that a
 * large block occupies beyond its usable size (jemalloc's cache-oblivious page).
 *
 * A struct allocator is a table, filled once and constant from then on: it may be shared by any number of heaps.
 */
#ifndef RDBMEM_ALLOCATOR_H
#define RDBMEM_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum alloc_kind {
    ALLOC_JEMALLOC,     /* 4.x, 5.x as Redis bundles it: lg_quantum 3 */
    ALLOC_JEMALLOC_Q16, /* system jemalloc of Debian and Ubuntu: lg_quantum 4 */
    ALLOC_JEMALLOC_3,   /* 3.6.0, bundled by Redis 2.8: quantum 16, whole pages above 3584 */
    ALLOC_LIBC,         /* glibc malloc, counted by malloc_usable_size */
    ALLOC_TCMALLOC,     /* gperftools 2.10 */
    ALLOC_PREFIX,       /* no malloc_size: request + 8 is counted (PREFIX_SIZE) */
    ALLOC_PREFIX_ROUND, /* the same rounded up to 8 (2.8, 3.2) */
    ALLOC_KINDS
};

enum { ALLOC_SMALL_MAX = 14336, ALLOC_MAX_BINS = 96, ALLOC_NO_BIN = 255 };

/* glibc's M_MMAP_THRESHOLD at start, and the largest value that freeing a mapped block raises it to, in bytes. */
enum { LIBC_MMAP_THRESHOLD = 131072, LIBC_MMAP_THRESHOLD_MAX = 32 << 20 };

struct alloc_bin {
    uint32_t size;    /* usable bytes of a region */
    uint32_t pages;   /* 4 KiB pages of a slab (0: this allocator has no slabs) */
    uint32_t regions; /* regions of a slab */
    uint32_t tcache;  /* most regions the thread cache holds */
};

struct allocator {
    enum alloc_kind kind;
    const char *name; /* as --allocator takes it */
    unsigned nbins;
    struct alloc_bin bins[ALLOC_MAX_BINS];   /* ascending by size */
    uint8_t bin_of[ALLOC_SMALL_MAX / 8 + 1]; /* by (request + 7) / 8; ALLOC_NO_BIN: use large() */
    uint32_t small_max;                      /* largest request that bin_of answers */
    uint32_t pad;                            /* bytes a large block takes beyond its usable size */
    uint64_t pad_max;                        /* largest usable size that is padded; jemalloc 4.0.3: set 1835008, its
                                                huge blocks (2 MiB and more) have no pad */
    uint64_t (*large)(const struct allocator *a, uint64_t request);
    uint64_t mmap_threshold; /* ALLOC_LIBC: at start; a zheap follows its rise */
};

/* Fills *a. pad_large: cache-oblivious jemalloc (3.2 - 7.0 as bundled, Debian's). tcache_mul8: Redis 8.8's larger
 * caches. */
void allocator_init(struct allocator *a, enum alloc_kind kind, bool pad_large, bool tcache_mul8);

/* By its command line name (jemalloc, jemalloc-q16, jemalloc-3, libc, tcmalloc, prefix); false if there is none.
 * "prefix" is ALLOC_PREFIX; whether the server rounds (2.8, 3.2: ALLOC_PREFIX_ROUND) is the profile's knowledge. */
bool allocator_kind_by_name(const char *name, enum alloc_kind *kind);
const char *allocator_kind_name(enum alloc_kind kind);

/* Whether blocks fall into slabs that slabs.h can follow. */
static inline bool allocator_has_slabs(const struct allocator *a)
{
    return a->nbins > 0 && a->bins[0].pages > 0;
}

static inline unsigned allocator_bin(const struct allocator *a, uint64_t request)
{
    if (a->small_max > ALLOC_SMALL_MAX)
        __builtin_unreachable(); /* so the compiler knows that bin_of is not overrun */
    return request <= a->small_max ? a->bin_of[(request + 7) >> 3] : ALLOC_NO_BIN;
}

/* Usable size of a request; a request of 0 is one of 1 (MALLOC_MIN_SIZE is the caller's). */
static inline uint64_t allocator_usable(const struct allocator *a, uint64_t request)
{
    unsigned b = allocator_bin(a, request);
    return b != ALLOC_NO_BIN ? a->bins[b].size : a->large(a, request);
}

/* glibc with a given mmap threshold: usable size, and length of the mapping (0: a heap block). A block is mapped when
 * its chunk reaches the threshold; that a large enough free chunk or top would be taken instead is not modelled. */
uint64_t allocator_libc_usable(uint64_t request, uint64_t mmap_threshold);
uint64_t allocator_libc_mapped(uint64_t request, uint64_t mmap_threshold);

#endif
