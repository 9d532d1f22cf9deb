/*
 * rdb.h - read a Redis or Valkey dump (RDB) as a stream.
 *
 * The life of a parse
 * -------------------
 *
 *     rdb_parser *p = rdb_open("dump.rdb", NULL);        // or "-", or a pipe, or .gz/.zst/...
 *     struct rdb_event ev;
 *     while (rdb_next(p, &ev) > 0) {
 *         if (ev.kind != RDB_EV_KEY) continue;
 *         struct rdb_element el[64];
 *         bool more = true;
 *         while (more) {
 *             size_t n = rdb_elements(p, el, 64, &more);  // optional: what is not asked for is skipped
 *             ...
 *         }
 *     }
 *     if (rdb_error(p)->kind != RDB_OK) ...
 *     rdb_close(p);
 *
 * It is a pull parser over a sliding window: one pass, no seek, no value is ever held whole, and memory does not
 * depend on the input. The caller asks for the next record, then, if it wants, for the record's elements in batches.
 * Whatever it does not ask for is skipped without being decoded.
 *
 * Lending. Every pointer handed out points into the parser's window or its scratch buffers. Names and texts of an event
 * are valid until the next call of rdb_next or rdb_elements; elements of a batch until the next call of rdb_next or
 * rdb_elements; what a cursor shows until its next more() and until another element is opened. Copy what must live.
 *
 * What is set. Structures handed out have only those fields set that their kind, layout, role or form defines (the
 * comments say which); the others hold whatever stood there before. Nothing is cleared on the hot path.
 *
 * Units. Lengths and offsets are bytes; offsets count from the first byte of the RDB magic in the unwrapped
 * (decompressed) stream. Times are milliseconds since 1970 unless the name says seconds.
 *
 * Errors. After any failure the parser stays failed; rdb_error() says kind, offset, what was expected and the last
 * key that had been begun. Nothing here prints or exits. Memory is bounded (2 to 3 MiB; more while a key name, or an
 * element that is held, is longer) and never taken by a length that stands in the file.
 */
#ifndef RDBMEM_RDB_H
#define RDBMEM_RDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is seen from outside: the build hides all other symbols. */
#if defined(__GNUC__)
#define RDB_API __attribute__((visibility("default")))
#else
#define RDB_API
#endif

typedef struct rdb_parser rdb_parser;

/* ---------------------------------------------------------------- errors */

/* Numbered with gaps; values are stable. */
enum rdb_err {
    RDB_OK = 0,
    RDB_ERR_IO = 10, /* read or open failed; .sys holds errno */
    RDB_ERR_NOMEM = 11,
    RDB_ERR_TRUNCATED = 20, /* the input ends inside a record */
    RDB_ERR_MAGIC = 21,     /* not an RDB file */
    RDB_ERR_CORRUPT = 22,   /* a byte that no server writes */
    RDB_ERR_TYPE = 23,      /* value type or opcode that this family and version cannot have, or that is unknown */
    RDB_ERR_CHECKSUM = 24,  /* CRC64 differs; everything was read */
    RDB_ERR_WRAPPER = 25,   /* gzip, zstd, lz4 or VKCS layer damaged or unsupported */
    RDB_ERR_LIMIT = 26      /* a limit of struct rdb_options was hit */
};

struct rdb_error {
    enum rdb_err kind;
    int sys;            /* errno for RDB_ERR_IO, else 0 */
    uint64_t offset;    /* where the offending item begins */
    char expected[192]; /* what was expected and found: lower case, no full stop */
    bool has_key;       /* last key that was begun */
    uint32_t db;
    size_t key_len; /* bytes in key[] (names are cut at sizeof key) */
    uint8_t key[128];
};

/* Short English name of an error kind, e.g. "truncated". Never NULL. */
RDB_API const char *rdb_err_name(enum rdb_err kind);

/* ---------------------------------------------------------------- opening */

