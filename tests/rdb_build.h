/*
 * rdb_build.h - for tests of the parser: dumps put together byte by byte, and what a parser says about them as text.
 *
 * The builders are naive on purpose and share nothing with the parser. A transcript is one line a record and one word
 * an element, so that two parses can be compared, and an expectation read, as strings.
 */
#ifndef RDBMEM_TESTS_RDB_BUILD_H
#define RDBMEM_TESTS_RDB_BUILD_H

#include "check.h"
#include "rdb/rdb.h"

#include <inttypes.h>
#include <liblzf/lzf.h>
#include <stdarg.h>

/* ---------------------------------------------------------------- bytes */

struct buf {
    uint8_t *data;
    size_t len, cap;
};

static inline void put(struct buf *b, const void *bytes, size_t n)
{
    if (b->len + n > b->cap) {
        b->cap = 2 * (b->len + n) + 64;
        b->data = realloc(b->data, b->cap);
        if (!b->data)
            abort();
    }
    if (n)
        memcpy(b->data + b->len, bytes, n);
    b->len += n;
}

static inline void put_le(struct buf *b, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t c = (uint8_t)(i < 8 ? v >> (8 * i) : 0);
        put(b, &c, 1);
    }
}

static inline void put_be(struct buf *b, uint64_t v, unsigned bytes)
{
    while (bytes-- > 0) {
        uint8_t c = (uint8_t)(v >> (8 * bytes));
        put(b, &c, 1);
    }
}

static inline void put_u8(struct buf *b, unsigned v) { put_le(b, v, 1); }
static inline void put_text(struct buf *b, const char *s) { put(b, s, strlen(s)); }

static inline void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

/* ---------------------------------------------------------------- rdb primitives */

static inline void put_len(struct buf *b, uint64_t n)
{
    if (n < 64) {
        put_u8(b, (unsigned)n);
    } else if (n < 16384) {
        put_be(b, 0x4000 | n, 2);
    } else if (n <= UINT32_MAX) {
        put_u8(b, 0x80);
        put_be(b, n, 4);
    } else {
        put_u8(b, 0x81);
        put_be(b, n, 8);
    }
}

static inline void put_strn(struct buf *b, const void *s, size_t n)
{
    put_len(b, n);
    put(b, s, n);
}

static inline void put_str(struct buf *b, const char *s) { put_strn(b, s, strlen(s)); }

static inline void put_double(struct buf *b, double d)
{
    uint64_t v;
    memcpy(&v, &d, 8);
    put_le(b, v, 8);
}

/* c3 clen ulen bytes; raw when liblzf cannot make it smaller. */
static inline void put_lzf(struct buf *b, const void *s, size_t n)
{
    uint8_t *out = malloc(n + 16);
    unsigned clen = n > 4 && out ? lzf_compress(s, (unsigned)n, out, (unsigned)n - 1) : 0;
    if (clen) {
        put_u8(b, 0xc3);
        put_len(b, clen);
        put_len(b, n);
        put(b, out, clen);
    } else {
        put_strn(b, s, n);
    }
    free(out);
}

static inline void put_magic(struct buf *b, int version)
{
    char magic[16];
    (void)snprintf(magic, sizeof magic, version >= 80 && version < 99 ? "VALKEY%03d" : "REDIS%04d", version % 10000);
    put(b, magic, 9);
}

