/*
 * real.c - blocks in the real jemalloc; see real.h.
 */
#include "analyzer/real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/jemalloc.h"
#include "analyzer/target.h"

enum {
    PAGE = 4096,
    LARGE = ALLOC_MAX_BINS, /* class of all large blocks */
    CLASSES,
    /* Lists of blocks: by the step of death; of keys that outlive all steps, those that a random deletion takes; those
     * that nothing takes; the server's. */
    LOTS = PLACEMENT_STEPS,
    SURVIVORS = LOTS + REAL_DELETIONS,
    SERVER,
    OWNERS
};

/* At the beginning of each block; of one of 8 bytes there is room for `next` only. */
struct block {
    struct block *next;
    uint64_t usable; /* of a large one */
};

struct real {
    struct zfollower follower;
    const struct placement *pl;
    struct allocator a; /* model of the library */
    struct slabs *slabs;
    struct real_options o;
    unsigned arena, owner;
    bool mute;         /* blocks are not of the sample */
    bool full, failed; /* above the limit; jemalloc gave nothing */
    uint64_t keys, replayed_bytes;
    double deletions[REAL_DELETIONS]; /* ascending shares */
    struct block *blocks[OWNERS][CLASSES];
};

/* ---------------------------------------------------------------- blocks come */

/* A page is resident once it has been written to. */
static void touch(uint8_t *p, uint64_t usable)
{
    for (uint64_t at = PAGE; at < usable; at += PAGE)
        p[at] = 1;
}

static bool give_one(struct real *r, uint64_t request, unsigned class, uint64_t usable)
{
    struct block *block = jemalloc_give(r->arena, request);
    if (!block)
        return false;
    touch((uint8_t *)block, usable);
    if (class == LARGE)
        block->usable = usable;
    block->next = r->blocks[r->owner][class];
    r->blocks[r->owner][class] = block;
    return true;
}

static void stop(struct real *r, bool failed)
{
    r->full = !failed;
    r->failed = failed;
}

static bool deaf(const struct real *r)
{
    return r->mute || r->full || r->failed;
}

static void model_give(struct real *r, unsigned class, uint64_t usable)
{
    if (class != LARGE)
        slabs_give(r->slabs, class, 1);
    else
        slabs_give_large(r->slabs, usable, 1);
}

/* A block is in both or in neither: also what was replayed until the limit was reached can be compared. */
static void placed(struct zfollower *f, uint64_t request, uint64_t count)
{
    struct real *r = (struct real *)f;
    unsigned bin = allocator_bin(&r->a, request), class = bin != ALLOC_NO_BIN ? bin : LARGE;
    uint64_t usable = allocator_usable(&r->a, request);
    for (; count > 0 && !deaf(r); count--) {
        if (r->replayed_bytes + usable > r->o.limit)
            stop(r, false);
        else if (!give_one(r, request, class, usable))
            stop(r, true);
        else {
            r->replayed_bytes += usable;
            model_give(r, class, usable);
        }
    }
}

/* ---------------------------------------------------------------- blocks go */

/* The newest of the owner's blocks of that class; among large ones, of that size. */
static struct block *take_newest(struct real *r, unsigned class, uint64_t usable)
{
    struct block **at = &r->blocks[r->owner][class], *block;
    while (class == LARGE && *at && (*at)->usable != usable)
        at = &(*at)->next;
    block = *at;
    if (block)
        *at = block->next;
    return block;
}

static void freed(struct zfollower *f, uint64_t request)
{
    struct real *r = (struct real *)f;
    unsigned bin = allocator_bin(&r->a, request), class = bin != ALLOC_NO_BIN ? bin : LARGE;
    uint64_t usable = allocator_usable(&r->a, request);
    struct block *block = deaf(r) ? NULL : take_newest(r, class, usable);
    if (!block)
        return;
    jemalloc_take(block);
    r->replayed_bytes -= usable;
    if (class != LARGE)
        slabs_take_back(r->slabs, class);
    else
        slabs_take_back_large(r->slabs, usable);
}

