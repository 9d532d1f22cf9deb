/* The accounting layer: what used_memory, the key and the labels move by, and what reaches the slab model. */
#include <inttypes.h>
#include <math.h>

#include "analyzer/zmalloc.h"
#include "tests/check.h"

static void expect(const char *what, uint64_t got, uint64_t want)
{
    CHECK_MSG(got == want, "%s: %" PRIu64 ", not %" PRIu64, what, got, want);
}

static int64_t traced; /* bytes */
static unsigned trace_calls;

static void trace(void *ctx, enum zlabel label, uint64_t request, uint64_t usable, uint64_t count, bool is_free)
{
    (void)ctx, (void)label, (void)request;
    traced += (is_free ? -1 : 1) * (int64_t)(usable * count);
    trace_calls++;
}

static void check_counts(void)
{
    struct allocator a;
    struct zheap z;
    allocator_init(&a, ALLOC_JEMALLOC, false, false);
    zheap_init(&z, &a, NULL);
    expect("usable", zmalloc(&z, 17, ZL_KEY), 24);
    zheap_key_begin(&z);
    zmalloc_n(&z, 100, ZL_ELEMENT, 1000);
    expect("a large block", zmalloc(&z, 20000, ZL_TABLE), 20480);
    expect("used", z.used, 24 + 112000 + 20480);
    expect("key", z.key_used, 112000 + 20480);
    expect("requested", z.key_request, 120000);
    expect("blocks", z.key_blocks, 1001);
    expect("label", z.by_label[ZL_ELEMENT], 112000);
    zfree(&z, 20000, ZL_TABLE);
    expect("used after free", z.used, 24 + 112000);
    expect("peak", zheap_peak(&z), 24 + 112000 + 20480);
    expect("label after free", z.by_label[ZL_TABLE], 0);
    zmalloc_n(&z, 0, ZL_ELEMENT, 0);
    expect("no blocks", z.key_blocks, 1000);
}

static void check_realloc(void)
{
    struct allocator a;
    struct zheap z;
    allocator_init(&a, ALLOC_JEMALLOC, false, false);
    zheap_init(&z, &a, NULL);
    zheap_trace(&z, trace, NULL);
    expect("from nothing", zrealloc(&z, 0, 100, ZL_PACK), 112);
    expect("in place", zrealloc(&z, 100, 111, ZL_PACK), 112);
    expect("in place: requested", z.key_request, 111);
    expect("grown", zrealloc(&z, 111, 5000, ZL_PACK), 5120);
    expect("used", z.used, 5120);
    expect("peak holds both", zheap_peak(&z), 5232);
    expect("shrunk", zrealloc(&z, 5000, 8, ZL_PACK), 8);
    expect("blocks", z.key_blocks, 1);
    expect("label", z.by_label[ZL_PACK], 8);
    expect("traced", (uint64_t)traced, z.used);
    expect("calls", trace_calls, 7);
}

static void check_chance(void)
{
    struct allocator a;
    struct zheap z;
    allocator_init(&a, ALLOC_JEMALLOC, false, false);
    zheap_init(&z, &a, NULL);
    for (unsigned i = 0; i < 1000; i++)
        zcharge(&z, 10.7, 2, ZL_SKIPLIST_NODE);
    expect("expected bytes", (uint64_t)llround((double)z.chance / ZCHANCE_UNIT), 10700);
    expect("variance", z.variance / ZVARIANCE_UNIT, 2000);
    expect("expected", (uint64_t)round(z.key_expected), 10700);
    zcharge(&z, -700, 0, ZL_SKIPLIST_NODE);
    zmalloc(&z, 8, ZL_ELEMENT);
    zheap_settle(&z);
    expect("used", z.used == 10008 || z.used == 10007, 1);
    expect("label", z.by_label[ZL_SKIPLIST_NODE] + 8, z.used);
}

/* A key costed in a heap of its own, and charged to another, leaves it as if it had been costed there. */
static void one_key(struct zheap *z)
{
    zheap_key_begin(z);
    zmalloc(z, 100, ZL_TABLE);
    zcharge(z, 10.7, 2, ZL_SKIPLIST_NODE);
    zmalloc_n(z, 20, ZL_ELEMENT, 7);
    zfree(z, 100, ZL_TABLE);
}

static void check_apart(void)
{
    struct allocator a;
    struct zheap direct, main_heap, own;
    allocator_init(&a, ALLOC_JEMALLOC, false, false);
    zheap_init(&direct, &a, NULL);
    zheap_init(&main_heap, &a, NULL);
    zheap_init(&own, &a, NULL);
    for (unsigned i = 0; i < 100; i++) {
        one_key(&direct);
        one_key(&own);
        struct zkey k = zheap_key_take(&own);
        zheap_key_give(&main_heap, &k);
    }
    struct zlabels labels;
    zheap_labels_take(&own, &labels);
    zheap_labels_give(&main_heap, &labels);
    expect("taken", own.by_label[ZL_ELEMENT], 0);
    expect("peaks", main_heap.peak, direct.peak);
    zheap_settle(&direct);
    zheap_settle(&main_heap);
    expect("used", main_heap.used, direct.used);
    expect("variance", main_heap.variance, direct.variance);
    expect("peak", zheap_peak(&main_heap), zheap_peak(&direct));
    expect("labels", memcmp(main_heap.by_label, direct.by_label, sizeof direct.by_label) == 0, 1);
}

