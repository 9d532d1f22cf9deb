/*
 * pack.h - build a listpack in memory.
 *
 *     u32 bytes | u16 count | entry ... | 0xff        entry = encoding, data, its length again for walking backwards
 *
 * The buffer is fixed: whoever fills a pack stays below PACK_ROOM, as servers do by their limits.
 */
#ifndef RDBMEM_BENCH_PACK_H
#define RDBMEM_BENCH_PACK_H

#include <stddef.h>
#include <stdint.h>

enum { PACK_HEAD = 6, PACK_ROOM = 256 * 1024 };

struct pack {
    uint8_t *buf;
    size_t used;
    uint32_t count;
};

void pack_begin(struct pack *k);
/* Text that is no integer: a server would store that as one. */
void pack_str(struct pack *k, const void *data, size_t len);
void pack_int(struct pack *k, int64_t v);
/* Writes header and end; returns the length. */
size_t pack_end(struct pack *k);

#endif
