/*
 * glibc's usable sizes against malloc_usable_size(), for every request up to 8 MiB: those below the threshold from the
 * heap, those above it mapped, and all of them from the heap when the threshold has risen beyond. Not to be linked with
 * another allocator, whose malloc would take the place of glibc's.
 *
 * Fresh blocks must come from top: one taken from a bin may be 16 bytes larger than asked for, as a rest of less than a
 * smallest chunk cannot be split off (malloc/malloc.c _int_malloc). So nothing is freed but from the end of the heap.
 */
#include <inttypes.h>
#include <malloc.h>

#include "analyzer/allocator.h"
#include "tests/check.h"

enum { LARGEST = 8388608 };

static void expect(const char *what, uint64_t request, uint64_t got, uint64_t want)
{
    CHECK_MSG(got == want, "%s of %" PRIu64 ": %" PRIu64 ", not %" PRIu64, what, request, got, want);
}

static void compare_one(const struct allocator *a, const char *what, uint64_t request)
{
    void *p = malloc(request);
    if (!p)
        abort();
    expect(what, request, allocator_usable(a, request), malloc_usable_size(p));
    free(p); /* back to top, or unmapped: the next block is fresh again */
}

/* A large trim threshold: the heap is not given back to the system after every block. */
static void compare_heap(const struct allocator *a)
{
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    for (uint64_t request = 0; request < 131049; request++)
        compare_one(a, "heap block", request);
}

/* No top, or it would serve them. */
static void compare_mapped(const struct allocator *a)
{
    static const int around[] = {-40, -25, -24, -23, -9, -8, -7, 0, 1};
    mallopt(M_TRIM_THRESHOLD, 0);
    malloc_trim(0);
    for (uint64_t page = 135168; page <= LARGEST; page += 4096)
        for (unsigned i = 0; i < sizeof around / sizeof *around; i++)
            compare_one(a, "mapped block", page + (uint64_t)around[i]);
    for (uint64_t request = 131049; request < 139264; request++)
        compare_one(a, "mapped block", request);
}

/* Every size between the boundaries too: a mapped block that is reallocated keeps its place while its pages suffice
 * (mremap_chunk), which is quicker than mapping eight million of them. */
static void compare_remapped(const struct allocator *a)
{
    void *p = NULL;
    for (uint64_t request = 131072; request <= LARGEST; request++) {
        void *grown = realloc(p, request);
        if (!grown)
            abort();
        p = grown;
        expect("remapped block", request, allocator_usable(a, request), malloc_usable_size(p));
    }
    free(p);
}

/* A raised threshold: blocks below it come from the heap, those above are mapped unless the heap's end has room. */
static void compare_raised(uint64_t threshold, uint64_t largest, unsigned step)
{
    mallopt(M_TRIM_THRESHOLD, largest < threshold ? 1 << 30 : 1 << 17);
    mallopt(M_MMAP_THRESHOLD, (int)threshold);
    for (uint64_t request = 131049; request <= largest; request += step) {
        void *p = malloc(request);
        if (!p)
            abort();
        expect("raised threshold", request, allocator_libc_usable(request, threshold), malloc_usable_size(p));
        free(p);
    }
}

int main(void)
{
    struct allocator a;
    allocator_init(&a, ALLOC_LIBC, false, false);
    setvbuf(stdout, NULL, _IONBF, 0);               /* no buffer of stdio's amid the heap */
    mallopt(M_MMAP_THRESHOLD, LIBC_MMAP_THRESHOLD); /* the start value; setting it switches its rise off */
    mallopt(M_TOP_PAD, 0);
    compare_heap(&a);
    compare_mapped(&a);
    compare_remapped(&a);
    compare_raised(1 << 20, 1 << 21, 211);
    compare_raised(1 << 24, LARGEST, 1);
    return check_result();
}
