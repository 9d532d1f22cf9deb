/*
 * redis.c - Redis 2.8 to 8.8, each as the changes against the version before.
 *
 * Facts are read in the server's sources at the tags 2.8.24, 3.2.13, 4.0.14, 5.0.14, 6.0.20, 6.2.16, 7.0.15, 7.2.6,
 * 7.4.1 and in the development branch near 8.0 .. 8.8, and were measured on builds of them (docs/memory-model.md).
 * The file and function behind a number stands beside it.
 */
#include "analyzer/profile.h"

static const struct profile_change redis_2_8[] = {
    PF(alloc_kind, ALLOC_JEMALLOC_3),
    PF(libc_kind, ALLOC_PREFIX_ROUND), /* zmalloc.c */
    PF(sds, SDS_INTS),
    PF(key_rule, KEY_SDS),
    PF(share, SHARE_LRU_TEXT),
    PF(int_text_max, 21), /* object.c tryObjectEncoding */
    PF(object_elements, 1),
    PF(shared_expires_entry, 24),
    PF(main_entry, 24), /* dict.h dictEntry */
    PF(table, TABLE_DICT),
    PF(dict_same_size, 1),
    PF(set_header, 96),
    PF(hash_header, 96),
    PF(zset_header, 96), /* dict.h dict with two dictht */
    PF(set_entry, 24),
    PF(zset_entry, 24),
    PF(hash_rule, HASH_ENTRY_OBJECTS),
    PF(zset_len_ignores_int, 1),
    PF(zskiplist, 32),
    PF(skiplist_head, 24 + 16 * 32),
    PF(skiplist_node, 24), /* redis.h ZSKIPLIST_MAXLEVEL 32 */
    PF(keyspace, KEYSPACE_DICT),
    PF(startup, 0),
    PF(begin, 752096),
    PF(client, 58688),
    PF(mu, MU_NONE),
};

static const struct profile_change redis_3_2[] = {
    PF(alloc_kind, ALLOC_JEMALLOC),
    PF(pad_large, 1),
    PF(pad_max, 1835008), /* jemalloc 4.0.3 */
    PF(sds, SDS_TYPED),
    PF(embstr_max, 44),
    PF(int_text_max, 20),
    PF(int_keeps_embstr, 1),
    PF(dict_same_size, 0),
    PF(list_quicklist, 1),
    PF(quicklist, 32),
    PF(quicklist_node, 32),
    PF(quicklist_lzf, 4), /* quicklist.h */
    PF(hint, 1),
    PF(hint_zero, 1),
    PF(cluster_slots, 1),
    PF(begin, 760032),
    PF(client, 62760),
};

static const struct profile_change redis_4_0[] = {
    PF(libc_kind, ALLOC_PREFIX),
    PF(share, SHARE_LFU_TEXT),
    PF(object_elements, 0),
    PF(hash_rule, HASH_ENTRY_SDS),
    PF(zset_len_ignores_int, 0),
    PF(quicklist, 40),
    PF(lua_scripts, 1),
    PF(cluster_slots, 2),
    PF(rax_unpadded, 1), /* rax.c raxNewNode */
    PF(startup, 786832),
    PF(begin, 786832),
    PF(client, 62896),
    PF(overhead_client, 49640),
    PF(mu, MU_40),
};

static const struct profile_change redis_5_0[] = {
    PF(rax_unpadded, 0),
    PF(pad_max, 0),
    PF(libc_kind, ALLOC_LIBC), /* zmalloc.h: malloc_usable_size on glibc */
    PF(share, SHARE_POLICY),
    PF(int_keeps_embstr, 0),
    PF(intset_cap, 1),
    PF(hash_big_presize, 1),
    PF(hash_mid_rule, 1), /* rdb.c rdbLoadObject */
    PF(zset_presize, 1),
    PF(skiplist_head, 24 + 16 * 64), /* server.h ZSKIPLIST_MAXLEVEL 64 */
    PF(stream, 40),
    PF(stream_cg, 32),
    PF(stream_consumer, 24),
    PF(stream_nack, 24),
    PF(rax, 24), /* stream.h */
    PF(startup, 791624),
    PF(begin, 791624),
    PF(client, 62928),
    PF(libc_extra, 91136), /* measured on 7.2 */
    PF(mu, MU_50),
};

