/*
 * string.c - LEN and STR, the two primitives that everything else is made of.
 *
 *     LEN   00xxxxxx                       6 bits
 *           01xxxxxx x                     14 bits, big endian
 *           10000000 x x x x               32 bits, big endian
 *           10000001 x x x x x x x x       64 bits, big endian                  (RDB 8 and later)
 *           11xxxxxx                       no length: a string form
 *
 *     STR   LEN n, n bytes                 raw
 *           c0 x | c1 x x | c2 x x x x     integer, little endian: stands for its decimal text
 *           c3 LEN clen LEN ulen, clen     LZF
 *
 * rdb.c rdbLoadLenByRef, rdbGenericLoadStringObject. 10xxxxxx other than 80 and 81 is damage: no writer made one.
 * The inline versions in internal.h take what is short, raw and in the window; all else comes here.
 */
#include "rdb/internal.h"

#include <stdlib.h>

uint64_t rdb_take_len_far(struct rdb_parser *p)
{
    const uint8_t *s = p->r.p;
    if (s[0] == 0x80) {
        p->r.p = s + 5;
        return load_be32(s + 1);
    }
    if (s[0] == 0x81) {
        p->r.p = s + 9;
        return load_be64(s + 1);
    }
    if (s < p->r.end)
        rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, s), "expected a length, found the byte 0x%02x", s[0]);
    else
        rdb_fail_short(p, rdb_at(p, p->r.end), "a length");
    return 0;
}

int64_t rdb_take_ms(struct rdb_parser *p)
{
    int64_t le = (int64_t)rdb_take_u64(p);
    if (p->ms_little || (le > 0 && le < (INT64_C(1) << 48)))
        return le;
    /* Before RDB 9 the order is the writer's (rdb.c rdbLoadMillisecondTime): believe big endian where only that makes
     * a date. */
    int64_t be = (int64_t)__builtin_bswap64((uint64_t)le);
    return be > 0 && be < (INT64_C(1) << 48) ? be : le;
}

/* ---------------------------------------------------------------- the head of a STR */

#define STRING_MAX (UINT64_C(1) << 62) /* so that offsets never wrap */

struct head {
    enum rdb_form form;
    int64_t num;
    uint64_t len;  /* logical */
    uint64_t body; /* bytes that follow the head */
    size_t size;   /* of the head itself */
};

static bool head_lzf(struct rdb_parser *p, struct head *h)
{
    const uint8_t *at = p->r.p;
    p->r.p++;
    h->body = rdb_take_len(p);
    h->len = rdb_take_len(p);
    if (p->state == RDB_S_FAILED)
        return false;
    if (rdb_over(p, "the lengths of an lzf string"))
        return false;
    h->form = RDB_F_LZF;
    h->size = (size_t)(p->r.p - at);
    p->r.p = at;
    if (lzf_plausible(h->body, h->len))
        return true;
    return rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, at),
                    "expected lzf lengths that can be, found %llu bytes that expand to %llu",
                    (unsigned long long)h->body, (unsigned long long)h->len);
}

static void head_int(struct head *h, int64_t v, size_t size)
{
    h->form = RDB_F_INT;
    h->num = v;
    h->len = rdb_ll_digits(v);
    h->body = 0;
    h->size = size;
}

/* Reads the head at r.p, which stays. */
static bool take_head(struct rdb_parser *p, struct head *h)
{
    const uint8_t *at = p->r.p;
    switch (at[0]) {
    case 0xc0: head_int(h, (int8_t)at[1], 2); break;
    case 0xc1: head_int(h, (int16_t)load_le16(at + 1), 3); break;
    case 0xc2: head_int(h, (int32_t)load_le32(at + 1), 5); break;
    case 0xc3: return head_lzf(p, h);
    default:
        if (at[0] > 0xc3)
            return rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, at), "expected a string, found the byte 0x%02x", at[0]);
        h->form = RDB_F_RAW;
        h->body = h->len = rdb_take_len(p);
        h->size = (size_t)(p->r.p - at);
        p->r.p = at;
        if (p->state == RDB_S_FAILED)
            return false;
        if (h->body > STRING_MAX)
            return rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, at), "expected a length that can be, found %llu",
                            (unsigned long long)h->body);
    }
    if (at + h->size > p->r.end)
        return rdb_fail_short(p, rdb_at(p, at), "a string");
    return true;
}

/* ---------------------------------------------------------------- elements */

static void set_element(struct rdb_element *e, const struct head *h)
{
    e->form = (uint8_t)h->form;
    e->len = h->len;
    e->data = NULL;
    if (h->form == RDB_F_INT)
        e->num = h->num;
    else
        e->clen = h->body;
}

enum rdb_take rdb_take_string_far(struct rdb_parser *p, struct rdb_element *e, size_t n, size_t tail)
{
    struct head h;
    if (!take_head(p, &h))
        return RDB_TAKE_FAIL;
    size_t room = p->r.window / 2;
    set_element(e, &h);
    if (h.body <= room) {
        size_t want = h.size + (size_t)h.body + tail;
        if (reader_avail(&p->r) < (ptrdiff_t)want) {
            if (n > 0 && !p->r.eof)
                return RDB_TAKE_STOP;
            if (!reader_fill(&p->r, want) && reader_avail(&p->r) < (ptrdiff_t)(want - tail)) {
                rdb_fail_short(p, rdb_at(p, p->r.p), "the bytes of a string");
                return RDB_TAKE_FAIL;
            }
        }
        if (h.form != RDB_F_INT)
            e->data = p->r.p + h.size;
        p->r.p += h.size + h.body;
        return RDB_TAKE_OK;
    }
    if (n > 0)
        return RDB_TAKE_STOP;
    p->r.p += h.size;
    p->pending = p->pending_seen = h.body;
    return RDB_TAKE_BIG;
}

