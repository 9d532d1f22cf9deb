/*
 * types.c - the one place that knows what a number means, and in which file.
 *
 * A row: number, families, RDB versions since and until (0: no end), what a user calls it, how its elements come, which
 * packed container, name. Families: R is REDIS magic, V is VALKEY magic (versions 80 and up, so that "since 11" holds
 * there too), D is a REDIS file with the aux field df-ver (Dragonfly), K is KeyDB, which cannot be told from Redis but
 * by a number that Redis never had. The same number in two families is two rows: 22, 23, 29-32.
 *
 * rdb.h of each version; the table in rdb-format 4.1.
 */
#include "rdb/internal.h"

enum { R = RDB_FAM_REDIS, V = RDB_FAM_VALKEY, D = RDB_FAM_DRAGONFLY, K = RDB_FAM_KEYDB };

static const struct rdb_type_info rows[] = {
    {0, R | V, 1, 0, RDB_T_STRING, RDB_L_STRING, RDB_PACK_NONE, "string"},
    {1, R | V, 1, 0, RDB_T_LIST, RDB_L_ITEMS, RDB_PACK_NONE, "list"},
    {2, R | V, 1, 0, RDB_T_SET, RDB_L_ITEMS, RDB_PACK_NONE, "set"},
    {3, R | V, 1, 0, RDB_T_ZSET, RDB_L_ZSET_TEXT, RDB_PACK_NONE, "zset"},
    {4, R | V, 1, 0, RDB_T_HASH, RDB_L_HASH, RDB_PACK_NONE, "hash"},
    {5, R | V, 8, 0, RDB_T_ZSET, RDB_L_ZSET_BINARY, RDB_PACK_NONE, "zset-2"},
    {7, R | V, 8, 0, RDB_T_MODULE, RDB_L_MODULE, RDB_PACK_NONE, "module-2"},
    {9, R | V, 2, 0, RDB_T_HASH, RDB_L_BLOB, RDB_PACK_ZIPMAP, "hash-zipmap"},
    {10, R | V, 2, 0, RDB_T_LIST, RDB_L_BLOB, RDB_PACK_ZIPLIST, "list-ziplist"},
    {11, R | V, 2, 0, RDB_T_SET, RDB_L_BLOB, RDB_PACK_INTSET, "set-intset"},
    {12, R | V, 2, 0, RDB_T_ZSET, RDB_L_BLOB, RDB_PACK_ZIPLIST, "zset-ziplist"},
    {13, R | V, 4, 0, RDB_T_HASH, RDB_L_BLOB, RDB_PACK_ZIPLIST, "hash-ziplist"},
    {14, R | V, 7, 0, RDB_T_LIST, RDB_L_QUICKLIST, RDB_PACK_ZIPLIST, "list-quicklist"},
    {15, R | V, 9, 0, RDB_T_STREAM, RDB_L_STREAM, RDB_PACK_LISTPACK, "stream-listpacks"},
    {16, R | V, 10, 0, RDB_T_HASH, RDB_L_BLOB, RDB_PACK_LISTPACK, "hash-listpack"},
    {17, R | V, 10, 0, RDB_T_ZSET, RDB_L_BLOB, RDB_PACK_LISTPACK, "zset-listpack"},
    {18, R | V, 10, 0, RDB_T_LIST, RDB_L_QUICKLIST2, RDB_PACK_LISTPACK, "list-quicklist-2"},
    {19, R | V, 10, 0, RDB_T_STREAM, RDB_L_STREAM, RDB_PACK_LISTPACK, "stream-listpacks-2"},
    {20, R | V, 11, 0, RDB_T_SET, RDB_L_BLOB, RDB_PACK_LISTPACK, "set-listpack"},
    {21, R | V, 11, 0, RDB_T_STREAM, RDB_L_STREAM, RDB_PACK_LISTPACK, "stream-listpacks-3"},
    {22, R, 12, 0, RDB_T_HASH, RDB_L_HASH_TTL, RDB_PACK_NONE, "hash-metadata-pre-ga"},
    {22, V, 80, 0, RDB_T_HASH, RDB_L_HASH_TTL, RDB_PACK_NONE, "hash-2"},
    {23, R, 12, 0, RDB_T_HASH, RDB_L_BLOB_TTL, RDB_PACK_LISTPACK, "hash-listpack-ex-pre-ga"},
    {24, R, 12, 0, RDB_T_HASH, RDB_L_HASH_TTL, RDB_PACK_NONE, "hash-metadata"},
    {25, R, 12, 0, RDB_T_HASH, RDB_L_BLOB_TTL, RDB_PACK_LISTPACK, "hash-listpack-ex"},
    {26, R, 13, 0, RDB_T_STREAM, RDB_L_STREAM, RDB_PACK_LISTPACK, "stream-listpacks-4"},
    {27, R, 14, 0, RDB_T_STREAM, RDB_L_STREAM, RDB_PACK_LISTPACK, "stream-listpacks-5"},
    {28, R, 14, 0, RDB_T_ARRAY, RDB_L_ARRAY, RDB_PACK_NONE, "array"},
    {29, R, 14, 14, RDB_T_GCRA, RDB_L_GCRA, RDB_PACK_NONE, "gcra-14"},
    {29, R, 15, 0, RDB_T_HASH, RDB_L_TEMPLATE_PACK, RDB_PACK_LISTPACK, "hash-template-listpack"},
    {30, R, 15, 0, RDB_T_HASH, RDB_L_TEMPLATE_PACK, RDB_PACK_LISTPACK, "hash-template-listpack-ref"},
    {31, R, 15, 0, RDB_T_HASH, RDB_L_TEMPLATE_ARRAY, RDB_PACK_NONE, "hash-template-array"},
    {32, R, 15, 0, RDB_T_HASH, RDB_L_TEMPLATE_ARRAY, RDB_PACK_NONE, "hash-template-array-ref"},
    {33, R, 15, 0, RDB_T_GCRA, RDB_L_GCRA, RDB_PACK_NONE, "gcra"},
    {64, K, 9, 9, RDB_T_CRON, RDB_L_CRON, RDB_PACK_NONE, "cron"},
    {30, D, 9, 0, RDB_T_JSON, RDB_L_STRING, RDB_PACK_NONE, "json"},
    {31, D, 9, 0, RDB_T_HASH, RDB_L_HASH_TTL, RDB_PACK_NONE, "hash-with-expiry"},
    {32, D, 9, 0, RDB_T_SET, RDB_L_ITEMS, RDB_PACK_NONE, "set-with-expiry"},
};

