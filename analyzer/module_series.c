/*
 * module_series.c - a time series from its saved items.
 *
 *     key name, retention, chunk size, options, last timestamp, last value, samples, [3: duplicate policy],
 *     has source, [source], [8: two numbers], labels, {name, value}..., rules, {destination, numbers...}...,
 *     chunks, {numbers..., data}...                                                  ([n: from encver n on)
 *
 * How many numbers a rule has depends on its aggregation, so they are not counted: a rule begins with a string, and a
 * chunk ends with one, before which stand the ten numbers of a compressed chunk or the three of a plain one. Sources:
 * RedisTimeSeries rdb.c, compressed_chunk.c, chunk.c; for the structures tsdb.h, indexer.h, gorilla.h, chunk.h,
 * compaction.c. The index of labels belongs to the module, not to a key, and is not here.
 */
#include "analyzer/module_series.h"

enum {
    SERIES = 144,
    LABEL = 16,
    RULE = 72,
    CONTEXT = 32, /* of an aggregation: 24 to 80 */
    CHUNK_COMPRESSED = 80,
    CHUNK_PLAIN = 32,
    OPTION_PLAIN = 1
};

enum series_part { P_NAME, P_HEAD, P_SOURCE, P_IGNORE, P_LABELS, P_LABEL, P_RULES, P_RULE, P_CHUNKS };

/* Numbers at P_HEAD, by their place. */
enum { H_OPTIONS = 2, H_SAMPLES = 5 };

void series_begin(struct series_walk *s, struct rebuild *r, int encver)
{
    *s = (struct series_walk){.r = r, .encver = encver};
    zmalloc(r->z, SERIES, ZL_MODULE);
    zmalloc(r->z, r->pf->mu == MU_88 ? 16 : 8, ZL_MODULE); /* RedisModuleDict */
    key_set_clear(r->set);
}

static void go(struct series_walk *s, enum series_part part)
{
    s->part = (uint8_t)part;
    s->at = 0;
}

/* ---------------------------------------------------------------- strings */

/* The n-th last number, 1 being the last. */
static uint64_t back(const struct series_walk *s, uint64_t n)
{
    return s->back[(s->nback - n) % SERIES_BACK];
}

/* A chunk's data. Its first timestamp is its name in the tree of chunks. */
static void chunk(struct series_walk *s, uint64_t len)
{
    uint64_t numbers = s->plain ? 3 : 10, first;
    uint8_t name[8];
    if (s->nback < numbers || back(s, s->plain ? 1 : 10) != len) {
        s->odd = true;
        return;
    }
    first = back(s, s->plain ? 3 : 6);
    for (int i = 7; i >= 0; i--, first >>= 8)
        name[i] = (uint8_t)first;
    key_set_add(s->r->set, name, sizeof name);
    zmalloc(s->r->z, s->plain ? CHUNK_PLAIN : CHUNK_COMPRESSED, ZL_MODULE);
    zmalloc(s->r->z, len, ZL_MODULE);
}

static void label(struct series_walk *s)
{
    if (++s->at / 2 < s->labels)
        return;
    zmalloc(s->r->z, LABEL * s->labels, ZL_MODULE);
    go(s, P_RULES);
}

static void rule(struct series_walk *s)
{
    zmalloc(s->r->z, RULE, ZL_MODULE);
    zmalloc(s->r->z, CONTEXT, ZL_MODULE);
    if (++s->at == s->rules)
        go(s, P_CHUNKS);
}

static void string_item(struct series_walk *s, const struct rdb_element *e)
{
    if (s->part == P_CHUNKS) {
        chunk(s, e->len);
        return;
    }
    module_text_object(s->r, e);
    switch ((enum series_part)s->part) {
    case P_NAME: go(s, P_HEAD); break;
    case P_SOURCE: go(s, s->encver >= 8 ? P_IGNORE : P_LABELS); break;
    case P_LABEL: label(s); break;
    case P_RULE: rule(s); break;
    default: s->odd = true;
    }
}

/* ---------------------------------------------------------------- numbers */

static void head(struct series_walk *s, uint64_t v)
{
    uint64_t has_source = s->encver >= 3 ? 7 : 6;
    if (s->at == H_OPTIONS)
        s->plain = v & OPTION_PLAIN;
    else if (s->at == H_SAMPLES)
        s->samples = v;
    if (s->at++ == has_source)
        go(s, v ? P_SOURCE : s->encver >= 8 ? P_IGNORE : P_LABELS);
}

static void number_item(struct series_walk *s, uint64_t v)
{
    s->back[s->nback++ % SERIES_BACK] = v;
    switch ((enum series_part)s->part) {
    case P_HEAD: head(s, v); break;
    case P_IGNORE:
        if (++s->at == 2)
            go(s, P_LABELS);
        break;
    case P_LABELS:
        s->labels = v;
        go(s, v ? P_LABEL : P_RULES);
        break;
    case P_RULES:
        s->rules = v;
        go(s, v ? P_RULE : P_CHUNKS);
        break;
    case P_RULE:
    case P_CHUNKS: break;
    default: s->odd = true;
    }
}

/* ---------------------------------------------------------------- */

void series_item(struct series_walk *s, const struct rdb_element *e)
{
    if (s->odd)
        return;
    if (e->role == RDB_R_MODULE_STRING)
        string_item(s, e);
    else
        number_item(s, e->role == RDB_R_MODULE_DOUBLE ? 0 : (uint64_t)e->num);
}

bool series_end(struct series_walk *s)
{
    struct rax_sum names = {0, 0, 0};
    struct rebuild *r = s->r;
    r->rax = r->raxes[RAX_MAIN];
    key_set_rax(r, r->set, (uint64_t)r->pf->rax, true, NULL, &names);
    r->k->elements = s->samples;
    return !s->odd && s->part == P_CHUNKS;
}
