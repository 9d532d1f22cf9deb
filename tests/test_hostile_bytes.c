/*
 * test_hostile_bytes.c - small dumps of every type, cut at every byte and damaged at every byte, through parser and analyzer.
 *
 * Whatever comes in, an analysis must end soon, in bounded memory, with figures that are in proportion to the input, and
 * either be complete or say where it broke off. Each run is priced for another server, so that every rebuild function
 * sees damage; the sanitizer build runs the same.
 */
#include "rdb_build.h"

#include <time.h>

#include "analyzer/analysis.h"
#include "analyzer/config.h"
#include "analyzer/profile.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif

enum {
    LONGEST = 70,             /* of the strings in the samples */
    SECONDS_MAX = 5,          /* for one small input: hundreds of times what it takes */
    PEAK_KIB_MAX = 128 * 1024 /* of the whole test program */
};
static const uint64_t BYTES_MAX = UINT64_C(1) << 30; /* no dump of a few KB prices above it */

/* Large blocks come and go here by the hundred thousand: without this most of the time is the kernel's. */
/* NOLINTBEGIN(cert-dcl37-c): the name under which the sanitizer looks for it */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=1:allocator_release_to_os_interval_ms=-1";
}
/* NOLINTEND(cert-dcl37-c) */

/* ---------------------------------------------------------------- modules by name */

