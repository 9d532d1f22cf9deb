/*
 * stream.c - streams: the value's parts in file order, and the listpack of a node.
 *
 *     LEN nodes, nodes x (STR id, STR listpack)                          NODE_ID NODE ...
 *     LEN length, LEN last.ms, LEN last.seq                              META x 3
 *     [19+] LEN first.ms .seq, maxdel.ms .seq, entries added             META x 5
 *     LEN groups, each:
 *       STR name, LEN last.ms, LEN last.seq, [19+] LEN entries read      GROUP, META x 2 or 3
 *       LEN n, n x (id, MS delivered, LEN deliveries)                    GROUP_PEL ...
 *       LEN consumers, each:
 *         STR name, MS seen, [21+] MS active                             CONSUMER, META x 1 or 2
 *         LEN n, n x id                                                  CONSUMER_PEL ...
 *       [27] LEN n, n x id                                               NACKED ...
 *     [26+] LEN duration, LEN max entries                                IDMP_META x 2
 *           LEN producers, each: STR id, LEN n, n x (STR iid, LEN ms, LEN seq)     PRODUCER, IID ...
 *           LEN iids added, LEN duplicates                               IDMP_META x 2
 *
 * rdb.c rdbSaveObject, rdbSaveStreamPEL, rdbSaveStreamConsumers, rdbSaveStreamIdmpEntries. An id is 16 bytes: ms, seq,
 * both big endian. `phase` is the part that comes next; parts that are only counts make no element.
 */
#include "rdb/internal.h"

enum phase {
    S_NODE_ID,
    S_NODE,
    S_META,
    S_GROUPS,
    S_GROUP,
    S_GROUP_META,
    S_PEL_COUNT,
    S_PEL,
    S_CONSUMERS,
    S_CONSUMER,
    S_CONSUMER_META,
    S_CONSUMER_PEL_COUNT,
    S_CONSUMER_PEL,
    S_CONSUMER_END,
    S_NACKED_COUNT,
    S_NACKED,
    S_GROUP_END,
    S_IDMP,
    S_IDMP_META,
    S_PRODUCERS,
    S_PRODUCER,
    S_IID_COUNT,
    S_IID,
    S_IID_TAIL,
    S_PRODUCER_END,
    S_IDMP_LAST
};

/* Counts down value.count, a list's numbers; sets the next phase when they are all given. */
static void number(struct rdb_parser *p, struct rdb_element *e, uint8_t role, int64_t v, enum phase next)
{
    e->data = NULL;
    e->len = 0;
    e->num = v;
    e->role = role;
    e->form = RDB_F_NUM;
    e->pack = RDB_PACK_NONE;
    if (--p->v.count == 0)
        p->v.phase = (uint8_t)next;
}

static void raw_id(struct rdb_parser *p, struct rdb_element *e, uint8_t role)
{
    e->data = p->r.p;
    e->len = 16;
    e->role = role;
    e->form = RDB_F_RAW;
    e->pack = RDB_PACK_NONE;
    p->r.p += 16;
}

/* `count` numbers of one kind come next, in phase. */
static void numbers_next(struct rdb_parser *p, enum phase phase, uint64_t count)
{
    p->v.phase = (uint8_t)phase;
    p->v.count = count;
}

/* Enters a list of p->v.left items in phase `items`, or passes it by when it is empty. */
static void list_next(struct rdb_parser *p, enum phase items, enum phase behind)
{
    p->v.left = rdb_take_len(p);
    p->v.phase = (uint8_t)(p->v.left ? items : behind);
}

static void item_done(struct rdb_parser *p, enum phase behind)
{
    if (--p->v.left == 0)
        p->v.phase = (uint8_t)behind;
}

