/*
 * mixes.c - the kinds of data rdbgen can write: one function a mix, and the table at the end.
 *
 * Limits are those of a server's default settings (hash-max-listpack-entries 512 in 7.0, zset 128, set-max-intset 512,
 * list nodes of 8 KiB, stream nodes of 100 entries or 4 KiB), so what is written is what a server would have written.
 *
 * No expression draws two random numbers: compilers differ in which they would evaluate first.
 */
#include "bench/gen.h"

enum {
    TYPE_STRING = 0,
    TYPE_SET = 2,
    TYPE_HASH = 4,
    TYPE_ZSET2 = 5,
    TYPE_SET_INTSET = 11,
    TYPE_HASH_LISTPACK = 16,
    TYPE_ZSET_LISTPACK = 17,
    TYPE_QUICKLIST2 = 18,
    TYPE_STREAM2 = 19,
    TYPE_SET_LISTPACK = 20,
    TYPE_STREAM3 = 21
};

enum {
    SET_PACK_ENTRIES = 128,
    LIST_NODE_ENTRIES = 128, /* of at most 60 bytes: below the 8 KiB of a node */
    LIST_ELEMENT = 60,
    STREAM_NODE_ENTRIES = 100,
    STREAM_NODE_BYTES = 4096,
    NODE_PACKED = 2
};

/* ---------------------------------------------------------------- names */

static char *put_text(char *p, const char *text)
{
    size_t n = strlen(text);
    memcpy(p, text, n);
    return p + n;
}

/* "prefix" + number + "suffix": user:0000123:name */
static void begin_named(struct gen *g, uint8_t type, const char *prefix, const char *suffix)
{
    char *p = put_text(g->name, prefix);
    p = gen_digits(p, gen_id(g), g->digits);
    p = put_text(p, suffix);
    gen_key(g, type, g->name, (size_t)(p - g->name));
}

/* ---------------------------------------------------------------- strings */

static void letters_value(struct gen *g, size_t lo, size_t hi)
{
    char text[128];
    size_t n = gen_between(g, lo, hi);
    gen_letters(g, text, n);
    emit_str(&g->out, text, n);
}

static void string_token(struct gen *g)
{
    begin_named(g, TYPE_STRING, "session:", ":token");
    letters_value(g, 32, 64);
}

static void string_counter(struct gen *g)
{
    begin_named(g, TYPE_STRING, "stats:page:", ":views");
    emit_int(&g->out, (int64_t)gen_skewed(g, 0, 3000000000));
}

/* A document: some fields in front, then running text. */
static size_t put_json(struct gen *g, char *to, size_t text)
{
    char *p = put_text(to, "{\"id\":");
    p = gen_digits(p, gen_id(g), g->digits);
    p = put_text(p, ",\"owner\":\"");
    gen_letters(g, p, 12);
    p = put_text(p + 12, "\",\"active\":true,\"score\":");
    p = gen_digits(p, gen_between(g, 100000, 999999), 6);
    p = put_text(p, ",\"tags\":[\"alpha\",\"beta\"],\"body\":\"");
    memcpy(p, gen_words(g, text), text);
    p = put_text(p + text, "\"}");
    return (size_t)(p - to);
}

static void json_value(struct gen *g, size_t lo, size_t hi)
{
    char doc[16384];
    emit_str(&g->out, doc, put_json(g, doc, gen_skewed(g, lo, hi)));
}

static void string_json(struct gen *g)
{
    begin_named(g, TYPE_STRING, "cache:article:", ":json");
    json_value(g, 100, 6000);
}

static void string_page(struct gen *g)
{
    begin_named(g, TYPE_STRING, "cache:page:", ":html");
    size_t n = gen_skewed(g, 8192, 196608);
    emit_str(&g->out, gen_words(g, n), n);
}

/* ---------------------------------------------------------------- hashes */

static const char *const field_names[] = {"name",    "email",  "created_at", "updated_at", "status", "plan",
                                          "country", "locale", "visits",     "balance",    "avatar", "phone"};
enum { FIELD_NAMES = sizeof field_names / sizeof field_names[0] };

