/*
 * internal.h - what the files of this room share: the parser's state and the unchecked primitives.
 *
 *     rdb_next ──► parser.c      opcodes, keys           rdb_elements ──► value.c    strings, pairs, blobs
 *                  string.c      STR in its three forms                   stream.c   streams
 *                  types.c       what a number means                      module.c   module items
 *                  dragonfly.c   compressed pieces                        extra.c    arrays, templates, cron
 *     rdb_element_open ──► element.c, lzf.c              rdb_pack_next ──► pack.c and one file a container
 */
#ifndef RDBMEM_RDB_INTERNAL_H
#define RDBMEM_RDB_INTERNAL_H

#include "rdb/reader.h"

#include <stdarg.h>
#include <string.h>

static inline uint16_t load_le16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}
static inline uint32_t load_le32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}
static inline uint64_t load_le64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}
static inline uint32_t load_be32(const uint8_t *p)
{
    return __builtin_bswap32(load_le32(p));
}
static inline uint64_t load_be64(const uint8_t *p)
{
    return __builtin_bswap64(load_le64(p));
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "rdb/ loads little endian fields with plain loads"
#endif

/* ---------------------------------------------------------------- CRC64 (crc64.c) */

/* The same as rdb_crc64, without ISA-L in any build. */
uint64_t crc64_by_table(uint64_t crc, const void *data, size_t len);

/* ---------------------------------------------------------------- LZF (lzf.c) */

enum {
    LZF_HISTORY = 8192,          /* farthest a copy reaches back */
    LZF_COPY_MAX = 264,          /* longest copy */
    LZF_SLACK = 32,              /* bytes behind an output buffer that may be scribbled on */
    LZF_WHOLE_MAX = 1024 * 1024, /* longer strings are expanded piece by piece */
    LZF_PIECE = 256 * 1024       /* buffer for that: history, unread bytes (64 KiB) and a new piece */
};

/* Three bytes give 264 at most, and two bytes one at least: lengths that are not so related are lies. */
static inline bool lzf_plausible(uint64_t clen, uint64_t ulen)
{
    return clen > 0 && ulen > 0 && clen < UINT64_MAX / 128 && ulen <= clen * 88 + 32 && clen / 2 <= ulen;
}

/* Expands in[0..n) to exactly len bytes of out (with LZF_SLACK behind). False: damaged. */
bool lzf_whole(const uint8_t *in, size_t n, uint8_t *out, size_t len);

/* Expands the first want bytes, or as many as in[0..n) gives: how many, SIZE_MAX when damaged before that. Needs no
 * slack. */
size_t lzf_head(const uint8_t *in, size_t n, uint8_t *out, size_t want);

struct lzf_stream {
    struct rdb_cursor in; /* compressed bytes */
    uint64_t in_left;     /* of them, not yet taken */
    uint64_t out_left;    /* expanded bytes not yet made */
    uint8_t *out;         /* LZF_PIECE + LZF_SLACK bytes */
};

/* c becomes a cursor over the expanded bytes. */
void lzf_stream_open(struct lzf_stream *s, const struct rdb_cursor *in, uint64_t clen, uint64_t ulen,
                     struct rdb_cursor *c);

/* ---------------------------------------------------------------- the parser */

struct rdb_value {
    const struct rdb_type_info *info;
    size_t (*fill)(struct rdb_parser *p, struct rdb_element *out, size_t cap);
    bool open;                             /* elements are left */
    bool text_ttl;                         /* value.c: expiry as a string behind it (Dragonfly) */
    uint8_t phase;                         /* which part comes next; meaning by layout */
    uint64_t left;                         /* items left in the list at hand */
    uint64_t groups, consumers, producers; /* stream.c: lists around it */
    int64_t ttl;                           /* value.c: expiry read in front of the field */
    int64_t ttl_min;
    uint64_t count;
};

/* What stands in front of a key. */
struct rdb_attr {
    bool any;
    uint8_t meta_classes;
    int16_t freq;
    int64_t expire_ms, idle_s;
    uint64_t offset; /* of the first of them */
};

struct rdb_template_slot {
    uint64_t id, fields; /* fields 0 = free */
};

enum rdb_parser_state { RDB_S_RUNNING, RDB_S_ENDED, RDB_S_FAILED };

struct rdb_parser {
    struct rdb_reader r;
    struct rdb_value v;
    struct rdb_attr attr;
    uint8_t state;  /* enum rdb_parser_state */
    bool has_key;   /* a key was begun: r.note or r.note_copy is its name */
    bool any_names; /* places.c: a name need not be text */
    bool tries;     /* places.c: a failure means only that these are no records */
    bool ms_little; /* times are little endian for sure (RDB 9 and later) */
    uint32_t db, key_db;
    uint64_t pending;        /* bytes at r.p of an element handed out without data, still to be read or skipped */
    uint64_t pending_seen;   /* pending when it was handed out: the element is untouched while they are equal */
    struct rdb_piece *piece; /* dragonfly.c: the compressed piece being read */
    const struct rdb_type_info *types[256]; /* what a type byte means in this file; NULL: opcode or unknown */

    /* cold from here on */
    struct rdb_info info;
    struct rdb_error error;
    struct rdb_input input;
    size_t key_limit;
    char int_text[24];  /* decimal text of an integer key */
    char open_text[24]; /* the same of an opened element */
    uint8_t *name;      /* names that cannot be lent from the window */
    size_t name_cap;
    uint8_t *aux_name; /* first string of an aux pair */
    uint8_t *scratch;  /* expanded elements, up to LZF_WHOLE_MAX */
    size_t scratch_cap;
    struct lzf_stream lzf;
    struct rdb_template_slot *templates;
    size_t templates_cap, templates_len;
    unsigned families;        /* family bits whose rows count */
    struct rdb_parser *trial; /* places.c: looks at this one's window */
};

uint64_t rdb_piece_tell(const struct rdb_parser *p); /* dragonfly.c */

/* rdb_fail(p, kind, offset, fmt, ...) notes a failure of the parser, and is false. */
RDB_COLD RDB_PRINTF(4, 5) void rdb_note(struct rdb_parser *p, enum rdb_err kind, uint64_t offset, const char *fmt, ...);
#define rdb_fail(...) (rdb_note(__VA_ARGS__), rdb_false())

/* The input ended (or broke) where `what` was expected. Always false. */
RDB_COLD void rdb_note_short(struct rdb_parser *p, uint64_t offset, const char *what);

static inline bool rdb_fail_short(struct rdb_parser *p, uint64_t offset, const char *what)
{
    rdb_note_short(p, offset, what);
    return false;
}

/* Offset of a byte of the window, for messages and events. Inside a compressed piece: where its blob is being read. */
static inline uint64_t rdb_at(const struct rdb_parser *p, const uint8_t *at)
{
    return RDB_LIKELY(!p->piece) ? reader_offset(&p->r, at) : rdb_piece_tell(p);
}

/* Makes RDB_LOOK bytes readable (zeros behind the end). False when not one is left. */
RDB_COLD bool rdb_look_far(struct rdb_parser *p, const char *what);

static inline bool rdb_look(struct rdb_parser *p, const char *what)
{
    return RDB_LIKELY(reader_avail(&p->r) >= RDB_LOOK) || rdb_look_far(p, what);
}

/* The same before the next element of a batch of n, whose bytes must not move: a batch ends where the window does. */
static inline bool rdb_look_item(struct rdb_parser *p, size_t n, const char *what)
{
    if (RDB_LIKELY(reader_avail(&p->r) >= RDB_LOOK))
        return true;
    return (n == 0 || p->r.eof) && rdb_look_far(p, what);
}

/* Did the unchecked primitives run over the end? */
static inline bool rdb_over(struct rdb_parser *p, const char *what)
{
    return RDB_UNLIKELY(p->r.p > p->r.end) && !rdb_fail_short(p, rdb_at(p, p->r.end), what);
}

RDB_COLD uint64_t rdb_take_len_far(struct rdb_parser *p);

/* LEN at r.p. A string form there is a failure (check p->state before the value is used for more than a count). */
static inline uint64_t rdb_take_len(struct rdb_parser *p)
{
    const uint8_t *s = p->r.p;
    if (RDB_LIKELY(s[0] < 0x40)) {
        p->r.p = s + 1;
        return s[0];
    }
    if (s[0] < 0x80) {
        p->r.p = s + 2;
        return ((uint64_t)(s[0] & 0x3f) << 8) | s[1];
    }
    return rdb_take_len_far(p);
}

static inline uint64_t rdb_take_u64(struct rdb_parser *p)
{
    uint64_t v = load_le64(p->r.p);
    p->r.p += 8;
    return v;
}

static inline double rdb_take_double(struct rdb_parser *p)
{
    double d;
    memcpy(&d, p->r.p, 8);
    p->r.p += 8;
    return d;
}

/* MS, whose byte order is the writer's before RDB 9. */
int64_t rdb_take_ms(struct rdb_parser *p);

/* ---------------------------------------------------------------- strings (string.c) */

enum rdb_take {
    RDB_TAKE_OK,   /* the element is set, r.p behind it */
    RDB_TAKE_STOP, /* it does not fit the window behind n others: r.p where it was, hand out those first */
    RDB_TAKE_BIG,  /* data is NULL, r.p on its first byte, p->pending set: it ends the batch */
    RDB_TAKE_FAIL
};

/* The STR at r.p, whose head is in the window. n: elements already in this batch (their bytes must not move). tail:
 * bytes behind the string that are wanted in the window too (fewer where the input ends). */
RDB_COLD enum rdb_take rdb_take_string_far(struct rdb_parser *p, struct rdb_element *e, size_t n, size_t tail);

static inline enum rdb_take rdb_take_string(struct rdb_parser *p, struct rdb_element *e, size_t n, size_t tail)
{
    const uint8_t *s = p->r.p;
    size_t len = s[0];
    if (RDB_LIKELY(len < 0x40)) {
        s += 1;
    } else if (len < 0x80) {
        len = ((len & 0x3f) << 8) | s[1];
        s += 2;
    } else {
        return rdb_take_string_far(p, e, n, tail);
    }
    if (RDB_UNLIKELY(p->r.end - s < (ptrdiff_t)(len + tail)))
        return rdb_take_string_far(p, e, n, tail);
    e->data = s;
    e->len = len;
    e->form = RDB_F_RAW;
    p->r.p = s + len;
    return RDB_TAKE_OK;
}

/* Passes over the STR at r.p, whose head is in the window. */
RDB_COLD bool rdb_skip_string_far(struct rdb_parser *p);

static inline bool rdb_skip_string(struct rdb_parser *p)
{
    const uint8_t *s = p->r.p;
    size_t len = s[0];
    if (RDB_LIKELY(len < 0x40)) {
        s += 1;
    } else if (len < 0x80) {
        len = ((len & 0x3f) << 8) | s[1];
        s += 2;
    } else {
        return rdb_skip_string_far(p);
    }
    if (RDB_UNLIKELY(p->r.end - s < (ptrdiff_t)len))
        return rdb_skip_string_far(p);
    p->r.p = s + len;
    return true;
}

/* A string of an event, expanded. Copied to buf, at most cap (<= 64 KiB) bytes, when it must live beside another
 * one; else (buf NULL) lent, cut at half a window or LZF_WHOLE_MAX. What does not fit the window is pending. */
bool rdb_take_text(struct rdb_parser *p, struct rdb_bytes *b, uint8_t *buf, size_t cap);

/* The key's name at r.p; RDB_LOOK bytes behind it are in the window afterwards (unless the input ends). */
RDB_COLD bool rdb_take_name_far(struct rdb_parser *p, struct rdb_bytes *name);

/* Reads over what is pending. */
RDB_COLD bool rdb_drop_pending(struct rdb_parser *p);

/* ---------------------------------------------------------------- elements (element.c) */

/* The first bytes of an element for rdb_take_text: copied, or lent. False when its LZF is damaged. */
bool rdb_element_copy(struct rdb_parser *p, const struct rdb_element *e, uint8_t *buf, size_t cap, struct rdb_bytes *b);
bool rdb_element_lend(struct rdb_parser *p, const struct rdb_element *e, struct rdb_bytes *b);

/* ---------------------------------------------------------------- values */

/* Begins the value of a key: reads what stands in front of its first element into k and p->v. */
bool rdb_value_begin(struct rdb_parser *p, struct rdb_key *k);
bool rdb_value_skip(struct rdb_parser *p);

/* The items of MODULE_AUX, as if they were a value. */
void rdb_value_begin_items(struct rdb_parser *p);

size_t rdb_fill_string(struct rdb_parser *p, struct rdb_element *out, size_t cap);
void rdb_stream_begin(struct rdb_parser *p);
size_t rdb_fill_stream(struct rdb_parser *p, struct rdb_element *out, size_t cap);
size_t rdb_fill_module(struct rdb_parser *p, struct rdb_element *out, size_t cap);
size_t rdb_fill_array(struct rdb_parser *p, struct rdb_element *out, size_t cap);
size_t rdb_fill_template(struct rdb_parser *p, struct rdb_element *out, size_t cap);
size_t rdb_fill_cron(struct rdb_parser *p, struct rdb_element *out, size_t cap);

/* Module items up to and with their end mark. */
bool rdb_module_skip(struct rdb_parser *p);

/* Where in value.phase the templates begin, and their table. */
void rdb_template_begin(struct rdb_parser *p, struct rdb_key *k);
bool rdb_template_add(struct rdb_parser *p, uint64_t id, uint64_t fields);
uint64_t rdb_template_fields(const struct rdb_parser *p, uint64_t id); /* 0: unknown */

/* ---------------------------------------------------------------- types (types.c) */

enum { RDB_FAM_REDIS = 1, RDB_FAM_VALKEY = 2, RDB_FAM_DRAGONFLY = 4, RDB_FAM_KEYDB = 8 };

struct rdb_opcode_info {
    uint8_t number, family;
    int16_t since;
    const char *name;
};

/* Fills p->types for p->families and the version. */
void rdb_types_select(struct rdb_parser *p);
extern const struct rdb_type_info rdb_type_vectorset;

/* The opcode's row if this file can have it, else NULL. */
const struct rdb_opcode_info *rdb_opcode_find(const struct rdb_parser *p, uint8_t number);

/* Fails with a text that names the number, the version, and where the number would be legal. */
RDB_COLD bool rdb_fail_type(struct rdb_parser *p, uint8_t number);

enum {
    RDB_OP_UPDATE_OR_TEMPLATE = 242,
    RDB_OP_META_OR_IMPORT = 243,
    RDB_OP_SLOT_INFO = 244,
    RDB_OP_FUNCTION = 245,
    RDB_OP_FUNCTION_PRE_GA = 246,
    RDB_OP_MODULE_AUX = 247,
    RDB_OP_IDLE = 248,
    RDB_OP_FREQ = 249,
    RDB_OP_AUX = 250,
    RDB_OP_RESIZEDB = 251,
    RDB_OP_EXPIRE_MS = 252,
    RDB_OP_EXPIRE = 253,
    RDB_OP_SELECTDB = 254,
    RDB_OP_EOF = 255,
    RDB_OP_RAM_LRU = 107,
    RDB_OP_SLOT_NUM = 121,
    RDB_OP_DF_FULLSYNC_END = 200,
    RDB_OP_DF_ZSTD = 201,
    RDB_OP_DF_LZ4 = 202,
    RDB_OP_DF_PIECE_END = 203,
    RDB_OP_DF_JOURNAL = 210,
    RDB_OP_DF_JOURNAL_OFFSET = 211,
    RDB_OP_DF_MASK = 220
};

/* ---------------------------------------------------------------- Dragonfly (dragonfly.c) */

bool rdb_piece_push(struct rdb_parser *p, uint8_t opcode);
bool rdb_piece_pop(struct rdb_parser *p);
void rdb_piece_free(struct rdb_parser *p);

/* ---------------------------------------------------------------- numbers (number.c) */

extern const uint64_t rdb_powers[20];

/* Length of the decimal text of v, sign included. */
static inline unsigned rdb_ll_digits(int64_t v)
{
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    unsigned bits = 64 - (unsigned)__builtin_clzll(u | 1);
    unsigned guess = (bits * 1233) >> 12; /* log10(2) = 0.30103 = 1233 / 4096; at most one too low */
    return guess + (u >= rdb_powers[guess] || u == 0) + (v < 0);
}

bool rdb_text2double(const uint8_t *s, size_t len, double *d);

/* ---------------------------------------------------------------- packed containers */

/* Notes what is wrong at the cursor. */
RDB_COLD void pack_note(struct rdb_pack *k, const char *what);

static inline bool pack_damage(struct rdb_pack *k, const char *what)
{
    pack_note(k, what);
    return false;
}

static inline int pack_bad(struct rdb_pack *k, const char *what)
{
    pack_note(k, what);
    return -1;
}

/* Bytes readable at c.p: at least n, fewer only where the blob ends. n is small. */
static inline size_t pack_have(struct rdb_pack *k, size_t n)
{
    size_t have = (size_t)(k->c.end - k->c.p);
    if (RDB_LIKELY(have >= n) || k->c.left == 0)
        return have;
    if (n > have + k->c.left)
        n = have + (size_t)k->c.left;
    (void)rdb_cursor_need(&k->c, n);
    return (size_t)(k->c.end - k->c.p);
}

/* Makes n bytes contiguous, if that can be. */
static inline bool pack_reach(struct rdb_pack *k, uint64_t n)
{
    return (uint64_t)(k->c.end - k->c.p) >= n ||
           (n <= RDB_CURSOR_NEED_MAX && k->c.left > 0 && rdb_cursor_need(&k->c, (size_t)n));
}

/* Are n bytes left at all? */
static inline bool pack_holds(const struct rdb_pack *k, uint64_t n)
{
    uint64_t have = (uint64_t)(k->c.end - k->c.p) + k->c.left;
    return n <= have;
}

/* The terminator at c.p is passed: is all as the header said? 0 or -1. */
int pack_end(struct rdb_pack *k);

bool listpack_open(struct rdb_pack *k);
int listpack_next(struct rdb_pack *k, struct rdb_entry *e);
void listpack_sum(struct rdb_pack *k, struct rdb_pack_sum *sum);
bool ziplist_open(struct rdb_pack *k);
int ziplist_next(struct rdb_pack *k, struct rdb_entry *e);
void ziplist_sum(struct rdb_pack *k, struct rdb_pack_sum *sum);
bool intset_open(struct rdb_pack *k);
int intset_next(struct rdb_pack *k, struct rdb_entry *e);
void intset_sum(struct rdb_pack *k, struct rdb_pack_sum *sum);
bool zipmap_open(struct rdb_pack *k);
int zipmap_next(struct rdb_pack *k, struct rdb_entry *e);

#endif
