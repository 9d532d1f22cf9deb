/*
 * profile.h - a server version as data: struct sizes, rules, thresholds, tables, baseline.
 *
 * A version is a list of changes against its predecessor (profiles/redis.c, profiles/valkey.c). The rebuild code knows
 * these fields, never a version number. Every number is a requested size in bytes unless its comment says otherwise.
 */
#ifndef RDBMEM_PROFILE_H
#define RDBMEM_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/allocator.h"
#include "analyzer/config.h"

/* sds headers (sds.c sdsReqType) */
enum sds_rule {
    SDS_INTS,  /* 2.8: two ints, 8 bytes */
    SDS_TYPED, /* 3.2: type 5, 8, 16, 32, 64 by length */
    SDS_SLACK  /* Redis 8.2, Valkey 8.0: limits lowered so that the type can hold the slack */
};

/* Where key, expiry and value object stand. */
enum key_rule {
    KEY_SDS,        /* own sds, dictEntry, robj */
    KEY_IN_ENTRY,   /* Valkey 8.0: sds inside the dictEntry */
    KEY_IN_ROBJ_81, /* Valkey 8.1: key, expiry and short value in the robj */
    KEY_IN_ROBJ_90, /* Valkey 9.0: embedding test with the key's real header */
    KEY_IN_ROBJ_91, /* Valkey 9.1: up to 128 bytes, pointer slot reused */
    KEY_KVOBJ_82,   /* Redis 8.2, 8.4: kvobj */
    KEY_KVOBJ_86    /* Redis 8.6+: metadata in front, expiry not counted in the test */
};

/* Which integers 0..9999 are shared objects as values. */
enum share_rule {
    SHARE_NEVER,
    SHARE_LRU_TEXT, /* 2.8, 3.2: integers in the file always; found in text: unless an LRU policy rules */
    SHARE_LFU_TEXT, /* 4.0: the same, LRU or LFU */
    SHARE_POLICY    /* 5.0+: none under LRU or LFU with maxmemory */
};

enum table_kind { TABLE_DICT, TABLE_HASHTABLE /* Valkey 8.1+ */ };

enum hash_rule {
    HASH_ENTRY_OBJECTS, /* dictEntry + two robj (2.8, 3.2) */
    HASH_ENTRY_SDS,     /* dictEntry + two sds */
    HASH_ENTRY_MSTR,    /* dictEntry + mstr + sds (7.4 - 8.4) */
    HASH_ENTRY_BLOCK,   /* Redis 8.6: one block, field first, entries without value */
    HASH_ENTRY_VALKEY   /* Valkey 8.1+: one block up to 128 bytes */
};

enum keyspace_kind {
    KEYSPACE_DICT,     /* dicts made at startup */
    KEYSPACE_KVSTORE,  /* Redis 7.4+, Valkey 8.0: dicts on demand inside a kvstore */
    KEYSPACE_HASHTABLE /* Valkey 8.1+ */
};

/* objectComputeSize's generations */
enum mu_rule {
    MU_NONE,
    MU_40,
    MU_50,
    MU_60,
    MU_62,
    MU_70,
    MU_72,
    MU_74,
    MU_80,
    MU_82,
    MU_84,
    MU_86,
    MU_88,
    MU_V80,
    MU_V81,
    MU_V91
};

struct profile {
    const char *family;       /* "redis", "valkey" */
    int version;              /* major * 100 + minor */
    const char *version_text; /* "7.2" */
    bool cluster;             /* cluster-enabled, set by profile_make from the config */

    /* From here on only ints: a change names a field by offset. */
    int alloc_kind; /* enum alloc_kind of the default build */
    int libc_kind;  /* what MALLOC=libc counts */
    int pad_large;  /* cache-oblivious jemalloc */
    int pad_max;    /* jemalloc 4.0.3: largest block that is padded (huge ones are not), 0: all */
    int tcache_mul8;

    int sds; /* enum sds_rule */
    int key_rule;
    int share;
    int embstr_max;           /* longest embedded string of its own block, 0: none */
    int int_text_max;         /* longest text tried as an integer */
    int int_keeps_embstr;     /* 3.2, 4.0: integer found in an embstr stays in that block */
    int object_elements;      /* elements of collections are robj (2.8, 3.2) */
    int shared_expires_entry; /* expiry costs a dictEntry of this size, 0: none */
    int main_entry;           /* dictEntry of the keyspace, 0: none of its own */
    int cluster_entry;        /* more in cluster mode (7.0, 7.2) */

    int table;              /* enum table_kind */
    int dict_same_size;     /* 2.8: dictExpand to the same size rehashes */
    int dict_empty_at_once; /* 7.4: an empty old table is replaced at once */
    int set_header, hash_header, hash_ttl_header, zset_header;
    int set_entry; /* per member; 0: bucket slot holds it */
    int zset_entry;
    int collision; /* no-value entry when a bucket is taken, for the tables whose entry is 0 */
    int hash_rule;

    int listpacks;         /* 1: packed encodings are listpacks (7.0+), 0: ziplists */
    int backlen_wastes;    /* entries of 16383, 2097151, 268435455 bytes have a byte more of length (to 8.6) */
    int set_listpack;      /* small sets of strings are packed (7.2+) */
    int intset_cap;        /* 5.0+: set-max-intset-entries counts up to 2^30 */
    int hash_pack_presize; /* a pack over the limit: dictExpand(n) first */
    int hash_big_presize;  /* type 4 over the limit: 0 no, 1 if n > 4, 2 expand(0) then expand(n) */
    int hash_mid_rule;     /* type 4 converted midway: 0 (<= 4.0), 1 (5.0 - 6.2), 2 (7.0+) */
    int hash_mid_total;    /* 8.6+: expand to all n, not to those left */
    int ttl_hash_presize;  /* hashes with field TTL over the limit are presized (Valkey) */

