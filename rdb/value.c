/*
 * value.c - values whose elements are strings, pairs or packed blobs; and the way to all others.
 *
 *     type   payload                                  elements
 *     0      STR                                      STRING
 *     1 2    LEN n, n x STR                           ITEM ...
 *     3      LEN n, n x (STR, text double)            MEMBER SCORE ...
 *     5      LEN n, n x (STR, f64)                    MEMBER SCORE ...
 *     4      LEN n, n x (STR, STR)                    FIELD VALUE ...
 *     22 R   LEN n, n x (LEN ttl, STR, STR)           FIELD VALUE ...      ttl: absolute ms, 0 = none
 *     24     MS min, LEN n, n x (LEN ttl, STR, STR)   FIELD VALUE ...      ttl: ms - min + 1, 0 = none
 *     22 V   LEN n, n x (STR, STR, MS)                FIELD VALUE ...      -1 = none
 *     9-13 16 17 20 23   STR                          BLOB
 *     25     MS min, STR                              BLOB
 *     14     LEN n, n x STR                           BLOB ...
 *     18     LEN n, n x (LEN container, STR)          PLAIN (1) or BLOB (2) ...
 *
 * rdb.c rdbLoadObject. In a pair, `phase` says which half comes next and `left` counts pairs.
 */
#include "rdb/internal.h"

enum {
    TTL_MAX_BITS = 48,           /* ebuckets.h EB_EXPIRE_TIME_MAX: the loader refuses more */
    DRAGONFLY_EPOCH = 1675209600 /* common.h kMemberExpiryBase: its member expiries count seconds from 2023-02-01 */
};

/* How a batch goes on after one element. */
#define ELEMENT_TAKE(call)                                                                                             \
    enum rdb_take how = (call);                                                                                        \
    if (RDB_UNLIKELY(how != RDB_TAKE_OK)) {                                                                            \
        if (how == RDB_TAKE_STOP) {                                                                                    \
            p->r.p = at;                                                                                               \
            break;                                                                                                     \
        }                                                                                                              \
        if (how == RDB_TAKE_FAIL)                                                                                      \
            break;                                                                                                     \
    }

/* ---------------------------------------------------------------- strings in a row */

size_t rdb_fill_string(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    (void)cap;
    if (!rdb_look(p, "a string"))
        return 0;
    out->role = RDB_R_STRING;
    out->pack = RDB_PACK_NONE;
    if (rdb_take_string(p, out, 0, 0) == RDB_TAKE_FAIL)
        return 0;
    p->v.open = false;
    return 1;
}

static size_t fill_items(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    size_t n = 0;
    uint64_t left = p->v.left;
    while (n < cap && left > 0) {
        if (!rdb_look_item(p, n, "an element"))
            break;
        const uint8_t *at = p->r.p;
        struct rdb_element *e = &out[n];
        e->role = RDB_R_ITEM;
        e->pack = RDB_PACK_NONE;
        ELEMENT_TAKE(rdb_take_string(p, e, n, 0))
        n++;
        left--;
        if (RDB_UNLIKELY(how == RDB_TAKE_BIG))
            break;
    }
    p->v.left = left;
    p->v.open = left > 0;
    return n;
}

static size_t fill_hash(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    size_t n = 0;
    uint64_t left = p->v.left;
    unsigned phase = p->v.phase;
    while (n < cap && left > 0) {
        if (!rdb_look_item(p, n, "a field or value"))
            break;
        const uint8_t *at = p->r.p;
        struct rdb_element *e = &out[n];
        e->role = (uint8_t)(RDB_R_FIELD + phase);
        e->pack = RDB_PACK_NONE;
        ELEMENT_TAKE(rdb_take_string(p, e, n, 0))
        n++;
        left -= phase;
        phase ^= 1;
        if (RDB_UNLIKELY(how == RDB_TAKE_BIG))
            break;
    }
    p->v.left = left;
    p->v.phase = (uint8_t)phase;
    p->v.open = left > 0;
    return n;
}

/* ---------------------------------------------------------------- sorted sets */

static void set_score(struct rdb_element *e, double score)
{
    e->role = RDB_R_SCORE;
    e->form = RDB_F_NUM;
    e->pack = RDB_PACK_NONE;
    e->data = NULL;
    e->len = 0;
    e->u.score = score;
}

/* u8 n, n bytes of text; 253 NaN, 254 infinity, 255 minus infinity: rdb.c rdbLoadDoubleValue. The text may be longer
 * than the look. */
