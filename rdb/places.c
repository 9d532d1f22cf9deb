/*
 * places.c - several parsers on one file. See places.h.
 *
 * Where records begin is found by trying: from every byte that may be a type, records are read as long as they are any. The trial
 * parser borrows the window for that, as if the input ended there, and formats no messages. A beginning is believed when enough
 * records follow, or as many as the window holds; the place is then behind the first of them, by when a wrong beginning has
 * fallen into step.
 */
#include "rdb/places.h"

#include <stdlib.h>
#include <string.h>

#include "rdb/internal.h"

enum {
    ENOUGH = 16, /* records */
    FEWEST = 4,  /* when the window ends */
    FIRST = 6    /* not yet believed to be in step */
};

/* ---------------------------------------------------------------- forks */

static rdb_parser *parser_like(const rdb_parser *p)
{
    rdb_parser *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->key_limit = p->key_limit;
    q->ms_little = p->ms_little;
    q->families = p->families;
    q->info = p->info;
    memcpy(q->types, p->types, sizeof q->types);
    q->attr = (struct rdb_attr){.expire_ms = -1, .idle_s = -1, .freq = -1};
    q->r.in = &q->input;
    return q;
}

static bool fork_open(rdb_parser *q, const rdb_parser *p)
{
    if (!rdb_input_open_again(&q->input, &p->input) || !reader_open(&q->r, &q->input, p->r.window, p->r.no_crc))
        return false;
    q->trial = parser_like(p);
    if (q->trial)
        q->trial->tries = q->trial->r.eof = q->trial->r.no_crc = true;
    return q->trial != NULL;
}

rdb_parser *rdb_fork(const rdb_parser *p)
{
    if (p->piece || p->templates_len || p->families & RDB_FAM_DRAGONFLY || p->state == RDB_S_FAILED)
        return NULL;
    rdb_parser *q = parser_like(p);
    if (q && !fork_open(q, p)) {
        rdb_close(q);
        return NULL;
    }
    return q;
}

static void reader_restart(struct rdb_reader *r, const struct rdb_place *place)
{
    r->base = place->offset;
    r->p = r->end = r->summed = r->buf;
    r->crc = place->crc;
    r->eof = false;
    r->note = NULL;
    r->note_len = place->key_len < RDB_NOTE_MAX ? place->key_len : RDB_NOTE_MAX;
    if (place->key)
        memcpy(r->note_copy, place->key, r->note_len);
    memset(r->buf, 0, RDB_SLACK);
}

/* Nothing of a record has been read. */
static void between_records(rdb_parser *p)
{
    p->state = RDB_S_RUNNING;
    p->error.kind = RDB_OK;
    p->v = (struct rdb_value){0};
    p->attr = (struct rdb_attr){.expire_ms = -1, .idle_s = -1, .freq = -1};
    p->pending = 0;
}

void rdb_restart(rdb_parser *p, const struct rdb_place *place)
{
    rdb_input_seek(&p->input, place->offset);
    reader_restart(&p->r, place);
    p->error = (struct rdb_error){0};
    between_records(p);
    p->db = place->db;
    p->key_db = place->key_db;
    p->has_key = place->key != NULL;
}

bool rdb_advance(rdb_parser *p, uint64_t offset)
{
    return offset >= reader_tell(&p->r) && reader_skip(&p->r, offset - reader_tell(&p->r));
}

void rdb_select(rdb_parser *p, uint32_t db)
{
    p->db = db;
}

void rdb_watch(rdb_parser *p, const atomic_bool *stop)
{
    p->input.stop = stop;
}

bool rdb_between(const rdb_parser *p)
{
    return p->state == RDB_S_RUNNING && !p->v.open && !p->attr.any && p->pending == 0 && !p->piece &&
           p->r.p <= p->r.end;
}

/* ---------------------------------------------------------------- where records begin */

static bool is_opcode_of_keys(uint8_t b)
{
    switch (b) {
    case RDB_OP_EXPIRE_MS:
    case RDB_OP_EXPIRE:
    case RDB_OP_IDLE:
    case RDB_OP_FREQ:
    case RDB_OP_SELECTDB:
    case RDB_OP_RESIZEDB:
    case RDB_OP_SLOT_INFO:
    case RDB_OP_AUX: return true;
    default: return false;
    }
}

/* Nearly all bytes that may be a type are none, and what would be the name tells it soon: names are text. Where nothing is found
 * that way they may be anything. An empty name is legal and nearly never meant: zeros would be a file full of empty strings. */
