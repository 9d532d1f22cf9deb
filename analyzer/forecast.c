/*
 * forecast.c - what INFO memory will show at each step. The model and its constants are explained in the header.
 */
#include "analyzer/forecast.h"

#include <math.h>
#include <string.h>

static const double PAGE = 4096;
static const double BLEND_BYTES = 1e6;   /* load at which idle and loaded figures count alike */
static const double SLAB_METADATA = 128; /* edata_t (extent_t) of a slab or large block */
static const double FILL_MOST = .5;      /* of a thread cache's capacity (lg_fill_div 1) */
static const double FILL_LEFT = .5;      /* of a fill, on average */
static const double FILL_TAKES = 1.5;    /* of what is taken between two turns of the collector: one to two times */
enum { CACHES = 44 };                    /* one for each class up to 32 KiB; a sweep has a turn for each */
static const double SWEEP_BLOCKS = CACHES * 211;  /* jemalloc up to 5.2: TCACHE_GC_INCR */
static const double SWEEP_BYTES = CACHES * 65536; /* 5.3: opt_tcache_gc_incr_bytes */
static const double SWEEP_KEEPS = .25;            /* of what was in an idle cache (tcache_gc_small flushes 3/4) */
static const double IDLE_STAYS = .85;       /* of the pages beyond used_memory: some slabs were in the cache whole */
static const double CACHE_PINS = .5;        /* of the cached regions: the collector flushes idle caches */
static const double DIRTY_SHARE = 1. / 8;   /* of active: jemalloc up to 4, opt_lg_dirty_mult 3 */
static const double ERROR_BYTES = 80e3;     /* of allocated: content of thread caches, from their spread over servers */
static const double ERROR_CACHE_SHARE = .1; /* more with large caches: of all their capacity */

/* ---------------------------------------------------------------- the table of servers */

/* INFO memory of empty servers in default configuration, and after loads of 8 to 35 MB. Up to 4.0 INFO has no allocator
 * figures: allocated and active are those of 5.0 relative to used, resident is rss, the rest is 5.0's. The arena of Lua is
 * that of MALLOC-STATS. */
/* clang-format off */
static const struct forecast_server servers[] = {
    /* used, allocated, active, resident, rss; loaded_overhead, loaded_pinned, rss_overhead, lua_allocated, lua_active,
       cache_full, sweeps_by_blocks */
    {"redis",  208, ALLOC_JEMALLOC_3, FRAG_NOT_SHOWN,
      810784,   951648,  1115400,  3764224,   3764224,     10000,   60000,        0,        0,        0, .75f, true},
    {"redis",  302, ALLOC_JEMALLOC, FRAG_NOT_SHOWN,
      822792,   963656,  1127408,  3940352,   3940352,     10000,   60000,        0,        0,        0, .75f, true},
    {"redis",  400, ALLOC_JEMALLOC, FRAG_NOT_SHOWN,
      849728,   990592,  1154344,  4296704,   4296704,     10000,   60000,        0,        0,        0, .75f, true},
    {"redis",  500, ALLOC_JEMALLOC, FRAG_ACTIVE,
      854552,   995416,  1159168,  3567616,   4526080,     10000,   60000,  1257472,        0,        0, .75f, true},
    {"redis",  600, ALLOC_JEMALLOC, FRAG_ACTIVE,
      865944,  1012832,  1187840,  3551232,   4775936,     40000,   60000,  1589248,        0,        0, .75f, true},
    {"redis",  602, ALLOC_JEMALLOC, FRAG_ACTIVE,
      875920,  1040312,  1212416,  3575808,   4784128,     60000,   60000,  1617920,        0,        0, .75f, true},
    {"redis",  700, ALLOC_JEMALLOC, FRAG_ACTIVE,
      923704,  1129320,  1327104,  3903488,   6029312,     12000,   60000,  2686976,        0,        0, .75f, true},
    {"redis",  700, ALLOC_JEMALLOC_Q16, FRAG_ACTIVE,
      941336,  1735904,  1880064,  4550656,  12378112,    430000,   25000,  5300224,        0,        0, .75f, false},
    {"redis",  702, ALLOC_JEMALLOC, FRAG_ACTIVE,
      931064,  1216672,  1335296,  4001792,   6275072,     45000,   25000,  2527232,        0,        0, .75f, false},
    {"redis",  704, ALLOC_JEMALLOC, FRAG_SMALL_LESS_LUA,
      1011576,  1785120,  1970176,  4808704,   6791168,    515000,   25000,  2453504,   472832,   548864, .75f, false},
    {"redis",  800, ALLOC_JEMALLOC, FRAG_SMALL_LESS_LUA,
      691336,  1515104,  1695744,  4534272,   7913472,    560000,   25000,  3706880,   497408,   573440, .75f, false},
    {"redis",  802, ALLOC_JEMALLOC, FRAG_SMALL_LESS_LUA,
      716624,  1550272,  1728512,  4567040,   8179712,    730000,   25000,  3702784,   472832,   548864, .75f, false},
    {"redis",  804, ALLOC_JEMALLOC, FRAG_SMALL_LESS_LUA,
      734440,  1601504,  1781760,  4620288,   8519680,    500000,   25000,  4417536,   497408,   573440, .75f, false},
    {"redis",  806, ALLOC_JEMALLOC, FRAG_SMALL_LESS_LUA,
      744608,  1581024,  1761280,  4599808,   8134656,    390000,   25000,  4034560,   497408,   573440, .75f, false},
    {"redis",  808, ALLOC_JEMALLOC, FRAG_SMALL_LESS_LUA,
      776160,  4080512,  4108288,  6967296,   7409664,   2050000,       0,  1554432,  1819072,  1835008, .66f, false},
    {"valkey", 702, ALLOC_JEMALLOC, FRAG_ACTIVE,
      946048,  1308192,  1417216,  4083712,   6266880,    125000,   25000,  2465792,        0,        0, .75f, false},
    {"valkey", 800, ALLOC_JEMALLOC, FRAG_SMALL,
      957008,  1339968,  1441792,  4108288,   6737920,    160000,   25000,  2684928,        0,        0, .75f, false},
    {"valkey", 801, ALLOC_JEMALLOC, FRAG_SMALL,
      896864,  1258016,  1372160,  4038656,   6811648,         0,   25000,  3246080,        0,        0, .75f, false},
    {"valkey", 901, ALLOC_JEMALLOC, FRAG_SMALL,
      945264,  1293088,  1413120,  4079616,   7606272,     60000,   25000,  3971072,        0,        0, .75f, false},
};
/* clang-format on */
enum { NSERVERS = sizeof servers / sizeof *servers };

