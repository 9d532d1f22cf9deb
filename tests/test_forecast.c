/* The forecast's formulas on loads small enough to be worked out by hand; what they are worth is measured elsewhere. */
#include <assert.h>
#include <math.h>

#include "analyzer/forecast.h"
#include "tests/check.h"

static void expect(const char *what, bool holds)
{
    CHECK_MSG(holds, "%s", what);
}

static void expect_near(const char *what, double got, double want, double tolerance)
{
    CHECK_MSG(fabs(got - want) <= tolerance, "%s: %.6g, not %.6g", what, got, want);
}

static const struct forecast_server *find(const char *family, int version, enum alloc_kind kind)
{
    bool exact;
    const struct forecast_server *server = forecast_server_find(family, version, kind, &exact);
    expect("exact if it has that version and allocator",
           !server || exact == (server->version == version && server->kind == kind));
    return server;
}

static void check_servers(void)
{
    expect("7.2", find("redis", 702, ALLOC_JEMALLOC)->used == 931064);
    expect("9.0 is nearest to 8.1", find("valkey", 900, ALLOC_JEMALLOC)->version == 801);
    expect("9.9 is nearest to 9.1", find("valkey", 909, ALLOC_JEMALLOC)->version == 901);
    expect("2.4 is nearest to 2.8", find("redis", 204, ALLOC_JEMALLOC_3)->version == 208);
    expect("Debian's", find("redis", 700, ALLOC_JEMALLOC_Q16)->kind == ALLOC_JEMALLOC_Q16);
    expect("7.0 as bundled", find("redis", 700, ALLOC_JEMALLOC)->kind == ALLOC_JEMALLOC);
    expect("other families are unknown", find("keydb", 603, ALLOC_JEMALLOC) == NULL);
}

/* ---------------------------------------------------------------- a load: keys of one 1024-byte block each, 4 to a
 * slab */

enum { BLOCKS = 40000 };

struct scene {
    struct allocator a;
    struct forecast_input in;
    struct slabs *slabs;
};

/* Of the keys, every fourth lives on, the others die at step 1; at step 2 the fourth ones, too. */
static void load(struct scene *sc, const char *family, int version, unsigned blocks)
{
    const struct forecast_server *server = find(family, version, ALLOC_JEMALLOC);
    allocator_init(&sc->a, ALLOC_JEMALLOC, false, false);
    sc->slabs = slabs_new(&sc->a, 3, 0, false);
    assert(server && sc->slabs);
    for (unsigned i = 0; i < blocks; i++) {
        slabs_key(sc->slabs, i % 4 == 0 ? 2 : 1, 0);
        slabs_give(sc->slabs, allocator_bin(&sc->a, 1024), 1);
    }
    slabs_finish(sc->slabs);
    sc->in = (struct forecast_input){.a = &sc->a, .slabs = sc->slabs, .server = server};
    sc->in.defrag = forecast_defrag_defaults(family, version, ALLOC_JEMALLOC);
    sc->in.used_loaded = server->used + blocks * 1024.;
}

static struct forecast_step step(const struct scene *sc, unsigned n, double blocks)
{
    struct forecast_step out;
    struct forecast_moment m = {.keys = blocks, .used_memory = sc->in.server->used + blocks * 1024};
    forecast_step(&sc->in, n, &m, &out);
    return out;
}

static void check_idle(void)
{
    static const int versions[] = {500, 602, 700, 702, 704, 808};
    for (unsigned i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct scene sc;
        load(&sc, "redis", versions[i], 0);
        struct forecast_step s = step(&sc, 0, 0);
        expect_near("idle allocated", s.allocator_allocated, sc.in.server->allocated, .5);
        expect_near("idle active", s.allocator_active, sc.in.server->active, .5);
        expect_near("idle resident", s.allocator_resident, sc.in.server->resident, .5);
        expect_near("idle rss", s.used_memory_rss, sc.in.server->rss, .5);
        slabs_free(sc.slabs);
    }
}

