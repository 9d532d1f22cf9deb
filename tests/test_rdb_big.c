/*
 * test_rdb_big.c - what does not fit: elements around and beyond the window, LZF beyond its scratch, containers with
 * long entries, long key names, values of more than 4 GiB, counts that are lies.
 */
#include "rdb_build.h"

enum { WINDOW = 256 * 1024, MOST = 6 * 1024 * 1024 };

static uint8_t *text; /* MOST bytes that LZF makes about half as long */
static uint8_t *dull; /* MOST bytes that it makes very short */

static void make_texts(void)
{
    unsigned long long seed = 7;
    text = malloc(MOST);
    dull = malloc(MOST);
    for (size_t i = 0; i < MOST; i++) {
        text[i] = i % 16 < 8 ? (uint8_t)check_random(&seed) : text[i - 8];
        dull[i] = (uint8_t)(i >> 14);
    }
}

/* One value of one element that many bytes long, raw and LZF, all its bytes read in steps. */
static void check_string(size_t n, bool lzf, const uint8_t *bytes, size_t step)
{
    struct buf dump = {0}, t = {0}, want = {0};
    put_magic(&dump, 11);
    put_u8(&dump, 2);
    put_str(&dump, "set");
    put_len(&dump, 3);
    put_str(&dump, "before");
    if (lzf)
        put_lzf(&dump, bytes, n);
    else
        put_strn(&dump, bytes, n);
    put_str(&dump, "behind");
    put_u8(&dump, 255);
    put_le(&dump, rdb_crc64(0, dump.data, dump.len), 8);
    say(&want, "key db=0 set name=set n=3 ITEM=before ITEM=<%zu:%016" PRIx64 "> ITEM=behind\neof\n", n,
        rdb_crc64(0, bytes, n));
    for (size_t batch = 1; batch < 8; batch += 3) {
        tell_memory(&t, &dump, NULL, (struct telling){.batch = batch, .step = step, .no_offsets = true});
        CHECK_MSG(strcmp((char *)t.data, (char *)want.data) == 0, "%zu bytes, lzf %d: %s", n, lzf, (char *)t.data);
    }
    CHECK(drain_memory(&dump, NULL, 0) == RDB_OK && drain_memory(&dump, NULL, 8) == RDB_OK);
    buf_free(&dump);
    buf_free(&t);
    buf_free(&want);
}

static void test_strings(void)
{
    static const size_t sizes[] = {WINDOW / 2 - 20, WINDOW / 2 - 1, WINDOW / 2, WINDOW / 2 + 1, WINDOW - 1, WINDOW,
                                   WINDOW + 1,      1048575,        1048576,    1048577,        MOST};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_string(sizes[i], false, text, i % 2 ? 65536 : 1000);
        check_string(sizes[i], true, text, i % 2 ? 1000 : 65536);
        check_string(sizes[i], true, dull, i % 2 ? 65536 : 4097);
    }
}

/* ---------------------------------------------------------------- containers */

static void check_container(unsigned type, enum rdb_pack_kind kind, const struct item *items, size_t n, bool lzf)
{
    struct buf dump = {0}, blob = {0}, t = {0}, want = {0};
    put_magic(&dump, 11);
    put_u8(&dump, type);
    put_str(&dump, "c");
    if (kind == RDB_PACK_LISTPACK)
        put_listpack(&blob, items, n, false);
    else if (kind == RDB_PACK_ZIPLIST)
        put_ziplist(&blob, items, n);
    else
        put_zipmap(&blob, items, n);
    if (lzf)
        put_lzf(&dump, blob.data, blob.len);
    else
        put_strn(&dump, blob.data, blob.len);
    put_u8(&dump, 255);
    put_le(&dump, rdb_crc64(0, dump.data, dump.len), 8);
    for (size_t i = 0; i < n; i++) {
        say(&want, i ? " " : "{");
        if (!items[i].s)
            say(&want, "%" PRId64, items[i].v);
        else if (items[i].n > 65000)
            say(&want, "<%zu>", items[i].n);
        else
            say_bytes(&want, (const uint8_t *)items[i].s, items[i].n, rdb_crc64(0, items[i].s, items[i].n));
    }
    say(&want, "}\neof\n");
    tell_memory(&t, &dump, NULL, (struct telling){.batch = 8, .no_offsets = true});
    const char *found = strchr((char *)t.data, '{');
    CHECK_MSG(found && strcmp(found, (char *)want.data) == 0, "type %u, %zu bytes, lzf %d: %.300s", type, blob.len, lzf,
              (char *)t.data);
    CHECK(drain_memory(&dump, NULL, 4) == RDB_OK && drain_memory(&dump, NULL, 0) == RDB_OK);
    buf_free(&dump);
    buf_free(&blob);
    buf_free(&t);
    buf_free(&want);
}