static void pack_letters(struct gen *g, size_t lo, size_t hi)
{
    char text[128];
    size_t n = gen_between(g, lo, hi);
    gen_letters(g, text, n);
    pack_str(&g->pack, text, n);
}

static void pack_unique(struct gen *g, uint64_t j, size_t lo, size_t hi)
{
    char text[128];
    size_t n = gen_between(g, lo, hi);
    gen_unique(g, j, text, n);
    pack_str(&g->pack, text, n);
}

static void pack_field(struct gen *g, uint64_t j)
{
    if (j < FIELD_NAMES)
        pack_str(&g->pack, field_names[j], strlen(field_names[j]));
    else
        pack_unique(g, j, 8, 14);
    if (j % 4 == 2)
        pack_int(&g->pack, (int64_t)gen_skewed(g, 0, UINT64_C(2000000000000)));
    else
        pack_letters(g, 4, 40);
}

static void emit_pack(struct gen *g)
{
    size_t n = pack_end(&g->pack);
    emit_str(&g->out, g->pack.buf, n);
}

static void hash_profile(struct gen *g)
{
    begin_named(g, TYPE_HASH_LISTPACK, "user:", ":profile");
    uint64_t fields = gen_skewed(g, 3, 60);
    pack_begin(&g->pack);
    for (uint64_t j = 0; j < fields; j++)
        pack_field(g, j);
    emit_pack(g);
}

static void unique_str(struct gen *g, uint64_t j, size_t lo, size_t hi)
{
    char text[128];
    size_t n = gen_between(g, lo, hi);
    gen_unique(g, j, text, n);
    emit_str(&g->out, text, n);
}

static void table_hash(struct gen *g, uint64_t fields)
{
    emit_len(&g->out, fields);
    for (uint64_t j = 0; j < fields; j++) {
        unique_str(g, j, 8, 16);
        if (j % 4 == 0)
            emit_int(&g->out, (int64_t)gen_skewed(g, 0, 2000000000));
        else
            letters_value(g, 8, 24);
    }
}

static void hash_index(struct gen *g)
{
    begin_named(g, TYPE_HASH, "index:", ":terms");
    table_hash(g, gen_skewed(g, 513, 12000));
}

/* ---------------------------------------------------------------- lists */

/* Nodes of as many elements as are sure to fit. */
static void quicklist(struct gen *g, uint64_t elements)
{
    emit_len(&g->out, (elements + LIST_NODE_ENTRIES - 1) / LIST_NODE_ENTRIES);
    for (uint64_t done = 0; done < elements;) {
        pack_begin(&g->pack);
        for (int i = 0; i < LIST_NODE_ENTRIES && done < elements; i++, done++) {
            if (done % 8 == 7)
                pack_int(&g->pack, (int64_t)gen_skewed(g, 0, 5000000000));
            else
                pack_letters(g, 10, LIST_ELEMENT);
        }
        emit_len(&g->out, NODE_PACKED);
        emit_pack(g);
    }
}

static void list_queue(struct gen *g)
{
    begin_named(g, TYPE_QUICKLIST2, "queue:", ":jobs");
    quicklist(g, gen_skewed(g, 1, 900));
}

/* ---------------------------------------------------------------- sets */

static void set_ids(struct gen *g)
{
    begin_named(g, TYPE_SET_INTSET, "follow:", ":ids");
    uint32_t n = (uint32_t)gen_skewed(g, 3, 512), width = 4;
    uint8_t set[8 + 512 * 4];
    memcpy(set, &width, 4);
    memcpy(set + 4, &n, 4);
    int32_t v = INT16_MAX + 1; /* a server would store smaller ones in two bytes */
    for (uint32_t i = 0; i < n; i++) {
        v += (int32_t)gen_between(g, 1, 1000000);
        memcpy(set + 8 + (size_t)i * 4, &v, 4);
    }
    emit_str(&g->out, set, 8 + (size_t)n * 4);
}

static void table_set(struct gen *g, uint64_t members, size_t lo, size_t hi)
{
    emit_len(&g->out, members);
    for (uint64_t j = 0; j < members; j++)
        unique_str(g, j, lo, hi);
}

