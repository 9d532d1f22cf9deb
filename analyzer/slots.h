/*
 * slots.h - memory by cluster slot and by hash tag: which slots are heavy, how uneven they are.
 */
#ifndef RDBMEM_SLOTS_H
#define RDBMEM_SLOTS_H

#include "analyzer/groups.h"

enum { SLOTS = 16384 };

struct slot_row {
    unsigned slot;
    uint64_t keys, bytes;
};

struct slots_report {
    bool made;
    unsigned used; /* slots with keys */
    uint64_t keys, bytes;
    uint64_t mean_bytes;           /* of a used slot */
    uint64_t p50_bytes, p99_bytes; /* of used slots, by exact rank */
    double skew;                   /* heaviest / mean, 1 when even; 0 without keys */
    struct slot_row *top;          /* heaviest first */
    size_t ntop;
    uint64_t tagged_keys, tagged_bytes; /* keys with a {hash tag} */
    struct group_tree tags;             /* one level: heaviest tags, "other" */
};
void slots_report_free(struct slots_report *r);

struct slots;
struct slots *slots_new(void); /* NULL: out of memory */
void slots_free(struct slots *s);

/* SEGMENTS_PAD bytes behind the name must be readable. */
void slots_add(struct slots *s, unsigned slot, const uint8_t *name, size_t len, enum rdb_type type, uint64_t bytes,
               bool expires);

/* Adds all of `from`. */
void slots_merge(struct slots *s, const struct slots *from);

/* The `top` heaviest slots and tags; figures times scale. False: out of memory. */
bool slots_finish(const struct slots *s, size_t top, uint64_t scale, struct slots_report *out);

#endif
