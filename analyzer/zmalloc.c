/*
 * zmalloc.c - the accounting layer's slow paths: large blocks, counts, freeing, tracing.
 *
 * The server's counterpart is src/zmalloc.c: zmalloc, zfree and zrealloc there move used_memory by the usable size
 * of the block (update_zmalloc_stat_alloc, update_zmalloc_stat_free).
 */
#include "analyzer/zmalloc.h"

#include <math.h>
#include <string.h>

const char *const zlabel_names[ZL_COUNT] = {
    [ZL_KEY] = "key",
    [ZL_ENTRY] = "entry",
    [ZL_EXPIRE] = "expire entry",
    [ZL_ROBJ] = "object",
    [ZL_STRING] = "string",
    [ZL_PACK] = "pack",
    [ZL_QUICKLIST] = "quicklist",
    [ZL_QUICKLIST_NODE] = "quicklist node",
    [ZL_PLAIN_NODE] = "plain node",
    [ZL_DICT] = "dict",
    [ZL_TABLE] = "bucket array",
    [ZL_ELEMENT_ENTRY] = "element entry",
    [ZL_ELEMENT] = "element",
    [ZL_VALUE] = "field value",
    [ZL_SKIPLIST] = "skiplist",
    [ZL_SKIPLIST_NODE] = "skiplist node",
    [ZL_STREAM] = "stream",
    [ZL_RAX] = "radix tree",
    [ZL_GROUP] = "consumer group",
    [ZL_CONSUMER] = "consumer",
    [ZL_NACK] = "pending entry",
    [ZL_TTL] = "field ttl",
    [ZL_MODULE] = "module",
    [ZL_ARRAY] = "array",
    [ZL_LIST_NODE] = "list node",
    [ZL_FUNCTION] = "function",
    [ZL_KEYSPACE] = "keyspace",
};

void zheap_init(struct zheap *z, const struct allocator *a, struct slabs *slabs)
{
    memset(z, 0, sizeof *z);
    z->a = a;
    z->slabs = slabs;
    z->mmap_threshold = a->mmap_threshold;
}

void zheap_trace(struct zheap *z, ztrace_fn trace, void *ctx)
{
    z->trace.call = trace;
    z->trace.ctx = ctx;
    z->watched = trace || z->followers;
}

void zheap_follow(struct zheap *z, struct zfollower *f)
{
    f->next = z->followers;
    z->followers = f;
    z->watched = true;
}

void zheap_mark(const struct zheap *z, struct zmark *m)
{
    m->used = z->used;
    m->peak = z->peak;
    m->mmap_threshold = z->mmap_threshold;
    m->variance = z->variance;
    m->chance = z->chance;
    memcpy(m->by_label, z->by_label, sizeof m->by_label);
    memcpy(m->chance_by_label, z->chance_by_label, sizeof m->chance_by_label);
}

void zheap_rewind(struct zheap *z, const struct zmark *m)
{
    z->used = m->used;
    z->peak = m->peak;
    z->mmap_threshold = m->mmap_threshold;
    z->variance = m->variance;
    z->chance = m->chance;
    memcpy(z->by_label, m->by_label, sizeof z->by_label);
    memcpy(z->chance_by_label, m->chance_by_label, sizeof z->chance_by_label);
}

uint64_t zusable_large(const struct zheap *z, uint64_t request)
{
    return z->a->kind == ALLOC_LIBC ? allocator_libc_usable(request, z->mmap_threshold) : z->a->large(z->a, request);
}

/* used falls by this much; its highest value so far is kept. */
static void lower_used(struct zheap *z, uint64_t bytes)
{
    z->peak = zheap_peak(z);
    z->used -= bytes;
}

/* ---------------------------------------------------------------- blocks come */

void zplace(struct zheap *z, uint64_t request, uint64_t count)
{
    if (count == 0)
        return;
    for (struct zfollower *f = z->followers; f; f = f->next)
        f->placed(f, request, count);
    if (!z->slabs)
        return;
    unsigned b = allocator_bin(z->a, request);
    if (b != ALLOC_NO_BIN)
        slabs_give(z->slabs, b, count);
    else
        slabs_give_large(z->slabs, zusable_large(z, request), count);
}

uint64_t zmalloc_slow(struct zheap *z, uint64_t request, enum zlabel label, uint64_t count)
{
    uint64_t usable = zusable(z, request), bytes = usable * count;
    z->used += bytes;
    z->key_used += bytes;
    z->key_request += request * count;
    z->key_blocks += count;
    z->by_label[label] += bytes;
    zplace(z, request, count);
    if (z->trace.call && count > 0)
        z->trace.call(z->trace.ctx, label, request, usable, count, false);
    return usable;
}

void zmalloc_n(struct zheap *z, uint64_t request, enum zlabel label, uint64_t count)
{
    zmalloc_slow(z, request, label, count);
}

/* ---------------------------------------------------------------- blocks go */

static void unplace(struct zheap *z, uint64_t request, uint64_t usable)
{
    for (struct zfollower *f = z->followers; f; f = f->next)
        f->freed(f, request);
    if (!z->slabs)
        return;
    unsigned b = allocator_bin(z->a, request);
    if (b != ALLOC_NO_BIN)
        slabs_take_back(z->slabs, b);
    else
        slabs_take_back_large(z->slabs, usable);
}

