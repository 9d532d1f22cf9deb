/*
 * rebuild_hash.c - hashes, with and without field expiries (rdb.c rdbLoadObject, t_hash.c).
 *
 * Pairs that come one by one (types 4, 22, 24) fill a pack until a field or value is too long; then the pairs so far
 * move to a table. Which table sizes that leaves depends on when it happens and on the version (struct profile,
 * hash_mid_rule); the pairs' lengths are kept in memos until it is decided.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/keyspace.h"
#include "analyzer/rebuild.h"
#include "analyzer/sizes.h"

enum { BATCH = 64, EMBED_MAX = 128 /* entry.c EMBED_VALUE_MAX_ALLOC_SIZE */ };

struct pair {
    uint64_t field_len, value_len;
    bool ttl;
};

/* A field or value as far as it matters: taken at once, because what it lends is gone with its batch. */
struct part {
    uint64_t len;
    int64_t v;
    uint8_t kind; /* enum memo_kind; looked at only where it matters */
    bool from_text;
};

struct hash_state {
    uint64_t n, total;
    bool as_table, has_ttl_header, ttl_layout;
    uint64_t packed; /* bytes of all entries if packed */
    struct table t;
    uint64_t inserted; /* pairs in t that it has not been told of */
};

/* ---------------------------------------------------------------- one pair in a table */

/* Redis 8.6+, entry.c: [expiry] field [value], or [expiry] pointer field and the value apart */
static void block_pair(struct rebuild *r, const struct pair *p)
{
    uint64_t x = p->ttl ? 16 : 0, h = sds_header_embedded(r->pf, p->field_len);
    uint64_t wide = h < 3 ? 3 : h;
    uint64_t head = x + (p->ttl ? wide : h) + p->field_len + 1;
    if (head + p->value_len + 4 <= EMBED_MAX) {
        zmalloc(r->z, head + p->value_len + 4, ZL_ELEMENT_ENTRY);
        r->st.entry_mem += head + p->value_len + 4;
        return;
    }
    uint64_t request = x + 8 + wide + p->field_len + 1;
    zmalloc(r->z, request, ZL_ELEMENT_ENTRY);
    element_sds(r, p->value_len, ZL_VALUE);
    r->st.entry_mem += request + sds_alloc_size(r, p->value_len);
}

/* Valkey 8.1+, t_hash.c hashTypeCreateEntry, entry.c entryCreate */
static void valkey_pair(struct rebuild *r, const struct pair *p)
{
    uint64_t x = p->ttl ? 8 : 0, h = sds_header_embedded(r->pf, p->field_len);
    uint64_t wide = h < 3 ? 3 : h;
    uint64_t request = x + (p->ttl ? wide : h) + p->field_len + 1 + p->value_len + 4;
    if (request <= EMBED_MAX) {
        r->st.entry_mem += zmalloc(r->z, request, ZL_ELEMENT_ENTRY);
        return;
    }
    r->st.entry_mem += zmalloc(r->z, x + 8 + wide + p->field_len + 1, ZL_ELEMENT_ENTRY);
    element_sds(r, p->value_len, ZL_VALUE);
}

/* dict.h dictEntry and the field */
static void fields_alloc(struct rebuild *r, uint64_t len, uint64_t count)
{
    zmalloc_n(r->z, 24, ZL_ELEMENT_ENTRY, count);
    element_sds_n(r, len, ZL_ELEMENT, count);
}

static void values_alloc(struct rebuild *r, uint64_t len, uint64_t count)
{
    element_sds_n(r, len, ZL_VALUE, count);
}

