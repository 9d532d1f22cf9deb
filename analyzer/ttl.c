/*
 * ttl.c - where the servers keep the expiries of hash fields.
 *
 * Redis 7.4+ (ebuckets.c): up to 16 items a list through the items themselves; from the 17th a radix tree of buckets,
 * keyed by six bytes of expiry, a bucket being a segment header and up to 16 items; a bucket of equal expiries grows by
 * further segments.
 * Valkey 9 (vset.c): one item stands alone; up to 127 a sorted vector; from the 128th a radix tree of time buckets.
 *
 * Both are followed exactly up to SET_LIMIT items; what comes after is counted at the average so far.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/rebuild.h"
#include "analyzer/sizes.h"

enum {
    SET_LIMIT = 1 << 16,
    EB_ITEMS = 16, /* ebuckets.h EB_SEG_MAX_ITEMS */
    EB_FIRST = 16,
    EB_NEXT = 24, /* FirstSegHdr, NextSegHdr */
    V_ITEMS = 127 /* vset.c VOLATILESET_VECTOR_BUCKET_MAX_SIZE */
};

struct bucket {
    int64_t key; /* Redis: smallest expiry it may hold; Valkey: end, exclusive */
    uint64_t n;
    bool pointer_table; /* Valkey: a full vector within 16 ms */
    int64_t *items;     /* sorted; room for limit items; a longer bucket holds equal (or table) items */
};

struct ttl_set {
    const struct profile *pf;
    uint64_t count, beyond;
    unsigned limit; /* items of one bucket */
    struct bucket *b;
    size_t nb, cap;
    bool tree; /* buckets hang in a radix tree */
};

struct ttl_set *ttl_set_new(const struct profile *pf)
{
    struct ttl_set *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->pf = pf;
    s->limit = pf->volatile_set ? V_ITEMS : EB_ITEMS;
    return s;
}

void ttl_set_clear(struct ttl_set *s)
{
    for (size_t i = 0; i < s->nb; i++)
        free(s->b[i].items);
    s->nb = 0;
    s->count = s->beyond = 0;
    s->tree = false;
}

void ttl_set_free(struct ttl_set *s)
{
    if (s == NULL)
        return;
    ttl_set_clear(s);
    free(s->b);
    free(s);
}

uint64_t ttl_set_count(const struct ttl_set *s)
{
    return s->count + s->beyond;
}

int64_t ttl_set_least(const struct ttl_set *s)
{
    return s->b[0].items[0];
}

/* ---------------------------------------------------------------- buckets */

static struct bucket *bucket_insert(struct ttl_set *s, size_t at, int64_t key)
{
    if (s->nb == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 16;
        struct bucket *b = realloc(s->b, cap * sizeof *b);
        if (b == NULL)
            return NULL;
        s->b = b;
        s->cap = cap;
    }
    int64_t *items = calloc(s->limit, sizeof *items);
    if (items == NULL)
        return NULL;
    memmove(s->b + at + 1, s->b + at, (s->nb - at) * sizeof *s->b);
    s->nb++;
    s->b[at] = (struct bucket){key, 0, false, items};
    return &s->b[at];
}

static void item_insert(const struct ttl_set *s, struct bucket *b, int64_t t)
{
    if (b->n >= s->limit) { /* equal items, or a table: only the number matters */
        b->n++;
        return;
    }
    size_t i = (size_t)b->n++;
    for (; i > 0 && b->items[i - 1] > t; i--)
        b->items[i] = b->items[i - 1];
    b->items[i] = t;
}

/* First bucket whose key is > t. */
static size_t upper(const struct ttl_set *s, int64_t t)
{
    size_t lo = 0, hi = s->nb;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s->b[mid].key > t)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* Moves items [cut, n) of bucket at to a new one behind it. */
static bool bucket_split(struct ttl_set *s, size_t at, size_t cut, int64_t right_key)
{
    struct bucket *right = bucket_insert(s, at + 1, right_key);
    if (right == NULL)
        return false;
    struct bucket *left = &s->b[at];
    right->n = left->n - cut;
    memcpy(right->items, left->items + cut, (size_t)right->n * sizeof *left->items);
    left->n = cut;
    return true;
}

