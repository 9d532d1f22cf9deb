/*
 * listpack.c - hashes, sets, zsets, lists and stream nodes of Redis 7 and later.
 *
 *     u32le bytes (of all) | u16le count (65535: unknown) | entry ... | ff
 *     entry = encoding, data, backlen
 *
 *     0xxxxxxx                       integer 0-127
 *     10nnnnnn  n bytes              string
 *     110xxxxx x                     13-bit signed integer
 *     1110nnnn n  n bytes            string, 12-bit length
 *     f0 n n n n  n bytes            string, 32-bit length, little endian
 *     f1 | f2 | f3 | f4              16, 24, 32, 64-bit integer, little endian
 *
 * backlen is the entry's size without it, 7 bits a byte, the most significant first; all but the first have bit 7 set.
 * listpack.c lpEncodeBacklen compares sizes with < up to Redis 8.6 and with <= from 8.8 on: at 16383, 2097151 and
 * 268435455 both widths are good.
 */
#include "rdb/internal.h"

enum { HEADER = 6, END = 0xff, HEAD_MAX = 9, BACKLEN_MAX = 6 };

bool listpack_open(struct rdb_pack *k)
{
    if (k->bytes < HEADER + 1 || pack_have(k, HEADER) < HEADER)
        return pack_damage(k, "expected a listpack of at least 7 bytes");
    if (load_le32(k->c.p) != k->bytes)
        return pack_damage(k, "expected the listpack's own length");
    uint16_t count = load_le16(k->c.p + 4);
    if (count != UINT16_MAX)
        k->count = count;
    k->c.p += HEADER;
    return true;
}

/* Is there a backlen of `width` bytes for an entry of that size at b? */
static bool backlen_is(const uint8_t *b, uint64_t size, unsigned width)
{
    for (unsigned i = width; i-- > 0; size >>= 7)
        if (b[i] != ((size & 0x7f) | (i > 0 ? 0x80u : 0)))
            return false;
    return size == 0;
}

/* Width of the backlen at b (have bytes), 0 when it is not that of an entry of that size. */
static unsigned backlen_width(const uint8_t *b, size_t have, uint64_t size)
{
    unsigned width = 1;
    while (size >> (7 * width))
        width++;
    if (have >= width && backlen_is(b, size, width))
        return width;
    bool boundary = width > 1 && size == (UINT64_C(1) << (7 * width)) - 1;
    return boundary && have > width && backlen_is(b, size, width + 1) ? width + 1 : 0;
}

