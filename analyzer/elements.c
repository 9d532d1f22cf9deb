/*
 * elements.c - what the rebuild functions of the collection types share.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/rebuild.h"
#include "analyzer/sizes.h"

enum { INT_TEXT = 20 /* longest canonical 64-bit integer */ };

static bool has_bytes(const struct rdb_element *e)
{
    return e->form == RDB_F_RAW || e->form == RDB_F_LZF;
}

/* Reads over an element whose bytes are not in the window. A length alone is only a claim: the input may end before. */
bool element_is_there(struct rebuild *r, const struct rdb_element *e)
{
    bool more;
    if (e->data == NULL && has_bytes(e))
        (void)rdb_elements(r->p, &(struct rdb_element){0}, 0, &more);
    return !rdb_failed(r->p);
}

static bool to_be_opened(const struct rebuild *r, const struct rdb_element *e)
{
    return e->role == RDB_R_BLOB || e->role == RDB_R_STREAM_NODE ||
           (e->role == RDB_R_PLAIN && r->pf->set[SET_LIST_DEPTH] > 0) ||
           (e->role == RDB_R_MODULE_STRING && r->opens_strings);
}

size_t elements_next(struct rebuild *r, struct rdb_element *out, size_t cap, bool *more)
{
    size_t n;
    if (r->has_late) {
        r->has_late = false;
        out[0] = r->late;
        n = element_is_there(r, &r->late);
        *more = r->late_more && n > 0;
        return n;
    }
    n = rdb_elements(r->p, out, cap, more);
    if (n == 0 || out[n - 1].data != NULL || !has_bytes(&out[n - 1]) || to_be_opened(r, &out[n - 1]))
        return n;
    if (n == 1) {
        n = element_is_there(r, &out[0]);
        *more = *more && n > 0;
        return n;
    }
    r->late = out[n - 1]; /* reading over it moves what the others lend: they go first */
    r->late_more = *more;
    r->has_late = true;
    *more = true;
    return n - 1;
}

bool element_integer(struct rebuild *r, const struct rdb_element *e, int64_t *v)
{
    if (e->form == RDB_F_INT) {
        *v = e->num;
        return true;
    }
    if (e->len == 0 || e->len > INT_TEXT)
        return false;
    if (e->form == RDB_F_RAW && e->data != NULL)
        return rdb_text2ll(e->data, (size_t)e->len, v);
    uint8_t text[INT_TEXT + 1]; /* LZF of so short a string: no server writes it */
    size_t n = rdb_element_head(r->p, e, text, sizeof text);
    return n == e->len && rdb_text2ll(text, n, v);
}

uint8_t memo_kind_of(struct rebuild *r, const struct rdb_element *e, int64_t *v)
{
    if (!element_integer(r, e, v))
        return MEMO_TEXT;
    return integer_is_shared(r, *v, e->form != RDB_F_INT) ? MEMO_INT_SHARED : MEMO_INT;
}

/* rdbLoadEncodedStringObject and tryObjectEncoding, as for a string value (2.8, 3.2) */
void element_object_kind(struct rebuild *r, uint8_t kind, bool from_text, uint64_t len, enum zlabel label)
{
    const struct profile *pf = r->pf;
    if (kind == MEMO_INT_SHARED)
        return;
    if (kind == MEMO_INT) {
        zmalloc(r->z, from_text && pf->int_keeps_embstr ? 16 + 3 + len + 1 : 16, label);
    } else if (pf->embstr_max && len <= (uint64_t)pf->embstr_max) {
        zmalloc(r->z, 16 + 3 + len + 1, label);
    } else {
        zmalloc(r->z, 16, ZL_ROBJ);
        zmalloc(r->z, sds_request(pf, len), label);
    }
}

void element_object(struct rebuild *r, const struct rdb_element *e, enum zlabel label)
{
    int64_t v;
    element_object_kind(r, memo_kind_of(r, e, &v), e->form != RDB_F_INT, e->len, label);
}

/* What comes out of a pack is an integer object where the pack held an integer. */
void element_object_memo(struct rebuild *r, const struct memo *m, enum zlabel label)
{
    element_object_kind(r, m->kind, false, m->len, label);
}

/* sds.c sdsAllocSize (8.4+): the requested size for type 5, the usable one for the others */
uint64_t sds_alloc_size(const struct rebuild *r, uint64_t len)
{
    return len > 0 && len < 32 ? len + 2 : zusable(r->z, sds_request(r->pf, len));
}

void element_sds_n(struct rebuild *r, uint64_t len, enum zlabel label, uint64_t count)
{
    struct value_stats *st = &r->st;
    uint64_t request = sds_request(r->pf, len), usable = zusable(r->z, request);
    uint64_t req = request * count, zs = usable * count, as = sds_alloc_size(r, len) * count;
    zmalloc_n(r->z, request, label, count);
    if (label == ZL_VALUE) {
        st->val_req += req;
        st->val_zs += zs;
        st->val_as += as;
    } else {
        st->elem_req += req;
        st->elem_zs += zs;
        st->elem_as += as;
    }
}

