/*
 * test_rdb_wrap.c - what may lie around an RDB: gzip, zstd, lz4, VKCS, sync prefixes, any of them inside another; and
 * what is no RDB at all.
 */
#include "rdb_build.h"

#include <errno.h>
#include <fcntl.h>
#include <lz4frame.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

static struct buf plain; /* a dump of some 100 KiB */
static char *expected;   /* its transcript */

static const struct telling all = {.batch = 64};

static void make_plain(void)
{
    unsigned long long seed = 6;
    char name[32], value[200];
    put_magic(&plain, 11);
    for (int i = 0; i < 1000; i++) {
        put_u8(&plain, 0);
        (void)snprintf(name, sizeof name, "key:%d", i);
        for (size_t k = 0; k < sizeof value; k++)
            value[k] = (char)('a' + check_random(&seed) % 20);
        put_str(&plain, name);
        put_strn(&plain, value, (size_t)check_random(&seed) % sizeof value);
    }
    put_footer(&plain, 11);
    struct buf t = {0};
    tell_memory(&t, &plain, NULL, all);
    expected = (char *)t.data;
    CHECK(strstr(expected, "eof\n") && t.len > 40000);
}

/* ---------------------------------------------------------------- wrappers */

static void gzip_member(struct buf *out, const uint8_t *data, size_t n)
{
    z_stream z = {0};
    uint8_t piece[4096];
    if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)n;
    int rc = Z_OK;
    while (rc == Z_OK) {
        z.next_out = piece;
        z.avail_out = sizeof piece;
        rc = deflate(&z, Z_FINISH);
        put(out, piece, sizeof piece - z.avail_out);
    }
    (void)deflateEnd(&z);
}

static void zstd_frame(struct buf *out, const uint8_t *data, size_t n)
{
    size_t cap = ZSTD_compressBound(n);
    uint8_t *to = malloc(cap);
    put(out, to, ZSTD_compress(to, cap, data, n, 1));
    free(to);
}

static void lz4_frame(struct buf *out, const uint8_t *data, size_t n)
{
    size_t cap = LZ4F_compressFrameBound(n, NULL);
    uint8_t *to = malloc(cap);
    put(out, to, LZ4F_compressFrame(to, cap, data, n, NULL));
    free(to);
}

/* The data in three frames, one after another. */
static void in_three(struct buf *out, void (*frame)(struct buf *, const uint8_t *, size_t), const struct buf *data)
{
    size_t third = data->len / 3;
    frame(out, data->data, third);
    frame(out, data->data + third, third);
    frame(out, data->data + 2 * third, data->len - 2 * third);
}

static void check_wrapped(const char *what, const struct buf *b, unsigned wraps, uint64_t trailing)
{
    static const size_t sizes[] = {0, 1, 7, 4096};
    for (size_t i = 0; i < 4; i++) {
        struct memory_reader m = {b->data, b->len, 0};
        struct rdb_options o = {.read_size = sizes[i]};
        rdb_parser *p = rdb_open_reader(memory_read, &m, &o);
        struct buf t = {0};
        tell(&t, p, all);
        CHECK_MSG(strcmp((char *)t.data, expected) == 0, "%s, read %zu: %.200s", what, sizes[i],
                  rdb_error(p)->expected);
        CHECK_MSG(rdb_info(p)->wraps == wraps, "%s: wraps %u", what, rdb_info(p)->wraps);
        CHECK_MSG(rdb_drain(p) == trailing, "%s: trailing %" PRIu64, what, rdb_info(p)->trailing);
        CHECK(rdb_info(p)->crc == RDB_CRC_OK);
        buf_free(&t);
        rdb_close(p);
    }
}

static void test_compressed(void)
{
    struct buf b = {0};
    gzip_member(&b, plain.data, plain.len);
    check_wrapped("gzip", &b, RDB_WRAP_GZIP, 0);
    put_text(&b, "garbage behind");
    check_wrapped("gzip and garbage", &b, RDB_WRAP_GZIP, 0);
    b.len = 0;
    in_three(&b, gzip_member, &plain);
    check_wrapped("gzip members", &b, RDB_WRAP_GZIP, 0);
    b.len = 0;
    zstd_frame(&b, plain.data, plain.len);
    check_wrapped("zstd", &b, RDB_WRAP_ZSTD, 0);
    put(&b, "\x50\x2a\x4d\x18\4\0\0\0skip", 12);
    check_wrapped("zstd and skippable frame", &b, RDB_WRAP_ZSTD, 0);
    b.len = 0;
    in_three(&b, zstd_frame, &plain);
    check_wrapped("zstd frames", &b, RDB_WRAP_ZSTD, 0);
    b.len = 0;
    lz4_frame(&b, plain.data, plain.len);
    check_wrapped("lz4", &b, RDB_WRAP_LZ4, 0);
    b.len = 0;
    in_three(&b, lz4_frame, &plain);
    check_wrapped("lz4 frames", &b, RDB_WRAP_LZ4, 0);
    b.len = 0;
    put(&b, "VKCS\1\1\0\0", 8);
    lz4_frame(&b, plain.data, plain.len);
    put_text(&b, "ignored");
    check_wrapped("vkcs", &b, RDB_WRAP_VKCS | RDB_WRAP_LZ4, 0);
    buf_free(&b);
}

