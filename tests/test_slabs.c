/*
 * The slab model against a plain simulation that keeps every region: its owner, and a stack of freed regions. Random
 * loads, one key after the other or many at once in lanes; slabs and regions at every step, the expectation after a random
 * deletion, who pins, and what one key owns alone must be the same.
 */
#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "analyzer/lanes.h"
#include "tests/check.h"

static uint64_t seed;

static void expect(const char *what, unsigned b, uint64_t got, uint64_t want)
{
    CHECK_MSG(got == want, "seed %" PRIu64 ", bin %u, %s: %" PRIu64 ", not %" PRIu64, seed, b, what, got, want);
}

static void expect_near(const char *what, unsigned b, double got, double want)
{
    CHECK_MSG(fabs(got - want) <= 1e-9 * (1 + fabs(want)), "seed %" PRIu64 ", bin %u, %s: %.12g, not %.12g", seed, b,
              what, got, want);
}

static unsigned long long random_state;

static uint32_t random_below(uint32_t n)
{
    return (uint32_t)(check_random(&random_state) >> 32) % n;
}

/* ---------------------------------------------------------------- the plain model */

enum { NOBODY = -1, SERVER = 0 }; /* owners; keys count from 1 */

struct list {
    int32_t *at;
    size_t n, cap;
};

static void push(struct list *l, int32_t value)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->at = realloc(l->at, l->cap * sizeof *l->at);
        assert(l->at);
    }
    l->at[l->n++] = value;
}

struct plain {
    const struct allocator *a;
    unsigned nsteps;
    struct list owner[ALLOC_MAX_BINS]; /* of each region, in order of address */
    struct list freed[ALLOC_MAX_BINS]; /* stack of regions */
    struct list got[ALLOC_MAX_BINS];   /* regions that the current owner has, in the order it got them */
    struct list death, tag;            /* of each owner */
    size_t begin[ALLOC_MAX_BINS];      /* no region before this one is the current key's */
    int32_t current;
};

static void plain_free(struct plain *p)
{
    for (unsigned b = 0; b < ALLOC_MAX_BINS; b++) {
        free(p->owner[b].at);
        free(p->freed[b].at);
        free(p->got[b].at);
    }
    free(p->death.at);
    free(p->tag.at);
}

static void plain_init(struct plain *p, const struct allocator *a, unsigned nsteps)
{
    memset(p, 0, sizeof *p);
    p->a = a;
    p->nsteps = nsteps;
    push(&p->death, SLABS_NEVER);
    push(&p->tag, SLABS_TAG_SERVER);
}

static void plain_owner(struct plain *p, int32_t owner)
{
    p->current = owner;
    for (unsigned b = 0; b < p->a->nbins; b++)
        p->got[b].n = 0;
}

static void plain_key(struct plain *p, unsigned death, unsigned tag)
{
    plain_owner(p, (int32_t)p->death.n);
    push(&p->death, (int32_t)death);
    push(&p->tag, (int32_t)tag);
    for (unsigned b = 0; b < p->a->nbins; b++)
        p->begin[b] = p->owner[b].n - p->freed[b].n;
}

static void plain_give(struct plain *p, unsigned b, uint64_t count)
{
    while (count-- > 0) {
        int32_t region = (int32_t)p->owner[b].n;
        if (p->freed[b].n > 0)
            region = p->freed[b].at[--p->freed[b].n];
        else
            push(&p->owner[b], NOBODY);
        p->owner[b].at[region] = p->current;
        push(&p->got[b], region);
    }
}

static bool plain_take_back(struct plain *p, unsigned b)
{
    if (p->got[b].n == 0)
        return false;
    int32_t region = p->got[b].at[--p->got[b].n];
    p->owner[b].at[region] = NOBODY;
    push(&p->freed[b], region);
    return true;
}

/* One slab at one step. */
struct plain_slab {
    uint64_t alive; /* regions */
    uint64_t dead;  /* that have an owner */
    uint64_t keys;  /* distinct ones alive */
    bool server;
};

/* An owner's regions of one bin are in one stretch, but for those of the server. */
static struct plain_slab plain_look(const struct plain *p, unsigned b, size_t slab, unsigned step)
{
    struct plain_slab result = {0};
    size_t n = p->a->bins[b].regions, end = (slab + 1) * n;
    int32_t last = NOBODY;
    for (size_t i = slab * n; i < end && i < p->owner[b].n; i++) {
        int32_t owner = p->owner[b].at[i];
        if (owner == NOBODY)
            continue;
        bool alive = p->death.at[owner] > (int32_t)step;
        result.alive += alive;
        result.dead += !alive;
        result.server |= owner == SERVER;
        result.keys += alive && owner != SERVER && owner != last;
        last = owner != SERVER ? owner : last;
    }
    return result;
}