static const struct profile_change redis_6_0[] = {
    PF(skiplist_head, 24 + 16 * 32), PF(startup, 803464), PF(begin, 803464), PF(client, 63504),
    PF(overhead_client, 0),          PF(mu, MU_60),
};

static const struct profile_change redis_6_2[] = {
    PF(skips_empty, 1), /* rdb.c rdbLoadObject emptykey, RDB_LOAD_ERR_EMPTY_KEY; from 6.2.6 */
    PF(startup, 812160), PF(begin, 812160), PF(client, 63760), PF(mu, MU_62),
};

static const struct profile_change redis_7_0[] = {
    PF(set_header, 56),       PF(hash_header, 56),     PF(zset_header, 56), /* dict.h: ht_table[2], ht_used[2] */
    PF(listpacks, 1),         PF(backlen_wastes, 1),                        /* listpack.c lpEncodeBacklen */
    PF(hash_pack_presize, 1), PF(hash_big_presize, 2), PF(hash_mid_rule, 2), PF(quicklist_node, 40),
    PF(quicklist_lzf, 8),     PF(plain_rule, 1),       PF(score_int62, 1),   PF(stream, 80),
    PF(stream_cg, 40),        PF(function_ctx, 4),     PF(lua_scripts, 0),   PF(cluster_entry, 16),
    PF(cluster_slots, 3), /* cluster.h clusterDictEntryMetadata */
    PF(startup, 858864),      PF(begin, 859080),       PF(client, 64624),    PF(mu, MU_70),
};

static const struct profile_change redis_7_2[] = {
    PF(pad_large, 0), /* deps/Makefile --disable-cache-oblivious */
    PF(set_entry, 0),           PF(collision, 16),           PF(set_listpack, 1),   /* server.c setDictType no_value */
    PF(list_listpack, 1),       PF(zset_pack_presize, 1),    PF(score_shortest, 1), /* util.c fpconv_dtoa */
    PF(stream_consumer, 32),    PF(startup, 866120),         PF(begin, 866464),        PF(client, 64760),
    PF(cluster_begin, 1583200), PF(base_allocated, 1216672), PF(base_active, 1335296), PF(mu, MU_72),
};

static const struct profile_change redis_7_4[] = {
    PF(dict_empty_at_once, 1),
    PF(hash_rule, HASH_ENTRY_MSTR),
    PF(hash_ttl_header, 88),
    PF(plain_rule, 2), /* quicklist.c isLargeElement */
    PF(listpack_ex, 32),
    PF(ebuckets, 1),
    PF(function_lua, 4036),
    PF(keyspace, KEYSPACE_KVSTORE),
    PF(hint, 0),
    PF(keys_header, 64),
    PF(expires_header, 64),
    PF(rehash_node, 24),
    PF(cluster_entry, 0),
    PF(cluster_slots, 4),
    PF(startup, 946472),
    PF(begin, 946848),
    PF(client, 64760),
    PF(cluster_begin, 2253000),
    PF(mu, MU_74),
};

static const struct profile_change redis_8_0[] = {
    PF(keys_header, 2464), /* kvstore.c: histogram of key sizes per dict */
    PF(step_per_ttl, 1),   PF(startup, 652776),  PF(begin, 652984),
    PF(client, 41100),     PF(cluster_begin, 0), PF(mu, MU_80),
};

