/*
 * slabs.c - in which slab each block falls, and what survives there.
 *
 * Two observations keep this cheap.
 *
 * (1) Nothing need be known of a slab once it is full but when it dies: the latest death among its regions. So one
 *     counter by death moves for the slab, and one for each death of its regions; how many are alive at a step are sums
 *     over the deaths beyond it, taken when asked for. The number of steps costs nothing until a slab is full.
 * (2) What the current owner of a bin's newest regions has got is only a number until another owner comes ("settling").
 *     Then the open slab is filled up, whole slabs are counted by a division, and the rest opens a new slab. So a
 *     gift of a hundred million regions is one addition, and taking regions back, over any number of slabs, as many
 *     subtractions.
 *
 * For random deletion, slabs are counted by the number of distinct keys that are alive in them at step `at`: a slab
 * of m keys survives with probability 1 - d^m for any d, one with a region of the server always.
 */
#include "analyzer/slabs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/lanes.h"

enum { PAGE = 4096, PINS_ALL = 256, PINS_ONE_IN = 16 };

struct bin_sums {
    uint64_t slab_die[SLABS_DEATHS];   /* slabs by the death of their last region */
    uint64_t region_die[SLABS_DEATHS]; /* regions by death */
    uint64_t holes[SLABS_DEATHS];      /* slabs_open.holes, by the death of the owner who freed them */
    uint64_t pinned;                   /* slabs with a region of the server */
    uint64_t mixed;                    /* slabs of mixed deaths */
    uint64_t *by_keys;                 /* the other slabs by their number of keys alive at `at`: 0 .. regions */
};

/* One slab's regions by tag and death, deaths beyond the last step as one. Only the first ntags rows are meaningful. */
struct tag_table {
    unsigned ntags;
    uint16_t tag[SLABS_TAGS];
    uint16_t slot[SLABS_TAGS]; /* of a tag: valid if tag[slot] is that tag and slot < ntags */
    uint32_t regions[SLABS_TAGS][SLABS_MAX_STEPS + 1];
};

struct slabs_sums {
    struct bin_sums bin[ALLOC_MAX_BINS];
    double *pins;          /* [SLABS_TAGS][nsteps], bytes; NULL: not wanted */
    slabs_run_t *runs;     /* all open slabs' runs */
    uint64_t *by_keys;     /* all bins' */
    struct tag_table tags; /* scratch of share_pins() */
};

/* ---------------------------------------------------------------- runs */

static uint32_t run_regions(slabs_run_t run)
{
    return (uint32_t)(run & 0xffff);
}

static uint16_t run_tag(slabs_run_t run)
{
    return (uint16_t)(run >> 32 & 0xffff);
}

static unsigned run_death(slabs_run_t run)
{
    return (unsigned)(run >> 48);
}

/* Of a tally. */
static uint32_t regions_of(uint32_t tally)
{
    return tally & 0xffff;
}

static uint32_t owners_of(uint32_t tally)
{
    return tally >> 16;
}

void slabs_add_run(struct slabs_open *o, slabs_fate_t fate, uint32_t regions)
{
    if ((slabs_fate_t)(*o->run >> 32) == fate)
        *o->run += regions;
    else
        *++o->run = (slabs_run_t)fate << 32 | regions;
}

/* ---------------------------------------------------------------- life */

static bool allocate_sums(struct slabs *s, bool want_pins)
{
    size_t regions = 0;
    for (unsigned b = 0; b < s->nbins; b++)
        regions += s->a->bins[b].regions;
    struct slabs_sums *sums = s->sums = calloc(1, sizeof *sums);
    if (!sums)
        return false;
    sums->runs = calloc(regions + s->nbins, sizeof *sums->runs);
    sums->by_keys = calloc(regions + s->nbins, sizeof *sums->by_keys);
    if (want_pins)
        sums->pins = calloc((size_t)s->nsteps * SLABS_TAGS, sizeof *sums->pins);
    return sums->runs && sums->by_keys && (sums->pins || !want_pins);
}

/* Whether share_pins() is to be told of the class's next slab of mixed deaths; how many such slabs it stands for. A class's
 * first ones are looked at each; of the thousands that may follow some stand for all: which keys are neighbours varies, who they
 * are in the mean does not. */
static unsigned pins_weight(const struct slabs *s, unsigned b)
{
    uint64_t seen = s->sums->bin[b].mixed;
    if (!s->sums->pins || (seen >= PINS_ALL && seen % PINS_ONE_IN != 0))
        return 0;
    return seen < PINS_ALL ? 1 : PINS_ONE_IN;
}