/* Parts that are counts or ends: true when the phase was one of them. */
static bool step_silent(struct rdb_parser *p)
{
    const unsigned type = p->v.info->number;
    switch ((enum phase)p->v.phase) {
    case S_GROUPS:
        p->v.groups = rdb_take_len(p);
        p->v.phase = p->v.groups ? S_GROUP : S_IDMP;
        return true;
    case S_PEL_COUNT: list_next(p, S_PEL, S_CONSUMERS); return true;
    case S_CONSUMERS:
        p->v.consumers = rdb_take_len(p);
        p->v.phase = p->v.consumers ? S_CONSUMER : S_NACKED_COUNT;
        return true;
    case S_CONSUMER_PEL_COUNT: list_next(p, S_CONSUMER_PEL, S_CONSUMER_END); return true;
    case S_CONSUMER_END: p->v.phase = --p->v.consumers ? S_CONSUMER : S_NACKED_COUNT; return true;
    case S_NACKED_COUNT:
        if (type >= 27)
            list_next(p, S_NACKED, S_GROUP_END);
        else
            p->v.phase = S_GROUP_END;
        return true;
    case S_GROUP_END: p->v.phase = --p->v.groups ? S_GROUP : S_IDMP; return true;
    case S_IDMP:
        if (type >= 26)
            numbers_next(p, S_IDMP_META, 2);
        else
            p->v.open = false;
        return true;
    case S_PRODUCERS:
        p->v.producers = rdb_take_len(p);
        if (p->v.producers)
            p->v.phase = S_PRODUCER;
        else
            numbers_next(p, S_IDMP_LAST, 2);
        return true;
    case S_IID_COUNT: list_next(p, S_IID, S_PRODUCER_END); return true;
    case S_IID_TAIL:
        (void)rdb_take_len(p);
        (void)rdb_take_len(p);
        p->v.phase = S_IID;
        item_done(p, S_PRODUCER_END);
        return true;
    case S_PRODUCER_END:
        if (--p->v.producers)
            p->v.phase = S_PRODUCER;
        else
            numbers_next(p, S_IDMP_LAST, 2);
        return true;
    default: return false;
    }
}

/* Parts of fixed size: numbers and ids. */
static bool step_fixed(struct rdb_parser *p, struct rdb_element *e)
{
    switch ((enum phase)p->v.phase) {
    case S_META: number(p, e, RDB_R_STREAM_META, (int64_t)rdb_take_len(p), S_GROUPS); return true;
    case S_GROUP_META: number(p, e, RDB_R_GROUP_META, (int64_t)rdb_take_len(p), S_PEL_COUNT); return true;
    case S_CONSUMER_META: number(p, e, RDB_R_CONSUMER_META, rdb_take_ms(p), S_CONSUMER_PEL_COUNT); return true;
    case S_IDMP_META: number(p, e, RDB_R_IDMP_META, (int64_t)rdb_take_len(p), S_PRODUCERS); return true;
    case S_IDMP_LAST:
        number(p, e, RDB_R_IDMP_META, (int64_t)rdb_take_len(p), S_IDMP_LAST);
        p->v.open = p->v.count > 0;
        return true;
    case S_PEL:
        raw_id(p, e, RDB_R_GROUP_PEL);
        e->u.time_ms = rdb_take_ms(p);
        e->num = (int64_t)rdb_take_len(p);
        item_done(p, S_CONSUMERS);
        return true;
    case S_CONSUMER_PEL:
        raw_id(p, e, RDB_R_CONSUMER_PEL);
        item_done(p, S_CONSUMER_END);
        return true;
    case S_NACKED:
        raw_id(p, e, RDB_R_NACKED);
        item_done(p, S_GROUP_END);
        return true;
    default: return false;
    }
}

/* An id as STR: always raw and 16 bytes. */
static enum rdb_take take_node_id(struct rdb_parser *p, struct rdb_element *e)
{
    if (p->r.p[0] != 16) {
        rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, p->r.p), "expected a stream node id of 16 bytes, found 0x%02x",
                 p->r.p[0]);
        return RDB_TAKE_FAIL;
    }
    p->r.p++;
    raw_id(p, e, RDB_R_STREAM_NODE_ID);
    p->v.phase = S_NODE;
    return RDB_TAKE_OK;
}