static bool take_text_score(struct rdb_parser *p, size_t n, struct rdb_element *e)
{
    size_t len = p->r.p[0];
    double score;
    if (len >= 253) {
        p->r.p++;
        set_score(e, len == 253 ? __builtin_nan("") : len == 254 ? __builtin_inf() : -__builtin_inf());
        return !rdb_over(p, "a score");
    }
    if (reader_avail(&p->r) < (ptrdiff_t)(1 + len)) {
        if (n > 0 && !p->r.eof)
            return false;
        if (!reader_fill(&p->r, 1 + len))
            return rdb_fail_short(p, rdb_at(p, p->r.p), "a score");
    }
    if (!rdb_text2double(p->r.p + 1, len, &score))
        return rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, p->r.p), "expected the text of a score, found none in %u bytes",
                        (unsigned)len);
    p->r.p += 1 + len;
    set_score(e, score);
    return true;
}

static size_t fill_zset_text(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    size_t n = 0;
    while (n < cap && p->v.left > 0) {
        if (!rdb_look_item(p, n, "a member or score"))
            break;
        const uint8_t *at = p->r.p;
        struct rdb_element *e = &out[n];
        if (p->v.phase) {
            if (!take_text_score(p, n, e))
                break;
            n++;
            p->v.left--;
            p->v.phase = 0;
            continue;
        }
        e->role = RDB_R_MEMBER;
        e->pack = RDB_PACK_NONE;
        ELEMENT_TAKE(rdb_take_string(p, e, n, 0))
        n++;
        p->v.phase = 1;
        if (how == RDB_TAKE_BIG)
            break;
    }
    p->v.open = p->v.left > 0;
    return n;
}

static size_t fill_zset_binary(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    size_t n = 0;
    uint64_t left = p->v.left;
    unsigned phase = p->v.phase;
    while (n < cap && left > 0) {
        if (!rdb_look_item(p, n, "a member or score"))
            break;
        const uint8_t *at = p->r.p;
        struct rdb_element *e = &out[n];
        if (phase) {
            set_score(e, rdb_take_double(p));
            if (rdb_over(p, "a score"))
                break;
            n++;
            left--;
            phase = 0;
            continue;
        }
        e->role = RDB_R_MEMBER;
        e->pack = RDB_PACK_NONE;
        ELEMENT_TAKE(rdb_take_string(p, e, n, 0))
        n++;
        phase = 1;
        if (RDB_UNLIKELY(how == RDB_TAKE_BIG))
            break;
    }
    p->v.left = left;
    p->v.phase = (uint8_t)phase;
    p->v.open = left > 0;
    return n;
}

/* ---------------------------------------------------------------- fields that expire */

/* The LEN in front of a field: 0, or absolute ms (22), or ms - min + 1 (24: rdb.c rdbSaveObject). */
static bool take_field_ttl(struct rdb_parser *p)
{
    const uint8_t *at = p->r.p;
    uint64_t ttl = rdb_take_len(p);
    if (p->state == RDB_S_FAILED)
        return false;
    if (ttl && p->v.info->number == 24)
        ttl += (uint64_t)p->v.ttl_min - 1;
    if (ttl >> TTL_MAX_BITS)
        return rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, at), "expected a field expiry below 2^48 ms, found %llu",
                        (unsigned long long)ttl);
    p->v.ttl = (int64_t)ttl;
    return true;
}

static size_t fill_hash_ttl(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    size_t n = 0;
    while (n < cap && p->v.left > 0) {
        if (!rdb_look_item(p, n, "a field or value"))
            break;
        const uint8_t *at = p->r.p;
        struct rdb_element *e = &out[n];
        if (p->v.phase == 0 && !take_field_ttl(p))
            break;
        e->role = (uint8_t)(RDB_R_FIELD + p->v.phase);
        e->pack = RDB_PACK_NONE;
        ELEMENT_TAKE(rdb_take_string(p, e, n, 0))
        n++;
        e->u.expire_ms = p->v.ttl;
        p->v.left -= p->v.phase;
        p->v.phase ^= 1;
        if (how == RDB_TAKE_BIG)
            break;
    }
    p->v.open = p->v.left > 0;
    return n;
}

/* ---- expiry behind the value: Valkey's hash (MS), Dragonfly's hash and set (decimal STR of seconds since its
 * own epoch, -1 = none: rdb_save.cc SaveHSetObject) */

enum { BEHIND_FIELD, BEHIND_VALUE, BEHIND_EXPIRY };

