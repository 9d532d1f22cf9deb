/*
 * allocator.c - the size classes of the allocators that Redis and Valkey are linked with.
 *
 * Everything is computed from the rule that the allocator itself uses; the tests compare the outcome, for every
 * request up to 8 MiB, with what the real libraries answer.
 *
 * jemalloc 4.x, 5.x (size_classes.sh; since 5.2 src/sc.c). With the quantum Q = 2^lg_quantum:
 *   1. tiny classes: powers of two from 8 to below Q (8 alone for Q = 16, none for Q = 8);
 *   2. one group Q, 2Q, 3Q, 4Q;
 *   3. then four classes to each doubling: 2^g + i * 2^(g-2), i = 1..4, g = lg(4Q), lg(4Q) + 1, ... without end.
 * Classes below four pages (up to 14336) are small: regions of slabs. A slab has no header and is the least number of
 * pages that the class divides without remainder. Larger blocks are page runs of their own.
 *
 * jemalloc 3.6 (size_classes.sh, jemalloc_internal.h.in s2u) has the same classes for Q = 16 up to 3584, whole pages up
 * to arena_maxclass, and whole chunks of 4 MiB beyond. Its runs do have headers (src/arena.c bin_info_run_size_calc).
 *
 * glibc (malloc/malloc.c): chunks of 16 bytes with a header of 8; above the mmap threshold whole pages, header 16.
 *
 * gperftools tcmalloc 2.10 (src/common.cc SizeMap::Init): a walk over candidate sizes, see tc_build().
 *
 * No malloc_size: the server keeps the request in a prefix of 8 bytes and counts request + 8 (src/zmalloc.c
 * PREFIX_SIZE).
 */
#include "analyzer/allocator.h"

#include <assert.h>
#include <string.h>

enum { PAGE = 4096, LARGE_REQUEST_LIMIT_LG = 62 };

static uint64_t round_up(uint64_t n, uint64_t to)
{
    return (n + to - 1) / to * to;
}

static unsigned lg_floor(uint64_t n)
{
    return 63u - (unsigned)__builtin_clzll(n);
}

/* ---------------------------------------------------------------- tables */

static void add_bin(struct allocator *a, uint32_t size, uint32_t pages, uint32_t regions)
{
    assert(a->nbins < ALLOC_MAX_BINS);
    a->bins[a->nbins++] = (struct alloc_bin){.size = size, .pages = pages, .regions = regions};
}

/* bin_of: the smallest bin that holds the request, for each multiple of 8. All classes are multiples of 8. */
static void index_bins(struct allocator *a)
{
    if (a->nbins == 0)
        return;
    uint32_t top = a->bins[a->nbins - 1].size;
    a->small_max = top < ALLOC_SMALL_MAX ? top : ALLOC_SMALL_MAX;
    unsigned b = 0;
    for (uint32_t eighth = 0; eighth <= a->small_max / 8; eighth++) {
        if (eighth * 8 > a->bins[b].size)
            b++;
        a->bin_of[eighth] = (uint8_t)b;
    }
}

/* Smallest bin >= request; the caller knows that there is one. */
static uint32_t search_bins(const struct allocator *a, uint64_t request)
{
    unsigned low = 0, high = a->nbins - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (a->bins[middle].size < request)
            low = middle + 1;
        else
            high = middle;
    }
    return a->bins[low].size;
}

/* Regions a thread cache holds: clamp(n * 2^mul_lg, least, most) (jemalloc src/tcache.c tcache_boot, 5.3:
 * tcache_ncached_max_compute). */
static void set_tcache(struct allocator *a, unsigned mul_lg, uint32_t least, uint32_t most)
{
    for (unsigned b = 0; b < a->nbins; b++) {
        uint32_t slots = a->bins[b].regions << mul_lg;
        a->bins[b].tcache = slots < least ? least : slots > most ? most : slots;
    }
}

/* ---------------------------------------------------------------- jemalloc 4.x, 5.x */

/* sz_s2u_compute: with x = floor(lg(2s - 1)), s is rounded up to a multiple of 2^(x - 3), of the quantum at least. */
static uint64_t je_class(uint64_t request, unsigned lg_quantum)
{
    if (request <= 8)
        return 8;
    if (request >> LARGE_REQUEST_LIMIT_LG)
        return request; /* no server could allocate it; do not overflow */
    unsigned x = lg_floor(2 * request - 1);
    unsigned lg_delta = x < lg_quantum + 3 ? lg_quantum : x - 3;
    return round_up(request, (uint64_t)1 << lg_delta);
}

