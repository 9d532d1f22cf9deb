/*
 * lzf.c - LZF: whole strings by liblzf where it is linked, only the first bytes or piece by piece by our own expander.
 *
 *     000LLLLL                       literal run: L + 1 bytes follow
 *     LLLooooo oooooooo              copy L + 2 bytes from o + 1 back           (L 1-6)
 *     111ooooo LLLLLLLL oooooooo     copy L + 9 bytes from o + 1 back
 *
 * lzf_d.c lzf_decompress. A copy may overlap what it makes (distance 1 repeats a byte). Distances reach back 8192
 * bytes at most, so a streaming expander needs no more history than that.
 *
 * Speed: outputs have slack behind them, so short runs and copies are moved with fixed-size moves of 8 and 16 bytes
 * that may write past their end.
 */
#if RDBMEM_LZF
#include <liblzf/lzf.h>
#endif

#include "rdb/internal.h"

struct op {
    const uint8_t *in;
    uint8_t *out;
};

/* Copies len bytes from dist back; out may be scribbled on up to LZF_SLACK behind the copy. */
static inline void copy_back(uint8_t *out, size_t dist, size_t len)
{
    const uint8_t *from = out - dist;
    if (RDB_LIKELY(dist >= 16)) {
        for (size_t i = 0; i < len; i += 16)
            memcpy(out + i, from + i, 16);
    } else if (dist >= 8) {
        for (size_t i = 0; i < len; i += 8)
            memcpy(out + i, from + i, 8);
    } else if (dist == 1) {
        memset(out, *from, len);
    } else {
        for (size_t i = 0; i < len; i++)
            out[i] = from[i];
    }
}

/* Literal run of len <= 32 bytes; in_end tells whether the source may be over-read. */
static inline void copy_run(uint8_t *out, const uint8_t *in, const uint8_t *in_end, size_t len)
{
    if (RDB_LIKELY(in_end - in >= 32)) {
        memcpy(out, in, 16);
        memcpy(out + 16, in + 16, 16);
    } else {
        memcpy(out, in, len);
    }
}

enum lzf_end { LZF_INPUT_END, LZF_FULL, LZF_BAD };

/*
 * Runs whole operations from o->in until the input is used up, or less than `margin` bytes of room are left before
 * out_end, or the data is bad. An operation whose bytes are not all there is not begun. Copies reach down to `first`.
 */
static enum lzf_end expand(struct op *o, const uint8_t *in_end, const uint8_t *first, const uint8_t *out_end,
                           ptrdiff_t margin)
{
    const uint8_t *in = o->in;
    uint8_t *out = o->out;
    enum lzf_end end = LZF_INPUT_END;
    while (in < in_end) {
        size_t c = *in;
        if (out_end - out < margin) {
            end = LZF_FULL;
            break;
        }
        if (c < 32) {
            size_t len = c + 1;
            if ((size_t)(in_end - in) < 1 + len)
                break;
            if ((size_t)(out_end - out) < len) {
                end = LZF_BAD;
                break;
            }
            copy_run(out, in + 1, in_end, len);
            in += 1 + len;
            out += len;
            continue;
        }
        size_t size = c < 0xe0 ? 2 : 3;
        if ((size_t)(in_end - in) < size)
            break;
        size_t len = c < 0xe0 ? (c >> 5) + 2 : (size_t)in[1] + 9;
        size_t dist = ((c & 0x1f) << 8) + in[size - 1] + 1;
        if (dist > (size_t)(out - first) || len > (size_t)(out_end - out)) {
            end = LZF_BAD;
            break;
        }
        copy_back(out, dist, len);
        in += size;
        out += len;
    }
    o->in = in;
    o->out = out;
    return end;
}

bool lzf_whole(const uint8_t *in, size_t n, uint8_t *out, size_t len)
{
#if RDBMEM_LZF
    return n > 0 && lzf_decompress(in, (unsigned)n, out, (unsigned)len) == len;
#else
    struct op o = {in, out};
    return expand(&o, in + n, out, out + len, 0) == LZF_INPUT_END && o.in == in + n && o.out == out + len;
#endif
}