static void test_containers(void)
{
    enum { N = 4000 };
    static struct item items[N];
    for (size_t i = 0; i < N; i++) {
        size_t len = i % 97 == 5 ? 100000 : i % 31 == 7 ? 65529 : i % 100;
        items[i] = (struct item){(const char *)text + i, len, 0};
    }
    static const size_t counts[] = {4, 6, 20, 60, 2000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (int lzf = 0; lzf < 2; lzf++) {
            check_container(16, RDB_PACK_LISTPACK, items, counts[i], lzf);
            check_container(13, RDB_PACK_ZIPLIST, items, counts[i], lzf);
            check_container(9, RDB_PACK_ZIPMAP, items, counts[i], lzf);
        }
    for (size_t i = 0; i < N; i++)
        items[i] = i % 2 ? item_int((int64_t)i * 1000003) : (struct item){(const char *)text + i, i % 300, 0};
    check_container(16, RDB_PACK_LISTPACK, items, N, false);
    check_container(16, RDB_PACK_LISTPACK, items, N, true);
    check_container(13, RDB_PACK_ZIPLIST, items, N, false);
}

/* Values too long for the window, with their expiry behind them: it comes on its own. */
static void test_late_expiry(void)
{
    struct buf dump = {0}, t = {0}, want = {0};
    put_magic(&dump, 80);
    put_u8(&dump, 22);
    put_str(&dump, "h");
    put_len(&dump, 3);
    for (unsigned i = 0; i < 3; i++) {
        put_str(&dump, "f");
        put_strn(&dump, text, i == 1 ? 300000 : 30);
        put_le(&dump, i == 2 ? UINT64_MAX : UINT64_C(1700000000000) + i, 8);
    }
    put_u8(&dump, 255);
    put_le(&dump, rdb_crc64(0, dump.data, dump.len), 8);
    uint64_t crc_short = rdb_crc64(0, text, 30), crc_long = rdb_crc64(0, text, 300000);
    say(&want,
        "key db=0 hash-2 name=h n=3 FIELD=f VALUE(1700000000000)=<30:%016" PRIx64 "> FIELD=f VALUE(%" PRId64
        ")=<300000:%016" PRIx64 "> NUMBER=1700000000001 FIELD=f VALUE(0)=<30:%016" PRIx64 ">\neof\n",
        crc_short, INT64_MIN, crc_long, crc_short);
    for (size_t batch = 1; batch < 8; batch++) {
        tell_memory(&t, &dump, NULL, (struct telling){.batch = batch, .no_offsets = true});
        CHECK_MSG(strcmp((char *)t.data, (char *)want.data) == 0, "%s", (char *)t.data);
    }
    CHECK(drain_memory(&dump, NULL, 0) == RDB_OK && drain_memory(&dump, NULL, 3) == RDB_OK);
    dump.len = 0;
    put_magic(&dump, 9); /* Dragonfly's: decimal text behind the value */
    put_u8(&dump, 250);
    put_str(&dump, "df-ver");
    put_str(&dump, "1");
    put_u8(&dump, 32);
    put_str(&dump, "s");
    put_len(&dump, 2);
    put_strn(&dump, text, 300000);
    put_str(&dump, "60");
    put_strn(&dump, text, 30);
    put_text(&dump, "\xc0\xff");
    put_u8(&dump, 255);
    put_le(&dump, 0, 8);
    tell_memory(&t, &dump, NULL, (struct telling){.batch = 5, .no_offsets = true});
    want.len = 0;
    say(&want,
        "aux name=df-ver value=1\nkey db=0 set-with-expiry name=s n=2 ITEM(%" PRId64 ")=<300000:%016" PRIx64
        "> NUMBER=1675209660000 ITEM(0)=<30:%016" PRIx64 ">\neof\n",
        INT64_MIN, crc_long, crc_short);
    CHECK_MSG(strcmp((char *)t.data, (char *)want.data) == 0, "%s", (char *)t.data);
    buf_free(&dump);
    buf_free(&t);
    buf_free(&want);
}

/* Elements beyond the window can be held whole, and then opened again and again. */
static void test_hold(void)
{
    static const size_t sizes[] = {100, WINDOW, 1000000, MOST};
    struct buf dump = {0};
    put_magic(&dump, 11);
    put_u8(&dump, 2);
    put_str(&dump, "s");
    put_len(&dump, 8);
    for (size_t i = 0; i < 4; i++) {
        put_strn(&dump, text, sizes[i]);
        put_lzf(&dump, text, sizes[i]);
    }
    put_u8(&dump, 255);
    put_le(&dump, rdb_crc64(0, dump.data, dump.len), 8);
    struct memory_reader m = {dump.data, dump.len, 0};
    struct rdb_options o = {.read_size = 50000};
    rdb_parser *p = rdb_open_reader(memory_read, &m, &o);
    struct rdb_event ev;
    struct rdb_element e;
    struct rdb_cursor c;
    bool more = rdb_next(p, &ev) == RDB_EV_KEY;
    for (size_t i = 0; i < 8; i++) {
        CHECK(more && rdb_elements(p, &e, 1, &more) == 1 && e.len == sizes[i / 2]);
        CHECK(rdb_element_hold(p, &e));
        for (int round = 0; round < 3; round++) {
            CHECK(rdb_element_open(p, &e, &c) && rdb_cursor_need(&c, 60) && memcmp(c.p, text, 60) == 0);
            CHECK(rdb_cursor_skip(&c, e.len - 10) && rdb_cursor_need(&c, 10) &&
                  memcmp(c.p, text + e.len - 10, 10) == 0);
        }
    }
    CHECK(!more && rdb_next(p, &ev) == RDB_EV_EOF && rdb_info(p)->crc == RDB_CRC_OK);
    rdb_close(p);
    buf_free(&dump);
}

/* A template's names in a listpack of unknown count, and of one too long to be looked at twice. */
static void test_template_names(void)
{
    for (int round = 0; round < 3; round++) {
        struct buf dump = {0}, names = {0};
        struct item items[3] = {item_str("a"), {(const char *)text, round == 2 ? 200000 : 5, 0}, item_str("c")};
        put_listpack(&names, items, 3, false);
        memset(names.data + 4, 255, 2);
        put_magic(&dump, 15);
        put_u8(&dump, 31);
        put_str(&dump, "k");
        put_len(&dump, 0);
        if (round == 1)
            names.data[6] = 0xf9; /* damaged */
        put_strn(&dump, names.data, names.len);
        for (int i = 0; i < 3; i++)
            put_str(&dump, "v");
        put_u8(&dump, 255);
        put_le(&dump, 0, 8);
        enum rdb_err want = round == 0 ? RDB_OK : round == 1 ? RDB_ERR_CORRUPT : RDB_ERR_LIMIT;
        CHECK(drain_memory(&dump, NULL, 0) == want && drain_memory(&dump, NULL, 2) == want);
        buf_free(&dump);
        buf_free(&names);
    }
}

/* ---------------------------------------------------------------- names and texts */

static void check_name(size_t n, bool lzf, size_t limit)
{
    struct buf dump = {0};
    struct rdb_event ev;
    put_magic(&dump, 11);
    put_u8(&dump, 0);
    if (lzf)
        put_lzf(&dump, text, n);
    else
        put_strn(&dump, text, n);
    put_str(&dump, "value");
    put_u8(&dump, 0);
    put_str(&dump, "next");
    put_str(&dump, "x");
    put_u8(&dump, 255);
    put_le(&dump, rdb_crc64(0, dump.data, dump.len), 8);
    struct memory_reader m = {dump.data, dump.len, 0};
    struct rdb_options o = {.key_limit = limit, .read_size = 100000};
    rdb_parser *p = rdb_open_reader(memory_read, &m, &o);
    size_t lent = n < (limit ? limit : 8388608) ? n : (limit ? limit : 8388608);
    CHECK_MSG(rdb_next(p, &ev) == RDB_EV_KEY, "%zu: %s", n, rdb_error(p)->expected);
    CHECK_MSG(ev.key.name.full_len == n && ev.key.name.len == lent && memcmp(ev.key.name.data, text, lent) == 0,
              "%zu bytes, lzf %d: %zu of %" PRIu64, n, lzf, ev.key.name.len, ev.key.name.full_len);
    struct rdb_element e;
    bool more;
    CHECK(rdb_elements(p, &e, 1, &more) == 1 && e.len == 5 && !more && memcmp(e.data, "value", 5) == 0);
    CHECK(rdb_next(p, &ev) == RDB_EV_KEY && ev.key.name.len == 4 && memcmp(ev.key.name.data, "next", 4) == 0);
    CHECK(rdb_next(p, &ev) == RDB_EV_EOF && rdb_info(p)->crc == RDB_CRC_OK);
    rdb_close(p);
    buf_free(&dump);
}

static void test_names(void)
{
    static const size_t sizes[] = {0,
                                   1,
                                   30,
                                   63,
                                   64,
                                   16383,
                                   16384,
                                   WINDOW / 2 - 49,
                                   WINDOW / 2 - 1,
                                   WINDOW / 2,
                                   WINDOW / 2 + 1,
                                   WINDOW,
                                   WINDOW + 1,
                                   1048576,
                                   1048577,
                                   MOST};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int lzf = 0; lzf < 2; lzf++) {
            check_name(sizes[i], lzf, 0);
            check_name(sizes[i], lzf, 100);
            check_name(sizes[i], lzf, 300000);
        }
}

