/*
 * table.h - the hash tables of the servers: which bucket arrays exist after n insertions.
 *
 * Two kinds. dict (Redis; Valkey up to 8.0): power-of-two buckets from 4, doubled when full, one bucket moved per
 * insertion while two arrays exist (dict.c). hashtable (Valkey 8.1+): buckets of seven entries with child buckets
 * (hashtable.c). Both can end a load with two arrays: a load that stops before the rehash does leaves the old one.
 * How many buckets of the old array are occupied depends on the hash seed; the expected number is used.
 */
#ifndef RDBMEM_TABLE_H
#define RDBMEM_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/profile.h"

struct table {
    bool hashtable;     /* enum table_kind */
    bool same_size;     /* profile: dict_same_size */
    bool empty_at_once; /* profile: dict_empty_at_once */
    uint64_t size;      /* buckets of the (old) array, 0: none */
    uint64_t next;      /* buckets of the new array while rehashing, else 0 */
    uint64_t used;      /* entries in both */
    uint64_t used_at;   /* entries when the rehash began: those were in the old array */
    double left;        /* steps until the old array is gone */
    double steps;       /* steps it needed in all */
    uint64_t growths;   /* arrays begun by growth since the caller last looked */
    uint64_t peak;      /* most buckets of both arrays together so far */
};

void table_init(struct table *t, const struct profile *pf);

/* dictExpand / hashtableTryExpand: presize for n entries. */
void table_expand(struct table *t, uint64_t n);

/* How many insertions fit before the next one starts a growth. */
uint64_t table_room(const struct table *t);

/* n insertions, extra steps: more rehash steps per insertion (lookups). */
void table_insert(struct table *t, uint64_t n, double extra_steps);

/* Requested bytes of one bucket array. */
static inline uint64_t table_array(const struct table *t, uint64_t buckets)
{
    return buckets * (t->hashtable ? 64 : 8);
}

/* dict: entries that share a bucket with an earlier one (each costs a no-value entry): expectation and variance. */
double table_collisions(const struct table *t, double *variance);

/* hashtable: child buckets, expectation and variance. */
double table_children(const struct table *t, double *variance);

/* Expected collisions of n entries in m buckets: n - m (1 - (1 - 1/m)^n). */
double expected_collisions(uint64_t n, uint64_t m);

#endif
