/*
 * jemalloc's size classes: with a quantum of 16 against nallocx() of the system's jemalloc, for every request up to
 * 8 MiB and around every class beyond; with the bundled quantum of 8, where no such library is at hand, against a
 * plain walk of the generating rule. Slab geometry, and jemalloc 3.6's, against the search for them.
 */
#include <inttypes.h>
#include <jemalloc/jemalloc.h>

#include "analyzer/allocator.h"
#include "tests/check.h"

static void expect(const char *what, uint64_t request, uint64_t got, uint64_t want)
{
    CHECK_MSG(got == want, "%s of %" PRIu64 ": %" PRIu64 ", not %" PRIu64, what, request, got, want);
}

/* All classes up to `end`, by the rule as it is written down: tiny, first group, four to a doubling. */
static size_t walk_classes(uint64_t quantum, uint64_t end, uint64_t *classes)
{
    size_t n = 0;
    for (uint64_t tiny = 8; tiny < quantum; tiny *= 2)
        classes[n++] = tiny;
    for (uint64_t i = 1; i <= 4; i++)
        classes[n++] = i * quantum;
    for (uint64_t base = 4 * quantum; base < end; base *= 2)
        for (uint64_t i = 1; i <= 4; i++)
            classes[n++] = base + i * (base / 4);
    return n;
}

static void compare_with_walk(enum alloc_kind kind, uint64_t quantum)
{
    struct allocator a;
    uint64_t classes[512];
    size_t n = walk_classes(quantum, UINT64_C(1) << 40, classes), c = 0;
    allocator_init(&a, kind, false, false);
    for (uint64_t request = 1; request <= 8388608; request++) {
        c += request > classes[c];
        expect("class", request, allocator_usable(&a, request), classes[c]);
    }
    for (size_t i = 0; i + 1 < n; i++) {
        expect("class", classes[i], allocator_usable(&a, classes[i]), classes[i]);
        expect("class", classes[i] + 1, allocator_usable(&a, classes[i] + 1), classes[i + 1]);
    }
    expect("class", 0, allocator_usable(&a, 0), 8);
}

static void compare_with_library(void)
{
    struct allocator a;
    allocator_init(&a, ALLOC_JEMALLOC_Q16, true, false);
    for (uint64_t request = 1; request <= 8388608; request++)
        expect("nallocx", request, allocator_usable(&a, request), nallocx(request, 0));
    for (uint64_t class = 8388608; class < UINT64_C(1) << 46; class = nallocx(class + 1, 0)) {
        expect("nallocx", class, allocator_usable(&a, class), nallocx(class, 0));
        expect("nallocx", class + 1, allocator_usable(&a, class + 1), nallocx(class + 1, 0));
    }
}

/* ---------------------------------------------------------------- slabs */

/* The rows of malloc_stats_print() of servers with jemalloc 4.0.3 to 5.3.0: size, pages, regions. */
static const uint32_t geometry[][3] = {
    {8, 1, 512},   {16, 1, 256}, {24, 3, 512},  {32, 1, 128}, {40, 5, 512},  {48, 3, 256},  {56, 7, 512},  {64, 1, 64},
    {80, 5, 256},  {96, 3, 128}, {112, 7, 256}, {128, 1, 32}, {160, 5, 128}, {192, 3, 64},  {224, 7, 128}, {256, 1, 16},
    {320, 5, 64},  {384, 3, 32}, {448, 7, 64},  {512, 1, 8},  {640, 5, 32},  {768, 3, 16},  {896, 7, 32},  {1024, 1, 4},
    {1280, 5, 16}, {1536, 3, 8}, {1792, 7, 16}, {2048, 1, 2}, {2560, 5, 8},  {3072, 3, 4},  {3584, 7, 8},  {4096, 1, 1},
    {5120, 5, 4},  {6144, 3, 2}, {7168, 7, 4},  {8192, 2, 1}, {10240, 5, 2}, {12288, 3, 1}, {14336, 7, 2},
};
enum { NGEOMETRY = sizeof geometry / sizeof *geometry };

static const struct alloc_bin *find_bin(const struct allocator *a, uint32_t size)
{
    unsigned b = allocator_bin(a, size);
    return b != ALLOC_NO_BIN && a->bins[b].size == size ? &a->bins[b] : NULL;
}

