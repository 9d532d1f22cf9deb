/*
 * strings.c - see strings.h.
 */
#include "rdb/strings.h"

#include "rdb/internal.h"

enum {
    EXPIRY = 9,   /* opcode and time */
    SHORT = 0x40, /* lengths below are one byte */
    ROOM = EXPIRY + 1 + 1 + SHORT + 1 + SHORT + RDB_LOOK
};

static inline void raw_value(struct rdb_string *e, const uint8_t *data, uint32_t len)
{
    e->data = data;
    e->len = len;
    e->form = RDB_F_RAW;
    e->end = data + len;
}

static bool integer_value(struct rdb_string *e, int64_t v, const uint8_t *end)
{
    e->data = NULL;
    e->num = v;
    e->len = rdb_ll_digits(v);
    e->form = RDB_F_INT;
    e->end = end;
    return true;
}

/* A LEN of at most 14 bits. */
static bool medium_len(const uint8_t **s, uint32_t *len)
{
    const uint8_t *at = *s;
    if (at[0] >= 0x80)
        return false;
    *len = at[0] < SHORT ? at[0] : (uint32_t)(at[0] & 0x3f) << 8 | at[1];
    *s = at + (at[0] < SHORT ? 1 : 2);
    return true;
}

static bool lzf_value(struct rdb_string *e, const uint8_t *s)
{
    if (!medium_len(&s, &e->clen) || !medium_len(&s, &e->len) || !lzf_plausible(e->clen, e->len))
        return false;
    e->data = s;
    e->form = RDB_F_LZF;
    e->end = s + e->clen;
    return true;
}

/* A value that does not begin with a short length. */
static RDB_NOINLINE bool other_value(struct rdb_string *e, const uint8_t *s)
{
    uint32_t len;
    switch (s[0]) {
    case 0xc0: return integer_value(e, (int8_t)s[1], s + 2);
    case 0xc1: return integer_value(e, (int16_t)load_le16(s + 1), s + 3);
    case 0xc2: return integer_value(e, (int32_t)load_le32(s + 1), s + 5);
    case 0xc3: return lzf_value(e, s + 1);
    default: break;
    }
    if (!medium_len(&s, &len))
        return false;
    raw_value(e, s, len);
    return true;
}

/* Nothing is left of the record before, and offsets in the window are those of the file. */
static bool is_clean(const struct rdb_parser *p)
{
    return (p->state | p->v.open | p->attr.any | (p->pending != 0)) == 0 && p->ms_little && !p->piece;
}

size_t rdb_strings(const rdb_parser *p, struct rdb_string *out, size_t cap)
{
    const uint8_t *s = p->r.p, *end = p->r.end;
    size_t n = 0;
    if (!is_clean(p))
        return 0;
    for (; n < cap && end - s >= ROOM; n++) {
        struct rdb_string *e = &out[n];
        const uint8_t *begin = s;
        bool expires = s[0] == RDB_OP_EXPIRE_MS; /* no branch: of many dumps a part does */
        int64_t expire_ms = (int64_t)load_le64(s + 1);
        s += expires ? EXPIRY : 0;
        if (RDB_UNLIKELY(s[0] != 0 || s[1] >= SHORT))
            break;
        e->name = s + 2;
        e->name_len = s[1];
        e->expire_ms = expires ? expire_ms : -1;
        s += 2 + s[1];
        if (RDB_LIKELY(s[0] < SHORT))
            raw_value(e, s + 1, s[0]);
        else if (!other_value(e, s) || e->end > end)
            break;
        s = e->end;
        e->record = (uint32_t)(s - begin);
    }
    return n;
}

void rdb_strings_take(rdb_parser *p, const struct rdb_string *s, size_t n)
{
    if (n == 0)
        return;
    const struct rdb_string *last = &s[n - 1];
    p->r.p = last->end;
    p->r.note = last->name;
    p->r.note_len = last->name_len;
    p->has_key = true;
    p->key_db = p->db;
}