static void pair_alloc(struct rebuild *r, const struct pair *p)
{
    switch (r->pf->hash_rule) {
    case HASH_ENTRY_BLOCK: block_pair(r, p); return;
    case HASH_ENTRY_VALKEY: valkey_pair(r, p); return;
    case HASH_ENTRY_MSTR: {
        zmalloc(r->z, 24, ZL_ELEMENT_ENTRY);
        r->st.elem_zs += zmalloc(r->z, mstr_request(p->field_len, p->ttl), ZL_ELEMENT);
        break;
    }
    default:
        if (element_waits(r, p->field_len))
            length_note(&r->members, p->field_len);
        else
            fields_alloc(r, p->field_len, 1);
        break;
    }
    if (element_waits(r, p->value_len))
        length_note(&r->values, p->value_len);
    else
        values_alloc(r, p->value_len, 1);
}

static void memo_pair_alloc(struct rebuild *r, const struct memo *m)
{
    if (r->pf->hash_rule == HASH_ENTRY_OBJECTS) {
        zmalloc(r->z, 24, ZL_ELEMENT_ENTRY);
        element_object_memo(r, &m[0], ZL_ELEMENT);
        element_object_memo(r, &m[1], ZL_VALUE);
        return;
    }
    struct pair p = {m[0].len, m[1].len, m[0].ttl != 0};
    pair_alloc(r, &p);
}

static void table_finish(struct rebuild *r, struct hash_state *s)
{
    const struct profile *pf = r->pf;
    table_insert(&s->t, s->inserted, 0);
    lengths_flush(r, &r->members, fields_alloc);
    lengths_flush(r, &r->values, values_alloc);
    r->k->encoding = ENC_HASHTABLE;
    bool own_entry = pf->hash_rule != HASH_ENTRY_BLOCK && pf->hash_rule != HASH_ENTRY_VALKEY;
    table_charge(r, &s->t, (uint64_t)(s->has_ttl_header ? pf->hash_ttl_header : pf->hash_header), own_entry ? 24 : 0);
    if (ttl_set_count(r->fields)) {
        uint64_t before = r->z->key_used;
        double expected = r->z->key_expected;
        ttl_set_charge(r, r->fields);
        r->st.ttl_zs = r->z->key_used - before + (uint64_t)(r->z->key_expected - expected + 0.5);
    }
}

/* ---------------------------------------------------------------- pairs one by one */

