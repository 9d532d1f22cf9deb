/*
 * zmalloc.h - the accounting layer, in the server's own terms.
 *
 * The rebuild code asks for exactly the blocks that the server would ask for while it loads a key; this layer turns a
 * request into the usable size the target's allocator would hand out, moves used_memory by it (as the server's
 * update_zmalloc_stat_alloc does), charges the key that is being rebuilt, and tells the slab model in which bin the
 * block falls. Nothing above this layer knows a size class, and nothing is really allocated.
 *
 * A block's handle is its requested size: zfree(z, size) gives back a block that had been asked for with that size.
 *
 * What the server draws by chance (skiplist levels, bucket collisions) is charged as its expected value with
 * zcharge(), and placed in the slab model by zplace(), which charges nothing.
 *
 * A trace sees what is charged, block by block; followers see what is placed, as the slab model does. Either sends
 * every block through the slow path, and nobody pays for it otherwise.
 */
#ifndef RDBMEM_ZMALLOC_H
#define RDBMEM_ZMALLOC_H

#include "analyzer/allocator.h"
#include "analyzer/slabs.h"

/* What a block is for: the vocabulary of --explain and of the totals by structure. names in zmalloc.c */
enum zlabel {
    ZL_KEY,    /* key sds, or the key object that embeds it */
    ZL_ENTRY,  /* dictEntry of the main dictionary */
    ZL_EXPIRE, /* dictEntry of the expires dictionary */
    ZL_ROBJ,   /* the value's redisObject */
    ZL_STRING, /* value sds / embstr */
    ZL_PACK,   /* listpack, ziplist, intset, zipmap blob */
    ZL_QUICKLIST,
    ZL_QUICKLIST_NODE,
    ZL_PLAIN_NODE,
    ZL_DICT,
    ZL_TABLE,         /* dict / hashtable header; bucket array */
    ZL_ELEMENT_ENTRY, /* dictEntry or entry block of an element */
    ZL_ELEMENT,       /* element, field or member string */
    ZL_VALUE,         /* field's value string */
    ZL_SKIPLIST,
    ZL_SKIPLIST_NODE,
    ZL_STREAM,
    ZL_RAX,
    ZL_GROUP,
    ZL_CONSUMER,
    ZL_NACK,
    ZL_TTL, /* ebuckets, volatile sets, listpackEx header */
    ZL_MODULE,
    ZL_ARRAY,
    ZL_LIST_NODE,
    ZL_FUNCTION,
    ZL_KEYSPACE,
    ZL_COUNT
};
extern const char *const zlabel_names[ZL_COUNT];

/* Called for every block when set: delta > 0 allocated, < 0 freed; usable in bytes. count blocks of that size. */
typedef void (*ztrace_fn)(void *ctx, enum zlabel label, uint64_t request, uint64_t usable, uint64_t count,
                          bool is_free);

/* Who wants to have every block that is placed, beside the slab model and also without it: those of zmalloc and zfree,
 * and those of zplace. To be embedded in the follower's own struct as its first member. */
struct zfollower {
    void (*placed)(struct zfollower *f, uint64_t request, uint64_t count);
    void (*freed)(struct zfollower *f, uint64_t request);
    void (*resized)(struct zfollower *f, uint64_t old_request, uint64_t new_request); /* within a class of the heap's
                                                           allocator; NULL: does not matter */
    struct zfollower *next;
};

/* Chance is summed in whole parts of a byte, so that no order of the keys gives another sum. */
enum { ZCHANCE_BITS = 16, ZCHANCE_UNIT = 1 << ZCHANCE_BITS, ZVARIANCE_UNIT = 1024 };

struct zheap {
    const struct allocator *a;
    struct slabs *slabs;     /* NULL: placement is not modelled */
    uint64_t used;           /* used_memory: sum of live blocks' counted sizes, without the baseline and the chance part
                                (zheap_settle() adds that) */
    uint64_t peak;           /* highest value of used before the last time it fell: read it with zheap_peak() */
    int64_t chance;          /* expected value of the chance part, in ZCHANCE_UNIT */
    int64_t key_chance;      /* what it was when the key began */
    uint64_t mmap_threshold; /* glibc: chunks of this size are mapped; freeing mapped ones raises it */
    uint64_t key_used;       /* charged since zheap_key_begin */
    uint64_t key_request;    /* requested bytes of the same blocks */
    uint64_t key_blocks;
    double key_expected; /* expected value of the chance part, on top of key_used */
    double key_variance;
    uint64_t variance;           /* of used: sum over all charges, in 1 / ZVARIANCE_UNIT */
    uint64_t by_label[ZL_COUNT]; /* live bytes by purpose, all keys; as used */
    int64_t chance_by_label[ZL_COUNT];
    struct {
        ztrace_fn call;
        void *ctx;
    } trace;                     /* set by zheap_trace() */
    struct zfollower *followers; /* set by zheap_follow() */
    bool watched;                /* there is a trace or a follower */
};