/* Not by a number but by the module id of type 7: part of the server since 8.0, and TYPE says so. */
const struct rdb_type_info rdb_type_vectorset = {7,          R | V, 8, 0, RDB_T_VECTORSET, RDB_L_MODULE, RDB_PACK_NONE,
                                                 "vectorset"};

/* 242 and 243 mean different things in two families; the others are read whatever the version, as servers do. */
static const struct rdb_opcode_info opcodes[] = {
    {242, R, 15, "hash-template"},
    {242, V, 81, "update"},
    {243, R, 13, "key-meta"},
    {243, V, 80, "slot-import"},
    {244, R | V, 1, "slot-info"},
    {245, R | V, 1, "function"},
    {246, R | V, 1, "function-pre-ga"},
    {247, R | V, 1, "module-aux"},
    {248, R | V, 1, "idle"},
    {249, R | V, 1, "freq"},
    {250, R | V, 1, "aux"},
    {251, R | V, 1, "resizedb"},
    {252, R | V, 1, "expiretime-ms"},
    {253, R | V, 1, "expiretime"},
    {254, R | V, 1, "selectdb"},
    {255, R | V, 1, "eof"},
    {107, R, 1, "ram-lru"},
    {121, R, 1, "slot-num"},
    {200, D, 1, "full-sync-end"},
    {201, D, 1, "zstd-piece"},
    {202, D, 1, "lz4-piece"},
    {203, D, 1, "piece-end"},
    {210, D, 1, "journal"},
    {211, D, 1, "journal-offset"},
    {220, D, 1, "property-mask"},
};

