/*
 * element.c - the bytes of an element: cursors over memory, over the window, and over LZF.
 *
 *     RAW in the window           cursor over memory
 *     RAW longer than that        cursor that moves the window along (element_more)
 *     LZF up to 1 MiB             expanded into the scratch buffer, cursor over memory
 *     LZF longer                  lzf_stream over one of the first two
 *     INT                         its decimal text
 */
#include "rdb/internal.h"

#include <stdlib.h>

void rdb_cursor_memory(struct rdb_cursor *c, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    *c = (struct rdb_cursor){.p = bytes, .end = bytes + len, .start = bytes};
}

bool rdb_cursor_skip(struct rdb_cursor *c, uint64_t n)
{
    for (;;) {
        uint64_t there = (uint64_t)(c->end - c->p);
        if (n <= there) {
            c->p += n;
            return true;
        }
        n -= there;
        c->p = c->end;
        if (!c->more || !c->more(c, 1))
            return false;
    }
}

/* ---------------------------------------------------------------- an element larger than the window */

/* The cursor shows what the window holds of the pending bytes; r.p and p->pending follow at each call. */
static void element_show(struct rdb_parser *p, struct rdb_cursor *c)
{
    uint64_t there = (uint64_t)(p->r.end - p->r.p);
    if (there > p->pending)
        there = p->pending;
    c->p = c->start = p->r.p;
    c->end = c->p + there;
    c->left = p->pending - there;
}

static bool element_more(struct rdb_cursor *c, size_t need)
{
    struct rdb_parser *p = c->ctx;
    uint64_t read = (uint64_t)(c->p - c->start);
    if (c->damage || need > RDB_CURSOR_NEED_MAX || need > (uint64_t)(c->end - c->p) + c->left)
        return false;
    p->r.p = c->p;
    p->pending -= read;
    c->base += read;
    bool good = reader_fill(&p->r, need);
    element_show(p, c);
    if (good)
        return true;
    c->damage = "the input ends";
    c->left = 0;
    return rdb_fail_short(p, rdb_at(p, p->r.p), "the bytes of a string");
}

static bool cursor_bad(struct rdb_cursor *c, const char *why)
{
    *c = (struct rdb_cursor){.damage = why};
    return false;
}

/* The bytes as they stand in the file. */
static bool open_stored(struct rdb_parser *p, const struct rdb_element *e, uint64_t n, struct rdb_cursor *c)
{
    if (e->data) {
        rdb_cursor_memory(c, e->data, (size_t)n);
        return true;
    }
    if (p->pending == 0 || p->pending != n || p->pending != p->pending_seen)
        return cursor_bad(c, "it was read or passed over before");
    *c = (struct rdb_cursor){.more = element_more, .ctx = p};
    element_show(p, c);
    if (c->left)
        p->pending_seen = 0; /* a second cursor over the same bytes would not begin at their beginning */
    return true;
}

bool rdb_element_hold(rdb_parser *p, const struct rdb_element *e)
{
    uint64_t n = e->form == RDB_F_LZF ? e->clen : e->len;
    if (e->data || (e->form != RDB_F_RAW && e->form != RDB_F_LZF))
        return true;
    if (n > RDB_HOLD_MAX || p->pending != n || p->pending != p->pending_seen)
        return false;
    return reader_fill(&p->r, (size_t)n) || rdb_fail_short(p, rdb_at(p, p->r.p), "the bytes of a string");
}

/* Room for n <= LZF_WHOLE_MAX expanded bytes; what was in it is gone. */
static bool scratch(struct rdb_parser *p, size_t n)
{
    if (p->scratch_cap >= n)
        return true;
    size_t cap = 16 * 1024;
    while (cap < n)
        cap *= 2;
    free(p->scratch);
    p->scratch = malloc(cap + LZF_SLACK);
    p->scratch_cap = p->scratch ? cap : 0;
    return p->scratch || rdb_fail(p, RDB_ERR_NOMEM, rdb_at(p, p->r.p), "out of memory");
}

static bool open_lzf(struct rdb_parser *p, const struct rdb_element *e, struct rdb_cursor *c)
{
    struct rdb_cursor in;
    if (e->data && e->len <= LZF_WHOLE_MAX) {
        if (!scratch(p, (size_t)e->len))
            return cursor_bad(c, "out of memory");
        if (!lzf_whole(e->data, (size_t)e->clen, p->scratch, (size_t)e->len))
            return cursor_bad(c, "its lzf data is damaged");
        rdb_cursor_memory(c, p->scratch, (size_t)e->len);
        return true;
    }
    if (!p->lzf.out && !(p->lzf.out = malloc(LZF_PIECE + LZF_SLACK))) {
        rdb_fail(p, RDB_ERR_NOMEM, rdb_at(p, p->r.p), "out of memory");
        return cursor_bad(c, "out of memory");
    }
    if (!open_stored(p, e, e->clen, &in)) {
        *c = in;
        return false;
    }
    lzf_stream_open(&p->lzf, &in, e->clen, e->len, c);
    return true;
}