bool rdb_skip_string_far(struct rdb_parser *p)
{
    struct head h;
    if (!take_head(p, &h))
        return false;
    uint64_t at = rdb_at(p, p->r.p);
    p->r.p += h.size;
    return reader_skip(&p->r, h.body) || rdb_fail_short(p, at, "the bytes of a string");
}

bool rdb_drop_pending(struct rdb_parser *p)
{
    uint64_t n = p->pending;
    p->pending = 0;
    uint64_t at = rdb_at(p, p->r.p);
    return n == 0 || reader_skip(&p->r, n) || rdb_fail_short(p, at, "the bytes of a string");
}

/* ---------------------------------------------------------------- names and texts */

/* p->name holds at least n bytes (and the slack of LZF) afterwards, its first `keep` ones unchanged. */
static bool name_room(struct rdb_parser *p, size_t n, size_t keep)
{
    n += LZF_SLACK;
    if (p->name_cap > RDB_CURSOR_NEED_MAX && n <= RDB_CURSOR_NEED_MAX && keep == 0) {
        free(p->name); /* one long name should not cost memory for ever */
        p->name = NULL;
        p->name_cap = 0;
    }
    if (p->name && n <= p->name_cap)
        return true;
    size_t cap = p->name_cap ? p->name_cap : 1024;
    while (cap < n && cap <= SIZE_MAX / 4)
        cap *= 2;
    uint8_t *grown = cap >= n ? realloc(p->name, cap) : NULL;
    if (!grown)
        return rdb_fail(p, RDB_ERR_NOMEM, rdb_at(p, p->r.p), "out of memory");
    p->name = grown;
    p->name_cap = cap;
    return true;
}

/* A name that is longer than the window or compressed to more than half of it: collected piece by piece, the buffer
 * growing with the bytes that really come. */
static bool name_collect(struct rdb_parser *p, const struct rdb_element *e, struct rdb_bytes *name)
{
    struct rdb_cursor c;
    size_t len = 0, limit = p->key_limit < e->len ? p->key_limit : (size_t)e->len;
    if (!rdb_element_open(p, e, &c))
        return rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, p->r.p), "expected a name, %s", c.damage);
    while (len < limit) {
        if (!rdb_cursor_need(&c, 1)) {
            if (p->state == RDB_S_FAILED)
                return false;
            return rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, p->r.p), "expected a name, %s",
                            c.damage ? c.damage : "it ends early");
        }
        size_t n = (size_t)(c.end - c.p);
        if (n > limit - len)
            n = limit - len;
        if (!name_room(p, len + n, len))
            return false;
        memcpy(p->name + len, c.p, n);
        c.p += n;
        len += n;
    }
    *name = (struct rdb_bytes){p->name, len, e->len};
    return true;
}

bool rdb_take_name_far(struct rdb_parser *p, struct rdb_bytes *name)
{
    struct rdb_element e = {0};
    uint64_t at = rdb_at(p, p->r.p);
    reader_note_keep(&p->r); /* the buffers it may point into are about to be written */
    switch (rdb_take_string(p, &e, 0, 0)) {
    case RDB_TAKE_OK: break;
    case RDB_TAKE_BIG:
        if (p->tries) /* nearly always no name at all, but a length taken for one */
            return rdb_fail_short(p, at, "a name");
        return name_collect(p, &e, name) && rdb_drop_pending(p) && rdb_look(p, "a value");
    default: return false;
    }
    if (e.form == RDB_F_INT) {
        e.len = (uint64_t)rdb_ll2text(e.num, p->int_text);
        *name = (struct rdb_bytes){(const uint8_t *)p->int_text, (size_t)e.len, e.len};
        return rdb_look(p, "a value");
    }
    if (e.form == RDB_F_RAW && e.len <= p->key_limit) {
        /* Once more from its first byte, with the bytes of the value's head behind it in the window. */
        size_t len = (size_t)e.len;
        p->r.p -= len;
        if (!reader_fill(&p->r, len + RDB_LOOK) && reader_avail(&p->r) <= (ptrdiff_t)len)
            return rdb_fail_short(p, at, "a value");
        *name = (struct rdb_bytes){p->r.p, len, len};
        p->r.p += len;
        return true;
    }
    if (e.form == RDB_F_RAW || e.len > p->key_limit)
        return name_collect(p, &e, name) && rdb_look(p, "a value");
    if (!name_room(p, (size_t)e.len, 0))
        return false;
    if (!lzf_whole(e.data, (size_t)e.clen, p->name, (size_t)e.len))
        return rdb_fail(p, RDB_ERR_CORRUPT, at, "expected a name, its lzf data is damaged");
    *name = (struct rdb_bytes){p->name, (size_t)e.len, e.len};
    return rdb_look(p, "a value");
}

bool rdb_take_text(struct rdb_parser *p, struct rdb_bytes *b, uint8_t *buf, size_t cap)
{
    struct rdb_element e = {0};
    if (!rdb_look(p, "a string") || rdb_take_string(p, &e, 0, 0) == RDB_TAKE_FAIL)
        return false;
    b->full_len = e.len;
    if (buf)
        return rdb_element_copy(p, &e, buf, cap, b);
    return rdb_element_lend(p, &e, b);
}