struct rdb_options {
    size_t window;    /* bytes of window, 0 = default (256 KiB). Elements up to half of it are lent whole */
    size_t key_limit; /* longest key name lent whole, 0 = default (8 MiB); longer ones are cut to it, and marked */
    size_t read_size; /* most bytes for one read, 0 = as many as fit; tests use 1, 7, ...: chunking does not matter */
    bool no_crc;      /* do not compute CRC64 */
    bool no_thread;   /* unpack compressed files on the caller's thread too */
};

/* Reads up to n bytes into buf; returns bytes read, 0 at the end, -1 with errno set. */
typedef ptrdiff_t (*rdb_read_fn)(void *ctx, void *buf, size_t n);

/* Opens a path; "-" is standard input. gzip (also concatenated), zstd, lz4 frames and VKCS are recognised by magic and
 * unwrapped, so are replication prefixes ($<len>\r\n, $EOF:<40 bytes>\r\n, leading newlines). options may be NULL.
 * Never returns NULL but when memory is out: a file that cannot be opened gives a parser in the failed state. */
RDB_API rdb_parser *rdb_open(const char *path, const struct rdb_options *options);
RDB_API rdb_parser *rdb_open_fd(int fd, const struct rdb_options *options); /* fd stays the caller's */
RDB_API rdb_parser *rdb_open_reader(rdb_read_fn read, void *ctx, const struct rdb_options *options);
RDB_API void rdb_close(rdb_parser *p);

enum rdb_family { RDB_FAMILY_REDIS = 0, RDB_FAMILY_VALKEY = 1 };

/* What wrapped the RDB, as bits: layers can be combined. */
enum {
    RDB_WRAP_GZIP = 1,
    RDB_WRAP_ZSTD = 2,
    RDB_WRAP_LZ4 = 4,
    RDB_WRAP_VKCS = 8 /* and LZ4 */,
    RDB_WRAP_REPL_LEN = 16,
    RDB_WRAP_REPL_EOF = 32
};

enum rdb_crc {
    RDB_CRC_UNKNOWN, /* the end was not reached */
    RDB_CRC_ABSENT,  /* version < 5 */
    RDB_CRC_OFF,     /* zero: saved with rdbchecksum no */
    RDB_CRC_OK,
    RDB_CRC_BAD,
    RDB_CRC_SKIPPED /* options.no_crc */
};

struct rdb_info {
    enum rdb_family family; /* by magic */
    int version;            /* RDB version number of the header */
    bool newer;             /* version above the newest known one */
    unsigned wraps;         /* RDB_WRAP_* */
    enum rdb_crc crc;       /* final after RDB_EV_EOF */
    uint64_t crc_stored, crc_computed;
    uint64_t offset;      /* bytes of RDB consumed so far */
    uint64_t file_size;   /* size of the (wrapped) file, 0 if unknown (pipe) */
    uint64_t file_offset; /* bytes of the wrapped file consumed so far (for progress) */
    uint64_t trailing; /* after RDB_EV_EOF: bytes behind the checksum (AOF tail, replication mark), see rdb_drain() */
};

/* Valid from open on (header read by then, unless failed). */
RDB_API const struct rdb_info *rdb_info(const rdb_parser *p);
RDB_API const struct rdb_error *rdb_error(const rdb_parser *p);
static inline bool rdb_failed(const rdb_parser *p)
{
    return rdb_error(p)->kind != RDB_OK;
}

/* After RDB_EV_EOF: reads what is left of the input to count it (info->trailing). Returns that number. */
RDB_API uint64_t rdb_drain(rdb_parser *p);

/* ---------------------------------------------------------------- types */

/* What a user calls the type of a value. */
enum rdb_type {
    RDB_T_STRING,
    RDB_T_LIST,
    RDB_T_SET,
    RDB_T_ZSET,
    RDB_T_HASH,
    RDB_T_STREAM,
    RDB_T_MODULE,
    RDB_T_VECTORSET,
    RDB_T_ARRAY,
    RDB_T_GCRA,
    RDB_T_CRON /* KeyDB */,
    RDB_T_JSON /* Dragonfly */,
    RDB_T_COUNT
};

/* Packed containers. */
enum rdb_pack_kind { RDB_PACK_NONE, RDB_PACK_ZIPMAP, RDB_PACK_ZIPLIST, RDB_PACK_INTSET, RDB_PACK_LISTPACK };