static size_t plain_slabs(const struct plain *p, unsigned b)
{
    size_t n = p->a->bins[b].regions;
    return (p->owner[b].n + n - 1) / n;
}

/* ---------------------------------------------------------------- comparing */

static void compare_steps(const struct slabs *s, const struct plain *p, bool exact_slabs)
{
    for (unsigned b = 0; b < p->a->nbins; b++) {
        for (unsigned step = 0; step < p->nsteps; step++) {
            uint64_t slabs = 0, regions = 0, got_slabs, got_regions;
            for (size_t i = 0; i < plain_slabs(p, b); i++) {
                struct plain_slab slab = plain_look(p, b, i, step);
                slabs += slab.alive > 0;
                regions += slab.alive;
            }
            slabs_bin_at(s, b, step, &got_slabs, &got_regions);
            expect("regions", b, got_regions, regions);
            if (exact_slabs)
                expect("slabs", b, got_slabs, slabs);
            else if (got_slabs + 3 < slabs || got_slabs > slabs + 3)
                expect("slabs within 3", b, got_slabs, slabs);
        }
    }
}

static void compare_expected(const struct slabs *s, const struct plain *p, double d)
{
    struct slabs_expected e;
    slabs_delete_random(s, d, &e);
    for (unsigned b = 0; b < p->a->nbins; b++) {
        double slabs = 0, regions = 0;
        for (size_t i = 0; i < plain_slabs(p, b); i++) {
            struct plain_slab slab = plain_look(p, b, i, s->at);
            slabs += slab.server ? 1 : 1 - pow(d, (double)slab.keys);
        }
        for (size_t i = 0; i < p->owner[b].n; i++) {
            int32_t owner = p->owner[b].at[i];
            if (owner != NOBODY && p->death.at[owner] > (int32_t)s->at)
                regions += owner == SERVER ? 1 : 1 - d;
        }
        expect_near("expected slabs", b, e.slabs[b], slabs);
        expect_near("expected regions", b, e.regions[b], regions);
    }
}

static void add_pins(const struct plain *p, unsigned b, size_t slab, unsigned step, double *pins)
{
    struct plain_slab look = plain_look(p, b, slab, step);
    if (look.alive == 0 || look.dead == 0)
        return;
    size_t n = p->a->bins[b].regions, end = (slab + 1) * n;
    double each = (double)(n - look.alive) * p->a->bins[b].size / (double)look.alive;
    for (size_t i = slab * n; i < end && i < p->owner[b].n; i++) {
        int32_t owner = p->owner[b].at[i];
        if (owner != NOBODY && p->death.at[owner] > (int32_t)step)
            pins[p->tag.at[owner]] += each;
    }
}

/* The model looks at so many slabs of mixed deaths of each bin; beyond, it looks at some. */
static bool are_all_asked(const struct plain *p)
{
    for (unsigned b = 0; b < p->a->nbins; b++) {
        size_t mixed = 0;
        for (size_t i = 0; i < plain_slabs(p, b); i++) {
            bool is_mixed = false;
            for (unsigned step = 0; step < p->nsteps; step++) {
                struct plain_slab slab = plain_look(p, b, i, step);
                is_mixed |= slab.alive > 0 && slab.dead > 0;
            }
            mixed += is_mixed;
        }
        if (mixed > 256)
            return false;
    }
    return true;
}

static void compare_pins(const struct slabs *s, const struct plain *p)
{
    for (unsigned step = 0; step < p->nsteps; step++) {
        double pins[SLABS_TAGS] = {0};
        for (unsigned b = 0; b < p->a->nbins; b++)
            for (size_t i = 0; i < plain_slabs(p, b); i++)
                add_pins(p, b, i, step, pins);
        for (unsigned tag = 0; tag < SLABS_TAGS; tag++)
            expect_near("pinned by tag", tag, slabs_pinned(s, step, tag), pins[tag]);
    }
}

/* The current key is the one that has just been given its last region. */
static void compare_own(const struct slabs *s, const struct plain *p, int32_t key, uint64_t large)
{
    struct slabs_own own;
    uint64_t whole = 0, stranded = 0;
    for (unsigned b = 0; b < p->a->nbins; b++) {
        size_t n = p->a->bins[b].regions, end = p->owner[b].n;
        for (size_t slab = p->begin[b] / n; slab < plain_slabs(p, b); slab++) {
            uint64_t mine = 0;
            for (size_t i = slab * n; i < (slab + 1) * n && i < end; i++)
                mine += p->owner[b].at[i] == key;
            if (mine == n)
                whole += (uint64_t)p->a->bins[b].pages * 4096;
            else
                stranded += mine * p->a->bins[b].size;
        }
    }
    slabs_key_own(s, &own);
    expect("own slabs", 0, own.slab_bytes, whole);
    expect("stranded", 0, own.stranded_bytes, stranded);
    expect("own large blocks", 0, own.large_bytes, large);
}

