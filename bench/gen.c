#include "bench/gen.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TYPE_EXPIRE_MS = 252,
    OP_RESIZEDB = 251,
    OP_AUX = 250,
    OP_SELECTDB = 254,
    OP_EOF = 255,
    VERSION_VALKEY = 80, /* from here on the magic is Valkey's */
    SAMPLE_KEYS = 100000,
    SAMPLE_BYTES_LEAST = 8 << 20,
    SAMPLE_BYTES_MOST = 256 << 20,
    SAMPLE_ELEMENTS = 100000
};

/* ---------------------------------------------------------------- chance */

/* splitmix64's last step: a bijection, so different numbers stay different. */
uint64_t gen_hash(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t gen_skewed(struct gen *g, uint64_t lo, uint64_t hi)
{
    uint64_t u = gen_random(g) >> 32;
    uint64_t cube = (u * u >> 32) * u >> 32;
    return lo + (uint64_t)((unsigned __int128)(hi - lo + 1) * cube >> 32);
}

/* A bijection of the numbers below 2^bits: odd factors and shifts to the right can be undone. */
static uint64_t scramble(uint64_t x, uint64_t salt, unsigned bits)
{
    uint64_t mask = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
    unsigned half = bits / 2 + 1;
    x = (x + salt) * UINT64_C(0xd6e8feb86659fd93) & mask;
    x ^= x >> half;
    x = x * UINT64_C(0xd6e8feb86659fd93) & mask;
    return x ^ x >> half;
}

uint64_t gen_id(const struct gen *g)
{
    return scramble(g->index, g->seed, g->id_bits);
}

bool gen_expires(const struct gen *g, uint64_t index)
{
    return g->mix->ttl_percent > 0 && gen_hash(index ^ g->seed * 31) % 100 < g->mix->ttl_percent;
}

/* ---------------------------------------------------------------- text */

char *gen_digits(char *p, uint64_t v, int digits)
{
    for (int i = digits - 1; i >= 0; i--, v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + digits;
}

/* The eight nibbles of v as letters. */
static void put_letters(char *p, uint32_t v)
{
    uint64_t x = v;
    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    x += UINT64_C(0x6161616161616161);
    memcpy(p, &x, 8);
}

void gen_letters(struct gen *g, char *p, size_t n)
{
    for (size_t i = 0; i < n; i += 16) {
        uint64_t r = gen_random(g);
        put_letters(p + i, (uint32_t)r);
        if (i + 8 < n)
            put_letters(p + i + 8, (uint32_t)(r >> 32));
    }
}

void gen_unique(struct gen *g, uint64_t j, char *p, size_t n)
{
    put_letters(p, (uint32_t)scramble(j, g->index, 32));
    if (n > 8)
        gen_letters(g, p + 8, n - 8);
}

const char *gen_words(struct gen *g, size_t n)
{
    (void)n; /* the corpus lies there twice */
    return g->corpus + gen_random(g) % GEN_CORPUS;
}

static bool make_corpus(struct gen *g)
{
    static const char *const words[] = {"the",      "order",  "of",        "account", "status", "pending", "shipped",
                                        "customer", "street", "comment",   "item",    "red",    "blue",    "large",
                                        "price",    "in",     "warehouse", "and",     "update", "profile", "a",
                                        "image",    "to",     "category",  "title",   "with",   "version", "north",
                                        "delivery", "by",     "discount",  "member"};
    g->corpus = malloc((size_t)2 * GEN_CORPUS);
    if (!g->corpus)
        return false;
    g->rng = g->seed;
    size_t at = 0;
    while (at < GEN_CORPUS) {
        uint64_t r = gen_random(g);
        char text[32];
        int n = snprintf(text, sizeof text, "%s %.*s", words[r % 32], r >> 8 & 3 ? 0 : 5, "4711-");
        for (int i = 0; i < n && at < GEN_CORPUS; i++)
            g->corpus[at++] = text[i];
    }
    memcpy(g->corpus + GEN_CORPUS, g->corpus, GEN_CORPUS);
    return true;
}

/* ---------------------------------------------------------------- the file */

void gen_key(struct gen *g, uint8_t type, const char *name, size_t len)
{
    if (gen_expires(g, g->index)) {
        uint64_t in_ms = gen_between(g, 60000, 48 * UINT64_C(3600000)); /* a minute to two days */
        emit_u8(&g->out, TYPE_EXPIRE_MS);
        emit_le(&g->out, (uint64_t)GEN_CTIME * 1000 + in_ms, 8);
    }
    emit_u8(&g->out, type);
    emit_str(&g->out, name, len);
}

static void write_aux(struct gen *g, const char *name, const char *text, int64_t number)
{
    emit_u8(&g->out, OP_AUX);
    emit_text(&g->out, name);
    if (text)
        emit_text(&g->out, text);
    else
        emit_int(&g->out, number);
}

/* The first release that wrote this version of the format. */
static const char *server_version(int version)
{
    return version >= VERSION_VALKEY ? "9.0.0" : version >= 12 ? "7.4.1" : version == 11 ? "7.2.4" : "7.0.15";
}

/* What the server that never was would have used: within some per cent of what one that loads the file does. */
static uint64_t used_memory(const struct gen *g)
{
    const uint64_t startup = 923000, element = 68;
    return startup + g->keys * (g->mix->memory + g->elements * element + g->value_bytes * 5 / 4);
}

static void write_head(struct gen *g)
{
    bool valkey = g->version >= VERSION_VALKEY;
    char magic[32];
    snprintf(magic, sizeof magic, valkey ? "VALKEY%03d" : "REDIS%04d", g->version);
    emit_bytes(&g->out, magic, 9);
    write_aux(g, valkey ? "valkey-ver" : "redis-ver", server_version(g->version), 0);
    write_aux(g, "redis-bits", NULL, 64);
    write_aux(g, "ctime", NULL, GEN_CTIME);
    write_aux(g, "used-mem", NULL, (int64_t)used_memory(g));
    write_aux(g, "aof-base", NULL, 0);
}

static uint64_t count_expires(const struct gen *g)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < g->keys; i++)
        n += gen_expires(g, i);
    return n;
}

