/*
 * test_rdb_pack.c - ziplists, listpacks, intsets and zipmaps: built naively, walked whole and in pieces, and damaged.
 */
#include "rdb_build.h"

#include <stdbool.h>

static unsigned long long seed = 5;

/* ---------------------------------------------------------------- a cursor that gives its bytes in small pieces */

struct trickle {
    const uint8_t *data;
    size_t len, piece;
    uint8_t
        *copy; /* the bytes shown now, in memory of their own: reading beside them is reading beside an allocation */
};

static bool trickle_more(struct rdb_cursor *c, size_t need)
{
    struct trickle *t = c->ctx;
    uint64_t at = rdb_cursor_tell(c); /* the container counts from its own beginning: the place is what is left */
    size_t left = (size_t)(c->end - c->p) + (size_t)c->left, from = t->len - left;
    if (need > left || need > 65536)
        return false;
    size_t n = need > t->piece ? need : t->piece;
    if (n > left)
        n = left;
    free(t->copy);
    t->copy = malloc(n ? n : 1);
    memcpy(t->copy, t->data + from, n);
    c->base = at;
    c->p = c->start = t->copy;
    c->end = c->p + n;
    c->left = left - n;
    return true;
}

static void trickle_open(struct rdb_cursor *c, struct trickle *t)
{
    free(t->copy);
    t->copy = NULL;
    *c = (struct rdb_cursor){.left = t->len, .more = trickle_more, .ctx = t};
}

/* ---------------------------------------------------------------- good ones */

static uint64_t item_len(const struct item *it)
{
    char text[21];
    return it->s ? it->n : (uint64_t)rdb_ll2text(it->v, text);
}

static void check_entry(const char *what, size_t i, const struct item *want, const struct rdb_entry *e, bool whole)
{
    CHECK_MSG(e->len == item_len(want), "%s entry %zu: %" PRIu64, what, i, e->len);
    CHECK_MSG(e->is_int == !want->s, "%s entry %zu", what, i);
    if (!want->s)
        CHECK_MSG(e->num == want->v, "%s entry %zu: %" PRId64, what, i, e->num);
    else if (whole || e->data)
        CHECK_MSG(e->data && e->len == want->n && memcmp(e->data, want->s, want->n) == 0, "%s entry %zu", what, i);
    else
        CHECK_MSG(want->n > 65000, "%s entry %zu is not lent", what, i);
}

static void check_sum(const char *what, enum rdb_pack_kind kind, const struct rdb_cursor *c, size_t total,
                      const struct item *items, size_t n)
{
    struct rdb_pack k;
    struct rdb_pack_sum sum, want = {.entries = n};
    for (size_t i = 0; i < n; i++) {
        uint64_t len = item_len(&items[i]);
        want.payload += len;
        want.longest = len > want.longest ? len : want.longest;
    }
    bool open = rdb_pack_open(&k, kind, c, total);
    CHECK_MSG(open && rdb_pack_sum(&k, &sum) == 0, "%s: %s", what, k.damage);
    CHECK_MSG(memcmp(&sum, &want, sizeof sum) == 0, "%s: %" PRIu64 " entries, payload %" PRIu64 ", longest %" PRIu64,
              what, sum.entries, sum.payload, sum.longest);
}

static void check_walk(const char *what, enum rdb_pack_kind kind, const struct rdb_cursor *c, size_t total,
                       const struct item *items, size_t n, bool whole)
{
    struct rdb_pack k;
    struct rdb_entry e;
    CHECK_MSG(rdb_pack_open(&k, kind, c, total), "%s: %s", what, k.damage);
    for (size_t i = 0; i < n; i++) {
        int rc = rdb_pack_next(&k, &e);
        CHECK_MSG(rc == 1, "%s entry %zu: %s", what, i, k.damage);
        if (rc != 1)
            return;
        check_entry(what, i, &items[i], &e, whole);
    }
    CHECK_MSG(rdb_pack_next(&k, &e) == 0, "%s: %s", what, k.damage);
}

