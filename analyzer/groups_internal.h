/*
 * groups_internal.h - the table behind groups.h, shared by groups.c (adding, merging) and groups_tree.c (the report).
 */
#ifndef RDBMEM_GROUPS_INTERNAL_H
#define RDBMEM_GROUPS_INTERNAL_H

#include "analyzer/groups.h"

enum { GROUPS_NONE = 0 }; /* no node or cell: node 0 is the root, which is nobody's child, cell 0 is not used */

/* Of the open tables: twice the nodes, four times the cells, because a merging leaves entries of freed cells behind. */
enum { INDEX_BITS_NODES = 15, INDEX_BITS_CELLS = 17 };
_Static_assert(GROUPS_NODES <= 1 << (INDEX_BITS_NODES - 1) && GROUPS_CELLS <= 1 << (INDEX_BITS_CELLS - 2),
               "room for all");
_Static_assert(GROUPS_NODES <= 1 << 16 && GROUPS_CELLS <= 1 << 16, "ids have sixteen bits in an index");

/* A leaf that may be merged, with the nodes above that hold nothing else: `top` is the uppermost of them. */
struct candidate {
    uint64_t weight;
    uint32_t leaf, top;
};

/* What the keys of a cell have in common. */
enum { TAG_TYPE_SHIFT = 10, TAG_EXPIRES_SHIFT = 14 };
_Static_assert(HISTOGRAM_BUCKETS <= 1 << TAG_TYPE_SHIFT && RDB_T_COUNT <= 16, "a tag holds bucket, type and expiry");

static inline uint32_t cell_tag(enum rdb_type type, uint64_t bytes, bool expires)
{
    return histogram_bucket(bytes) | (uint32_t)type << TAG_TYPE_SHIFT | (uint32_t)expires << TAG_EXPIRES_SHIFT;
}

struct group_cell {
    uint64_t hash; /* of path and tag; 0: free */
    uint64_t keys, bytes, largest;
    uint32_t node, tag, next; /* next: of the same node */
};

struct group_node {
    uint64_t hash; /* of the path; 0: an "other", which is not looked up */
    uint64_t missing;
    uint64_t folded; /* "other" only */
    uint32_t parent, children /* without "other" */, other /* the node, or none */, cells /* first one */;
    uint8_t depth, len;
    bool used, is_other;
    uint8_t text[SEGMENT_ROOM];
};

/* Names that differ in digits only mostly have the same path. What was found for one is kept by the hash of the name
 * with its digits blanked, in a direct-mapped cache: no part has to be looked at again. */
enum { GROUPS_SHAPES = 4096 };
struct shape {
    uint64_t blanked, path;
};

/* The cells met last, by their hashes, in a direct-mapped cache that stays in the processor's first one. Emptied
 * when cells are freed. */
enum { GROUPS_RECENT_BITS = 9 };
struct recent {
    uint64_t hash;
    uint32_t cell;
};

struct groups {
    struct splitter splitter;
    struct group_node *nodes;
    struct group_cell *cells;
    uint32_t *node_index, *cell_index;
    uint32_t nnodes, ncells;       /* slots below these have been used */
    uint32_t next_node, next_cell; /* slots below these are in use: where the search for a free one begins */
    uint32_t live_nodes, live_cells;
    uint32_t stale;                  /* entries of cell_index whose cell has been freed */
    uint64_t missed;                 /* sum of the weights up to which leaves were merged */
    uint64_t merged;                 /* leaves merged */
    struct candidate *candidates;    /* scratch, GROUPS_NODES of them */
    uint64_t *weights;               /* scratch, GROUPS_NODES */
    void (*before_merge)(void *ctx); /* who counts keys of cells himself, or NULL */
    void *before_merge_ctx;
    struct recent recent[1 << GROUPS_RECENT_BITS];
    struct shape shapes[GROUPS_SHAPES]; /* cache of paths */
};

/* Bytes in every node's own cells, into bytes[0 .. nnodes-1]. */
void groups_own_bytes(const struct groups *g, uint64_t *bytes);

#endif