/* ---------------------------------------------------------------- Redis: ebuckets */

/* Index of the last item of the left part, nearest the middle between two different expiries; -1: all equal. */
static int eb_cut(const struct bucket *b)
{
    int best = -1, distance = EB_ITEMS / 2;
    for (int i = 0; i < EB_ITEMS - 1; i++) {
        if (b->items[i + 1] <= b->items[i])
            continue;
        if (i < EB_ITEMS / 2) {
            best = i;
            distance = EB_ITEMS / 2 - i;
        } else if (i + 1 - EB_ITEMS / 2 < distance) {
            best = i;
            distance = i + 1 - EB_ITEMS / 2;
        }
    }
    return best;
}

static void eb_add_full(struct ttl_set *s, size_t at, int64_t t)
{
    struct bucket *b = &s->b[at];
    int cut = b->n == EB_ITEMS ? eb_cut(b) : -1;
    if (cut >= 0) {
        int64_t right = b->items[cut + 1];
        if (bucket_split(s, at, (size_t)cut + 1, right))
            item_insert(s, &s->b[t >= right ? at + 1 : at], t);
        return;
    }
    int64_t all = b->items[0];
    if (t == all) { /* chained segment; the bucket's key becomes the expiry itself */
        b->key = all;
        b->n++;
        return;
    }
    if (t < all)
        b->key = all;
    struct bucket *fresh = bucket_insert(s, t < all ? at : at + 1, t);
    if (fresh)
        item_insert(s, fresh, t);
}

static void eb_add(struct ttl_set *s, int64_t t)
{
    if (s->nb == 0 && bucket_insert(s, 0, t) == NULL)
        return;
    if (!s->tree && s->count < EB_ITEMS) {
        item_insert(s, &s->b[0], t);
        return;
    }
    if (!s->tree) { /* the 17th: the list becomes the first bucket of a tree */
        s->tree = true;
        s->b[0].key = s->b[0].items[0];
    }
    size_t at = upper(s, t);
    if (at == 0) {
        struct bucket *fresh = bucket_insert(s, 0, t);
        if (fresh)
            item_insert(s, fresh, t);
        return;
    }
    at--;
    if (s->b[at].n < EB_ITEMS)
        item_insert(s, &s->b[at], t);
    else
        eb_add_full(s, at, t);
}

/* ---------------------------------------------------------------- Valkey: vset */

static int64_t window_end(int64_t t, int64_t size)
{
    int64_t start = t & ~(size - 1);
    return start > INT64_MAX - size ? INT64_MAX : start + size;
}
static int64_t wide_end(int64_t t)
{
    return window_end(t, 8192);
}
static int64_t narrow_end(int64_t t)
{
    return window_end(t, 16);
}

/* Nearest index to the middle where the 16 ms window changes; 0: none. */
static size_t v_cut(const struct bucket *b)
{
    for (size_t d = 0; d <= V_ITEMS / 2; d++) {
        size_t left = V_ITEMS / 2 - d, right = V_ITEMS / 2 + d;
        if (left > 0 && narrow_end(b->items[left - 1]) != narrow_end(b->items[left]))
            return left;
        if (right < V_ITEMS && narrow_end(b->items[right - 1]) != narrow_end(b->items[right]))
            return right;
    }
    return 0;
}

static void v_add_tree(struct ttl_set *s, int64_t t)
{
    for (int tries = 0; tries < 4; tries++) {
        size_t at = upper(s, t);
        if (at == s->nb || s->b[at].key > wide_end(t)) {
            struct bucket *fresh = bucket_insert(s, at, wide_end(t));
            if (fresh)
                item_insert(s, fresh, t);
            return;
        }
        struct bucket *b = &s->b[at];
        if (b->pointer_table || b->n < V_ITEMS) {
            item_insert(s, b, t);
            return;
        }
        int64_t last = narrow_end(b->items[V_ITEMS - 1]);
        size_t cut = v_cut(b);
        if (last < b->key) {
            b->key = last;
        } else if (cut > 0) {
            int64_t end = b->key;
            int64_t left_end = narrow_end(b->items[cut - 1]);
            if (!bucket_split(s, at, cut, end))
                return;
            s->b[at].key = left_end;
        } else {
            b->pointer_table = true;
        }
    }
}

