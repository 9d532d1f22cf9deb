/*
 * valkey.c - Valkey 7.2 to 9.1. Valkey 7.2 is Redis 7.2 with other names; what follows are the changes since.
 *
 * Facts: the releases 7.2.7, 8.0.1, 8.1.1, 9.1.2 (sources and measurements), single files of 9.0.5.
 * Parents are indices into redis_profiles followed by valkey_profiles.
 */
#include "analyzer/profile.h"

enum { REDIS_7_2 = 7, VALKEY_FIRST = 14 };

static const struct profile_change valkey_7_2[] = {
    PF(startup, 880800),
    PF(begin, 880936),
    PF(client, 65100),
    PF(cluster_begin, 1597600),
};

static const struct profile_change valkey_8_0[] = {
    PF(sds, SDS_SLACK),   PF(key_rule, KEY_IN_ENTRY), PF(main_entry, 17), /* dict.c createEmbeddedEntry */
    PF(plain_rule, 2),    PF(dict_empty_at_once, 1),  PF(keyspace, KEYSPACE_KVSTORE),
    PF(hint, 0),          PF(keys_header, 72),        PF(expires_header, 72),
    PF(rehash_node, 24),  PF(step_per_ttl, 1),        PF(cluster_entry, 0),
    PF(cluster_slots, 4), PF(startup, 912256),        PF(begin, 912472),
    PF(client, 44536),    PF(cluster_begin, 0),       PF(mu, MU_V80),
};

static const struct profile_change valkey_8_1[] = {
    PF(key_rule, KEY_IN_ROBJ_81),
    PF(share, SHARE_NEVER),
    PF(main_entry, 0),
    PF(shared_expires_entry, 0),
    PF(table, TABLE_HASHTABLE),
    PF(collision, 0),
    PF(set_header, 72),
    PF(hash_header, 72),
    PF(zset_header, 72),
    PF(zset_entry, 0),
    PF(hash_rule, HASH_ENTRY_VALKEY),
    PF(rax, 32),
    PF(keyspace, KEYSPACE_HASHTABLE),
    PF(hint, 1),
    PF(hint_zero, 0),
    PF(keys_header, 88),
    PF(expires_header, 88),
    PF(startup, 879560),
    PF(begin, 879824),
    PF(client, 17312),
    PF(cluster_begin, 2676560),
    PF(mu, MU_V81),
};

static const struct profile_change valkey_9_0[] = {
    PF(key_rule, KEY_IN_ROBJ_90),
    PF(hash_header, 80),
    PF(hash_ttl_header, 80),
    PF(volatile_set, 1),
    PF(ttl_hash_presize, 1),
    PF(db_on_demand, 1),
    PF(slot_hint, 1),
    PF(startup, 927000),
    PF(begin, 927520),
    PF(client, 17200),
    PF(cluster_begin, 2766000),
};

static const struct profile_change valkey_9_1[] = {
    PF(key_rule, KEY_IN_ROBJ_91),
    PF(embstr_max, 116), /* object.c shouldEmbedStringObject */
    PF(set_header, 80),
    PF(zset_header, 80),
    PF(hash_header, 88),
    PF(hash_ttl_header, 88),
    PF(keys_header, 96),
    PF(expires_header, 96),
    PF(zskiplist, 0),
    PF(skiplist_head, 528),
    PF(skiplist_node, 17 /* and the size of the sds header */),
    PF(skiplist_embeds, 1),
    PF(drops_expired_fields, 1),
    PF(startup, 927300),
    PF(begin, 927760),
    PF(mu, MU_V91),
};

const struct profile_row valkey_profiles[] = {
    PF_ROW("valkey", 702, "7.2", REDIS_7_2, valkey_7_2),
    PF_ROW("valkey", 800, "8.0", VALKEY_FIRST, valkey_8_0),
    PF_ROW("valkey", 801, "8.1", VALKEY_FIRST + 1, valkey_8_1),
    PF_ROW("valkey", 900, "9.0", VALKEY_FIRST + 2, valkey_9_0),
    PF_ROW("valkey", 901, "9.1", VALKEY_FIRST + 3, valkey_9_1),
};
const size_t valkey_profiles_count = sizeof(valkey_profiles) / sizeof(valkey_profiles[0]);
