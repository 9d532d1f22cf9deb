/*
 * explain.h - one key, allocation by allocation.
 *
 * The zmalloc layer's trace is gathered while the key is rebuilt: what is freed again on the way is not shown. Blocks of
 * one purpose and size are rows of their own up to EXPLAIN_SINGLY, beyond that one row with a count.
 */
#ifndef RDBMEM_EXPLAIN_H
#define RDBMEM_EXPLAIN_H

#include "analyzer/analysis.h"
#include "analyzer/zmalloc.h"

enum { EXPLAIN_SINGLY = 200 };

struct explain_row {
    enum zlabel label;
    uint64_t request, usable; /* bytes of one block: asked for, handed out */
    uint64_t count;
};

struct explain {
    /* asked */
    const uint8_t *name;
    size_t name_len;
    bool has_db;
    uint32_t db;

    /* found */
    bool found;
    struct key_report key;    /* its name is `name` */
    struct explain_row *rows; /* in the order of the server's requests */
    size_t n;
    uint64_t blocks, requested, usable; /* sums over the rows */
    uint64_t chance;                    /* expected bytes that are in key.bytes but in no row: drawn by lot */
    bool failed;                        /* out of memory */

    /* while it is rebuilt */
    struct explain_kind *kinds;
    uint32_t *kind_index;
    size_t nkinds, kinds_room, rows_room;
};

bool explain_wants(const struct explain *x, uint32_t db, const uint8_t *name, size_t len);

/* A ztrace_fn; ctx is the struct explain. */
void explain_block(void *ctx, enum zlabel label, uint64_t request, uint64_t usable, uint64_t count, bool is_free);

/* The key has been rebuilt. */
void explain_finish(struct explain *x, const struct key_report *k);
void explain_free(struct explain *x);

#endif