/* How the elements of a value come. */
enum rdb_layout {
    RDB_L_STRING,      /* one RDB_R_STRING */
    RDB_L_ITEMS,       /* count x RDB_R_ITEM                              (1, 2) */
    RDB_L_ZSET_TEXT,   /* count x (RDB_R_MEMBER, RDB_R_SCORE)             (3) */
    RDB_L_ZSET_BINARY, /*                                                 (5) */
    RDB_L_HASH,        /* count x (RDB_R_FIELD, RDB_R_VALUE)              (4) */
    /* The same; VALUE.u.expire_ms, 0 = none (22, 24 Redis; 22 Valkey). In Valkey's the expiry stands behind the value:
     * when the value's data is NULL it is INT64_MIN, and a RDB_R_NUMBER with the expiry follows as its own element. */
    RDB_L_HASH_TTL,
    RDB_L_BLOB,       /* one RDB_R_BLOB of info->pack                    (9-13, 16, 17, 20) */
    RDB_L_BLOB_TTL,   /* one RDB_R_BLOB: listpack of (field, value, expiry ms or 0)  (23, 25 Redis) */
    RDB_L_QUICKLIST,  /* count x RDB_R_BLOB ziplist                      (14) */
    RDB_L_QUICKLIST2, /* count x RDB_R_BLOB listpack or RDB_R_PLAIN      (18) */
    RDB_L_STREAM,     /* see enum rdb_role                               (15, 19, 21, 26, 27) */
    RDB_L_MODULE,     /* module items                                    (7) */
    RDB_L_ARRAY,      /* count x RDB_R_ARRAY_*                           (28) */
    RDB_L_GCRA,       /* one RDB_R_NUMBER */
    /* Hash templates. 29 and 31 have their names first: RDB_R_FIELD each, or one FIELD with pack RDB_PACK_LISTPACK. */
    RDB_L_TEMPLATE_PACK,  /* RDB_R_BLOB listpack: template id, values        (30; 29) */
    RDB_L_TEMPLATE_ARRAY, /* count x RDB_R_VALUE                             (32; 31) */
    RDB_L_CRON,           /* RDB_R_ITEM script, RDB_R_NUMBER start, interval, RDB_R_ITEM... */
    RDB_L_COUNT
};

/* One row of the type table (types.c): the only place that knows what a number means in which file. */
struct rdb_type_info {
    uint8_t number;       /* the byte in the file */
    uint8_t family;       /* bit 0 Redis, bit 1 Valkey, bit 2 Dragonfly, bit 3 KeyDB */
    int16_t since, until; /* RDB versions that can hold it, inclusive; until 0 = no end */
    enum rdb_type type;
    enum rdb_layout layout;
    enum rdb_pack_kind pack; /* for BLOB layouts */
    const char *name;        /* e.g. "hash-listpack" */
};

RDB_API const char *rdb_type_name(enum rdb_type t); /* TYPE's word: string list set zset hash stream ... */

/* ---------------------------------------------------------------- records */

enum rdb_event_kind {
    RDB_EV_ERROR = -1, /* see rdb_error() */
    RDB_EV_EOF = 0,    /* opcode 255 read, checksum judged (a bad one: info->crc, rdb_error() is RDB_ERR_CHECKSUM) */
    RDB_EV_KEY = 1,    /* ev.key */
    RDB_EV_AUX,        /* ev.name, ev.value */
    RDB_EV_SELECTDB,   /* ev.num[0] = db */
    RDB_EV_RESIZEDB,   /* ev.num[0] = keys, [1] = keys with expiry */
    RDB_EV_SLOT_INFO,  /* Redis 7.4+: ev.num = slot, keys, expires */
    RDB_EV_FUNCTION,   /* ev.value = library source (cut at half the window; ev.value.full_len is its length) */
    RDB_EV_FUNCTION_PRE_GA, /* opcode 246: ev.name, ev.value */
    RDB_EV_MODULE_AUX,    /* ev.num[0] = module id, [1] = when (1 before, 2 after the keys); its items: rdb_elements */
    RDB_EV_HASH_TEMPLATE, /* ev.num[0] = id, [1] = number of fields, [2] = sum of field name lengths */
    RDB_EV_SLOT_IMPORT,   /* Valkey 9: ev.name = job, num[0] = ranges */
    RDB_EV_UPDATE,        /* Valkey 81: a command inside the dump; num[0] = arguments */
    RDB_EV_OTHER          /* a known opcode without meaning for memory; num[0] = opcode */
};