/* The better of two rows for a version: one not newer than it, then the nearest, then the one of the allocator. */
static bool row_is_better(const struct forecast_server *row, const struct forecast_server *than, int version,
                          enum alloc_kind kind)
{
    if (!than)
        return true;
    bool row_older = row->version <= version, than_older = than->version <= version;
    if (row_older != than_older)
        return row_older;
    if (row->version != than->version)
        return row_older == (row->version > than->version);
    return row->kind == kind;
}

const struct forecast_server *forecast_server_find(const char *family, int version, enum alloc_kind kind, bool *exact)
{
    const struct forecast_server *best = NULL;
    for (unsigned i = 0; i < NSERVERS; i++)
        if (strcmp(servers[i].family, family) == 0 && row_is_better(&servers[i], best, version, kind))
            best = &servers[i];
    *exact = best && best->version == version && best->kind == kind;
    return best;
}

/* config.c / server.h CONFIG_DEFAULT_DEFRAG_* of 4.0, 5.0 and 6.0; unchanged since, and in Valkey. */
struct forecast_defrag forecast_defrag_defaults(const char *family, int version, enum alloc_kind kind)
{
    struct forecast_defrag d = {10, 100, 1, 25, 100 << 20, kind == ALLOC_JEMALLOC};
    if (strcmp(family, "redis") != 0 || version >= 600)
        return d;
    d.cycle_min = version >= 500 ? 5 : 25;
    d.cycle_max = 75;
    d.available = d.available && version >= 400;
    return d;
}

/* ---------------------------------------------------------------- what is left in the slabs */

struct left {
    double slabs[ALLOC_MAX_BINS];
    double regions[ALLOC_MAX_BINS];
    double large_usable, large_active, large_blocks;
};

static void left_at(const struct slabs *s, unsigned step, struct left *left)
{
    struct slabs_large large;
    for (unsigned b = 0; b < s->nbins; b++) {
        uint64_t slabs, regions;
        slabs_bin_at(s, b, step, &slabs, &regions);
        left->slabs[b] = (double)slabs;
        left->regions[b] = (double)regions;
    }
    slabs_large_at(s, step, &large);
    left->large_usable = (double)large.usable;
    left->large_active = (double)large.active;
    left->large_blocks = (double)large.blocks;
}

