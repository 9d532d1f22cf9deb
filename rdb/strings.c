/*
 * strings.c - see strings.h.
 */
#include "rdb/strings.h"

#include "rdb/internal.h"
#include "rdb/places.h"

enum { SHORT = 0x40 /* lengths below are one byte */ };

_Static_assert(RDB_STRINGS_ROOM >= 9 + 2 + SHORT + 1 + SHORT + RDB_LOOK, "the longest record, and a look behind it");

#define SIXTEEN(n)                                                                                                     \
    (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7, (n) + 8, (n) + 9, (n) + 10, (n) + 11,          \
        (n) + 12, (n) + 13, (n) + 14, (n) + 15

const uint8_t rdb_strings_size[256] = {
    SIXTEEN(0),
    SIXTEEN(16),
    SIXTEEN(32),
    SIXTEEN(48),
    [SHORT... 0xbf] = RDB_STRINGS_LONG,
    [0xc0] = 1, /* integers */
    [0xc1] = 2,
    [0xc2] = RDB_INTEGER_BYTES,
    [0xc3 ... 0xff] = RDB_STRINGS_LONG,
};

/* The pieces of Dragonfly's are not between records: offsets in the window are those of the file. */
bool rdb_strings_begin(const rdb_parser *p, struct rdb_strings *look)
{
    look->at = p->r.p;
    look->end = p->r.end;
    return rdb_between(p) && p->ms_little;
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

static bool lzf_lengths(const uint8_t **s, uint32_t *clen, uint32_t *len)
{
    ++*s;
    return medium_len(s, clen) && medium_len(s, len) && lzf_plausible(*clen, *len);
}

RDB_NOINLINE bool rdb_strings_long(const struct rdb_strings *look, struct rdb_string *s)
{
    const uint8_t *at = s->value;
    uint32_t bytes;
    if (*at == 0xc3) {
        if (!lzf_lengths(&at, &bytes, &s->len))
            return false;
    } else {
        if (!medium_len(&at, &s->len))
            return false;
        bytes = s->len;
    }
    s->end = at + bytes;
    return look->end - at >= (ptrdiff_t)bytes;
}

void rdb_string_value(const struct rdb_string *s, struct rdb_element *e)
{
    const uint8_t *at = s->value;
    uint32_t clen = 0, len;
    *e = (struct rdb_element){.role = RDB_R_STRING, .form = RDB_F_RAW, .data = s->end - s->len, .len = s->len};
    switch (*at++) {
    case 0xc0: e->num = (int8_t)at[0]; break;
    case 0xc1: e->num = (int16_t)load_le16(at); break;
    case 0xc2: e->num = (int32_t)load_le32(at); break;
    case 0xc3:
        at--;
        (void)lzf_lengths(&at, &clen, &len);
        e->form = RDB_F_LZF;
        e->data = at;
        e->clen = clen;
        return;
    default: return;
    }
    e->form = RDB_F_INT;
    e->data = NULL;
    e->len = rdb_ll_digits(e->num);
}

void rdb_strings_take(rdb_parser *p, const struct rdb_string *last)
{
    p->r.p = last->end;
    p->r.note = last->name;
    p->r.note_len = last->name_len;
    p->has_key = true;
    p->key_db = p->db;
}