/* A function's source beyond half a window is cut, and said to be. */
static void test_texts(void)
{
    for (int lzf = 0; lzf < 2; lzf++) {
        struct buf dump = {0};
        struct rdb_event ev;
        put_magic(&dump, 11);
        put_u8(&dump, 245);
        if (lzf)
            put_lzf(&dump, text, MOST);
        else
            put_strn(&dump, text, MOST);
        put_u8(&dump, 245);
        if (lzf)
            put_lzf(&dump, text, 150000);
        else
            put_strn(&dump, text, 100000);
        put_u8(&dump, 255);
        put_le(&dump, rdb_crc64(0, dump.data, dump.len), 8);
        struct memory_reader m = {dump.data, dump.len, 0};
        rdb_parser *p = rdb_open_reader(memory_read, &m, NULL);
        CHECK(rdb_next(p, &ev) == RDB_EV_FUNCTION && ev.value.full_len == MOST && ev.value.len >= WINDOW / 2 &&
              ev.value.len < MOST && memcmp(ev.value.data, text, ev.value.len) == 0);
        CHECK(rdb_next(p, &ev) == RDB_EV_FUNCTION && ev.value.len == ev.value.full_len && ev.value.len >= 100000 &&
              memcmp(ev.value.data, text, ev.value.len) == 0);
        CHECK(rdb_next(p, &ev) == RDB_EV_EOF && rdb_info(p)->crc == RDB_CRC_OK);
        rdb_close(p);
        buf_free(&dump);
    }
}