static bool is_name(const struct rdb_parser *t, const struct rdb_bytes *name)
{
    bool text = name->len > 0;
    for (size_t i = 0; text && !t->any_names && i < name->len; i++)
        text = name->data[i] >= ' ';
    return text;
}

static bool try_record(rdb_parser *t)
{
    struct rdb_event ev;
    uint8_t b = *t->r.p;
    if (t->types[b] == NULL && !is_opcode_of_keys(b))
        return false;
    int kind = rdb_next(t, &ev);
    return kind > 0 && (kind != RDB_EV_KEY || (is_name(t, &ev.key.name) && rdb_rest(t)));
}

/* The first record's type and name decide nearly always, and are looked at without the parser. */
static bool may_begin(const rdb_parser *t, const uint8_t *at)
{
    enum { SHORT = 0x40, INTEGERS = 0xc0 };
    if (t->types[*at] == NULL || t->r.end - at < 2 + SHORT)
        return false;
    if (at[1] >= SHORT)
        return at[1] < 0x80 || at[1] >= INTEGERS;
    return is_name(t, &(struct rdb_bytes){at + 2, at[1], at[1]});
}

/* Whether records follow from `at` on; if so, where the place is. last: they need not be many if the window ends. */
static const uint8_t *try_records(rdb_parser *t, const uint8_t *at, bool last)
{
    unsigned n = 0;
    const uint8_t *place = NULL;
    between_records(t);
    t->r.p = t->r.summed = at;
    t->r.note = NULL;
    while (n < ENOUGH && t->r.p < t->r.end && try_record(t)) {
        n++;
        if (n <= FIRST && rdb_between(t))
            place = t->r.p;
    }
    bool window_ended = t->error.kind == RDB_ERR_TRUNCATED || t->r.p >= t->r.end;
    return n == ENOUGH || (last && n >= FEWEST && window_ended) ? place : NULL;
}

static bool is_stopped(const rdb_parser *p)
{
    return p->input.stop && atomic_load_explicit(p->input.stop, memory_order_relaxed);
}

/* In the next n bytes, of which `most` may be the first one. */
static const uint8_t *search(rdb_parser *p, size_t n, size_t most, bool last)
{
    rdb_parser *t = p->trial;
    const uint8_t *place = NULL;
    t->r.buf = p->r.buf;
    t->r.base = p->r.base;
    t->r.cap = t->r.window = p->r.cap;
    t->r.end = p->r.p + n;
    for (const uint8_t *at = p->r.p; place == NULL && at < p->r.p + most; at++)
        if (may_begin(t, at) && !is_stopped(p))
            place = try_records(t, at, last);
    t->r.buf = NULL; /* lent */
    return place;
}

/* False: see rdb_sync(). *all: the window covers all that may be searched. */
static bool sync_within(rdb_parser *p, size_t n, bool last, uint64_t upto, bool *all)
{
    uint64_t from = reader_tell(&p->r);
    *all = !reader_fill(&p->r, n) || n >= upto - from;
    uint64_t have = (uint64_t)reader_avail(&p->r);
    have = have < n ? have : n;
    const uint8_t *place = search(p, (size_t)have, (size_t)(upto - from < have ? upto - from : have), last || *all);
    if (!place || reader_offset(&p->r, place) >= upto)
        return false;
    p->r.p = p->r.summed = place;
    p->r.crc = 0;
    return true;
}

bool rdb_sync(rdb_parser *p, uint64_t from, uint64_t upto)
{
    static const size_t text[] = {32 * 1024, 256 * 1024, 0}, any[] = {32 * 1024, 256 * 1024, 2 * 1024 * 1024, 0};
    rdb_restart(p, &(struct rdb_place){.offset = from, .db = RDB_DB_UNKNOWN});
    bool had_any = p->trial->any_names, all = false;
    for (const size_t *n = text; *n && !all && !had_any; n++)
        if (sync_within(p, *n, n[1] == 0, upto, &all))
            return true;
    p->trial->any_names = true; /* and so the next time, if that helps */
    all = false;
    for (const size_t *n = any; *n && !all; n++)
        if (sync_within(p, *n, n[1] == 0, upto, &all))
            return true;
    p->trial->any_names = had_any;
    return false;
}

/* ---------------------------------------------------------------- checksums */

uint64_t rdb_checksum(rdb_parser *p)
{
    reader_sum(&p->r);
    return p->r.crc;
}

void rdb_checksum_reset(rdb_parser *p)
{
    reader_sum(&p->r);
    p->r.crc = 0;
}
