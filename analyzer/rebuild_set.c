/*
 * rebuild_set.c - sets (rdb.c rdbLoadObject, t_set.c setTypeConvertAndExpand).
 *
 * Type 2, at most set-max-intset-entries members: starts as an intset. The first member that is not an integer turns it
 * into a listpack (7.2+, while short) or a table; a listpack that fills up or meets a long member becomes a table.
 * Until that is decided the members' lengths are kept in memos.
 */
#include "analyzer/rebuild.h"
#include "analyzer/sizes.h"

enum { BATCH = 64 };

struct set_state {
    uint64_t n;     /* members seen */
    uint64_t total; /* members in the file */
    enum { AS_INTSET, AS_LISTPACK, AS_TABLE } as;
    unsigned width; /* intset: bytes a member */
    int64_t min, max;
    uint64_t lp_bytes;    /* listpack: entries */
    uint64_t lp_capacity; /* it was created with room for this many bytes */
    uint64_t longest;
    struct table t;
};

static unsigned width_of(int64_t v)
{
    return v >= INT16_MIN && v <= INT16_MAX ? 2 : v >= INT32_MIN && v <= INT32_MAX ? 4 : 8;
}

static void members_alloc(struct rebuild *r, uint64_t len, uint64_t count)
{
    if (r->pf->set_entry)
        zmalloc_n(r->z, (uint64_t)r->pf->set_entry, ZL_ELEMENT_ENTRY, count);
    element_sds_n(r, len, ZL_ELEMENT, count);
}

static void member_alloc(struct rebuild *r, const struct memo *m)
{
    if (element_waits(r, m->len)) {
        length_note(&r->members, m->len);
        return;
    }
    if (r->pf->set_entry)
        zmalloc(r->z, (uint64_t)r->pf->set_entry, ZL_ELEMENT_ENTRY);
    if (r->pf->object_elements)
        element_object_memo(r, m, ZL_ELEMENT);
    else
        element_sds(r, m->len, ZL_ELEMENT);
}

static void member_alloc_element(struct rebuild *r, const struct rdb_element *e)
{
    if (element_waits(r, e->len)) {
        length_note(&r->members, e->len);
        return;
    }
    if (r->pf->set_entry)
        zmalloc(r->z, (uint64_t)r->pf->set_entry, ZL_ELEMENT_ENTRY);
    if (r->pf->object_elements)
        element_object(r, e, ZL_ELEMENT);
    else
        element_sds(r, e->len, ZL_ELEMENT);
}

static void table_finish(struct rebuild *r, const struct table *t)
{
    lengths_flush(r, &r->members, members_alloc);
    r->k->encoding = ENC_HASHTABLE;
    table_charge(r, t, (uint64_t)r->pf->set_header, r->pf->set_entry);
}

/* Up to 7.0: dictExpand(members so far), move them, dictExpand(total). 7.2+: presized to the total at once. */
static void become_table(struct rebuild *r, struct set_state *s)
{
    s->as = AS_TABLE;
    if (r->pf->set_listpack) {
        table_expand(&s->t, s->total);
        table_insert(&s->t, s->n, 0);
    } else {
        table_expand(&s->t, s->n);
        table_insert(&s->t, s->n, 0);
        table_expand(&s->t, s->total);
    }
    for (uint64_t i = 0; i < s->n; i++)
        member_alloc(r, &r->memo[i]);
}

static uint64_t integer_entry_max(const struct set_state *s)
{
    uint64_t a = lp_integer(s->min), b = lp_integer(s->max);
    return a > b ? a : b;
}

static bool stays_listpack(const struct rebuild *r, const struct set_state *s, uint64_t len)
{
    uint64_t longest = s->longest > len ? s->longest : len;
    return s->n < (uint64_t)r->pf->set[SET_SET_ENTRIES] && longest <= (uint64_t)r->pf->set[SET_SET_VALUE];
}

static void add_packed(struct rebuild *r, struct set_state *s, const struct rdb_element *e)
{
    int64_t v = 0;
    uint8_t kind = memo_kind_of(r, e, &v);
    bool integer = kind != MEMO_TEXT;
    if (s->as == AS_INTSET && !integer) {
        if (r->pf->set_listpack && stays_listpack(r, s, e->len)) {
            s->as = AS_LISTPACK; /* lpEstimateBytesRepeatedInteger: room for the widest of the two ends, each time */
            s->lp_capacity = s->n ? 7 + s->n * integer_entry_max(s) : 7;
        } else {
            become_table(r, s);
        }
    } else if (s->as == AS_LISTPACK && !stays_listpack(r, s, e->len)) {
        become_table(r, s);
    }
    if (s->as == AS_TABLE) {
        table_insert(&s->t, 1, 0);
        member_alloc_element(r, e);
        s->n++;
        return;
    }
    struct memo *m = memo_reserve(r, (size_t)s->n + 1);
    if (m == NULL)
        return;
    m[s->n] = (struct memo){(uint32_t)e->len, kind, 0};
    s->lp_bytes += integer ? lp_integer(v) : lp_string(r->pf, e->len);
    if (integer) {
        unsigned w = width_of(v);
        s->width = w > s->width ? w : s->width;
        s->min = s->n == 0 || v < s->min ? v : s->min;
        s->max = s->n == 0 || v > s->max ? v : s->max;
    }
    s->longest = e->len > s->longest ? e->len : s->longest;
    s->n++;
}