/* ---------------------------------------------------------------- very large */

/* head, then `fill` bytes that nobody wrote, then tail. */
struct huge {
    const struct buf *head, *tail;
    uint64_t at, fill;
};

static ptrdiff_t huge_read(void *ctx, void *out, size_t n)
{
    struct huge *h = ctx;
    uint64_t behind = h->head->len + h->fill;
    const uint8_t *from = NULL;
    uint64_t there;
    if (h->at < h->head->len) {
        from = h->head->data + h->at;
        there = h->head->len - h->at;
    } else if (h->at < behind) {
        there = behind - h->at;
    } else {
        from = h->tail->data + (h->at - behind);
        there = h->tail->len - (h->at - behind);
    }
    if (n > there)
        n = (size_t)there;
    if (from)
        memcpy(out, from, n);
    h->at += n;
    return (ptrdiff_t)n;
}

static void check_huge(uint64_t fill, bool read_it)
{
    struct buf head = {0}, tail = {0};
    put_magic(&head, 11);
    put_u8(&head, 0);
    put_str(&head, "huge");
    put_len(&head, fill);
    put_u8(&tail, 0);
    put_str(&tail, "next");
    put_str(&tail, "x");
    put_u8(&tail, 255);
    put_le(&tail, 0, 8);
    struct huge h = {&head, &tail, 0, fill};
    struct rdb_options o = {.no_crc = true};
    rdb_parser *p = rdb_open_reader(huge_read, &h, &o);
    struct rdb_event ev;
    struct rdb_element e;
    struct rdb_cursor c;
    bool more;
    CHECK(rdb_next(p, &ev) == RDB_EV_KEY);
    if (read_it) {
        CHECK(rdb_elements(p, &e, 1, &more) == 1 && !more && e.len == fill && !e.data && e.form == RDB_F_RAW);
        CHECK(rdb_tell(p) == head.len + fill);
        CHECK(rdb_element_open(p, &e, &c) && rdb_cursor_skip(&c, fill - 10) && rdb_cursor_tell(&c) == fill - 10 &&
              rdb_cursor_need(&c, 10) && !rdb_cursor_need(&c, 11));
        CHECK(!rdb_element_open(p, &e, &c) && c.damage); /* it can be read once */
    }
    CHECK(rdb_next(p, &ev) == RDB_EV_KEY && ev.offset == head.len + fill && ev.key.name.len == 4);
    CHECK(rdb_next(p, &ev) == RDB_EV_EOF && rdb_info(p)->crc == RDB_CRC_OFF);
    CHECK(rdb_info(p)->offset == head.len + fill + tail.len);
    rdb_close(p);
    buf_free(&head);
    buf_free(&tail);
}

