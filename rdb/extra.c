/*
 * extra.c - arrays, hash templates and cron jobs: the small families.
 *
 *     28      LEN count, LEN 0 | LEN 1 LEN insert, count x (LEN index, LEN tag, payload)
 *             tag 0 STR, 1 i64, 2 f64, 3 short STR                              rdb.c rdbSaveArrayElement (Redis 8.8)
 *     30      STR listpack: template id, values
 *     32      LEN template id, one STR a field of the template                  the table of opcode 242 says how many
 *     29      names, STR listpack: id, values
 *     31      names, one STR a name                                              names first, then all values
 *     names   LEN 0, STR listpack | LEN 1, LEN n, n x STR
 *     64      STR script, MS start, MS interval, LEN n, n x STR, LEN n, n x STR  KeyDB rdb.cpp
 */
#include "rdb/internal.h"

#include <stdlib.h>

/* ---------------------------------------------------------------- arrays */

static bool take_array_head(struct rdb_parser *p, struct rdb_element *e, uint64_t *tag)
{
    e->u.index = rdb_take_len(p);
    const uint8_t *at = p->r.p;
    *tag = rdb_take_len(p);
    if (p->state == RDB_S_FAILED)
        return false;
    return *tag <= 3 || rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, at), "expected an array tag 0 to 3, found %llu",
                                 (unsigned long long)*tag);
}

size_t rdb_fill_array(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    static const uint8_t roles[4] = {RDB_R_ARRAY_STR, RDB_R_ARRAY_INT, RDB_R_ARRAY_FLOAT, RDB_R_ARRAY_SMALL};
    size_t n = 0;
    while (n < cap && p->v.left > 0) {
        if (!rdb_look_item(p, n, "an array element"))
            break;
        const uint8_t *at = p->r.p;
        struct rdb_element *e = &out[n];
        uint64_t tag;
        if (!take_array_head(p, e, &tag))
            break;
        e->role = roles[tag & 3];
        e->pack = RDB_PACK_NONE;
        enum rdb_take how = RDB_TAKE_OK;
        if (tag == 1 || tag == 2) {
            e->data = NULL;
            e->len = 0;
            e->form = RDB_F_NUM;
            e->num = (int64_t)rdb_take_u64(p);
            if (rdb_over(p, "an array element"))
                break;
        } else {
            how = rdb_take_string(p, e, n, 0);
            if (how == RDB_TAKE_STOP)
                p->r.p = at;
            if (how == RDB_TAKE_STOP || how == RDB_TAKE_FAIL)
                break;
        }
        n++;
        p->v.left--;
        if (how == RDB_TAKE_BIG)
            break;
    }
    p->v.open = p->v.left > 0;
    return n;
}

/* ---------------------------------------------------------------- the table of templates */

enum { TEMPLATES_MAX = 1 << 20 }; /* 32 MiB of table; a record takes four bytes of file at least */

static struct rdb_template_slot *template_slot(const struct rdb_parser *p, uint64_t id)
{
    size_t mask = p->templates_cap - 1;
    size_t i = (size_t)((id * 0x9e3779b97f4a7c15ull) >> 32) & mask;
    while (p->templates[i].fields && p->templates[i].id != id)
        i = (i + 1) & mask;
    return &p->templates[i];
}

static bool templates_grow(struct rdb_parser *p)
{
    size_t old_cap = p->templates_cap, cap = old_cap ? 2 * old_cap : 64;
    struct rdb_template_slot *old = p->templates, *grown = calloc(cap, sizeof *grown);
    if (!grown)
        return rdb_fail(p, RDB_ERR_NOMEM, rdb_at(p, p->r.p), "out of memory");
    p->templates = grown;
    p->templates_cap = cap;
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].fields)
            *template_slot(p, old[i].id) = old[i];
    free(old);
    return true;
}

bool rdb_template_add(struct rdb_parser *p, uint64_t id, uint64_t fields)
{
    if (p->templates_len >= TEMPLATES_MAX)
        return rdb_fail(p, RDB_ERR_LIMIT, rdb_at(p, p->r.p), "expected at most %d hash templates", TEMPLATES_MAX);
    if (2 * p->templates_len >= p->templates_cap && !templates_grow(p))
        return false;
    struct rdb_template_slot *s = template_slot(p, id);
    if (s->fields)
        return rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, p->r.p), "expected a new hash template id, found %llu again",
                        (unsigned long long)id);
    *s = (struct rdb_template_slot){id, fields};
    p->templates_len++;
    return true;
}

uint64_t rdb_template_fields(const struct rdb_parser *p, uint64_t id)
{
    return p->templates_cap ? template_slot(p, id)->fields : 0;
}

/* ---------------------------------------------------------------- values with a template */

enum { T_NAMES_PACK, T_NAMES, T_VALUES_PACK, T_VALUES };

static void begin_names(struct rdb_parser *p, struct rdb_key *k)
{
    const uint8_t *at = p->r.p;
    uint64_t format = rdb_take_len(p);
    p->v.phase = T_NAMES_PACK;
    p->v.count = k->count = 0; /* known when the names were seen */
    if (format == 1) {
        p->v.phase = T_NAMES;
        p->v.left = p->v.count = k->count = rdb_take_len(p);
    }
    if (p->state == RDB_S_FAILED)
        return;
    if (format > 1)
        rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, at), "expected field names in format 0 or 1, found %llu",
                 (unsigned long long)format);
    else if (format == 1 && k->count == 0)
        rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, at), "expected at least one field name");
}