static void left_expected(const struct slabs_expected *e, struct left *left)
{
    memcpy(left->slabs, e->slabs, sizeof left->slabs);
    memcpy(left->regions, e->regions, sizeof left->regions);
    left->large_usable = e->large_usable;
    left->large_active = e->large_active;
    left->large_blocks = e->large_blocks;
}

static double slab_bytes(const struct alloc_bin *bin)
{
    return bin->pages * PAGE;
}

/* ---------------------------------------------------------------- parts of the model */

static double blend(double load, double idle, double loaded)
{
    double w = load / (load + BLEND_BYTES);
    return (1 - w) * idle + w * loaded;
}

static double load_bytes(const struct allocator *a, const struct left *left)
{
    double bytes = left->large_usable;
    for (unsigned b = 0; b < a->nbins; b++)
        bytes += left->regions[b] * a->bins[b].size;
    return bytes;
}

static double blocks(const struct allocator *a, const struct left *left)
{
    double n = 0;
    for (unsigned b = 0; b < a->nbins; b++)
        n += left->regions[b];
    return n;
}

/* How often the collector comes by each thread cache during a load. */
static double sweeps(const struct allocator *a, const struct forecast_server *server, const struct left *left)
{
    if (server->sweeps_by_blocks)
        return blocks(a, left) / SWEEP_BLOCKS;
    return (load_bytes(a, left) - left->large_usable) / SWEEP_BYTES;
}

/* What a load of these regions leaves in the bin's thread cache. */
static double cached_by_load(const struct alloc_bin *bin, double regions, double swept)
{
    return FILL_LEFT * fmin(FILL_TAKES * regions / fmax(swept, 1), FILL_MOST * bin->tcache);
}

static double overhead(const struct allocator *a, const struct forecast_server *server, const struct left *left)
{
    double swept = sweeps(a, server, left), cached = 0, idle = pow(SWEEP_KEEPS, swept);
    for (unsigned b = 0; b < a->nbins; b++)
        cached += cached_by_load(&a->bins[b], left->regions[b], swept) * a->bins[b].size;
    return idle * ((double)server->allocated - server->used) + (1 - idle) * server->loaded_overhead + cached;
}

/* Free bytes of slabs after a load of these regions: the open slab of each bin in use is half full on average, and some are
 * kept alive by what came and went while it loaded. Lua's arena has its own. */
static double load_waste(const struct allocator *a, const struct forecast_server *server, const struct left *left,
                         double load)
{
    double open = (double)server->lua_active - server->lua_allocated + server->loaded_pinned;
    for (unsigned b = 0; b < a->nbins; b++)
        if (left->regions[b] > 0)
            open += (slab_bytes(&a->bins[b]) - a->bins[b].size) / 2;
    return blend(load, (double)server->active - server->allocated, open);
}

static bool has_large_caches(const struct allocator *a)
{
    return a->bins[0].tcache > 200;
}

/* active(0) of the header, of a server that has loaded these regions and now has this used_memory. What a load does not touch keeps the slabs that
 * it had, though the collector empties its caches; large caches hold whole slabs, which then go. */
static double loaded_active(const struct allocator *a, const struct forecast_server *server, const struct left *left,
                            double used)
{
    double beyond = overhead(a, server, left) + load_waste(a, server, left, load_bytes(a, left));
    double idle = has_large_caches(a) ? 0 : (double)server->active - server->used;
    return used + fmax(beyond, IDLE_STAYS * idle) + left->large_active - left->large_usable;
}

/* Of `freed` regions of a bin, those that wait in the thread cache. */
static double cached_regions(const struct alloc_bin *bin, double freed, double full)
{
    return fmin(freed, full * bin->tcache);
}

/* Beyond what the load left there. */
static double cached_bytes(const struct allocator *a, const struct forecast_server *server, const struct left *loaded,
                           const struct left *left)
{
    double swept = sweeps(a, server, loaded), bytes = 0;
    for (unsigned b = 0; b < a->nbins; b++) {
        const struct alloc_bin *bin = &a->bins[b];
        double before = cached_by_load(bin, loaded->regions[b], swept);
        double cached = cached_regions(bin, loaded->regions[b] - left->regions[b], server->cache_full);
        bytes += fmax(0, cached - before) * bin->size;
    }
    return bytes;
}

/* Slabs of a bin that would be gone but for a cached region: of `gone` slabs, those hit by a number of random
 * regions. */
static double pinned_slabs(const struct alloc_bin *bin, double freed, double gone, double full)
{
    double hits = CACHE_PINS * cached_regions(bin, freed, full) * gone * bin->regions / freed;
    return gone > 1 ? gone * (1 - pow(1 - 1 / gone, hits)) : fmin(gone, hits);
}