static inline uint64_t crc_naive(const uint8_t *s, size_t n)
{
    uint64_t crc = 0;
    for (size_t i = 0; i < n; i++) {
        crc ^= s[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0x95ac9329ac4bc9b5ull : crc >> 1;
    }
    return crc;
}

static inline void put_footer(struct buf *b, int version)
{
    put_u8(b, 255);
    if (version >= 5)
        put_le(b, crc_naive(b->data, b->len), 8);
}

/* ---------------------------------------------------------------- packed containers, naive */

struct item {
    const char *s; /* NULL: the integer */
    size_t n;
    int64_t v;
};

static inline struct item item_str(const char *s) { return (struct item){s, strlen(s), 0}; }
static inline struct item item_int(int64_t v) { return (struct item){NULL, 0, v}; }

/* Backlen: width in groups of 7 bits, compared with < as up to Redis 8.6, or with <= as later. */
static inline void put_backlen(struct buf *b, uint64_t size, bool later)
{
    unsigned width = 1;
    for (uint64_t limit = 127; width < 5 && size >= limit + (later || width == 1); limit = limit << 7 | 127)
        width++;
    for (unsigned i = width; i-- > 0;)
        put_u8(b, (unsigned)(size >> (7 * i) & 127) | (i + 1 < width ? 128u : 0));
}

static inline void put_lp_entry(struct buf *b, struct item it, bool later)
{
    size_t at = b->len;
    if (it.s && it.n < 64) {
        put_u8(b, 0x80 | (unsigned)it.n);
    } else if (it.s && it.n < 4096) {
        put_be(b, 0xe000 | it.n, 2);
    } else if (it.s) {
        put_u8(b, 0xf0);
        put_le(b, it.n, 4);
    } else if (it.v >= 0 && it.v < 128) {
        put_u8(b, (unsigned)it.v);
    } else if (it.v >= -4096 && it.v < 4096) {
        put_be(b, 0xc000 | ((uint64_t)it.v & 0x1fff), 2);
    } else if (it.v >= -32768 && it.v < 32768) {
        put_u8(b, 0xf1);
        put_le(b, (uint64_t)it.v, 2);
    } else if (it.v >= -8388608 && it.v < 8388608) {
        put_u8(b, 0xf2);
        put_le(b, (uint64_t)it.v, 3);
    } else if (it.v >= INT32_MIN && it.v <= INT32_MAX) {
        put_u8(b, 0xf3);
        put_le(b, (uint64_t)it.v, 4);
    } else {
        put_u8(b, 0xf4);
        put_le(b, (uint64_t)it.v, 8);
    }
    put(b, it.s, it.s ? it.n : 0);
    put_backlen(b, b->len - at, later);
}

/* A whole listpack into b, which was empty. count 65535: unknown. */
static inline void put_listpack(struct buf *b, const struct item *items, size_t n, bool later)
{
    put_le(b, 0, 6);
    for (size_t i = 0; i < n; i++)
        put_lp_entry(b, items[i], later);
    put_u8(b, 255);
    uint32_t total = (uint32_t)b->len;
    uint16_t count = n < 65535 ? (uint16_t)n : 65535;
    memcpy(b->data, &total, 4);
    memcpy(b->data + 4, &count, 2);
}

static inline void put_zl_entry(struct buf *b, struct item it, size_t before, bool long_prevlen)
{
    if (before < 254 && !long_prevlen) {
        put_u8(b, (unsigned)before);
    } else {
        put_u8(b, 254);
        put_le(b, before, 4);
    }
    if (it.s && it.n < 64) {
        put_u8(b, (unsigned)it.n);
    } else if (it.s && it.n < 16384) {
        put_be(b, 0x4000 | it.n, 2);
    } else if (it.s) {
        put_u8(b, 0x80);
        put_be(b, it.n, 4);
    } else if (it.v >= 0 && it.v <= 12) {
        put_u8(b, 0xf1 + (unsigned)it.v);
    } else if (it.v >= -128 && it.v < 128) {
        put_u8(b, 0xfe);
        put_le(b, (uint64_t)it.v, 1);
    } else if (it.v >= -32768 && it.v < 32768) {
        put_u8(b, 0xc0);
        put_le(b, (uint64_t)it.v, 2);
    } else if (it.v >= -8388608 && it.v < 8388608) {
        put_u8(b, 0xf0);
        put_le(b, (uint64_t)it.v, 3);
    } else if (it.v >= INT32_MIN && it.v <= INT32_MAX) {
        put_u8(b, 0xd0);
        put_le(b, (uint64_t)it.v, 4);
    } else {
        put_u8(b, 0xe0);
        put_le(b, (uint64_t)it.v, 8);
    }
    put(b, it.s, it.s ? it.n : 0);
}

static inline void put_ziplist(struct buf *b, const struct item *items, size_t n)
{
    size_t last = 10, before = 0;
    put_le(b, 0, 10);
    for (size_t i = 0; i < n; i++) {
        last = b->len;
        put_zl_entry(b, items[i], before, i % 7 == 5);
        before = b->len - last;
    }
    put_u8(b, 255);
    uint32_t head[2] = {(uint32_t)b->len, (uint32_t)last};
    uint16_t count = n < 65535 ? (uint16_t)n : 65535;
    memcpy(b->data, head, 8);
    memcpy(b->data + 8, &count, 2);
}

static inline void put_intset(struct buf *b, const int64_t *v, size_t n, unsigned width)
{
    put_le(b, width, 4);
    put_le(b, n, 4);
    for (size_t i = 0; i < n; i++)
        put_le(b, (uint64_t)v[i], width);
}

static inline void put_zm_len(struct buf *b, size_t n)
{
    if (n < 254) {
        put_u8(b, (unsigned)n);
    } else {
        put_u8(b, 254);
        put_le(b, n, 4);
    }
}

/* items: keys and values in turn. */
static inline void put_zipmap(struct buf *b, const struct item *items, size_t n)
{
    put_u8(b, n / 2 < 254 ? (unsigned)(n / 2) : 254);
    for (size_t i = 0; i < n; i++) {
        unsigned junk = i % 2 ? (unsigned)(i % 5) : 0;
        put_zm_len(b, items[i].n);
        if (i % 2)
            put_u8(b, junk);
        put(b, items[i].s, items[i].n);
        for (unsigned k = 0; k < junk; k++)
            put_u8(b, 'J');
    }
    put_u8(b, 255);
}

/* ---------------------------------------------------------------- reading from memory */

struct memory_reader {
    const uint8_t *data;
    size_t len, at;
};

static inline ptrdiff_t memory_read(void *ctx, void *out, size_t n)
{
    struct memory_reader *m = ctx;
    size_t left = m->len - m->at;
    if (n > left)
        n = left;
    memcpy(out, m->data + m->at, n);
    m->at += n;
    return (ptrdiff_t)n;
}

/* ---------------------------------------------------------------- transcripts */

__attribute__((format(printf, 2, 3))) static inline void say(struct buf *t, const char *fmt, ...)
{
    char line[2048];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    put(t, line, (size_t)(n < (int)sizeof line ? n : (int)sizeof line - 1));
    put(t, "", 1); /* a string at any time */
    t->len--;
}

/* Short texts as they are, long ones as length and checksum. */
static inline void say_bytes(struct buf *t, const uint8_t *s, uint64_t n, uint64_t crc)
{
    if (n > 24) {
        say(t, "<%" PRIu64 ":%016" PRIx64 ">", n, crc);
        return;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (s[i] > 0x20 && s[i] < 0x7f)
            say(t, "%c", s[i]);
        else
            say(t, "\\%02x", s[i]);
    }
}

/* All bytes of an element, through its cursor in steps of `step`. */
static inline void say_element_bytes(struct buf *t, rdb_parser *p, const struct rdb_element *e, size_t step)
{
    struct rdb_cursor c;
    uint8_t head[32];
    uint64_t crc = 0, n = 0;
    size_t had = rdb_element_head(p, e, head, sizeof head);
    if (!rdb_element_open(p, e, &c)) {
        say(t, "!%s", c.damage);
        return;
    }
    while (n < e->len) {
        size_t want = e->len - n < step ? (size_t)(e->len - n) : step;
        if (!rdb_cursor_need(&c, want)) {
            say(t, "!%s", c.damage ? c.damage : "short");
            return;
        }
        CHECK(rdb_cursor_tell(&c) == n);
        if (n == 0)
            CHECK(had == SIZE_MAX || (had <= want && memcmp(head, c.p, had) == 0) || step < 32);
        if (n < sizeof head)
            memcpy(head + n, c.p, want < sizeof head - n ? want : sizeof head - n);
        crc = rdb_crc64(crc, c.p, want);
        c.p += want;
        n += want;
    }
    CHECK(!rdb_cursor_need(&c, 1));
    say_bytes(t, head, n, crc);
}

static inline void say_pack(struct buf *t, rdb_parser *p, const struct rdb_element *e)
{
    struct rdb_cursor c;
    struct rdb_pack k;
    struct rdb_entry entry;
    int rc = -1;
    say(t, "{");
    if (!rdb_element_open(p, e, &c)) {
        say(t, "!%s}", c.damage);
        return;
    }
    if (rdb_pack_open(&k, (enum rdb_pack_kind)e->pack, &c, e->len))
        while ((rc = rdb_pack_next(&k, &entry)) > 0) {
            say(t, k.seen > 1 ? " " : "");
            if (entry.is_int)
                say(t, "%" PRId64, entry.num);
            else if (entry.data)
                say_bytes(t, entry.data, entry.len, rdb_crc64(0, entry.data, entry.len));
            else
                say(t, "<%" PRIu64 ">", entry.len);
        }
    if (rc < 0)
        say(t, "!%s@%" PRIu64, k.damage, k.damage_at);
    say(t, "}");
}

static inline const char *role_name(unsigned role)
{
    static const char *const names[RDB_R_COUNT] = {
        "STRING", "ITEM", "FIELD", "VALUE", "MEMBER", "SCORE", "BLOB", "PLAIN", "NUMBER", "NODE_ID", "NODE", "META", "GROUP",
        "GROUP_META", "PEL", "CONSUMER", "CONSUMER_META", "CPEL", "NACKED", "IDMP", "PRODUCER", "IID", "SINT", "UINT", "FLOAT",
        "DOUBLE", "MSTRING", "ASTR", "AINT", "AFLOAT", "ASMALL"};
    return role < RDB_R_COUNT ? names[role] : "?";
}

static inline void say_element(struct buf *t, rdb_parser *p, const struct rdb_event *ev, const struct rdb_element *e,
                               size_t step)
{
    say(t, " %s", role_name(e->role));
    switch (e->role) {
    case RDB_R_SCORE:
    case RDB_R_MODULE_FLOAT:
    case RDB_R_MODULE_DOUBLE: say(t, "=%.17g", e->u.score); return;
    case RDB_R_ARRAY_STR:
    case RDB_R_ARRAY_INT:
    case RDB_R_ARRAY_FLOAT:
    case RDB_R_ARRAY_SMALL: say(t, "[%" PRIu64 "]", e->u.index); break;
    case RDB_R_GROUP_PEL: say(t, "(%" PRId64 " %" PRId64 ")", e->num, e->u.time_ms); break;
    case RDB_R_IID: say(t, "(%" PRId64 ")", e->u.time_ms); break;
    case RDB_R_ITEM:
    case RDB_R_VALUE:
        if (ev->kind == RDB_EV_KEY && (ev->key.info->layout == RDB_L_HASH_TTL || ev->key.info->family == 4))
            say(t, "(%" PRId64 ")", e->u.expire_ms);
        break;
    default: break;
    }
    say(t, "=");
    if (e->form == RDB_F_NUM) {
        say(t, "%" PRId64, e->num);
    } else if (e->pack != RDB_PACK_NONE && (e->role == RDB_R_BLOB || e->role == RDB_R_STREAM_NODE || e->role == RDB_R_FIELD)) {
        say_pack(t, p, e);
    } else {
        say_element_bytes(t, p, e, step);
    }
}

static inline void say_text(struct buf *t, const char *name, const struct rdb_bytes *b)
{
    say(t, " %s=", name);
    say_bytes(t, b->data, b->len, rdb_crc64(0, b->data, b->len));
    if (b->full_len != b->len)
        say(t, "/%" PRIu64, b->full_len);
}

static inline void say_key(struct buf *t, const struct rdb_key *k)
{
    say(t, "key db=%u %s", k->db, k->info->name);
    say_text(t, "name", &k->name);
    say(t, " n=%" PRIu64, k->count);
    if (k->expire_ms != -1)
        say(t, " expire=%" PRId64, k->expire_ms);
    if (k->idle_s != -1)
        say(t, " idle=%" PRId64, k->idle_s);
    if (k->freq != -1)
        say(t, " freq=%d", k->freq);
    if (k->meta_classes)
        say(t, " meta=%d", k->meta_classes);
    if (k->ttl_min_ms)
        say(t, " min=%" PRId64, k->ttl_min_ms);
    if (k->template_id)
        say(t, " template=%" PRIu64, k->template_id);
    if (k->array_insert != UINT64_MAX)
        say(t, " insert=%" PRIu64, k->array_insert);
    if (k->module_id) {
        char name[10];
        int encver = rdb_module_name(k->module_id, name);
        say(t, " module=%s.%d", name, encver);
    }
}

static inline void say_event(struct buf *t, const struct rdb_event *ev)
{
    switch (ev->kind) {
    case RDB_EV_KEY: say_key(t, &ev->key); break;
    case RDB_EV_AUX:
        say(t, "aux");
        say_text(t, "name", &ev->name);
        say_text(t, "value", &ev->value);
        break;
    case RDB_EV_SELECTDB: say(t, "db %" PRIu64, ev->num[0]); break;
    case RDB_EV_RESIZEDB: say(t, "resize %" PRIu64 " %" PRIu64, ev->num[0], ev->num[1]); break;
    case RDB_EV_SLOT_INFO: say(t, "slot %" PRIu64 " %" PRIu64 " %" PRIu64, ev->num[0], ev->num[1], ev->num[2]); break;
    case RDB_EV_FUNCTION:
        say(t, "function");
        say_text(t, "code", &ev->value);
        break;
    case RDB_EV_FUNCTION_PRE_GA:
        say(t, "function-pre-ga");
        say_text(t, "name", &ev->name);
        say_text(t, "code", &ev->value);
        break;
    case RDB_EV_MODULE_AUX: say(t, "module-aux when=%" PRIu64, ev->num[1]); break;
    case RDB_EV_HASH_TEMPLATE: say(t, "template %" PRIu64 " %" PRIu64 " %" PRIu64, ev->num[0], ev->num[1], ev->num[2]); break;
    case RDB_EV_SLOT_IMPORT:
        say(t, "slot-import %" PRIu64, ev->num[0]);
        say_text(t, "job", &ev->name);
        break;
    case RDB_EV_UPDATE: say(t, "update %" PRIu64, ev->num[0]); break;
    case RDB_EV_OTHER: say(t, "other %" PRIu64, ev->num[0]); break;
    case RDB_EV_EOF:
    case RDB_EV_ERROR: break;
    }
}

/* What of a parse is told. */
struct telling {
    size_t batch;    /* elements asked for at once; 0: none, values are skipped */
    size_t step;     /* bytes asked for at once of an element; 0: 64 KiB */
    bool opcodes;    /* elements of MODULE_AUX too */
    bool no_offsets; /* leave out where records begin */
};

/* Runs the parser to its end; the last line is "eof" or the error. */
static inline void tell(struct buf *t, rdb_parser *p, struct telling how)
{
    struct rdb_event ev;
    struct rdb_element el[64];
    uint64_t last = 0;
    while (rdb_next(p, &ev) > 0) {
        CHECK(rdb_tell(p) >= last && ev.offset <= rdb_tell(p));
        last = rdb_tell(p);
        say_event(t, &ev);
        if (!how.no_offsets)
            say(t, " @%" PRIu64, ev.offset);
        bool more = how.batch > 0 && (ev.kind == RDB_EV_KEY || (how.opcodes && ev.kind == RDB_EV_MODULE_AUX));
        while (more) {
            size_t n = rdb_elements(p, el, how.batch < 64 ? how.batch : 64, &more);
            for (size_t i = 0; i < n; i++)
                say_element(t, p, &ev, &el[i], how.step ? how.step : 65536);
        }
        say(t, "\n");
    }
    const struct rdb_error *e = rdb_error(p);
    if (e->kind == RDB_OK)
        say(t, "eof\n");
    else
        say(t, "error %s: %s\n", rdb_err_name(e->kind), e->expected);
}

static inline void tell_memory(struct buf *t, const struct buf *dump, const struct rdb_options *o, struct telling how)
{
    struct memory_reader m = {dump->data, dump->len, 0};
    rdb_parser *p = rdb_open_reader(memory_read, &m, o);
    t->len = 0;
    tell(t, p, how);
    rdb_close(p);
}

/* The transcript of a dump is this text. */
static inline void check_tells(const char *what, const struct buf *dump, const char *expected)
{
    struct buf t = {0};
    tell_memory(&t, dump, NULL, (struct telling){.batch = 64, .opcodes = true, .no_offsets = true});
    CHECK_MSG(strcmp((const char *)t.data, expected) == 0, "%s: expected\n%s--- found\n%s---", what, expected,
              (const char *)t.data);
    buf_free(&t);
}

#endif