/* ---------------------------------------------------------------- random loads */

enum { KINDS = 16, MANY = 64 };

/* Keys that always take the same regions. */
struct kind {
    struct slabs_few bin[4];
    unsigned n, tag;
    union lanes_row take;
    uint16_t row;
};

struct load {
    struct slabs *s;
    struct plain p;
    unsigned ntags;
    bool interrupted; /* the server takes blocks amid keys */
    bool passes;      /* most keys are passed at once */
    unsigned nkinds;  /* 0: no lanes */
    struct kind kind[KINDS];
    uint64_t in_lanes, over; /* keys; lanes that were full */
};

static void give(struct load *l, unsigned b, uint64_t count)
{
    slabs_give(l->s, b, count);
    plain_give(&l->p, b, count);
}

static uint64_t random_count(void)
{
    switch (random_below(12)) {
    case 0: return 1 + random_below(60);
    case 1: return random_below(8) == 0 ? 1 + random_below(3000) : 2;
    default: return 1;
    }
}

static void take_back_some(struct load *l, unsigned b)
{
    uint32_t most = random_below(6) == 0 ? 700 : 2;
    for (uint32_t i = random_below(most + 1); i > 0; i--)
        if (plain_take_back(&l->p, b))
            slabs_take_back(l->s, b);
}

static void server_blocks(struct load *l)
{
    slabs_server(l->s);
    l->p.current = SERVER;
    give(l, random_below(l->p.a->nbins), 1 + random_below(5));
}

static void one_key(struct load *l, unsigned bins_used)
{
    unsigned death = random_below(l->p.nsteps + 1), tag = random_below(l->ntags);
    uint64_t large = 0;
    slabs_key(l->s, death, tag);
    plain_key(&l->p, death, tag);
    int32_t key = l->p.current;
    for (unsigned n = 1 + random_below(12); n > 0; n--) {
        unsigned b = random_below(bins_used);
        give(l, b, random_count());
        if (!l->interrupted && random_below(3) == 0)
            take_back_some(l, b);
        if (l->interrupted && random_below(20) == 0) {
            server_blocks(l);
            slabs_key_again(l->s);
            l->p.current = key;
        }
    }
    if (random_below(10) == 0) {
        slabs_give_large(l->s, 20480, 3);
        slabs_take_back_large(l->s, 20480);
        large = 2 * (20480 + l->p.a->pad);
    }
    if (random_below(8) == 0)
        compare_own(l->s, &l->p, key, large);
}

/* A key whose regions are known beforehand: it never becomes the current one. */
static void passed_key(struct load *l, unsigned bins_used)
{
    unsigned death = random_below(l->p.nsteps + 1), tag = random_below(l->ntags);
    unsigned first = random_below(bins_used), second = random_below(bins_used);
    uint32_t count = random_below(40) == 0 ? 1 + random_below(700) : 1 + random_below(2);
    plain_key(&l->p, death, tag);
    plain_give(&l->p, first, count);
    slabs_pass(l->s, &l->s->open[first], count, slabs_fate(death, tag));
    if (second == first)
        return;
    plain_give(&l->p, second, 1);
    slabs_pass(l->s, &l->s->open[second], 1, slabs_fate(death, tag));
}

/* A new kind in place of another; where the lanes are full, all of them, as few as there are then. */
static void make_kind(struct load *l, struct kind *k, unsigned bins_used)
{
    *k = (struct kind){.tag = random_below(l->ntags)};
    for (unsigned n = 1 + random_below(4); n > 0; n--) {
        unsigned b = random_below(bins_used), i = 0;
        while (i < k->n && k->bin[i].bin != b)
            i++;
        k->bin[i].bin = (uint8_t)b;
        k->bin[i].count++;
        k->n += i == k->n;
    }
    lanes_admit(l->s, k->bin, k->n, k->tag, &k->take, &k->row);
}

static void make_kinds(struct load *l, unsigned bins_used)
{
    if (l->s->lanes == NULL)
        l->s->lanes = lanes_new(l->s);
    assert(l->s->lanes);
    lanes_reset(l->s);
    for (unsigned i = 0; i < l->nkinds; i++)
        make_kind(l, &l->kind[i], bins_used);
}

