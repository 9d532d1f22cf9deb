/*
 * unpack.c - gzip, zstd and lz4 as layers of the input.
 *
 *     below ──► in[at .. len) ──► inflate / ZSTD / LZ4F ──► caller's buffer
 *
 * All three libraries work on (in, out) pairs and are bounded: zlib 32 KiB of history, zstd the window that
 * ZSTD_d_windowLogMax allows (128 MiB), lz4 4 MiB blocks. Concatenated members or frames are one stream. Bytes behind
 * the last frame that do not begin another one are ignored, as gunzip does.
 */
#include "rdb/input.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { UNPACK_IN = 128 * 1024 };

struct unpack {
    struct rdb_layer layer;
    unsigned wrap;
    const char *name;
    bool in_frame; /* a frame is begun and not complete */
    bool ended;
    z_stream z;
    ZSTD_DCtx *zstd;
    LZ4F_dctx *lz4;
    size_t at, len;
    uint8_t in[UNPACK_IN];
};

/* One step of a library: takes from in[at..len), gives to out. False: damaged, *why says how. */
struct step {
    uint8_t *out;
    size_t cap, given, taken;
    bool frame_end;
    const char *why;
};

static bool step_gzip(struct unpack *u, struct step *s)
{
    u->z.next_in = u->in + u->at;
    u->z.avail_in = (uInt)(u->len - u->at);
    u->z.next_out = s->out;
    u->z.avail_out = (uInt)s->cap;
    int rc = inflate(&u->z, Z_NO_FLUSH);
    s->taken = u->len - u->at - u->z.avail_in;
    s->given = s->cap - u->z.avail_out;
    s->frame_end = rc == Z_STREAM_END;
    if (s->frame_end)
        (void)inflateReset(&u->z);
    if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
        return true;
    s->why = u->z.msg ? u->z.msg : "inflate failed";
    return false;
}

static bool step_zstd(struct unpack *u, struct step *s)
{
    ZSTD_inBuffer in = {u->in + u->at, u->len - u->at, 0};
    ZSTD_outBuffer out = {s->out, s->cap, 0};
    size_t rc = ZSTD_decompressStream(u->zstd, &out, &in);
    s->taken = in.pos;
    s->given = out.pos;
    s->frame_end = rc == 0;
    if (!ZSTD_isError(rc))
        return true;
    s->why = ZSTD_getErrorName(rc);
    return false;
}

static bool step_lz4(struct unpack *u, struct step *s)
{
    size_t in = u->len - u->at, out = s->cap;
    size_t rc = LZ4F_decompress(u->lz4, s->out, &out, u->in + u->at, &in, NULL);
    s->taken = in;
    s->given = out;
    s->frame_end = rc == 0;
    if (!LZ4F_isError(rc))
        return true;
    s->why = LZ4F_getErrorName(rc);
    return false;
}

/* Does the byte begin another member or frame? (zstd and lz4: frames or skippable frames 5x 2a 4d 18) */
static bool begins_frame(const struct unpack *u)
{
    uint8_t b = u->in[u->at];
    if (u->wrap == RDB_WRAP_GZIP)
        return b == 0x1f;
    if (u->layer.input->wraps & RDB_WRAP_VKCS && u->wrap == RDB_WRAP_LZ4)
        return false; /* what follows the frame of an envelope is ignored: compression_stream.c readVkcsEnvelope */
    return b == (u->wrap == RDB_WRAP_ZSTD ? 0x28 : 0x04) || (b & 0xf0) == 0x50;
}

static bool unpack_refill(struct unpack *u)
{
    ptrdiff_t got = rdb_layer_read(u->layer.below, u->in, UNPACK_IN);
    u->at = 0;
    u->len = got > 0 ? (size_t)got : 0;
    return got >= 0;
}

static ptrdiff_t unpack_read(struct rdb_layer *l, uint8_t *buf, size_t n)
{
    struct unpack *u = (struct unpack *)l;
    struct rdb_error *error = &l->input->error;
    struct step s = {.out = buf, .cap = n < (1u << 30) ? n : 1u << 30};
    while (!u->ended) {
        bool flush = false;
        if (u->at == u->len) {
            if (!unpack_refill(u))
                return -1;
            flush = u->len == 0; /* the input has ended: the library may still hold bytes back */
        }
        if (!u->in_frame && (flush || !begins_frame(u))) {
            u->ended = true;
            break;
        }
        bool good = u->wrap == RDB_WRAP_GZIP   ? step_gzip(u, &s)
                    : u->wrap == RDB_WRAP_ZSTD ? step_zstd(u, &s)
                                               : step_lz4(u, &s);
        u->at += s.taken;
        if (!good) {
            rdb_error_set(error, RDB_ERR_WRAPPER, l->input->file_offset, "expected intact %s data: %s", u->name, s.why);
            return -1;
        }
        u->in_frame = !s.frame_end;
        if (s.given)
            return (ptrdiff_t)s.given;
        if (flush && u->in_frame) {
            rdb_error_set(error, RDB_ERR_TRUNCATED, l->input->file_offset, "expected more %s data, the input ends",
                          u->name);
            return -1;
        }
        if (s.taken == 0 && !s.frame_end) {
            rdb_error_set(error, RDB_ERR_WRAPPER, l->input->file_offset, "expected progress: the %s data stands still",
                          u->name);
            return -1;
        }
    }
    return 0;
}

static void unpack_close(struct rdb_layer *l)
{
    struct unpack *u = (struct unpack *)l;
    if (u->wrap == RDB_WRAP_GZIP)
        (void)inflateEnd(&u->z);
    (void)ZSTD_freeDCtx(u->zstd);
    (void)LZ4F_freeDecompressionContext(u->lz4);
    free(u);
}

static bool unpack_start(struct unpack *u)
{
    switch (u->wrap) {
    case RDB_WRAP_GZIP: u->name = "gzip"; return inflateInit2(&u->z, 15 + 16) == Z_OK;
    case RDB_WRAP_ZSTD: u->name = "zstd"; return (u->zstd = ZSTD_createDCtx()) != NULL;
    default:
        u->name = "lz4";
        if (!LZ4F_isError(LZ4F_createDecompressionContext(&u->lz4, LZ4F_VERSION)))
            return true;
        u->lz4 = NULL;
        return false;
    }
}

bool rdb_unpack_push(struct rdb_input *in, unsigned wrap)
{
    struct unpack *u = malloc(sizeof *u);
    if (!u)
        return rdb_error_set(&in->error, RDB_ERR_NOMEM, 0, "out of memory");
    memset(u, 0, offsetof(struct unpack, in));
    u->wrap = wrap;
    if (!unpack_start(u)) {
        free(u);
        return rdb_error_set(&in->error, RDB_ERR_NOMEM, 0, "out of memory");
    }
    u->layer = (struct rdb_layer){
        .read = unpack_read, .close = unpack_close, .below = in->top, .input = in, .left = UINT64_MAX};
    u->in_frame = true; /* an empty input is a truncated one */
    in->wraps |= wrap;
    in->top = &u->layer;
    return true;
}