static enum rdb_take take_iid(struct rdb_parser *p, struct rdb_element *e, size_t n)
{
    e->role = RDB_R_IID;
    enum rdb_take how = rdb_take_string(p, e, n, RDB_LOOK);
    if (how == RDB_TAKE_BIG) { /* its numbers stand behind bytes that are not read yet: passed over later */
        e->num = 0;
        e->u.time_ms = 0;
        p->v.phase = S_IID_TAIL;
    } else if (how == RDB_TAKE_OK) {
        e->u.time_ms = (int64_t)rdb_take_len(p);
        int64_t seq = (int64_t)rdb_take_len(p);
        if (e->form != RDB_F_INT)
            e->num = seq;
        item_done(p, S_PRODUCER_END);
    }
    return how;
}

/* Parts that are strings. */
static enum rdb_take step_string(struct rdb_parser *p, struct rdb_element *e, size_t n)
{
    enum rdb_take how;
    const unsigned type = p->v.info->number;
    e->pack = RDB_PACK_NONE;
    switch ((enum phase)p->v.phase) {
    case S_NODE_ID: return take_node_id(p, e);
    case S_IID: return take_iid(p, e, n);
    case S_NODE: e->role = RDB_R_STREAM_NODE; break;
    case S_GROUP: e->role = RDB_R_GROUP; break;
    case S_CONSUMER: e->role = RDB_R_CONSUMER; break;
    default: e->role = RDB_R_PRODUCER; break;
    }
    how = rdb_take_string(p, e, n, 0);
    if (how != RDB_TAKE_OK && how != RDB_TAKE_BIG)
        return how;
    switch ((enum phase)p->v.phase) {
    case S_NODE:
        e->pack = RDB_PACK_LISTPACK;
        if (e->form == RDB_F_INT) {
            rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, p->r.p), "expected a listpack, found the integer %lld",
                     (long long)e->num);
            return RDB_TAKE_FAIL;
        }
        if (--p->v.left)
            p->v.phase = S_NODE_ID;
        else
            numbers_next(p, S_META, type >= 19 ? 8 : 3);
        break;
    case S_GROUP: numbers_next(p, S_GROUP_META, type >= 19 ? 3 : 2); break;
    case S_CONSUMER: numbers_next(p, S_CONSUMER_META, type >= 21 ? 2 : 1); break;
    default: p->v.phase = S_IID_COUNT; break;
    }
    return how;
}

void rdb_stream_begin(struct rdb_parser *p)
{
    p->v.open = true;
    if (p->v.left)
        p->v.phase = S_NODE_ID;
    else
        numbers_next(p, S_META, p->v.info->number >= 19 ? 8 : 3);
}

size_t rdb_fill_stream(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    size_t n = 0;
    while (n < cap && p->v.open) {
        if (!rdb_look_item(p, n, "a part of a stream"))
            break;
        const uint8_t *at = p->r.p;
        if (step_silent(p)) {
            if (p->state == RDB_S_FAILED || rdb_over(p, "a part of a stream"))
                break;
            continue;
        }
        enum rdb_take how = RDB_TAKE_OK;
        if (!step_fixed(p, &out[n]))
            how = step_string(p, &out[n], n);
        if (how == RDB_TAKE_STOP)
            p->r.p = at;
        if (how == RDB_TAKE_STOP || how == RDB_TAKE_FAIL || p->state == RDB_S_FAILED ||
            rdb_over(p, "a part of a stream"))
            break;
        n++;
        if (how == RDB_TAKE_BIG)
            break;
    }
    return n;
}

/* ---------------------------------------------------------------- the listpack of a node */

/*
 *     master   count deleted nfields field*nfields 0
 *     entry    flags ms-delta seq-delta
 *              flags & 2:  value*nfields                     fields are the master's
 *              else:       num (field value)*num
 *              lp-count                                      entries of the item before it: values + 3, or 2 num + 4
 *
 * t_stream.c streamAppendItem. count are the live entries, deleted those with flag 1 that keep their place.
 * seq-delta may be negative. All of master's and an entry's own numbers are integer entries.
 */

enum { FLAG_DELETED = 1, FLAG_SAMEFIELDS = 2 };

struct node_walk {
    struct rdb_pack k;
    struct rdb_stream_sum *sum;
    const char *damage;
};

static bool node_bad(struct node_walk *w, const char *what)
{
    if (!w->damage)
        w->damage = w->k.damage ? w->k.damage : what;
    return false;
}