/* Where it was for the target's allocator; the classes here may be others. */
static void resized(struct zfollower *f, uint64_t old_request, uint64_t new_request)
{
    struct real *r = (struct real *)f;
    if (allocator_usable(&r->a, old_request) == allocator_usable(&r->a, new_request))
        return;
    placed(f, new_request, 1);
    freed(f, old_request);
}

static void free_owner(struct real *r, unsigned owner)
{
    for (unsigned class = 0; class < CLASSES; class ++) {
        struct block *block = r->blocks[owner][class], *next;
        for (; block; block = next) {
            next = block->next;
            jemalloc_take(block);
        }
        r->blocks[owner][class] = NULL;
    }
}

/* ---------------------------------------------------------------- life */

static void sort_deletions(struct real *r)
{
    for (unsigned i = 0; i < r->o.ndeletions; i++) {
        unsigned j = i;
        for (; j > 0 && r->deletions[j - 1] > r->o.deletions[i]; j--)
            r->deletions[j] = r->deletions[j - 1];
        r->deletions[j] = r->o.deletions[i];
    }
}

struct real *real_new(const struct real_options *o, const struct placement *pl, struct zheap *heap, char err[256])
{
    struct real *r = calloc(1, sizeof *r);
    if (!r || jemalloc_load(err) != JEMALLOC_READY || !jemalloc_model(&r->a, err)) {
        free(r);
        return NULL;
    }
    r->slabs = slabs_new(&r->a, pl->nsteps, pl->nsteps - 1, false);
    if (!r->slabs || !jemalloc_arena_new(&r->arena)) {
        slabs_free(r->slabs);
        free(r);
        return NULL;
    }
    r->pl = pl;
    r->o = *o;
    r->owner = SERVER;
    r->mute = o->sample > 1;
    sort_deletions(r);
    r->follower = (struct zfollower){.placed = placed, .freed = freed, .resized = resized};
    zheap_follow(heap, &r->follower);
    return r;
}

void real_free(struct real *r)
{
    if (!r)
        return;
    jemalloc_arena_free(r->arena);
    slabs_free(r->slabs);
    free(r);
}

/* A number from 0 to 1 that looks drawn, and is the same in every run. */
static double lot_of(const struct key_report *k)
{
    uint64_t h = k->db + UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < k->name_len; i++)
        h = (h ^ k->name[i]) * UINT64_C(0x100000001b3);
    h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)(h >> 11) * 0x1p-53;
}

/* Each deletion takes the keys of the lesser ones and some more: of each, its share has been drawn. */
static unsigned list_of_survivor(const struct real *r, const struct key_report *k)
{
    double lot = r->o.ndeletions ? lot_of(k) : 1;
    for (unsigned i = 0; i < r->o.ndeletions; i++)
        if (lot < r->deletions[i])
            return LOTS + i;
    return SURVIVORS;
}

void real_key(struct real *r, unsigned death, const struct key_report *k)
{
    r->owner = death < r->pl->nsteps ? death : list_of_survivor(r, k);
    r->mute = r->o.sample > 1 && keyspace_slot_of(k->name, k->name_len) % r->o.sample != 0;
    r->keys += !deaf(r);
    slabs_key(r->slabs, death, 0);
}

/* The tables of the server are those of all keys: a sample goes without. */
void real_server(struct real *r)
{
    r->owner = SERVER;
    r->mute = r->o.sample > 1;
    slabs_server(r->slabs);
}

/* ---------------------------------------------------------------- measured against modelled */

static void model_step(const struct slabs *s, unsigned step, struct slabs_expected *e)
{
    struct slabs_large large;
    for (unsigned b = 0; b < s->nbins; b++) {
        uint64_t slabs, regions;
        slabs_bin_at(s, b, step, &slabs, &regions);
        e->slabs[b] = (double)slabs;
        e->regions[b] = (double)regions;
    }
    slabs_large_at(s, step, &large);
    e->large_usable = (double)large.usable;
    e->large_active = (double)large.active;
}

