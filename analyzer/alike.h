/*
 * alike.h - strings that cost the same.
 *
 * Most keys of most dumps are short strings. What one costs follows from the lengths of its name and its value, from the
 * kind of the value, and from whether it expires: all that are alike in these ask for the same blocks. So the first of
 * them is rebuilt in full while its blocks are noted, and those that follow only give these blocks to the slab model and
 * are counted. The sums get the count when the slot is wanted for others, when the database changes, and at the end.
 *
 *     s = alike_slot(t, id);
 *     if (s->id == id)           alike_pass(s, slabs, fate), s->waiting++ ...
 *     else                       alike_learn(&l, heap, id), rebuild_key(...), zheap_trace(heap, NULL, NULL), and when
 *                                alike_learned(&l, k): what waits in s goes to the sums, and *s = l.found
 */
#ifndef RDBMEM_ALIKE_H
#define RDBMEM_ALIKE_H

#include "analyzer/analysis.h"
#include "analyzer/rebuild.h"
#include "analyzer/zmalloc.h"

enum {
    ALIKE_BITS = 12,      /* slots of the table */
    ALIKE_NAME_BITS = 12, /* longest name, longest value: beyond, nothing is alike */
    ALIKE_VALUE_BITS = 14,
    ALIKE_BLOCKS = 4 /* most that a string asks for: name, entry, expiry's entry, object or value... */
};

struct alike {
    uint64_t id;      /* 0: free */
    uint64_t waiting; /* keys whose blocks are not among the heap's labels yet */
    uint64_t counted; /* those of them that are to be added to the other sums too: nothing else is known of them */
    uint64_t record;  /* sum of the lengths of their records */
    struct alike_cost {
        uint32_t bytes, memory_usage;
        uint16_t rounding, group_tag;
        bool has_memory_usage;
        uint8_t encoding, nblocks, nbins;
        struct alike_label {
            uint8_t bin, label;
        } block[ALIKE_BLOCKS];
        struct slabs_few bin[ALIKE_BLOCKS]; /* the same by bin */
    } cost;
    /* together one line of the processor's cache */
};
_Static_assert(sizeof(struct alike) == 64, "a line");

/* Slots in which something waits; when there are too many, all may be such. */
enum { ALIKE_LIST = 64 };
struct alike_list {
    unsigned n;
    uint16_t at[ALIKE_LIST];
};

/* The number of keys with this cost and record: key_report.alike. 0: too long a record. */
static inline uint64_t alike_number(uint64_t id, uint64_t record)
{
    enum { ID_BITS = 5 + ALIKE_NAME_BITS + ALIKE_VALUE_BITS, RECORD_BITS = 64 - ID_BITS };
    return record >> RECORD_BITS ? 0 : id | record << ID_BITS;
}

/* For lengths of so many bits. */
static inline uint64_t alike_id_short(uint64_t name_len, uint64_t len, enum string_kind kind, bool expires)
{
    return 1 | (uint64_t)expires << 1 | (uint64_t)kind << 2 | name_len << 5 | len << (5 + ALIKE_NAME_BITS);
}

/* 0: too long to be alike. */
static inline uint64_t alike_id(uint64_t name_len, uint64_t len, enum string_kind kind, bool expires)
{
    if (name_len >> ALIKE_NAME_BITS || len >> ALIKE_VALUE_BITS)
        return 0;
    return alike_id_short(name_len, len, kind, expires);
}

static inline bool alike_expires(uint64_t id)
{
    return id >> 1 & 1;
}

static inline uint64_t alike_name_len(uint64_t id)
{
    return id >> 5 & ((1U << ALIKE_NAME_BITS) - 1);
}

static inline uint64_t alike_len(uint64_t id)
{
    return id >> (5 + ALIKE_NAME_BITS);
}

static inline struct alike *alike_slot(struct alike *table, uint64_t id)
{
    return &table[id * UINT64_C(0x9E3779B97F4A7C15) >> (64 - ALIKE_BITS)];
}

/* One more of them in the slab model. */
static inline void alike_pass(const struct alike *s, struct slabs *slabs, slabs_fate_t fate)
{
    const struct alike_cost *c = &s->cost;
    for (unsigned i = 0; i < c->nbins; i++)
        slabs_pass(slabs, &slabs->open[c->bin[i].bin], c->bin[i].count, fate);
}

struct alike_learner {
    const struct allocator *a;
    struct alike found;
    bool usable; /* so far the cost is one that can be repeated */
};

/* A trace of z from here on notes the blocks of the next key. */
void alike_learn(struct alike_learner *l, struct zheap *z, uint64_t id);

/* The key has been told: whether its cost can be repeated, which then is l->found. */
bool alike_learned(struct alike_learner *l, const struct key_report *k);

/* Fills what k has in common with its likes. */
void alike_report(uint64_t id, const struct alike_cost *c, struct key_report *k);

/* Adds what waits to the heap's figures by label; the caller has added bytes to z->used key by key. */
void alike_labels(const struct alike *s, struct zheap *z);

#endif
