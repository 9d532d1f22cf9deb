/*
 * groups.c - adding keys to the tree, and keeping it in its bounds. See groups.h.
 */
#include "analyzer/groups_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- the open tables */

static inline uint32_t slot_of(uint64_t hash, unsigned bits)
{
    return (uint32_t)(hash * UINT64_C(0x9E3779B97F4A7C15) >> (64 - bits));
}

/* An entry is an id with sixteen bits of the hash above it: what is not looked for is mostly passed over without a look
 * at the node or cell itself. */
static inline uint32_t entry_of(uint64_t hash, uint32_t id)
{
    return (uint32_t)hash << 16 | id;
}

static inline uint32_t find_cell(const struct groups *g, uint64_t hash)
{
    for (uint32_t i = slot_of(hash, INDEX_BITS_CELLS);; i = (i + 1) & ((1U << INDEX_BITS_CELLS) - 1)) {
        uint32_t entry = g->cell_index[i], id = entry & 0xffff;
        if (entry == 0)
            return GROUPS_NONE;
        if (entry == entry_of(hash, id) && g->cells[id].hash == hash)
            return id;
    }
}

static uint32_t find_node(const struct groups *g, uint64_t hash)
{
    for (uint32_t i = slot_of(hash, INDEX_BITS_NODES);; i = (i + 1) & ((1U << INDEX_BITS_NODES) - 1)) {
        uint32_t entry = g->node_index[i], id = entry & 0xffff;
        if (entry == 0)
            return GROUPS_NONE;
        if (entry == entry_of(hash, id) && g->nodes[id].hash == hash)
            return id;
    }
}

static void index_insert(uint32_t *index, unsigned bits, uint64_t hash, uint32_t id)
{
    uint32_t i = slot_of(hash, bits);
    while (index[i] != 0)
        i = (i + 1) & ((1U << bits) - 1);
    index[i] = entry_of(hash, id);
}

/* After a merging: cheaper than taking thousands of entries out one by one. */
static void index_again(struct groups *g)
{
    memset(g->node_index, 0, sizeof *g->node_index << INDEX_BITS_NODES);
    memset(g->cell_index, 0, sizeof *g->cell_index << INDEX_BITS_CELLS);
    for (uint32_t n = 1; n < g->nnodes; n++)
        if (g->nodes[n].used && !g->nodes[n].is_other)
            index_insert(g->node_index, INDEX_BITS_NODES, g->nodes[n].hash, n);
    for (uint32_t c = 1; c < g->ncells; c++)
        if (g->cells[c].hash)
            index_insert(g->cell_index, INDEX_BITS_CELLS, g->cells[c].hash, c);
    memset(g->recent, 0, sizeof g->recent);
    g->stale = 0;
}

/* ---------------------------------------------------------------- nodes and cells */

/* Free slots are taken in ascending order, so that what is made together lies together. */
static uint32_t take_node(struct groups *g, uint32_t parent)
{
    uint32_t id = g->next_node;
    while (id < g->nnodes && g->nodes[id].used)
        id++;
    g->next_node = id + 1;
    g->nnodes = id < g->nnodes ? g->nnodes : id + 1;
    struct group_node *n = &g->nodes[id];
    n->hash = n->folded = 0;
    n->missing = g->missed;
    n->parent = parent;
    n->children = n->other = n->cells = 0;
    n->depth = (uint8_t)(g->nodes[parent].depth + 1);
    n->len = 0;
    n->used = true;
    n->is_other = false;
    g->live_nodes++;
    return id;
}

static void give_node(struct groups *g, uint32_t id)
{
    g->nodes[id].used = false;
    g->live_nodes--;
    if (id < g->next_node)
        g->next_node = id;
}

static uint32_t new_child(struct groups *g, uint32_t parent, uint64_t hash, const uint8_t *text, size_t len)
{
    uint32_t id = take_node(g, parent);
    struct group_node *n = &g->nodes[id];
    n->hash = hash;
    n->len = (uint8_t)len;
    memcpy(n->text, text, len);
    g->nodes[parent].children++;
    index_insert(g->node_index, INDEX_BITS_NODES, hash, id);
    return id;
}

/* The leaf of a path, made with all above it where it is new. */
static uint32_t walk(struct groups *g, const struct segments *s)
{
    uint32_t at = 0;
    unsigned known = s->n;
    while (known > 0 && (at = find_node(g, s->hash[known - 1])) == GROUPS_NONE)
        known--;
    for (; known < s->n; known++)
        at = new_child(g, at, s->hash[known], s->text + s->at[known], s->len[known]);
    return at;
}