static void pass_bins(struct load *l, const struct kind *k, unsigned death, bool with_lane, bool without)
{
    for (unsigned i = 0; i < k->n; i++)
        if (l->s->lanes->of[k->bin[i].bin] == LANES ? without : with_lane)
            slabs_pass(l->s, &l->s->open[k->bin[i].bin], k->bin[i].count, slabs_fate(death, k->tag));
}

static void add_in_lanes(struct load *l, const struct kind *const *kind, const unsigned *death, unsigned n)
{
    struct lanes *lanes = l->s->lanes;
    union lanes_row room = lanes->room;
    bool wide = lanes_are_wide(lanes) || random_below(4) == 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned row = kind[i]->row + lanes_row_of(death[i]), over = lanes_take(&room, &kind[i]->take, wide);
        if (over == 0) {
            lanes_add(lanes, &kind[i]->take, row, wide);
            continue;
        }
        lanes->room = room;
        slabs_pass_over(l->s, &kind[i]->take, row, over);
        room = lanes->room;
        l->over++;
    }
    lanes->room = room;
    for (unsigned i = 0; i < n; i++)
        pass_bins(l, kind[i], death[i], false, true);
    l->in_lanes += n;
}

/* Some keys of known kinds, one after the other. */
static void many_keys(struct load *l, unsigned bins_used)
{
    const struct kind *kind[MANY];
    unsigned death[MANY], n = 1 + random_below(MANY);
    if (random_below(4) == 0)
        make_kind(l, &l->kind[random_below(l->nkinds)], bins_used);
    if (l->s->lanes->full && random_below(2) == 0)
        make_kinds(l, bins_used);
    for (unsigned i = 0; i < n; i++) {
        kind[i] = &l->kind[random_below(l->nkinds)];
        death[i] = random_below(l->p.nsteps + 1);
        plain_key(&l->p, death[i], kind[i]->tag);
        for (unsigned j = 0; j < kind[i]->n; j++)
            plain_give(&l->p, kind[i]->bin[j].bin, kind[i]->bin[j].count);
    }
    if (!l->s->lanes->full && slabs_lend(l->s))
        add_in_lanes(l, kind, death, n);
    else
        for (unsigned i = 0; i < n; i++)
            pass_bins(l, kind[i], death[i], true, true);
}

static void run_load(struct load *l, unsigned keys)
{
    unsigned bins_used = 1 + random_below(l->p.a->nbins);
    if (l->nkinds > 0)
        make_kinds(l, bins_used);
    for (unsigned k = 0; k < keys; k++) {
        if (random_below(30) == 0) {
            server_blocks(l);
            plain_owner(&l->p, SERVER);
        }
        if (l->nkinds > 0 && random_below(10) == 0)
            many_keys(l, bins_used);
        else if (l->passes && random_below(8) != 0)
            passed_key(l, bins_used);
        else
            one_key(l, bins_used);
    }
    slabs_finish(l->s);
}

static uint64_t keys_in_lanes, lanes_over;

static void compare_load(enum alloc_kind kind, bool interrupted, bool lanes)
{
    static const double fractions[] = {0, 0.1, 0.5, 0.99, 1};
    struct allocator a;
    struct load l = {.interrupted = interrupted, .passes = random_below(2) == 0, .ntags = 1 + random_below(256)};
    unsigned nsteps = 1 + random_below(lanes ? 16 : SLABS_MAX_STEPS);
    l.nkinds = lanes ? 1 + random_below(KINDS) : 0;
    allocator_init(&a, kind, random_below(2) == 0, false);
    bool pins = random_below(2) == 0; /* else slabs_pass() may count without them */
    l.s = slabs_new(&a, nsteps, random_below(nsteps), pins);
    assert(l.s);
    plain_init(&l.p, &a, nsteps);
    run_load(&l, 50 + random_below(1500));
    compare_steps(l.s, &l.p, true);
    if (pins && are_all_asked(&l.p))
        compare_pins(l.s, &l.p);
    for (unsigned i = 0; !interrupted && i < sizeof fractions / sizeof *fractions; i++)
        compare_expected(l.s, &l.p, fractions[i]);
    keys_in_lanes += l.in_lanes;
    lanes_over += l.over;
    plain_free(&l.p);
    slabs_free(l.s);
}

