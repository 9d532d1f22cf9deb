/*
 * rebuild.c - one record: which rebuild function, and what is reported of the key.
 */
#include "analyzer/rebuild.h"
#include "analyzer/module_json.h"

#include "analyzer/keyspace.h"

#include <stdlib.h>
#include <string.h>

static const rebuild_fn by_type[RDB_T_COUNT] = {
    [RDB_T_STRING] = rebuild_string, [RDB_T_LIST] = rebuild_list,        [RDB_T_SET] = rebuild_set,
    [RDB_T_ZSET] = rebuild_zset,     [RDB_T_HASH] = rebuild_hash,        [RDB_T_STREAM] = rebuild_stream,
    [RDB_T_MODULE] = rebuild_module, [RDB_T_VECTORSET] = rebuild_module, [RDB_T_ARRAY] = rebuild_array,
    [RDB_T_GCRA] = rebuild_other,    [RDB_T_CRON] = rebuild_other,       [RDB_T_JSON] = rebuild_other,
};

static bool policy_is(int64_t policy, enum policy a, enum policy b)
{
    return policy == (int64_t)a || policy == (int64_t)b;
}

bool rebuild_init(struct rebuild *r, rdb_parser *p, const struct profile *pf, struct zheap *z)
{
    memset(r, 0, sizeof *r);
    r->p = p;
    r->pf = pf;
    r->z = z;
    if (pf->set[SET_MAXMEMORY] > 0) {
        int64_t policy = pf->set[SET_MAXMEMORY_POLICY];
        r->lru = policy_is(policy, POLICY_ALLKEYS_LRU, POLICY_VOLATILE_LRU);
        r->lfu = policy_is(policy, POLICY_ALLKEYS_LFU, POLICY_VOLATILE_LFU);
    }
    bool ok = (r->fields = ttl_set_new(pf)) != NULL && (r->set = key_set_new()) != NULL;
    for (int i = 0; i < RAX_COUNT; i++)
        ok = (r->raxes[i] = rax_walk_new()) != NULL && ok;
    r->rax = r->raxes[RAX_MAIN];
    return ok;
}

void rebuild_free(struct rebuild *r)
{
    for (size_t i = 0; i < sizeof r->hashes / sizeof r->hashes[0]; i++)
        ttl_set_free(r->hashes[i].set);
    for (size_t i = 0; r->slot_hashes && i < KEYSPACE_SLOTS; i++)
        ttl_set_free(r->slot_hashes[i].set);
    free(r->slot_hashes);
    for (int i = 0; i < RAX_COUNT; i++)
        rax_walk_free(r->raxes[i]);
    ttl_set_free(r->fields);
    key_set_free(r->set);
    json_strings_free(r->json_strings);
    free(r->memo);
    free(r->expiries);
    free(r->node);
    free(r->lzf);
}

/* Strings are by far the most frequent keys, and need a few fields only. */
static inline void string_stats_clear(struct value_stats *st)
{
    st->key_req = st->key_zs = st->obj_req = st->obj_zs = st->str_len = st->str_zs = 0;
    st->embedded = false;
}

void rebuild_figures(struct key_report *k, uint64_t used, uint64_t request, double expected, double variance)
{
    k->bytes = used + (uint64_t)(expected + 0.5);
    k->rounding = used > request ? used - request : 0;
    k->variance = variance;
}

void rebuild_register(struct rebuild *r, const struct rdb_key *key, const struct registration *what)
{
    r->key = key;
    r->key_len = key->name.full_len;
    r->slot = what->slot;
    if (what->hash)
        hash_register(r, what->least);
    if (what->stream)
        stream_register(r);
}

void rebuild_key(struct rebuild *r, const struct rdb_key *key, struct key_report *k)
{
    struct zheap *z = r->z;
    r->key = key;
    r->key_len = key->name.full_len;
    r->ttl = key->expire_ms >= 0;
    r->k = k;
    r->damage = NULL;
    r->has_late = false;
    lengths_flush(r, &r->members, NULL); /* of a value that broke off */
    lengths_flush(r, &r->values, NULL);
    r->level_clock = (uint32_t)(key->offset * UINT64_C(0x9E3779B97F4A7C15) >> 32); /* the same whoever rebuilds it */
    zheap_key_begin(z);

    k->type = key->info->type;
    if (k->type != RDB_T_STRING)
        memset(&r->st, 0, sizeof r->st);
    else
        string_stats_clear(&r->st);
    k->payload = r->key_len;
    k->elements = k->largest = 0;
    k->encoding = ENC_OTHER; /* what is said of a container too damaged to have one */
    k->module[0] = 0;
    by_type[k->type](r);

    rebuild_figures(k, z->key_used, z->key_request, z->key_expected, z->key_variance);
    bool module_asked = k->encoding == ENC_MODULE && !r->st.has_module_mu; /* its own callback answers */
    k->has_memory_usage = r->pf->mu != MU_NONE && !module_asked && !(k->flags & KEY_ESTIMATE);
    k->memory_usage = k->has_memory_usage ? memory_usage(r) : 0;
    if (r->damage)
        k->flags |= KEY_DAMAGED;
}