/* The expiry at r.p, as ms, 0 = none. */
static bool take_expiry_behind(struct rdb_parser *p, size_t n, int64_t *ms)
{
    if (!p->v.text_ttl) {
        int64_t v = (int64_t)rdb_take_u64(p);
        *ms = v == -1 ? 0 : v;
        return !rdb_over(p, "a field's expiry");
    }
    struct rdb_element e = {0};
    if (!rdb_look_item(p, n, "an expiry"))
        return false;
    uint64_t at = rdb_at(p, p->r.p);
    enum rdb_take how = rdb_take_string(p, &e, n, 0);
    int64_t v = e.num;
    if (how == RDB_TAKE_FAIL)
        return false;
    if (how != RDB_TAKE_OK || e.form == RDB_F_LZF || (e.form == RDB_F_RAW && !rdb_text2ll(e.data, (size_t)e.len, &v)))
        return rdb_fail(p, RDB_ERR_CORRUPT, at, "expected the decimal text of an expiry");
    *ms = v < 0 || v > UINT32_MAX ? 0 : (v + DRAGONFLY_EPOCH) * 1000;
    return true;
}

/* The value was handed out without its bytes and without its expiry: that comes now, on its own. */
static bool take_late_expiry(struct rdb_parser *p, size_t n, struct rdb_element *e)
{
    int64_t ms = 0;
    if (!take_expiry_behind(p, n, &ms))
        return false;
    *e = (struct rdb_element){.num = ms, .role = RDB_R_NUMBER, .form = RDB_F_NUM};
    e->u.expire_ms = ms;
    return true;
}

static size_t fill_behind(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    size_t n = 0;
    bool set = p->v.info->type == RDB_T_SET;
    while (n < cap && p->v.left > 0) {
        if (!rdb_look_item(p, n, "a field or value"))
            break;
        const uint8_t *at = p->r.p;
        struct rdb_element *e = &out[n];
        if (p->v.phase == BEHIND_EXPIRY) {
            if (!take_late_expiry(p, n, e))
                break;
            n++;
            p->v.left--;
            p->v.phase = set ? BEHIND_VALUE : BEHIND_FIELD;
            continue;
        }
        e->role = set ? RDB_R_ITEM : (uint8_t)(RDB_R_FIELD + p->v.phase);
        e->pack = RDB_PACK_NONE;
        e->u.expire_ms = 0;
        ELEMENT_TAKE(rdb_take_string(p, e, n, p->v.phase == BEHIND_VALUE ? RDB_LOOK : 0))
        if (p->v.phase == BEHIND_FIELD) {
            p->v.phase = BEHIND_VALUE;
        } else if (how == RDB_TAKE_BIG) {
            e->u.expire_ms = INT64_MIN;
            p->v.phase = BEHIND_EXPIRY;
        } else if (!take_expiry_behind(p, n, &e->u.expire_ms)) {
            break;
        } else {
            p->v.left--;
            p->v.phase = set ? BEHIND_VALUE : BEHIND_FIELD;
        }
        n++;
        if (how == RDB_TAKE_BIG)
            break;
    }
    p->v.open = p->v.left > 0;
    return n;
}

/* ---------------------------------------------------------------- packed blobs */

/* A container is never as short as an integer form: rdb-format 7.2. */
static bool blob_form(struct rdb_parser *p, const struct rdb_element *e)
{
    return e->form != RDB_F_INT || rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, p->r.p),
                                            "expected a packed container, found the integer %lld", (long long)e->num);
}

static size_t fill_blobs(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    size_t n = 0;
    uint8_t pack = (uint8_t)p->v.info->pack;
    while (n < cap && p->v.left > 0) {
        if (!rdb_look_item(p, n, "a packed container"))
            break;
        const uint8_t *at = p->r.p;
        struct rdb_element *e = &out[n];
        e->role = RDB_R_BLOB;
        e->pack = pack;
        ELEMENT_TAKE(rdb_take_string(p, e, n, 0))
        if (!blob_form(p, e))
            break;
        n++;
        p->v.left--;
        if (how == RDB_TAKE_BIG)
            break;
    }
    p->v.open = p->v.left > 0;
    return n;
}

static bool take_container(struct rdb_parser *p, bool *plain)
{
    const uint8_t *at = p->r.p;
    uint64_t container = rdb_take_len(p);
    *plain = container == 1;
    return p->state != RDB_S_FAILED &&
           (container == 1 || container == 2 ||
            rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, at), "expected a quicklist container 1 or 2, found %llu",
                     (unsigned long long)container));
}