void rdb_template_begin(struct rdb_parser *p, struct rdb_key *k)
{
    k->template_id = 0;
    p->v.open = true;
    if (k->info->number == 29 || k->info->number == 31) {
        begin_names(p, k);
    } else if (k->info->number == 30) {
        p->v.phase = T_VALUES_PACK;
        k->count = 1;
    } else {
        const uint8_t *at = p->r.p;
        k->template_id = rdb_take_len(p);
        p->v.phase = T_VALUES;
        p->v.left = k->count = rdb_template_fields(p, k->template_id);
        if (k->count == 0 && p->state != RDB_S_FAILED)
            rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, at), "expected the id of a hash template, found %llu",
                     (unsigned long long)k->template_id);
    }
}

/* How many names the listpack at hand holds: needed to know how many values follow. */
static bool count_names(struct rdb_parser *p, const struct rdb_element *e)
{
    uint8_t head[6];
    struct rdb_cursor c;
    struct rdb_pack k;
    struct rdb_pack_sum sum;
    uint64_t at = rdb_at(p, p->r.p);
    if (rdb_element_head(p, e, head, 6) == 6 && load_le16(head + 4) != UINT16_MAX) {
        p->v.count = load_le16(head + 4);
        return true;
    }
    if (!e->data)
        return rdb_fail(p, RDB_ERR_LIMIT, at, "expected the names of a hash template to fit the window");
    if (!rdb_element_open(p, e, &c) || !rdb_pack_open(&k, RDB_PACK_LISTPACK, &c, e->len) || rdb_pack_sum(&k, &sum))
        return rdb_fail(p, RDB_ERR_CORRUPT, at, "expected a listpack of field names");
    p->v.count = sum.entries;
    return true;
}

/* What follows the names. */
static void names_done(struct rdb_parser *p)
{
    p->v.phase = p->v.info->layout == RDB_L_TEMPLATE_PACK ? T_VALUES_PACK : T_VALUES;
    p->v.left = p->v.count;
    p->v.open = p->v.phase == T_VALUES_PACK || p->v.left > 0;
}

static bool template_step(struct rdb_parser *p, const struct rdb_element *e)
{
    switch (p->v.phase) {
    case T_NAMES_PACK:
        if (e->form == RDB_F_INT || !count_names(p, e))
            return rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, p->r.p), "expected a listpack of field names");
        names_done(p);
        return true;
    case T_NAMES:
        if (--p->v.left == 0)
            names_done(p);
        return true;
    case T_VALUES_PACK:
        p->v.open = false;
        return e->form != RDB_F_INT || rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, p->r.p), "expected a listpack of values");
    default: p->v.open = --p->v.left > 0; return true;
    }
}

size_t rdb_fill_template(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    static const uint8_t roles[] = {RDB_R_FIELD, RDB_R_FIELD, RDB_R_BLOB, RDB_R_VALUE};
    size_t n = 0;
    while (n < cap && p->v.open) {
        if (!rdb_look_item(p, n, "a name or value of a hash template"))
            break;
        const uint8_t *at = p->r.p;
        struct rdb_element *e = &out[n];
        e->role = roles[p->v.phase];
        e->pack = p->v.phase == T_NAMES_PACK || p->v.phase == T_VALUES_PACK ? RDB_PACK_LISTPACK : RDB_PACK_NONE;
        enum rdb_take how = rdb_take_string(p, e, n, 0);
        if (how == RDB_TAKE_STOP)
            p->r.p = at;
        if (how == RDB_TAKE_STOP || how == RDB_TAKE_FAIL || !template_step(p, e))
            break;
        n++;
        if (how == RDB_TAKE_BIG)
            break;
    }
    return n;
}

/* ---------------------------------------------------------------- cron */

enum { C_SCRIPT, C_START, C_INTERVAL, C_KEYS, C_KEY, C_ARGS, C_ARG };

static void cron_list_end(struct rdb_parser *p)
{
    if (p->v.phase == C_KEY)
        p->v.phase = C_ARGS;
    else
        p->v.open = false;
}

/* Parts that are no strings: true when one was taken; *made says whether it is an element. */
static bool cron_number(struct rdb_parser *p, struct rdb_element *e, bool *made)
{
    *made = p->v.phase == C_START || p->v.phase == C_INTERVAL;
    if (*made) {
        *e = (struct rdb_element){.role = RDB_R_NUMBER, .form = RDB_F_NUM, .num = rdb_take_ms(p)};
        p->v.phase++;
    } else if (p->v.phase == C_KEYS || p->v.phase == C_ARGS) {
        p->v.left = rdb_take_len(p);
        p->v.phase++;
    } else {
        return false;
    }
    if (!rdb_over(p, "a cron job") && p->v.left == 0 && (p->v.phase == C_KEY || p->v.phase == C_ARG))
        cron_list_end(p);
    return true;
}

size_t rdb_fill_cron(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    size_t n = 0;
    while (n < cap && p->v.open) {
        bool made;
        if (!rdb_look_item(p, n, "a part of a cron job"))
            break;
        const uint8_t *at = p->r.p;
        struct rdb_element *e = &out[n];
        if (cron_number(p, e, &made)) {
            if (p->state == RDB_S_FAILED)
                break;
            n += made;
            continue;
        }
        e->role = RDB_R_ITEM;
        e->pack = RDB_PACK_NONE;
        enum rdb_take how = rdb_take_string(p, e, n, 0);
        if (how == RDB_TAKE_STOP)
            p->r.p = at;
        if (how == RDB_TAKE_STOP || how == RDB_TAKE_FAIL)
            break;
        n++;
        if (p->v.phase == C_SCRIPT)
            p->v.phase = C_START;
        else if (--p->v.left == 0)
            cron_list_end(p);
        if (how == RDB_TAKE_BIG)
            break;
    }
    return n;
}
