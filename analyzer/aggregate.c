/*
 * aggregate.c - see aggregate.h.
 */
#include "analyzer/aggregate.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/moments.h"

/* Seconds from `now`; the first one is what has expired, the last but one all beyond a year, the last none. */
static const struct expiry_bucket expiry_rows[EXPIRY_BUCKETS] = {
    {"expired", 0, 0, 0},
    {"within 1 hour", 3600, 0, 0},
    {"within 1 day", 86400, 0, 0},
    {"within 7 days", 604800, 0, 0},
    {"within 30 days", 2592000, 0, 0},
    {"within 1 year", 31536000, 0, 0},
    {"later", INT64_MAX, 0, 0},
    {"no expiry", INT64_MAX, 0, 0},
};

bool aggregate_init(struct aggregate *g, const struct analyze_options *o)
{
    memset(g, 0, sizeof *g);
    g->o = o;
    memcpy(g->expiry, expiry_rows, sizeof expiry_rows);
    g->dbs = calloc(AGGREGATE_DBS, sizeof *g->dbs);
    return g->dbs && topn_init(&g->by_bytes, o->top, false) && topn_init(&g->by_elements, o->top, true) &&
           topn_init(&g->big, o->top, false);
}

void aggregate_free(struct aggregate *g)
{
    free(g->dbs);
    free(g->modules.list);
    topn_free(&g->by_bytes);
    topn_free(&g->by_elements);
    topn_free(&g->big);
}

void totals_add(struct totals *to, const struct totals *from)
{
    to->keys += from->keys;
    to->bytes += from->bytes;
    to->payload += from->payload;
    to->rounding += from->rounding;
    to->elements += from->elements;
    to->largest = from->largest > to->largest ? from->largest : to->largest;
    to->expiring_keys += from->expiring_keys;
    to->expiring_bytes += from->expiring_bytes;
    to->record += from->record;
}

/* The current database's cells go into the global ones and into its own sum. */
static void fold(struct aggregate *g)
{
    for (unsigned t = 0; t < RDB_T_COUNT; t++) {
        for (uint32_t bits = g->touched[t]; bits; bits &= bits - 1) {
            unsigned e = (unsigned)__builtin_ctz(bits);
            totals_add(&g->cells[t][e], &g->current[t][e]);
            totals_add(&g->dbs[g->db].t, &g->current[t][e]);
            memset(&g->current[t][e], 0, sizeof g->current[t][e]);
        }
        g->touched[t] = 0;
    }
}

void aggregate_select(struct aggregate *g, uint32_t db)
{
    if (g->ndbs && g->dbs[g->db].db == db)
        return;
    if (g->ndbs)
        fold(g);
    for (size_t i = 0; i < g->ndbs; i++) {
        if (g->dbs[i].db == db) {
            g->db = i;
            return;
        }
    }
    if (g->ndbs == AGGREGATE_DBS) { /* more than any server has: the last one takes them all */
        g->dbs_dropped++;
        g->db = g->ndbs - 1;
        return;
    }
    g->db = g->ndbs++;
    g->dbs[g->db].db = db;
}

void aggregate_hint(struct aggregate *g, uint64_t keys, uint64_t expires)
{
    if (g->ndbs == 0)
        aggregate_select(g, 0);
    struct db_report *d = &g->dbs[g->db];
    d->has_hint = true;
    d->hint_keys += keys;
    d->hint_expires += expires;
}

static void big(struct aggregate *g, struct key_report *k)
{
    const struct analyze_options *o = g->o;
    bool counts = k->type != RDB_T_STRING; /* a string's "elements" are its bytes */
    if (!o->findings)                      /* which otherwise has marked it already */
        k->flags |= (k->bytes >= o->big_bytes ? KEY_BIG_BYTES : 0U) |
                    (counts && k->elements >= o->big_elements ? KEY_BIG_ELEMENTS : 0U) |
                    (k->largest >= o->big_element ? KEY_BIG_ELEMENT : 0U);
    unsigned flags = k->flags & (KEY_BIG_BYTES | KEY_BIG_ELEMENTS | KEY_BIG_ELEMENT);
    if (flags == 0)
        return;
    g->big_keys++;
    g->big_by_bytes += (flags & KEY_BIG_BYTES) != 0;
    g->big_by_elements += (flags & KEY_BIG_ELEMENTS) != 0;
    g->big_by_element += (flags & KEY_BIG_ELEMENT) != 0;
    if (topn_wants(&g->big, k->bytes))
        topn_add(&g->big, k);
}

void aggregate_expiry(struct aggregate *g, int64_t expire_ms, bool expired, uint64_t keys, uint64_t bytes)
{
    unsigned i = expired ? 0 : 1;
    int64_t left = (expire_ms - g->now_ms) / 1000;
    for (unsigned row = 1; row < EXPIRY_BUCKETS - 2; row++) /* to the end: no branch that cannot be foreseen */
        i += !expired && left > g->expiry[row].upto_s;
    g->expiry[i].keys += keys;
    g->expiry[i].bytes += bytes;
}

unsigned aggregate_cuts(const struct aggregate *g, int64_t *cuts)
{
    unsigned n = 0;
    for (unsigned row = 1; row < EXPIRY_BUCKETS - 2; row++)
        n += moments_cut(g->now_ms, g->expiry[row].upto_s, &cuts[n]);
    return n;
}