/* Numbers that have a name and cannot be read. */
static const struct {
    uint8_t number, family;
    const char *why;
} refused[] = {
    {6, R | V, "module-1 (a 4.0 release candidate's): its length is known to the module alone"},
    {23, V, "path hash: its layout is not final"},
    {33, D, "dragonfly bloom filter: its layout is not known here"},
    {34, D, "dragonfly bloom filter: its layout is not known here"},
    {35, D, "dragonfly count-min sketch: its layout is not known here"},
    {222, D, "dragonfly vector index: its layout is not known here"},
    {223, D, "dragonfly shard document index: its layout is not known here"},
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static bool row_fits(const struct rdb_type_info *t, int version)
{
    return version >= t->since && (t->until == 0 || version <= t->until);
}

void rdb_types_select(struct rdb_parser *p)
{
    memset(p->types, 0, sizeof p->types);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].family & p->families && row_fits(&rows[i], p->info.version))
            p->types[rows[i].number] = &rows[i]; /* Dragonfly's rows are last: they win in its files */
    for (size_t i = 0; i < COUNT(refused); i++)
        if (refused[i].family & p->families & RDB_FAM_DRAGONFLY)
            p->types[refused[i].number] = NULL;
}

const struct rdb_opcode_info *rdb_opcode_find(const struct rdb_parser *p, uint8_t number)
{
    for (size_t i = 0; i < COUNT(opcodes); i++)
        if (opcodes[i].number == number && opcodes[i].family & p->families && p->info.version >= opcodes[i].since)
            return &opcodes[i];
    return NULL;
}

static const char *magic_name(unsigned families)
{
    return families & RDB_FAM_VALKEY ? "valkey" : "redis";
}

/* What the number is elsewhere: in another version of the file's own family, or else in another family. */
static const struct rdb_type_info *type_elsewhere(unsigned families, uint8_t number)
{
    const struct rdb_type_info *found = NULL;
    for (size_t i = COUNT(rows); i-- > 0;)
        if (rows[i].number == number && rows[i].family & (R | V | K) && (!found || rows[i].family & families))
            found = &rows[i];
    return found;
}

static const struct rdb_opcode_info *opcode_elsewhere(unsigned families, uint8_t number)
{
    const struct rdb_opcode_info *found = NULL;
    for (size_t i = COUNT(opcodes); i-- > 0;)
        if (opcodes[i].number == number && opcodes[i].family & (R | V) && (!found || opcodes[i].family & families))
            found = &opcodes[i];
    return found;
}

bool rdb_fail_type(struct rdb_parser *p, uint8_t number)
{
    const struct rdb_type_info *type = type_elsewhere(p->families, number);
    const struct rdb_opcode_info *opcode = opcode_elsewhere(p->families, number);
    uint64_t at = rdb_at(p, p->r.p);
    const char *magic = magic_name(p->families);
    int version = p->info.version;
    for (size_t i = 0; i < COUNT(refused); i++)
        if (refused[i].number == number && refused[i].family & p->families)
            return rdb_fail(p, RDB_ERR_TYPE, at, "type %u in %s rdb version %d cannot be read: %s", number, magic,
                            version, refused[i].why);
    if (type)
        return rdb_fail(p, RDB_ERR_TYPE, at, "type %u cannot stand in %s rdb version %d: it is %s of %s rdb version %d",
                        number, magic, version, type->name,
                        magic_name(type->family & p->families ? p->families : type->family), type->since);
    if (opcode)
        return rdb_fail(p, RDB_ERR_TYPE, at,
                        "opcode %u cannot stand in %s rdb version %d: it is %s of %s rdb version %d", number, magic,
                        version, opcode->name, magic_name(opcode->family & p->families ? p->families : opcode->family),
                        opcode->since);
    return rdb_fail(p, RDB_ERR_TYPE, at, "unknown type or opcode %u in %s rdb version %d%s", number, magic, version,
                    number >= 200 && number <= 223 ? " (dragonfly's opcodes need its aux field df-ver)" : "");
}

const char *rdb_type_name(enum rdb_type t)
{
    static const char *const names[RDB_T_COUNT] = {
        [RDB_T_STRING] = "string", [RDB_T_LIST] = "list",           [RDB_T_SET] = "set",
        [RDB_T_ZSET] = "zset",     [RDB_T_HASH] = "hash",           [RDB_T_STREAM] = "stream",
        [RDB_T_MODULE] = "module", [RDB_T_VECTORSET] = "vectorset", [RDB_T_ARRAY] = "array",
        [RDB_T_GCRA] = "gcra",     [RDB_T_CRON] = "cron",           [RDB_T_JSON] = "json",
    };
    return (unsigned)t < RDB_T_COUNT ? names[t] : "unknown";
}
