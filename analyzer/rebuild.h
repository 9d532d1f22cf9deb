/*
 * rebuild.h - one key's record in, the allocation sequence of the target server out.
 *
 * rebuild_key() reads the elements of the current key from the parser and asks the zmalloc layer for what that server
 * would ask for while loading it. It knows the profile, never a version. What MEMORY USAGE would print is computed from
 * the same walk (struct value_stats, memory_usage.c).
 *
 * "Pack" is a packed encoding (listpack, ziplist, intset, zipmap), "table" a hash table of either kind.
 */
#ifndef RDBMEM_REBUILD_H
#define RDBMEM_REBUILD_H

#include "analyzer/analysis.h"
#include "analyzer/profile.h"
#include "analyzer/table.h"
#include "analyzer/zmalloc.h"
#include "rdb/rdb.h"

/* A radix tree as the server builds it: bytes handed out, nodes, keys. */
struct rax_sum {
    uint64_t usable, nodes, keys;
};

/* What MEMORY USAGE needs beyond what was charged. Requested sizes end in _req, usable ones in _zs,
 * sdsAllocSize() (Redis 8.4+) in _as. */
struct value_stats {
    uint64_t key_req, key_zs; /* the key's own sds or the entry that embeds it */
    uint64_t obj_req, obj_zs; /* robj, embstr or key object block */
    bool embedded;            /* the string value stands in that block */
    uint64_t str_len, str_zs; /* raw string value */
    /* from here on not cleared for strings */
    uint64_t n, buckets;
    uint64_t elem_req, elem_zs, elem_as;
    uint64_t val_req, val_zs, val_as;
    uint64_t entry_mem; /* entryMemUsage (8.6+) */
    double node_zs;     /* skiplist nodes, expected */
    double chance;      /* collision entries or child buckets, expected bytes */
    uint64_t blob_req, blob_zs;
    uint64_t ql_nodes, ql_entry_zs, ql_first_word, ql_bytes;
    uint64_t ttl_zs; /* volatile set */
    /* streams */
    struct rax_sum ids, group_names, times, refs;
    uint64_t lp_bytes, lp_zs;
    uint64_t groups, pending, consumers, consumer_name_len, consumer_name_as, consumer_name_zs;
    struct rax_sum pels, consumer_pels, consumer_names; /* sums over all */
    uint64_t producers, iid_zs, producers_rax_zs;
    /* modules, arrays */
    uint64_t module_mu;
    bool has_module_mu;
    uint64_t array_zs;
};

/* A short element kept until it is known whether its collection stays packed. */
struct memo {
    uint32_t len;
    uint8_t kind; /* enum memo_kind */
    uint8_t ttl;
};
enum memo_kind { MEMO_TEXT, MEMO_INT_SHARED, MEMO_INT };

/* Short elements of a collection, counted by length: those that are alike ask for the same blocks. */
enum { LENGTHS = 64 };
struct lengths {
    uint64_t seen; /* bit n: count[n] is not 0 */
    uint32_t count[LENGTHS];
};

enum { NODE_COSTS = 256 };

/* Expected size of a skiplist node over its levels, which are drawn by lot. */
struct node_cost {
    double mean, variance;
};

/* How a string value is held. */
enum string_kind { STR_INT_SHARED, STR_INT, STR_INT_IN_EMBSTR, STR_SHORT /* fits an embstr */, STR_RAW };

/* Trees whose keys arrive interleaved. */
enum rax_slot { RAX_MAIN, RAX_GROUPS, RAX_CONSUMERS, RAX_COUNT };

/* What a key does to structures of its database that grow with every such key: the only thing about a key that depends on
 * the keys before it. */
struct registration {
    bool hash, stream;
    unsigned slot; /* of a hash, where slots matter */
    int64_t least; /* earliest expiry of the hash's fields */
};

struct rebuild {
    rdb_parser *p;
    const struct profile *pf;
    struct zheap *z;
    bool lru, lfu; /* the policy unshares integers (maxmemory set) */
    bool want_largest;
    int64_t now_ms;
    bool primary; /* loads as a master: expired fields are dropped where the server does so */

    /* current key */
    const struct rdb_key *key;
    uint64_t key_len;
    bool ttl;
    struct key_report *k;
    struct value_stats st;
    const char *damage; /* set when a packed container was damaged */
    uint64_t damage_at;

