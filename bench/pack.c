#include "bench/pack.h"

#include <assert.h>
#include <string.h>

void pack_begin(struct pack *k)
{
    k->used = PACK_HEAD;
    k->count = 0;
}

/* The entry that began at `start` gets its length behind it: seven bits a byte, highest first, all but the first marked.
 * A size of exactly 16383 is not handled: servers disagree about it (two or three bytes), so no entry is that long. */
static void close_entry(struct pack *k, size_t start)
{
    size_t len = k->used - start;
    uint8_t *p = k->buf + k->used;
    int more = len < 128 ? 0 : len < 16383 ? 1 : 2;
    *p++ = (uint8_t)(len >> (7 * more));
    for (int i = more - 1; i >= 0; i--)
        *p++ = (uint8_t)(0x80 | (len >> (7 * i) & 0x7f));
    k->used += (size_t)more + 1;
    k->count++;
}

void pack_str(struct pack *k, const void *data, size_t len)
{
    assert(k->used + len + 16 < PACK_ROOM);
    size_t start = k->used;
    uint8_t *p = k->buf + start;
    if (len < 64) {
        *p++ = (uint8_t)(0x80 | len);
    } else if (len < 4096) {
        *p++ = (uint8_t)(0xe0 | len >> 8);
        *p++ = (uint8_t)len;
    } else {
        uint32_t n = (uint32_t)len;
        *p++ = 0xf0;
        memcpy(p, &n, 4);
        p += 4;
    }
    memcpy(p, data, len);
    k->used = (size_t)(p - k->buf) + len;
    close_entry(k, start);
}

static void tagged(struct pack *k, uint8_t tag, int64_t v, size_t bytes)
{
    k->buf[k->used] = tag;
    memcpy(k->buf + k->used + 1, &v, sizeof v);
    k->used += 1 + bytes;
}

void pack_int(struct pack *k, int64_t v)
{
    assert(k->used + 32 < PACK_ROOM);
    size_t start = k->used;
    if (v >= 0 && v <= 127) {
        k->buf[k->used++] = (uint8_t)v;
    } else if (v >= -4096 && v <= 4095) {
        k->buf[k->used++] = (uint8_t)(0xc0 | (v >> 8 & 0x1f));
        k->buf[k->used++] = (uint8_t)v;
    } else if (v >= INT16_MIN && v <= INT16_MAX) {
        tagged(k, 0xf1, v, 2);
    } else if (v >= -(1 << 23) && v < 1 << 23) {
        tagged(k, 0xf2, v, 3);
    } else if (v >= INT32_MIN && v <= INT32_MAX) {
        tagged(k, 0xf3, v, 4);
    } else {
        tagged(k, 0xf4, v, 8);
    }
    close_entry(k, start);
}

size_t pack_end(struct pack *k)
{
    k->buf[k->used++] = 0xff;
    uint32_t bytes = (uint32_t)k->used;
    uint16_t count = (uint16_t)(k->count < UINT16_MAX ? k->count : UINT16_MAX);
    memcpy(k->buf, &bytes, 4);
    memcpy(k->buf + 4, &count, 2);
    return k->used;
}
