/*
 * rax.c - what a radix tree costs, from its keys in ascending order, in memory of one key.
 *
 * Insert-only trees have a shape that depends on the set of keys alone (rax.c raxGenericInsert). With keys in order a
 * node is final as soon as the next key leaves its subtree, so only the path to the last key is kept: for each depth
 * how many children the node there has, and whether a key ends there.
 *
 *     node(c children or characters) = 4 + c, padded to 8 (not on 4.0), + 8 per pointer (one if compressed) + 8 with a value
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/rebuild.h"
#include "analyzer/sizes.h"

enum { PATH_LIMIT = 65536 }; /* longer keys share their first 64 KiB at most: the rest is one compressed run */

struct rax_walk {
    uint8_t *key; /* the last one */
    uint32_t *children;
    uint8_t *is_key;
    size_t cap, len;
    size_t branch; /* deepest place before its end where the path is more than a run of characters */
    uint64_t tail; /* characters beyond PATH_LIMIT */
    bool any, values;
    struct lengths small; /* nodes that are not asked for yet, by request */
    struct rax_sum sum;
};

struct rax_walk *rax_walk_new(void)
{
    return calloc(1, sizeof(struct rax_walk));
}

void rax_walk_free(struct rax_walk *w)
{
    if (w == NULL)
        return;
    free(w->key);
    free(w->children);
    free(w->is_key);
    free(w);
}

static bool reserve(struct rax_walk *w, size_t len)
{
    if (len + 1 <= w->cap)
        return true;
    size_t cap = len + 1 < 64 ? 64 : len * 2 + 1;
    uint8_t *key = realloc(w->key, cap);
    if (key)
        w->key = key;
    uint32_t *children = realloc(w->children, cap * sizeof *children);
    if (children)
        w->children = children;
    uint8_t *is_key = realloc(w->is_key, cap);
    if (is_key)
        w->is_key = is_key;
    if (!key || !children || !is_key)
        return false;
    w->cap = cap;
    return true;
}

static void nodes_alloc(struct rebuild *r, uint64_t request, uint64_t count)
{
    r->rax->sum.usable += zusable(r->z, request) * count;
    zmalloc_n(r->z, request, ZL_RAX, count);
}

static void node(struct rebuild *r, uint64_t characters, uint64_t pointers, bool value)
{
    uint64_t text = r->pf->rax_unpadded ? 4 + characters : round8(4 + characters);
    uint64_t request = text + 8 * pointers + (value ? 8 : 0);
    r->rax->sum.nodes++;
    if (request < LENGTHS && !r->z->watched)
        length_note(&r->rax->small, request);
    else
        nodes_alloc(r, request, 1);
}

/* The node at the end of the path. */
static void finish_end(struct rebuild *r)
{
    const struct rax_walk *w = r->rax;
    if (w->tail)
        node(r, w->tail, 1, false);
    node(r, 0, 0, w->values && (w->tail || w->is_key[w->len]));
}

/* Emits the nodes of the current path from depth `from` on. */
static void finish_path(struct rebuild *r, size_t from)
{
    struct rax_walk *w = r->rax;
    size_t d = from;
    if (from > w->branch && from < w->len) {
        node(r, w->len - from, 1, false);
        d = w->len;
    }
    while (d < w->len) {
        bool value = w->is_key[d] && w->values;
        if (w->children[d] > 1) {
            node(r, w->children[d], w->children[d], value);
            d++;
            continue;
        }
        size_t c = 1;
        while (d + c < w->len && w->children[d + c] == 1 && !w->is_key[d + c])
            c++;
        node(r, c, 1, value);
        d += c;
    }
    finish_end(r);
}

void rax_begin(struct rebuild *r, bool values)
{
    struct rax_walk *w = r->rax;
    w->any = false;
    w->len = 0;
    w->tail = 0;
    w->values = values;
    lengths_flush(r, &w->small, NULL); /* of a tree that broke off */
    memset(&w->sum, 0, sizeof w->sum);
}

/* How many bytes of both are the same from the first on. */
static size_t common_prefix(const uint8_t *a, const uint8_t *b, size_t n)
{
    size_t i = 0;
    for (uint64_t x, y; i + sizeof x <= n; i += sizeof x) {
        memcpy(&x, a + i, sizeof x);
        memcpy(&y, b + i, sizeof y);
        if (x != y)
            return i + (size_t)__builtin_ctzll(x ^ y) / 8;
    }
    while (i < n && a[i] == b[i])
        i++;
    return i;
}

void rax_add(struct rebuild *r, const uint8_t *key, size_t full)
{
    struct rax_walk *w = r->rax;
    size_t len = full > PATH_LIMIT ? PATH_LIMIT : full, common = 0;
    if (!reserve(w, len > w->len ? len : w->len))
        return;
    if (w->any) {
        common = common_prefix(w->key, key, len < w->len ? len : w->len);
        if (common == len && len == w->len)
            return;          /* a duplicate */
        if (common == len) { /* not in order: a prefix of the key before it */
            w->is_key[len] = 1;
            w->branch = len > w->branch ? len : w->branch;
            w->sum.keys++;
            return;
        }
        if (common < w->len)
            finish_path(r, common + 1);
        w->children[common] = common < w->len ? w->children[common] + 1 : 1;
    } else {
        w->any = true;
        w->is_key[0] = 0;
        if (len > 0)
            w->children[0] = 1;
    }
    if (len > common) /* of an empty key there may be no pointer */
        memcpy(w->key + common, key + common, len - common);
    for (size_t d = common + 1; d < len; d++) {
        w->children[d] = 1;
        w->is_key[d] = 0;
    }
    w->children[len] = 0;
    w->is_key[len] = 1;
    w->len = len;
    w->branch = common;
    w->tail = full - len;
    w->sum.keys++;
}

void rax_end(struct rebuild *r, uint64_t header, struct rax_sum *sum)
{
    struct rax_walk *w = r->rax;
    w->sum.usable += zmalloc(r->z, header, ZL_RAX);
    if (w->any)
        finish_path(r, 0);
    else
        node(r, 0, 0, false); /* the empty head */
    lengths_flush(r, &w->small, nodes_alloc);
    sum->usable += w->sum.usable;
    sum->nodes += w->sum.nodes;
    sum->keys += w->sum.keys;
}