static size_t fill_quicklist2(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    size_t n = 0;
    while (n < cap && p->v.left > 0) {
        if (!rdb_look_item(p, n, "a quicklist node"))
            break;
        const uint8_t *at = p->r.p;
        struct rdb_element *e = &out[n];
        bool plain;
        if (!take_container(p, &plain))
            break;
        e->role = plain ? RDB_R_PLAIN : RDB_R_BLOB;
        e->pack = plain ? RDB_PACK_NONE : RDB_PACK_LISTPACK;
        ELEMENT_TAKE(rdb_take_string(p, e, n, 0))
        if (!plain && !blob_form(p, e))
            break;
        n++;
        p->v.left--;
        if (how == RDB_TAKE_BIG)
            break;
    }
    p->v.open = p->v.left > 0;
    return n;
}

static size_t fill_number(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    (void)cap;
    if (!rdb_look(p, "a number"))
        return 0;
    *out = (struct rdb_element){.role = RDB_R_NUMBER, .form = RDB_F_NUM, .num = (int64_t)rdb_take_len(p)};
    if (p->state == RDB_S_FAILED || rdb_over(p, "a number"))
        return 0;
    p->v.open = false;
    return 1;
}

/* ---------------------------------------------------------------- begin */

/* LEN n in front of the elements. */
static void begin_counted(struct rdb_parser *p, struct rdb_key *k)
{
    p->v.left = k->count = rdb_take_len(p);
    p->v.open = k->count > 0;
}

static void begin_one(struct rdb_parser *p, struct rdb_key *k)
{
    p->v.left = k->count = 1;
    p->v.open = true;
}

static void begin_ttl_min(struct rdb_parser *p, struct rdb_key *k)
{
    if (k->info->number == 24 || k->info->number == 25)
        p->v.ttl_min = k->ttl_min_ms = rdb_take_ms(p);
}

static void begin_module(struct rdb_parser *p, struct rdb_key *k)
{
    static const uint64_t vectorset = 0x2f79cb68aec7adull; /* nine symbols: see module.c */
    k->module_id = rdb_take_len(p);
    k->count = 0;
    if (k->module_id >> 10 == vectorset)
        k->info = &rdb_type_vectorset;
    p->v.open = true;
}

static void begin_stream(struct rdb_parser *p, struct rdb_key *k)
{
    begin_counted(p, k);
    rdb_stream_begin(p);
}

static void begin_array(struct rdb_parser *p, struct rdb_key *k)
{
    begin_counted(p, k);
    uint64_t has = rdb_take_len(p);
    k->array_insert = UINT64_MAX;
    if (has == 1)
        k->array_insert = rdb_take_len(p);
    else if (has != 0 && p->state != RDB_S_FAILED)
        rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, p->r.p), "expected 0 or 1 (an insert index), found %llu",
                 (unsigned long long)has);
}

static const struct {
    size_t (*fill)(struct rdb_parser *p, struct rdb_element *out, size_t cap);
    void (*begin)(struct rdb_parser *p, struct rdb_key *k);
} layouts[RDB_L_COUNT] = {
    [RDB_L_STRING] = {rdb_fill_string, begin_one},
    [RDB_L_ITEMS] = {fill_items, begin_counted},
    [RDB_L_ZSET_TEXT] = {fill_zset_text, begin_counted},
    [RDB_L_ZSET_BINARY] = {fill_zset_binary, begin_counted},
    [RDB_L_HASH] = {fill_hash, begin_counted},
    [RDB_L_HASH_TTL] = {fill_hash_ttl, begin_counted},
    [RDB_L_BLOB] = {fill_blobs, begin_one},
    [RDB_L_BLOB_TTL] = {fill_blobs, begin_one},
    [RDB_L_QUICKLIST] = {fill_blobs, begin_counted},
    [RDB_L_QUICKLIST2] = {fill_quicklist2, begin_counted},
    [RDB_L_STREAM] = {rdb_fill_stream, begin_stream},
    [RDB_L_MODULE] = {rdb_fill_module, begin_module},
    [RDB_L_ARRAY] = {rdb_fill_array, begin_array},
    [RDB_L_GCRA] = {fill_number, begin_one},
    [RDB_L_TEMPLATE_PACK] = {rdb_fill_template, rdb_template_begin},
    [RDB_L_TEMPLATE_ARRAY] = {rdb_fill_template, rdb_template_begin},
    [RDB_L_CRON] = {rdb_fill_cron, begin_one},
};

