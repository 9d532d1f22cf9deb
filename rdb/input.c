/*
 * input.c - opens the source, looks at the first bytes, stacks layers.
 *
 *     1f 8b                      gzip       (unpack.c)
 *     28 b5 2f fd                zstd       (unpack.c)
 *     04 22 4d 18                lz4 frame  (unpack.c)
 *     "VKCS" 01 codec flags kind            8 bytes, then one lz4 frame    (Valkey compression_stream.c)
 *     "$1234\r\n"                           a disk based sync captured from a socket: 1234 bytes follow
 *     "$EOF:" 40 bytes "\r\n"               a diskless sync: the 40 bytes come again behind the RDB
 *     "\n"                                  keep-alive of a server that is still saving  (replication.c)
 *     "REDIS" or "VALKEY"                   done
 */
#include "rdb/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- the source */

struct source {
    struct rdb_layer layer;
    int fd; /* -1: callback */
    bool owned;
    bool placed;  /* read with pread() at origin + place */
    off_t origin; /* of a plain file: where its first byte was read; -1: not known */
    uint64_t place;
    rdb_read_fn read;
    void *ctx;
};

static ptrdiff_t source_bytes(struct source *s, uint8_t *buf, size_t n)
{
    if (s->read)
        return s->read(s->ctx, buf, n);
    if (!s->placed)
        return read(s->fd, buf, n);
    ptrdiff_t got = pread(s->fd, buf, n, s->origin + (off_t)s->place);
    s->place += got > 0 ? (uint64_t)got : 0;
    return got;
}

static ptrdiff_t source_read(struct rdb_layer *l, uint8_t *buf, size_t n)
{
    struct source *s = (struct source *)l;
    struct rdb_input *in = l->input;
    if (in->stop && atomic_load_explicit(in->stop, memory_order_relaxed))
        return 0;
    if (in->read_size && n > in->read_size)
        n = in->read_size;
    if (n > (1u << 30))
        n = 1u << 30; /* some kernels refuse more than 2 GiB at once */
    ptrdiff_t got;
    do {
        errno = 0;
        got = source_bytes(s, buf, n);
    } while (got < 0 && errno == EINTR);
    if (got < 0 || (size_t)got > n) {
        in->error.sys = errno;
        rdb_error_set(&in->error, RDB_ERR_IO, in->file_offset, "cannot read: %s",
                      got < 0 ? strerror(errno) : "more bytes returned than asked for");
        return -1;
    }
    in->file_offset += (uint64_t)got;
    return got;
}

static void source_close(struct rdb_layer *l)
{
    struct source *s = (struct source *)l;
    if (s->owned)
        (void)close(s->fd);
    free(s);
}

static bool source_push(struct rdb_input *in, int fd, bool owned, rdb_read_fn read_fn, void *ctx)
{
    struct source *s = calloc(1, sizeof *s);
    if (!s) {
        if (owned)
            (void)close(fd);
        return rdb_error_set(&in->error, RDB_ERR_NOMEM, 0, "out of memory");
    }
    s->layer = (struct rdb_layer){
        .read = source_read, .close = source_close, .below = in->top, .input = in, .left = UINT64_MAX};
    s->fd = fd;
    s->owned = owned;
    s->origin = in->file_size > 0 ? lseek(fd, 0, SEEK_CUR) : -1;
    s->read = read_fn;
    s->ctx = ctx;
    in->top = &s->layer;
    return true;
}

bool rdb_input_open_fd(struct rdb_input *in, int fd)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        in->file_size = (uint64_t)st.st_size;
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return source_push(in, fd, false, NULL, NULL);
}

bool rdb_input_open_path(struct rdb_input *in, const char *path)
{
    if (strcmp(path, "-") == 0)
        return rdb_input_open_fd(in, STDIN_FILENO);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        in->error.sys = errno;
        return rdb_error_set(&in->error, RDB_ERR_IO, 0, "cannot open: %s", strerror(errno));
    }
    if (!rdb_input_open_fd(in, fd)) {
        (void)close(fd);
        return false;
    }
    ((struct source *)in->top)->owned = true;
    return true;
}

bool rdb_input_open_callback(struct rdb_input *in, rdb_read_fn read_fn, void *ctx)
{
    return source_push(in, -1, false, read_fn, ctx);
}