static void set_tags(struct gen *g)
{
    uint64_t members = gen_skewed(g, 2, 800);
    bool packed = g->version >= 11 && members <= SET_PACK_ENTRIES;
    begin_named(g, packed ? TYPE_SET_LISTPACK : TYPE_SET, "item:", ":tags");
    if (!packed) {
        table_set(g, members, 8, 16);
        return;
    }
    pack_begin(&g->pack);
    for (uint64_t j = 0; j < members; j++)
        pack_unique(g, j, 8, 16);
    emit_pack(g);
}

/* ---------------------------------------------------------------- sorted sets */

static void zset_recent(struct gen *g)
{
    begin_named(g, TYPE_ZSET_LISTPACK, "recent:", ":items");
    uint64_t members = gen_skewed(g, 2, 128);
    int64_t score = (int64_t)gen_between(g, 1700000000, 1800000000);
    pack_begin(&g->pack);
    for (uint64_t j = 0; j < members; j++) {
        pack_unique(g, j, 8, 24);
        pack_int(&g->pack, score += (int64_t)gen_between(g, 0, 5000));
    }
    emit_pack(g);
}

/* Highest score first, as servers write them. */
static void table_zset(struct gen *g, uint64_t members)
{
    emit_len(&g->out, members);
    for (uint64_t j = 0; j < members; j++) {
        unique_str(g, j, 8, 24);
        emit_double(&g->out, (double)(members - j) * 1.25);
    }
}

static void zset_ranking(struct gen *g)
{
    begin_named(g, TYPE_ZSET2, "ranking:", ":week");
    table_zset(g, gen_skewed(g, 129, 4500));
}

/* ---------------------------------------------------------------- streams */

#define STREAM_START UINT64_C(2208900000000) /* ms of the first entry */

/* Entry j has the id STREAM_START + j - 0. */
static void put_id(uint8_t *to, uint64_t entry)
{
    uint64_t ms = __builtin_bswap64(STREAM_START + entry);
    memcpy(to, &ms, 8);
    memset(to + 8, 0, 8);
}

static void emit_id(struct gen *g, uint64_t entry)
{
    uint8_t id[16];
    put_id(id, entry);
    emit_bytes(&g->out, id, sizeof id);
}

/* An entry with the master's fields: flags, distance to the node's id, values, number of items. Each tenth is deleted. */
static bool stream_entry_deleted(uint64_t entry)
{
    return entry % 10 == 9;
}

static void pack_stream_entry(struct gen *g, uint64_t entry, uint64_t master)
{
    pack_int(&g->pack, stream_entry_deleted(entry) ? 3 : 2);
    pack_int(&g->pack, (int64_t)(entry - master));
    pack_int(&g->pack, 0);
    pack_letters(g, 6, 16);
    pack_int(&g->pack, (int64_t)gen_skewed(g, 0, 100000000));
    pack_letters(g, 10, 30);
    pack_int(&g->pack, 6);
}

static void emit_stream_node(struct gen *g, uint64_t first, uint64_t entries)
{
    uint64_t deleted = 0;
    for (uint64_t j = first; j < first + entries; j++)
        deleted += stream_entry_deleted(j);
    pack_begin(&g->pack);
    pack_int(&g->pack, (int64_t)(entries - deleted));
    pack_int(&g->pack, (int64_t)deleted);
    pack_int(&g->pack, 3);
    pack_str(&g->pack, "event", 5);
    pack_str(&g->pack, "amount", 6);
    pack_str(&g->pack, "source", 6);
    pack_int(&g->pack, 0);
    for (uint64_t j = first; j < first + entries; j++)
        pack_stream_entry(g, j, first);
    uint8_t id[16];
    put_id(id, first);
    emit_raw(&g->out, id, sizeof id);
    emit_pack(g);
}

static void emit_consumer(struct gen *g, const char *name, uint64_t first, uint64_t pending)
{
    emit_text(&g->out, name);
    emit_le(&g->out, (uint64_t)GEN_CTIME * 1000, 8);
    if (g->version >= 11)
        emit_le(&g->out, (uint64_t)GEN_CTIME * 1000, 8); /* active time, type 21 */
    emit_len(&g->out, pending);
    for (uint64_t j = first; j < first + pending; j++)
        emit_id(g, j);
}

