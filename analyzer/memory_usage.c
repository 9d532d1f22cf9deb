/*
 * memory_usage.c - what MEMORY USAGE key SAMPLES 0 prints on the target (object.c objectComputeSize).
 *
 * It is not what is allocated: it leaves out the expiry's entry, counts shared integers, counts entries that do not
 * exist, guesses radix trees, and from 8.4 on mixes requested and usable sizes. Here each generation's arithmetic is
 * done over the figures that the rebuild collected, including the truncation of its averages.
 */
#include "analyzer/rebuild.h"
#include "analyzer/sizes.h"

enum { ROBJ = 16, ENTRY = 24, NODE_ESTIMATE = 244 /* streamRadixTreeMemoryUsage: 4 + 30 words */ };

/* asize += (double)sum / samples * total, as C truncates it; asize has the robj in it by then, the result here has not */
static uint64_t averaged(uint64_t base, uint64_t sum, uint64_t count)
{
    double total = count ? (double)sum / (double)count * (double)count : 0;
    return (uint64_t)((double)(base + ROBJ) + total) - ROBJ;
}

static uint64_t rax_guess(const struct rax_sum *x)
{
    return 16 * x->keys + NODE_ESTIMATE * x->nodes;
}

static uint64_t expected(double v)
{
    return (uint64_t)(v + 0.5);
}

/* ---------------------------------------------------------------- key part and value object */

/* 4.0 counts the sds of the command's argument, not the key's own: embedded up to 44 bytes; from 32 KiB on it is the
 * client's query buffer (networking.c processMultibulkBuffer), whose room is that of an argument as long with its CRLF, if
 * the client had named the key before. A client that never sent an argument so long has twice that. */
static uint64_t argument(const struct rebuild *r)
{
    enum { EMBEDDED_MAX = 44, BIG_ARG = 32 * 1024 };
    if (r->key_len <= EMBEDDED_MAX)
        return 3 + r->key_len + 1;
    return r->key_len < BIG_ARG ? r->st.key_req : sds_request(r->pf, r->key_len + 2);
}

static uint64_t key_part(const struct rebuild *r)
{
    const struct value_stats *st = &r->st;
    switch (r->pf->mu) {
    case MU_40: return argument(r) + ENTRY;
    case MU_50: return st->key_req + ENTRY;
    case MU_70: return st->key_zs + ENTRY + (r->pf->cluster ? 16 : 0);
    case MU_72: return st->key_zs + ENTRY + (r->pf->cluster ? 8 : 0);
    case MU_82:
    case MU_V81: return 0;
    case MU_V80: return st->key_zs;
    case MU_84: {
        bool expirable = r->ttl || r->key_len >= 128 || st->obj_zs >= st->obj_req + 8;
        uint64_t plain = 1 + sds_header_embedded(r->pf, r->key_len) + r->key_len + 1;
        return st->embedded || r->k->encoding == ENC_MODULE ? st->obj_zs
                                                            : (uint64_t)ROBJ + (expirable ? 8U : 0U) + plain;
    }
    case MU_86:
    case MU_88:
    case MU_V91: return st->obj_zs;
    default: return st->key_zs + ENTRY;
    }
}

/* Redis 8.4+ and Valkey 9.1 count the object in the key part. */
static bool object_in_key(const struct rebuild *r)
{
    return r->pf->mu == MU_84 || r->pf->mu == MU_86 || r->pf->mu == MU_88 || r->pf->mu == MU_V91;
}

static uint64_t string_part(const struct rebuild *r)
{
    const struct value_stats *st = &r->st;
    int mu = r->pf->mu;
    bool own_block = !object_in_key(r);
    if (r->k->encoding == ENC_INT)
        return own_block ? ROBJ : 0;
    if (r->k->encoding == ENC_EMBSTR) {
        if (mu == MU_40 || mu == MU_50 || mu == MU_60 || mu == MU_62)
            return ROBJ + st->str_len + 2;
        return own_block ? st->obj_zs : 0;
    }
    if (mu == MU_40 || mu == MU_50)
        return ROBJ + sds_request(r->pf, st->str_len);
    if (mu == MU_84 || mu == MU_86 || mu == MU_88)
        return sds_alloc_size(r, st->str_len);
    return (own_block ? ROBJ : 0) + st->str_zs;
}