/* runs[0] belongs to no slab and shares its fate with none: a run can always be compared with the one before. */
static void open_slab(struct slabs *s, unsigned b)
{
    struct slabs_open *o = &s->open[b];
    o->asked = pins_weight(s, b) > 0;
    o->runs[0] = UINT64_MAX;
    o->run = o->runs;
    o->limit = o->regions - 1;
}

/* limit says again what is left: what stands still in room, or is counted elsewhere, goes back there. */
static void hold(struct slabs *s, struct slabs_open *o)
{
    if (__builtin_expect(o->lane != 0, 0))
        o->limit = lanes_bring_home(s->lanes, o);
    o->limit += o->room;
    o->room = 0;
}

static uint32_t settled(const struct slabs_open *o)
{
    return o->regions - 1 - o->limit;
}

struct slabs *slabs_new(const struct allocator *a, unsigned nsteps, unsigned at, bool want_pins)
{
    assert(nsteps >= 1 && nsteps <= SLABS_MAX_STEPS && at < nsteps);
    if (!allocator_has_slabs(a))
        return NULL;
    struct slabs *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->a = a;
    s->nsteps = nsteps;
    s->nbins = a->nbins;
    s->at = at;
    if (!allocate_sums(s, want_pins)) {
        slabs_free(s);
        return NULL;
    }
    slabs_run_t *runs = s->sums->runs;
    uint64_t *by_keys = s->sums->by_keys;
    for (unsigned b = 0; b < s->nbins; b++) {
        uint32_t regions = a->bins[b].regions;
        s->open[b] = (struct slabs_open){.owner = SLABS_NOBODY, .regions = regions, .runs = runs};
        open_slab(s, b);
        s->sums->bin[b].by_keys = by_keys;
        runs += regions + 1;
        by_keys += regions + 1;
    }
    slabs_server(s);
    return s;
}

void slabs_free(struct slabs *s)
{
    if (!s)
        return;
    if (s->sums) {
        free(s->sums->runs);
        free(s->sums->by_keys);
        free(s->sums->pins);
        free(s->sums);
    }
    free(s->lanes);
    free(s);
}

/* ---------------------------------------------------------------- who pins a slab */

static uint32_t *tag_row(struct tag_table *t, uint16_t tag, unsigned nsteps)
{
    unsigned slot = t->slot[tag];
    if (slot >= t->ntags || t->tag[slot] != tag) {
        slot = t->ntags++;
        t->slot[tag] = (uint16_t)slot;
        t->tag[slot] = tag;
        memset(t->regions[slot], 0, (nsteps + 1) * sizeof *t->regions[slot]);
    }
    return t->regions[slot];
}

/* by_death[d]: regions of the slab that die at step d (nsteps: later). Returns how many they are. */
static uint32_t count_by_tag(const struct slabs_open *o, unsigned nsteps, struct tag_table *t, uint32_t *by_death)
{
    uint32_t all = 0;
    t->ntags = 0;
    memset(by_death, 0, (nsteps + 1) * sizeof *by_death);
    for (const slabs_run_t *r = o->runs + 1; r <= o->run; r++) {
        unsigned death = run_death(*r) < nsteps ? run_death(*r) : nsteps;
        tag_row(t, run_tag(*r), nsteps)[death] += run_regions(*r);
        by_death[death] += run_regions(*r);
        all += run_regions(*r);
    }
    return all;
}

/* Shares out, for each step at which the slab lives with dead regions in it, its free bytes, `weight` times. */
static void share_pins(struct slabs *s, unsigned b, unsigned last_death, unsigned weight)
{
    const struct slabs_open *o = &s->open[b];
    struct tag_table *t = &s->sums->tags;
    unsigned end = last_death < s->nsteps ? last_death : s->nsteps;
    uint32_t by_death[SLABS_MAX_STEPS + 1], alive = 0;
    double each[SLABS_MAX_STEPS]; /* free bytes for each surviving region */
    uint32_t all = count_by_tag(o, s->nsteps, t, by_death);
    for (unsigned step = end; step-- > 0;) {
        alive += by_death[step + 1];
        each[step] = alive < all ? (double)(o->regions - alive) * s->a->bins[b].size * weight / alive : 0;
    }
    for (unsigned slot = 0; slot < t->ntags; slot++) {
        double *pins = s->sums->pins + (size_t)t->tag[slot] * s->nsteps;
        alive = 0;
        for (unsigned step = end; step-- > 0;) {
            alive += t->regions[slot][step + 1];
            pins[step] += each[step] * alive;
        }
    }
}