static void compare_geometry(enum alloc_kind kind, unsigned nbins)
{
    struct allocator a;
    allocator_init(&a, kind, false, false);
    expect("number of bins", kind, a.nbins, nbins);
    unsigned found = 0;
    for (size_t i = 0; i < NGEOMETRY; i++) {
        const struct alloc_bin *bin = find_bin(&a, geometry[i][0]);
        if (!bin)
            continue;
        found++;
        expect("pages", bin->size, bin->pages, geometry[i][1]);
        expect("regions", bin->size, bin->regions, geometry[i][2]);
    }
    expect("bins found", kind, found, nbins);
}

/* Thread caches of the common classes, as malloc_stats_print() shows the fills of 7.2 and of 8.8. */
static void compare_tcache(void)
{
    static const uint32_t rows[][3] = {{8, 200, 1000},  {64, 128, 512}, {192, 128, 512}, {256, 32, 128},
                                       {448, 128, 512}, {512, 20, 64},  {896, 64, 256},  {1024, 20, 32},
                                       {1792, 32, 128}, {14336, 20, 20}};
    struct allocator plain, wide;
    allocator_init(&plain, ALLOC_JEMALLOC, false, false);
    allocator_init(&wide, ALLOC_JEMALLOC, false, true);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect("tcache", rows[i][0], find_bin(&plain, rows[i][0])->tcache, rows[i][1]);
        expect("tcache x 8", rows[i][0], find_bin(&wide, rows[i][0])->tcache, rows[i][2]);
    }
}

/* ---------------------------------------------------------------- jemalloc 3.6 */

/* The header of a run: 16 bytes and a bitmap with levels of 64-bit words. */
static uint32_t je3_header(uint32_t regions)
{
    uint32_t words = 0, level = regions;
    do {
        level = (level + 63) / 64;
        words += level;
    } while (level > 1);
    return 16 + 8 * words;
}

static uint32_t je3_regions(uint32_t run, uint32_t size)
{
    uint32_t n = run / size;
    while (n * size + je3_header(n) > run)
        n--;
    return n;
}

/* Grows from the previous class's run until one page more would have an overhead of at most 61 / 4096; the smallest
 * classes are exempt, as theirs is mostly bitmap (RUN_MAX_OVRHD, RUN_MAX_OVRHD_RELAX). */
static uint32_t je3_run(uint32_t run, uint32_t size)
{
    for (;; run += 4096) {
        uint32_t longer = run + 4096, overhead = longer - je3_regions(longer, size) * size;
        if (61 * 8 * size <= 0x1800 || overhead * 4096 <= 61 * longer)
            return run;
    }
}

static void compare_je3(void)
{
    struct allocator a;
    allocator_init(&a, ALLOC_JEMALLOC_3, true, false);
    expect("number of bins", 3, a.nbins, 28);
    uint32_t run = 4096;
    for (unsigned b = 0; b < a.nbins; b++) {
        run = je3_run(run, a.bins[b].size);
        expect("3.6 pages", a.bins[b].size, a.bins[b].pages, run / 4096);
        expect("3.6 regions", a.bins[b].size, a.bins[b].regions, je3_regions(run, a.bins[b].size));
    }
    expect("3.6", 3585, allocator_usable(&a, 3585), 4096);
    expect("3.6", 4097, allocator_usable(&a, 4097), 8192);
    expect("3.6", 100000, allocator_usable(&a, 100000), 102400);
    expect("3.6", 4169728, allocator_usable(&a, 4169728), 4169728);
    expect("3.6", 4169729, allocator_usable(&a, 4169729), 4194304);
    expect("3.6", 4194305, allocator_usable(&a, 4194305), 8388608);
    expect("3.6 pad", 0, a.pad, 0);
}

/* ---------------------------------------------------------------- names */

static void check_names(void)
{
    static const char *const names[] = {"jemalloc", "jemalloc-q16", "jemalloc-3", "libc", "tcmalloc", "prefix"};
    enum alloc_kind kind;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        expect("kind is known", i, allocator_kind_by_name(names[i], &kind), true);
        expect("kind", i, kind, i);
        expect("name", i, strcmp(allocator_kind_name(kind), names[i]) == 0, true);
    }
    expect("kind is known", 99, allocator_kind_by_name("mimalloc", &kind), false);
}

int main(void)
{
    compare_with_walk(ALLOC_JEMALLOC, 8);
    compare_with_walk(ALLOC_JEMALLOC_Q16, 16);
    compare_with_library();
    compare_geometry(ALLOC_JEMALLOC, 39);
    compare_geometry(ALLOC_JEMALLOC_Q16, 36);
    compare_tcache();
    compare_je3();
    check_names();
    return check_result();
}