    struct rdb_element late; /* elements_next: read, to be handed out next */
    bool has_late, late_more;
    struct string_value {
        uint64_t len;
        enum string_kind kind;
        bool read; /* by rebuild_read_string(), for the rebuild_key() that follows */
    } string;
    bool opens_strings; /* elements_next: a module's strings are opened too */

    struct lengths members, values; /* of the current collection, not asked for yet: lengths_flush() */

    /* kept between keys */
    struct memo *memo;
    size_t memo_cap;
    uint64_t level_clock;                   /* deterministic stand-in for the skiplist's dice */
    struct node_cost node_cost[NODE_COSTS]; /* of skiplist nodes, by member length */
    struct rax_walk *rax;                   /* the tree being built: one of raxes */
    struct rax_walk *raxes[RAX_COUNT];
    struct key_set *set; /* scratch: keys that have to be sorted first, keyset.c */
    uint8_t *node;       /* scratch for a list node that is to be compressed */
    size_t node_cap;
    struct json_strings *json_strings; /* module_json.c; NULL until a document comes */
    struct lzf_table *lzf;             /* for its compressed length; NULL until the first one */
    int64_t *expiries;                 /* scratch: field TTLs that wait like the memos */
    size_t expiries_n, expiries_cap;
    struct ttl_set *fields; /* of the current hash */
    struct registered {
        struct ttl_set *set;
        uint64_t bytes;
    } hashes[16], *slot_hashes; /* hashes with field TTLs, per database (the first 16) or per slot */
    unsigned slot;              /* of the current hash, where slots matter */
    struct registration *later; /* gets what is to be registered, instead; NULL: at once */
    struct table idmp_keys[16]; /* streams with idempotent producers, per database (8.6.2+) */
};

bool rebuild_init(struct rebuild *r, rdb_parser *p, const struct profile *pf, struct zheap *z);
void rebuild_free(struct rebuild *r);

/* Reads the value of ev->key and fills k (all but db, name, offsets and flags of the caller). */
void rebuild_key(struct rebuild *r, const struct rdb_key *key, struct key_report *k);

/* What r->later got for this key, charged to r->z. */
void rebuild_register(struct rebuild *r, const struct rdb_key *key, const struct registration *what);

/* The figures of k that follow from what was charged. */
void rebuild_figures(struct key_report *k, uint64_t used, uint64_t request, double expected, double variance);

/* Reads a string value into r->string, before rebuild_key() or in its place. False: the input ended or broke. */
bool rebuild_read_string(struct rebuild *r);

/* How a string value that stands in the window would be held. */
enum string_kind rebuild_string_kind(struct rebuild *r, const struct rdb_element *e);

/* ---------------------------------------------------------------- shared by the rebuild_*.c files */

typedef void (*rebuild_fn)(struct rebuild *r);

void rebuild_string(struct rebuild *r);
void rebuild_list(struct rebuild *r);
void rebuild_set(struct rebuild *r);
void rebuild_zset(struct rebuild *r);
void rebuild_hash(struct rebuild *r);
void rebuild_stream(struct rebuild *r);
void rebuild_module(struct rebuild *r);
uint64_t module_text_object(struct rebuild *r, const struct rdb_element *e); /* RM_LoadString; returns its size */
void rebuild_array(struct rebuild *r);
void rebuild_other(struct rebuild *r);
void rebuild_template(struct rebuild *r); /* the value of a hash whose names stand elsewhere */

/* rebuild_zset.c: a node with a member of this length */
uint64_t skiplist_node_request(const struct profile *pf, uint64_t len, unsigned level);
struct node_cost skiplist_node_cost(const struct zheap *z, const struct profile *pf, uint64_t len);
void hash_register(struct rebuild *r, int64_t least);
void stream_register(struct rebuild *r);

/* key.c: key, entry, expiry and the object of a value that is not a string. */
void key_alloc(struct rebuild *r);

/* key.c: the same for a string value. */
void key_alloc_string(struct rebuild *r, enum string_kind kind, uint64_t len);

/* key.c: is this text or integer a shared object as a value? from_text: found by tryObjectEncoding. */
bool integer_is_shared(const struct rebuild *r, int64_t v, bool from_text);

/* elements.c */

/* rdb_elements, but what is too long for the window comes alone and has been read over: it is there, and can be charged.
 * Packs, which are opened anyway, come as they are. */