/* ---------------------------------------------------------------- closing and settling */

/* The open slab takes no more regions: adds its runs to the sums, and opens another. */
static void close_slab(struct slabs *s, unsigned b)
{
    struct slabs_open *o = &s->open[b];
    struct bin_sums *sums = &s->sums->bin[b];
    unsigned last = 0, first = SLABS_NEVER;
    uint32_t keys = 0;
    for (unsigned death = 0; death < SLABS_DEATHS; death = death == s->nsteps ? SLABS_NEVER : death + 1) {
        uint32_t tally = o->tally[death];
        if (tally == 0)
            continue;
        o->tally[death] = 0;
        sums->region_die[death] += regions_of(tally);
        keys += death > s->at ? owners_of(tally) : 0;
        last = death;
        first = death < first ? death : first;
    }
    sums->slab_die[last]++;
    if (last == SLABS_NEVER)
        sums->pinned++;
    else
        sums->by_keys[keys]++;
    if (first < last && first < s->nsteps) {
        unsigned weight = pins_weight(s, b);
        if (weight)
            share_pins(s, b, last, weight);
        sums->mixed++;
    }
    open_slab(s, b);
}

/* Slabs that one owner fills alone. */
static void close_whole(struct slabs *s, unsigned b, unsigned death, uint64_t slabs)
{
    struct bin_sums *sums = &s->sums->bin[b];
    sums->slab_die[death] += slabs;
    sums->region_die[death] += slabs * s->open[b].regions;
    if (death == SLABS_NEVER)
        sums->pinned += slabs;
    else
        sums->by_keys[death > s->at] += slabs;
}

/* Places the last owner's regions for good. */
static void settle(struct slabs *s, unsigned b)
{
    struct slabs_open *o = &s->open[b];
    uint64_t count = o->count;
    o->count = 0;
    hold(s, o);
    if (settled(o) > 0 && count > o->limit) {
        uint32_t head = o->limit + 1;
        slabs_settle_some(o, o->fate, head);
        close_slab(s, b);
        count -= head;
    }
    if (count >= o->regions) {
        close_whole(s, b, slabs_death(o->fate), count / o->regions);
        count %= o->regions;
    }
    if (count > 0)
        slabs_settle_some(o, o->fate, (uint32_t)count);
}

/* ---------------------------------------------------------------- giving and taking */

/* What the regions of bin b that are not settled yet are to their owner: whole slabs, or parts of shared ones. */
static void add_own(const struct slabs *s, unsigned b, struct slabs_own *own)
{
    const struct slabs_open *o = &s->open[b];
    const struct alloc_bin *bin = &s->a->bins[b];
    uint64_t count = o->count, shared = 0;
    if (settled(o) > 0)
        shared = count <= o->limit ? count : o->limit + 1;
    uint64_t whole = (count - shared) / o->regions;
    own->slab_bytes += whole * bin->pages * PAGE;
    own->stranded_bytes += (count - whole * o->regions) * bin->size;
}

/* Another owner comes upon a bin. Should it be the server amid a key: what the key has there will not be found
 * later. */
static void interrupt(struct slabs *s, unsigned b)
{
    if (s->owner == 0 && s->last_key > 0 && s->open[b].owner == s->last_key)
        add_own(s, b, &s->own);
    settle(s, b);
}

/* Freed regions go first. They change hands where they are: in the sums by death, not in those of their slab. */
static uint64_t fill_holes(struct slabs *s, unsigned b, uint64_t count)
{
    struct bin_sums *sums = &s->sums->bin[b];
    for (unsigned death = SLABS_DEATHS; death-- > 0 && count > 0;) {
        uint64_t filled = sums->holes[death] < count ? sums->holes[death] : count;
        sums->holes[death] -= filled;
        sums->region_die[death] -= filled;
        sums->region_die[slabs_death(s->fate)] += filled;
        s->open[b].holes -= (uint32_t)filled;
        count -= filled;
    }
    return count;
}

void slabs_give_closely(struct slabs *s, struct slabs_open *o, uint64_t count)
{
    unsigned b = (unsigned)(o - s->open);
    interrupt(s, b);
    if (o->holes > 0)
        count = fill_holes(s, b, count);
    o->owner = count > 0 ? s->owner : SLABS_NOBODY;
    o->fate = s->fate;
    o->count = count;
}