static bool node_int(struct node_walk *w, int64_t *v, const char *what)
{
    struct rdb_entry e;
    if (rdb_pack_next(&w->k, &e) != 1 || !e.is_int)
        return node_bad(w, what);
    *v = e.num;
    return true;
}

static bool node_strings(struct node_walk *w, uint64_t n)
{
    struct rdb_entry e;
    for (; n > 0; n--) {
        if (rdb_pack_next(&w->k, &e) != 1)
            return node_bad(w, "expected a field or value of a stream entry");
        w->sum->payload += e.len;
        if (e.len > w->sum->longest)
            w->sum->longest = e.len;
    }
    return true;
}

struct node_head {
    int64_t live, deleted, fields;
};

static bool node_master(struct node_walk *w, struct node_head *h)
{
    int64_t zero;
    if (!node_int(w, &h->live, "expected a count of entries") ||
        !node_int(w, &h->deleted, "expected a count of deletions") ||
        !node_int(w, &h->fields, "expected a number of fields"))
        return false;
    if (h->live < 0 || h->deleted < 0 || h->fields < 0 || h->live > INT32_MAX || h->deleted > INT32_MAX)
        return node_bad(w, "expected counts that are not negative");
    return node_strings(w, (uint64_t)h->fields) && node_int(w, &zero, "expected the end of the master entry") &&
           (zero == 0 || node_bad(w, "expected 0 at the end of the master entry"));
}

static bool node_entry(struct node_walk *w, int64_t fields)
{
    int64_t flags, ms, seq, num = fields, lp_count, want;
    if (!node_int(w, &flags, "expected the flags of a stream entry") || !node_int(w, &ms, "expected a delta of ms") ||
        !node_int(w, &seq, "expected a delta of seq"))
        return false;
    if (flags & ~(int64_t)(FLAG_DELETED | FLAG_SAMEFIELDS))
        return node_bad(w, "expected known flags of a stream entry");
    if (!(flags & FLAG_SAMEFIELDS) && !node_int(w, &num, "expected a number of fields"))
        return false;
    if (num < 0 || num > INT64_MAX / 4)
        return node_bad(w, "expected a number of fields that is not negative");
    want = flags & FLAG_SAMEFIELDS ? num + 3 : 2 * num + 4;
    if (!node_strings(w, (uint64_t)(flags & FLAG_SAMEFIELDS ? num : 2 * num)) ||
        !node_int(w, &lp_count, "expected the lp-count of a stream entry"))
        return false;
    if (lp_count != want)
        return node_bad(w, "expected the lp-count of the entry before it");
    if (flags & FLAG_DELETED)
        w->sum->deleted++;
    else
        w->sum->live++;
    return true;
}

int rdb_stream_node_sum(const struct rdb_cursor *c, uint64_t total, struct rdb_stream_sum *sum, const char **damage)
{
    struct node_walk w = {.sum = sum};
    struct node_head h = {0};
    struct rdb_entry e;
    *sum = (struct rdb_stream_sum){0};
    bool good = rdb_pack_open(&w.k, RDB_PACK_LISTPACK, c, total) || node_bad(&w, "expected a listpack");
    good = good && node_master(&w, &h);
    for (int64_t i = 0; good && i < h.live + h.deleted; i++)
        good = node_entry(&w, h.fields);
    if (good && rdb_pack_next(&w.k, &e) != 0)
        good = node_bad(&w, "expected the end of the stream node");
    if (good && (sum->live != (uint64_t)h.live || sum->deleted != (uint64_t)h.deleted))
        node_bad(&w, "expected as many deleted entries as the master entry says");
    *damage = w.damage;
    return w.damage ? -1 : 0;
}

bool rdb_stream_node_counts(const struct rdb_cursor *c, uint64_t total, uint64_t *live, uint64_t *deleted)
{
    struct node_walk w = {.k = {.c = *c, .kind = RDB_PACK_LISTPACK, .bytes = total, .count = UINT64_MAX}};
    int64_t a, b;
    if (!listpack_open(&w.k) || !node_int(&w, &a, "") || !node_int(&w, &b, "") || a < 0 || b < 0)
        return false;
    *live = (uint64_t)a;
    *deleted = (uint64_t)b;
    return true;
}