static void check_good(const char *what, enum rdb_pack_kind kind, const struct buf *b, const struct item *items,
                       size_t n)
{
    struct rdb_cursor c;
    uint8_t *exact = malloc(b->len); /* no room behind it */
    memcpy(exact, b->data, b->len);
    rdb_cursor_memory(&c, exact, b->len);
    check_walk(what, kind, &c, b->len, items, n, true);
    check_sum(what, kind, &c, b->len, items, n);
    static const size_t pieces[] = {4096, 1000, 7, 2, 1};
    for (size_t i = 0; i < 5 && (i < 2 || b->len < 20000); i++) {
        struct trickle t = {exact, b->len, pieces[i], NULL};
        trickle_open(&c, &t);
        check_walk(what, kind, &c, b->len, items, n, false);
        trickle_open(&c, &t);
        check_sum(what, kind, &c, b->len, items, n);
        free(t.copy);
    }
    free(exact);
}

/* Random items: all integer widths and all string head sizes, up to `longest`. */
static void random_items(struct item *items, size_t n, size_t longest, bool strings_only)
{
    static char *noise;
    if (!noise) {
        noise = malloc(200000);
        for (size_t i = 0; i < 200000; i++)
            noise[i] = (char)(check_random(&seed) | 0x80);
    }
    for (size_t i = 0; i < n; i++) {
        unsigned long long r = check_random(&seed);
        if (!strings_only && r % 2) {
            items[i] = item_int((int64_t)check_random(&seed) >> (r >> 8) % 64);
            continue;
        }
        size_t len = (size_t)(check_random(&seed) >> 20) % ((r >> 8) % 8 ? 20 : longest + 1);
        items[i] = (struct item){noise + (r >> 20) % 1000, len, 0};
    }
}

static void test_random(void)
{
    struct item items[300];
    for (int round = 0; round < 300; round++) {
        size_t n = (size_t)check_random(&seed) % 60 + (round % 10 == 0 ? 200 : 0), longest = round % 20 ? 300 : 70000;
        struct buf b = {0};
        random_items(items, n, longest, false);
        put_listpack(&b, items, n, round & 1);
        check_good("listpack", RDB_PACK_LISTPACK, &b, items, n);
        b.len = 0;
        put_ziplist(&b, items, n);
        check_good("ziplist", RDB_PACK_ZIPLIST, &b, items, n);
        b.len = 0;
        n &= ~(size_t)1;
        random_items(items, n, longest, true);
        put_zipmap(&b, items, n);
        check_good("zipmap", RDB_PACK_ZIPMAP, &b, items, n);
        buf_free(&b);
    }
}

static void test_intsets(void)
{
    for (unsigned width = 2; width <= 8; width *= 2) {
        struct item items[500];
        int64_t v[500], at = width == 2 ? -32768 : width == 4 ? INT32_MIN : INT64_MIN;
        uint64_t step = width == 2 ? 100 : width == 4 ? 8000000 : UINT64_C(36000000000000000);
        for (size_t n = 0; n <= 500; n = 2 * n + 1) {
            int64_t x = at;
            for (size_t i = 0; i < n; i++) {
                v[i] = x;
                items[i] = item_int(x);
                x = (int64_t)((uint64_t)x + 1 + check_random(&seed) % step);
            }
            struct buf b = {0};
            put_intset(&b, v, n, width);
            check_good("intset", RDB_PACK_INTSET, &b, items, n);
            buf_free(&b);
        }
    }
}