/* ---------------------------------------------------------------- collections */

static bool counts_requests(int mu)
{
    return mu == MU_84 || mu == MU_86 || mu == MU_88;
}
static bool old_packs(int mu)
{
    return mu == MU_40 || mu == MU_50 || mu == MU_60 || mu == MU_62;
}

static uint64_t pack_part(const struct rebuild *r)
{
    const struct value_stats *st = &r->st;
    bool request = counts_requests(r->pf->mu) || old_packs(r->pf->mu);
    uint64_t size = request ? st->blob_req : st->blob_zs;
    if (r->k->encoding == ENC_LISTPACKEX) {
        uint64_t head = (uint64_t)r->pf->listpack_ex;
        size += request ? head : zusable(r->z, head);
    }
    return size;
}

static uint64_t quicklist_part(const struct rebuild *r)
{
    const struct value_stats *st = &r->st;
    uint64_t head = (uint64_t)r->pf->quicklist, node = (uint64_t)r->pf->quicklist_node;
    if (old_packs(r->pf->mu))
        return averaged(head, 32 * st->ql_nodes + st->ql_first_word, st->ql_nodes);
    if (counts_requests(r->pf->mu))
        return head + node * st->ql_nodes + st->ql_bytes;
    bool by_element = r->pf->mu == MU_80 || r->pf->mu == MU_82; /* the average is one of elements there */
    return averaged(head, node * st->ql_nodes + st->ql_entry_zs, by_element ? r->k->elements : st->ql_nodes);
}

/* Valkey 8.1+: the table as it is, but for what MEMORY USAGE takes by sizeof. */
static uint64_t valkey_table(const struct rebuild *r, uint64_t header_counted)
{
    const struct value_stats *st = &r->st;
    struct table t = {.hashtable = true};
    uint64_t arrays = 0;
    if (st->buckets)
        arrays = table_array(&t, st->buckets);
    return header_counted + arrays + expected(st->chance);
}

static uint64_t set_table(const struct rebuild *r)
{
    const struct value_stats *st = &r->st;
    uint64_t dict = r->pf->listpacks ? 56 : 96, base = dict + 8 * st->buckets;
    switch (r->pf->mu) {
    case MU_40:
    case MU_50: return averaged(base, st->n * ENTRY + st->elem_req, st->n);
    case MU_84:
    case MU_86:
    case MU_88: return base + st->n * ENTRY + st->elem_as;
    case MU_V80: return base + st->elem_zs + expected(st->chance);
    case MU_V81: return valkey_table(r, 72) + st->elem_zs;
    case MU_V91: return valkey_table(r, 80) + st->elem_zs;
    default: return averaged(base, st->n * ENTRY + st->elem_zs, st->n);
    }
}

static uint64_t hash_table(const struct rebuild *r)
{
    const struct value_stats *st = &r->st;
    uint64_t dict = r->pf->listpacks ? 56 : 96, base = dict + 8 * st->buckets;
    switch (r->pf->mu) {
    case MU_40:
    case MU_50: return averaged(base, st->n * ENTRY + st->elem_req + st->val_req, st->n);
    case MU_84: return base + st->n * ENTRY + st->elem_zs + st->val_as;
    case MU_86:
    case MU_88: return base + st->n * ENTRY + st->entry_mem;
    case MU_V81: return valkey_table(r, 72) + st->entry_mem + st->val_zs;
    case MU_V91: return valkey_table(r, 88) + st->entry_mem + st->val_zs + st->ttl_zs;
    default: return averaged(base, st->n * ENTRY + st->elem_zs + st->val_zs, st->n);
    }
}