void element_sds(struct rebuild *r, uint64_t len, enum zlabel label)
{
    element_sds_n(r, len, label, 1);
}

void lengths_flush(struct rebuild *r, struct lengths *l, void (*alloc)(struct rebuild *r, uint64_t len, uint64_t count))
{
    for (; l->seen; l->seen &= l->seen - 1) {
        unsigned len = (unsigned)__builtin_ctzll(l->seen);
        if (alloc)
            alloc(r, len, l->count[len]);
        l->count[len] = 0;
    }
}

struct memo *memo_reserve(struct rebuild *r, size_t n)
{
    if (n > r->memo_cap) {
        size_t cap = n + n / 2 + 64;
        struct memo *grown = realloc(r->memo, cap * sizeof *grown);
        if (grown == NULL)
            return NULL;
        r->memo = grown;
        r->memo_cap = cap;
    }
    return r->memo;
}

void note_damage(struct rebuild *r, const struct rdb_pack *pk)
{
    if (r->damage == NULL) {
        r->damage = pk->damage ? pk->damage : "damaged container";
        r->damage_at = pk->damage_at;
    }
}

bool pack_begin(struct rebuild *r, const struct rdb_element *e, struct rdb_pack *pk)
{
    struct rdb_cursor c;
    memset(pk, 0, sizeof *pk);
    (void)rdb_element_hold(r->p, e); /* most packs are walked twice: how they stay packed, or what they become */
    if (!rdb_element_open(r->p, e, &c)) {
        pk->damage = c.damage ? c.damage : "compressed container cannot be expanded";
        note_damage(r, pk);
        return false;
    }
    if (!rdb_pack_open(pk, (enum rdb_pack_kind)e->pack, &c, e->len)) {
        note_damage(r, pk);
        return false;
    }
    return true;
}

void pack_walk(struct rebuild *r, const struct rdb_element *e, uint64_t *entries)
{
    struct rdb_pack pk;
    struct rdb_pack_sum sum = {0, 0, 0};
    if (pack_begin(r, e, &pk) && rdb_pack_sum(&pk, &sum) != 0)
        note_damage(r, &pk);
    *entries = sum.entries;
    note_largest(r, sum.longest);
    r->k->payload += sum.payload;
}

/* Entries appended one by one to the target's kind of pack, which ends at its exact size (lpShrinkToFit). */
static uint64_t repacked(struct rebuild *r, const struct rdb_element *e)
{
    struct rdb_pack pk;
    struct rdb_entry it;
    bool lp = r->pf->listpacks != 0;
    uint64_t bytes = lp ? 7 : 11;
    int got = -1;
    if (!pack_begin(r, e, &pk))
        return bytes;
    while ((got = rdb_pack_next(&pk, &it)) > 0) {
        uint64_t body = it.is_int ? zl_integer_body(it.num) : zl_string_body(it.len);
        if (lp)
            bytes += it.is_int ? lp_integer(it.num) : lp_string(r->pf, it.len);
        else
            bytes += body + (body + 1 < 254 ? 1 : 5);
    }
    if (got < 0)
        note_damage(r, &pk);
    return bytes;
}

uint64_t pack_bytes_as_loaded(struct rebuild *r, const struct rdb_element *e)
{
    enum rdb_pack_kind own = r->pf->listpacks ? RDB_PACK_LISTPACK : RDB_PACK_ZIPLIST;
    return e->pack == RDB_PACK_INTSET || e->pack == own ? e->len : repacked(r, e);
}

void value_pack(struct rebuild *r, uint64_t request, enum encoding enc)
{
    r->k->encoding = enc;
    if (r->damage || rdb_failed(r->p)) /* the length is a claim that the input did not keep */
        return;
    r->st.blob_req = request;
    r->st.blob_zs = zmalloc(r->z, request, ZL_PACK);
}

void table_charge(struct rebuild *r, const struct table *t, uint64_t header, int entry_size)
{
    if (r->damage || rdb_failed(r->p)) /* it may be presized for elements that did not come */
        return;
    zmalloc(r->z, header, ZL_DICT);
    if (t->size)
        zmalloc(r->z, table_array(t, t->size), ZL_TABLE);
    if (t->next)
        zmalloc(r->z, table_array(t, t->next), ZL_TABLE);
    r->st.buckets = t->size + t->next;
    r->st.n = t->used;
    double variance = 0, blocks = 0, size = 0;
    if (t->hashtable) {
        blocks = table_children(t, &variance);
        size = 64;
    } else if (entry_size == 0) {
        blocks = table_collisions(t, &variance);
        size = (double)zusable(r->z, (uint64_t)r->pf->collision);
    }
    if (blocks > 0) {
        zcharge(r->z, blocks * size, variance * size * size, ZL_ELEMENT_ENTRY);
        zplace(r->z, (uint64_t)(t->hashtable ? 64 : r->pf->collision), (uint64_t)(blocks + 0.5));
        r->st.chance += blocks * size;
        r->k->flags |= KEY_STOCHASTIC;
    }
}