/* Sizes around every change of width, both generations of the listpack's backlen. */
static void test_boundaries(void)
{
    static const size_t at[] = {0,     1,     62,    63,    64,    125,   126,   127,   128,   251,
                                252,   253,   254,   255,   4094,  4095,  4096,  16376, 16377, 16378,
                                16379, 16380, 16383, 16384, 65528, 65535, 65536, 65537};
    char *s = calloc(1, 2097200);
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        struct item items[3] = {{s, at[i], 0}, item_int(-1), {s, at[i], 0}};
        struct buf b = {0};
        for (int later = 0; later < 2; later++) {
            b.len = 0;
            put_listpack(&b, items, 3, later);
            check_good("listpack", RDB_PACK_LISTPACK, &b, items, 3);
        }
        b.len = 0;
        put_ziplist(&b, items, 3);
        check_good("ziplist", RDB_PACK_ZIPLIST, &b, items, 3);
        items[1] = items[0];
        b.len = 0;
        put_zipmap(&b, items, 2);
        check_good("zipmap", RDB_PACK_ZIPMAP, &b, items, 2);
        buf_free(&b);
    }
    for (size_t n = 2097151 - 5 - 2; n <= 2097151 - 5 + 2; n++)
        for (int later = 0; later < 2; later++) {
            struct item items[2] = {{s, n, 0}, item_int(5)};
            struct buf b = {0};
            put_listpack(&b, items, 2, later);
            check_good("listpack 2 MiB", RDB_PACK_LISTPACK, &b, items, 2);
            buf_free(&b);
        }
    free(s);
}

/* 16383: the two forms are known byte by byte. */
static void test_backlen_bytes(void)
{
    struct buf b = {0};
    char s[16378] = "";
    struct item it = {s, sizeof s, 0};
    put_listpack(&b, &it, 1, false);
    CHECK(b.len == 6 + 16383 + 3 + 1 && memcmp(b.data + 6 + 16383, "\x00\xff\xff\xff", 4) == 0);
    b.len = 0;
    put_listpack(&b, &it, 1, true);
    CHECK(b.len == 6 + 16383 + 2 + 1 && memcmp(b.data + 6 + 16383, "\x7f\xff\xff", 3) == 0);
    buf_free(&b);
}

/* Counts that the header cannot say: walked to the end. */
static void test_unknown_counts(void)
{
    enum { N = 66000 };
    struct item *items = malloc(N * sizeof *items);
    for (size_t i = 0; i < N; i++)
        items[i] = item_int((int64_t)i);
    struct buf b = {0};
    put_listpack(&b, items, N, false);
    check_good("listpack of 66000", RDB_PACK_LISTPACK, &b, items, N);
    b.len = 0;
    put_ziplist(&b, items, N);
    check_good("ziplist of 66000", RDB_PACK_ZIPLIST, &b, items, N);
    b.len = 0;
    for (size_t i = 0; i < N; i++)
        items[i] = item_str("x");
    put_zipmap(&b, items, 600);
    check_good("zipmap of 300", RDB_PACK_ZIPMAP, &b, items, 600);
    b.len = 0;
    put_listpack(&b, items, 3, false);
    memset(b.data + 4, 255, 2); /* unknown though small */
    check_good("listpack of unknown count", RDB_PACK_LISTPACK, &b, items, 3);
    buf_free(&b);
    free(items);
}

/* ---------------------------------------------------------------- bad ones */