static void test_sync_prefixes(void)
{
    struct buf b = {0}, c = {0};
    char line[64];
    put_text(&b, "\n\n\n");
    (void)snprintf(line, sizeof line, "$%zu\r\n", plain.len);
    put_text(&b, line);
    put(&b, plain.data, plain.len);
    put_text(&b, "*1\r\n$4\r\nPING\r\n");
    check_wrapped("length", &b, RDB_WRAP_REPL_LEN, 0);
    b.len = 0;
    put_text(&b, "$EOF:0123456789012345678901234567890123456789\r\n");
    put(&b, plain.data, plain.len);
    put_text(&b, "0123456789012345678901234567890123456789");
    check_wrapped("mark", &b, RDB_WRAP_REPL_EOF, 40);
    gzip_member(&c, b.data, b.len);
    check_wrapped("mark in gzip", &c, RDB_WRAP_REPL_EOF | RDB_WRAP_GZIP, 40);
    b.len = c.len = 0;
    zstd_frame(&c, plain.data, plain.len);
    gzip_member(&b, c.data, c.len);
    check_wrapped("zstd in gzip", &b, RDB_WRAP_ZSTD | RDB_WRAP_GZIP, 0);
    buf_free(&b);
    buf_free(&c);
}

/* ---------------------------------------------------------------- cut and damaged */

/* Is the transcript, up to its error, the beginning of what the whole dump tells? */
static bool true_beginning(const struct buf *t, const char *error)
{
    const char *text = (const char *)t->data;
    size_t n = error ? (size_t)(error - text) : 0;
    return error && memcmp(text, expected, n ? n - 1 : 0) == 0; /* the record at hand ends in the middle */
}

/* Every cut of a wrapper: an error, and never a record that was not in the dump. */
static void check_cuts(void (*frame)(struct buf *, const uint8_t *, size_t))
{
    struct buf b = {0}, t = {0};
    frame(&b, plain.data, plain.len);
    for (size_t n = 0; n < b.len; n += n < 150 ? 1 : 1997) {
        struct buf cut = {b.data, n, n};
        tell_memory(&t, &cut, NULL, all);
        const char *error = strstr((char *)t.data, "error ");
        CHECK_MSG(true_beginning(&t, error), "cut at %zu: %.300s", n, (char *)t.data);
    }
    for (size_t i = 0; i < b.len; i += i < 100 ? 1 : 3001) {
        b.data[i] ^= 0x55;
        tell_memory(&t, &b, NULL, all);
        b.data[i] ^= 0x55;
    }
    buf_free(&b);
    buf_free(&t);
}

/* A whole dump in front of a gzip checksum that is wrong: the dump counts. */
static void test_damage_behind(void)
{
    struct buf b = {0}, t = {0};
    gzip_member(&b, plain.data, plain.len);
    b.data[b.len - 6] ^= 1;
    tell_memory(&t, &b, NULL, all);
    CHECK(strstr((char *)t.data, "eof\n") || strstr((char *)t.data, "error damaged wrapper"));
    buf_free(&b);
    buf_free(&t);
}

static void refuse(const void *bytes, size_t n, enum rdb_err kind, const char *what)
{
    struct memory_reader m = {bytes, n, 0};
    struct rdb_event ev;
    rdb_parser *p = rdb_open_reader(memory_read, &m, NULL);
    CHECK_MSG(rdb_error(p)->kind == kind && strstr(rdb_error(p)->expected, what), "expected %s \"%s\", found %s \"%s\"",
              rdb_err_name(kind), what, rdb_err_name(rdb_error(p)->kind), rdb_error(p)->expected);
    CHECK(rdb_next(p, &ev) == RDB_EV_ERROR && rdb_drain(p) == 0 && rdb_tell(p) == 0);
    (void)rdb_info(p);
    rdb_close(p);
}

