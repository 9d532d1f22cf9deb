/*
 * aggregate.h - sums over keys: by type and encoding, by database, by expiry, the largest, the big ones.
 *
 * A key is added to one cell (database x type x encoding); all other sums are made from the cells at the end.
 */
#ifndef RDBMEM_AGGREGATE_H
#define RDBMEM_AGGREGATE_H

#include "analyzer/analysis.h"
#include "analyzer/modules.h"
#include "analyzer/topn.h"

enum { AGGREGATE_DBS = 1024 };

struct aggregate {
    const struct analyze_options *o;
    int64_t now_ms;
    struct totals current[RDB_T_COUNT][ENC_COUNT]; /* of the current database, not yet folded */
    uint32_t touched[RDB_T_COUNT];                 /* bit e: current[t][e] is in use */
    struct totals cells[RDB_T_COUNT][ENC_COUNT];
    struct db_report *dbs;
    size_t ndbs, db; /* db: index of the current one */
    uint64_t dbs_dropped;
    struct expiry_bucket expiry[EXPIRY_BUCKETS];
    struct load_total all, master, replica;
    struct topn by_bytes, by_elements, big;
    uint64_t big_keys, big_by_bytes, big_by_elements, big_by_element;
    struct modules modules;
    uint64_t empty_keys, damaged_keys, estimated_keys, estimated_bytes, lower_bound_keys, lower_bound_bytes;
};

bool aggregate_init(struct aggregate *g, const struct analyze_options *o);
void aggregate_free(struct aggregate *g);

void aggregate_select(struct aggregate *g, uint32_t db);
void aggregate_hint(struct aggregate *g, uint64_t keys, uint64_t expires);

/* Marks k->flags as big where it is, and adds it. */
void aggregate_key(struct aggregate *g, struct key_report *k);

/* n unexpired strings with this cost, none of them big; record: bytes of all their records. Those that expire are to be
 * told to aggregate_expiry() beside: keys that expire in one row, and their bytes. */
void aggregate_strings(struct aggregate *g, const struct key_report *k, uint64_t n, uint64_t record);
void aggregate_expiry(struct aggregate *g, int64_t expire_ms, bool expired, uint64_t keys, uint64_t bytes);

/* The first expiries of each row: see moments.h. Returns how many, fewer than EXPIRY_BUCKETS. */
unsigned aggregate_cuts(const struct aggregate *g, int64_t *cuts);

/* A key that is not reported still counts for what is loaded. */
void aggregate_load(struct aggregate *g, const struct key_report *k);

/* Moves everything to the analysis. */
bool aggregate_finish(struct aggregate *g, struct analysis *a);

void totals_add(struct totals *to, const struct totals *from);

#endif