bool rdb_element_open(rdb_parser *p, const struct rdb_element *e, struct rdb_cursor *c)
{
    switch ((enum rdb_form)e->form) {
    case RDB_F_RAW: return open_stored(p, e, e->len, c);
    case RDB_F_LZF: return open_lzf(p, e, c);
    case RDB_F_INT: rdb_cursor_memory(c, p->open_text, (size_t)rdb_ll2text(e->num, p->open_text)); return true;
    case RDB_F_NUM: break;
    }
    return cursor_bad(c, "it is a number");
}

/* ---------------------------------------------------------------- only the first bytes */

/* The first stored bytes of an element, at least want of them unless it is shorter. NULL: they cannot be had. */
static const uint8_t *stored_head(struct rdb_parser *p, const struct rdb_element *e, uint64_t n, size_t want,
                                  size_t *have)
{
    if (e->data) {
        *have = (size_t)n;
        return e->data;
    }
    if (p->pending != n || p->pending != p->pending_seen)
        return NULL;
    if (want > n)
        want = (size_t)n;
    if (!reader_fill(&p->r, want)) {
        rdb_fail_short(p, rdb_at(p, p->r.p), "the bytes of a string");
        return NULL;
    }
    uint64_t there = (uint64_t)reader_avail(&p->r);
    *have = (size_t)(there < n ? there : n);
    return p->r.p;
}

/* cap bytes can come out of at most this many: runs cost one byte in 32, and one operation may cross the end. */
static size_t lzf_bound(size_t cap)
{
    return cap + cap / 32 + 64;
}

static size_t head_lzf(struct rdb_parser *p, const struct rdb_element *e, uint8_t *buf, size_t want)
{
    size_t have;
    const uint8_t *in = stored_head(p, e, e->clen, lzf_bound(want), &have);
    if (!in)
        return SIZE_MAX;
    size_t made = lzf_head(in, have, buf, want);
    return made == want ? made : SIZE_MAX;
}

size_t rdb_element_head(rdb_parser *p, const struct rdb_element *e, void *buf, size_t cap)
{
    if (cap > RDB_CURSOR_NEED_MAX)
        cap = RDB_CURSOR_NEED_MAX;
    char text[21];
    size_t n = e->len < cap ? (size_t)e->len : cap;
    if (n == 0 || e->form == RDB_F_NUM)
        return 0;
    if (e->form == RDB_F_INT) {
        (void)rdb_ll2text(e->num, text);
        memcpy(buf, text, n);
        return n;
    }
    if (e->form == RDB_F_RAW) {
        size_t have;
        const uint8_t *from = stored_head(p, e, e->len, n, &have);
        if (!from)
            return SIZE_MAX;
        memcpy(buf, from, n);
        return n;
    }
    return head_lzf(p, e, buf, n);
}

bool rdb_element_copy(struct rdb_parser *p, const struct rdb_element *e, uint8_t *buf, size_t cap, struct rdb_bytes *b)
{
    uint64_t at = rdb_at(p, p->r.p);
    size_t n = rdb_element_head(p, e, buf, cap);
    if (n == SIZE_MAX)
        return rdb_fail(p, RDB_ERR_CORRUPT, at, "expected a string, its lzf data is damaged");
    *b = (struct rdb_bytes){buf, n, e->len};
    return rdb_drop_pending(p);
}

bool rdb_element_lend(struct rdb_parser *p, const struct rdb_element *e, struct rdb_bytes *b)
{
    uint64_t at = rdb_at(p, p->r.p);
    size_t have;
    *b = (struct rdb_bytes){(const uint8_t *)p->open_text, 0, e->len};
    switch ((enum rdb_form)e->form) {
    case RDB_F_INT: b->len = (size_t)rdb_ll2text(e->num, p->open_text); return true;
    case RDB_F_RAW:
        b->data = stored_head(p, e, e->len, p->r.window / 2, &have);
        b->len = b->data ? have : 0;
        return b->data != NULL;
    default: break;
    }
    size_t want = e->len < LZF_WHOLE_MAX ? (size_t)e->len : LZF_WHOLE_MAX;
    if (!scratch(p, want))
        return false;
    const uint8_t *in = stored_head(p, e, e->clen, p->r.window / 2, &have);
    size_t made = in ? lzf_head(in, have, p->scratch, want) : SIZE_MAX;
    if (made == SIZE_MAX || (have == e->clen && made != want))
        return rdb_fail(p, RDB_ERR_CORRUPT, at, "expected a string, its lzf data is damaged");
    b->data = p->scratch;
    b->len = made;
    return true;
}
