/*
 * test_rdb_types.c - dumps put together by hand for what no dump at hand holds: old, candidate and coming types,
 * opcodes of all families, forks. Expectations are transcripts, see rdb_build.h.
 */
#include "rdb_build.h"

#include <lz4frame.h>
#include <zstd.h>

static struct buf dump;

static void begin(int version)
{
    dump.len = 0;
    put_magic(&dump, version);
}

static void key(unsigned type, const char *name)
{
    put_u8(&dump, type);
    put_str(&dump, name);
}

/* A container as STR. */
static void blob(enum rdb_pack_kind kind, const struct item *items, size_t n)
{
    struct buf b = {0};
    switch (kind) {
    case RDB_PACK_ZIPMAP: put_zipmap(&b, items, n); break;
    case RDB_PACK_ZIPLIST: put_ziplist(&b, items, n); break;
    default: put_listpack(&b, items, n, false); break;
    }
    put_strn(&dump, b.data, b.len);
    buf_free(&b);
}

static void ends(int version, const char *expected)
{
    put_footer(&dump, version);
    check_tells(expected, &dump, expected);
}

/* The parse stops with this kind of error, and the text holds `what`. */
static void fails(enum rdb_err kind, const char *what)
{
    struct memory_reader m = {dump.data, dump.len, 0};
    struct rdb_event ev;
    rdb_parser *p = rdb_open_reader(memory_read, &m, NULL);
    while (rdb_next(p, &ev) > 0) {
    }
    const struct rdb_error *e = rdb_error(p);
    CHECK_MSG(e->kind == kind && strstr(e->expected, what), "expected %s \"%s\", found %s \"%s\"", rdb_err_name(kind),
              what, rdb_err_name(e->kind), e->expected);
    CHECK(rdb_next(p, &ev) == (kind == RDB_ERR_CHECKSUM ? RDB_EV_EOF : RDB_EV_ERROR));
    rdb_close(p);
}

/* ---------------------------------------------------------------- plain types */

static void test_old(void)
{
    begin(1);
    put_text(&dump, "\xfe");
    put_len(&dump, 300);
    put_u8(&dump, 253);
    put_le(&dump, 1700000000, 4);
    key(0, "k");
    put_text(&dump, "\xc0\xff");
    key(1, "list");
    put_len(&dump, 2);
    put_str(&dump, "a");
    put_text(&dump, "\xc1\x39\x30");
    key(2, "set");
    put_len(&dump, 0);
    key(3, "z");
    put_len(&dump, 6);
    static const char *const scores[] = {"1.5", "-7", "1e20", NULL, NULL, NULL};
    for (unsigned i = 0; i < 6; i++) {
        put_str(&dump, "m");
        if (scores[i])
            put_str(&dump, scores[i]);
        else
            put_u8(&dump, 250 + i);
    }
    key(4, "h");
    put_len(&dump, 1);
    put_str(&dump, "f");
    put_text(&dump, "\xc2\xfe\xff\xff\xff");
    ends(1, "db 300\n"
            "key db=300 string name=k n=1 expire=1700000000000 STRING=-1\n"
            "key db=300 list name=list n=2 ITEM=a ITEM=12345\n"
            "key db=300 set name=set n=0\n"
            "key db=300 zset name=z n=6 MEMBER=m SCORE=1.5 MEMBER=m SCORE=-7 MEMBER=m SCORE=1e+20 MEMBER=m SCORE=nan"
            " MEMBER=m SCORE=inf MEMBER=m SCORE=-inf\n"
            "key db=300 hash name=h n=1 FIELD=f VALUE=-2\n"
            "eof\n");
}

static void test_packed(void)
{
    struct item texts[4] = {item_str("a"), item_str("1"), item_str("b"), item_str("two")};
    struct item mixed[4] = {item_str("a"), item_int(1), item_str("b"), item_int(-70000)};
    int64_t v[3] = {-5, 3, 70000};
    begin(4);
    key(9, "zm");
    blob(RDB_PACK_ZIPMAP, texts, 4);
    key(10, "zl");
    blob(RDB_PACK_ZIPLIST, mixed, 4);
    struct buf b = {0};
    put_intset(&b, v, 3, 4);
    key(11, "is");
    put_strn(&dump, b.data, b.len);
    buf_free(&b);
    key(12, "zz");
    blob(RDB_PACK_ZIPLIST, mixed, 4);
    key(13, "hz");
    blob(RDB_PACK_ZIPLIST, mixed, 4);
    ends(4, "key db=0 hash-zipmap name=zm n=1 BLOB={a 1 b two}\n"
            "key db=0 list-ziplist name=zl n=1 BLOB={a 1 b -70000}\n"
            "key db=0 set-intset name=is n=1 BLOB={-5 3 70000}\n"
            "key db=0 zset-ziplist name=zz n=1 BLOB={a 1 b -70000}\n"
            "key db=0 hash-ziplist name=hz n=1 BLOB={a 1 b -70000}\n"
            "eof\n");
    begin(11);
    key(14, "ql");
    put_len(&dump, 2);
    blob(RDB_PACK_ZIPLIST, mixed, 2);
    blob(RDB_PACK_ZIPLIST, mixed, 0);
    key(18, "q2");
    put_len(&dump, 3);
    put_len(&dump, 2);
    blob(RDB_PACK_LISTPACK, mixed, 2);
    put_len(&dump, 1);
    put_str(&dump, "plain");
    put_len(&dump, 1);
    put_text(&dump, "\xc0\x07");
    key(16, "hl");
    blob(RDB_PACK_LISTPACK, mixed, 4);
    key(17, "zp");
    blob(RDB_PACK_LISTPACK, mixed, 4);
    key(20, "sl");
    blob(RDB_PACK_LISTPACK, mixed, 3);
    key(5, "z2");
    put_len(&dump, 2);
    put_str(&dump, "m");
    put_double(&dump, 0.1);
    put_text(&dump, "\xc0\x05");
    put_double(&dump, -3);
    ends(11, "key db=0 list-quicklist name=ql n=2 BLOB={a 1} BLOB={}\n"
             "key db=0 list-quicklist-2 name=q2 n=3 BLOB={a 1} PLAIN=plain PLAIN=7\n"
             "key db=0 hash-listpack name=hl n=1 BLOB={a 1 b -70000}\n"
             "key db=0 zset-listpack name=zp n=1 BLOB={a 1 b -70000}\n"
             "key db=0 set-listpack name=sl n=1 BLOB={a 1 b}\n"
             "key db=0 zset-2 name=z2 n=2 MEMBER=m SCORE=0.10000000000000001 MEMBER=5 SCORE=-3\n"
             "eof\n");
}