static double slabs_gone(const struct allocator *a, const struct left *loaded, const struct left *left, double full)
{
    double bytes = 0;
    for (unsigned b = 0; b < a->nbins; b++) {
        const struct alloc_bin *bin = &a->bins[b];
        double freed = loaded->regions[b] - left->regions[b], gone = loaded->slabs[b] - left->slabs[b];
        if (freed > 0 && gone > 0)
            bytes += (gone - pinned_slabs(bin, freed, gone, full)) * slab_bytes(bin);
    }
    return bytes;
}

static double total_slabs(const struct allocator *a, const struct left *left)
{
    double n = 0;
    for (unsigned b = 0; b < a->nbins; b++)
        n += left->slabs[b];
    return n;
}

/* ---------------------------------------------------------------- INFO */

struct state {
    const struct forecast_input *in;
    const struct forecast_server *server;
    struct left loaded, left;
    double load; /* bytes at step 0 */
    double active_0;
};

static void fill_allocator(const struct state *st, const struct forecast_moment *m, struct forecast_step *out)
{
    const struct allocator *a = st->in->a;
    double full = st->server->cache_full;
    out->allocator_allocated =
        m->used_memory + overhead(a, st->server, &st->loaded) + cached_bytes(a, st->server, &st->loaded, &st->left);
    out->allocator_active = st->active_0 - slabs_gone(a, &st->loaded, &st->left, full) -
                            (st->loaded.large_active - st->left.large_active) - m->tables_freed;
    out->allocator_active = fmax(out->allocator_active, out->allocator_allocated);
}

/* smallfrag is active less allocated, less the pads of large blocks. */
static void fill_frag(const struct state *st, struct forecast_step *out)
{
    const struct forecast_server *server = st->server;
    double allocated = out->allocator_allocated, bytes = out->allocator_active - allocated;
    if (server->frag == FRAG_SMALL || server->frag == FRAG_SMALL_LESS_LUA)
        bytes -= st->left.large_active - st->left.large_usable;
    if (server->frag == FRAG_SMALL_LESS_LUA) {
        bytes = fmax(0, bytes - ((double)server->lua_active - server->lua_allocated));
        allocated -= server->lua_allocated;
    }
    out->allocator_frag_bytes = bytes;
    out->allocator_frag_ratio = allocated > 0 ? 1 + bytes / allocated : 1;
    out->defrag_bytes = bytes;
    out->defrag_percent = 100 * (out->allocator_frag_ratio - 1);
}

/* Metadata is not given back: it follows the slabs of step 0. Dirty pages: those of old jemalloc stay up to a share. */
static void fill_resident(const struct state *st, struct forecast_step *out)
{
    const struct forecast_server *server = st->server;
    double beyond = (double)server->resident - server->active, dirty = 0, metadata = 0;
    if (server->frag == FRAG_NOT_SHOWN)
        dirty = fmin(st->active_0 - out->allocator_active, out->allocator_active * DIRTY_SHARE);
    else
        metadata = SLAB_METADATA * (total_slabs(st->in->a, &st->loaded) + st->loaded.large_blocks);
    double rss_overhead = blend(st->load, (double)server->rss - server->resident, server->rss_overhead);
    out->allocator_resident = out->allocator_active + beyond + metadata + fmax(0, dirty);
    out->used_memory_rss = out->allocator_resident + rss_overhead;
}

static void fill_ratios(struct forecast_step *out)
{
    out->allocator_rss_ratio = out->allocator_resident / out->allocator_active;
    out->allocator_rss_bytes = out->allocator_resident - out->allocator_active;
    out->rss_overhead_ratio = out->used_memory_rss / out->allocator_resident;
    out->rss_overhead_bytes = out->used_memory_rss - out->allocator_resident;
    out->mem_fragmentation_ratio = out->used_memory_rss / out->used_memory;
    out->mem_fragmentation_bytes = out->used_memory_rss - out->used_memory;
}

static double error_bytes(const struct allocator *a)
{
    double capacity = 0;
    for (unsigned b = 0; b < a->nbins; b++)
        capacity += (double)a->bins[b].tcache * a->bins[b].size;
    return ERROR_BYTES + (has_large_caches(a) ? ERROR_CACHE_SHARE * capacity : 0);
}

/* ---------------------------------------------------------------- verdicts */

static const struct {
    double below;
    const char *name;
} bands[] = {
    [BAND_LOW] = {1.1, "low"},
    [BAND_MODERATE] = {1.5, "moderate"},
    [BAND_HIGH] = {2, "high"},
    [BAND_SEVERE] = {INFINITY, "severe"},
};

