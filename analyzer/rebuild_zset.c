/*
 * rebuild_zset.c - sorted sets (rdb.c rdbLoadObject, t_zset.c).
 *
 * Types 3 and 5 are always built as a skiplist and a table, and packed at the end when small. Node levels are dice:
 * P(level = l) = 3/4 (1/4)^(l-1). A node is charged its expected size; the slab model gets levels from a counter with
 * the same shares.
 */
#include "analyzer/rebuild.h"
#include "analyzer/score.h"
#include "analyzer/sizes.h"

enum { BATCH = 64, LEVELS = 12 };

uint64_t skiplist_node_request(const struct profile *pf, uint64_t len, unsigned level)
{
    uint64_t request = (uint64_t)pf->skiplist_node + 16 * level;
    return pf->skiplist_embeds ? request + sds_header_embedded(pf, len) + len + 1 : request;
}

struct node_cost skiplist_node_cost(const struct zheap *z, const struct profile *pf, uint64_t len)
{
    double p = 0.75, mean = 0, squares = 0;
    for (unsigned level = 1; level <= LEVELS; level++, p *= 0.25) {
        double size = (double)zusable(z, skiplist_node_request(pf, len, level));
        mean += p * size;
        squares += p * size * size;
    }
    return (struct node_cost){mean, squares - mean * mean};
}

/* Of the next count nodes, those with this level or more: every 4^(level - 1)-th. */
static uint64_t next_levels(const struct rebuild *r, uint64_t count, unsigned level)
{
    unsigned shift = 2 * (level - 1);
    return ((r->level_clock + count) >> shift) - (r->level_clock >> shift);
}

static void nodes_place(struct rebuild *r, uint64_t len, uint64_t count)
{
    uint64_t left = count;
    for (unsigned level = 1; left > 0 && level <= LEVELS; level++) {
        uint64_t higher = level < LEVELS ? next_levels(r, count, level + 1) : 0;
        zplace(r->z, skiplist_node_request(r->pf, len, level), left - higher);
        left = higher;
    }
    r->level_clock = (r->level_clock + count) & UINT32_MAX;
}

static void nodes_alloc(struct rebuild *r, uint64_t len, uint64_t count)
{
    uint64_t slot = r->pf->skiplist_embeds ? len : 0;
    struct node_cost c;
    if (slot < NODE_COSTS) {
        if (r->node_cost[slot].mean == 0)
            r->node_cost[slot] = skiplist_node_cost(r->z, r->pf, slot);
        c = r->node_cost[slot];
    } else {
        c = skiplist_node_cost(r->z, r->pf, len);
    }
    zcharge_n(r->z, c.mean, c.variance, ZL_SKIPLIST_NODE, count);
    if (zheap_places(r->z))
        nodes_place(r, len, count);
    r->st.node_zs += c.mean * (double)count;
}

static void members_alloc(struct rebuild *r, uint64_t len, uint64_t count)
{
    if (r->pf->zset_entry)
        zmalloc_n(r->z, (uint64_t)r->pf->zset_entry, ZL_ELEMENT_ENTRY, count);
    if (!r->pf->skiplist_embeds)
        element_sds_n(r, len, ZL_ELEMENT, count);
    nodes_alloc(r, len, count);
}

static void member_alloc(struct rebuild *r, uint64_t len, const struct rdb_element *e, const struct memo *m)
{
    const struct profile *pf = r->pf;
    if (element_waits(r, len)) {
        length_note(&r->members, len);
        return;
    }
    if (!pf->object_elements) {
        members_alloc(r, len, 1);
        return;
    }
    if (pf->zset_entry)
        zmalloc(r->z, (uint64_t)pf->zset_entry, ZL_ELEMENT_ENTRY);
    if (e != NULL)
        element_object(r, e, ZL_ELEMENT);
    else
        element_object_memo(r, m, ZL_ELEMENT);
    nodes_alloc(r, len, 1);
}

static void skiplist_finish(struct rebuild *r, const struct table *t)
{
    const struct profile *pf = r->pf;
    lengths_flush(r, &r->members, members_alloc);
    r->k->encoding = ENC_SKIPLIST;
    r->k->flags |= KEY_STOCHASTIC;
    zmalloc(r->z, 16, ZL_SKIPLIST); /* server.h zset: dict and skiplist pointers */
    if (pf->zskiplist)
        zmalloc(r->z, (uint64_t)pf->zskiplist, ZL_SKIPLIST);
    zmalloc(r->z, (uint64_t)pf->skiplist_head, ZL_SKIPLIST);
    table_charge(r, t, (uint64_t)pf->zset_header, pf->zset_entry);
}

/* ---------------------------------------------------------------- types 3, 5 */

struct zset_state {
    bool may_pack;
    uint64_t n;
    uint64_t packed;  /* bytes of all entries if packed */
    uint64_t longest; /* as the limit sees it */
};