static void write_keys(struct gen *g, uint64_t keys, uint64_t most_bytes)
{
    uint64_t start = emit_tell(&g->out);
    for (g->index = 0; g->index < keys; g->index++) {
        g->rng = gen_hash(g->seed + g->index * UINT64_C(0xa0761d6478bd642f));
        g->mix->key(g);
        if (g->out.sys != 0 || emit_tell(&g->out) - start > most_bytes) {
            g->index++;
            return;
        }
    }
}

static void set_key_count(struct gen *g, uint64_t keys)
{
    g->keys = keys;
    g->id_bits = 1;
    g->digits = 1;
    while (g->id_bits < 62 && UINT64_C(1) << g->id_bits < keys)
        g->id_bits++;
    for (uint64_t most = UINT64_C(1) << g->id_bits; most >= 10; most /= 10)
        g->digits++;
}

bool gen_write(struct gen *g)
{
    set_key_count(g, g->keys);
    g->out.lzf = g->mix->lzf;
    write_head(g);
    if (g->keys > 0) {
        emit_u8(&g->out, OP_SELECTDB);
        emit_len(&g->out, 0);
        emit_u8(&g->out, OP_RESIZEDB);
        emit_len(&g->out, g->keys);
        emit_len(&g->out, count_expires(g));
        write_keys(g, g->keys, UINT64_MAX);
    }
    emit_u8(&g->out, OP_EOF);
    return emit_finish(&g->out);
}

static uint64_t sample_bytes(uint64_t size)
{
    return size < SAMPLE_BYTES_LEAST ? SAMPLE_BYTES_LEAST : size < SAMPLE_BYTES_MOST ? size : SAMPLE_BYTES_MOST;
}

void gen_plan_size(struct gen *g, uint64_t bytes)
{
    uint64_t elements = g->elements, keys = g->keys;
    /* Names grow with the number of keys: the sample has those of the largest file this could become. */
    set_key_count(g, bytes / 32 + 1);
    if (elements > SAMPLE_ELEMENTS)
        g->elements = SAMPLE_ELEMENTS;
    g->out.dry = true;
    g->out.lzf = g->mix->lzf;
    write_keys(g, elements > 0 ? keys : SAMPLE_KEYS, sample_bytes(bytes));
    double each = (double)emit_tell(&g->out) / (double)g->index;
    emit_rewind(&g->out);
    g->out.dry = false;
    if (elements > 0) {
        g->keys = keys;
        g->elements = (uint64_t)((double)bytes / (each * (double)g->keys) * (double)g->elements) + 1;
    } else {
        g->keys = (uint64_t)((double)bytes / each) + 1;
    }
}

bool gen_open(struct gen *g, int fd)
{
    g->pack.buf = malloc(PACK_ROOM);
    return g->pack.buf && make_corpus(g) && emit_open(&g->out, fd);
}

void gen_close(struct gen *g)
{
    emit_close(&g->out);
    free(g->pack.buf);
    free(g->corpus);
}