void slabs_pass_closely(struct slabs *s, struct slabs_open *o, uint32_t count, slabs_fate_t fate)
{
    if (o->asked && o->count == 0 && count <= o->limit && o->holes == 0) {
        slabs_settle_some(o, fate, count);
        return;
    }
    unsigned b = (unsigned)(o - s->open);
    settle(s, b);
    s->fate = fate;
    o->count = o->holes > 0 ? fill_holes(s, b, count) : count;
    o->fate = fate;
    settle(s, b);
    o->owner = SLABS_NOBODY;
    if (!o->asked && o->holes == 0) {
        o->room = o->limit;
        o->limit = 0;
    }
}

/* Regions of one owner whose number is small. */
static void settle_few(struct slabs *s, unsigned b, slabs_fate_t fate, uint32_t count)
{
    struct slabs_open *o = &s->open[b];
    while (count > o->limit) {
        uint32_t head = o->limit + 1;
        slabs_settle_some(o, fate, head);
        close_slab(s, b);
        count -= head;
    }
    if (count > 0)
        slabs_settle_some(o, fate, count);
}

/* The others' regions are in the slab already. */
static void pass_in_lane(struct slabs *s, unsigned lane, slabs_fate_t fate, uint32_t count)
{
    struct lanes *lanes = s->lanes;
    unsigned b = lanes->bin[lane];
    struct slabs_open *o = &s->open[b];
    o->limit = lanes_bring_home(lanes, o);
    settle_few(s, b, fate, count);
    lanes_lend(lanes, lane, o);
}

void slabs_pass_over(struct slabs *s, const union lanes_row *take, unsigned row, unsigned over)
{
    union lanes_row rest = *take;
    slabs_fate_t fate = s->lanes->fate[row / sizeof *take];
    for (; over != 0; over &= over - 1) {
        unsigned lane = (unsigned)__builtin_ctz(over);
        lanes_put_back(s->lanes, lane, take->lane[lane], &rest);
        pass_in_lane(s, lane, fate, (uint32_t)take->lane[lane]);
    }
    lanes_add(s->lanes, &rest, row, true);
}

static bool lend(struct slabs *s, unsigned lane)
{
    unsigned b = s->lanes->bin[lane];
    struct slabs_open *o = &s->open[b];
    settle(s, b);
    o->owner = SLABS_NOBODY;
    if (o->holes > 0)
        return false;
    lanes_lend(s->lanes, lane, o);
    return true;
}

bool slabs_lend_all(struct slabs *s)
{
    const struct lanes *lanes = s->lanes;
    for (unsigned lane = 0; lane < lanes->n; lane++) {
        unsigned b = lanes->bin[lane];
        bool lent = lanes->of[b] != lane || s->open[b].lane != 0; /* an extra is, with the bin */
        if (!lent && !lend(s, lane))
            return false;
    }
    return true;
}

void slabs_recall(struct slabs *s)
{
    for (unsigned lane = 0; lane < s->lanes->n; lane++)
        hold(s, &s->open[s->lanes->bin[lane]]);
}

/* The owner's regions are settled, since another came between: one becomes a hole, wherever it is. */
void slabs_take_back_settled(struct slabs *s, unsigned b)
{
    interrupt(s, b);
    s->open[b].owner = SLABS_NOBODY;
    s->open[b].holes++;
    s->sums->bin[b].holes[slabs_death(s->fate)]++;
}

static uint64_t padded(const struct allocator *a, uint64_t usable)
{
    return usable <= a->pad_max ? usable + a->pad : usable;
}

/* Of the current owner. */
static void move_large(struct slabs *s, uint64_t blocks, uint64_t usable, uint64_t active)
{
    struct slabs_large *sums[] = {&s->large[slabs_death(s->fate)], &s->key_large};
    for (unsigned i = 0; i < (s->owner != 0 ? 2U : 1U); i++) {
        sums[i]->blocks += blocks;
        sums[i]->usable += usable;
        sums[i]->active += active;
    }
}

void slabs_give_large(struct slabs *s, uint64_t usable, uint64_t count)
{
    move_large(s, count, count * usable, count * padded(s->a, usable));
}

void slabs_take_back_large(struct slabs *s, uint64_t usable)
{
    move_large(s, -(uint64_t)1, -usable, -padded(s->a, usable));
}

void slabs_key_drop(struct slabs *s)
{
    const struct slabs_large l = s->key_large;
    if (s->owner == 0)
        return;
    move_large(s, -l.blocks, -l.usable, -l.active);
    for (unsigned b = 0; b < s->nbins; b++) {
        if (s->open[b].owner != s->owner)
            continue;
        s->open[b].count = 0;
        s->open[b].owner = SLABS_NOBODY;
    }
}

