/*
 * rebuild_stream.c - streams with groups, consumers, pending entries and idempotent producers (rdb.c rdbLoadObject,
 * t_stream.c streamNew, streamCreateCG, streamCreateConsumer, streamCreateNACK, streamLinkCGroupToEntry).
 *
 * Every radix tree exists even when empty, but that of the group names. Node ids, pending ids and names come in
 * ascending order, so their trees are followed as they pass; the trees over all groups (references) and by delivery
 * time (8.4) are sorted first.
 */
#include <string.h>

#include "analyzer/rebuild.h"
#include "analyzer/sizes.h"

enum { BATCH = 64, ID = 16, LIST = 48, LIST_NODE = 24, DICT = 56, ENTRY = 24 };

struct stream_state {
    bool ids_done, has_groups;
    bool pel_open, consumers_open, consumer_pel_open; /* trees being filled */
    uint64_t pending_refs;
    bool has_producers;
    struct table iids;
    bool iids_open;
    struct key_set *times; /* 8.4: of the current group */
    unsigned meta;
};

static void use(struct rebuild *r, enum rax_slot slot)
{
    r->rax = r->raxes[slot];
}
static uint64_t header(const struct rebuild *r)
{
    return (uint64_t)r->pf->rax;
}

static void ids_close(struct rebuild *r, struct stream_state *s)
{
    if (s->ids_done)
        return;
    s->ids_done = true;
    use(r, RAX_MAIN);
    rax_end(r, header(r), &r->st.ids);
}

static void consumer_pel_close(struct rebuild *r, struct stream_state *s)
{
    if (!s->consumer_pel_open)
        return;
    s->consumer_pel_open = false;
    use(r, RAX_MAIN);
    rax_end(r, header(r), &r->st.consumer_pels);
}

/* The group's own tree of pending ids ends where its consumers begin. */
static void pel_close(struct rebuild *r, struct stream_state *s)
{
    if (!s->pel_open)
        return;
    s->pel_open = false;
    use(r, RAX_MAIN);
    rax_end(r, header(r), &r->st.pels);
    if (r->pf->stream_pel_time) {
        key_set_rax(r, s->times, header(r), false, NULL, &r->st.times);
        key_set_clear(s->times);
    }
}

static void group_close(struct rebuild *r, struct stream_state *s)
{
    pel_close(r, s);
    consumer_pel_close(r, s);
    if (!s->consumers_open)
        return;
    s->consumers_open = false;
    use(r, RAX_CONSUMERS);
    rax_end(r, header(r), &r->st.consumer_names);
}

/* A name as key of a tree; names that do not fit the window are shared off by their first bytes. */
static void name_add(struct rebuild *r, const struct rdb_element *e)
{
    uint8_t head[256];
    char text[21];
    if (e->form == RDB_F_RAW && e->data != NULL) {
        rax_add(r, e->data, (size_t)e->len);
    } else if (e->form == RDB_F_INT) {
        int n = rdb_ll2text(e->num, text);
        rax_add(r, (const uint8_t *)text, (size_t)n);
    } else {
        struct rdb_cursor c;
        if (rdb_element_open(r->p, e, &c) && (uint64_t)(c.end - c.p) >= e->len) {
            rax_add(r, c.p, (size_t)e->len);
        } else {
            size_t n = rdb_element_head(r->p, e, head, sizeof head);
            rax_add(r, head, n > sizeof head ? 0 : n);
        }
    }
}

static void group_begin(struct rebuild *r, struct stream_state *s, const struct rdb_element *e)
{
    ids_close(r, s);
    group_close(r, s);
    if (!s->has_groups) {
        s->has_groups = true;
        use(r, RAX_GROUPS);
        rax_begin(r, true);
    }
    use(r, RAX_GROUPS);
    name_add(r, e);
    zmalloc(r->z, (uint64_t)r->pf->stream_cg, ZL_GROUP);
    r->st.groups++;
    use(r, RAX_MAIN);
    rax_begin(r, true);
    s->pel_open = true;
    use(r, RAX_CONSUMERS);
    rax_begin(r, true);
    s->consumers_open = true;
}

