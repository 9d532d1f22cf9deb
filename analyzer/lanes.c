/*
 * lanes.c - see lanes.h.
 */
#include "analyzer/lanes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void forget(struct lanes *lanes)
{
    lanes->n = lanes->nbins = lanes->nrows = lanes->nused = 0;
    lanes->full = lanes->others = false;
    memset(lanes->of, LANES, sizeof lanes->of);
}

struct lanes *lanes_new(const struct slabs *s)
{
    struct lanes *lanes = aligned_alloc(_Alignof(struct lanes), sizeof *lanes);
    if (lanes == NULL)
        return NULL;
    memset(lanes, 0, sizeof *lanes);
    lanes->deaths = s->nsteps + 1;
    for (unsigned b = 0; b < s->nbins; b++)
        assert(s->open[b].regions <= INT16_MAX);
    forget(lanes);
    return lanes;
}

void lanes_reset(struct slabs *s)
{
    slabs_recall(s);
    forget(s->lanes);
}

/* ---------------------------------------------------------------- who goes where */

static unsigned new_lane(struct lanes *lanes, unsigned bin)
{
    unsigned lane = lanes->n++;
    lanes->bin[lane] = (uint8_t)bin;
    lanes->extra[lane] = LANES;
    return lane;
}

/* Bins have lanes as long as some are left for extras. LANES: none. */
static unsigned lane_of(struct lanes *lanes, unsigned bin)
{
    if (lanes->of[bin] == LANES && lanes->nbins < LANES_BINS && lanes->n < LANES) {
        lanes->of[bin] = (uint8_t)new_lane(lanes, bin);
        lanes->nbins++;
    }
    return lanes->of[bin];
}

/* An extra's lane never lacks room, whose bin does not: it begins with plenty each time that the bin is lent. */
static unsigned extra_of(struct lanes *lanes, unsigned lane)
{
    if (lanes->extra[lane] == LANES && lanes->n < LANES) {
        unsigned extra = new_lane(lanes, lanes->bin[lane]);
        lanes->extra[lane] = (uint8_t)extra;
        lanes->room.lane[extra] = INT16_MAX;
    }
    return lanes->extra[lane];
}

/* False: there is no lane for its second region. */
static bool admit_bin(struct lanes *lanes, struct slabs_few b, union lanes_row *take)
{
    unsigned lane = lane_of(lanes, b.bin);
    if (lane == LANES) {
        lanes->others = true;
        return true;
    }
    take->lane[lane] = b.count;
    if (b.count < 2)
        return true;
    unsigned extra = extra_of(lanes, lane);
    if (extra == LANES)
        return false;
    take->lane[extra] = (int16_t)(b.count - 1);
    return true;
}

/* The first row of a tag; LANES_ROWS: there are none left. */
static unsigned rows_of(struct lanes *lanes, unsigned tag)
{
    unsigned first = 0;
    while (first < lanes->nrows && slabs_tag(lanes->fate[first]) != tag)
        first += lanes->deaths;
    if (first < lanes->nrows)
        return first;
    if (first + lanes->deaths > LANES_ROWS)
        return LANES_ROWS;
    for (unsigned death = 0; death < lanes->deaths; death++) {
        lanes->is_used[lanes->nrows] = false;
        lanes->fate[lanes->nrows++] = slabs_fate(death, tag);
    }
    return first;
}

bool lanes_admit(struct slabs *s, const struct slabs_few *bins, unsigned n, unsigned tag, union lanes_row *take,
                 uint16_t *row)
{
    struct lanes *lanes = s->lanes;
    unsigned first = rows_of(lanes, tag);
    *take = (union lanes_row){0};
    lanes->full = lanes->full || first == LANES_ROWS;
    for (unsigned i = 0; i < n && !lanes->full; i++)
        lanes->full = !admit_bin(lanes, bins[i], take);
    if (lanes->full)
        return false;
    *row = lanes_row_of(first);
    return true;
}

/* ---------------------------------------------------------------- lending */

void lanes_lend(struct lanes *lanes, unsigned lane, struct slabs_open *o)
{
    lanes->lent[lane] = (int16_t)o->limit;
    lanes->room.lane[lane] = lanes->lent[lane];
    if (lanes->extra[lane] < LANES)
        lanes->room.lane[lanes->extra[lane]] = INT16_MAX;
    lanes->nlent++;
    o->lane = (uint8_t)(lane + 1);
    o->limit = 0;
}

static uint32_t take_count(union lanes_row *row, unsigned lane)
{
    int16_t count = row->lane[lane];
    row->lane[lane] = 0;
    return (uint32_t)count;
}

/* What the rows hold in a lane, those in use from the first one on; returns how many regions they are. No branch asks whether
 * there are any: that cannot be foreseen. */
static inline __attribute__((always_inline)) uint32_t bring_rows(struct lanes *lanes, unsigned first,
                                                                 struct slabs_open *o, bool has_extra, bool asked)
{
    unsigned lane = o->lane - 1U, extra = lanes->extra[lane], nused = lanes->nused;
    uint32_t all = 0;
    for (unsigned i = first; i < nused; i++) {
        struct lanes_used used = lanes->used[i];
        uint32_t regions = take_count(&lanes->row[used.row], lane), owners = regions;
        if (has_extra)
            owners -= take_count(&lanes->row[used.row], extra);
        o->tally[used.death] += owners << 16 | regions;
        if (asked && regions > 0)
            slabs_add_run(o, lanes->fate[used.row], regions);
        all += regions;
    }
    return all;
}

static inline uint32_t bring(struct lanes *lanes, unsigned first, struct slabs_open *o)
{
    bool has_extra = lanes->extra[o->lane - 1U] < LANES;
    if (__builtin_expect(o->asked, 0))
        return bring_rows(lanes, first, o, has_extra, true);
    return has_extra ? bring_rows(lanes, first, o, true, false) : bring_rows(lanes, first, o, false, false);
}

/* There are many rows of which few are in use: those that once were are asked first, the others only when something is
 * missing. */
static __attribute__((noinline)) void bring_unused(struct lanes *lanes, struct slabs_open *o)
{
    unsigned first = lanes->nused;
    for (unsigned row = 0; row < lanes->nrows; row++) {
        if (lanes->is_used[row] || lanes->row[row].lane[o->lane - 1U] == 0)
            continue;
        lanes->is_used[row] = true;
        lanes->used[lanes->nused++] = (struct lanes_used){(uint8_t)row, (uint8_t)slabs_death(lanes->fate[row])};
    }
    bring(lanes, first, o);
}

uint32_t lanes_bring_home(struct lanes *lanes, struct slabs_open *o)
{
    unsigned lane = o->lane - 1U;
    int room = lanes->room.lane[lane];
    if (bring(lanes, 0, o) < (uint32_t)(lanes->lent[lane] - room))
        bring_unused(lanes, o);
    lanes->nlent--;
    o->lane = 0;
    return (uint32_t)room;
}