static void no_expiry(struct aggregate *g, uint64_t keys, uint64_t bytes)
{
    g->expiry[EXPIRY_BUCKETS - 1].keys += keys;
    g->expiry[EXPIRY_BUCKETS - 1].bytes += bytes;
}

static void doubtful(struct aggregate *g, const struct key_report *k)
{
    if (k->flags & KEY_EMPTY)
        g->empty_keys++;
    if (k->flags & KEY_DAMAGED)
        g->damaged_keys++;
    if (k->flags & KEY_ESTIMATE) {
        g->estimated_keys++;
        g->estimated_bytes += k->bytes;
    }
    if (k->flags & KEY_LOWER_BOUND) {
        g->lower_bound_keys++;
        g->lower_bound_bytes += k->bytes;
    }
}

void aggregate_load(struct aggregate *g, const struct key_report *k)
{
    if (k->flags & KEY_EMPTY) /* whoever loads */
        return;
    g->all.keys++;
    g->all.bytes += k->bytes;
    if (!(k->flags & KEY_EXPIRED)) {
        g->master.keys++;
        g->master.bytes += k->bytes;
    }
}

/* n keys of this cost; a string's "elements" are its bytes, here it is one. */
static void add_to_cell(struct aggregate *g, const struct key_report *k, uint64_t n, uint64_t record)
{
    struct totals *c = &g->current[k->type][k->encoding];
    g->touched[k->type] |= 1U << k->encoding;
    c->keys += n;
    c->bytes += n * k->bytes;
    c->payload += n * k->payload;
    c->rounding += n * k->rounding;
    c->elements += n * (k->type == RDB_T_STRING ? 1 : k->elements);
    c->record += record;
    if (k->bytes > c->largest)
        c->largest = k->bytes;
    if (k->expire_ms >= 0) {
        c->expiring_keys += n;
        c->expiring_bytes += n * k->bytes;
    }
}

void aggregate_strings(struct aggregate *g, const struct key_report *k, uint64_t n, uint64_t record)
{
    uint64_t bytes = n * k->bytes;
    add_to_cell(g, k, n, record);
    if (k->expire_ms < 0)
        no_expiry(g, n, bytes);
    g->all.keys += n;
    g->all.bytes += bytes;
    g->master.keys += n;
    g->master.bytes += bytes;
}

void aggregate_key(struct aggregate *g, struct key_report *k)
{
    add_to_cell(g, k, 1, k->record);
    aggregate_load(g, k);
    if (k->expire_ms >= 0)
        aggregate_expiry(g, k->expire_ms, (k->flags & KEY_EXPIRED) != 0, 1, k->bytes);
    else
        no_expiry(g, 1, k->bytes);
    if (k->flags & (KEY_EMPTY | KEY_DAMAGED | KEY_ESTIMATE | KEY_LOWER_BOUND))
        doubtful(g, k);
    if (k->module[0])
        modules_key(&g->modules, k);
    big(g, k);
    if (topn_wants(&g->by_bytes, k->bytes))
        topn_add(&g->by_bytes, k);
    if (k->type != RDB_T_STRING && topn_wants(&g->by_elements, k->elements))
        topn_add(&g->by_elements, k);
}

static int by_db(const void *a, const void *b)
{
    const struct db_report *x = a, *y = b;
    return (x->db > y->db) - (x->db < y->db);
}

bool aggregate_finish(struct aggregate *g, struct analysis *a)
{
    size_t used = 0;
    if (g->ndbs)
        fold(g);
    a->cells = calloc(RDB_T_COUNT * ENC_COUNT, sizeof *a->cells);
    if (a->cells == NULL)
        return false;
    for (int t = 0; t < RDB_T_COUNT; t++) {
        for (int e = 0; e < ENC_COUNT; e++) {
            if (g->cells[t][e].keys == 0)
                continue;
            a->cells[used++] = (struct cell){(enum rdb_type)t, (enum encoding)e, g->cells[t][e]};
            totals_add(&a->by_type[t], &g->cells[t][e]);
        }
        totals_add(&a->total, &a->by_type[t]);
    }
    a->ncells = used;
    if (g->ndbs)
        qsort(g->dbs, g->ndbs, sizeof *g->dbs, by_db);
    a->dbs = g->ndbs ? realloc(g->dbs, g->ndbs * sizeof *g->dbs) : g->dbs; /* analyses of many dumps are kept at once */
    a->dbs = a->dbs ? a->dbs : g->dbs;
    a->ndbs = g->ndbs;
    a->dbs_dropped = g->dbs_dropped;
    g->dbs = NULL;
    memcpy(a->expiry, g->expiry, sizeof a->expiry);
    a->all = a->replica = g->all; /* a replica keeps expired keys until its master deletes them */
    a->master = g->master;
    topn_finish(&g->by_bytes, &a->top_bytes);
    topn_finish(&g->by_elements, &a->top_elements);
    topn_finish(&g->big, &a->big);
    a->big_keys = g->big_keys;
    a->big_by_bytes = g->big_by_bytes;
    a->big_by_elements = g->big_by_elements;
    a->big_by_element = g->big_by_element;
    a->empty_keys = g->empty_keys;
    a->damaged_keys = g->damaged_keys;
    a->estimated_keys = g->estimated_keys;
    a->estimated_bytes = g->estimated_bytes;
    a->lower_bound_keys = g->lower_bound_keys;
    a->lower_bound_bytes = g->lower_bound_bytes;
    return modules_finish(&g->modules, a);
}