static void test_field_expiry(void)
{
    struct item triples[6] = {item_str("a"), item_str("x"), item_int(1800000000000),
                              item_str("b"), item_int(2),   item_int(0)};
    begin(12);
    key(22, "pre");
    put_len(&dump, 2);
    put_len(&dump, 1800000000000);
    put_str(&dump, "a");
    put_str(&dump, "x");
    put_len(&dump, 0);
    put_str(&dump, "b");
    put_text(&dump, "\xc0\x02");
    key(23, "pre-lp");
    blob(RDB_PACK_LISTPACK, triples, 6);
    key(24, "ga");
    put_le(&dump, 1800000000000, 8);
    put_len(&dump, 2);
    put_len(&dump, 1);
    put_str(&dump, "a");
    put_str(&dump, "x");
    put_len(&dump, 0);
    put_str(&dump, "b");
    put_str(&dump, "y");
    key(25, "ga-lp");
    put_le(&dump, 1800000000000, 8);
    blob(RDB_PACK_LISTPACK, triples, 6);
    ends(12, "key db=0 hash-metadata-pre-ga name=pre n=2 FIELD=a VALUE(1800000000000)=x FIELD=b VALUE(0)=2\n"
             "key db=0 hash-listpack-ex-pre-ga name=pre-lp n=1 BLOB={a x 1800000000000 b 2 0}\n"
             "key db=0 hash-metadata name=ga n=2 min=1800000000000 FIELD=a VALUE(1800000000000)=x FIELD=b VALUE(0)=y\n"
             "key db=0 hash-listpack-ex name=ga-lp n=1 min=1800000000000 BLOB={a x 1800000000000 b 2 0}\n"
             "eof\n");
    begin(80);
    key(22, "valkey");
    put_len(&dump, 2);
    put_str(&dump, "a");
    put_str(&dump, "x");
    put_le(&dump, 1800000000000, 8);
    put_str(&dump, "b");
    put_str(&dump, "y");
    put_le(&dump, UINT64_MAX, 8);
    ends(80, "key db=0 hash-2 name=valkey n=2 FIELD=a VALUE(1800000000000)=x FIELD=b VALUE(0)=y\n"
             "eof\n");
    begin(12);
    key(24, "late");
    put_le(&dump, UINT64_C(1) << 47, 8);
    put_len(&dump, 1);
    put_len(&dump, UINT64_C(1) << 47 | 2);
    put_str(&dump, "a");
    put_str(&dump, "x");
    put_footer(&dump, 12);
    fails(RDB_ERR_CORRUPT, "field expiry below 2^48");
}

/* ---------------------------------------------------------------- streams */

static void put_id(uint64_t ms, uint64_t seq)
{
    put_be(&dump, ms, 8);
    put_be(&dump, seq, 8);
}

static void put_stream(unsigned type)
{
    struct item node[] = {item_int(1), item_int(0), item_int(1), item_str("f"), item_int(0),
                          item_int(2), item_int(0), item_int(0), item_str("v"), item_int(4)};
    key(type, "s");
    put_len(&dump, 1);
    put_len(&dump, 16);
    put_id(5, 1);
    blob(RDB_PACK_LISTPACK, node, 10);
    for (unsigned i = 0; i < (type >= 19 ? 8 : 3); i++)
        put_len(&dump, i + 1);
    put_len(&dump, 1); /* groups */
    put_str(&dump, "grp");
    put_len(&dump, 5);
    put_len(&dump, 1);
    if (type >= 19)
        put_len(&dump, UINT64_MAX);
    put_len(&dump, 2); /* pel */
    for (unsigned i = 0; i < 2; i++) {
        put_id(5, i);
        put_le(&dump, 1000 + i, 8);
        put_len(&dump, 3 + i);
    }
    put_len(&dump, 2); /* consumers */
    for (unsigned i = 0; i < 2; i++) {
        put_str(&dump, i ? "bob" : "al");
        put_le(&dump, 2000, 8);
        if (type >= 21)
            put_le(&dump, UINT64_MAX, 8);
        put_len(&dump, 1 - i);
        if (!i)
            put_id(5, 0);
    }
    if (type >= 27) {
        put_len(&dump, 1);
        put_id(5, 1);
    }
    if (type < 26)
        return;
    put_len(&dump, 60);
    put_len(&dump, 100);
    put_len(&dump, 2); /* producers */
    put_str(&dump, "p1");
    put_len(&dump, 2);
    for (unsigned i = 0; i < 2; i++) {
        put_str(&dump, i ? "i2" : "i1");
        put_len(&dump, 7000 + i);
        put_len(&dump, i);
    }
    put_str(&dump, "p2");
    put_len(&dump, 0);
    put_len(&dump, 2);
    put_len(&dump, 1);
}