static uint64_t je_large(const struct allocator *a, uint64_t request)
{
    (void)a;
    return je_class(request, 4); /* far above either quantum */
}

static void je_build(struct allocator *a, unsigned lg_quantum)
{
    for (uint32_t size = 8; size <= ALLOC_SMALL_MAX; size = (uint32_t)je_class(size + 1, lg_quantum)) {
        unsigned twos = (unsigned)__builtin_ctz(size);
        uint32_t pages = size >> (twos < 12 ? twos : 12); /* size / gcd(size, 4096) */
        add_bin(a, size, pages, pages * PAGE / size);
    }
    index_bins(a);
    set_tcache(a, 1, 20, 200);
}

static void je_q8_build(struct allocator *a)
{
    je_build(a, 3);
}

static void je_q16_build(struct allocator *a)
{
    je_build(a, 4);
}

/* ---------------------------------------------------------------- jemalloc 3.6 */

enum { JE3_CHUNK = 4 << 20, JE3_MAXCLASS = 4169728 /* chunk less 6 header pages: arena_boot, map_bias */ };

/* Runs by bin_info_run_size_calc: grown by pages until the header (16 bytes, bitmap) is at most 0x3d / 4096 of it. */
static const struct je3_run {
    uint16_t size, pages, regions;
} je3_runs[] = {
    {8, 1, 501},    {16, 1, 252},   {32, 1, 126},   {48, 1, 84},    {64, 1, 63},    {80, 1, 50},    {96, 2, 84},
    {112, 2, 72},   {128, 2, 63},   {160, 2, 51},   {192, 3, 63},   {224, 4, 72},   {256, 4, 63},   {320, 5, 63},
    {384, 6, 63},   {448, 7, 63},   {512, 8, 63},   {640, 8, 51},   {768, 9, 47},   {896, 10, 45},  {1024, 16, 63},
    {1280, 16, 51}, {1536, 16, 42}, {1792, 17, 38}, {2048, 33, 65}, {2560, 33, 52}, {3072, 33, 43}, {3584, 35, 39},
};

static void je3_build(struct allocator *a)
{
    for (size_t i = 0; i < sizeof je3_runs / sizeof *je3_runs; i++)
        add_bin(a, je3_runs[i].size, je3_runs[i].pages, je3_runs[i].regions);
    index_bins(a);
    set_tcache(a, 1, 0, 200);
}

static uint64_t je3_large(const struct allocator *a, uint64_t request)
{
    (void)a;
    if (request >> LARGE_REQUEST_LIMIT_LG)
        return request;
    return request <= JE3_MAXCLASS ? round_up(request, PAGE) : round_up(request, JE3_CHUNK);
}

/* ---------------------------------------------------------------- glibc */

enum { LIBC_ALIGN = 16, LIBC_HEADER = 8, LIBC_MIN_CHUNK = 32 };

/* request2size: the chunk of a heap block. */
static uint64_t libc_chunk(uint64_t request)
{
    uint64_t chunk = round_up(request + LIBC_HEADER, LIBC_ALIGN);
    return chunk < LIBC_MIN_CHUNK ? LIBC_MIN_CHUNK : chunk;
}

uint64_t allocator_libc_mapped(uint64_t request, uint64_t mmap_threshold)
{
    if (request >> LARGE_REQUEST_LIMIT_LG)
        return 0;
    uint64_t chunk = libc_chunk(request);
    return chunk >= mmap_threshold ? round_up(chunk + LIBC_HEADER, PAGE) : 0;
}

uint64_t allocator_libc_usable(uint64_t request, uint64_t mmap_threshold)
{
    if (request >> LARGE_REQUEST_LIMIT_LG)
        return request;
    uint64_t mapped = allocator_libc_mapped(request, mmap_threshold);
    return mapped ? mapped - 2 * LIBC_HEADER : libc_chunk(request) - LIBC_HEADER;
}

static uint64_t libc_large(const struct allocator *a, uint64_t request)
{
    return allocator_libc_usable(request, a->mmap_threshold);
}

/* 24, 40, 56, ...: as many of the heap's sizes as there are bins; they only serve the quick lookup. */
static void libc_build(struct allocator *a)
{
    for (uint32_t chunk = LIBC_MIN_CHUNK; a->nbins < ALLOC_MAX_BINS; chunk += LIBC_ALIGN)
        add_bin(a, chunk - LIBC_HEADER, 0, 0);
    index_bins(a);
    a->mmap_threshold = LIBC_MMAP_THRESHOLD;
}

/* ---------------------------------------------------------------- tcmalloc */