static inline uint64_t path_and_tag(uint64_t path, uint32_t tag)
{
    uint64_t hash = path + tag * UINT64_C(0xA0761D6478BD642F);
    return hash ? hash : 1;
}

/* An "other" has no path: its cells are told apart by its place. */
static uint64_t cell_hash(const struct groups *g, uint32_t node, uint32_t tag)
{
    const struct group_node *n = &g->nodes[node];
    return path_and_tag(n->is_other ? (node + 1) * UINT64_C(0xD6E8FEB86659FD93) : n->hash, tag);
}

static uint32_t new_cell(struct groups *g, uint64_t hash, uint32_t node, uint32_t tag)
{
    uint32_t id = g->next_cell;
    while (id < g->ncells && g->cells[id].hash)
        id++;
    g->next_cell = id + 1;
    g->ncells = id < g->ncells ? g->ncells : id + 1;
    g->cells[id] = (struct group_cell){.hash = hash, .node = node, .tag = tag, .next = g->nodes[node].cells};
    g->nodes[node].cells = id;
    g->live_cells++;
    index_insert(g->cell_index, INDEX_BITS_CELLS, hash, id);
    return id;
}

static inline void cell_count(struct group_cell *c, uint64_t keys, uint64_t bytes, uint64_t largest)
{
    c->keys += keys;
    c->bytes += bytes;
    if (largest > c->largest)
        c->largest = largest;
}

/* ---------------------------------------------------------------- merging the small ones */

void groups_own_bytes(const struct groups *g, uint64_t *bytes)
{
    memset(bytes, 0, sizeof *bytes * g->nnodes);
    for (uint32_t c = 1; c < g->ncells; c++)
        if (g->cells[c].hash)
            bytes[g->cells[c].node] += g->cells[c].bytes;
}

/* The highest node that has nothing below it but this leaf. */
static uint32_t top_of(const struct groups *g, uint32_t leaf)
{
    uint32_t top = leaf, up;
    while ((up = g->nodes[top].parent) != 0 && g->nodes[up].children == 1 && g->nodes[up].other == GROUPS_NONE)
        top = up;
    return top;
}

/* The nodes below which there is nothing but perhaps an "other". */
static size_t gather(const struct groups *g, struct candidate *list)
{
    size_t n = 0;
    groups_own_bytes(g, g->weights);
    for (uint32_t i = 1; i < g->nnodes; i++) {
        const struct group_node *node = &g->nodes[i];
        if (!node->used || node->is_other || node->children > 0)
            continue;
        uint64_t below = node->other == GROUPS_NONE ? 0 : g->weights[node->other];
        list[n++] = (struct candidate){g->weights[i] + below, i, top_of(g, i)};
    }
    return n;
}

static inline bool lighter(const struct candidate *a, const struct candidate *b)
{
    return a->weight != b->weight ? a->weight < b->weight : a->leaf < b->leaf;
}

/* Puts the k lightest in front (quickselect; no two candidates are equal, so the set is determined). */
static void select_lightest(struct candidate *list, size_t n, size_t k)
{
    size_t lo = 0, hi = n;
    while (hi - lo > 1) {
        struct candidate pivot = list[lo + (hi - lo) / 2];
        size_t i = lo, j = hi - 1;
        for (;;) {
            while (lighter(&list[i], &pivot))
                i++;
            while (lighter(&pivot, &list[j]))
                j--;
            if (i >= j)
                break;
            struct candidate swap = list[i];
            list[i] = list[j];
            list[j] = swap;
        }
        if (k <= i) /* the pivot stands at i now */
            hi = i;
        else
            lo = i + 1;
    }
}

static uint32_t other_of(struct groups *g, uint32_t parent)
{
    if (g->nodes[parent].other == GROUPS_NONE) {
        uint32_t id = take_node(g, parent);
        g->nodes[id].is_other = true;
        g->nodes[parent].other = id;
    }
    return g->nodes[parent].other;
}

/* Cells go from one node to another. The index keeps entries of cells that are free then: their hash is 0, which no
 * look-up asks for, and index_again() clears them away. */
