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

static inline void put_u8(struct buf *b, unsigned v)
{
    put_le(b, v, 1);
}
static inline void put_text(struct buf *b, const char *s)
{
    put(b, s, strlen(s));
}

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

static inline void put_str(struct buf *b, const char *s)
{
    put_strn(b, s, strlen(s));
}

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

static inline struct item item_str(const char *s)
{
    return (struct item){s, strlen(s), 0};
}
static inline struct item item_int(int64_t v)
{
    return (struct item){NULL, 0, v};
}

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
            else if (entry.data && entry.len <= 65000) /* longer ones are lent where the window happens to hold them */
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
        "STRING",        "ITEM",    "FIELD",   "VALUE", "MEMBER",   "SCORE",      "BLOB",  "PLAIN",
        "NUMBER",        "NODE_ID", "NODE",    "META",  "GROUP",    "GROUP_META", "PEL",   "CONSUMER",
        "CONSUMER_META", "CPEL",    "NACKED",  "IDMP",  "PRODUCER", "IID",        "SINT",  "UINT",
        "FLOAT",         "DOUBLE",  "MSTRING", "ASTR",  "AINT",     "AFLOAT",     "ASMALL"};
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
    } else if (e->pack != RDB_PACK_NONE &&
               (e->role == RDB_R_BLOB || e->role == RDB_R_STREAM_NODE || e->role == RDB_R_FIELD)) {
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
    case RDB_EV_HASH_TEMPLATE:
        say(t, "template %" PRIu64 " %" PRIu64 " %" PRIu64, ev->num[0], ev->num[1], ev->num[2]);
        break;
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

/* Reads everything that can be read, and tells nothing but how it ended. */
static inline void drain_element(rdb_parser *p, const struct rdb_element *e)
{
    struct rdb_cursor c;
    struct rdb_pack k;
    struct rdb_pack_sum sum;
    struct rdb_stream_sum stream;
    const char *damage;
    if (e->form == RDB_F_NUM || !rdb_element_open(p, e, &c))
        return;
    if (e->role == RDB_R_STREAM_NODE)
        (void)rdb_stream_node_sum(&c, e->len, &stream, &damage);
    else if (e->role == RDB_R_BLOB && rdb_pack_open(&k, (enum rdb_pack_kind)e->pack, &c, e->len))
        (void)rdb_pack_sum(&k, &sum);
    else
        (void)rdb_cursor_skip(&c, e->len);
}

static inline enum rdb_err drain_memory(const struct buf *dump, const struct rdb_options *o, size_t batch)
{
    struct memory_reader m = {dump->data, dump->len, 0};
    rdb_parser *p = rdb_open_reader(memory_read, &m, o);
    struct rdb_event ev;
    struct rdb_element el[64];
    while (rdb_next(p, &ev) > 0) {
        bool more = batch > 0 && (ev.kind == RDB_EV_KEY || ev.kind == RDB_EV_MODULE_AUX);
        while (more) {
            size_t n = rdb_elements(p, el, batch, &more);
            for (size_t i = 0; i < n; i++)
                drain_element(p, &el[i]);
        }
    }
    enum rdb_err kind = rdb_error(p)->kind;
    CHECK(kind != RDB_OK || rdb_info(p)->offset <= dump->len);
    rdb_close(p);
    return kind;
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

/* ---------------------------------------------------------------- a dump with everything */

static inline void sample_id(struct buf *b, uint64_t seq)
{
    put_be(b, 1234, 8);
    put_be(b, seq, 8);
}

/* A string of one of several forms and sizes. */
static inline void sample_str(struct buf *b, unsigned i, size_t longest)
{
    char text[5000];
    size_t n = (i * 2654435761u >> 8) % (longest < sizeof text ? longest : sizeof text);
    for (size_t k = 0; k < n; k++)
        text[k] = (char)('a' + (k * k + i) % (i % 3 ? 3 : 26));
    switch (i % 6) {
    case 0: put_lzf(b, text, n); break;
    case 1: put_text(b, i & 8 ? "\xc0\x85" : "\xc2\x01\x02\x03\x04"); break;
    case 2: put_strn(b, text, n); break;
    default: put_strn(b, text, n % 30); break;
    }
}

static inline void sample_pack(struct buf *b, enum rdb_pack_kind kind, unsigned i, size_t n, bool triples)
{
    struct item items[64];
    static const char text[200] =
        "some bytes of a text that is not very long but longer than sixty-three bytes, twice over: "
        "0123456789012345678901234567890123456789";
    int64_t v[64];
    struct buf blob = {0};
    for (size_t k = 0; k < n; k++) {
        items[k] = (k + i) % 3 && kind != RDB_PACK_ZIPMAP ? item_int((int64_t)(k * 7919) << (k % 40))
                                                          : (struct item){text, (k * 13 + i) % 140, 0};
        if (triples && k % 3 == 2)
            items[k] = item_int(k < 3 ? 1700000000000 : 0);
        v[k] = (int64_t)k * 5 - 20;
    }
    if (kind == RDB_PACK_LISTPACK)
        put_listpack(&blob, items, n, i & 1);
    else if (kind == RDB_PACK_ZIPLIST)
        put_ziplist(&blob, items, n);
    else if (kind == RDB_PACK_ZIPMAP)
        put_zipmap(&blob, items, n);
    else
        put_intset(&blob, v, n, 2);
    if (i & 1)
        put_lzf(b, blob.data, blob.len);
    else
        put_strn(b, blob.data, blob.len);
    buf_free(&blob);
}

static inline void sample_stream(struct buf *b, unsigned type, size_t longest)
{
    struct item node[] = {item_int(1),  item_int(1), item_int(1),       item_str("field"), item_int(0), item_int(2),
                          item_int(0),  item_int(0), item_str("value"), item_int(4),       item_int(1), item_int(5),
                          item_int(-3), item_int(1), item_str("f"),     item_int(77),      item_int(6)};
    put_len(b, 2);
    for (unsigned i = 0; i < 2; i++) {
        struct buf blob = {0};
        put_listpack(&blob, node, sizeof node / sizeof *node, false);
        put_len(b, 16);
        sample_id(b, i);
        put_strn(b, blob.data, blob.len);
        buf_free(&blob);
    }
    for (unsigned i = 0; i < (type >= 19 ? 8 : 3); i++)
        put_len(b, i ? i * 1000003 : 2);
    put_len(b, 2);
    for (unsigned g = 0; g < 2; g++) {
        sample_str(b, 2 + g, longest);
        for (unsigned i = 0; i < (type >= 19 ? 3 : 2); i++)
            put_len(b, i < 2 ? i : UINT64_MAX);
        put_len(b, 3 * g);
        for (unsigned i = 0; i < 3 * g; i++) {
            sample_id(b, i);
            put_le(b, 1700000000000 + i, 8);
            put_len(b, i);
        }
        put_len(b, 1 + g);
        for (unsigned c = 0; c < 1 + g; c++) {
            sample_str(b, 9 + c, longest);
            put_le(b, 1700000000000, 8);
            if (type >= 21)
                put_le(b, UINT64_MAX, 8);
            put_len(b, c);
            if (c)
                sample_id(b, 1);
        }
        if (type >= 27) {
            put_len(b, g);
            if (g)
                sample_id(b, 2);
        }
    }
    if (type < 26)
        return;
    put_len(b, 100);
    put_len(b, 70000);
    put_len(b, 2);
    for (unsigned i = 0; i < 2; i++) {
        sample_str(b, 20 + i, longest);
        put_len(b, 2 * i);
        for (unsigned k = 0; k < 2 * i; k++) {
            sample_str(b, 26 + 6 * k, longest);
            put_len(b, 1700000000000 + k);
            put_len(b, k);
        }
    }
    put_len(b, 3);
    put_len(b, 1);
}

static inline void sample_module(struct buf *b)
{
    float f = 1.5f;
    put_len(b, 1);
    put_len(b, UINT64_MAX - 4);
    put_len(b, 2);
    put_len(b, 100000);
    put_len(b, 3);
    put(b, &f, 4);
    put_len(b, 4);
    put_double(b, 0.25);
    for (unsigned i = 0; i < 3; i++) {
        put_len(b, 5);
        sample_str(b, i, 200);
    }
    put_len(b, 0);
}

/* The value of a type. */
static inline void sample_value(struct buf *b, unsigned type, int version, size_t longest)
{
    switch (type) {
    case 0: sample_str(b, 0, longest); break;
    case 1:
    case 2:
        put_len(b, 12);
        for (unsigned i = 0; i < 12; i++)
            sample_str(b, i, longest);
        break;
    case 3:
        put_len(b, 4);
        for (unsigned i = 0; i < 4; i++) {
            sample_str(b, i, longest);
            if (i < 3)
                put_str(b, i ? "-1234567.125" : "17");
            else
                put_u8(b, 254);
        }
        break;
    case 4:
        put_len(b, 8);
        for (unsigned i = 0; i < 16; i++)
            sample_str(b, i, longest);
        break;
    case 5:
        put_len(b, 8);
        for (unsigned i = 0; i < 8; i++) {
            sample_str(b, i, longest);
            put_double(b, i * 0.5);
        }
        break;
    case 7:
        put_len(b, UINT64_C(0x2f79cb68aec7ad) << 10);
        sample_module(b);
        break;
    case 9: sample_pack(b, RDB_PACK_ZIPMAP, longest & 1, 20, false); break;
    case 10:
    case 12:
    case 13: sample_pack(b, RDB_PACK_ZIPLIST, type, 24, false); break;
    case 11: sample_pack(b, RDB_PACK_INTSET, 0, 30, false); break;
    case 14:
        put_len(b, 3);
        for (unsigned i = 0; i < 3; i++)
            sample_pack(b, RDB_PACK_ZIPLIST, i, 5 * i, false);
        break;
    case 15:
    case 19:
    case 21:
    case 26:
    case 27: sample_stream(b, type, longest); break;
    case 16:
    case 17:
    case 20: sample_pack(b, RDB_PACK_LISTPACK, type, 40, false); break;
    case 18:
        put_len(b, 4);
        for (unsigned i = 0; i < 4; i++) {
            put_len(b, 1 + i % 2);
            if (i % 2)
                sample_pack(b, RDB_PACK_LISTPACK, i / 2, 10, false);
            else
                sample_str(b, i, longest);
        }
        break;
    case 24: put_le(b, 1600000000000, 8); /* fall through */
    case 22:
        put_len(b, 6);
        for (unsigned i = 0; i < 6; i++) {
            if (version < 80)
                put_len(b, i % 2 ? (type == 24 ? 1000 + i : 1700000000000 + i) : 0);
            sample_str(b, 2 * i, longest);
            sample_str(b, 2 * i + 1, longest);
            if (version >= 80)
                put_le(b, i % 2 ? UINT64_C(1700000000000) + i : UINT64_MAX, 8);
        }
        break;
    case 25: put_le(b, 1600000000000, 8); /* fall through */
    case 23: sample_pack(b, RDB_PACK_LISTPACK, type, 18, true); break;
    case 28:
        put_len(b, 8);
        put_len(b, 1);
        put_len(b, 77);
        for (unsigned i = 0; i < 8; i++) {
            put_len(b, i * 1000);
            put_len(b, i % 4);
            if (i % 4 == 0 || i % 4 == 3)
                sample_str(b, i * 5, i % 4 ? 8 : longest);
            else
                put_le(b, i * 12345, 8);
        }
        break;
    case 29:
    case 31:
        if (version < 15) {
            put_len(b, 1700000000000);
            break;
        }
        put_len(b, longest & 1);
        if (longest & 1) {
            put_len(b, 3);
            for (unsigned i = 0; i < 3; i++)
                sample_str(b, 2 + i, longest);
        } else {
            sample_pack(b, RDB_PACK_LISTPACK, 0, 3, false);
        }
        if (type == 29)
            sample_pack(b, RDB_PACK_LISTPACK, 1, 4, false);
        else
            for (unsigned i = 0; i < 3; i++)
                sample_str(b, i, longest);
        break;
    case 30: sample_pack(b, RDB_PACK_LISTPACK, 0, 4, false); break;
    case 32:
        put_len(b, 7);
        for (unsigned i = 0; i < 3; i++)
            sample_str(b, i, longest);
        break;
    case 33: put_len(b, 12345); break;
    default: /* 64 */
        sample_str(b, 2, longest);
        put_le(b, 1700000000000, 8);
        put_le(b, 60000, 8);
        put_len(b, 1);
        sample_str(b, 3, longest);
        put_len(b, 2);
        sample_str(b, 0, longest);
        sample_str(b, 1, longest);
        break;
    }
}

/* Every type and opcode that a file of this version can have; strings up to `longest`. */
static inline void put_sample(struct buf *b, int version, size_t longest)
{
    static const struct {
        uint8_t type, since, until;
    } types[] = {{0, 1, 99},   {1, 1, 99},   {2, 1, 99},   {3, 1, 99},   {4, 1, 99},   {5, 8, 99},   {7, 8, 99},
                 {9, 2, 99},   {10, 2, 99},  {11, 2, 99},  {12, 2, 99},  {13, 4, 99},  {14, 7, 99},  {15, 9, 99},
                 {16, 10, 99}, {17, 10, 99}, {18, 10, 99}, {19, 10, 99}, {20, 11, 99}, {21, 11, 99}, {22, 12, 79},
                 {22, 80, 99}, {23, 12, 79}, {24, 12, 79}, {25, 12, 79}, {26, 13, 79}, {27, 14, 79}, {28, 14, 79},
                 {29, 14, 79}, {30, 15, 79}, {31, 15, 79}, {32, 15, 79}, {33, 15, 79}, {64, 9, 9}};
    b->len = 0;
    put_magic(b, version);
    if (version >= 7) {
        put_u8(b, 250);
        put_str(b, "redis-ver");
        put_str(b, "1.2.3");
    }
    if (version >= 9) {
        put_u8(b, 247);
        put_len(b, 99999999999);
        put_len(b, 2);
        put_len(b, 1);
        sample_module(b);
    }
    if (version >= 10) {
        put_u8(b, 245);
        sample_str(b, 6, longest);
        put_u8(b, 246);
        sample_str(b, 2, longest);
        put_str(b, "LUA");
        put_len(b, 1);
        sample_str(b, 8, longest);
        sample_str(b, 12, longest);
    }
    if (version == 15) {
        put_u8(b, 242);
        put_len(b, 7);
        put_len(b, 3);
        for (unsigned i = 0; i < 3; i++)
            sample_str(b, 2 + i, longest);
    }
    if (version >= 81) {
        put_u8(b, 242);
        put_text(b, "*2\r\n$3\r\nDEL\r\n$5\r\nabcde\r\n");
    }
    if (version >= 80) {
        put_u8(b, 243);
        put_str(b, "0123456789012345678901234567890123456789");
        put_len(b, 1);
        put_len(b, 5);
        put_len(b, 500);
    }
    put_u8(b, 254);
    put_len(b, 3);
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        if (version < types[i].since || version > types[i].until)
            continue;
        if (i % 3 == 1) {
            put_u8(b, version < 3 ? 253 : 252);
            put_le(b, version < 3 ? 1700000000 : 1700000000000, version < 3 ? 4 : 8);
        }
        if (i % 4 == 1 && version >= 9) {
            put_u8(b, 248);
            put_len(b, i * 1000);
        }
        if (i % 5 == 1 && version >= 13 && version < 80) {
            put_u8(b, 243);
            put_len(b, 1);
            put_le(b, 0x12345600, 4);
            sample_module(b);
        }
        put_u8(b, types[i].type);
        sample_str(b, i, longest / 2);
        sample_value(b, types[i].type, version, longest);
    }
    put_footer(b, version);
}

#endif