/* Walks whatever it is: never reads beside the bytes, ends, and the sum agrees with the walk. */
static int verdict(enum rdb_pack_kind kind, const uint8_t *data, size_t n)
{
    struct rdb_cursor c;
    struct rdb_pack k, k2;
    struct rdb_entry e;
    struct rdb_pack_sum sum, seen = {0};
    uint8_t *exact = malloc(n ? n : 1);
    memcpy(exact, data, n);
    rdb_cursor_memory(&c, exact, n);
    int rc = rdb_pack_open(&k, kind, &c, n) ? 1 : -1, rc2 = -1;
    while (rc == 1 && (rc = rdb_pack_next(&k, &e)) == 1) {
        seen.entries++;
        seen.payload += e.len;
        seen.longest = e.len > seen.longest ? e.len : seen.longest;
        CHECK(e.is_int || (e.data >= exact && e.len <= (size_t)(exact + n - e.data)));
    }
    rdb_cursor_memory(&c, exact, n);
    if (rdb_pack_open(&k2, kind, &c, n))
        rc2 = rdb_pack_sum(&k2, &sum);
    CHECK(rc == rc2 && (rc < 0) == (k.damage != NULL));
    CHECK(rc < 0 || memcmp(&sum, &seen, sizeof sum) == 0);
    if (rc < 0 && k.damage && k2.damage)
        CHECK_MSG(strcmp(k.damage, k2.damage) == 0 && k.damage_at == k2.damage_at, "%s / %s", k.damage, k2.damage);
    struct trickle t = {exact, n, 3, NULL};
    trickle_open(&c, &t);
    rc2 = rdb_pack_open(&k2, kind, &c, n) ? rdb_pack_sum(&k2, &sum) : -1;
    CHECK(rc == rc2);
    free(t.copy);
    free(exact);
    return rc;
}

static void put_kind(struct buf *b, enum rdb_pack_kind kind, struct item *items, size_t n)
{
    int64_t v[3] = {-5, 7, 1000};
    switch (kind) {
    case RDB_PACK_LISTPACK: put_listpack(b, items, n, false); break;
    case RDB_PACK_ZIPLIST: put_ziplist(b, items, n); break;
    case RDB_PACK_ZIPMAP: put_zipmap(b, items, n); break;
    default: put_intset(b, v, 3, 4); break;
    }
}

static void test_every_byte(void)
{
    for (int kind = RDB_PACK_ZIPMAP; kind <= RDB_PACK_LISTPACK; kind++) {
        struct item items[8];
        struct buf b = {0};
        random_items(items, 8, 80, kind == RDB_PACK_ZIPMAP);
        put_kind(&b, (enum rdb_pack_kind)kind, items, 8);
        CHECK(verdict((enum rdb_pack_kind)kind, b.data, b.len) == 0);
        for (size_t n = 0; n < b.len; n++)
            CHECK_MSG(verdict((enum rdb_pack_kind)kind, b.data, n) == -1, "kind %d cut at %zu", kind, n);
        for (size_t i = 0; i < b.len; i++)
            for (unsigned v = 0; v < 256; v++) {
                uint8_t was = b.data[i];
                b.data[i] = (uint8_t)v;
                (void)verdict((enum rdb_pack_kind)kind, b.data, b.len);
                b.data[i] = was;
            }
        put_u8(&b, 255);
        CHECK(verdict((enum rdb_pack_kind)kind, b.data, b.len) == -1);
        buf_free(&b);
    }
}

static void refuse(enum rdb_pack_kind kind, const char *bytes, size_t n, const char *why)
{
    struct rdb_cursor c;
    struct rdb_pack k;
    struct rdb_pack_sum sum;
    rdb_cursor_memory(&c, bytes, n);
    int rc = rdb_pack_open(&k, kind, &c, n) ? rdb_pack_sum(&k, &sum) : -1;
    CHECK_MSG(rc == -1 && k.damage && strcmp(k.damage, why) == 0, "%s: %s", why, k.damage ? k.damage : "accepted");
}

