/*
 * groups.h - memory by prefix of the keys' names: a tree found without configuration, in bounded memory.
 *
 * Names are cut into parts (segments.h); each part is a node below the one before it:
 *
 *     user:            1,200 keys
 *       user:*:        1,200
 *         user:*:name  1,000
 *         (other)        200      of 57 prefixes that were too small to be told apart
 *
 * A key is added where its name ends and nowhere else: to a cell, which holds the keys of one leaf that agree in type,
 * in having an expiry, and in the bucket of their size (histogram.h). One look into a hash table by the hash of all
 * parts together finds the cell; every other figure is summed up from the cells at the end.
 *
 * What is bounded, and what that costs
 * ------------------------------------
 * There are GROUPS_NODES nodes and GROUPS_CELLS cells. When either are used up, the leaves with the fewest bytes are
 * merged into the "other" of their parents, until half are free. So
 *   - every sum stays exact: a parent is the sum of its children and its "other";
 *   - a prefix may have lost to "other" what it held when it was merged. Each merging takes only leaves up to some
 *     weight; the sum of these weights until a node was made is kept with it: it misses at most that many bytes
 *     (group.missing_at_most). Without a merging nothing is missing;
 *   - what is merged depends on the order of the keys in the file and on nothing else: two runs agree.
 * Two paths whose 64-bit hashes are equal would be counted as one: for 50 million prefixes a chance below 1 in 10,000.
 *
 * The report has as many nodes as asked for, the heaviest; the rest of each is added to its parent's "other" too.
 */
#ifndef RDBMEM_GROUPS_H
#define RDBMEM_GROUPS_H

#include "analyzer/histogram.h"
#include "analyzer/segments.h"
#include "rdb/rdb.h"

enum {
    GROUPS_NODES = 16384,
    GROUPS_CELLS = 32768,
    GROUPS_DEPTH = 4 /* by default */,
    GROUPS_ROWS = 300 /* by default */
};

/* ---------------------------------------------------------------- what is reported */

struct group_sums {
    uint64_t keys, bytes;
    uint64_t expiring_keys, expiring_bytes;
    uint64_t p50, p99, largest; /* bytes of a key; percentiles by the ends of buckets */
    uint64_t type_keys[RDB_T_COUNT], type_bytes[RDB_T_COUNT];
};

struct group {
    char *name; /* the whole prefix, not terminated; "" for the first row, which is all keys */
    size_t name_len;
    size_t parent;            /* index of its row */
    unsigned depth;           /* 0 for the first row */
    bool other;               /* what is left of the parent; name is the parent's */
    bool leaf;                /* names end here, or are not followed any further */
    uint64_t folded;          /* other: prefixes that were put into it (one that came again counts again) */
    uint64_t missing_at_most; /* bytes that may have gone to an "other" before this prefix was known to be heavy */
    struct group_sums sums;
};

/* Rows in the order to print: each parent, then its children by bytes, "other" last. */
struct group_tree {
    struct group *rows;
    size_t n;
    uint64_t merged; /* prefixes merged while reading; 0: all figures are complete */
    char separators[9];
    bool fallback; /* / | . - _ too, for names without separator */
};

void group_tree_free(struct group_tree *t);

/* ---------------------------------------------------------------- while reading */

struct groups; /* opaque; groups_internal.h */

/* NULL: out of memory. The splitter is copied. */
struct groups *groups_new(const struct splitter *s);
void groups_free(struct groups *g);

/* What is kept of a key beside its prefix. */
uint32_t groups_tag(enum rdb_type type, uint64_t bytes, bool expires);

/* A name, and segments_blanked() of it. */
struct groups_name {
    const uint8_t *text;
    size_t len;
    uint64_t blanked;
};

/* SEGMENTS_PAD bytes behind the name must be readable. */
void groups_add(struct groups *g, const uint8_t *name, size_t len, uint32_t tag, uint64_t bytes);
void groups_add_name(struct groups *g, const struct groups_name *name, uint32_t tag, uint64_t bytes);

/* For who counts keys of one cell himself: the cell of names with this blanked form and tag, 0 when digits may matter to
 * their prefix or none was added lately; n keys of `bytes` each for it. Cells are others after a merging, before
 * which `call` is called (NULL: nobody), and which needs the counts. */
uint32_t groups_cell(const struct groups *g, uint64_t blanked, uint32_t tag);
void groups_count(struct groups *g, uint32_t cell, uint64_t bytes, uint64_t n);
void groups_before_merge(struct groups *g, void (*call)(void *ctx), void *ctx);

/* Adds all of `from` (same splitter) as if its keys had been added here. */
void groups_merge(struct groups *g, const struct groups *from);

/* The heaviest max_rows prefixes; figures times scale (of a sample). False: out of memory. */
bool groups_finish(const struct groups *g, size_t max_rows, uint64_t scale, struct group_tree *out);

#endif