void zheap_init(struct zheap *z, const struct allocator *a, struct slabs *slabs);

/* NULL ends the trace. */
void zheap_trace(struct zheap *z, ztrace_fn trace, void *ctx);

/* From now on, until the heap is done with. */
void zheap_follow(struct zheap *z, struct zfollower *f);

/* Bytes of a chance part, downwards. */
static inline uint64_t zwhole(int64_t chance)
{
    return (uint64_t)(chance >> ZCHANCE_BITS);
}

static inline uint64_t zheap_peak(const struct zheap *z)
{
    uint64_t now = z->used + zwhole(z->key_chance) + zwhole(z->chance - z->key_chance);
    return now > z->peak ? now : z->peak;
}

static inline void zheap_key_begin(struct zheap *z)
{
    z->key_used = z->key_request = z->key_blocks = 0;
    z->key_chance = z->chance;
    z->key_expected = z->key_variance = 0;
}

/* Where the heap stands, to go back there when a value turns out not to be whole. The slab model has a way
 * back of its own: slabs_key_drop(). */
struct zmark {
    uint64_t used, peak, mmap_threshold, variance;
    int64_t chance;
    uint64_t by_label[ZL_COUNT];
    int64_t chance_by_label[ZL_COUNT];
};
void zheap_mark(const struct zheap *z, struct zmark *m);
void zheap_rewind(struct zheap *z, const struct zmark *m);

uint64_t zmalloc_slow(struct zheap *z, uint64_t request, enum zlabel label, uint64_t count);

/* One block; returns its usable size. */
static inline uint64_t zmalloc(struct zheap *z, uint64_t request, enum zlabel label)
{
    unsigned b = allocator_bin(z->a, request);
    if (__builtin_expect(b == ALLOC_NO_BIN || z->watched, 0))
        return zmalloc_slow(z, request, label, 1);
    uint64_t usable = z->a->bins[b].size;
    z->used += usable;
    z->key_used += usable;
    z->key_request += request;
    z->key_blocks++;
    z->by_label[label] += usable;
    if (z->slabs)
        slabs_give(z->slabs, b, 1);
    return usable;
}

/* count blocks of the same size. */
void zmalloc_n(struct zheap *z, uint64_t request, enum zlabel label, uint64_t count);

/* Gives back a block that had been asked for with this size (charged back to the current key too). In the slab model it
 * must be a block of the current owner. glibc: a block that was mapped before the threshold rose above its size counts
 * as a heap block here, which may leave up to a page of it in used: rare enough (bucket arrays) to be borne. */
void zfree(struct zheap *z, uint64_t request, enum zlabel label);

/* old == 0: like zmalloc. Same class: nothing moves. Otherwise the new block is there before the old one goes. Returns
 * the new usable size. A trace sees both blocks in either case. */
uint64_t zrealloc(struct zheap *z, uint64_t old_request, uint64_t new_request, enum zlabel label);

/* The expected value and variance of what chance decides: the label and the key (key_expected) move by it, nothing is
 * placed. used follows at zheap_settle(). */
void zcharge(struct zheap *z, double expected, double variance, enum zlabel label);
void zcharge_n(struct zheap *z, double expected, double variance, enum zlabel label, uint64_t count);

/* The chance part, in whole bytes, goes to used, its peak and the labels. Once, when all is charged. */
void zheap_settle(struct zheap *z);

/* Live bytes by purpose alone: of keys that were costed in another heap. take() leaves none. */
struct zlabels {
    uint64_t bytes[ZL_COUNT];
    int64_t chance[ZL_COUNT];
};
void zheap_labels_take(struct zheap *z, struct zlabels *l);
void zheap_labels_give(struct zheap *z, const struct zlabels *l);

/* What one key took in a heap of its own, which stood at 0 before it. */
struct zkey {
    uint64_t used, peak; /* net; highest on the way */
    int64_t chance;
    uint64_t variance;
};

/* The key's own heap has been told: takes its figures off, all but labels, so that the next key finds it as it was. */
struct zkey zheap_key_take(struct zheap *z);

/* A key that was costed apart is charged here. */
void zheap_key_give(struct zheap *z, const struct zkey *k);

/* Whether zplace() has any effect. */
static inline bool zheap_places(const struct zheap *z)
{
    return z->slabs || z->followers;
}

/* Places count blocks of this size in the slab model without charging them. */
void zplace(struct zheap *z, uint64_t request, uint64_t count);

uint64_t zusable_large(const struct zheap *z, uint64_t request);

/* Usable size of a request, nothing allocated. */
static inline uint64_t zusable(const struct zheap *z, uint64_t request)
{
    unsigned b = allocator_bin(z->a, request);
    return b != ALLOC_NO_BIN ? z->a->bins[b].size : zusable_large(z, request);
}

#endif