/* Decodes the entry at b[0..have): *head bytes of it are encoding (and data of an integer). False: not an entry. */
static bool entry_head(const uint8_t *b, size_t have, struct rdb_entry *e, size_t *head)
{
    static const uint8_t sizes[16] = {5, 3, 4, 5, 9}; /* f0 .. f4 */
    uint8_t c = b[0];
    *head = c < 0xc0 ? 1 : c < 0xf0 ? 2 : sizes[c & 15];
    if (*head == 0 || *head > have)
        return false;
    e->is_int = true;
    if (c < 0x80)
        e->num = c;
    else if (c < 0xc0)
        e->len = c & 0x3f, e->is_int = false;
    else if (c < 0xe0)
        e->num = (int16_t)(uint16_t)((c << 8 | b[1]) << 3) >> 3;
    else if (c < 0xf0)
        e->len = (uint64_t)(c & 15) << 8 | b[1], e->is_int = false;
    else if (c == 0xf0)
        e->len = load_le32(b + 1), e->is_int = false;
    else if (c == 0xf1)
        e->num = (int16_t)load_le16(b + 1);
    else if (c == 0xf2)
        e->num = (int32_t)((uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24) >> 8;
    else if (c == 0xf3)
        e->num = (int32_t)load_le32(b + 1);
    else
        e->num = (int64_t)load_le64(b + 1);
    if (e->is_int)
        e->len = rdb_ll_digits(e->num);
    return true;
}

/* The entry at b when all of it, backlen included, is in b[0..have): bytes it takes, 0 when the careful way must see to
 * it. */
static inline size_t whole_entry(const uint8_t *b, size_t have, struct rdb_entry *e)
{
    size_t head;
    if (!entry_head(b, have, e, &head))
        return 0;
    uint64_t size = head + (e->is_int ? 0 : e->len);
    if (size >= have)
        return 0;
    e->data = e->is_int ? NULL : b + head;
    unsigned width = size < 128 && b[size] == size ? 1 : backlen_width(b + size, have - (size_t)size, size);
    return width ? (size_t)size + width : 0;
}

/* The string handed out last did not fit: passes over it, then looks at its backlen. */
static bool finish_pending(struct rdb_pack *k)
{
    if (!rdb_cursor_skip(&k->c, k->pending))
        return pack_damage(k, "expected the bytes of an entry");
    k->pending = 0;
    size_t have = pack_have(k, BACKLEN_MAX);
    unsigned width = backlen_width(k->c.p, have, k->last);
    if (!width)
        return pack_damage(k, "expected the backlen of a listpack entry");
    k->c.p += width;
    return true;
}

static RDB_NOINLINE int next_far(struct rdb_pack *k, struct rdb_entry *e)
{
    if (k->pending && !finish_pending(k))
        return -1;
    size_t head, have = pack_have(k, HEAD_MAX);
    if (have == 0)
        return pack_bad(k, "expected a listpack entry");
    if (k->c.p[0] == END) {
        k->c.p++;
        return pack_end(k);
    }
    if (!entry_head(k->c.p, have, e, &head))
        return pack_bad(k, "expected the encoding of a listpack entry");
    uint64_t size = head + (e->is_int ? 0 : e->len);
    if (!pack_holds(k, size + 1))
        return pack_bad(k, "expected a listpack entry within the blob");
    k->seen++;
    /* The backlen is brought with the entry: bringing it later would move the bytes lent. */
    uint64_t whole = (uint64_t)(k->c.end - k->c.p) + k->c.left;
    if (!pack_reach(k, whole < size + BACKLEN_MAX ? whole : size + BACKLEN_MAX)) {
        k->c.p += head;
        k->pending = e->len;
        k->last = size;
        e->data = NULL;
        return k->c.damage ? pack_bad(k, "expected the bytes of an entry") : 1;
    }
    const uint8_t *b = k->c.p;
    unsigned width = backlen_width(b + size, (size_t)(k->c.end - b) - (size_t)size, size);
    if (!width)
        return pack_bad(k, "expected the backlen of a listpack entry");
    e->data = e->is_int ? NULL : b + head;
    k->c.p += size + width;
    return 1;
}

int listpack_next(struct rdb_pack *k, struct rdb_entry *e)
{
    const uint8_t *b = k->c.p;
    size_t have = (size_t)(k->c.end - b), taken = 0;
    if (RDB_LIKELY(have > 1 && k->pending == 0)) {
        size_t c = b[0], size = (c & 0x3f) + 1;
        if (c - 0x80 < 0x40 && size < have && b[size] == size) {
            e->data = b + 1;
            e->len = size - 1;
            e->is_int = false;
            taken = size + 1;
        } else if (c < 0x80 && b[1] == 1) {
            e->data = NULL;
            e->len = 1u + (c > 9) + (c > 99);
            e->num = (int64_t)c;
            e->is_int = true;
            taken = 2;
        } else {
            taken = whole_entry(b, have, e);
        }
    }
    if (RDB_UNLIKELY(taken == 0))
        return next_far(k, e);
    k->c.p = b + taken;
    k->seen++;
    return 1;
}

/* ---------------------------------------------------------------- sum */

void listpack_sum(struct rdb_pack *k, struct rdb_pack_sum *sum)
{
    const uint8_t *b = k->c.p, *end = k->c.end;
    uint64_t entries = 0, payload = 0, longest = sum->longest;
    if (k->pending || k->damage)
        return;
    while (end - b > 1) {
        size_t c = *b, size = (c & 0x3f) + 1, have = (size_t)(end - b);
        uint64_t len = size - 1;
        if (c - 0x80 < 0x40) {
            if (RDB_UNLIKELY(size >= have || b[size] != size))
                break;
            b += size + 1;
        } else if (c < 0x80) {
            if (RDB_UNLIKELY(b[1] != 1))
                break;
            len = 1u + (c > 9) + (c > 99);
            b += 2;
        } else {
            struct rdb_entry e;
            size_t taken = whole_entry(b, have, &e);
            if (RDB_UNLIKELY(taken == 0))
                break;
            len = e.len;
            b += taken;
        }
        entries++;
        payload += len;
        longest = len > longest ? len : longest;
    }
    k->c.p = b;
    k->seen += entries;
    sum->payload += payload;
    sum->longest = longest;
}