static void move_cells(struct groups *g, uint32_t from, uint32_t to)
{
    for (uint32_t c = g->nodes[from].cells, next; c != GROUPS_NONE; c = next) {
        struct group_cell was = g->cells[c];
        next = was.next;
        g->cells[c].hash = 0;
        g->next_cell = c < g->next_cell ? c : g->next_cell;
        g->live_cells--;
        g->stale++;
        uint64_t hash = cell_hash(g, to, was.tag);
        uint32_t target = find_cell(g, hash);
        if (target == GROUPS_NONE)
            target = new_cell(g, hash, to, was.tag);
        cell_count(&g->cells[target], was.keys, was.bytes, was.largest);
    }
    g->nodes[from].cells = GROUPS_NONE;
}

/* The leaf and what stands above it alone go into the "other" of what is above them. */
static void fold(struct groups *g, const struct candidate *c)
{
    uint32_t parent = g->nodes[c->top].parent, other = other_of(g, parent), below = g->nodes[c->leaf].other;
    move_cells(g, c->leaf, other);
    g->nodes[other].folded++;
    if (below != GROUPS_NONE) {
        move_cells(g, below, other);
        g->nodes[other].folded += g->nodes[below].folded;
        give_node(g, below);
    }
    for (uint32_t n = c->leaf; n != parent; n = g->nodes[n].parent)
        give_node(g, n);
    g->nodes[parent].children--;
    g->merged++;
    if (g->stale >= GROUPS_CELLS)
        index_again(g);
}

/* Kept free, because a leaf's "other" is made before the leaf is given back, and a path may be new as a whole. */
enum { NODES_IN_RESERVE = SEGMENTS_MAX + 2, CELLS_IN_RESERVE = 2 };

static bool is_full(const struct groups *g)
{
    return g->live_nodes > GROUPS_NODES - NODES_IN_RESERVE || g->live_cells > GROUPS_CELLS - CELLS_IN_RESERVE;
}

static bool is_half_full(const struct groups *g)
{
    return g->live_nodes > GROUPS_NODES / 2 || g->live_cells > GROUPS_CELLS / 2;
}

/* Half of the candidates at a time: a parent becomes one when its last child has gone. */
static void make_room(struct groups *g)
{
    struct candidate *list = g->candidates;
    if (g->before_merge)
        g->before_merge(g->before_merge_ctx);
    while (is_half_full(g)) {
        size_t n = gather(g, list), k = (n + 1) / 2;
        uint64_t heaviest = 0;
        if (n == 0)
            break; /* nothing is left but the root's "other", which has fewer cells than that */
        select_lightest(list, n, k);
        for (size_t i = 0; i < k; i++) {
            heaviest = list[i].weight > heaviest ? list[i].weight : heaviest;
            fold(g, &list[i]);
        }
        g->missed += heaviest;
    }
    index_again(g);
}

/* ---------------------------------------------------------------- keys come */

static __attribute__((noinline)) uint32_t first_of_its_cell(struct groups *g, const uint8_t *name, size_t len,
                                                            uint32_t tag)
{
    struct segments s;
    if (is_full(g))
        make_room(g);
    segments_of(&g->splitter, name, len, &s);
    uint32_t node = walk(g, &s);
    return new_cell(g, cell_hash(g, node, tag), node, tag);
}

static __attribute__((noinline)) uint32_t find_or_make_cell(struct groups *g, uint64_t hash, const uint8_t *name,
                                                            size_t len, uint32_t tag)
{
    uint32_t cell = find_cell(g, hash);
    return cell != GROUPS_NONE ? cell : first_of_its_cell(g, name, len, tag);
}

/* The hash of the name's path. */
static inline uint64_t path_hash(struct groups *g, const uint8_t *name, size_t len, uint64_t blanked)
{
    struct shape *shape = &g->shapes[blanked % GROUPS_SHAPES];
    if (__builtin_expect(shape->blanked == blanked, 1))
        return shape->path;
    bool digits_matter;
    uint64_t path = segments_hash(&g->splitter, name, len, &digits_matter);
    if (!digits_matter)
        *shape = (struct shape){blanked, path};
    return path;
}

uint32_t groups_tag(enum rdb_type type, uint64_t bytes, bool expires)
{
    return cell_tag(type, bytes, expires);
}

void groups_add_name(struct groups *g, const struct groups_name *name, uint32_t tag, uint64_t bytes)
{
    uint64_t hash = path_and_tag(path_hash(g, name->text, name->len, name->blanked), tag);
    struct recent *recent = &g->recent[slot_of(hash, GROUPS_RECENT_BITS)];
    if (__builtin_expect(recent->hash != hash, 0))
        *recent = (struct recent){hash, find_or_make_cell(g, hash, name->text, name->len, tag)};
    cell_count(&g->cells[recent->cell], 1, bytes, bytes);
}