#define RAW(seq) "\\00\\00\\00\\00\\00\\00\\00\\05\\00\\00\\00\\00\\00\\00\\00" seq
#define NODE     " NODE_ID=" RAW("\\01") " NODE={1 0 1 f 0 2 0 0 v 4}"
#define PEL      " PEL(3 1000)=" RAW("\\00") " PEL(4 1001)=" RAW("\\01")
#define IDMP     " IDMP=60 IDMP=100 PRODUCER=p1 IID(7000)=i1 IID(7001)=i2 PRODUCER=p2 IDMP=2 IDMP=1"

static void test_streams(void)
{
    begin(14);
    put_stream(15);
    put_stream(19);
    put_stream(21);
    put_stream(26);
    put_stream(27);
    key(21, "empty");
    for (unsigned i = 0; i < 10; i++)
        put_len(&dump, 0);
    ends(14,
         "key db=0 stream-listpacks name=s n=1" NODE " META=1 META=2 META=3 GROUP=grp GROUP_META=5 GROUP_META=1" PEL
         " CONSUMER=al CONSUMER_META=2000 CPEL=" RAW(
             "\\00") " CONSUMER=bob CONSUMER_META=2000\n"
                     "key db=0 stream-listpacks-2 name=s n=1" NODE
                     " META=1 META=2 META=3 META=4 META=5 META=6 META=7 META=8"
                     " GROUP=grp GROUP_META=5 GROUP_META=1 GROUP_META=-1" PEL
                     " CONSUMER=al CONSUMER_META=2000 CPEL=" RAW(
                         "\\00") " CONSUMER=bob CONSUMER_META=2000\n"
                                 "key db=0 stream-listpacks-3 name=s n=1" NODE
                                 " META=1 META=2 META=3 META=4 META=5 META=6 META=7 META=8"
                                 " GROUP=grp GROUP_META=5 GROUP_META=1 GROUP_META=-1" PEL
                                 " CONSUMER=al CONSUMER_META=2000 CONSUMER_META=-1 CPEL=" RAW(
                                     "\\00") " CONSUMER=bob CONSUMER_META=2000 CONSUMER_META=-1\n"
                                             "key db=0 stream-listpacks-4 name=s n=1" NODE
                                             " META=1 META=2 META=3 META=4 META=5 META=6 META=7 META=8"
                                             " GROUP=grp GROUP_META=5 GROUP_META=1 GROUP_META=-1" PEL
                                             " CONSUMER=al CONSUMER_META=2000 CONSUMER_META=-1 CPEL=" RAW(
                                                 "\\00") " CONSUMER=bob CONSUMER_META=2000 CONSUMER_META=-1" IDMP "\n"
                                                         "key db=0 stream-listpacks-5 name=s n=1" NODE
                                                         " META=1 META=2 META=3 META=4 META=5 META=6 META=7 META=8"
                                                         " GROUP=grp GROUP_META=5 GROUP_META=1 GROUP_META=-1" PEL
                                                         " CONSUMER=al CONSUMER_META=2000 CONSUMER_META=-1 CPEL=" RAW(
                                                             "\\00") " CONSUMER=bob CONSUMER_META=2000 "
                                                                     "CONSUMER_META=-1 NACKED=" RAW("\\01") IDMP
         "\n"
         "key db=0 stream-listpacks-3 name=empty n=0 META=0 META=0 META=0 META=0 META=0 META=0 META=0 META=0\n"
         "eof\n");
}

static void node_sum(const struct item *items, size_t n, const char *damage, struct rdb_stream_sum want)
{
    struct buf b = {0};
    struct rdb_cursor c;
    struct rdb_stream_sum sum;
    const char *found;
    uint64_t live = 99, deleted = 99;
    put_listpack(&b, items, n, false);
    rdb_cursor_memory(&c, b.data, b.len);
    int rc = rdb_stream_node_sum(&c, b.len, &sum, &found);
    if (damage) {
        CHECK_MSG(rc == -1 && found && strcmp(found, damage) == 0, "%s: %s", damage, found ? found : "accepted");
    } else {
        CHECK_MSG(rc == 0 && !found && memcmp(&sum, &want, sizeof sum) == 0, "%s", found ? found : "another sum");
        CHECK(rdb_stream_node_counts(&c, b.len, &live, &deleted) && live == want.live && deleted == want.deleted);
    }
    buf_free(&b);
}