/* Three of four regions of each slab die: nothing but the regions is given back. Then the slabs go. */
static void check_steps(void)
{
    struct scene sc;
    load(&sc, "redis", 702, BLOCKS);
    struct forecast_step loaded = step(&sc, 0, BLOCKS), quarter = step(&sc, 1, BLOCKS / 4), none = step(&sc, 2, 0);
    expect("modelled and shown", loaded.modelled && loaded.in_info);
    expect_near("ratio after load", loaded.allocator_frag_ratio, 1, .01);
    expect("low", loaded.band == BAND_LOW && !loaded.defrag_starts);
    expect_near("slabs stay", quarter.allocator_active, loaded.allocator_active, .5);
    expect_near("ratio of a quarter", quarter.allocator_frag_ratio,
                quarter.allocator_active / quarter.allocator_allocated, 1e-12);
    expect("severe", quarter.band == BAND_SEVERE && strcmp(forecast_band_name(quarter.band), "severe") == 0);
    expect_near("slabs go, but for the cached", none.allocator_active, loaded.allocator_active - BLOCKS * 1024.,
                20 * 4096);
    expect("cached regions count",
           none.allocator_allocated - none.used_memory > loaded.allocator_allocated - loaded.used_memory);
    expect_near("packed", quarter.defrag_most, BLOCKS / 4 * 3 / 4 * 4096., .5);
    expect_near("a restart packs as well", quarter.restart_gains, quarter.defrag_most, 1e6);
    slabs_free(sc.slabs);
}

static void check_random_half(void)
{
    struct scene sc;
    struct forecast_step half, loaded;
    load(&sc, "valkey", 801, BLOCKS);
    loaded = step(&sc, 0, BLOCKS);
    struct forecast_moment m = {.keys = BLOCKS / 2., .used_memory = sc.in.server->used + BLOCKS * 512.};
    forecast_deleted(&sc.in, .5, &m, &half);
    double gone = BLOCKS / 4 / 16. * 4096; /* one slab of 16 loses its four keys */
    expect_near("a sixteenth of the slabs", half.allocator_active, loaded.allocator_active - gone, 20 * 4096);
    slabs_free(sc.slabs);
}

/* By hand: 27 % above the threshold of 10, range 10 .. 100, effort 1 .. 25 (5.0: 5 .. 75). */
static void check_defrag(void)
{
    struct scene sc;
    load(&sc, "redis", 702, 400000);
    struct forecast_step s = step(&sc, 1, 100000);
    double share = (fmin(s.defrag_percent, 100) - 10) / 90;
    expect("it starts", s.defrag_starts);
    expect_near("effort", s.defrag_cpu, floor(1 + share * 24), 0);
    expect_near("it stops at 100 MiB or 10 %", s.defrag_bytes - s.defrag_least,
                fmax(100 << 20, .1 * s.allocator_allocated), 1);
    sc.in.defrag.available = false;
    s = step(&sc, 1, 100000);
    expect("not without the hook", !s.defrag_starts && s.defrag_cpu == 0 && s.defrag_most == 0);
    slabs_free(sc.slabs);
    expect("5.0", forecast_defrag_defaults("redis", 500, ALLOC_JEMALLOC).cycle_max == 75);
    expect("3.2 has none", !forecast_defrag_defaults("redis", 302, ALLOC_JEMALLOC).available);
    expect("Debian has none", !forecast_defrag_defaults("redis", 700, ALLOC_JEMALLOC_Q16).available);
    expect("Valkey", forecast_defrag_defaults("valkey", 800, ALLOC_JEMALLOC).cycle_max == 25);
}

/* Redis 7.4 leaves Lua's arena out, Valkey 8 has none, and pads are no fragmentation of small bins. */
static void check_formulas(void)
{
    struct scene sc;
    load(&sc, "redis", 704, BLOCKS);
    struct forecast_step s = step(&sc, 1, BLOCKS / 4);
    double lua = sc.in.server->lua_active - sc.in.server->lua_allocated;
    expect_near("7.4", s.allocator_frag_bytes, s.allocator_active - s.allocator_allocated - lua, .5);
    expect_near("7.4", s.allocator_frag_ratio,
                1 + s.allocator_frag_bytes / (s.allocator_allocated - sc.in.server->lua_allocated), 1e-12);
    slabs_free(sc.slabs);
    load(&sc, "redis", 302, BLOCKS);
    s = step(&sc, 1, BLOCKS / 4);
    expect("3.2 shows none", !s.in_info && s.mem_fragmentation_ratio > 1);
    slabs_free(sc.slabs);
}

static void check_no_model(void)
{
    struct allocator a;
    struct forecast_step s;
    allocator_init(&a, ALLOC_LIBC, false, false);
    struct forecast_input in = {.a = &a, .server = find("redis", 702, ALLOC_LIBC), .used_loaded = 5e6};
    struct forecast_moment m = {.keys = 3, .used_memory = 4e6};
    forecast_step(&in, 0, &m, &s);
    expect("nothing but used_memory is known", !s.modelled && s.keys == 3 && s.used_memory == 4e6);
}

int main(void)
{
    check_servers();
    check_idle();
    check_steps();
    check_random_half();
    check_defrag();
    check_formulas();
    check_no_model();
    return check_result();
}