static void expiry_keep(struct rebuild *r, int64_t expiry)
{
    if (r->expiries_n == r->expiries_cap) {
        size_t cap = r->expiries_cap ? r->expiries_cap * 2 : 512;
        int64_t *e = realloc(r->expiries, cap * sizeof *e);
        if (e == NULL)
            return;
        r->expiries = e;
        r->expiries_cap = cap;
    }
    r->expiries[r->expiries_n++] = expiry;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The pack held its fields in order of expiry, and so they go into the new structure. */
static void expiries_release(struct rebuild *r)
{
    if (r->expiries_n)
        qsort(r->expiries, r->expiries_n, sizeof *r->expiries, by_time);
    for (size_t i = 0; i < r->expiries_n; i++)
        ttl_set_add(r->fields, r->expiries[i]);
    r->expiries_n = 0;
}

/* dictExpand to what is left, or to all (8.6+); dict only above 4. */
static void expand_rest(struct rebuild *r, struct hash_state *s, uint64_t left)
{
    uint64_t want = r->pf->hash_mid_total ? s->total : left;
    if (want > 4 || s->t.hashtable)
        table_expand(&s->t, want);
}

/* Pair s->n is too long for the pack that holds the s->n pairs before it. */
static void become_table(struct rebuild *r, struct hash_state *s)
{
    uint64_t i = s->n, left = s->total > i ? s->total - i - 1 : 0;
    s->as_table = true;
    if (r->pf->hash_mid_rule == 2)
        table_expand(&s->t, i);
    for (uint64_t k = 0; k < i; k++)
        memo_pair_alloc(r, &r->memo[2 * k]);
    table_insert(&s->t, i, 0);
    if (r->pf->hash_mid_rule == 0) {
        table_insert(&s->t, 1, 0);
    } else if (s->ttl_layout) { /* the pair goes in after the expansion */
        expand_rest(r, s, left);
        table_insert(&s->t, 1, 0);
    } else {
        table_insert(&s->t, 1, 0);
        expand_rest(r, s, left);
    }
    expiries_release(r);
}

static uint64_t packed_size(const struct profile *pf, uint8_t kind, int64_t v, uint64_t len)
{
    bool integer = kind != MEMO_TEXT;
    if (pf->listpacks)
        return integer ? lp_integer(v) : lp_string(pf, len);
    uint64_t body = integer ? zl_integer_body(v) : zl_string_body(len);
    return body + (body + 1 < 254 ? 1 : 5);
}

static struct part part_of(struct rebuild *r, const struct hash_state *s, const struct rdb_element *e)
{
    struct part p = {e->len, 0, MEMO_TEXT, e->form != RDB_F_INT};
    if (!s->as_table || r->pf->object_elements)
        p.kind = memo_kind_of(r, e, &p.v);
    return p;
}

static void add_to_table(struct rebuild *r, const struct part *f, const struct part *v, int64_t expiry)
{
    if (r->pf->hash_rule == HASH_ENTRY_OBJECTS) {
        zmalloc(r->z, 24, ZL_ELEMENT_ENTRY);
        element_object_kind(r, f->kind, f->from_text, f->len, ZL_ELEMENT);
        element_object_kind(r, v->kind, v->from_text, v->len, ZL_VALUE);
        return;
    }
    struct pair p = {f->len, v->len, expiry > 0};
    pair_alloc(r, &p);
    if (expiry > 0)
        ttl_set_add(r->fields, expiry);
}

static void add_packed(struct rebuild *r, struct hash_state *s, const struct part *f, const struct part *v,
                       int64_t expiry)
{
    uint64_t limit = (uint64_t)r->pf->set[SET_HASH_VALUE];
    if (f->len > limit || v->len > limit) {
        /* up to 4.0 the long pair was pushed to the pack first: an integer in it is an object there too */
        become_table(r, s);
        add_to_table(r, f, v, expiry);
        return;
    }
    struct memo *m = memo_reserve(r, 2 * (size_t)s->n + 2);
    if (m == NULL)
        return;
    m += 2 * s->n;
    m[0] = (struct memo){(uint32_t)f->len, f->kind, expiry > 0};
    m[1] = (struct memo){(uint32_t)v->len, v->kind, 0};
    s->packed += packed_size(r->pf, f->kind, f->v, f->len) + packed_size(r->pf, v->kind, v->v, v->len);
    if (s->ttl_layout)
        s->packed += lp_integer(expiry > 0 ? expiry : 0);
    if (expiry > 0)
        expiry_keep(r, expiry);
}

static void add_pair(struct rebuild *r, struct hash_state *s, const struct part *f, const struct part *v,
                     int64_t expiry)
{
    const struct profile *pf = r->pf;
    note_largest(r, f->len);
    note_largest(r, v->len);
    r->k->payload += f->len + v->len;
    if (!pf->ebuckets && !pf->volatile_set)
        expiry = 0; /* a target without field expiries */
    if (expiry > 0 && pf->drops_expired_fields && r->primary && expiry < r->now_ms)
        return;
    if (s->as_table) {
        add_to_table(r, f, v, expiry);
        s->inserted++;
    } else {
        add_packed(r, s, f, v, expiry);
    }
    s->n++;
}

static void begin_table(struct rebuild *r, struct hash_state *s)
{
    s->as_table = true;
    if (s->ttl_layout && !r->pf->ttl_hash_presize)
        return; /* types 22, 24: grows from 4 buckets */
    if (s->t.hashtable || r->pf->hash_big_presize == 2 || (r->pf->hash_big_presize == 1 && s->total > 4))
        table_expand(&s->t, s->total);
}

static void pairs(struct rebuild *r)
{
    const struct profile *pf = r->pf;
    struct hash_state s = {.total = r->key->count};
    bool ttl = r->key->info->layout == RDB_L_HASH_TTL;
    s.ttl_layout = ttl && (pf->ebuckets || pf->volatile_set);
    s.has_ttl_header = s.ttl_layout;
    table_init(&s.t, pf);
    r->expiries_n = 0;
    if (s.total > (uint64_t)pf->set[SET_HASH_ENTRIES] || (s.ttl_layout && pf->volatile_set))
        begin_table(r, &s);
    struct rdb_element el[2 * BATCH];
    struct part field = {0};
    bool more = true;
    while (more) {
        size_t n = elements_next(r, el, 2 * BATCH, &more);
        for (size_t i = 0; i < n; i++) {
            struct part p = part_of(r, &s, &el[i]);
            if (el[i].role == RDB_R_VALUE)
                add_pair(r, &s, &field, &p, ttl ? el[i].u.expire_ms : 0);
            else
                field = p;
        }
    }
    r->k->elements = s.n;
    if (s.as_table) {
        table_finish(r, &s);
        return;
    }
    if (s.ttl_layout) {
        zmalloc(r->z, (uint64_t)pf->listpack_ex, ZL_TTL);
        value_pack(r, 7 + s.packed, ENC_LISTPACKEX);
    } else {
        value_pack(r, (pf->listpacks ? 7 : 11) + s.packed, pf->listpacks ? ENC_LISTPACK : ENC_ZIPLIST);
    }
}

/* ---------------------------------------------------------------- packs */

struct pack_facts {
    uint64_t entries, longest;
    int64_t first_ttl;
};

/* A pack over the limit: every pair to a table. Entries come as field, value[, expiry]. */
static void pack_to_table(struct rebuild *r, const struct rdb_element *e, struct hash_state *s, unsigned stride)
{
    struct rdb_pack pk;
    struct rdb_entry it;
    struct memo m[2] = {{0}};
    uint64_t i = 0;
    int got = -1;
    if (r->pf->hash_pack_presize || s->t.hashtable)
        table_expand(&s->t, s->total);
    if (!pack_begin(r, e, &pk))
        return;
    while ((got = rdb_pack_next(&pk, &it)) > 0) {
        unsigned role = (unsigned)(i++ % stride);
        if (role < 2) {
            bool shared = it.is_int && integer_is_shared(r, it.num, false);
            m[role] = (struct memo){(uint32_t)it.len, it.is_int ? (shared ? MEMO_INT_SHARED : MEMO_INT) : MEMO_TEXT, 0};
        } else {
            m[0].ttl = it.is_int && it.num > 0;
            if (m[0].ttl && (r->pf->ebuckets || r->pf->volatile_set))
                ttl_set_add(r->fields, it.num);
        }
        if (role == stride - 1) {
            memo_pair_alloc(r, m);
            s->n++;
        }
    }
    if (got < 0)
        note_damage(r, &pk);
    table_insert(&s->t, s->n, 0);
    table_finish(r, s);
}

static void packed_ttl(struct rebuild *r, const struct rdb_element *e, uint64_t pairs_in)
{
    const struct profile *pf = r->pf;
    struct hash_state s = {.total = pairs_in, .has_ttl_header = pf->ebuckets || pf->volatile_set};
    table_init(&s.t, pf);
    if (!pf->listpack_ex || pairs_in > (uint64_t)pf->set[SET_HASH_ENTRIES]) {
        pack_to_table(r, e, &s, 3);
        return;
    }
    zmalloc(r->z, (uint64_t)pf->listpack_ex, ZL_TTL);
    value_pack(r, e->len, ENC_LISTPACKEX);
    struct rdb_pack pk;
    struct rdb_entry it = {0};
    if (!pack_begin(r, e, &pk)) /* the first expiry is the least: it registers the hash with its database */
        return;
    for (int i = 0; i < 3; i++)
        if (rdb_pack_next(&pk, &it) <= 0)
            return;
    if (it.is_int && it.num > 0)
        expiry_keep(r, it.num);
}

static void packed(struct rebuild *r)
{
    const struct profile *pf = r->pf;
    struct rdb_element e;
    bool more, ttl = r->key->info->layout == RDB_L_BLOB_TTL;
    uint64_t entries = 0, payload = r->k->payload;
    if (elements_next(r, &e, 1, &more) != 1)
        return;
    r->expiries_n = 0;
    pack_walk(r, &e, &entries);
    uint64_t n = entries / (ttl ? 3 : 2);
    r->k->elements = n;
    if (ttl) {
        r->k->payload = r->k->payload > 8 * n ? r->k->payload : payload;
        packed_ttl(r, &e, n);
        return;
    }
    bool zipmap_long = e.pack == RDB_PACK_ZIPMAP && r->k->largest > (uint64_t)pf->set[SET_HASH_VALUE];
    if (n > (uint64_t)pf->set[SET_HASH_ENTRIES] || zipmap_long) {
        struct hash_state s = {.total = n};
        table_init(&s.t, pf);
        pack_to_table(r, &e, &s, 2);
        return;
    }
    value_pack(r, pack_bytes_as_loaded(r, &e), pf->listpacks ? ENC_LISTPACK : ENC_ZIPLIST);
}

/* ---------------------------------------------------------------- registration with the database */

static bool registers_by_slot(const struct rebuild *r)
{
    return r->pf->cluster && r->pf->ebuckets_by_slot;
}

static struct registered *registry(struct rebuild *r)
{
    if (!registers_by_slot(r))
        return r->key->db < sizeof r->hashes / sizeof r->hashes[0] ? &r->hashes[r->key->db] : NULL;
    if (r->slot_hashes == NULL)
        r->slot_hashes = calloc(KEYSPACE_SLOTS, sizeof *r->slot_hashes);
    return r->slot_hashes ? &r->slot_hashes[r->slot] : NULL;
}

/* Redis: a hash with a field TTL hangs in a structure of its database, from 8.4 on of its slot, under its least expiry.
 * What that structure grows by is charged to the key that made it grow, as in the server. */
void hash_register(struct rebuild *r, int64_t least)
{
    enum { EXACT = 2048, EXACT_IN_SLOT = 64 /* there are 16384 of them */ };
    struct registered *g = registry(r);
    if (g == NULL || (g->set == NULL && (g->set = ttl_set_new(r->pf)) == NULL))
        return;
    uint64_t had = ttl_set_count(g->set);
    if (had >= (registers_by_slot(r) ? EXACT_IN_SLOT : EXACT)) { /* by now an average is exact enough */
        zcharge(r->z, (double)g->bytes / (double)had, 0, ZL_TTL);
        return;
    }
    ttl_set_add(g->set, least);
    if (had < 16)
        return;
    uint64_t bytes = ttl_set_bytes(r, g->set);
    zcharge(r->z, (double)bytes - (double)g->bytes, 0, ZL_TTL);
    g->bytes = bytes;
}

static void register_with_database(struct rebuild *r)
{
    if (!r->pf->ebuckets || (ttl_set_count(r->fields) == 0 && r->expiries_n == 0))
        return;
    int64_t least = ttl_set_count(r->fields) ? ttl_set_least(r->fields) : r->expiries[0];
    for (size_t i = 1; i < r->expiries_n; i++)
        least = r->expiries[i] < least ? r->expiries[i] : least;
    if (r->later)
        *r->later = (struct registration){.hash = true, .slot = r->slot, .least = least};
    else
        hash_register(r, least);
}

void rebuild_hash(struct rebuild *r)
{
    key_alloc(r);
    ttl_set_clear(r->fields);
    r->expiries_n = 0;
    if (registers_by_slot(r)) /* while the name is lent */
        r->slot = keyspace_slot_of(r->key->name.data, r->key->name.len);
    switch (r->key->info->layout) {
    case RDB_L_BLOB:
    case RDB_L_BLOB_TTL: packed(r); break;
    case RDB_L_TEMPLATE_PACK:
    case RDB_L_TEMPLATE_ARRAY: rebuild_template(r); break;
    default: pairs(r); break;
    }
    register_with_database(r);
}
