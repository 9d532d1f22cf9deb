/*
 * zipmap.c - small hashes of 2.4 and earlier.
 *
 *     u8 pairs (254 and more: unknown) | { len key  len u8 free value  free junk bytes }* | ff
 *     len = u8 0-253, or fe and u32le
 *
 * zipmap.c (ZIPMAP_BIGLEN is 254; old descriptions say 253). Keys and values are handed out in turn.
 */
#include "rdb/internal.h"

enum { END = 0xff, HEAD_MAX = 6 };

bool zipmap_open(struct rdb_pack *k)
{
    if (k->bytes < 2 || pack_have(k, 1) < 1)
        return pack_damage(k, "expected a zipmap of at least 2 bytes");
    if (k->c.p[0] < 254)
        k->count = 2 * (uint64_t)k->c.p[0];
    k->c.p++;
    return true;
}

int zipmap_next(struct rdb_pack *k, struct rdb_entry *e)
{
    if (k->pending) {
        if (!rdb_cursor_skip(&k->c, k->pending))
            return pack_bad(k, "expected the bytes of an entry");
        k->pending = 0;
    }
    bool value = k->seen & 1;
    size_t have = pack_have(k, HEAD_MAX);
    const uint8_t *b = k->c.p;
    if (have == 0)
        return pack_bad(k, "expected a zipmap entry");
    if (b[0] == END) {
        if (value)
            return pack_bad(k, "expected a value, the zipmap ends");
        k->c.p++;
        return pack_end(k);
    }
    size_t head = b[0] == 254 ? 5 : 1;
    if (head + value > have)
        return pack_bad(k, "expected a zipmap entry");
    e->len = head == 1 ? b[0] : load_le32(b + 1);
    e->is_int = false;
    e->data = NULL;
    uint64_t junk = value ? b[head] : 0;
    head += value;
    if (!pack_holds(k, head + e->len + junk + 1))
        return pack_bad(k, "expected a zipmap entry within the blob");
    k->seen++;
    if (pack_reach(k, head + e->len + junk)) {
        e->data = k->c.p + head;
        k->c.p += head + e->len + junk;
        return 1;
    }
    k->c.p += head;
    k->pending = e->len + junk;
    return k->c.damage ? pack_bad(k, "expected the bytes of an entry") : 1;
}