const char *forecast_band_name(enum forecast_band band)
{
    return bands[band].name;
}

static enum forecast_band band_of(double ratio)
{
    enum forecast_band band = BAND_LOW;
    while (ratio >= bands[band].below && band < BAND_SEVERE)
        band++;
    return band;
}

/* src/defrag.c computeDefragCycles: linear between the thresholds. */
static unsigned defrag_effort(const struct forecast_defrag *d, double percent)
{
    double span = (double)d->threshold_upper - d->threshold_lower;
    double share = span > 0 ? (percent - d->threshold_lower) / span : 1;
    double cpu = d->cycle_min + share * ((double)d->cycle_max - d->cycle_min);
    return (unsigned)fmin(fmax(cpu, d->cycle_min), d->cycle_max);
}

/* Slabs of a bin beyond those that its regions fill, the open one aside. */
static double spare_slabs(const struct allocator *a, const struct left *left)
{
    double bytes = 0;
    for (unsigned b = 0; b < a->nbins; b++) {
        double needed = ceil(left->regions[b] / a->bins[b].regions);
        bytes += fmax(0, left->slabs[b] - needed) * slab_bytes(&a->bins[b]);
    }
    return bytes;
}

/* It runs again and again until either threshold is not reached. Slabs fuller than 1.125 times the average of those
 * that are not full are left alone, so that the most is not always reached. */
static void fill_defrag(const struct state *st, struct forecast_step *out)
{
    const struct forecast_defrag *d = &st->in->defrag;
    double base = out->defrag_percent > 0 ? 100 * out->defrag_bytes / out->defrag_percent : 0;
    double stop = fmax(base * d->threshold_lower / 100, (double)d->ignore_bytes);
    out->defrag_starts =
        d->available && out->defrag_percent >= d->threshold_lower && out->defrag_bytes >= (double)d->ignore_bytes;
    out->defrag_cpu = out->defrag_starts ? defrag_effort(d, out->defrag_percent) : 0;
    out->defrag_most = d->available ? spare_slabs(st->in->a, &st->left) : 0;
    out->defrag_least = out->defrag_starts ? fmin(out->defrag_bytes - stop, out->defrag_most) : 0;
}

/* ---------------------------------------------------------------- the two ways to a step */

static void fill(struct state *st, const struct forecast_moment *m, struct forecast_step *out)
{
    const struct forecast_input *in = st->in;
    left_at(in->slabs, 0, &st->loaded);
    st->load = load_bytes(in->a, &st->loaded);
    st->active_0 = loaded_active(in->a, st->server, &st->loaded, in->used_loaded);
    out->modelled = true;
    out->in_info = st->server->frag != FRAG_NOT_SHOWN;
    fill_allocator(st, m, out);
    fill_frag(st, out);
    fill_resident(st, out);
    fill_ratios(out);
    out->active_error = error_bytes(in->a);
    out->band = band_of(out->allocator_frag_ratio);
    fill_defrag(st, out);
    out->restart_gains = fmax(0, out->allocator_active - loaded_active(in->a, st->server, &st->left, m->used_memory));
}

static bool begin(struct state *st, const struct forecast_input *in, const struct forecast_moment *m,
                  struct forecast_step *out)
{
    static const struct forecast_server unknown = {.family = "", .frag = FRAG_ACTIVE, .cache_full = .75f};
    *out = (struct forecast_step){.keys = m->keys, .used_memory = m->used_memory};
    st->in = in;
    st->server = in->server ? in->server : &unknown;
    return in->slabs != NULL;
}

void forecast_step(const struct forecast_input *in, unsigned step, const struct forecast_moment *m,
                   struct forecast_step *out)
{
    struct state st = {0};
    if (!begin(&st, in, m, out))
        return;
    left_at(in->slabs, step, &st.left);
    fill(&st, m, out);
}

void forecast_left(const struct forecast_input *in, const struct slabs_expected *left, const struct forecast_moment *m,
                   struct forecast_step *out)
{
    struct state st = {0};
    if (!begin(&st, in, m, out))
        return;
    left_expected(left, &st.left);
    fill(&st, m, out);
}

void forecast_deleted(const struct forecast_input *in, double d, const struct forecast_moment *m,
                      struct forecast_step *out)
{
    struct slabs_expected left;
    if (in->slabs)
        slabs_delete_random(in->slabs, d, &left);
    forecast_left(in, &left, m, out);
}