/* One operation with all bounds, cut at out_end. False: its bytes are not all there, or it is damaged. */
static bool expand_one(struct op *o, const uint8_t *in_end, const uint8_t *first, const uint8_t *out_end, bool *bad)
{
    size_t there = (size_t)(in_end - o->in), room = (size_t)(out_end - o->out);
    size_t c = o->in[0], size = c < 32 ? c + 2 : c < 0xe0 ? 2 : 3;
    if (there < size)
        return false;
    size_t len = c < 32 ? c + 1 : c < 0xe0 ? (c >> 5) + 2 : (size_t)o->in[1] + 9;
    size_t dist = ((c & 0x1f) << 8) + o->in[size - 1] + 1;
    if (c >= 32 && dist > (size_t)(o->out - first)) {
        *bad = true;
        return false;
    }
    const uint8_t *from = c < 32 ? o->in + 1 : o->out - dist;
    for (size_t i = 0; i < len && i < room; i++)
        *o->out++ = from[i];
    o->in += size;
    return true;
}

size_t lzf_head(const uint8_t *in, size_t n, uint8_t *out, size_t want)
{
    struct op o = {in, out};
    bool bad = expand(&o, in + n, out, out + want, LZF_COPY_MAX + LZF_SLACK) == LZF_BAD;
    while (!bad && o.in < in + n && o.out < out + want)
        if (!expand_one(&o, in + n, out, out + want, &bad))
            break;
    return bad ? SIZE_MAX : (size_t)(o.out - out);
}

/* ---------------------------------------------------------------- piece by piece */

/*
 *     out                                                LZF_PIECE
 *      | history (8192) ... | p: unread ... | end: free ... |
 *
 * What stands before `end` was made by us, back to 8192 bytes or to the first byte of all: every distance that reaches
 * down to `out` is good, and no other can be.
 */

/* Moves history and unread bytes to the front. */
static void stream_compact(struct lzf_stream *s, struct rdb_cursor *c)
{
    const uint8_t *keep = c->p;
    if (c->end - keep < LZF_HISTORY)
        keep = c->end - s->out > LZF_HISTORY ? c->end - LZF_HISTORY : s->out;
    size_t n = (size_t)(c->end - keep), back = (size_t)(c->p - keep);
    c->base += (uint64_t)(c->p - c->start);
    memmove(s->out, keep, n);
    c->p = c->start = s->out + back;
    c->end = s->out + n;
}

static bool stream_bad(struct rdb_cursor *c, const char *why)
{
    c->damage = why;
    c->left = 0;
    return false;
}

static bool stream_more(struct rdb_cursor *c, size_t need)
{
    struct lzf_stream *s = c->ctx;
    if (c->damage || need > RDB_CURSOR_NEED_MAX || need > (uint64_t)(c->end - c->p) + c->left)
        return false;
    stream_compact(s, c);
    uint8_t *limit = s->out + LZF_PIECE;
    while ((size_t)(c->end - c->p) < need) {
        /* The longest operation takes 33 bytes of input. */
        size_t want = s->in_left < 33 ? (size_t)s->in_left : 33;
        if (want == 0 || !rdb_cursor_need(&s->in, want))
            return stream_bad(c, want ? "its lzf data ends early" : "its lzf data expands to less than it says");
        size_t there = (size_t)(s->in.end - s->in.p);
        if (there > s->in_left)
            there = (size_t)s->in_left;
        struct op o = {s->in.p, s->out + (c->end - s->out)};
        uint8_t *end = c->left < (uint64_t)(limit - o.out) ? o.out + c->left : limit;
        enum lzf_end how = expand(&o, s->in.p + there, s->out, end, end == limit ? LZF_COPY_MAX + 1 : 0);
        size_t taken = (size_t)(o.in - s->in.p), made = (size_t)(o.out - c->end);
        if (how == LZF_BAD || (taken == 0 && made == 0))
            return stream_bad(c, "its lzf data is damaged");
        s->in.p = o.in;
        s->in_left -= taken;
        c->end = o.out;
        c->left -= made;
        if (c->left == 0 && s->in_left != 0)
            return stream_bad(c, "its lzf data expands to more than it says");
    }
    return true;
}

void lzf_stream_open(struct lzf_stream *s, const struct rdb_cursor *in, uint64_t clen, uint64_t ulen,
                     struct rdb_cursor *c)
{
    s->in = *in;
    s->in_left = clen;
    *c = (struct rdb_cursor){.p = s->out, .end = s->out, .start = s->out, .left = ulen, .more = stream_more, .ctx = s};
}