static uint64_t skiplist(const struct rebuild *r)
{
    const struct value_stats *st = &r->st;
    uint64_t dict = r->pf->listpacks ? 56 : 96, nodes = expected(st->node_zs),
             head = zusable(r->z, (uint64_t)r->pf->skiplist_head);
    uint64_t base = 16 + 8 * st->buckets;
    switch (r->pf->mu) {
    case MU_40: return averaged(base, st->n * ENTRY + st->elem_req + nodes, st->n);
    case MU_50: return averaged(base + 32 + dict + head, st->n * ENTRY + st->elem_req + nodes, st->n);
    case MU_82: return averaged(base + 32 + dict + head, st->n * 16 + st->elem_zs + nodes, st->n);
    case MU_84: return base + 40 + dict + head + st->n * ENTRY + st->elem_as + nodes;
    case MU_86:
    case MU_88: return base + 40 + dict + head + st->n * ENTRY + nodes;
    case MU_V81: return 16 + 32 + head + valkey_table(r, 72) + st->elem_zs + nodes;
    case MU_V91: return 16 + 528 + valkey_table(r, 80) + nodes;
    default: return averaged(base + 32 + dict + head, st->n * ENTRY + st->elem_zs + nodes, st->n);
    }
}

/* ---------------------------------------------------------------- streams */

static uint64_t stream_guess(const struct rebuild *r)
{
    const struct value_stats *st = &r->st;
    const struct profile *pf = r->pf;
    uint64_t size = rax_guess(&st->ids);
    size += pf->mu == MU_50 || pf->mu == MU_60 ? st->lp_bytes : (uint64_t)pf->stream + st->lp_zs;
    size += st->groups * (pf->mu == MU_80 || pf->mu == MU_82 ? 40 : (uint64_t)pf->stream_cg);
    size += st->pending * (uint64_t)pf->stream_nack;
    size += st->consumers * (uint64_t)pf->stream_consumer + st->consumer_name_len;
    return size + rax_guess(&st->pels) + rax_guess(&st->consumer_pels);
}

static uint64_t stream_counted(const struct rebuild *r)
{
    const struct value_stats *st = &r->st;
    const struct profile *pf = r->pf;
    uint64_t size = zusable(r->z, (uint64_t)pf->stream) + st->ids.usable + st->group_names.usable + st->pels.usable +
                    st->times.usable + st->consumer_names.usable + st->consumer_pels.usable + st->refs.usable;
    size += st->lp_bytes + st->groups * zusable(r->z, (uint64_t)pf->stream_cg);
    size += st->pending * zusable(r->z, (uint64_t)pf->stream_nack) + st->consumers * 32 + st->consumer_name_as;
    size += st->producers * 24 + st->iid_zs;
    return pf->mu == MU_88 ? size + st->producers_rax_zs : size;
}

/* Valkey 8.1+: the true size of each tree, but not those of the names */
static uint64_t stream_valkey(const struct rebuild *r)
{
    const struct value_stats *st = &r->st;
    return (uint64_t)r->pf->stream + st->ids.usable + st->lp_zs + st->groups * 40 + st->pels.usable + st->pending * 24 +
           st->consumers * 32 + st->consumer_name_len + st->consumer_pels.usable;
}

static uint64_t stream_part(const struct rebuild *r)
{
    if (counts_requests(r->pf->mu))
        return stream_counted(r);
    return r->pf->mu == MU_V81 || r->pf->mu == MU_V91 ? stream_valkey(r) : stream_guess(r);
}

/* ---------------------------------------------------------------- */

static uint64_t value_part(const struct rebuild *r)
{
    switch (r->k->encoding) {
    case ENC_QUICKLIST: return quicklist_part(r);
    case ENC_HASHTABLE: return r->k->type == RDB_T_SET ? set_table(r) : hash_table(r);
    case ENC_SKIPLIST: return skiplist(r);
    case ENC_STREAM: return stream_part(r);
    case ENC_ARRAY: return r->st.array_zs;
    case ENC_MODULE: return r->st.module_mu;
    case ENC_OTHER: return 0;
    default: return pack_part(r);
    }
}

uint64_t memory_usage(const struct rebuild *r)
{
    if (r->k->type == RDB_T_STRING)
        return key_part(r) + string_part(r);
    bool object = !object_in_key(r) && r->k->encoding != ENC_MODULE;
    return key_part(r) + (object ? ROBJ : 0) + value_part(r);
}