static const struct profile_change redis_8_2[] = {
    PF(sds, SDS_SLACK),      PF(key_rule, KEY_KVOBJ_82),  PF(share, SHARE_NEVER), /* object.c kvobjSet */
    PF(main_entry, 0),       PF(shared_expires_entry, 0), PF(step_per_ttl, 0),
    PF(hash_ttl_header, 80), PF(listpack_ex, 24),         PF(stream, 112),
    PF(stream_nack, 32),     PF(stream_refs, 1), /* t_stream.c streamLinkCGroupToEntry */
    PF(startup, 651632),     PF(begin, 651848),           PF(client, 64776),
    PF(mu, MU_82),
};

static const struct profile_change redis_8_4[] = {
    PF(set_header, 64),     PF(hash_header, 64),   PF(hash_ttl_header, 88), /* server.c setDictMetadataBytes */
    PF(quicklist, 48),      PF(zskiplist, 40),     PF(stream, 120),         PF(stream_cg, 48),          PF(rax, 32),
    PF(stream_pel_time, 1), PF(keys_header, 2472), PF(slot_hint, 1),        PF(ebuckets_by_slot, 1), /* estore.c */
    PF(startup, 669160),    PF(begin, 669384),     PF(client, 65056),       PF(cluster_begin, 2646928), PF(mu, MU_84),
};

static const struct profile_change redis_8_6[] = {
    PF(key_rule, KEY_KVOBJ_86),
    PF(hash_rule, HASH_ENTRY_BLOCK),
    PF(hash_mid_total, 1), /* entry.c entryWriteNew */
    PF(zset_entry, 0),
    PF(skiplist_node, 16),
    PF(skiplist_head, 16 + 16 * 32),
    PF(skiplist_embeds, 1),
    PF(stream, 160),
    PF(stream_cg, 56),
    PF(stream_nack, 64),
    PF(stream_pel_time, 0),
    PF(stream_idmp, 1),
    PF(stream_idmp_keys, 1), /* 8.6.2, db->stream_idmp_keys */
    PF(keys_header, 2496),
    PF(hint, 1),
    PF(hint_zero, 0),
    PF(expires_header_always, 1), /* 8.6.1, kvstore.c kvstoreExpand */
    PF(startup, 705504),
    PF(begin, 705728),
    PF(client, 38880),
    PF(cluster_begin, 2258616),
    PF(mu, MU_86),
};

static const struct profile_change redis_8_8[] = {
    PF(backlen_wastes, 0), PF(tcache_mul8, 1), /* zmalloc.c je_malloc_conf */
    PF(stream_cg, 64),     PF(stream_idmp_keys, 2), PF(keys_header, 96),  PF(startup, 710624),
    PF(begin, 710848),     PF(client, 65312),       PF(cluster_begin, 0), PF(mu, MU_88),
};

const struct profile_row redis_profiles[] = {
    PF_ROW("redis", 208, "2.8", -1, redis_2_8), PF_ROW("redis", 302, "3.2", 0, redis_3_2),
    PF_ROW("redis", 400, "4.0", 1, redis_4_0),  PF_ROW("redis", 500, "5.0", 2, redis_5_0),
    PF_ROW("redis", 600, "6.0", 3, redis_6_0),  PF_ROW("redis", 602, "6.2", 4, redis_6_2),
    PF_ROW("redis", 700, "7.0", 5, redis_7_0),  PF_ROW("redis", 702, "7.2", 6, redis_7_2),
    PF_ROW("redis", 704, "7.4", 7, redis_7_4),  PF_ROW("redis", 800, "8.0", 8, redis_8_0),
    PF_ROW("redis", 802, "8.2", 9, redis_8_2),  PF_ROW("redis", 804, "8.4", 10, redis_8_4),
    PF_ROW("redis", 806, "8.6", 11, redis_8_6), PF_ROW("redis", 808, "8.8", 12, redis_8_8),
};
const size_t redis_profiles_count = sizeof(redis_profiles) / sizeof(redis_profiles[0]);