/* ---------------------------------------------------------------- tallies */

struct slabs *slabs_new_tally(const struct allocator *a)
{
    struct slabs *s = slabs_new(a, 1, 0, false);
    for (unsigned b = 0; s && b < s->nbins; b++)
        s->open[b].owner = s->owner; /* so that nothing is ever settled */
    return s;
}

unsigned slabs_tally(struct slabs *s, struct slabs_share *shares, struct slabs_large *large)
{
    unsigned n = 0;
    for (unsigned b = 0; b < s->nbins; b++) {
        if (s->open[b].count == 0)
            continue;
        shares[n++] = (struct slabs_share){.count = s->open[b].count, .bin = b};
        s->open[b].count = 0;
    }
    *large = s->large[SLABS_NEVER];
    s->large[SLABS_NEVER] = (struct slabs_large){0};
    return n;
}

void slabs_give_tally(struct slabs *s, const struct slabs_share *shares, unsigned n, const struct slabs_large *large)
{
    for (unsigned i = 0; i < n; i++)
        slabs_give(s, shares[i].bin, shares[i].count);
    if (large->blocks)
        move_large(s, large->blocks, large->usable, large->active);
}

void slabs_key_own(const struct slabs *s, struct slabs_own *own)
{
    *own = s->own;
    own->large_bytes = s->key_large.active;
    for (unsigned b = 0; b < s->nbins; b++)
        if (s->open[b].owner == s->last_key && s->last_key > 0)
            add_own(s, b, own);
}

/* ---------------------------------------------------------------- results */

void slabs_finish(struct slabs *s)
{
    for (unsigned b = 0; b < s->nbins; b++) {
        struct bin_sums *sums = &s->sums->bin[b];
        settle(s, b);
        if (settled(&s->open[b]) > 0)
            close_slab(s, b);
        for (unsigned death = 0; death < SLABS_DEATHS; death++)
            sums->region_die[death] -= sums->holes[death];
    }
}

/* Sum over the deaths after a step. */
static uint64_t sum_after(const uint64_t by_death[SLABS_DEATHS], unsigned step)
{
    uint64_t sum = 0;
    for (unsigned death = step + 1; death < SLABS_DEATHS; death++)
        sum += by_death[death];
    return sum;
}

void slabs_bin_at(const struct slabs *s, unsigned b, unsigned step, uint64_t *slabs, uint64_t *regions)
{
    const struct bin_sums *sums = &s->sums->bin[b];
    *slabs = sum_after(sums->slab_die, step);
    *regions = sum_after(sums->region_die, step);
}

void slabs_large_at(const struct slabs *s, unsigned step, struct slabs_large *large)
{
    *large = (struct slabs_large){0};
    for (unsigned death = step + 1; death < SLABS_DEATHS; death++) {
        large->blocks += s->large[death].blocks;
        large->usable += s->large[death].usable;
        large->active += s->large[death].active;
    }
}

static void expect_bin(const struct slabs *s, unsigned b, double d, struct slabs_expected *e)
{
    const struct bin_sums *sums = &s->sums->bin[b];
    uint64_t server = sums->region_die[SLABS_NEVER];
    uint64_t keys = sum_after(sums->region_die, s->at) - server;
    double slabs = (double)sums->pinned, all_gone = 1;
    for (uint32_t m = 1; m <= s->a->bins[b].regions; m++) {
        all_gone *= d;
        slabs += (double)sums->by_keys[m] * (1 - all_gone);
    }
    e->slabs[b] = slabs;
    e->regions[b] = (double)server + (double)keys * (1 - d);
}

void slabs_delete_random(const struct slabs *s, double d, struct slabs_expected *e)
{
    struct slabs_large all;
    const struct slabs_large *server = &s->large[SLABS_NEVER];
    *e = (struct slabs_expected){0};
    for (unsigned b = 0; b < s->nbins; b++)
        expect_bin(s, b, d, e);
    slabs_large_at(s, s->at, &all);
    e->large_blocks = (double)server->blocks + (double)(all.blocks - server->blocks) * (1 - d);
    e->large_usable = (double)server->usable + (double)(all.usable - server->usable) * (1 - d);
    e->large_active = (double)server->active + (double)(all.active - server->active) * (1 - d);
}

double slabs_pinned(const struct slabs *s, unsigned step, unsigned tag)
{
    return s->sums->pins ? s->sums->pins[(size_t)tag * s->nsteps + step] : 0;
}