static uint64_t module_id(const char *name, unsigned encver)
{
    static const char symbols[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint64_t id = 0;
    for (unsigned i = 0; i < 9; i++)
        id = id << 6 | (uint64_t)(strchr(symbols, name[i]) - symbols);
    return id << 10 | encver;
}

/* A key of this module type. Items are words: uN and sN numbers, d a double, bTEXT a string. */
static void put_module(struct buf *b, const char *name, unsigned encver, const char *items)
{
    put_u8(b, 7);
    put_str(b, name);
    put_len(b, module_id(name, encver));
    while (*items) {
        size_t len = strcspn(items, " ");
        switch (*items) {
        case 's':
        case 'u':
            put_len(b, *items == 's' ? 1 : 2);
            put_len(b, strtoull(items + 1, NULL, 0));
            break;
        case 'd':
            put_len(b, 4);
            put_double(b, 0.5);
            break;
        default:
            put_len(b, 5);
            put_strn(b, items + 1, len - 1);
            break;
        }
        items += len + (items[len] == ' ');
    }
    put_len(b, 0);
}

static void put_modules(struct buf *b)
{
#define BITS "b0123456789abcdef"
    put_module(b, "ReJSON-RL", 3, "b{\"a\":[1,2.5,true,null,\"t\\u00e9xt\",{\"b\":[]}],\"c\":\"x\"}");
    put_module(b, "ReJSON-RL", 0, "u32 u1 u128 bname u64 u2 u2 btext u16 b1");
    put_module(b, "TSDB-TYPE", 7,
               "bts u1000 u4096 u0 u5 d u100 u0 u0 u1 blabel bvalue u0 u1 "
               "u16 u3 u0 u7 u1 u2 u1 u9 u3 u2 " BITS);
    put_module(b, "MBbloom--", 4, "u10 u2 u0 u2 u100 d u7 d u128 u4 " BITS " u5 u200 d u8 d u128 u4 " BITS " u5");
    put_module(b, "MBbloomCF", 4, "u2 u8 u5 u0 u2 u20 u1 u8 " BITS " u8 " BITS);
    put_module(b, "CMSk-TYPE", 0, "u2 u2 u9 " BITS);
    put_module(b, "TopK-TYPE", 0, "u2 u1 u2 d " BITS " bheap bone btwo");
    put_module(b, "TDIS-TYPE", 0, "d d d s10 s2 s0 s1 d d d d d d");
    put_module(b, "bloomfltr", 1, "u1 u2 d d u0 " BITS " u100 u5");
    put_module(b, "exstrtype", 1, "u1 u0 " BITS);
    put_module(b, "tairhash-", 0, "u1 bkey bfield u1 u0 bvalue");
    put_module(b, "tairzset_", 0, "u1 u1 bmember d");
    put_module(b, "vectorset", 0,
               "u2 u2 u0x1000 u2 bone b{} b12345678 u6 u1 u0 u1 u32 u2 u0 "
               "btwo b b12345678 u6 u2 u0 u1 u32 u1 u0");
    put_module(b, "some-type", 5, "u1 s2 d " BITS);
#undef BITS
}

/* Hints and attributes, and keys that they belong to. */
static void put_hints(struct buf *b, int version)
{
    put_u8(b, 254);
    put_len(b, 5);
    put_u8(b, 251);
    put_len(b, 3);
    put_len(b, 1);
    put_u8(b, 244);
    put_len(b, 12182);
    put_len(b, 1);
    put_len(b, 1);
    put_u8(b, 250);
    put_str(b, "slot-info");
    put_str(b, "12182,1,1,0");
    put_u8(b, 252);
    put_le(b, 1800000000000, 8);
    put_u8(b, 249);
    put_u8(b, 255);
    if (version < 80) {
        put_u8(b, 107);
        put_len(b, 7);
    }
    put_u8(b, 0);
    put_str(b, "foo");
    put_str(b, "bar");
    put_u8(b, 250);
    put_str(b, "lua");
    put_str(b, "return redis.call('get', KEYS[1])");
}

/* Everything that this version can hold. */
static void put_all(struct buf *b, int version)
{
    put_sample(b, version, LONGEST + ((unsigned)version & 1));
    b->len -= version >= 5 ? 9 : 1;
    if (version >= 7)
        put_hints(b, version);
    if (version >= 8)
        put_modules(b);
    put_footer(b, version);
}

/* ---------------------------------------------------------------- one run */

struct outcome {
    enum rdb_err kind;
    bool complete;
    uint64_t keys, damaged, offset;
    char text[192];
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void count_key(void *ctx, const struct key_report *k)
{
    uint64_t *keys = ctx;
    ++*keys;
    CHECK(k->type < RDB_T_COUNT && k->encoding < ENC_COUNT);
    CHECK_MSG(k->bytes < BYTES_MAX && k->memory_usage < BYTES_MAX, "%.*s: %" PRIu64 " %" PRIu64, (int)k->name_len,
              (const char *)k->name, k->bytes, k->memory_usage);
}

static void check_figures(const struct analysis *a, const char *what)
{
    const struct ledger *l = &a->ledger;
    /* not the keyspace: where a size hint is damaged, a server makes as large a table as it says */
    CHECK_MSG(l->used_memory - l->keyspace < BYTES_MAX && l->keyspace < UINT64_C(1) << 50,
              "%s: used_memory %" PRIu64 " (keys %" PRIu64 ", keyspace %" PRIu64 ")", what, l->used_memory, l->keys,
              l->keyspace);
    CHECK_MSG(a->total.bytes < BYTES_MAX, "%s: %" PRIu64 " bytes of keys", what, a->total.bytes);
    CHECK_MSG(l->used_memory == l->used_memory_startup + l->keys + l->keyspace + l->functions + l->client,
              "%s: the ledger", what);
}

/* The n-th run: for another server each time. */
static struct outcome run(const uint8_t *data, size_t len, unsigned n, const char *what)
{
    struct memory_reader m = {data, len, 0};
    struct outcome out = {RDB_OK, false, 0, 0, 0, ""};
    struct analysis a;
    uint64_t keys = 0;
    static const size_t windows[] = {512, 4096, 0, 4096, 4096};
    char target[64] = "", err[256] = "";
    const char *family, *version;
    double began = now();
    size_t servers = profile_count() + 1;
    if (n % servers) {
        profile_name(n % servers - 1, &family, &version);
        snprintf(target, sizeof target, "%s:%s", family, version);
    }
    struct analyze_options o = {.target = target[0] ? target : NULL,
                                .top = 3,
                                .big_bytes = 1000,
                                .big_elements = 10,
                                .big_element = 50,
                                .load_as = (enum load_as)(n % 3),
                                .now_ms = INT64_C(1700000000000),
                                .skip_damaged = n & 1,
                                .want_largest = n & 2,
                                .want_slot = n & 4,
                                .no_forecast = n % 16 != 0, /* it costs more than the rest together */
                                .on_key = count_key,
                                .on_key_ctx = &keys};
    rdb_parser *p = rdb_open_reader(memory_read, &m, &(struct rdb_options){.window = windows[n % 5]});
    bool usable = analyze(p, "memory", &o, &a, err);
    CHECK_MSG(usable, "%s: %s", what, err);
    if (usable) {
        out =
            (struct outcome){a.file.error.kind, a.file.complete, a.total.keys, a.damaged_keys, a.file.error.offset, ""};
        memcpy(out.text, a.file.error.expected, sizeof out.text);
        CHECK(keys == a.total.keys);
        CHECK(a.file.complete == (a.file.error.kind == RDB_OK));
        CHECK_MSG(a.file.error.kind == RDB_OK || a.file.error.expected[0], "%s: no text", what);
        check_figures(&a, what);
    }
    analysis_free(&a);
    rdb_close(p);
    CHECK_MSG(now() - began < SECONDS_MAX, "%s: took %.1f s", what, now() - began);
    return out;
}

/* ---------------------------------------------------------------- the dumps, cut and damaged */

/* A copy that ends with its allocation, so that a read behind it is seen. */
static struct outcome run_copy(const struct buf *b, size_t len, unsigned n, const char *what)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    memcpy(copy, b->data, len);
    struct outcome out = run(copy, len, n, what);
    free(copy);
    return out;
}

static void test_whole(int version)
{
    struct buf b = {0};
    char what[64];
    put_all(&b, version);
    for (unsigned n = 0; n < 2 * (profile_count() + 1); n++) {
        snprintf(what, sizeof what, "version %d, run %u", version, n);
        struct outcome out = run_copy(&b, b.len, n, what);
        CHECK_MSG(out.complete && out.keys > 3 && out.damaged == 0,
                  "%s: %s, %" PRIu64 " keys, %" PRIu64 " damaged, at %" PRIu64, what, rdb_err_name(out.kind), out.keys,
                  out.damaged, out.offset);
    }
    buf_free(&b);
}

static void test_cut(int version, size_t step)
{
    struct buf b = {0};
    char what[64];
    uint64_t keys = 0;
    put_all(&b, version);
    for (size_t cut = 0; cut < b.len; cut += step) {
        snprintf(what, sizeof what, "version %d, cut at %zu", version, cut);
        struct outcome out = run_copy(&b, cut, (unsigned)cut, what);
        CHECK_MSG(!out.complete, "%s: complete", what);
        CHECK_MSG(out.kind == (cut == 0 ? RDB_ERR_MAGIC : RDB_ERR_TRUNCATED), "%s: %s: %s", what,
                  rdb_err_name(out.kind), out.text);
        CHECK_MSG(out.offset <= cut, "%s: the error is at %" PRIu64 ": %s", what, out.offset, out.text);
        CHECK_MSG(out.keys == keys || out.keys == keys + 1, "%s: %" PRIu64 " keys after %" PRIu64, what, out.keys,
                  keys);
        keys = out.keys;
    }
    buf_free(&b);
}

/* So many values a byte that mean something at some place: ends, string forms, long lengths, opcodes, and near misses. */
static void test_damaged(int version, size_t each)
{
    static const uint8_t fixed[] = {0x81, 0x00, 0xff, 0x80, 0xc3, 0x7f, 0x01};
    struct buf b = {0};
    char what[64];
    unsigned n = 0, broken = 0;
    put_all(&b, version);
    for (size_t at = 0; at < b.len; at++) {
        uint8_t was = b.data[at];
        uint8_t values[10] = {(uint8_t)(was + 1), (uint8_t)(was - 1), was ^ 0x40};
        memcpy(values + 3, fixed, sizeof fixed);
        for (size_t k = 0; k < each; k++) {
            uint8_t value = values[(at * each + k) % sizeof values];
            if (value == was)
                continue;
            b.data[at] = value;
            snprintf(what, sizeof what, "version %d, byte %zu = %02x", version, at, value);
            struct outcome out = run_copy(&b, b.len, n++, what);
            CHECK_MSG(out.complete || out.offset <= b.len, "%s: the error is at %" PRIu64, what, out.offset);
            CHECK_MSG(version < 5 || !out.complete || at >= b.len - 8, "%s: not noticed", what);
            broken += !out.complete;
        }
        b.data[at] = was;
    }
    printf("version %d: %zu bytes, %u damages, %u noticed\n", version, b.len, n, broken);
    buf_free(&b);
}

/* ---------------------------------------------------------------- memory */

static long peak_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (f)
        fclose(f);
    return kib;
}

int main(void)
{
    static const int versions[] = {1, 6, 9, 11, 15, 80, 81};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        test_whole(versions[i]);
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        bool newest = versions[i] == 15 || versions[i] == 80 || versions[i] == 9; /* between them they have all types */
        if (SANITIZED && !newest)
            continue;
        test_cut(versions[i], SANITIZED ? 3 : 1);
        test_damaged(versions[i], SANITIZED ? 1 : newest ? 10 : 3);
    }
    long peak = peak_kib();
    printf("peak memory: %ld KiB\n", peak);
    CHECK_MSG(SANITIZED || peak < PEAK_KIB_MAX, "%ld KiB", peak);
    return check_result();
}
