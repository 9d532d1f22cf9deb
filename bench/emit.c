#include "bench/emit.h"

#include <errno.h>
#include <fcntl.h>
#include <isa-l/crc64.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "emit_le copies integers as they lie in memory");

bool emit_open(struct emit *e, int fd)
{
    *e = (struct emit){.fd = fd, .buf = malloc(EMIT_BUFFER + EMIT_SLACK)};
    fcntl(fd, F_SETPIPE_SZ, EMIT_BUFFER); /* fails, and does not matter, when it is no pipe */
    return e->buf != NULL;
}

void emit_close(struct emit *e)
{
    free(e->buf);
    e->buf = NULL;
}

void emit_rewind(struct emit *e)
{
    e->used = 0;
    e->flushed = 0;
    e->crc = 0;
}

static void write_all(struct emit *e, const uint8_t *data, size_t len)
{
    while (len > 0 && e->sys == 0) {
        ssize_t n = write(e->fd, data, len);
        if (n >= 0) {
            data += n;
            len -= (size_t)n;
        } else if (errno != EINTR) {
            e->sys = errno;
        }
    }
}

/* Sums and writes bytes that need not lie in the buffer. */
static void pass_on(struct emit *e, const uint8_t *data, size_t len)
{
    e->flushed += len;
    if (e->dry)
        return;
    /* ISA-L complements on entry and on exit, the format does neither. */
    e->crc = ~crc64_jones_refl(~e->crc, data, len);
    write_all(e, data, len);
}

void emit_flush(struct emit *e)
{
    pass_on(e, e->buf, e->used);
    e->used = 0;
}

bool emit_finish(struct emit *e)
{
    emit_flush(e);
    emit_le(e, e->crc, 8);
    emit_flush(e);
    return e->sys == 0;
}

void emit_bytes(struct emit *e, const void *data, size_t len)
{
    if (len <= EMIT_BUFFER - (e->used < EMIT_BUFFER ? e->used : EMIT_BUFFER)) {
        memcpy(e->buf + e->used, data, len);
        e->used += len;
        return;
    }
    emit_flush(e);
    const uint8_t *p = data;
    for (; len > EMIT_BUFFER; p += EMIT_BUFFER, len -= EMIT_BUFFER)
        pass_on(e, p, EMIT_BUFFER);
    memcpy(e->buf, p, len);
    e->used = len;
}

void emit_fill(struct emit *e, uint8_t byte, uint64_t len)
{
    while (len > 0) {
        uint8_t *p = emit_at(e);
        size_t room = EMIT_BUFFER - e->used;
        size_t n = len < room ? (size_t)len : room;
        memset(p, byte, n);
        e->used += n;
        len -= n;
    }
}

/* ---------------------------------------------------------------- LZF */

/*
 * A compressor of our own: liblzf leaves its hash table uninitialised unless it was built otherwise, so what it writes
 * depends on what lay on the stack before. Files must come out the same everywhere.
 */
enum {
    LZF_SLOTS = 4096,
    LZF_DISTANCE = 8192,
    LZF_COPY = 264,     /* longest copy */
    LZF_LITERALS = 32,  /* longest literal run */
    LZF_LONGEST = 65535 /* longer strings are written raw: the table counts in 16 bits */
};

struct lzf_out {
    uint8_t *p, *end;
    bool full;
};

static void lzf_literals(struct lzf_out *o, const uint8_t *from, size_t len)
{
    while (len > 0 && !o->full) {
        size_t n = len < LZF_LITERALS ? len : LZF_LITERALS;
        if ((size_t)(o->end - o->p) < n + 1) {
            o->full = true;
            return;
        }
        *o->p++ = (uint8_t)(n - 1);
        memcpy(o->p, from, n);
        o->p += n;
        from += n;
        len -= n;
    }
}

static void lzf_copy(struct lzf_out *o, size_t distance, size_t len)
{
    if (o->end - o->p < 3) {
        o->full = true;
        return;
    }
    size_t code = len - 2, back = distance - 1;
    *o->p++ = (uint8_t)((code < 7 ? code : 7) << 5 | back >> 8);
    if (code >= 7)
        *o->p++ = (uint8_t)(code - 7);
    *o->p++ = (uint8_t)back;
}

static uint32_t three_bytes(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static size_t match_length(const uint8_t *a, const uint8_t *b, size_t most)
{
    size_t n = 3;
    while (n < most && a[n] == b[n])
        n++;
    return n;
}

/* Compressed length, 0 when it does not fit into cap. */
static size_t lzf_pack(const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
    uint16_t seen[LZF_SLOTS] = {0}; /* 1 + position of the last three bytes with this hash */
    struct lzf_out o = {.p = out, .end = out + cap};
    size_t literal = 0, at = 0;
    while (at + 3 <= len && !o.full) {
        uint16_t *slot = &seen[three_bytes(in + at) * 2654435761u >> 20];
        size_t ref = *slot;
        *slot = (uint16_t)(at + 1);
        if (ref == 0 || at - (ref - 1) > LZF_DISTANCE || three_bytes(in + ref - 1) != three_bytes(in + at)) {
            at++;
            continue;
        }
        size_t most = len - at < LZF_COPY ? len - at : LZF_COPY;
        size_t n = match_length(in + ref - 1, in + at, most);
        lzf_literals(&o, in + literal, at - literal);
        lzf_copy(&o, at - (ref - 1), n);
        at += n;
        literal = at;
    }
    lzf_literals(&o, in + literal, len - literal);
    return o.full ? 0 : (size_t)(o.p - out);
}

static bool emit_lzf(struct emit *e, const uint8_t *data, size_t len)
{
    static uint8_t out[LZF_LONGEST];
    size_t clen = lzf_pack(data, len, out, len - 4); /* servers compress when that saves four bytes */
    if (clen == 0)
        return false;
    emit_u8(e, 0xc3);
    emit_len(e, clen);
    emit_len(e, len);
    emit_bytes(e, out, clen);
    return true;
}

/* ---------------------------------------------------------------- strings */

void emit_str(struct emit *e, const void *data, size_t len)
{
    if (e->lzf && len > 20 && len < LZF_LONGEST && emit_lzf(e, data, len))
        return;
    emit_raw(e, data, len);
}

void emit_text(struct emit *e, const char *text)
{
    emit_raw(e, text, strlen(text));
}

void emit_int(struct emit *e, int64_t v)
{
    if (v >= INT8_MIN && v <= INT8_MAX) {
        emit_le(e, 0xc0 | (uint64_t)(uint8_t)v << 8, 2);
    } else if (v >= INT16_MIN && v <= INT16_MAX) {
        emit_le(e, 0xc1 | (uint64_t)(uint16_t)v << 8, 3);
    } else if (v >= INT32_MIN && v <= INT32_MAX) {
        emit_le(e, 0xc2 | (uint64_t)(uint32_t)v << 8, 5);
    } else {
        char text[24];
        int n = snprintf(text, sizeof text, "%lld", (long long)v);
        emit_raw(e, text, (size_t)n);
    }
}