/* A group that has read all; the last `pending` entries are not acknowledged: half each of two consumers. */
static void emit_group(struct gen *g, const char *name, uint64_t entries, uint64_t pending)
{
    uint64_t first = entries - pending, half = pending / 2;
    emit_text(&g->out, name);
    emit_len(&g->out, STREAM_START + entries - 1);
    emit_len(&g->out, 0);
    emit_len(&g->out, entries);
    emit_len(&g->out, pending);
    for (uint64_t j = first; j < entries; j++) {
        emit_id(g, j);
        emit_le(&g->out, (uint64_t)GEN_CTIME * 1000, 8);
        emit_len(&g->out, 1);
    }
    emit_len(&g->out, 2);
    emit_consumer(g, "worker-1", first, half);
    emit_consumer(g, "worker-2", first + half, pending - half);
}

static uint8_t stream_type(const struct gen *g)
{
    return g->version >= 11 ? TYPE_STREAM3 : TYPE_STREAM2;
}

/* entries >= 1; an entry is at most 75 bytes, so 50 stay below a node's 4 KiB. */
static void stream_value(struct gen *g, uint64_t entries, uint64_t groups)
{
    static const char *const group_names[] = {"billing", "search", "mail", "audit"};
    const uint64_t a_node = 50;
    emit_len(&g->out, (entries + a_node - 1) / a_node);
    for (uint64_t done = 0; done < entries; done += a_node)
        emit_stream_node(g, done, entries - done < a_node ? entries - done : a_node);
    uint64_t deleted = entries / 10;
    emit_len(&g->out, entries - deleted);
    emit_len(&g->out, STREAM_START + entries - 1);
    emit_len(&g->out, 0);
    emit_len(&g->out, STREAM_START); /* first id: entry 0 is never deleted */
    emit_len(&g->out, 0);
    emit_len(&g->out, deleted ? STREAM_START + deleted * 10 - 1 : 0);
    emit_len(&g->out, 0);
    emit_len(&g->out, entries);
    emit_len(&g->out, groups);
    for (uint64_t i = 0; i < groups; i++)
        emit_group(g, group_names[i], entries, gen_between(g, 0, entries < 200 ? entries : 200));
}

static void stream_events(struct gen *g)
{
    begin_named(g, stream_type(g), "events:", ":log");
    uint64_t groups = gen_between(g, 0, 3);
    stream_value(g, gen_skewed(g, 1, 900), groups);
}

/* ---------------------------------------------------------------- mixes */

struct kind {
    unsigned permille;
    void (*write)(struct gen *g);
};

static void one_of(struct gen *g, const struct kind *kinds)
{
    unsigned r = (unsigned)gen_between(g, 0, 999);
    while (r >= kinds->permille) {
        r -= kinds->permille;
        kinds++;
    }
    kinds->write(g);
}

static void small_value(struct gen *g, const char *prefix, const char *suffix)
{
    begin_named(g, TYPE_STRING, prefix, suffix);
    letters_value(g, 24, 34);
}
static void small_name(struct gen *g)
{
    small_value(g, "user:", ":name");
}
static void small_email(struct gen *g)
{
    small_value(g, "user:", ":email");
}
static void small_session(struct gen *g)
{
    small_value(g, "session:", ":state");
}
static void small_cart(struct gen *g)
{
    small_value(g, "shop:cart:", ":items");
}

static void mix_small(struct gen *g)
{
    static const struct kind kinds[] = {
        {300, small_name}, {250, small_email}, {200, small_session}, {150, small_cart}, {100, string_counter}};
    one_of(g, kinds);
}

static void mix_mixed(struct gen *g)
{
    static const struct kind kinds[] = {{280, string_token}, {100, string_counter}, {150, string_json},
                                        {7, string_page},    {173, hash_profile},   {1, hash_index},
                                        {50, list_queue},    {60, set_ids},         {60, set_tags},
                                        {80, zset_recent},   {8, zset_ranking},     {31, stream_events}};
    one_of(g, kinds);
}

