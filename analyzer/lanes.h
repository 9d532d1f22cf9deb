/*
 * lanes.h - the regions of many passed keys, in all their bins at once.
 *
 * slabs_pass() asks for each bin of each key whether the open slab has room, and finds the slab's count by death. But what a
 * key of a known kind takes of the bins is always the same: a few small numbers, one for each bin in use (its *lane*). So
 * a key is one subtraction of these from the room in all lanes, of which one sign tells whether some slab is full, and one
 * addition to the *row* of the keys that share its fate. Only when a slab is full are that lane's numbers collected from the
 * rows; nothing about a slab depends on the order of what is in it.
 *
 * A bin of which a key takes several regions has a second lane for those beyond the first: regions less these are owners.
 *
 * While its lane counts, a bin is *lent*: in slabs_open nothing has room, so that whoever gives to the bin in another way has
 * to look closer, and slabs.c first brings home what the lane holds.
 *
 *     lanes_admit(s, bins, n, tag, &take, &row)       once for each kind of keys
 *     slabs_lend(s)                                   all lanes count from here on
 *       room = lanes->room                            in registers, for some keys:
 *         over = lanes_take(&room, &take, wide)
 *         lanes_add(lanes, &take, row + lanes_row_of(death), wide)        as long as that is 0, or else:
 *         lanes->room = room, slabs_pass_over(s, &take, row + ..., over), room = lanes->room
 *       lanes->room = room
 */
#ifndef RDBMEM_LANES_H
#define RDBMEM_LANES_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "analyzer/slabs.h"

enum {
    LANES_NARROW = 8, /* as many as a register has; most dumps need no more */
    LANES = 16,
    LANES_BINS = 12, /* the other lanes are for extras */
    LANES_ROWS = 256
};

typedef int16_t lanes_half __attribute__((vector_size(2 * LANES_NARROW)));
union lanes_row {
    lanes_half half[2];
    int16_t lane[LANES];
};

struct lanes {
    union lanes_row room;            /* regions of the open slabs of lent bins, less one */
    union lanes_row row[LANES_ROWS]; /* by tag and death: regions added since the bin was lent */
    unsigned n;                      /* lanes in use */
    unsigned nbins, nlent;           /* bins with a lane, and those of them that are lent */
    unsigned nrows, deaths;          /* rows that may be in use, and how many are of one tag */
    unsigned nused;                  /* rows that once were in use, and which */
    bool full;                       /* somebody was not admitted: until lanes_reset(), nothing may go this way */
    bool others;                     /* somebody takes regions of bins that have no lane; these are to be passed */
    int16_t lent[LANES];             /* the room there was */
    uint8_t bin[LANES];
    uint8_t extra[LANES];          /* of a bin's lane: that of regions beyond the first; LANES: none */
    uint8_t of[SLABS_NO_BIN + 1];  /* the lane of a bin; LANES: none */
    slabs_fate_t fate[LANES_ROWS]; /* of a row */
    struct lanes_used {
        uint8_t row, death;
    } used[LANES_ROWS];
    bool is_used[LANES_ROWS];
};

/* NULL: memory is out. */
struct lanes *lanes_new(const struct slabs *s);

/* Brings home what is lent, and forgets who was admitted. */
void lanes_reset(struct slabs *s);

/* What a key of this tag with these regions adds, and to which row, for death 0. False: there are no lanes or rows left. */
bool lanes_admit(struct slabs *s, const struct slabs_few *bins, unsigned n, unsigned tag, union lanes_row *take,
                 uint16_t *row);

/* Of slabs.c: the bin is lent from now on; and what its lane holds goes to its open slab, of which no limit stands there
 * then: returns it. */
void lanes_lend(struct lanes *lanes, unsigned lane, struct slabs_open *o);
uint32_t lanes_bring_home(struct lanes *lanes, struct slabs_open *o);

static inline bool lanes_are_wide(const struct lanes *lanes)
{
    return lanes->n > LANES_NARROW;
}

/* Rows are named by their distance in bytes. */
static inline uint16_t lanes_row_of(unsigned death)
{
    return (uint16_t)(death * sizeof(union lanes_row));
}

static inline void lanes_add(struct lanes *lanes, const union lanes_row *take, unsigned row, bool wide)
{
    union lanes_row *r = (union lanes_row *)(void *)((char *)lanes->row + row);
    r->half[0] += take->half[0];
    if (wide)
        r->half[1] += take->half[1];
}

/* Bits of the lanes that are below zero. */
static inline unsigned lanes_below(const union lanes_row *room, bool wide)
{
#ifdef __SSE2__
    __m128i low = (__m128i)room->half[0], high = wide ? (__m128i)room->half[1] : _mm_setzero_si128();
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(low, high));
#else
    unsigned bits = 0;
    for (unsigned lane = 0; lane < (wide ? LANES : LANES_NARROW); lane++)
        bits |= (unsigned)(room->lane[lane] < 0) << lane;
    return bits;
#endif
}

/* From a copy of the room. Bits of the lanes whose slabs have not enough. */
static inline unsigned lanes_take(union lanes_row *room, const union lanes_row *take, bool wide)
{
    room->half[0] -= take->half[0];
    if (wide)
        room->half[1] -= take->half[1];
    return lanes_below(room, wide);
}

/* What was taken of a lane's room goes back there, and out of the rest of what a key takes. */
static inline void lanes_put_back(struct lanes *lanes, unsigned lane, int16_t count, union lanes_row *rest)
{
    lanes->room.lane[lane] = (int16_t)(lanes->room.lane[lane] + count);
    rest->lane[lane] = 0;
    if (lanes->extra[lane] < LANES)
        rest->lane[lanes->extra[lane]] = 0;
}

/* Whether all bins that have a lane are lent now. False: some bin has holes to be filled first. */
bool slabs_lend_all(struct slabs *s);

static inline bool slabs_lend(struct slabs *s)
{
    return __builtin_expect(s->lanes->nlent == s->lanes->nbins, 1) || slabs_lend_all(s);
}

void slabs_recall(struct slabs *s);

/* What a key takes that fills the slabs of some lanes, whose bits these are; lanes->room has been taken from already. */
void slabs_pass_over(struct slabs *s, const union lanes_row *take, unsigned row, unsigned over);

#endif
