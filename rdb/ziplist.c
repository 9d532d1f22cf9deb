/*
 * ziplist.c - lists, hashes and zsets up to Redis 6.2.
 *
 *     u32le bytes (of all) | u32le offset of the last entry | u16le count (65535: unknown) | entry ... | ff
 *     entry = prevlen, encoding, data
 *
 *     prevlen      u8 0-253, or fe and u32le: size of the entry before; the long form may hold a small value
 *     00nnnnnn     n bytes                      string
 *     01nnnnnn n   n bytes                      string, 14-bit length, big endian
 *     10...... n n n n  n bytes                 string, 32-bit length, big endian
 *     c0 | d0 | e0 | f0 | fe                    16, 32, 64, 24, 8-bit integer, little endian
 *     f1 - fd                                   integer 0-12
 *
 * ziplist.c ZIP_DECODE_LENGTH, zipLoadInteger, ziplistValidateIntegrity. `last` is the offset of the entry handed out
 * last, so that the next one's prevlen can be checked; `width` holds the header's offset of the last entry.
 */
#include "rdb/internal.h"

enum { HEADER = 10, END = 0xff, HEAD_MAX = 5 + 9 };

bool ziplist_open(struct rdb_pack *k)
{
    if (k->bytes < HEADER + 1 || pack_have(k, HEADER) < HEADER)
        return pack_damage(k, "expected a ziplist of at least 11 bytes");
    if (load_le32(k->c.p) != k->bytes)
        return pack_damage(k, "expected the ziplist's own length");
    k->width = load_le32(k->c.p + 4);
    uint16_t count = load_le16(k->c.p + 8);
    if (count != UINT16_MAX)
        k->count = count;
    k->c.p += HEADER;
    k->last = HEADER;
    return true;
}

/* The encoding at b[0..have): *head bytes of it are encoding (and data of an integer). False: not an entry. */
static bool entry_head(const uint8_t *b, size_t have, struct rdb_entry *e, size_t *head)
{
    uint8_t c = b[0];
    e->is_int = c >= 0xc0;
    *head = c < 0x40 ? 1 : c < 0x80 ? 2 : c < 0xc0 ? 5 : 0;
    switch (c) {
    case 0xc0: *head = 3; break;
    case 0xd0: *head = 5; break;
    case 0xe0: *head = 9; break;
    case 0xf0: *head = 4; break;
    case 0xfe: *head = 2; break;
    default: *head = c > 0xf0 && c < 0xfe ? 1 : *head;
    }
    if (*head == 0 || *head > have)
        return false;
    switch (*head * 2 + e->is_int) {
    case 2: e->len = c; break;
    case 4: e->len = (uint64_t)(c & 0x3f) << 8 | b[1]; break;
    case 10: e->len = load_be32(b + 1); break;
    case 3: e->num = (c & 15) - 1; break;
    case 5: e->num = (int64_t)((uint64_t)b[1] << 56) >> 56; break;
    case 7: e->num = (int16_t)load_le16(b + 1); break;
    case 9: e->num = (int32_t)((uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24) >> 8; break;
    case 11: e->num = (int32_t)load_le32(b + 1); break;
    default: e->num = (int64_t)load_le64(b + 1); break;
    }
    if (e->is_int)
        e->len = rdb_ll_digits(e->num);
    return true;
}

/* Size of the prevlen at b, 0 unless it is `want`. */
static inline size_t prevlen_size(const uint8_t *b, size_t have, uint64_t want)
{
    if (b[0] < 254)
        return b[0] == want;
    return b[0] == 254 && have >= 5 && load_le32(b + 1) == want ? 5 : 0;
}

static int ziplist_end(struct rdb_pack *k)
{
    if (k->width != k->last)
        return pack_bad(k, "expected the offset of the last ziplist entry");
    k->c.p++;
    return pack_end(k);
}

int ziplist_next(struct rdb_pack *k, struct rdb_entry *e)
{
    if (k->pending) {
        if (!rdb_cursor_skip(&k->c, k->pending))
            return pack_bad(k, "expected the bytes of an entry");
        k->pending = 0;
    }
    size_t have = pack_have(k, HEAD_MAX);
    if (have == 0)
        return pack_bad(k, "expected a ziplist entry");
    const uint8_t *b = k->c.p;
    if (b[0] == END)
        return ziplist_end(k);
    uint64_t at = rdb_cursor_tell(&k->c);
    size_t head, prev = prevlen_size(b, have, at - k->last);
    if (prev == 0 || prev >= have)
        return pack_bad(k, "expected the length of the ziplist entry before");
    if (!entry_head(b + prev, have - prev, e, &head))
        return pack_bad(k, "expected the encoding of a ziplist entry");
    head += prev;
    uint64_t size = head + (e->is_int ? 0 : e->len);
    if (!pack_holds(k, size + 1))
        return pack_bad(k, "expected a ziplist entry within the blob");
    k->seen++;
    k->last = at;
    e->data = NULL;
    if (pack_reach(k, size)) {
        e->data = e->is_int ? NULL : k->c.p + head;
        k->c.p += size;
        return 1;
    }
    k->c.p += head;
    k->pending = e->len;
    return k->c.damage ? pack_bad(k, "expected the bytes of an entry") : 1;
}

/* ---------------------------------------------------------------- sum */

void ziplist_sum(struct rdb_pack *k, struct rdb_pack_sum *sum)
{
    const uint8_t *b = k->c.p, *end = k->c.end;
    uint64_t entries = 0, payload = 0, longest = sum->longest;
    if (k->pending || k->damage)
        return;
    uint64_t before = rdb_cursor_tell(&k->c) - k->last; /* size of the entry before b */
    while (end - b > 2) {
        struct rdb_entry e;
        size_t have = (size_t)(end - b), head, prev = prevlen_size(b, have, before);
        if (RDB_UNLIKELY(prev == 0 || prev >= have)) /* the terminator is no length either */
            break;
        uint8_t c = b[prev];
        if (RDB_LIKELY(c < 0x40)) {
            head = 1;
            e.len = c;
            e.is_int = false;
        } else if (!entry_head(b + prev, have - prev, &e, &head)) {
            break;
        }
        uint64_t size = prev + head + (e.is_int ? 0 : e.len);
        if (RDB_UNLIKELY(size >= have))
            break;
        b += size;
        before = size;
        entries++;
        payload += e.len;
        longest = e.len > longest ? e.len : longest;
    }
    k->c.p = b;
    k->last = rdb_cursor_tell(&k->c) - before;
    k->seen += entries;
    sum->payload += payload;
    sum->longest = longest;
}