static uint64_t packed_string(const struct profile *pf, uint64_t len, bool integer, int64_t v)
{
    if (pf->listpacks)
        return integer ? lp_integer(v) : lp_string(pf, len);
    uint64_t body = integer ? zl_integer_body(v) : zl_string_body(len);
    return body + (body + 1 < 254 ? 1 : 5); /* its length stands in front of the entry behind it */
}

static void add_member(struct rebuild *r, struct zset_state *s, const struct rdb_element *e)
{
    note_largest(r, e->len);
    r->k->payload += e->len + 8;
    if (!s->may_pack) {
        member_alloc(r, e->len, e, NULL);
        s->n++;
        return;
    }
    int64_t v = 0;
    uint8_t kind = memo_kind_of(r, e, &v);
    struct memo *m = memo_reserve(r, (size_t)s->n + 1);
    if (m == NULL)
        return;
    m[s->n++] = (struct memo){e->len > UINT32_MAX ? UINT32_MAX : (uint32_t)e->len, kind, 0};
    bool integer = kind != MEMO_TEXT;
    s->packed += packed_string(r->pf, e->len, integer, v);
    if (!(integer && r->pf->zset_len_ignores_int) && e->len > s->longest)
        s->longest = e->len;
    if (e->len > (uint64_t)r->pf->set[SET_ZSET_VALUE] && !(integer && r->pf->zset_len_ignores_int)) {
        for (uint64_t i = 0; i + 1 < s->n; i++) /* too long for a pack: no need to wait any more */
            member_alloc(r, m[i].len, NULL, &m[i]);
        member_alloc(r, e->len, e, NULL);
        s->may_pack = false;
    }
}

static void add_score(struct rebuild *r, struct zset_state *s, double score)
{
    int64_t v;
    uint64_t len;
    if (!s->may_pack)
        return;
    bool integer = score_entry(r->pf, score, &v, &len);
    s->packed += packed_string(r->pf, integer ? 0 : len, integer, integer ? v : 0);
}

static void plain_zset(struct rebuild *r)
{
    uint64_t total = r->key->count;
    struct zset_state s = {.may_pack = total <= (uint64_t)r->pf->set[SET_ZSET_ENTRIES]};
    struct rdb_element el[BATCH];
    bool more = true;
    while (more) {
        size_t n = elements_next(r, el, BATCH, &more);
        for (size_t i = 0; i < n; i++) {
            if (el[i].role == RDB_R_MEMBER)
                add_member(r, &s, &el[i]);
            else
                add_score(r, &s, el[i].u.score);
        }
    }
    r->k->elements = s.n;
    if (s.may_pack) {
        value_pack(r, (r->pf->listpacks ? 7 : 11) + s.packed, r->pf->listpacks ? ENC_LISTPACK : ENC_ZIPLIST);
        return;
    }
    struct table t;
    table_init(&t, r->pf);
    if (r->pf->zset_presize && (total > 4 || t.hashtable))
        table_expand(&t, total);
    table_insert(&t, s.n, 0);
    skiplist_finish(r, &t);
}

/* ---------------------------------------------------------------- types 12, 17 */

static void pack_to_skiplist(struct rebuild *r, const struct rdb_element *e, uint64_t pairs)
{
    struct rdb_pack pk;
    struct rdb_entry it;
    struct table t;
    uint64_t n = 0;
    int got = -1;
    table_init(&t, r->pf);
    if (r->pf->zset_pack_presize)
        table_expand(&t, pairs);
    if (!pack_begin(r, e, &pk))
        return;
    while ((got = rdb_pack_next(&pk, &it)) > 0) {
        if (n++ % 2)
            continue; /* the score */
        bool shared = it.is_int && integer_is_shared(r, it.num, false);
        struct memo m = {(uint32_t)it.len, it.is_int ? (shared ? MEMO_INT_SHARED : MEMO_INT) : MEMO_TEXT, 0};
        member_alloc(r, it.len, NULL, &m);
        note_largest(r, it.len);
        r->k->payload += it.len + 8;
    }
    if (got < 0)
        note_damage(r, &pk);
    table_insert(&t, n / 2, 0);
    r->k->elements = n / 2;
    skiplist_finish(r, &t);
}

static void packed_zset(struct rebuild *r)
{
    struct rdb_element e;
    bool more;
    uint64_t entries = 0, payload = r->k->payload;
    if (elements_next(r, &e, 1, &more) != 1)
        return;
    pack_walk(r, &e, &entries);
    uint64_t pairs = entries / 2;
    if (pairs > (uint64_t)r->pf->set[SET_ZSET_ENTRIES]) {
        r->k->payload = payload;
        r->k->largest = 0;
        pack_to_skiplist(r, &e, pairs);
        return;
    }
    r->k->elements = pairs;
    value_pack(r, pack_bytes_as_loaded(r, &e), r->pf->listpacks ? ENC_LISTPACK : ENC_ZIPLIST);
}

void rebuild_zset(struct rebuild *r)
{
    key_alloc(r);
    if (r->key->info->layout == RDB_L_BLOB)
        packed_zset(r);
    else
        plain_zset(r);
}