static void v_add(struct ttl_set *s, int64_t t)
{
    if (s->tree) {
        v_add_tree(s, t);
        return;
    }
    if (s->nb == 0 && bucket_insert(s, 0, INT64_MAX) == NULL)
        return;
    if (s->count < V_ITEMS) {
        item_insert(s, &s->b[0], t);
        return;
    }
    s->tree = true;
    struct bucket first = s->b[0];
    if (wide_end(first.items[0]) == wide_end(first.items[V_ITEMS - 1])) {
        s->b[0].key = wide_end(first.items[0]);
    } else {
        s->nb = 0;
        for (size_t i = 0; i < V_ITEMS; i++)
            v_add_tree(s, first.items[i]);
        free(first.items);
    }
    v_add_tree(s, t);
}

/* ---------------------------------------------------------------- */

void ttl_set_add(struct ttl_set *s, int64_t t)
{
    if (s->count >= SET_LIMIT) {
        s->beyond++;
        return;
    }
    if (s->pf->volatile_set)
        v_add(s, t);
    else
        eb_add(s, t);
    s->count++;
}

static void charge_pointer_table(struct rebuild *r, uint64_t m)
{
    struct table t;
    table_init(&t, r->pf);
    table_insert(&t, m, 0);
    zmalloc(r->z, (uint64_t)r->pf->set_header, ZL_TTL);
    zmalloc(r->z, table_array(&t, t.size), ZL_TTL);
    if (t.next)
        zmalloc(r->z, table_array(&t, t.next), ZL_TTL);
    double variance, children = table_children(&t, &variance);
    zcharge(r->z, 64 * children, 64 * 64 * variance, ZL_TTL);
    zplace(r->z, 64, (uint64_t)(children + 0.5));
}

static void charge_bucket(struct rebuild *r, const struct bucket *b)
{
    if (!r->pf->volatile_set) {
        zmalloc(r->z, EB_FIRST, ZL_TTL);
        for (uint64_t n = EB_ITEMS; n < b->n; n += EB_ITEMS)
            zmalloc(r->z, EB_NEXT, ZL_TTL);
    } else if (b->pointer_table) {
        charge_pointer_table(r, b->n);
    } else if (b->n > 1) {
        zmalloc(r->z, 8 + 8 * b->n, ZL_TTL);
    }
}

void ttl_set_charge(struct rebuild *r, struct ttl_set *s)
{
    uint64_t before = r->z->key_used;
    if (!s->tree) {
        if (s->pf->volatile_set && s->nb && s->b[0].n > 1)
            zmalloc(r->z, 8 + 8 * s->b[0].n, ZL_TTL);
        return;
    }
    unsigned width = s->pf->volatile_set ? 8 : 6;
    struct rax_sum sum = {0, 0, 0};
    rax_begin(r, true);
    for (size_t i = 0; i < s->nb; i++) {
        uint8_t key[8];
        for (unsigned k = 0; k < width; k++)
            key[k] = (uint8_t)((uint64_t)s->b[i].key >> (8 * (width - 1 - k)));
        rax_add(r, key, width);
        charge_bucket(r, &s->b[i]);
    }
    rax_end(r, (uint64_t)s->pf->rax + (s->pf->volatile_set ? 0 : 8), &sum);
    if (s->beyond)
        zcharge(r->z, (double)(r->z->key_used - before) * (double)s->beyond / (double)s->count, 0, ZL_TTL);
}

uint64_t ttl_set_bytes(struct rebuild *r, struct ttl_set *s)
{
    struct zheap scratch, *real = r->z;
    zheap_init(&scratch, real->a, NULL);
    r->z = &scratch;
    ttl_set_charge(r, s);
    r->z = real;
    return scratch.key_used + (uint64_t)(scratch.key_expected + 0.5);
}