static void test_foreign(void)
{
#define B(s) (s), sizeof(s) - 1
    refuse(B(""), RDB_ERR_MAGIC, "the input is empty");
    refuse(B("\n\n\n"), RDB_ERR_MAGIC, "the input is empty");
    refuse(B("REDIS00"), RDB_ERR_TRUNCATED, "the input ends after \"REDIS00\"");
    refuse(B("VALK"), RDB_ERR_TRUNCATED, "the input ends after \"VALK\"");
    refuse(B("hello world, this is text"), RDB_ERR_MAGIC, "found \"hello wor\"");
    refuse(B("\0\1\2\3\4\5\6\7\x80\xff"), RDB_ERR_MAGIC, "found \"\\x00\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x80\"");
    refuse(B("\xfd"
             "7zXZ\0\0\0\0\0\0"),
           RDB_ERR_MAGIC, "xz-compressed: unpack it first");
    refuse(B("BZh91AY&SY......"), RDB_ERR_MAGIC, "bzip2-compressed");
    refuse(B("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"), RDB_ERR_MAGIC, "append-only file");
    refuse(B("PK\3\4......"), RDB_ERR_MAGIC, "zip archive");
    refuse(B("$12a\r\nREDIS0011"), RDB_ERR_MAGIC, "found \"$12a");
    refuse(B("$\r\nREDIS0011"), RDB_ERR_MAGIC, "found \"$");
    refuse(B("VKCS\2\1\0\0abcdefgh"), RDB_ERR_WRAPPER, "found version 2");
    refuse(B("VKCS\1"), RDB_ERR_TRUNCATED, "8 bytes of VKCS");
    refuse(B("VKCS\1\1\0\0 no frame at all"), RDB_ERR_WRAPPER, "lz4");
    refuse(B("\x1f\x8b\x08\0"), RDB_ERR_TRUNCATED, "gzip");
    refuse(B("\x1f\x8b\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), RDB_ERR_WRAPPER,
           "gzip");
    refuse(B("\x28\xb5\x2f\xfd"), RDB_ERR_TRUNCATED, "zstd");
    refuse(B("\x04\x22\x4d\x18"), RDB_ERR_TRUNCATED, "lz4");
#undef B
}

/* gzip in gzip in gzip ...: at some depth it is enough. */
static void test_too_deep(void)
{
    struct buf a = {0}, b = {0};
    gzip_member(&a, plain.data, 5000);
    for (int i = 0; i < 6; i++) {
        b.len = 0;
        gzip_member(&b, a.data, a.len);
        a.len = 0;
        put(&a, b.data, b.len);
    }
    refuse(a.data, a.len, RDB_ERR_WRAPPER, "layers of compression");
    buf_free(&a);
    buf_free(&b);
}

/* ---------------------------------------------------------------- files, descriptors, failing reads */

static void test_files(void)
{
    char path[] = "/tmp/rdb_wrap_XXXXXX";
    int fd = mkstemp(path), pipes[2];
    struct buf t = {0};
    CHECK(fd >= 0 && write(fd, plain.data, plain.len) == (ssize_t)plain.len);
    rdb_parser *p = rdb_open(path, NULL);
    tell(&t, p, all);
    CHECK(strcmp((char *)t.data, expected) == 0);
    CHECK(rdb_info(p)->file_size == plain.len && rdb_info(p)->file_offset == plain.len &&
          rdb_info(p)->offset == plain.len);
    rdb_close(p);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    p = rdb_open_fd(fd, NULL);
    t.len = 0;
    tell(&t, p, all);
    CHECK(strcmp((char *)t.data, expected) == 0);
    rdb_close(p);
    CHECK(close(fd) == 0); /* it stayed ours */
    CHECK(unlink(path) == 0);
    p = rdb_open(path, NULL);
    CHECK(rdb_error(p)->kind == RDB_ERR_IO && rdb_error(p)->sys == ENOENT &&
          strstr(rdb_error(p)->expected, "cannot open"));
    rdb_close(p);
    p = rdb_open("/tmp", NULL);
    CHECK(rdb_error(p)->kind == RDB_ERR_IO && rdb_error(p)->sys == EISDIR);
    rdb_close(p);
    CHECK(pipe(pipes) == 0 && write(pipes[1], plain.data, 1000) == 1000 && close(pipes[1]) == 0);
    p = rdb_open_fd(pipes[0], NULL);
    t.len = 0;
    tell(&t, p, all);
    CHECK(strstr((char *)t.data, "error truncated") && rdb_info(p)->file_size == 0 && rdb_info(p)->file_offset == 1000);
    rdb_close(p);
    (void)close(pipes[0]);
    buf_free(&t);
}

/* Compressed files are unpacked on a thread: the same tale, whole, cut, damaged, and closed in the middle. */
static void check_ahead(void (*frame)(struct buf *, const uint8_t *, size_t), unsigned wraps)
{
    char path[] = "/tmp/rdb_ahead_XXXXXX";
    struct buf b = {0}, big = {0}, t = {0}, want = {0};
    unsigned long long seed = 8;
    put_magic(&big, 11);
    for (int i = 0; i < 1500; i++) {
        uint8_t noise[400];
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (uint8_t)check_random(&seed);
        put_u8(&big, 0);
        put_strn(&big, noise, 8);
        put_strn(&big, noise, sizeof noise);
    }
    put_u8(&big, 255);
    put_le(&big, rdb_crc64(0, big.data, big.len), 8);
    tell_memory(&want, &big, NULL, all);
    frame(&b, big.data, big.len);
    CHECK(b.len > 256 * 1024);
    for (int round = 0; round < 6; round++) {
        size_t n = round == 2 ? b.len / 2 : b.len;
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (round == 3)
            memset(b.data + b.len / 2, 0x5a, 500);
        CHECK(fd >= 0 && write(fd, b.data, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
        struct rdb_options o = {.no_thread = round == 1, .read_size = round == 5 ? 1000 : 0};
        rdb_parser *p = round & 1 ? rdb_open_fd(fd, &o) : rdb_open(path, &o);
        struct rdb_event ev;
        t.len = 0;
        if (round == 4) { /* one record, then away */
            CHECK(rdb_next(p, &ev) == RDB_EV_KEY);
        } else {
            tell(&t, p, all);
            bool same = strcmp((char *)t.data, (char *)want.data) == 0;
            CHECK_MSG(same == (round < 2), "round %d: %s", round, rdb_error(p)->expected);
            CHECK((rdb_error(p)->kind == RDB_OK) == (round < 2));
            CHECK(round >= 2 || (rdb_drain(p) == 0 && rdb_info(p)->file_offset == n && rdb_info(p)->crc == RDB_CRC_OK));
            CHECK(round != 2 || rdb_error(p)->kind == RDB_ERR_TRUNCATED);
        }
        CHECK(rdb_info(p)->wraps == wraps);
        rdb_close(p);
        (void)close(fd);
    }
    (void)unlink(path);
    buf_free(&b);
    buf_free(&big);
    buf_free(&t);
    buf_free(&want);
}

struct failing {
    struct memory_reader m;
    size_t calls, fail_at;
};

static ptrdiff_t failing_read(void *ctx, void *buf, size_t n)
{
    struct failing *f = ctx;
    if (f->calls++ == f->fail_at) {
        errno = EIO;
        return -1;
    }
    return memory_read(&f->m, buf, n < 10000 ? n : 10000);
}

/* The n-th read fails, for every n: what was complete before is told, then the failure with its errno. */
static void test_failing_reads(void)
{
    struct buf t = {0};
    for (size_t n = 0; n < 40; n++) {
        struct failing f = {{plain.data, plain.len, 0}, 0, n};
        rdb_parser *p = rdb_open_reader(failing_read, &f, NULL);
        t.len = 0;
        tell(&t, p, all);
        const struct rdb_error *e = rdb_error(p);
        if (f.calls > n && strcmp((char *)t.data, expected) != 0) {
            const char *error = strstr((char *)t.data, "error input/output error: cannot read");
            CHECK_MSG(error && e->kind == RDB_ERR_IO && e->sys == EIO, "read %zu: %s", n, e->expected);
            CHECK(true_beginning(&t, error));
        }
        rdb_close(p);
    }
    buf_free(&t);
}

int main(void)
{
    make_plain();
    test_compressed();
    test_sync_prefixes();
    check_cuts(gzip_member);
    check_cuts(zstd_frame);
    check_cuts(lz4_frame);
    test_damage_behind();
    test_foreign();
    test_too_deep();
    test_files();
    check_ahead(gzip_member, RDB_WRAP_GZIP);
    check_ahead(zstd_frame, RDB_WRAP_ZSTD);
    check_ahead(lz4_frame, RDB_WRAP_LZ4);
    test_failing_reads();
    buf_free(&plain);
    free(expected);
    return check_result();
}