struct rdb_bytes {
    const uint8_t *data;
    size_t len;        /* bytes at data */
    uint64_t full_len; /* > len when it was cut */
};

/* From its first byte on, so many bytes of a key's name can be read, however short it is. */
enum { RDB_NAME_PAD = 32 };

/* count: elements, pairs or nodes; 1 for strings and single blobs; 0 for modules, and for 29 and 31 when their names
 * come in a listpack. */
struct rdb_key {
    uint32_t db;
    struct rdb_bytes name;            /* decimal text when the file holds an integer; see RDB_NAME_PAD */
    const struct rdb_type_info *info; /* a row of types.c; a vector set (type 7 by module id) has a row of its own */
    int64_t expire_ms;                /* -1 = none */
    int64_t idle_s;                   /* -1 = none */
    int16_t freq;                     /* LFU counter 0..255, -1 = none */
    uint8_t meta_classes;             /* KEY_META classes in front of this key (Redis 8.6+) */
    uint64_t count;                   /* the count in the file, see below */
    int64_t ttl_min_ms;               /* types 24, 25: the minimum in front of the value; else 0 */
    uint64_t module_id;               /* type 7: id, see rdb_module_name; else 0 */
    uint64_t template_id;             /* type 32; else 0 (type 30: first entry of the blob) */
    uint64_t array_insert;            /* type 28: insert index; UINT64_MAX = none */
    uint64_t offset;                  /* of the record's first byte (expiry opcode if there is one) */
};

struct rdb_event {
    enum rdb_event_kind kind;
    uint64_t offset;
    struct rdb_key key;
    struct rdb_bytes name, value;
    uint64_t num[4];
};

/* The next record; skips what is left of the one before. Returns ev->kind: > 0 a record, 0 end, -1 error. */
RDB_API int rdb_next(rdb_parser *p, struct rdb_event *ev);

/* Offset of the next unread byte: after the last element of a key, the record's end. Skips nothing. */
RDB_API uint64_t rdb_tell(const rdb_parser *p);

/* ---------------------------------------------------------------- elements */

enum rdb_role {
    RDB_R_STRING,
    RDB_R_ITEM,
    RDB_R_FIELD,
    RDB_R_VALUE,
    RDB_R_MEMBER,
    RDB_R_SCORE,  /* form NUM; u.score */
    RDB_R_BLOB,   /* packed container: pack says which; open it with rdb_element_open */
    RDB_R_PLAIN,  /* a quicklist node that is one element */
    RDB_R_NUMBER, /* form NUM; num */
    /* streams, in file order */
    RDB_R_STREAM_NODE_ID, /* 16 raw bytes (form RAW): ms, seq, big endian */
    RDB_R_STREAM_NODE,    /* listpack blob */
    RDB_R_STREAM_META, /* NUM, 3 or 8 of them: length, last ms, last seq [first ms, seq, max deleted ms, seq, added] */
    RDB_R_GROUP,       /* group name */
    RDB_R_GROUP_META,  /* NUM: last ms, last seq [entries read]  */
    RDB_R_GROUP_PEL,   /* 16 raw bytes id; num = delivery count, u.time_ms = delivery time */
    RDB_R_CONSUMER,    /* consumer name */
    RDB_R_CONSUMER_META, /* NUM: seen ms [active ms] */
    RDB_R_CONSUMER_PEL,  /* 16 raw bytes id */
    RDB_R_NACKED,        /* 16 raw bytes id (type 27) */
    RDB_R_IDMP_META,     /* NUM: duration, max entries (before the producers), iids added, duplicates (after) */
    RDB_R_PRODUCER,      /* producer id */
    RDB_R_IID,           /* idempotency id; u.time_ms = ms, num = seq unless form is INT (both 0 when data is NULL) */
    /* modules */
    RDB_R_MODULE_SINT,
    RDB_R_MODULE_UINT, /* NUM; num */
    RDB_R_MODULE_FLOAT,
    RDB_R_MODULE_DOUBLE, /* NUM; u.score */
    RDB_R_MODULE_STRING,
    /* arrays; u.index = index */
    RDB_R_ARRAY_STR,
    RDB_R_ARRAY_INT /* num */,
    RDB_R_ARRAY_FLOAT /* num = bits */,
    RDB_R_ARRAY_SMALL,
    RDB_R_COUNT
};