size_t elements_next(struct rebuild *r, struct rdb_element *out, size_t cap, bool *more);
bool element_is_there(struct rebuild *r, const struct rdb_element *e);
bool element_integer(struct rebuild *r, const struct rdb_element *e, int64_t *v);
uint8_t memo_kind_of(struct rebuild *r, const struct rdb_element *e, int64_t *v);
void element_object(struct rebuild *r, const struct rdb_element *e, enum zlabel label); /* 2.8, 3.2: robj */
void element_object_kind(struct rebuild *r, uint8_t kind, bool from_text, uint64_t len, enum zlabel label);
void element_object_memo(struct rebuild *r, const struct memo *m, enum zlabel label);
void element_sds(struct rebuild *r, uint64_t len, enum zlabel label);
void element_sds_n(struct rebuild *r, uint64_t len, enum zlabel label, uint64_t count);

/* Whether an element of this length may wait in r->members or r->values: nobody watches its blocks, which depend on nothing else. */
static inline bool element_waits(const struct rebuild *r, uint64_t len)
{
    return len < LENGTHS && !r->pf->object_elements && !r->z->watched;
}

static inline void length_note(struct lengths *l, uint64_t len)
{
    l->seen |= UINT64_C(1) << len;
    l->count[len]++;
}

/* alloc() once for each length that waits; then none does. NULL: they are dropped. */
void lengths_flush(struct rebuild *r, struct lengths *l,
                   void (*alloc)(struct rebuild *r, uint64_t len, uint64_t count));
uint64_t sds_alloc_size(const struct rebuild *r, uint64_t len);
struct memo *memo_reserve(struct rebuild *r, size_t n);
bool pack_begin(struct rebuild *r, const struct rdb_element *e, struct rdb_pack *pk); /* opens; notes damage */
void note_damage(struct rebuild *r, const struct rdb_pack *pk);
void pack_walk(struct rebuild *r, const struct rdb_element *e, uint64_t *entries); /* sum, largest, payload */
uint64_t pack_bytes_as_loaded(struct rebuild *r, const struct rdb_element *e);     /* rewritten where the target does */
void value_pack(struct rebuild *r, uint64_t request, enum encoding enc);           /* the value is one blob */
static inline void note_largest(struct rebuild *r, uint64_t len)
{
    if (len > r->k->largest)
        r->k->largest = len;
}

/* elements.c: header, bucket arrays, chance part of a finished table */
void table_charge(struct rebuild *r, const struct table *t, uint64_t header, int entry_size);

/* rax.c */
struct rax_walk;
struct rax_walk *rax_walk_new(void);
void rax_walk_free(struct rax_walk *w);
void rax_begin(struct rebuild *r, bool values);
void rax_add(struct rebuild *r, const uint8_t *key, size_t full);
void rax_end(struct rebuild *r, uint64_t header, struct rax_sum *sum); /* adds to *sum; charges header too */

/* keyset.c: keys of a tree that do not come in order. Beyond a fixed size the rest is counted at the average. */
struct key_set;
struct key_set *key_set_new(void);
void key_set_free(struct key_set *s);
void key_set_clear(struct key_set *s);
void key_set_add(struct key_set *s, const void *key, size_t len);
uint64_t key_set_count(const struct key_set *s); /* added, duplicates included */
/* Sorts, drops duplicates, charges the tree; each(r) is called once a distinct key (NULL: not). */
void key_set_rax(struct rebuild *r, struct key_set *s, uint64_t header, bool values, void (*each)(struct rebuild *r),
                 struct rax_sum *sum);

/* ttl.c: expiries of one hash's fields, or of one database's hashes. Add in the order the server inserts. */
struct ttl_set;
struct ttl_set *ttl_set_new(const struct profile *pf);
void ttl_set_free(struct ttl_set *s);
void ttl_set_clear(struct ttl_set *s);
void ttl_set_add(struct ttl_set *s, int64_t t);
uint64_t ttl_set_count(const struct ttl_set *s);
int64_t ttl_set_least(const struct ttl_set *s);               /* smallest expiry; only when not empty */
void ttl_set_charge(struct rebuild *r, struct ttl_set *s);    /* asks for its blocks */
uint64_t ttl_set_bytes(struct rebuild *r, struct ttl_set *s); /* the same, only added up */

/* memory_usage.c */
uint64_t memory_usage(const struct rebuild *r);

#endif