void groups_add(struct groups *g, const uint8_t *name, size_t len, uint32_t tag, uint64_t bytes)
{
    groups_add_name(g, &(struct groups_name){name, len, segments_blanked(name, len)}, tag, bytes);
}

/* ---------------------------------------------------------------- keys are counted elsewhere */

uint32_t groups_cell(const struct groups *g, uint64_t blanked, uint32_t tag)
{
    const struct shape *shape = &g->shapes[blanked % GROUPS_SHAPES];
    return shape->blanked == blanked ? find_cell(g, path_and_tag(shape->path, tag)) : GROUPS_NONE;
}

void groups_count(struct groups *g, uint32_t cell, uint64_t bytes, uint64_t n)
{
    cell_count(&g->cells[cell], n, n * bytes, bytes);
}

void groups_before_merge(struct groups *g, void (*call)(void *ctx), void *ctx)
{
    g->before_merge = call;
    g->before_merge_ctx = ctx;
}

/* ---------------------------------------------------------------- another tree comes */

/* The path of a node as segments_of() would have given it. */
static void path_of(const struct groups *g, uint32_t node, struct segments *s)
{
    uint32_t up[SEGMENTS_MAX];
    unsigned n = 0, at = 0;
    for (; node != 0; node = g->nodes[node].parent)
        up[n++] = node;
    s->n = n;
    for (unsigned i = 0; i < n; i++) {
        const struct group_node *part = &g->nodes[up[n - 1 - i]];
        s->hash[i] = part->hash;
        s->at[i] = (uint16_t)at;
        s->len[i] = part->len;
        memcpy(s->text + at, part->text, part->len);
        at += part->len;
    }
}

static void merge_cell(struct groups *g, const struct group_cell *c, const struct segments *path, bool other)
{
    if (is_full(g))
        make_room(g);
    uint32_t node = walk(g, path);
    if (other)
        node = other_of(g, node);
    uint64_t hash = cell_hash(g, node, c->tag);
    uint32_t cell = find_cell(g, hash);
    if (cell == GROUPS_NONE)
        cell = new_cell(g, hash, node, c->tag);
    cell_count(&g->cells[cell], c->keys, c->bytes, c->largest);
}

void groups_merge(struct groups *g, const struct groups *from)
{
    /* what either tree has lost of a prefix adds up */
    for (uint32_t n = 1; n < g->nnodes; n++)
        g->nodes[n].missing += from->missed;
    g->missed += from->missed;
    g->merged += from->merged;
    for (uint32_t n = 1; n < from->nnodes; n++) {
        const struct group_node *node = &from->nodes[n];
        struct segments path;
        if (!node->used || node->cells == GROUPS_NONE)
            continue;
        path_of(from, node->is_other ? node->parent : n, &path);
        for (uint32_t c = node->cells; c != GROUPS_NONE; c = from->cells[c].next)
            merge_cell(g, &from->cells[c], &path, node->is_other);
        if (node->is_other)
            g->nodes[other_of(g, walk(g, &path))].folded += node->folded;
    }
}

/* ---------------------------------------------------------------- life */

struct groups *groups_new(const struct splitter *s)
{
    struct groups *g = calloc(1, sizeof *g);
    if (g == NULL)
        return NULL;
    g->splitter = *s;
    g->nodes = malloc(sizeof *g->nodes * GROUPS_NODES);
    g->cells = malloc(sizeof *g->cells * GROUPS_CELLS);
    g->node_index = calloc(1U << INDEX_BITS_NODES, sizeof *g->node_index);
    g->cell_index = calloc(1U << INDEX_BITS_CELLS, sizeof *g->cell_index);
    g->candidates = malloc(sizeof *g->candidates * GROUPS_NODES);
    g->weights = malloc(sizeof *g->weights * GROUPS_NODES);
    if (!g->nodes || !g->cells || !g->node_index || !g->cell_index || !g->candidates || !g->weights) {
        groups_free(g);
        return NULL;
    }
    memset(&g->nodes[0], 0, sizeof g->nodes[0]);
    g->nodes[0].used = true;
    g->nnodes = g->live_nodes = g->next_node = 1;
    g->ncells = g->next_cell = 1;
    return g;
}

void groups_free(struct groups *g)
{
    if (g == NULL)
        return;
    free(g->nodes);
    free(g->cells);
    free(g->node_index);
    free(g->cell_index);
    free(g->candidates);
    free(g->weights);
    free(g);
}
