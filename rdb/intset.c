/*
 * intset.c - sets of integers.
 *
 *     u32le width (2, 4, 8) | u32le count | count integers of width bytes, little endian, ascending
 *
 * intset.c intsetValidateIntegrity. The width is that of the widest value the set ever held. `last` is the value
 * before.
 */
#include "rdb/internal.h"

enum { HEADER = 8 };

bool intset_open(struct rdb_pack *k)
{
    if (k->bytes < HEADER || pack_have(k, HEADER) < HEADER)
        return pack_damage(k, "expected an intset of at least 8 bytes");
    k->width = load_le32(k->c.p);
    k->count = load_le32(k->c.p + 4);
    if (k->width != 2 && k->width != 4 && k->width != 8)
        return pack_damage(k, "expected an intset width of 2, 4 or 8");
    if (k->bytes != HEADER + k->count * k->width)
        return pack_damage(k, "expected as many bytes as the intset's count and width say");
    k->c.p += HEADER;
    return true;
}

static inline int64_t load_value(const uint8_t *b, uint32_t width)
{
    if (width == 2)
        return (int16_t)load_le16(b);
    return width == 4 ? (int64_t)(int32_t)load_le32(b) : (int64_t)load_le64(b);
}

int intset_next(struct rdb_pack *k, struct rdb_entry *e)
{
    if (k->seen == k->count)
        return pack_end(k);
    if (pack_have(k, k->width) < k->width)
        return pack_bad(k, "expected an intset value");
    int64_t v = load_value(k->c.p, k->width);
    if (k->seen > 0 && v <= (int64_t)k->last)
        return pack_bad(k, "expected ascending intset values");
    *e = (struct rdb_entry){.len = rdb_ll_digits(v), .num = v, .is_int = true};
    k->last = (uint64_t)v;
    k->c.p += k->width;
    k->seen++;
    return 1;
}

void intset_sum(struct rdb_pack *k, struct rdb_pack_sum *sum)
{
    const uint8_t *b = k->c.p;
    uint32_t width = k->width;
    uint64_t n = (uint64_t)(k->c.end - b) / width;
    if (k->damage || k->seen == 0)
        return; /* the first value has none before it: next takes it */
    if (n > k->count - k->seen)
        n = k->count - k->seen;
    int64_t last = (int64_t)k->last;
    uint64_t payload = 0, longest = sum->longest, i = 0;
    for (; i < n; i++, b += width) {
        int64_t v = load_value(b, width);
        if (RDB_UNLIKELY(v <= last))
            break;
        unsigned len = rdb_ll_digits(v);
        payload += len;
        longest = len > longest ? len : longest;
        last = v;
    }
    k->c.p = b;
    k->last = (uint64_t)last;
    k->seen += i;
    sum->payload += payload;
    sum->longest = longest;
}