static void mix_lzf(struct gen *g)
{
    static const struct kind kinds[] = {{600, string_json}, {20, string_page}, {200, hash_profile}, {50, list_queue},
                                        {50, set_ids},      {40, zset_recent}, {40, stream_events}};
    one_of(g, kinds);
}

static void mix_streams(struct gen *g)
{
    begin_named(g, stream_type(g), "events:", ":log");
    uint64_t groups = gen_between(g, 0, 4);
    stream_value(g, gen_skewed(g, 1, 20000), groups);
}

static void big_hash(struct gen *g)
{
    begin_named(g, TYPE_HASH, "big:hash:", "");
    table_hash(g, g->elements);
}
static void big_zset(struct gen *g)
{
    begin_named(g, TYPE_ZSET2, "big:zset:", "");
    table_zset(g, g->elements);
}
static void big_set(struct gen *g)
{
    begin_named(g, TYPE_SET, "big:set:", "");
    table_set(g, g->elements, 8, 32);
}
static void big_list(struct gen *g)
{
    begin_named(g, TYPE_QUICKLIST2, "big:list:", "");
    quicklist(g, g->elements);
}

/* In turn, so that --keys=1 is one huge hash. */
static void mix_big(struct gen *g)
{
    static void (*const writers[])(struct gen * g) = {big_hash, big_zset, big_set, big_list};
    writers[g->index % 4](g);
}

static void mix_blobs(struct gen *g)
{
    begin_named(g, TYPE_STRING, "upload:", ":data");
    emit_len(&g->out, g->value_bytes);
    emit_fill(&g->out, (uint8_t)gen_random(g), g->value_bytes);
}

/* No two keys share what stands in front of their separator. */
static void mix_prefixes(struct gen *g)
{
    char *p = put_text(g->name, "p");
    char *end = gen_digits(p, gen_id(g), g->digits);
    for (; p < end; p++)
        *p = (char)(*p - '0' + 'a');
    p = put_text(end, ":v");
    gen_key(g, TYPE_STRING, g->name, (size_t)(p - g->name));
    emit_int(&g->out, (int64_t)gen_between(g, 0, 100000));
}

/* Hundreds of short parts, every separator anyone uses, most levels shared with nobody. */
static void mix_hostile_prefixes(struct gen *g)
{
    static const char separators[] = ":/.-_|;,";
    uint64_t parts = gen_between(g, 200, 500);
    char *p = gen_digits(g->name, gen_id(g), g->digits);
    for (uint64_t i = 0; i < parts; i++) {
        uint64_t r = gen_random(g);
        *p++ = separators[r & 1 ? 0 : r >> 1 & 7];
        gen_letters(g, p, 1 + (r >> 8) % 8);
        p += 1 + (r >> 8) % 8;
    }
    gen_key(g, TYPE_STRING, g->name, (size_t)(p - g->name));
    emit_int(&g->out, (int64_t)(g->index & 0xff));
}

#define MIB (UINT64_C(1) << 20)

const struct mix gen_mixes[] = {
    {"small", "small strings, some integers, a quarter expires", 8000000, 0, 0, 115, 25, false, mix_small},
    {"mixed", "an application's keys: every type and encoding", 500000, 0, 0, 4090, 30, false, mix_mixed},
    {"lzf", "documents and packs, compressed as rdbcompression does", 200000, 0, 0, 4100, 30, true, mix_lzf},
    {"streams", "streams with groups, consumers and pending entries", 2000, 0, 0, 278000, 0, false, mix_streams},
    {"big", "few huge collections of --elements: hash, zset, set, list", 4, 1000000, 0, 100, 0, false, mix_big},
    {"blobs", "strings of --value-bytes", 1000, 0, MIB, 100, 0, false, mix_blobs},
    {"prefixes", "every key has a prefix of its own", 50000000, 0, 0, 63, 0, false, mix_prefixes},
    {"hostile-prefixes", "names of hundreds of parts", 100000, 0, 0, 2180, 0, false, mix_hostile_prefixes},
    {0},
};

const struct mix *gen_find_mix(const char *name)
{
    for (const struct mix *m = gen_mixes; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}