enum rdb_form {
    RDB_F_RAW, /* data: the bytes, or NULL if they do not fit the window */
    RDB_F_INT, /* integer form: num; len = length of its decimal text; data NULL */
    RDB_F_LZF, /* data: compressed bytes (clen of them) or NULL if they do not fit; len = expanded length */
    RDB_F_NUM  /* not a string at all: num or u */
};

struct rdb_element {
    const uint8_t *data;
    uint64_t len; /* logical length in bytes; 0 for form NUM */
    int64_t num;  /* form INT, and roles that say so */
    union {
        double score;
        int64_t expire_ms;
        int64_t time_ms;
        uint64_t index;
    } u;
    uint64_t clen; /* LZF: compressed length in the file */
    uint8_t role;  /* enum rdb_role */
    uint8_t form;  /* enum rdb_form */
    uint8_t pack;  /* enum rdb_pack_kind of BLOB, STREAM_NODE and a FIELD that holds all names; else NONE */
};

/* Fills out[0..cap-1] with the next elements of the current key; returns how many. *more is false when the value is
 * complete. An element of form RAW or LZF whose bytes do not fit half the window has data NULL and is the last of its
 * batch: its bytes can be walked, once, with rdb_element_open before the next call, which otherwise skips them. With
 * cap 0 it does only that, also for what was not lent of an event's value: until then its length is only a claim.
 * After an error *more is false, and the elements before it are still handed out: check rdb_failed(). */
RDB_API size_t rdb_elements(rdb_parser *p, struct rdb_element *out, size_t cap, bool *more);

/* ---------------------------------------------------------------- bytes of an element */

/*
 * A cursor is a window over the bytes of one element: [p, end) can be read at once, more() brings further bytes.
 * The same walkers so serve a blob that lies whole in memory, one that is longer than the window, and one that is LZF.
 */
struct rdb_cursor {
    const uint8_t *p, *end;
    uint64_t left;                                   /* bytes of the element not yet in [.., end) */
    bool (*more)(struct rdb_cursor *c, size_t need); /* makes end - p >= need; false: element ends, or damaged */
    void *ctx;
    uint64_t base; /* offset in the element of the byte at `start` */
    const uint8_t *start;
    const char *damage; /* set when more() failed for damage (LZF), else NULL */
};

/* n must not exceed 64 KiB. */
static inline bool rdb_cursor_need(struct rdb_cursor *c, size_t n)
{
    return (size_t)(c->end - c->p) >= n || (c->more && c->more(c, n));
}
RDB_API bool rdb_cursor_skip(struct rdb_cursor *c, uint64_t n); /* false when the element ends before */
static inline uint64_t rdb_cursor_tell(const struct rdb_cursor *c)
{
    return c->base + (uint64_t)(c->p - c->start);
}

/* A cursor over memory, for tests and for nested containers. */
RDB_API void rdb_cursor_memory(struct rdb_cursor *c, const void *data, size_t len);

/* A cursor over an element of the last batch (forms RAW and LZF; INT gives its decimal text). LZF is expanded here:
 * whole into a scratch buffer up to 1 MiB, beyond that piece by piece. False (and damage set) when it cannot be. Ends
 * the cursor over any other LZF or INT element. Damage does not fail the parser, as it knows where the element ends;
 * an input that ends inside does. */
RDB_API bool rdb_element_open(rdb_parser *p, const struct rdb_element *e, struct rdb_cursor *c);

