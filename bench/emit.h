/*
 * emit.h - write an RDB file as fast as the disk or the pipe takes it.
 *
 * One buffer, one running CRC64, one descriptor. What is put into the buffer is summed and written when the buffer is
 * full; bytes that do not fit are passed on in pieces, so a value may be longer than memory. A failed write is
 * remembered and ends the output: the caller asks once, at the end.
 *
 * Numbers and strings are written in the shortest form, as servers write them.
 */
#ifndef RDBMEM_BENCH_EMIT_H
#define RDBMEM_BENCH_EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    EMIT_BUFFER = 256 * 1024, /* small enough to be summed while it is still in the second-level cache */
    EMIT_SLACK = 64           /* every fixed-size item fits behind a full buffer */
};

struct emit {
    uint8_t *buf;
    size_t used;
    uint64_t crc;     /* of everything flushed */
    uint64_t flushed; /* bytes that have left the buffer */
    int fd;
    bool dry; /* count only: nothing is summed or written */
    bool lzf; /* compress strings as a server with rdbcompression does */
    int sys;  /* errno of the first write that failed */
};

bool emit_open(struct emit *e, int fd);
void emit_close(struct emit *e);
void emit_flush(struct emit *e);
/* The CRC64 of everything so far, then whatever is left in the buffer goes out. False when a write failed (e->sys). */
bool emit_finish(struct emit *e);
/* Forgets what was counted: for a run that only measured. */
void emit_rewind(struct emit *e);

void emit_bytes(struct emit *e, const void *data, size_t len);
/* len times the same byte, without holding them. */
void emit_fill(struct emit *e, uint8_t byte, uint64_t len);

static inline uint64_t emit_tell(const struct emit *e)
{
    return e->flushed + e->used;
}

static inline uint8_t *emit_at(struct emit *e)
{
    if (e->used >= EMIT_BUFFER)
        emit_flush(e);
    return e->buf + e->used;
}

static inline void emit_u8(struct emit *e, uint8_t v)
{
    *emit_at(e) = v;
    e->used++;
}

/* The machine is little endian, as the format is (emit.c checks it). */
static inline void emit_le(struct emit *e, uint64_t v, size_t bytes)
{
    memcpy(emit_at(e), &v, sizeof v);
    e->used += bytes;
}

static inline void emit_double(struct emit *e, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    emit_le(e, bits, 8);
}

static inline void emit_len(struct emit *e, uint64_t v)
{
    uint8_t *p = emit_at(e);
    if (v < 64) {
        p[0] = (uint8_t)v;
        e->used += 1;
    } else if (v < 16384) {
        p[0] = (uint8_t)(0x40 | (v >> 8));
        p[1] = (uint8_t)v;
        e->used += 2;
    } else if (v <= UINT32_MAX) {
        uint32_t be = __builtin_bswap32((uint32_t)v);
        p[0] = 0x80;
        memcpy(p + 1, &be, 4);
        e->used += 5;
    } else {
        uint64_t be = __builtin_bswap64(v);
        p[0] = 0x81;
        memcpy(p + 1, &be, 8);
        e->used += 9;
    }
}

/* A string that is not worth compressing. */
static inline void emit_raw(struct emit *e, const void *data, size_t len)
{
    emit_len(e, len);
    emit_bytes(e, data, len);
}

/* A string: LZF when that is switched on, the string is long enough and it pays. */
void emit_str(struct emit *e, const void *data, size_t len);
void emit_text(struct emit *e, const char *text);
/* A string that is an integer. */
void emit_int(struct emit *e, int64_t v);

#endif
