/*
 * config.h - the server settings that change memory, as one table.
 *
 * A config holds what the user set (--config NAME=VALUE, --redis-conf FILE); profile_apply() fills the rest with the
 * target's defaults. Names are those of redis.conf, old names stay valid (hash-max-ziplist-entries).
 */
#ifndef RDBMEM_CONFIG_H
#define RDBMEM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting {
    SET_HASH_ENTRIES,
    SET_HASH_VALUE,
    SET_SET_INTSET,
    SET_SET_ENTRIES,
    SET_SET_VALUE,
    SET_ZSET_ENTRIES,
    SET_ZSET_VALUE,
    SET_LIST_SIZE,
    SET_LIST_ENTRIES /* 2.8 */,
    SET_LIST_VALUE /* 2.8 */,
    SET_LIST_DEPTH,
    SET_STREAM_BYTES,
    SET_STREAM_ENTRIES,
    SET_ARRAY_SLICE,
    SET_ARRAY_KMAX,
    SET_ARRAY_KMIN,
    SET_MAXMEMORY,
    SET_MAXMEMORY_POLICY,
    SET_CLUSTER,
    SET_DATABASES,
    SET_MAXCLIENTS,
    SET_DEFRAG_IGNORE,
    SET_DEFRAG_LOWER,
    SET_DEFRAG_UPPER,
    SET_DEFRAG_CYCLE_MIN,
    SET_DEFRAG_CYCLE_MAX,
    SET_COUNT
};

enum policy {
    POLICY_NOEVICTION,
    POLICY_ALLKEYS_LRU,
    POLICY_VOLATILE_LRU,
    POLICY_ALLKEYS_LFU,
    POLICY_VOLATILE_LFU,
    POLICY_ALLKEYS_RANDOM,
    POLICY_VOLATILE_RANDOM,
    POLICY_VOLATILE_TTL,
    POLICY_ALLKEYS_LRM,
    POLICY_VOLATILE_LRM
};

struct config {
    int64_t value[SET_COUNT];
    bool given[SET_COUNT]; /* by the user */
};

void config_init(struct config *c);

/* "NAME=VALUE". False with a one-line message when NAME does not change memory or VALUE cannot be read. */
bool config_set(struct config *c, const char *assignment, char err[256]);

/* Reads a redis.conf (also CONFIG GET * output): includes, quoting, units; unknown names ignored, bad values an error. */
bool config_read_file(struct config *c, const char *path, char err[256]);

const char *config_name(enum setting s);
const char *policy_name(enum policy p);

#endif