/* Brings an element of the last batch into the window whole, whatever its length up to RDB_HOLD_MAX, so that it can be
 * opened more than once: a cursor over bytes that are not all there uses them up. What was lent of the batch before it
 * is gone. False when it is longer, or was opened before, or the input ends (then rdb_failed()). */
enum { RDB_HOLD_MAX = 64 * 1024 * 1024 };
RDB_API bool rdb_element_hold(rdb_parser *p, const struct rdb_element *e);

/* The first bytes of an element, at most cap (<= 64 KiB): copies into buf, returns how many, SIZE_MAX when damaged.
 * For LZF only as much is expanded as asked for. An element that is not in the window stays openable, and must not
 * have been opened. */
RDB_API size_t rdb_element_head(rdb_parser *p, const struct rdb_element *e, void *buf, size_t cap);

/* ---------------------------------------------------------------- packed containers */

struct rdb_entry {
    /* String bytes; NULL for integers, and for strings longer than a cursor can show (64 KiB) unless they happen to lie
     * in memory. */
    const uint8_t *data;
    uint64_t len; /* length of the string, or of the integer's decimal text */
    int64_t num;  /* integers only */
    bool is_int;
};

struct rdb_pack {
    struct rdb_cursor c;
    enum rdb_pack_kind kind;
    uint64_t bytes; /* length of the whole blob */
    uint64_t count; /* entries by the header (zipmap: 2 x pairs); UINT64_MAX when the header does not say */
    uint64_t seen;  /* entries handed out so far */
    uint32_t width; /* intset: 2, 4, 8; ziplist: offset of the last entry by the header */
    uint64_t last;  /* ziplist: where the last entry began; intset: the last value; listpack: size of a pending entry */
    uint64_t pending;   /* bytes of the entry handed out last that are still to be skipped */
    const char *damage; /* what is wrong, NULL if nothing */
    uint64_t damage_at; /* offset in the blob */
};

/* Reads and checks the header. False when it lies (damage says how). c is copied. total is the blob's length. */
RDB_API bool rdb_pack_open(struct rdb_pack *k, enum rdb_pack_kind kind, const struct rdb_cursor *c, uint64_t total);

/* 1: *e is the next entry; 0: clean end, everything checked; -1: damaged. Bytes are lent until the next call. */
RDB_API int rdb_pack_next(struct rdb_pack *k, struct rdb_entry *e);

/* Walks to the end: entries, longest entry, sum of lengths (of integers: of their decimal texts). 0 or -1. Faster than
 * rdb_pack_next, with the same verdict. Only on a freshly opened pack. */
struct rdb_pack_sum {
    uint64_t entries, longest, payload;
};
RDB_API int rdb_pack_sum(struct rdb_pack *k, struct rdb_pack_sum *sum);

/* The live and deleted entries of a stream node's listpack by its two head counts, the only bytes that are read: the
 * cursor may be over its first 32 bytes alone (rdb_element_head), total is the length of all. False when damaged. */
RDB_API bool rdb_stream_node_counts(const struct rdb_cursor *c, uint64_t total, uint64_t *live, uint64_t *deleted);

/* Walks a stream node fully (entries, flags, deltas, lp-counts). payload and longest are over field names and values,
 * the master's and those of deleted entries included. 0 or -1 with *damage. */
struct rdb_stream_sum {
    uint64_t live, deleted, payload, longest;
};
RDB_API int rdb_stream_node_sum(const struct rdb_cursor *c, uint64_t total, struct rdb_stream_sum *sum,
                                const char **damage);

/* ---------------------------------------------------------------- modules */

/* Nine characters and the terminator; returns the encoding version (encver). */
RDB_API int rdb_module_name(uint64_t id, char name[10]);

/* ---------------------------------------------------------------- helpers that callers need too */

RDB_API uint64_t rdb_crc64(uint64_t crc, const void *data, size_t len); /* Jones, as servers compute it; start with 0 */
RDB_API int rdb_ll2text(int64_t v, char out[21]); /* decimal text, no terminator; returns its length */
RDB_API bool rdb_text2ll(const uint8_t *s, size_t len, int64_t *v); /* only canonical 64-bit integers (string2ll) */

#ifdef __cplusplus
}
#endif
#endif