static void add_table(struct rebuild *r, const struct rdb_element *el, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        member_alloc_element(r, &el[i]);
        note_largest(r, el[i].len);
        r->k->payload += el[i].len;
    }
}

static void finish(struct rebuild *r, struct set_state *s)
{
    r->k->elements = s->n;
    if (s->as == AS_INTSET) {
        value_pack(r, 8 + s->n * (s->width ? s->width : 2), ENC_INTSET);
    } else if (s->as == AS_LISTPACK) {
        uint64_t bytes = 7 + s->lp_bytes;
        value_pack(r, zusable(r->z, s->lp_capacity) > zusable(r->z, bytes) ? s->lp_capacity : bytes, ENC_LISTPACK);
    } else {
        table_finish(r, &s->t);
    }
}

static void plain_set(struct rebuild *r)
{
    struct set_state s = {.total = r->key->count};
    uint64_t limit = (uint64_t)r->pf->set[SET_SET_INTSET];
    if (r->pf->intset_cap && limit > (1U << 30))
        limit = 1U << 30;
    table_init(&s.t, r->pf);
    if (s.total > limit) {
        s.as = AS_TABLE;
        if (s.total > 4 || s.t.hashtable)
            table_expand(&s.t, s.total);
    }
    struct rdb_element el[BATCH];
    bool more = true;
    while (more) {
        size_t n = elements_next(r, el, BATCH, &more);
        if (s.as == AS_TABLE) {
            add_table(r, el, n);
            table_insert(&s.t, n, 0);
            s.n += n;
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            note_largest(r, el[i].len);
            r->k->payload += el[i].len;
            add_packed(r, &s, &el[i]);
        }
    }
    finish(r, &s);
}

/* An intset or listpack over the limit becomes a table presized for its members. */
static void pack_to_table(struct rebuild *r, const struct rdb_element *e)
{
    struct rdb_pack pk;
    struct rdb_entry it;
    struct table t;
    uint64_t n = 0;
    int got = -1;
    table_init(&t, r->pf);
    if (!pack_begin(r, e, &pk))
        return;
    if (pk.count != UINT64_MAX)
        table_expand(&t, pk.count);
    while ((got = rdb_pack_next(&pk, &it)) > 0) {
        bool shared = it.is_int && integer_is_shared(r, it.num, false);
        struct memo m = {(uint32_t)it.len, it.is_int ? (shared ? MEMO_INT_SHARED : MEMO_INT) : MEMO_TEXT, 0};
        member_alloc(r, &m);
        note_largest(r, it.len);
        r->k->payload += it.len;
        n++;
    }
    if (got < 0)
        note_damage(r, &pk);
    table_insert(&t, n, 0);
    r->k->elements = n;
    table_finish(r, &t);
}

static void packed_set(struct rebuild *r)
{
    struct rdb_element e;
    struct rdb_pack pk;
    bool more;
    if (elements_next(r, &e, 1, &more) != 1 || !pack_begin(r, &e, &pk))
        return;
    bool intset = r->key->info->pack == RDB_PACK_INTSET;
    uint64_t limit = (uint64_t)r->pf->set[intset ? SET_SET_INTSET : SET_SET_ENTRIES];
    uint64_t count = pk.count;
    if (count == UINT64_MAX) { /* 65535 and more members: the header does not say */
        uint64_t payload = r->k->payload;
        pack_walk(r, &e, &count);
        r->k->payload = payload;
    }
    if (count > limit || (!intset && !r->pf->set_listpack)) {
        pack_to_table(r, &e);
        return;
    }
    pack_walk(r, &e, &r->k->elements);
    value_pack(r, e.len, intset ? ENC_INTSET : ENC_LISTPACK);
}

void rebuild_set(struct rebuild *r)
{
    key_alloc(r);
    if (r->key->info->layout == RDB_L_ITEMS)
        plain_set(r);
    else
        packed_set(r);
}