static void test_named_damage(void)
{
#define B(s) (s), sizeof(s) - 1
    refuse(RDB_PACK_LISTPACK, B("\x06\0\0\0\0\0"), "expected a listpack of at least 7 bytes");
    refuse(RDB_PACK_LISTPACK, B("\x08\0\0\0\0\0\xff"), "expected the listpack's own length");
    refuse(RDB_PACK_LISTPACK, B("\x07\0\0\0\1\0\xff"), "expected as many entries as the header says");
    refuse(RDB_PACK_LISTPACK, B("\x09\0\0\0\1\0\1\2\xff"), "expected the backlen of a listpack entry");
    refuse(RDB_PACK_LISTPACK, B("\x09\0\0\0\1\0\xf5\1\xff"), "expected the encoding of a listpack entry");
    refuse(RDB_PACK_LISTPACK, B("\x09\0\0\0\1\0\xbf\1\xff"), "expected a listpack entry within the blob");
    refuse(RDB_PACK_LISTPACK, B("\x0d\0\0\0\1\0\xf0\xff\xff\xff\xff\1\xff"),
           "expected a listpack entry within the blob");
    refuse(RDB_PACK_LISTPACK, B("\x08\0\0\0\0\0\xff\xff"), "expected the end at the last byte");
    refuse(RDB_PACK_ZIPLIST, B("\x0a\0\0\0\x0a\0\0\0\0\0"), "expected a ziplist of at least 11 bytes");
    refuse(RDB_PACK_ZIPLIST, B("\x0c\0\0\0\x0a\0\0\0\0\0\xff"), "expected the ziplist's own length");
    refuse(RDB_PACK_ZIPLIST, B("\x0b\0\0\0\x0b\0\0\0\0\0\xff"), "expected the offset of the last ziplist entry");
    refuse(RDB_PACK_ZIPLIST, B("\x0d\0\0\0\x0a\0\0\0\1\0\1\xf2\xff"),
           "expected the length of the ziplist entry before");
    refuse(RDB_PACK_ZIPLIST, B("\x0d\0\0\0\x0a\0\0\0\1\0\0\xc1\xff"), "expected the encoding of a ziplist entry");
    refuse(RDB_PACK_ZIPLIST, B("\x0d\0\0\0\x0a\0\0\0\1\0\0\x3f\xff"), "expected a ziplist entry within the blob");
    refuse(RDB_PACK_ZIPLIST, B("\x0d\0\0\0\x0a\0\0\0\2\0\0\xf2\xff"), "expected as many entries as the header says");
    refuse(RDB_PACK_INTSET, B("\2\0\0\0\0\0\0"), "expected an intset of at least 8 bytes");
    refuse(RDB_PACK_INTSET, B("\3\0\0\0\0\0\0\0"), "expected an intset width of 2, 4 or 8");
    refuse(RDB_PACK_INTSET, B("\2\0\0\0\xff\xff\xff\xff\1\0"),
           "expected as many bytes as the intset's count and width say");
    refuse(RDB_PACK_INTSET, B("\2\0\0\0\2\0\0\0\1\0\1\0"), "expected ascending intset values");
    refuse(RDB_PACK_ZIPMAP, B("\0"), "expected a zipmap of at least 2 bytes");
    refuse(RDB_PACK_ZIPMAP, B("\1\1a\xff"), "expected a value, the zipmap ends");
    refuse(RDB_PACK_ZIPMAP, B("\1\1a\1\0b\1\xff"), "expected a zipmap entry within the blob");
    refuse(RDB_PACK_ZIPMAP, B("\2\1a\1\0b\xff"), "expected as many entries as the header says");
    refuse(RDB_PACK_NONE, B("\0\0"), "expected a packed container");
#undef B
}

/* The empty containers. */
static void test_empty(void)
{
    CHECK(verdict(RDB_PACK_LISTPACK, (const uint8_t *)"\7\0\0\0\0\0\xff", 7) == 0);
    CHECK(verdict(RDB_PACK_ZIPLIST, (const uint8_t *)"\x0b\0\0\0\x0a\0\0\0\0\0\xff", 11) == 0);
    CHECK(verdict(RDB_PACK_ZIPMAP, (const uint8_t *)"\0\xff", 2) == 0);
}

int main(void)
{
    test_random();
    test_intsets();
    test_boundaries();
    test_backlen_bytes();
    test_unknown_counts();
    test_every_byte();
    test_named_damage();
    test_empty();
    return check_result();
}