enum { TC_PAGE = 8192, TC_MAX = 262144, TC_BATCH = 32 /* transfer batch of 2.10; 512 in later sources */ };

/* AlignmentForSize: the distance to the next candidate size. */
static uint32_t tc_alignment(uint32_t size)
{
    if (size < 16)
        return 8;
    if (size < 128)
        return 16;
    uint32_t eighth = 1u << (lg_floor(size) - 3);
    return eighth < TC_PAGE ? eighth : TC_PAGE;
}

/* Span of a class: at most an eighth of it wasted, and objects enough for a quarter of a transfer (NumMoveSize). */
static uint32_t tc_span(uint32_t size)
{
    uint32_t move = 65536 / size;
    move = move < 2 ? 2 : move > TC_BATCH ? TC_BATCH : move;
    uint32_t span = 0;
    do {
        span += TC_PAGE;
        while (span % size > span / 8)
            span += TC_PAGE;
    } while (span / size < move / 4);
    return span;
}

/* A candidate whose span has as many pages and objects as the class before it replaces that class. */
static void tc_build(struct allocator *a)
{
    uint32_t last_span = 0, last_objects = 0;
    for (uint32_t size = 8; size <= TC_MAX; size += tc_alignment(size)) {
        uint32_t span = tc_span(size), objects = span / size;
        if (span == last_span && objects == last_objects)
            a->bins[a->nbins - 1].size = size;
        else
            add_bin(a, size, 0, 0);
        last_span = span;
        last_objects = objects;
    }
    index_bins(a);
}

static uint64_t tc_large(const struct allocator *a, uint64_t request)
{
    if (request >> LARGE_REQUEST_LIMIT_LG)
        return request;
    return request <= TC_MAX ? search_bins(a, request) : round_up(request, TC_PAGE);
}

/* ---------------------------------------------------------------- PREFIX_SIZE */

enum { PREFIX_SIZE = 8 };

static void prefix_build(struct allocator *a)
{
    (void)a; /* no classes: every request goes to large() */
}

static uint64_t prefix_large(const struct allocator *a, uint64_t request)
{
    (void)a;
    return request + PREFIX_SIZE;
}

/* update_zmalloc_stat_alloc of 2.8 and 3.2. 4.0 to 6.0 compute the rounded value too but add the other one. */
static uint64_t prefix_round_large(const struct allocator *a, uint64_t request)
{
    (void)a;
    return round_up(request + PREFIX_SIZE, sizeof(long));
}

/* ---------------------------------------------------------------- the table of allocators */

static const struct model {
    const char *name;
    void (*build)(struct allocator *a);
    uint64_t (*large)(const struct allocator *a, uint64_t request);
    bool jemalloc; /* 4.x, 5.x: pads large blocks when cache-oblivious */
} models[ALLOC_KINDS] = {
    [ALLOC_JEMALLOC] = {"jemalloc", je_q8_build, je_large, true},
    [ALLOC_JEMALLOC_Q16] = {"jemalloc-q16", je_q16_build, je_large, true},
    [ALLOC_JEMALLOC_3] = {"jemalloc-3", je3_build, je3_large, false},
    [ALLOC_LIBC] = {"libc", libc_build, libc_large, false},
    [ALLOC_TCMALLOC] = {"tcmalloc", tc_build, tc_large, false},
    [ALLOC_PREFIX] = {"prefix", prefix_build, prefix_large, false},
    [ALLOC_PREFIX_ROUND] = {"prefix", prefix_build, prefix_round_large, false},
};

void allocator_init(struct allocator *a, enum alloc_kind kind, bool pad_large, bool tcache_mul8)
{
    const struct model *m = &models[kind];
    memset(a, 0, sizeof *a);
    memset(a->bin_of, ALLOC_NO_BIN, sizeof a->bin_of);
    a->kind = kind;
    a->name = m->name;
    a->large = m->large;
    m->build(a);
    a->pad_max = UINT64_MAX;
    if (m->jemalloc && pad_large)
        a->pad = PAGE;
    if (m->jemalloc && tcache_mul8)
        set_tcache(a, 3, 20, 1000); /* Redis 8.8: lg_tcache_nslots_mul:3,tcache_nslots_small_max:1000 */
}

bool allocator_kind_by_name(const char *name, enum alloc_kind *kind)
{
    for (unsigned k = 0; k < ALLOC_KINDS; k++) {
        if (strcmp(models[k].name, name) == 0) {
            *kind = (enum alloc_kind)k;
            return true;
        }
    }
    return false;
}

const char *allocator_kind_name(enum alloc_kind kind)
{
    return models[kind].name;
}