static void test_stream_nodes(void)
{
    /* two live and one deleted, of its own fields, seq going back */
    struct item good[] = {item_int(2),     item_int(1),   item_int(2),  item_str("f1"), item_str("f2"),
                          item_int(0),     item_int(2),   item_int(0),  item_int(0),    item_str("abc"),
                          item_int(12345), item_int(5),   item_int(1),  item_int(3),    item_int(-7),
                          item_int(1),     item_str("g"), item_int(-1), item_int(6),    item_int(2),
                          item_int(9),     item_int(0),   item_str(""), item_str("z"),  item_int(5)};
    enum { N = sizeof good / sizeof *good };
    node_sum(good, N, NULL,
             (struct rdb_stream_sum){.live = 2, .deleted = 1, .payload = 2 + 2 + 3 + 5 + 1 + 2 + 0 + 1, .longest = 5});
    static const struct {
        size_t at;
        int64_t v;
        const char *damage;
    } bad[] = {
        {0, -1, "expected counts that are not negative"},
        {0, 3, "expected the flags of a stream entry"},
        {6, 3, "expected as many deleted entries as the master entry says"},
        {0, 1, "expected the end of the stream node"},
        {5, 1, "expected 0 at the end of the master entry"},
        {6, 4, "expected known flags of a stream entry"},
        {11, 6, "expected the lp-count of the entry before it"},
        {15, -1, "expected a number of fields that is not negative"},
        {15, 1000, "expected a field or value of a stream entry"},
        {15, INT64_MAX, "expected a number of fields that is not negative"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct item items[N];
        memcpy(items, good, sizeof good);
        items[bad[i].at] = item_int(bad[i].v);
        node_sum(items, N, bad[i].damage, (struct rdb_stream_sum){0});
    }
    struct item text[] = {item_str("one"), item_int(0), item_int(0), item_int(0)};
    node_sum(text, 4, "expected a count of entries", (struct rdb_stream_sum){0});
}

/* ---------------------------------------------------------------- Redis 8 */

static void test_modules(void)
{
    uint64_t id = UINT64_C(0x2f79cb68aec7ad) << 10 | 1, other = UINT64_C(12) << 10 | 2;
    float f = 0.5f;
    begin(13);
    put_u8(&dump, 247);
    put_len(&dump, other);
    put_len(&dump, 2);
    put_len(&dump, 1);
    put_len(&dump, 5);
    put_str(&dump, "before");
    put_len(&dump, 0);
    put_u8(&dump, 252);
    put_le(&dump, 1900000000000, 8);
    put_u8(&dump, 243); /* key meta of two classes */
    put_len(&dump, 2);
    put_le(&dump, 0x01020304, 4);
    put_len(&dump, 2);
    put_len(&dump, 77);
    put_len(&dump, 0);
    put_le(&dump, 5, 4);
    put_len(&dump, 0);
    key(7, "vec");
    put_len(&dump, id);
    put_len(&dump, 1);
    put_len(&dump, UINT64_MAX);
    put_len(&dump, 2);
    put_len(&dump, 70000);
    put_len(&dump, 3);
    put(&dump, &f, 4);
    put_len(&dump, 4);
    put_double(&dump, -2.25);
    put_len(&dump, 5);
    put_str(&dump, "text");
    put_len(&dump, 0);
    key(7, "mod");
    put_len(&dump, other);
    put_len(&dump, 0);
    put_u8(&dump, 247);
    put_len(&dump, other);
    put_len(&dump, 2);
    put_len(&dump, 2);
    put_len(&dump, 0);
    ends(13,
         "module-aux when=1 MSTRING=before\n"
         "key db=0 vectorset name=vec n=0 expire=1900000000000 meta=2 module=vectorset.1 SINT=-1 UINT=70000 FLOAT=0.5"
         " DOUBLE=-2.25 MSTRING=text\n"
         "key db=0 module-2 name=mod n=0 module=AAAAAAAAM.2\n"
         "module-aux when=2\n"
         "eof\n");
    begin(13);
    put_u8(&dump, 243);
    put_len(&dump, 1);
    put_le(&dump, 5, 4);
    put_len(&dump, 0);
    put_u8(&dump, 254);
    put_len(&dump, 0);
    fails(RDB_ERR_CORRUPT, "expected a type behind key metadata");
    begin(13);
    put_u8(&dump, 243);
    put_len(&dump, 8);
    fails(RDB_ERR_CORRUPT, "at most 7 classes");
    begin(11);
    key(7, "m");
    put_len(&dump, other);
    put_len(&dump, 6);
    fails(RDB_ERR_CORRUPT, "expected a module item 0 to 5, found 6");
    begin(11);
    put_u8(&dump, 247);
    put_len(&dump, other);
    put_len(&dump, 1);
    put_len(&dump, 1);
    fails(RDB_ERR_CORRUPT, "auxiliary data to begin with 2, found 1");
}

static void test_arrays(void)
{
    begin(14);
    key(28, "a");
    put_len(&dump, 4);
    put_len(&dump, 1);
    put_len(&dump, 1000);
    put_len(&dump, 0);
    put_len(&dump, 0);
    put_str(&dump, "a long string");
    put_len(&dump, 3);
    put_len(&dump, 1);
    put_le(&dump, UINT64_MAX, 8);
    put_len(&dump, 5000000000);
    put_len(&dump, 2);
    put_double(&dump, 1.0);
    put_len(&dump, 5000000001);
    put_len(&dump, 3);
    put_str(&dump, "short");
    key(28, "b");
    put_len(&dump, 1);
    put_len(&dump, 0);
    put_len(&dump, 9);
    put_len(&dump, 3);
    put_text(&dump, "\xc0\x01");
    key(29, "gcra");
    put_len(&dump, 123456789012);
    ends(14, "key db=0 array name=a n=4 insert=1000 ASTR[0]=a\\20long\\20string AINT[3]=-1 "
             "AFLOAT[5000000000]=4607182418800017408"
             " ASMALL[5000000001]=short\n"
             "key db=0 array name=b n=1 ASMALL[9]=1\n"
             "key db=0 gcra-14 name=gcra n=1 NUMBER=123456789012\n"
             "eof\n");
    begin(14);
    key(28, "a");
    put_len(&dump, 1);
    put_len(&dump, 0);
    put_len(&dump, 1);
    put_len(&dump, 4);
    put_footer(&dump, 14);
    fails(RDB_ERR_CORRUPT, "expected an array tag 0 to 3, found 4");
    begin(14);
    key(28, "a");
    put_len(&dump, 1);
    put_len(&dump, 2);
    fails(RDB_ERR_CORRUPT, "expected 0 or 1 (an insert index), found 2");
}

static void put_template(uint64_t id, const char *const *names, size_t n)
{
    put_u8(&dump, 242);
    put_len(&dump, id);
    put_len(&dump, n);
    for (size_t i = 0; i < n; i++)
        put_str(&dump, names[i]);
}

static void test_templates(void)
{
    static const char *const names[] = {"f1", "f2"};
    begin(15);
    put_template(5, names, 2);
    put_template(900, names, 1);
    key(30, "lp");
    put(&dump, "\x0d\x0d\0\0\0\3\0\5\1\1\1\2\1\xff", 14); /* the server's own test bytes */
    key(32, "arr");
    put(&dump, "\5\xc0\1\xc0\2", 5);
    key(32, "one");
    put_len(&dump, 900);
    put_str(&dump, "v");
    struct item fields[2] = {item_str("f1"), item_str("f2")}, values[3] = {item_int(0), item_str("x"), item_int(8)};
    key(29, "own-lp");
    put_len(&dump, 0);
    blob(RDB_PACK_LISTPACK, fields, 2);
    blob(RDB_PACK_LISTPACK, values, 3);
    key(29, "own-names");
    put_len(&dump, 1);
    put_len(&dump, 2);
    put_str(&dump, "f1");
    put_str(&dump, "f2");
    blob(RDB_PACK_LISTPACK, values, 3);
    key(31, "arr-names");
    put_len(&dump, 1);
    put_len(&dump, 2);
    put_str(&dump, "f1");
    put_str(&dump, "f2");
    put_str(&dump, "v1");
    put_str(&dump, "v2");
    key(31, "arr-lp");
    put_len(&dump, 0);
    blob(RDB_PACK_LISTPACK, fields, 2);
    put_str(&dump, "v1");
    put_str(&dump, "v2");
    key(33, "gcra");
    put_len(&dump, 7);
    ends(15, "template 5 2 4\n"
             "template 900 1 2\n"
             "key db=0 hash-template-listpack-ref name=lp n=1 BLOB={5 1 2}\n"
             "key db=0 hash-template-array-ref name=arr n=2 template=5 VALUE=1 VALUE=2\n"
             "key db=0 hash-template-array-ref name=one n=1 template=900 VALUE=v\n"
             "key db=0 hash-template-listpack name=own-lp n=0 FIELD={f1 f2} BLOB={0 x 8}\n"
             "key db=0 hash-template-listpack name=own-names n=2 FIELD=f1 FIELD=f2 BLOB={0 x 8}\n"
             "key db=0 hash-template-array name=arr-names n=2 FIELD=f1 FIELD=f2 VALUE=v1 VALUE=v2\n"
             "key db=0 hash-template-array name=arr-lp n=0 FIELD={f1 f2} VALUE=v1 VALUE=v2\n"
             "key db=0 gcra name=gcra n=1 NUMBER=7\n"
             "eof\n");
    begin(15);
    key(32, "arr");
    put_len(&dump, 5);
    fails(RDB_ERR_CORRUPT, "expected the id of a hash template, found 5");
    begin(15);
    put_template(5, names, 2);
    put_template(5, names, 1);
    fails(RDB_ERR_CORRUPT, "a new hash template id, found 5 again");
    begin(15);
    put_template(5, names, 0);
    fails(RDB_ERR_CORRUPT, "at least one field");
}

/* Many templates: the table grows and keeps all. */
static void test_many_templates(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    begin(15);
    for (uint64_t i = 0; i < 5000; i++)
        put_template(i * 1000003, names, 1 + i % 5);
    for (uint64_t i = 0; i < 5000; i++) {
        key(32, "k");
        put_len(&dump, i * 1000003);
        for (uint64_t n = 0; n < 1 + i % 5; n++)
            put_str(&dump, "v");
    }
    put_footer(&dump, 15);
    struct memory_reader m = {dump.data, dump.len, 0};
    rdb_parser *p = rdb_open_reader(memory_read, &m, NULL);
    struct rdb_event ev;
    uint64_t keys = 0;
    while (rdb_next(p, &ev) > 0)
        if (ev.kind == RDB_EV_KEY) {
            CHECK(ev.key.count == 1 + keys % 5);
            keys++;
        }
    CHECK(keys == 5000 && !rdb_failed(p) && rdb_info(p)->crc == RDB_CRC_OK);
    rdb_close(p);
}

/* ---------------------------------------------------------------- opcodes */

static void test_redis_opcodes(void)
{
    char mark[60];
    memset(mark, 'm', sizeof mark);
    begin(12);
    put_u8(&dump, 250);
    put_str(&dump, "redis-ver");
    put_str(&dump, "7.4.0");
    put_u8(&dump, 250);
    put_str(&dump, "redis-bits");
    put_text(&dump, "\xc0\x40");
    put_u8(&dump, 250); /* both strings compressed */
    put_lzf(&dump, mark, sizeof mark);
    put_lzf(&dump, mark, sizeof mark);
    put_u8(&dump, 245);
    put_str(&dump, "#!lua name=x");
    put_u8(&dump, 246);
    put_str(&dump, "f");
    put_str(&dump, "LUA");
    put_len(&dump, 1);
    put_str(&dump, "what it does");
    put_str(&dump, "return 1");
    put_u8(&dump, 246);
    put_str(&dump, "g");
    put_str(&dump, "LUA");
    put_len(&dump, 0);
    put_str(&dump, "return 2");
    put_u8(&dump, 254);
    put_len(&dump, 2);
    put_u8(&dump, 251);
    put_len(&dump, 3);
    put_len(&dump, 1);
    put_u8(&dump, 244);
    put_len(&dump, 16383);
    put_len(&dump, 2);
    put_len(&dump, 0);
    put_u8(&dump, 252);
    put_le(&dump, 1900000000000, 8);
    put_u8(&dump, 249);
    put_u8(&dump, 200);
    put_u8(&dump, 250); /* between frequency and type, as KeyDB does */
    put_str(&dump, "mvcc-tstamp");
    put_str(&dump, "1");
    key(0, "a");
    put_str(&dump, "1");
    put_u8(&dump, 248);
    put_len(&dump, 70000);
    key(0, "b");
    put_str(&dump, "2");
    put_u8(&dump, 107);
    put_len(&dump, 5);
    put_u8(&dump, 121);
    put_len(&dump, 6);
    key(0, "c"); /* nothing of a's or b's */
    put_str(&dump, "3");
    struct buf t = {0};
    uint64_t crc = rdb_crc64(0, mark, sizeof mark);
    say(&t,
        "aux name=redis-ver value=7.4.0\n"
        "aux name=redis-bits value=64\n"
        "aux name=<60:%016" PRIx64 "> value=<60:%016" PRIx64 ">\n"
        "function code=#!lua\\20name=x\n"
        "function-pre-ga name=f code=return\\201\n"
        "function-pre-ga name=g code=return\\202\n"
        "db 2\n"
        "resize 3 1\n"
        "slot 16383 2 0\n"
        "aux name=mvcc-tstamp value=1\n"
        "key db=2 string name=a n=1 expire=1900000000000 freq=200 STRING=1\n"
        "key db=2 string name=b n=1 idle=70000 STRING=2\n"
        "other 107\n"
        "other 121\n"
        "key db=2 string name=c n=1 STRING=3\n"
        "eof\n",
        crc, crc);
    ends(12, (const char *)t.data);
    buf_free(&t);
}

static void test_valkey_opcodes(void)
{
    begin(81);
    put_u8(&dump, 243);
    put_str(&dump, "0123456789012345678901234567890123456789");
    put_len(&dump, 2);
    put_len(&dump, 0);
    put_len(&dump, 5460);
    put_len(&dump, 10000);
    put_len(&dump, 16383);
    put_u8(&dump, 242);
    put_text(&dump, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$300\r\n");
    for (int i = 0; i < 30; i++)
        put_text(&dump, "0123456789");
    put_text(&dump, "\r\n");
    key(0, "k");
    put_str(&dump, "v");
    struct buf t = {0};
    say(&t,
        "slot-import 2 job=<40:%016" PRIx64 ">\n"
        "update 3\n"
        "key db=0 string name=k n=1 STRING=v\n"
        "eof\n",
        rdb_crc64(0, "0123456789012345678901234567890123456789", 40));
    ends(81, (const char *)t.data);
    buf_free(&t);
    begin(81);
    put_u8(&dump, 242);
    put_text(&dump, "+OK\r\n");
    for (int i = 0; i < 50; i++)
        put_u8(&dump, 0);
    fails(RDB_ERR_CORRUPT, "expected a line of a command beginning with '*'");
}

static void test_wrong_place(void)
{
    static const struct {
        int version;
        unsigned number;
        enum rdb_err kind;
        const char *text;
    } cases[] = {
        {11, 22, RDB_ERR_TYPE, "type 22 cannot stand in redis rdb version 11"},
        {80, 24, RDB_ERR_TYPE, "type 24 cannot stand in valkey rdb version 80"},
        {7, 5, RDB_ERR_TYPE, "type 5 cannot stand in redis rdb version 7"},
        {9, 21, RDB_ERR_TYPE,
         "type 21 cannot stand in redis rdb version 9: it is stream-listpacks-3 of redis rdb version 11"},
        {13, 29, RDB_ERR_TYPE, "type 29 cannot stand in redis rdb version 13"},
        {14, 33, RDB_ERR_TYPE, "type 33 cannot stand in redis rdb version 14"},
        {11, 6, RDB_ERR_TYPE, "type 6 in redis rdb version 11 cannot be read: module-1"},
        {81, 23, RDB_ERR_TYPE, "type 23 in valkey rdb version 81 cannot be read: path hash"},
        {11, 8, RDB_ERR_TYPE, "unknown type or opcode 8 in redis rdb version 11"},
        {9, 34, RDB_ERR_TYPE, "unknown type or opcode 34 in redis rdb version 9"},
        {11, 200, RDB_ERR_TYPE, "opcode 200 in redis rdb version 11 (dragonfly's opcodes need its aux field df-ver)"},
        {14, 242, RDB_ERR_TYPE, "opcode 242 cannot stand in redis rdb version 14"},
        {12, 243, RDB_ERR_TYPE, "opcode 243 cannot stand in redis rdb version 12"},
        {80, 242, RDB_ERR_TYPE, "opcode 242 cannot stand in valkey rdb version 80"},
        {80, 107, RDB_ERR_TYPE, "opcode 107 cannot stand in valkey rdb version 80"},
        {10, 64, RDB_ERR_TYPE, "type 64 cannot stand in redis rdb version 10"},
        {99, 100, RDB_ERR_TYPE, "unknown type or opcode 100 in redis rdb version 99"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(cases[i].version);
        key(cases[i].number, "k");
        put_str(&dump, "some bytes behind it");
        fails(cases[i].kind, cases[i].text);
    }
}

/* ---------------------------------------------------------------- forks and versions */

static void test_keydb(void)
{
    begin(9);
    key(64, "job");
    put_str(&dump, "return 1");
    put_le(&dump, 1000, 8);
    put_le(&dump, 60000, 8);
    put_len(&dump, 1);
    put_str(&dump, "k1");
    put_len(&dump, 2);
    put_str(&dump, "a1");
    put_str(&dump, "a2");
    key(64, "bare");
    put_str(&dump, "x");
    put_le(&dump, 1, 8);
    put_le(&dump, 2, 8);
    put_len(&dump, 0);
    put_len(&dump, 0);
    ends(9, "key db=0 cron name=job n=1 ITEM=return\\201 NUMBER=1000 NUMBER=60000 ITEM=k1 ITEM=a1 ITEM=a2\n"
            "key db=0 cron name=bare n=1 ITEM=x NUMBER=1 NUMBER=2\n"
            "eof\n");
}

/* A piece of stream, compressed, as opcode and STR. */
static void put_piece(const struct buf *piece, bool lz4)
{
    size_t cap = piece->len + 4096;
    uint8_t *out = malloc(cap);
    size_t n = lz4 ? LZ4F_compressFrame(out, cap, piece->data, piece->len, NULL)
                   : ZSTD_compress(out, cap, piece->data, piece->len, 3);
    put_u8(&dump, lz4 ? 202 : 201);
    put_strn(&dump, out, n);
    free(out);
}

static void test_dragonfly(void)
{
    struct buf piece = {0};
    begin(9);
    put_u8(&dump, 250);
    put_str(&dump, "df-ver");
    put_str(&dump, "v1.20");
    put_u8(&dump, 220);
    put_le(&dump, 2, 4);
    put_le(&dump, 99, 4);
    key(30, "json");
    put_str(&dump, "{\"a\":1}");
    key(31, "h");
    put_len(&dump, 2);
    put_str(&dump, "f");
    put_str(&dump, "v");
    put_text(&dump, "\xc0\x05");
    put_str(&dump, "g");
    put_str(&dump, "w");
    put_text(&dump, "\xc0\xff");
    key(32, "s");
    put_len(&dump, 2);
    put_str(&dump, "m");
    put_str(&dump, "1000000000");
    put_str(&dump, "n");
    put_text(&dump, "\xc0\xff");
    for (int lz4 = 0; lz4 < 2; lz4++) {
        piece.len = 0;
        for (int i = 0; i < 2; i++) {
            put_u8(&piece, 0);
            put_str(&piece, i ? "in2" : "in1");
            put_str(&piece, "packed");
        }
        if (!lz4)
            put_u8(&piece, 203);
        put_piece(&piece, lz4);
    }
    key(0, "out");
    put_str(&dump, "again");
    put_u8(&dump, 210);
    put_len(&dump, 3);
    put_str(&dump, "journal");
    put_u8(&dump, 211);
    put_le(&dump, 12345, 8);
    put_u8(&dump, 200);
    put_le(&dump, 0, 8);
    ends(9, "aux name=df-ver value=v1.20\n"
            "other 220\n"
            "key db=0 json name=json n=1 STRING={\"a\":1}\n"
            "key db=0 hash-with-expiry name=h n=2 FIELD=f VALUE(1675209605000)=v FIELD=g VALUE(0)=w\n"
            "key db=0 set-with-expiry name=s n=2 ITEM(2675209600000)=m ITEM(0)=n\n"
            "key db=0 string name=in1 n=1 STRING=packed\n"
            "key db=0 string name=in2 n=1 STRING=packed\n"
            "key db=0 string name=in1 n=1 STRING=packed\n"
            "key db=0 string name=in2 n=1 STRING=packed\n"
            "key db=0 string name=out n=1 STRING=again\n"
            "other 210\n"
            "other 211\n"
            "other 200\n"
            "eof\n");
    begin(9);
    put_u8(&dump, 250);
    put_str(&dump, "df-ver");
    put_str(&dump, "v1.20");
    size_t head = dump.len;
    key(34, "bf");
    fails(RDB_ERR_TYPE, "dragonfly bloom filter");
    dump.len = head;
    put_u8(&dump, 203);
    fails(RDB_ERR_CORRUPT, "no end of a piece");
    dump.len = head;
    put_u8(&dump, 201);
    put_str(&dump, "this is no zstd frame at all, is it");
    put_footer(&dump, 9);
    fails(RDB_ERR_WRAPPER, "zstd");
    dump.len = head;
    piece.len = 0;
    put_u8(&piece, 0);
    put_str(&piece, "cut");
    put_len(&piece, 50);
    put_text(&piece, "short");
    put_piece(&piece, false);
    put_footer(&dump, 9);
    fails(RDB_ERR_TRUNCATED, "the input ends");
    dump.len = head;
    piece.len = 0;
    put_u8(&piece, 201);
    put_str(&piece, "inside");
    put_piece(&piece, true);
    put_footer(&dump, 9);
    fails(RDB_ERR_CORRUPT, "no compressed piece inside another");
    buf_free(&piece);
}

static void test_versions(void)
{
    static const struct {
        const char *magic;
        enum rdb_err kind;
        enum rdb_family family;
        int version;
        bool newer;
    } cases[] = {
        {"REDIS0001", RDB_OK, RDB_FAMILY_REDIS, 1, false},   {"REDIS0015", RDB_OK, RDB_FAMILY_REDIS, 15, false},
        {"REDIS0016", RDB_OK, RDB_FAMILY_REDIS, 16, true},   {"REDIS9999", RDB_OK, RDB_FAMILY_REDIS, 9999, true},
        {"VALKEY080", RDB_OK, RDB_FAMILY_VALKEY, 80, false}, {"VALKEY081", RDB_OK, RDB_FAMILY_VALKEY, 81, false},
        {"VALKEY082", RDB_OK, RDB_FAMILY_VALKEY, 82, true},  {"VALKEY079", RDB_ERR_MAGIC, 0, 0, false},
        {"REDIS0000", RDB_ERR_MAGIC, 0, 0, false},           {"REDIS00x1", RDB_ERR_MAGIC, 0, 0, false},
        {"REDIS-001", RDB_ERR_MAGIC, 0, 0, false},           {"RedIS0001", RDB_ERR_MAGIC, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dump.len = 0;
        put_text(&dump, cases[i].magic);
        put_footer(&dump, 9);
        struct memory_reader m = {dump.data, dump.len, 0};
        rdb_parser *p = rdb_open_reader(memory_read, &m, NULL);
        const struct rdb_info *info = rdb_info(p);
        CHECK_MSG(rdb_error(p)->kind == cases[i].kind, "%s: %s", cases[i].magic, rdb_error(p)->expected);
        if (cases[i].kind == RDB_OK)
            CHECK_MSG(info->family == cases[i].family && info->version == cases[i].version &&
                          info->newer == cases[i].newer,
                      "%s", cases[i].magic);
        else
            CHECK_MSG(strstr(rdb_error(p)->expected, cases[i].magic), "%s: %s", cases[i].magic, rdb_error(p)->expected);
        rdb_close(p);
    }
}

/* Before RDB 9 times stand in the writer's byte order. */
static void test_big_endian_times(void)
{
    begin(8);
    put_u8(&dump, 252);
    put_be(&dump, 1700000000000, 8);
    key(0, "k");
    put_str(&dump, "v");
    put_u8(&dump, 252);
    put_le(&dump, 1700000000000, 8);
    key(0, "k");
    put_str(&dump, "v");
    ends(8, "key db=0 string name=k n=1 expire=1700000000000 STRING=v\n"
            "key db=0 string name=k n=1 expire=1700000000000 STRING=v\n"
            "eof\n");
}

/* ---------------------------------------------------------------- footer */

static void test_checksums(void)
{
    struct rdb_event ev;
    for (int round = 0; round < 6; round++) {
        int version = round == 4 ? 4 : 9;
        begin(version);
        key(0, "k");
        put_str(&dump, "v");
        put_footer(&dump, version);
        if (round == 1)
            memset(dump.data + dump.len - 8, 0, 8);
        if (round == 2)
            dump.data[dump.len - 1] ^= 1;
        struct rdb_options o = {.no_crc = round == 3};
        put_text(&dump, "0123456789trail");
        struct memory_reader m = {dump.data, dump.len, 0};
        rdb_parser *p = rdb_open_reader(memory_read, &m, &o);
        CHECK(rdb_next(p, &ev) == RDB_EV_KEY && rdb_next(p, &ev) == RDB_EV_EOF);
        CHECK(rdb_next(p, &ev) == RDB_EV_EOF); /* again, as often as asked */
        static const enum rdb_crc want[] = {RDB_CRC_OK,      RDB_CRC_OFF,    RDB_CRC_BAD,
                                            RDB_CRC_SKIPPED, RDB_CRC_ABSENT, RDB_CRC_OK};
        CHECK_MSG(rdb_info(p)->crc == want[round], "round %d: %d", round, rdb_info(p)->crc);
        CHECK(rdb_error(p)->kind == (round == 2 ? RDB_ERR_CHECKSUM : RDB_OK));
        CHECK(rdb_drain(p) == 15 && rdb_info(p)->trailing == 15 && rdb_drain(p) == 15);
        rdb_close(p);
    }
}

/* What a failure says: kind, offset, last key. */
static void test_error_details(void)
{
    begin(11);
    put_u8(&dump, 254);
    put_len(&dump, 7);
    key(0, "first");
    put_str(&dump, "v");
    key(2, "second");
    put_len(&dump, 2);
    put_str(&dump, "m");
    size_t at = dump.len;
    put_text(&dump, "\xc7");
    for (int i = 0; i < 60; i++)
        put_u8(&dump, 0);
    struct memory_reader m = {dump.data, dump.len, 0};
    struct rdb_event ev;
    rdb_parser *p = rdb_open_reader(memory_read, &m, NULL);
    while (rdb_next(p, &ev) > 0) {
    }
    const struct rdb_error *e = rdb_error(p);
    CHECK(e->kind == RDB_ERR_CORRUPT && e->offset == at && e->has_key && e->db == 7);
    CHECK(e->key_len == 6 && memcmp(e->key, "second", 6) == 0);
    CHECK_MSG(strcmp(e->expected, "expected a string, found the byte 0xc7") == 0, "%s", e->expected);
    rdb_close(p);
    begin(11);
    put_u8(&dump, 252); /* an expiry without a key */
    put_le(&dump, 1, 8);
    put_footer(&dump, 11);
    fails(RDB_ERR_CORRUPT, "expected a key behind an expiry");
    begin(11);
    put_u8(&dump, 254);
    put_len(&dump, UINT64_C(1) << 40);
    put_footer(&dump, 11);
    fails(RDB_ERR_CORRUPT, "expected a database number");
    begin(11);
    put_u8(&dump, 254);
    put_text(&dump, "\xc0\1");
    put_footer(&dump, 11);
    fails(RDB_ERR_CORRUPT, "expected a length, found the byte 0xc0");
    begin(11);
    key(16, "pack"); /* a container as an integer: noticed when it is looked at */
    put_text(&dump, "\xc0\1");
    put_footer(&dump, 11);
    CHECK(drain_memory(&dump, NULL, 0) == RDB_OK && drain_memory(&dump, NULL, 1) == RDB_ERR_CORRUPT);
    rdb_close(NULL);
    begin(11);
    p = rdb_open_reader(memory_read, &(struct memory_reader){dump.data, dump.len, 0}, NULL);
    CHECK(rdb_next(p, &ev) == RDB_EV_ERROR && rdb_error(p)->kind == RDB_ERR_TRUNCATED && !rdb_error(p)->has_key &&
          rdb_error(p)->offset == 9);
    rdb_close(p);
}

static void test_names_of_things(void)
{
    CHECK(strcmp(rdb_type_name(RDB_T_STRING), "string") == 0 && strcmp(rdb_type_name(RDB_T_JSON), "json") == 0);
    for (int t = 0; t < RDB_T_COUNT; t++)
        CHECK(rdb_type_name((enum rdb_type)t) && strcmp(rdb_type_name((enum rdb_type)t), "unknown") != 0);
    CHECK(strcmp(rdb_type_name(RDB_T_COUNT), "unknown") == 0);
    for (int e = 0; e < 40; e++)
        CHECK(rdb_err_name((enum rdb_err)e)[0] != 0);
    CHECK(strcmp(rdb_err_name(RDB_ERR_LIMIT), "limit reached") == 0);
}

int main(void)
{
    test_names_of_things();
    test_old();
    test_packed();
    test_field_expiry();
    test_streams();
    test_stream_nodes();
    test_modules();
    test_arrays();
    test_templates();
    test_many_templates();
    test_redis_opcodes();
    test_valkey_opcodes();
    test_wrong_place();
    test_keydb();
    test_dragonfly();
    test_versions();
    test_big_endian_times();
    test_checksums();
    test_error_details();
    buf_free(&dump);
    return check_result();
}