static void put64(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static void pending(struct rebuild *r, struct stream_state *s, const struct rdb_element *e)
{
    if (e->data == NULL)
        return;
    use(r, RAX_MAIN);
    rax_add(r, e->data, ID);
    zmalloc(r->z, (uint64_t)r->pf->stream_nack, ZL_NACK);
    r->st.pending++;
    if (r->pf->stream_refs) {
        key_set_add(r->set, e->data, ID);
        zmalloc(r->z, LIST_NODE, ZL_NACK);
    }
    if (r->pf->stream_pel_time) {
        uint8_t key[8 + ID];
        put64(key, (uint64_t)e->u.time_ms);
        memcpy(key + 8, e->data, ID);
        key_set_add(s->times, key, sizeof key);
    }
}

static void consumer(struct rebuild *r, struct stream_state *s, const struct rdb_element *e)
{
    pel_close(r, s);
    consumer_pel_close(r, s);
    use(r, RAX_CONSUMERS);
    name_add(r, e);
    zmalloc(r->z, (uint64_t)r->pf->stream_consumer, ZL_CONSUMER);
    r->st.consumer_name_zs += zmalloc(r->z, sds_request(r->pf, e->len), ZL_CONSUMER);
    r->st.consumer_name_as += sds_alloc_size(r, e->len);
    r->st.consumer_name_len += e->len;
    r->st.consumers++;
    use(r, RAX_MAIN);
    rax_begin(r, true);
    s->consumer_pel_open = true;
}

/* ---------------------------------------------------------------- idempotent producers (8.6+) */

static void iids_close(struct rebuild *r, struct stream_state *s)
{
    if (!s->iids_open)
        return;
    s->iids_open = false;
    zmalloc(r->z, DICT, ZL_DICT);
    if (s->iids.size)
        zmalloc(r->z, table_array(&s->iids, s->iids.size), ZL_TABLE);
    if (s->iids.next)
        zmalloc(r->z, table_array(&s->iids, s->iids.next), ZL_TABLE);
}

static void producer(struct rebuild *r, struct stream_state *s, const struct rdb_element *e)
{
    if (!r->pf->stream_idmp)
        return;
    iids_close(r, s);
    use(r, RAX_GROUPS);
    if (!s->has_producers)
        rax_begin(r, true);
    s->has_producers = true;
    name_add(r, e);
    zmalloc(r->z, 24, ZL_STREAM); /* idmpProducer */
    r->st.producers++;
    table_init(&s->iids, r->pf);
    s->iids_open = true;
}

static void iid(struct rebuild *r, struct stream_state *s, const struct rdb_element *e)
{
    if (!s->iids_open)
        return;
    r->st.iid_zs += zmalloc(r->z, 32 + e->len, ZL_STREAM);
    zmalloc(r->z, ENTRY, ZL_ELEMENT_ENTRY);
    table_insert(&s->iids, 1, 0);
}

/* 8.6.2+: such a stream is registered in its database under a copy of its name. */
void stream_register(struct rebuild *r)
{
    uint32_t db = r->key->db;
    if (!r->pf->stream_idmp_keys || db >= 16)
        return;
    if (r->key_len <= 44) {
        zmalloc(r->z, 16 + 3 + r->key_len + 1, ZL_KEYSPACE);
    } else {
        zmalloc(r->z, 16, ZL_KEYSPACE);
        zmalloc(r->z, sds_request(r->pf, r->key_len), ZL_KEYSPACE);
    }
    if (r->pf->stream_idmp_keys == 1)
        zmalloc(r->z, ENTRY, ZL_KEYSPACE);
    struct table *t = &r->idmp_keys[db], was = *t;
    if (t->size == 0)
        table_init(t, r->pf);
    table_insert(t, 1, 0);
    if (t->next && t->next != was.next)
        zmalloc(r->z, table_array(t, t->next), ZL_KEYSPACE);
    else if (was.size == 0)
        zmalloc(r->z, table_array(t, t->size), ZL_KEYSPACE);
    else if (was.next && !t->next)
        zfree(r->z, table_array(t, was.size), ZL_KEYSPACE);
}

/* ---------------------------------------------------------------- the walk */

static void reference_list(struct rebuild *r)
{
    zmalloc(r->z, LIST, ZL_NACK);
}

static void finish(struct rebuild *r, struct stream_state *s)
{
    ids_close(r, s);
    group_close(r, s);
    if (s->has_groups && !s->has_producers) {
        use(r, RAX_GROUPS);
        rax_end(r, header(r), &r->st.group_names);
    }
    if (key_set_count(r->set)) {
        use(r, RAX_MAIN);
        key_set_rax(r, r->set, header(r), true, reference_list, &r->st.refs);
    }
    if (s->has_producers) {
        struct rax_sum names = {0, 0, 0};
        iids_close(r, s);
        use(r, RAX_GROUPS);
        rax_end(r, header(r), &names);
        r->st.producers_rax_zs = names.usable;
        if (r->later)
            r->later->stream = true;
        else
            stream_register(r);
    }
    use(r, RAX_MAIN);
}

static void part(struct rebuild *r, struct stream_state *s, const struct rdb_element *e)
{
    switch (e->role) {
    case RDB_R_STREAM_NODE_ID:
        if (e->data != NULL)
            rax_add(r, e->data, (size_t)e->len);
        break;
    case RDB_R_STREAM_NODE:
        r->st.lp_zs += zmalloc(r->z, e->len, ZL_PACK);
        r->st.lp_bytes += e->len;
        r->k->payload += e->len;
        note_largest(r, e->len);
        break;
    case RDB_R_STREAM_META:
        ids_close(r, s);
        if (s->meta++ == 0)
            r->k->elements = (uint64_t)e->num;
        break;
    case RDB_R_GROUP: group_begin(r, s, e); break;
    case RDB_R_GROUP_PEL: pending(r, s, e); break;
    case RDB_R_CONSUMER: consumer(r, s, e); break;
    case RDB_R_CONSUMER_PEL:
        if (e->data != NULL) {
            use(r, RAX_MAIN);
            rax_add(r, e->data, ID);
        }
        break;
    case RDB_R_IDMP_META:
        group_close(r, s);
        if (s->has_groups && !s->has_producers && r->st.group_names.nodes == 0) {
            use(r, RAX_GROUPS);
            rax_end(r, header(r), &r->st.group_names);
            s->has_groups = false; /* charged; the slot is free for the producers */
        }
        break;
    case RDB_R_PRODUCER: producer(r, s, e); break;
    case RDB_R_IID: iid(r, s, e); break;
    default: break;
    }
}

void rebuild_stream(struct rebuild *r)
{
    struct stream_state s = {0};
    struct rdb_element el[BATCH];
    bool more = true;
    key_alloc(r);
    r->k->encoding = ENC_STREAM;
    zmalloc(r->z, (uint64_t)(r->pf->stream ? r->pf->stream : 40), ZL_STREAM);
    key_set_clear(r->set);
    if (r->pf->stream_pel_time && (s.times = key_set_new()) == NULL)
        return;
    use(r, RAX_MAIN);
    rax_begin(r, true);
    while (more) {
        size_t n = elements_next(r, el, BATCH, &more);
        for (size_t i = 0; i < n; i++)
            part(r, &s, &el[i]);
    }
    finish(r, &s);
    key_set_free(s.times);
}
