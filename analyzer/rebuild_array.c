/*
 * rebuild_array.c - arrays (Redis 8.8, sparsearray.c arNew, arSet) and values that hold a number only.
 *
 * An array is cut into slices of 4096 indices. A slice with few elements is a sorted pair list (4, 8, kmax places);
 * with more, a dense window of slots. A directory of slices is flat below 2048 slices, above that in two levels.
 */
#include "analyzer/rebuild.h"
#include "analyzer/sizes.h"

enum { BATCH = 64, ARRAY = 80, HEAD = 32, SLOT = 8, DIR_FLAT = 2048, SUPER = 24, SMALL_TEXT = 7 };

struct slice {
    bool open;
    uint64_t id, n, first, last; /* indices inside the slice */
    uint64_t offset, window;     /* dense; window 0: sparse */
};

struct array_state {
    struct slice s;
    uint64_t highest, blocks, last_block;
    bool flat, super;
};

static void block(struct rebuild *r, uint64_t request)
{
    r->st.array_zs += zmalloc(r->z, request, ZL_ARRAY);
}

static void slice_close(struct rebuild *r, struct slice *s)
{
    if (!s->open)
        return;
    s->open = false;
    if (s->window) {
        block(r, HEAD + SLOT * s->window);
        return;
    }
    uint64_t kmax = (uint64_t)r->pf->set[SET_ARRAY_KMAX], capacity = 4;
    while (capacity < s->n && capacity < kmax)
        capacity *= 2;
    if (capacity > kmax)
        capacity = kmax;
    block(r, HEAD + round8(2 * capacity) + SLOT * capacity);
}

static void window_grow(struct slice *s, uint64_t size, uint64_t index)
{
    while (index >= s->offset + s->window)
        s->window *= 2;
    if (s->window >= size) {
        s->window = size;
        s->offset = 0;
    } else if (s->offset + s->window > size) {
        s->offset = size - s->window;
    }
}

static void slice_add(struct rebuild *r, struct slice *s, uint64_t size, uint64_t index)
{
    if (s->n++ == 0)
        s->first = index;
    if (!s->window && s->n > (uint64_t)r->pf->set[SET_ARRAY_KMAX]) {
        uint64_t span = s->last - s->first + 1;
        s->offset = s->first;
        s->window = pow2_at_least(span < 8 ? 8 : span);
        window_grow(s, size, s->last);
    }
    if (s->window)
        window_grow(s, size, index);
    s->last = index;
}

static void directory_note(struct array_state *a, uint64_t id)
{
    if (id > a->highest)
        a->highest = id;
    if (id < DIR_FLAT && !a->super) {
        a->flat = true;
        return;
    }
    if (!a->super) {
        a->super = true;
        a->blocks = a->flat ? 1 : 0;
        a->last_block = a->flat ? 0 : UINT64_MAX;
    }
    if (id / DIR_FLAT != a->last_block) {
        a->last_block = id / DIR_FLAT;
        a->blocks++;
    }
}

static void directory_charge(struct rebuild *r, const struct array_state *a)
{
    if (!a->flat && !a->super)
        return;
    if (!a->super) {
        block(r, 8 * pow2_at_least(a->highest + 1));
        return;
    }
    uint64_t capacity = 4;
    while (capacity < a->blocks)
        capacity *= 2;
    block(r, SUPER * capacity);
    for (uint64_t i = 0; i < a->blocks; i++)
        block(r, 8 * DIR_FLAT);
}

/* Longer text in a block of its own, unless it reads as an integer of 62 bits after all. */
static void text(struct rebuild *r, const struct rdb_element *e)
{
    int64_t v;
    note_largest(r, e->len);
    r->k->payload += e->len;
    if (e->role == RDB_R_ARRAY_SMALL || e->len <= SMALL_TEXT)
        return;
    if (element_integer(r, e, &v) && v >= -(1LL << 61) && v < (1LL << 61))
        return;
    block(r, (e->len <= 32767 ? 2 : 8) + e->len);
}

void rebuild_array(struct rebuild *r)
{
    struct array_state a = {0};
    struct rdb_element el[BATCH];
    uint64_t size = (uint64_t)r->pf->set[SET_ARRAY_SLICE], n = 0;
    bool more = true;
    key_alloc(r);
    r->k->encoding = ENC_ARRAY;
    block(r, ARRAY);
    if (size == 0)
        size = 4096;
    while (more) {
        size_t got = elements_next(r, el, BATCH, &more);
        for (size_t i = 0; i < got; i++, n++) {
            uint64_t id = el[i].u.index / size;
            if (!a.s.open || id != a.s.id) {
                slice_close(r, &a.s);
                a.s = (struct slice){.open = true, .id = id};
                directory_note(&a, id);
            }
            slice_add(r, &a.s, size, el[i].u.index % size);
            if (el[i].role == RDB_R_ARRAY_STR || el[i].role == RDB_R_ARRAY_SMALL)
                text(r, &el[i]);
            else
                r->k->payload += 8;
        }
    }
    slice_close(r, &a.s);
    directory_charge(r, &a);
    r->k->elements = n;
}

/* Values without a model of their own: what the file holds, as an estimate. A GCRA value stands in its object. */
void rebuild_other(struct rebuild *r)
{
    struct rdb_element el[BATCH];
    bool more = true;
    key_alloc(r);
    r->k->encoding = ENC_OTHER;
    if (r->key->info->type != RDB_T_GCRA)
        r->k->flags |= KEY_ESTIMATE;
    while (more) {
        size_t n = elements_next(r, el, BATCH, &more);
        for (size_t i = 0; i < n; i++) {
            if (el[i].form == RDB_F_NUM)
                continue;
            note_largest(r, el[i].len);
            r->k->payload += el[i].len;
            r->k->elements++;
            element_sds(r, el[i].len, ZL_ELEMENT);
        }
    }
}
