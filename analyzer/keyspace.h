/*
 * keyspace.h - the databases' own tables: what belongs to all keys together and to none alone.
 *
 * Bucket arrays of keys and expires with their growth or presizing, headers made on demand, the list nodes of tables
 * being rehashed, colliding entries and child buckets, per-slot tables in cluster mode.
 */
#ifndef RDBMEM_KEYSPACE_H
#define RDBMEM_KEYSPACE_H

#include "analyzer/profile.h"
#include "analyzer/rebuild.h"
#include "analyzer/table.h"
#include "analyzer/zmalloc.h"

struct keyspace_table {
    struct table t;
    bool made;         /* its header exists */
    uint64_t bytes;    /* live bytes of header, arrays, nodes */
    double chance;     /* expected bytes of collisions or children, after keyspace_finish */
    double placed;     /* such blocks given to the slab model so far, with the keys that bring them */
    double rate, owed; /* of the next keys, each: blocks; and what has added up to less than one */
    /* Keys that will change nothing but counts, as last found out, and those of them still to come: what has come is not
     * in t.used and owed yet. */
    uint64_t granted, quiet;
};

/* Expected bytes of collisions or children of this table if it had `used` entries. */
double keyspace_chance(const struct keyspace_table *kt, const struct profile *pf, const struct allocator *a,
                       uint64_t used, bool shared_buckets, double *variance);

struct keyspace_db {
    uint32_t db;
    struct keyspace_table keys, expires, fields /* keys with volatile fields, Valkey 9 */;
};

struct keyspace_slot {
    uint32_t keys, expires, fields;
    uint32_t hint_keys, hint_expires, hint_fields;
};

enum { KEYSPACE_DBS = 1024, KEYSPACE_SLOTS = 16384 };

struct keyspace {
    const struct profile *pf;
    struct zheap *z;
    struct keyspace_db *dbs;
    size_t ndbs;
    struct keyspace_db *current;
    struct keyspace_slot *slots; /* cluster mode with a table per slot */
    bool slot_hints, size_hint;
    struct key_set *slot_names; /* cluster mode with one radix tree (4.0 - 6.2) */
    uint64_t slot_index;        /* of that, with one radix tree */
    double slot_nodes;          /* cluster mode with a skiplist (3.2): expected bytes of its nodes */
    uint64_t bytes;             /* all that was charged here */
    double variance;
};

bool keyspace_init(struct keyspace *ks, const struct profile *pf, struct zheap *z);
void keyspace_free(struct keyspace *ks);

void keyspace_select(struct keyspace *ks, uint32_t db);
void keyspace_hint(struct keyspace *ks, uint64_t keys, uint64_t expires);
void keyspace_slot_hint(struct keyspace *ks, uint64_t slot, uint64_t keys, uint64_t expires, uint64_t fields);

/* One key has been added to the current database. slot is used in cluster mode only. */
void keyspace_key(struct keyspace *ks, bool ttl, bool field_ttl, unsigned slot, const struct rdb_bytes *name);

/* Adds a key without fields if that changes nothing but counts; else keyspace_key() has to. */
static inline bool keyspace_quiet(struct keyspace *ks, bool ttl)
{
    struct keyspace_db *db = ks->current;
    if (__builtin_expect(!db || db->keys.quiet == 0 || (ttl && db->expires.quiet == 0), 0))
        return false;
    db->keys.quiet--;
    db->expires.quiet -= ttl;
    return true;
}

/* The same for keys of which ttls expire. */
static inline bool keyspace_quiet_many(struct keyspace *ks, uint64_t keys, uint64_t ttls)
{
    struct keyspace_db *db = ks->current;
    if (!db || db->keys.quiet < keys || db->expires.quiet < ttls)
        return false;
    db->keys.quiet -= keys;
    db->expires.quiet -= ttls;
    return true;
}

/* They have not been added after all; no key came since. */
static inline void keyspace_quiet_back(struct keyspace *ks, uint64_t keys, uint64_t ttls)
{
    ks->current->keys.quiet += keys;
    ks->current->expires.quiet += ttls;
}

/* The load is over: collisions and children, slots' tables; rehashing is finished as the cron would. */
void keyspace_finish(struct keyspace *ks, struct rebuild *r);

/* CRC16 (XMODEM) of the name or its first non-empty {tag}, mod 16384. */
unsigned keyspace_slot_of(const uint8_t *name, size_t len);

#endif