/* The server frees, amid a load, regions that it got at the start: holes in slabs that are long closed. */
static void compare_holes(void)
{
    struct allocator a;
    struct load l = {.ntags = 4};
    allocator_init(&a, ALLOC_JEMALLOC, false, false);
    l.s = slabs_new(&a, 3, 2, true);
    assert(l.s);
    plain_init(&l.p, &a, 3);
    struct list mine = {0};
    for (unsigned i = 0; i < 40; i++)
        push(&mine, (int32_t)i);
    give(&l, 7, 40);
    for (unsigned k = 0; k < 2000; k++) {
        unsigned death = random_below(4);
        slabs_key(l.s, death, 1);
        plain_key(&l.p, death, 1);
        give(&l, 7, 1 + random_below(3));
        if (random_below(60) == 0 && mine.n > 0) {
            slabs_server(l.s);
            plain_owner(&l.p, SERVER);
            push(&l.p.got[7], mine.at[--mine.n]);
            slabs_take_back(l.s, 7);
            plain_take_back(&l.p, 7);
        }
    }
    slabs_finish(l.s);
    compare_steps(l.s, &l.p, false);
    free(mine.at);
    plain_free(&l.p);
    slabs_free(l.s);
}

/* ---------------------------------------------------------------- sizes beyond simulation */

static void check_huge_give(void)
{
    struct allocator a;
    struct slabs_own own;
    uint64_t slabs, regions;
    allocator_init(&a, ALLOC_JEMALLOC, false, false);
    struct slabs *s = slabs_new(&a, 2, 0, true);
    assert(s);
    const uint64_t count = 100000000; /* of 24 bytes, 512 to a slab */
    slabs_key(s, 2, 1);
    slabs_give(s, 2, 12);
    slabs_key(s, 1, 2);
    slabs_give(s, 2, count);
    for (unsigned i = 0; i < 1000000; i++)
        slabs_take_back(s, 2);
    slabs_give(s, 2, 1000000);
    slabs_key_own(s, &own);
    uint64_t whole = (count - 500) / 512;
    expect("whole slabs", 2, own.slab_bytes, whole * 3 * 4096);
    expect("stranded", 2, own.stranded_bytes, (count - whole * 512) * 24);
    slabs_finish(s);
    slabs_bin_at(s, 2, 0, &slabs, &regions);
    expect("slabs", 2, slabs, (count + 12 + 511) / 512);
    expect("regions", 2, regions, count + 12);
    slabs_bin_at(s, 2, 1, &slabs, &regions);
    expect("slabs", 2, slabs, 1);
    expect("regions", 2, regions, 12);
    slabs_free(s);
}

static void check_large(void)
{
    struct allocator a;
    struct slabs_large large;
    struct slabs_expected e;
    allocator_init(&a, ALLOC_JEMALLOC, true, false);
    a.pad_max = 1835008;
    struct slabs *s = slabs_new(&a, 3, 1, false);
    assert(s);
    slabs_give_large(s, 16384, 1);
    slabs_key(s, 1, 0);
    slabs_give_large(s, 20480, 10);
    slabs_key(s, 3, 0);
    slabs_give_large(s, 2097152, 2);
    slabs_finish(s);
    slabs_large_at(s, 0, &large);
    expect("blocks", 0, large.blocks, 13);
    expect("usable", 0, large.usable, 16384 + 204800 + 4194304);
    expect("active", 0, large.active, 16384 + 204800 + 4194304 + 11 * 4096);
    slabs_large_at(s, 1, &large);
    expect("blocks", 1, large.blocks, 3);
    slabs_delete_random(s, 0.25, &e);
    expect_near("expected blocks", 1, e.large_blocks, 1 + 0.75 * 2);
    expect_near("expected active", 1, e.large_active, 20480 + 0.75 * 4194304);
    slabs_free(s);
}

static void check_no_slabs(void)
{
    struct allocator a;
    allocator_init(&a, ALLOC_LIBC, false, false);
    expect("a model for glibc", 0, slabs_new(&a, 1, 0, false) != NULL, false);
}

int main(void)
{
    static const enum alloc_kind kinds[] = {ALLOC_JEMALLOC, ALLOC_JEMALLOC_Q16, ALLOC_JEMALLOC_3};
    for (seed = 1; seed <= 60; seed++) {
        random_state = seed * 1000003;
        compare_load(kinds[seed % 3], false, false);
        compare_load(kinds[seed % 3], true, false);
        compare_load(kinds[seed % 3], false, true);
        compare_load(kinds[seed % 3], true, true);
        compare_holes();
    }
    CHECK_MSG(keys_in_lanes > 50000 && lanes_over > 1000, "%" PRIu64 " keys in lanes, %" PRIu64 " lanes full",
              keys_in_lanes, lanes_over);
    check_huge_give();
    check_large();
    check_no_slabs();
    return check_result();
}