/* Freeing a mapped block above the threshold raises it to the block's chunk (glibc malloc/malloc.c __libc_free): blocks
 * of that size seem to come and go, and the heap serves them faster. */
static void raise_mmap_threshold(struct zheap *z, uint64_t request)
{
    uint64_t mapped = allocator_libc_mapped(request, z->mmap_threshold);
    if (mapped > z->mmap_threshold && mapped <= LIBC_MMAP_THRESHOLD_MAX)
        z->mmap_threshold = mapped;
}

void zfree(struct zheap *z, uint64_t request, enum zlabel label)
{
    uint64_t usable = zusable(z, request);
    lower_used(z, usable);
    z->key_used -= usable;
    z->key_request -= request;
    z->key_blocks--;
    z->by_label[label] -= usable;
    unplace(z, request, usable);
    if (z->a->kind == ALLOC_LIBC)
        raise_mmap_threshold(z, request);
    if (z->trace.call)
        z->trace.call(z->trace.ctx, label, request, usable, 1, true);
}

/* Grows or shrinks where it is: nothing to account but the request. */
static uint64_t resize_in_place(struct zheap *z, uint64_t old_request, uint64_t new_request, uint64_t usable,
                                enum zlabel label)
{
    z->key_request += new_request - old_request;
    for (struct zfollower *f = z->followers; f; f = f->next)
        if (f->resized && old_request != new_request)
            f->resized(f, old_request, new_request);
    if (z->trace.call && old_request != new_request) {
        z->trace.call(z->trace.ctx, label, new_request, usable, 1, false);
        z->trace.call(z->trace.ctx, label, old_request, usable, 1, true);
    }
    return usable;
}

/* glibc moves a mapped block with mremap: it stays mapped and the threshold stays (malloc/malloc.c __libc_realloc). */
static uint64_t resize_mapped(struct zheap *z, uint64_t old_request, uint64_t new_request, enum zlabel label)
{
    uint64_t threshold = z->mmap_threshold;
    uint64_t usable = zmalloc_slow(z, new_request, label, 1);
    zfree(z, old_request, label);
    z->mmap_threshold = threshold;
    return usable;
}

uint64_t zrealloc(struct zheap *z, uint64_t old_request, uint64_t new_request, enum zlabel label)
{
    if (old_request == 0)
        return zmalloc(z, new_request, label);
    uint64_t old_usable = zusable(z, old_request), usable = zusable(z, new_request);
    if (old_usable == usable)
        return resize_in_place(z, old_request, new_request, usable, label);
    if (z->a->kind == ALLOC_LIBC && allocator_libc_mapped(old_request, z->mmap_threshold))
        return resize_mapped(z, old_request, new_request, label);
    usable = zmalloc(z, new_request, label);
    zfree(z, old_request, label);
    return usable;
}

/* ---------------------------------------------------------------- chance */

void zcharge_n(struct zheap *z, double expected, double variance, enum zlabel label, uint64_t count)
{
    int64_t chance = llrint(expected * ZCHANCE_UNIT) * (int64_t)count;
    z->key_expected += expected * (double)count;
    z->key_variance += variance * (double)count;
    z->variance += (uint64_t)llrint(variance * ZVARIANCE_UNIT) * count;
    z->chance += chance;
    z->chance_by_label[label] += chance;
}

void zcharge(struct zheap *z, double expected, double variance, enum zlabel label)
{
    zcharge_n(z, expected, variance, label, 1);
}

void zheap_settle(struct zheap *z)
{
    z->used += zwhole(z->chance);
    z->chance = z->key_chance = 0;
    z->peak = zheap_peak(z);
    for (unsigned i = 0; i < ZL_COUNT; i++)
        z->by_label[i] += zwhole(z->chance_by_label[i]);
    memset(z->chance_by_label, 0, sizeof z->chance_by_label);
}

/* ---------------------------------------------------------------- keys costed apart */

void zheap_labels_take(struct zheap *z, struct zlabels *l)
{
    memcpy(l->bytes, z->by_label, sizeof l->bytes);
    memcpy(l->chance, z->chance_by_label, sizeof l->chance);
    memset(z->by_label, 0, sizeof z->by_label);
    memset(z->chance_by_label, 0, sizeof z->chance_by_label);
}

void zheap_labels_give(struct zheap *z, const struct zlabels *l)
{
    for (unsigned i = 0; i < ZL_COUNT; i++) {
        z->by_label[i] += l->bytes[i];
        z->chance_by_label[i] += l->chance[i];
    }
}

struct zkey zheap_key_take(struct zheap *z)
{
    struct zkey k = {z->used, zheap_peak(z), z->chance, z->variance};
    z->used = z->peak = z->variance = 0;
    z->chance = z->key_chance = 0;
    return k;
}

void zheap_key_give(struct zheap *z, const struct zkey *k)
{
    zheap_key_begin(z);
    z->used += k->peak;
    z->peak = zheap_peak(z);
    z->used += k->used - k->peak;
    z->chance += k->chance;
    z->variance += k->variance;
}