static void sum_model(const struct real *r, const struct slabs_expected *e, struct real_step *out)
{
    double allocated = e->large_usable, active = e->large_active;
    for (unsigned b = 0; b < r->a.nbins; b++) {
        allocated += e->regions[b] * r->a.bins[b].size;
        active += e->slabs[b] * r->a.bins[b].pages * PAGE;
    }
    out->model_allocated = (uint64_t)(allocated + 0.5);
    out->model_active = (uint64_t)(active + 0.5);
}

static void scale_step(struct real_step *s, uint64_t by)
{
    uint64_t *figures[] = {&s->allocated, &s->active, &s->resident, &s->model_allocated, &s->model_active};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        *figures[i] *= by;
}

static void measure_bins(const struct real *r, unsigned row, const struct slabs_expected *e, struct real_report *report)
{
    for (unsigned b = 0; b < r->a.nbins; b++) {
        struct real_bin *bin = &report->bins[b * report->nsteps + row];
        struct jemalloc_bin_stats have;
        jemalloc_bin(r->arena, b, &have);
        bin->slabs = have.slabs;
        bin->regions = have.regions;
        bin->model_slabs = e->slabs[b];
        bin->model_regions = e->regions[b];
    }
}

static void measure(const struct real *r, unsigned row, const struct slabs_expected *e, struct real_report *report)
{
    struct real_step *s = &report->steps[row];
    struct jemalloc_arena_stats st;
    jemalloc_stats(r->arena, &st);
    s->allocated = st.allocated;
    s->active = st.active;
    s->resident = st.resident;
    sum_model(r, e, s);
    scale_step(s, r->o.sample);
    measure_bins(r, row, e, report);
}

/* Nobody dies at step 0. */
static void free_and_measure(struct real *r, struct real_report *report)
{
    unsigned nsteps = r->pl->nsteps;
    struct slabs_expected e = {0};
    for (unsigned step = 0; step < nsteps; step++) {
        free_owner(r, step);
        model_step(r->slabs, step, &e);
        report->steps[step].horizon_s = r->pl->horizon_s[step];
        measure(r, step, &e, report);
    }
    for (unsigned i = 0; i < r->o.ndeletions; i++) {
        free_owner(r, LOTS + i);
        slabs_delete_random(r->slabs, r->deletions[i], &e);
        report->steps[nsteps + i].horizon_s = r->pl->horizon_s[nsteps - 1];
        report->steps[nsteps + i].deleted_percent = r->deletions[i] * 100;
        measure(r, nsteps + i, &e, report);
    }
}

static void note_end(const struct real *r, struct analysis *a)
{
    if (r->full)
        analysis_note(a, "--rebuild reached its limit after %llu keys: what it shows is of these only",
                      (unsigned long long)r->keys);
    if (r->failed)
        analysis_note(a, "--rebuild got no more memory after %llu keys: what it shows is of these only",
                      (unsigned long long)r->keys);
}

bool real_finish(struct real *r, struct analysis *a)
{
    struct real_report *report = &a->real;
    report->nsteps = r->pl->nsteps + r->o.ndeletions;
    report->nbins = r->a.nbins;
    report->steps = calloc(report->nsteps, sizeof *report->steps);
    report->bins = calloc((size_t)report->nsteps * report->nbins, sizeof *report->bins);
    report->allocator = allocator_kind_name(r->a.kind);
    if (!report->steps || !report->bins)
        return false;
    for (unsigned b = 0; b < report->nbins; b++)
        report->classes[b] = r->a.bins[b];
    snprintf(report->version, sizeof report->version, "%s", jemalloc_version());
    report->sample = r->o.sample;
    report->keys = r->keys;
    report->complete = !r->full && !r->failed;
    slabs_finish(r->slabs);
    free_and_measure(r, report);
    note_end(r, a);
    return true;
}

void real_report_free(struct real_report *report)
{
    free(report->steps);
    free(report->bins);
}
