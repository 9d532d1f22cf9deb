/*
 * kin.h - strings that are alike in cost and in the form of their names.
 *
 * Of strings that are alike (alike.h), those whose names agree but for the values of digits mostly have the prefix in
 * common too, and the tag by which pinning is reported. All that is left to be said of such a key is how long its record
 * is and when it expires: it is one more of its kin, and once its kin has been found no other table is asked. What has been
 * counted goes to the sums when the slot is wanted for others, before prefixes are merged, when the database changes, and
 * at the end.
 *
 * A name whose digits matter to its prefix ("v1:...") has no kin.
 */
#ifndef RDBMEM_KIN_H
#define RDBMEM_KIN_H

#include "analyzer/alike.h"
#include "analyzer/lanes.h"

enum { KIN_BITS = 11 /* slots of the table */ };

struct kin {
    /* what every key asks for is one line of the processor's cache */
    _Alignas(64) uint64_t id; /* alike_id(); 0: free */
    uint64_t blanked;         /* segments_blanked() */
    uint64_t keys;            /* counted, not among the sums yet */
    uint64_t record;          /* sum of the lengths of their records */
    uint32_t bytes;
    uint16_t tag;                       /* see pins.h */
    uint16_t row;                       /* and what it takes, see lanes_admit() */
    struct slabs_few bin[ALIKE_BLOCKS]; /* behind the last: SLABS_NO_BIN */
    union lanes_row take;               /* half of it; the rest is in the other line */
    struct alike_cost cost;
    uint32_t cell;   /* of the prefix, see findings_cell() */
    uint32_t wanted; /* who wanted the slot last, and keys then */
    uint32_t seen;
};
_Static_assert(sizeof(struct kin) == 128, "two lines");

/* There are two slots for each. This is the one that is asked first. */
static inline struct kin *kin_slot(struct kin *table, uint64_t id, uint64_t blanked)
{
    uint64_t h = blanked + id;
    h = (h ^ h >> 29) * UINT64_C(0x9E3779B97F4A7C15);
    return &table[h >> (64 - KIN_BITS)];
}

static inline struct kin *kin_other(struct kin *table, const struct kin *kin)
{
    return &table[(size_t)(kin - table) ^ 1];
}

/* NULL: not there. */
static inline struct kin *kin_find(struct kin *table, uint64_t id, uint64_t blanked)
{
    struct kin *kin = kin_slot(table, id, blanked);
    if (__builtin_expect(kin->id == id && kin->blanked == blanked, 1))
        return kin;
    kin = kin_other(table, kin);
    return kin->id == id && kin->blanked == blanked ? kin : NULL;
}

#endif