/* NULL: there is more than a file that begins with its magic. */
static struct source *plain_file(const struct rdb_input *in)
{
    struct source *s = (struct source *)in->top;
    return in->wraps == 0 && !in->dropped && s && s->layer.below == NULL && !s->read && s->origin >= 0 ? s : NULL;
}

bool rdb_input_open_again(struct rdb_input *again, const struct rdb_input *in)
{
    const struct source *s = plain_file(in);
    if (!s)
        return false;
    again->file_size = in->file_size;
    if (!source_push(again, s->fd, false, NULL, NULL))
        return false;
    struct source *own = (struct source *)again->top;
    own->placed = true;
    own->origin = s->origin;
    return true;
}

void rdb_input_seek(struct rdb_input *in, uint64_t offset)
{
    struct source *s = plain_file(in);
    if (!s)
        return;
    s->placed = true;
    s->place = in->file_offset = offset;
    s->layer.peek_at = s->layer.peek_len = 0;
    in->error = (struct rdb_error){0};
}

void rdb_input_close(struct rdb_input *in)
{
    while (in->top) {
        struct rdb_layer *l = in->top;
        in->top = l->below;
        l->close(l);
    }
}

/* ---------------------------------------------------------------- reading a layer */

ptrdiff_t rdb_layer_read(struct rdb_layer *l, uint8_t *buf, size_t n)
{
    if (n > l->left)
        n = (size_t)l->left;
    if (n == 0)
        return 0;
    ptrdiff_t got;
    size_t peeked = l->peek_len - l->peek_at;
    if (peeked) {
        got = (ptrdiff_t)(n < peeked ? n : peeked);
        memcpy(buf, l->peek + l->peek_at, (size_t)got);
        l->peek_at += (size_t)got;
    } else {
        got = l->read(l, buf, n);
    }
    if (got > 0 && l->left != UINT64_MAX)
        l->left -= (uint64_t)got;
    return got;
}

ptrdiff_t rdb_input_read(struct rdb_input *in, uint8_t *buf, size_t n)
{
    if (in->error.kind != RDB_OK)
        return -1;
    return rdb_layer_read(in->top, buf, n);
}

/* Makes n bytes visible in peek[], fewer only at the end of the layer. */
static bool peek(struct rdb_layer *l, size_t n)
{
    if (l->peek_at) {
        memmove(l->peek, l->peek + l->peek_at, l->peek_len - l->peek_at);
        l->peek_len -= l->peek_at;
        l->peek_at = 0;
    }
    while (l->peek_len < n) {
        ptrdiff_t got = l->read(l, l->peek + l->peek_len, n - l->peek_len);
        if (got < 0)
            return false;
        if (got == 0)
            break;
        l->peek_len += (size_t)got;
    }
    return true;
}

static void drop(struct rdb_layer *l, size_t n)
{
    l->peek_at += n;
    l->input->dropped = true;
    if (l->left != UINT64_MAX)
        l->left -= n < l->left ? n : l->left;
}

/* ---------------------------------------------------------------- what is it? */

struct magic {
    const char *bytes;
    size_t len;
    const char *advice;
};

/* Things people hand in that are no RDB: say what they are, not "wrong magic". */
static const struct magic foreign[] = {
    {"\xfd"
     "7zXZ",
     5, "xz-compressed: unpack it first"},
    {"BZh", 3, "bzip2-compressed: unpack it first"},
    {"PK\x03\x04", 4, "a zip archive: unpack it first"},
    {"7z\xbc\xaf\x27\x1c", 6, "a 7z archive: unpack it first"},
    {"\x02\x21\x4c\x18", 4, "lz4-compressed in the legacy format: unpack it first"},
    {"*", 1, "an append-only file without rdb preamble (RESP commands)"},
    {"+FULLRESYNC", 11, "a captured replication handshake: cut the line before the rdb"},
    {"file ", 5, "the manifest of an append-only file: take the base file that it names"},
};

static bool starts(const struct rdb_layer *l, const char *bytes, size_t n)
{
    return l->peek_len - l->peek_at >= n && memcmp(l->peek + l->peek_at, bytes, n) == 0;
}