static void check_slabs(void)
{
    struct allocator a;
    struct zheap z;
    struct slabs_large large;
    uint64_t slabs, regions;
    allocator_init(&a, ALLOC_JEMALLOC, true, false);
    zheap_init(&z, &a, slabs_new(&a, 1, 0, false));
    slabs_key(z.slabs, 1, 0);
    zmalloc(&z, 24, ZL_ELEMENT);
    zmalloc_n(&z, 20, ZL_ELEMENT, 511);
    zplace(&z, 24, 1);
    zfree(&z, 24, ZL_ELEMENT);
    zmalloc_n(&z, 100000, ZL_TABLE, 2);
    zfree(&z, 100000, ZL_TABLE);
    slabs_finish(z.slabs);
    slabs_bin_at(z.slabs, 2, 0, &slabs, &regions);
    slabs_large_at(z.slabs, 0, &large);
    expect("slabs", slabs, 1);
    expect("regions", regions, 512);
    expect("placed, not charged", z.used, 511 * 24 + 114688);
    expect("pages", large.active, 114688 + 4096);
    slabs_free(z.slabs);
}

struct follower {
    struct zfollower f;
    uint64_t placed, freed, resized; /* calls */
    int64_t bytes;                   /* requested */
};

static void on_placed(struct zfollower *f, uint64_t request, uint64_t count)
{
    struct follower *x = (struct follower *)f;
    x->placed++;
    x->bytes += (int64_t)(request * count);
}

static void on_freed(struct zfollower *f, uint64_t request)
{
    struct follower *x = (struct follower *)f;
    x->freed++;
    x->bytes -= (int64_t)request;
}

static void on_resized(struct zfollower *f, uint64_t old_request, uint64_t new_request)
{
    struct follower *x = (struct follower *)f;
    x->resized++;
    x->bytes += (int64_t)new_request - (int64_t)old_request;
}

/* Followers see what is placed, with a slab model or without, and each of them all of it. */
static void check_followers(void)
{
    struct allocator a;
    struct zheap z;
    struct follower all = {.f = {.placed = on_placed, .freed = on_freed, .resized = on_resized}}, some = all;
    some.f.resized = NULL;
    allocator_init(&a, ALLOC_JEMALLOC, false, false);
    zheap_init(&z, &a, NULL);
    expect("places nothing", zheap_places(&z), false);
    zheap_follow(&z, &all.f);
    zheap_follow(&z, &some.f);
    expect("places", zheap_places(&z), true);
    zmalloc(&z, 24, ZL_ELEMENT);
    zmalloc_n(&z, 20, ZL_ELEMENT, 10);
    zmalloc_n(&z, 20, ZL_ELEMENT, 0);
    zplace(&z, 30, 3);
    zmalloc(&z, 20000, ZL_TABLE);
    zrealloc(&z, 20000, 20001, ZL_TABLE);
    zrealloc(&z, 20001, 40000, ZL_TABLE);
    zfree(&z, 24, ZL_ELEMENT);
    zcharge(&z, 100, 0, ZL_ELEMENT);
    expect("placed", all.placed, 5);
    expect("freed", all.freed, 2);
    expect("resized", all.resized, 1);
    expect("bytes", (uint64_t)all.bytes, 200 + 90 + 40000);
    expect("the other: placed", some.placed, 5);
    expect("the other: bytes", (uint64_t)some.bytes, 200 + 90 + 40000 - 1);
}

/* Freeing a mapped block makes blocks of up to its size come from the heap. */
static void check_libc(void)
{
    struct allocator a;
    struct zheap z;
    allocator_init(&a, ALLOC_LIBC, false, false);
    zheap_init(&z, &a, NULL);
    expect("heap", zmalloc(&z, 1000, ZL_STRING), 1000);
    expect("mapped", zmalloc(&z, 200000, ZL_STRING), 200688);
    expect("remapped", zrealloc(&z, 200000, 300000, ZL_STRING), 303088);
    expect("threshold", z.mmap_threshold, 131072);
    zfree(&z, 300000, ZL_STRING);
    expect("raised threshold", z.mmap_threshold, 303104);
    expect("heap now", zmalloc(&z, 200000, ZL_STRING), 200008);
    expect("still mapped", zmalloc(&z, 400000, ZL_STRING), 401392);
    zmalloc(&z, 64 << 20, ZL_STRING);
    zfree(&z, 64 << 20, ZL_STRING);
    expect("threshold has a limit", z.mmap_threshold, 303104);
    expect("used", z.used, 1000 + 200008 + 401392);
}

static void check_prefix(void)
{
    struct allocator plain, rounded;
    allocator_init(&plain, ALLOC_PREFIX, false, false);
    allocator_init(&rounded, ALLOC_PREFIX_ROUND, false, false);
    expect("prefix", allocator_usable(&plain, 13), 21);
    expect("prefix of nothing", allocator_usable(&plain, 0), 8);
    expect("rounded prefix", allocator_usable(&rounded, 13), 24);
}

int main(void)
{
    check_counts();
    check_realloc();
    check_chance();
    check_apart();
    check_slabs();
    check_followers();
    check_libc();
    check_prefix();
    return check_result();
}
