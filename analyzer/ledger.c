/*
 * ledger.c - used_memory = what the empty server has + keys + tables of the keyspace + functions + the asking client.
 */
#include "analyzer/ledger.h"

#include <math.h>

/* Startup differs from the measured default where databases are made at startup. */
static uint64_t begin_of(const struct profile *pf, const struct allocator *alloc)
{
    uint64_t extra = alloc->kind == ALLOC_LIBC ? (uint64_t)pf->libc_extra : 0;
    if (pf->cluster && pf->cluster_begin)
        return (uint64_t)pf->cluster_begin + extra;
    return (uint64_t)pf->begin + extra;
}

/* object.c getMemoryOverheadData: what INFO calls overhead, in requested sizes */
static uint64_t database_overhead(const struct profile *pf, const struct keyspace *ks)
{
    uint64_t keys = 0, expires = 0, arrays = 0;
    for (size_t i = 0; i < ks->ndbs; i++) {
        keys += ks->dbs[i].keys.t.used;
        expires += ks->dbs[i].expires.t.used;
        arrays += ks->dbs[i].keys.bytes + ks->dbs[i].expires.bytes;
        if (pf->keyspace == KEYSPACE_HASHTABLE)
            arrays += (uint64_t)(ks->dbs[i].keys.chance + ks->dbs[i].expires.chance + 0.5);
    }
    uint64_t entries = 0; /* 24 a key as if each had an entry of its own, also where it has not (Redis 8.2+) */
    if (pf->keyspace != KEYSPACE_HASHTABLE)
        entries = keys * 24 + (pf->shared_expires_entry ? expires * 24 : 0);
    arrays -= ks->slot_index; /* which is not counted there */
    return arrays + entries + keys * 16 + (pf->cluster ? keys * (uint64_t)pf->cluster_entry : 0);
}

void ledger_close(struct analysis *a, const struct analyze_options *o, const struct profile *pf,
                  const struct zheap *heap, const struct keyspace *ks, const struct functions *f)
{
    struct ledger *l = &a->ledger;
    (void)o;
    l->used_memory_startup = begin_of(pf, heap->a);
    l->functions = f->bytes;
    l->keyspace = ks->bytes;
    l->keys = heap->used - ks->bytes - f->bytes;
    l->client = (uint64_t)pf->client;
    l->used_memory = l->used_memory_startup + heap->used + l->client;
    l->used_memory_stderr = sqrt((double)heap->variance / ZVARIANCE_UNIT);
    l->used_memory_peak = l->used_memory_startup + zheap_peak(heap) + l->client;
    if (l->used_memory_peak < l->used_memory)
        l->used_memory_peak = l->used_memory;
    l->used_memory_overhead =
        l->used_memory_startup + (uint64_t)pf->overhead_client + f->bytes + database_overhead(pf, ks);
    if (l->used_memory_overhead > l->used_memory)
        l->used_memory_overhead = l->used_memory;
    l->used_memory_dataset = l->used_memory - l->used_memory_overhead;
    a->nlabels = ZL_COUNT;
    a->label_names = zlabel_names;
    for (unsigned i = 0; i < ZL_COUNT; i++)
        a->by_label[i] = heap->by_label[i];
}

void ledger_databases(struct analysis *a, const struct keyspace *ks)
{
    for (size_t i = 0; i < a->ndbs; i++) {
        for (size_t j = 0; j < ks->ndbs; j++) {
            const struct keyspace_db *d = &ks->dbs[j];
            if (d->db != a->dbs[i].db)
                continue;
            a->dbs[i].main_table =
                d->keys.bytes + d->fields.bytes + (uint64_t)(d->keys.chance + d->fields.chance + 0.5);
            a->dbs[i].expires_table = d->expires.bytes + (uint64_t)(d->expires.chance + 0.5);
            a->dbs[i].main_buckets = d->keys.t.size;
            a->dbs[i].expires_buckets = d->expires.t.size;
        }
    }
}