static void test_huge(void)
{
    check_huge(UINT32_MAX, true);
    check_huge(UINT64_C(5) << 30, true);
    check_huge(UINT64_C(20) << 30, false);
}

/* Counts and lengths that no file can hold: truncated, at once, with no memory taken. */
static void test_lies(void)
{
    static const uint64_t lies[] = {1000, UINT32_MAX, UINT64_C(1) << 62, UINT64_MAX};
    static const unsigned types[] = {0, 1, 2, 3, 4, 5, 9, 10, 11, 14, 15, 16, 18, 20, 21, 24, 27, 28};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (size_t k = 0; k < 4; k++)
            for (size_t batch = 0; batch < 9; batch += 8) {
                struct buf dump = {0};
                put_magic(&dump, 14);
                put_u8(&dump, types[i]);
                put_str(&dump, "k");
                put_len(&dump, lies[k]);
                for (int n = 0; n < 100; n++)
                    put_str(&dump, "");
                enum rdb_err kind = drain_memory(&dump, NULL, batch);
                CHECK_MSG(kind == RDB_ERR_TRUNCATED || kind == RDB_ERR_CORRUPT, "type %u: %s", types[i],
                          rdb_err_name(kind));
                buf_free(&dump);
            }
    static const uint64_t lzf[][2] = {
        {5, UINT64_MAX}, {UINT64_MAX, 5}, {UINT64_C(1) << 60, UINT64_C(1) << 62}, {0, 0}, {10, 1000000}};
    for (size_t i = 0; i < 5; i++) {
        struct buf dump = {0};
        put_magic(&dump, 14);
        put_u8(&dump, 0);
        put_u8(&dump, 0xc3); /* the name */
        put_len(&dump, lzf[i][0]);
        put_len(&dump, lzf[i][1]);
        for (int n = 0; n < 100; n++)
            put_u8(&dump, 0);
        enum rdb_err kind = drain_memory(&dump, NULL, 1);
        CHECK_MSG(kind == RDB_ERR_TRUNCATED || kind == RDB_ERR_CORRUPT, "lzf %zu: %s", i, rdb_err_name(kind));
        buf_free(&dump);
    }
}

int main(void)
{
    make_texts();
    test_lies();
    test_huge();
    test_strings();
    test_containers();
    test_late_expiry();
    test_hold();
    test_template_names();
    test_names();
    test_texts();
    free(text);
    free(dull);
    return check_result();
}