bool rdb_value_begin(struct rdb_parser *p, struct rdb_key *k)
{
    const struct rdb_type_info *info = k->info;
    p->v.phase = 0;
    p->v.info = info;
    p->v.fill = layouts[info->layout].fill;
    if (RDB_UNLIKELY(info->number >= 22)) {
        begin_ttl_min(p, k);
        p->v.text_ttl = (info->family & RDB_FAM_DRAGONFLY) != 0;
        if (info->family & RDB_FAM_VALKEY || p->v.text_ttl) {
            p->v.fill = p->v.text_ttl && info->type == RDB_T_JSON ? rdb_fill_string : fill_behind;
            p->v.phase = info->type == RDB_T_SET ? BEHIND_VALUE : BEHIND_FIELD;
        }
    }
    layouts[info->layout].begin(p, k);
    return p->state != RDB_S_FAILED && !rdb_over(p, "the head of a value");
}

void rdb_value_begin_items(struct rdb_parser *p)
{
    p->v.info = &rdb_type_vectorset; /* for its layout */
    p->v.fill = rdb_fill_module;
    p->v.open = true;
}

/* ---------------------------------------------------------------- skip */

static bool skip_strings(struct rdb_parser *p, uint64_t n, uint64_t each)
{
    if (n > UINT64_MAX / each)
        n = UINT64_MAX / each;
    for (n *= each; n > 0; n--)
        if (!rdb_look(p, "an element") || !rdb_skip_string(p))
            return false;
    return true;
}

/* The second half of a pair first, when the caller stopped between them. */
static bool skip_hash(struct rdb_parser *p)
{
    if (p->v.phase) {
        p->v.left--;
        if (!rdb_look(p, "a value") || !rdb_skip_string(p))
            return false;
    }
    return skip_strings(p, p->v.left, 2);
}

static bool skip_zset_binary(struct rdb_parser *p)
{
    for (; p->v.left > 0; p->v.left--) {
        if (!rdb_look(p, "a member or score"))
            return false;
        if (!p->v.phase && (!rdb_skip_string(p) || !rdb_look(p, "a score")))
            return false;
        p->v.phase = 0;
        p->r.p += 8;
        if (rdb_over(p, "a score"))
            return false;
    }
    return true;
}

/* All others: through the same code that hands elements out, into a batch that nobody looks at. Strings are not
 * decoded there either. */
static bool skip_by_filling(struct rdb_parser *p)
{
    struct rdb_element batch[64];
    while (p->v.open) {
        size_t n = p->v.fill(p, batch, 64);
        if (p->state == RDB_S_FAILED || (p->pending && !rdb_drop_pending(p)))
            return false;
        (void)n;
    }
    return true;
}

bool rdb_value_skip(struct rdb_parser *p)
{
    bool good;
    switch (p->v.info->layout) {
    case RDB_L_STRING:
    case RDB_L_ITEMS:
    case RDB_L_BLOB:
    case RDB_L_BLOB_TTL:
    case RDB_L_QUICKLIST: good = p->v.fill == fill_behind ? skip_by_filling(p) : skip_strings(p, p->v.left, 1); break;
    case RDB_L_HASH: good = skip_hash(p); break;
    case RDB_L_ZSET_BINARY: good = skip_zset_binary(p); break;
    case RDB_L_MODULE: good = rdb_module_skip(p); break;
    default: good = skip_by_filling(p); break;
    }
    p->v.open = false;
    return good;
}

/* ---------------------------------------------------------------- elements */

static RDB_NOINLINE size_t elements_any(struct rdb_parser *p, struct rdb_element *out, size_t cap, bool *more)
{
    size_t n = 0;
    if (p->state == RDB_S_RUNNING && (p->pending == 0 || rdb_drop_pending(p)) && p->v.open && cap > 0)
        n = p->v.fill(p, out, cap);
    *more = p->v.open && p->state == RDB_S_RUNNING;
    return n;
}

/* As in rdb_next, the most common case without a call: a short raw string. */
size_t rdb_elements(rdb_parser *p, struct rdb_element *out, size_t cap, bool *more)
{
    enum { SHORT = 0x40 };
    const uint8_t *s = p->r.p;
    bool clean = p->state == RDB_S_RUNNING && p->v.open && p->pending == 0 && cap > 0;
    if (RDB_UNLIKELY(!clean || p->v.fill != rdb_fill_string || reader_avail(&p->r) < SHORT || s[0] >= SHORT))
        return elements_any(p, out, cap, more);
    *out = (struct rdb_element){
        .data = s + 1, .len = s[0], .role = RDB_R_STRING, .form = RDB_F_RAW, .pack = RDB_PACK_NONE};
    p->r.p = s + 1 + s[0];
    *more = p->v.open = false;
    return 1;
}