static bool refuse(struct rdb_input *in)
{
    const struct rdb_layer *l = in->top;
    size_t have = l->peek_len - l->peek_at;
    const uint8_t *b = l->peek + l->peek_at;
    char shown[9 * 4 + 8];
    if (have == 0)
        return rdb_error_set(&in->error, RDB_ERR_MAGIC, 0, "expected the magic REDIS or VALKEY, the input is empty");
    rdb_error_bytes(shown, sizeof shown, b, have < 9 ? have : 9);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (starts(l, foreign[i].bytes, foreign[i].len))
            return rdb_error_set(&in->error, RDB_ERR_MAGIC, 0, "expected the magic REDIS or VALKEY, found \"%s\": %s",
                                 shown, foreign[i].advice);
    if (have < 9 &&
        (memcmp(b, "REDIS0123", have < 5 ? have : 5) == 0 || memcmp(b, "VALKEY012", have < 6 ? have : 6) == 0))
        return rdb_error_set(&in->error, RDB_ERR_TRUNCATED, 0,
                             "expected 9 bytes of magic and version, the input ends "
                             "after \"%s\"",
                             shown);
    return rdb_error_set(&in->error, RDB_ERR_MAGIC, 0, "expected the magic REDIS or VALKEY, found \"%s\"", shown);
}

/* "$<decimal>\r\n" or "$EOF:<40>\r\n" at hand: strips it. */
static bool strip_bulk(struct rdb_input *in)
{
    struct rdb_layer *l = in->top;
    const uint8_t *b = l->peek + l->peek_at;
    size_t have = l->peek_len - l->peek_at;
    if (starts(l, "$EOF:", 5) && have >= 47 && b[45] == '\r' && b[46] == '\n') {
        in->wraps |= RDB_WRAP_REPL_EOF;
        drop(l, 47);
        return true;
    }
    uint64_t len = 0;
    size_t i = 1;
    for (; i < have && i < 20 && b[i] >= '0' && b[i] <= '9'; i++)
        len = len * 10 + (uint64_t)(b[i] - '0');
    if (i == 1 || i + 2 > have || b[i] != '\r' || b[i + 1] != '\n' || len == 0)
        return refuse(in);
    in->wraps |= RDB_WRAP_REPL_LEN;
    drop(l, i + 2);
    if (len < l->left)
        l->left = len;
    return true;
}

static bool strip_vkcs(struct rdb_input *in)
{
    struct rdb_layer *l = in->top;
    const uint8_t *b = l->peek + l->peek_at;
    if (l->peek_len - l->peek_at < 8)
        return rdb_error_set(&in->error, RDB_ERR_TRUNCATED, 0, "expected 8 bytes of VKCS envelope, the input ends");
    if (b[4] != 1 || b[5] != 1 || b[7] != 0)
        return rdb_error_set(
            &in->error, RDB_ERR_WRAPPER, 0,
            "expected VKCS version 1, codec 1 (lz4), kind 0 (rdb), found version %u, codec %u, kind %u", b[4], b[5],
            b[7]);
    in->wraps |= RDB_WRAP_VKCS;
    drop(l, 8);
    return rdb_unpack_push(in, RDB_WRAP_LZ4);
}

/* One look at the top layer. *done when it is an RDB. */
static bool unwrap_one(struct rdb_input *in, bool *done)
{
    struct rdb_layer *l = in->top;
    if (!peek(l, INPUT_PEEK))
        return false;
    if (starts(l, "REDIS", 5) || starts(l, "VALKEY", 6)) {
        *done = l->peek_len - l->peek_at >= 9;
        return *done || refuse(in);
    }
    if (starts(l, "\n", 1)) {
        drop(l, 1);
        return true;
    }
    if (starts(l, "$", 1))
        return strip_bulk(in);
    if (starts(l, "VKCS", 4))
        return strip_vkcs(in);
    if (starts(l, "\x1f\x8b", 2))
        return rdb_unpack_push(in, RDB_WRAP_GZIP);
    if (starts(l, "\x28\xb5\x2f\xfd", 4))
        return rdb_unpack_push(in, RDB_WRAP_ZSTD);
    if (starts(l, "\x04\x22\x4d\x18", 4))
        return rdb_unpack_push(in, RDB_WRAP_LZ4);
    return refuse(in);
}

static size_t depth(const struct rdb_input *in)
{
    size_t n = 0;
    for (const struct rdb_layer *l = in->top; l; l = l->below)
        n++;
    return n;
}

bool rdb_input_unwrap(struct rdb_input *in)
{
    bool done = false;
    while (!done) {
        if (depth(in) > INPUT_LAYERS_MAX)
            return rdb_error_set(&in->error, RDB_ERR_WRAPPER, 0, "expected at most %d layers of compression",
                                 INPUT_LAYERS_MAX - 1);
        if (!unwrap_one(in, &done))
            return false;
    }
    return true;
}