    int list_quicklist; /* 0: ziplist / linked list (2.8) */
    int quicklist, quicklist_node, quicklist_lzf;
    int list_listpack; /* a single packed node becomes a bare listpack (7.2+) */
    int plain_rule;    /* 0 none, 1: >= 1 GiB, 2: above the node's limit */

    int zset_presize;         /* types 3, 5: dictExpand(n) if n > 4 */
    int zset_pack_presize;    /* pack over the limit: dictExpand(n) */
    int zset_len_ignores_int; /* <= 3.2: integer members do not count for the length limit */
    int zskiplist;            /* header struct; 0: inside skiplist_head */
    int skiplist_head;        /* header node, or the one block of Valkey 9.1 */
    int skiplist_node;        /* fixed part; + 16 a level */
    int skiplist_embeds;      /* the member stands in the node */
    int score_shortest;       /* 7.2+: shortest text of a double, else %.17g */
    int score_int62;          /* 7.0+: integral scores up to 2^62 become integers, before up to 2^52 */

    int stream, stream_cg, stream_consumer, stream_nack, rax;
    int rax_unpadded;     /* 4.0: characters of a node are not padded to whole words */
    int stream_refs;      /* index of groups by pending id (8.2+) */
    int stream_pel_time;  /* PEL by time in a rax (8.4) */
    int stream_idmp;      /* 8.6+ */
    int stream_idmp_keys; /* 1: 8.6.2 - (entry with value), 2: 8.8 */

    int listpack_ex;          /* header of a listpack with field TTLs; 0: none */
    int ebuckets;             /* field TTLs in ebuckets */
    int ebuckets_by_slot;     /* hashes with field TTLs are registered per slot in cluster mode */
    int volatile_set;         /* Valkey 9: vset */
    int drops_expired_fields; /* Valkey 9.1 as a primary */
    int skips_empty;          /* a list, set, sorted set or hash without elements is not loaded (6.2+) */

    int function_ctx; /* functions are known (7.0+): luaFunctionCtx */
    int function_lua; /* bytes of Lua heap per library that zmalloc counts (7.4+; interpreter decides) */
    int lua_scripts;  /* AUX lua scripts are loaded (4.0 - 6.2) */

    int keyspace;    /* enum keyspace_kind */
    int hint;        /* RESIZEDB presizes */
    int hint_zero;   /* a hint of 0 still makes a table of 4 */
    int slot_hint;   /* SLOT_INFO / slot-info presizes the slot's tables */
    int keys_header; /* header made on demand for a database's keys (0: in the startup memory) */
    int expires_header;
    int expires_header_always; /* made by the hint even for 0 expires */
    int rehash_node;           /* list node while a keyspace table rehashes */
    int step_per_ttl;          /* setExpire looks the key up: one more rehash step in the keys table */
    int db_on_demand;          /* a database's structs when first selected (Valkey 9) */
    int cluster_slots; /* 0 none, 1 skiplist (3.2), 2 rax (4.0-6.2), 3 entry metadata (7.0, 7.2), 4 dict per slot */

    int startup;         /* used_memory_startup, default configuration */
    int begin;           /* zmalloc_used_memory when the load begins */
    int client;          /* INFO's used_memory above that at the end: the client that asks */
    int overhead_client; /* of the asking client, where INFO's overhead counts it (4.0, 5.0) */
    int libc_extra;      /* begin of a MALLOC=libc build above that of the jemalloc build */
    int cluster_begin;   /* begin with cluster-enabled yes, 0: unknown */
    int mu;              /* enum mu_rule */

    /* INFO of the empty server beyond zmalloc: see forecast.h */
    int base_allocated, base_active;

    int64_t set[SET_COUNT]; /* settings: the target's defaults, then the user's */
};

/* "redis:7.2", "valkey:8.1", "7.2" (family of the file). NULL spec: from the file's own version text (e.g. "7.2.4").
 * The nearest known version otherwise, exact false. Returns false when the family or the number cannot be read. */
struct profile_choice {
    int index;
    bool exact;
};
bool profile_find(const char *family, const char *version, struct profile_choice *out);

/* Builds the profile: base, changes up to the version, defaults, then the user's config. */
bool profile_make(struct profile *pf, int index, const struct config *config, char err[256]);

size_t profile_count(void);
void profile_name(size_t index, const char **family, const char **version);

/* ---------------------------------------------------------------- rows, for profiles/ files */

struct profile_change {
    uint16_t offset;
    int value;
};
struct profile_row {
    const char *family;
    int version;
    const char *text;
    int parent; /* index of the predecessor in the same file's list, -1: none */
    const struct profile_change *changes;
    size_t nchanges;
};
#define PF(field, val)                                                                                                 \
    {                                                                                                                  \
        (uint16_t) offsetof(struct profile, field), (val)                                                              \
    }
#define PF_ROW(fam, ver, txt, prev, list)                                                                              \
    {                                                                                                                  \
        fam, ver, txt, prev, list, sizeof(list) / sizeof((list)[0])                                                    \
    }

extern const struct profile_row redis_profiles[];
extern const size_t redis_profiles_count;
extern const struct profile_row valkey_profiles[]; /* parents are indices into redis_profiles + valkey_profiles */
extern const size_t valkey_profiles_count;

#endif
