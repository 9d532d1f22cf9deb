/*
 * explain.c - see explain.h.
 */
#include "analyzer/explain.h"

#include <stdlib.h>
#include <string.h>

/* Blocks of one purpose and size. */
struct explain_kind {
    enum zlabel label;
    uint64_t request;
    uint64_t live;
    size_t first; /* its first row */
    bool folded;  /* that row counts them all */
};

bool explain_wants(const struct explain *x, uint32_t db, const uint8_t *name, size_t len)
{
    return len == x->name_len && (!x->has_db || x->db == db) && (len == 0 || memcmp(name, x->name, len) == 0);
}

/* ---------------------------------------------------------------- kinds */

static size_t slot_of(const struct explain *x, enum zlabel label, uint64_t request)
{
    uint64_t h = (request * 64 + (uint64_t)label) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(h >> 32) & (2 * x->kinds_room - 1);
}

static void index_kind(struct explain *x, uint32_t id)
{
    size_t i = slot_of(x, x->kinds[id].label, x->kinds[id].request);
    while (x->kind_index[i])
        i = (i + 1) & (2 * x->kinds_room - 1);
    x->kind_index[i] = id + 1;
}

static bool more_kinds(struct explain *x)
{
    size_t room = x->kinds_room ? 2 * x->kinds_room : 256;
    struct explain_kind *kinds = realloc(x->kinds, room * sizeof *kinds);
    uint32_t *index = calloc(2 * room, sizeof *index);
    if (kinds)
        x->kinds = kinds;
    if (!kinds || !index) {
        free(index);
        x->failed = true;
        return false;
    }
    free(x->kind_index);
    x->kind_index = index;
    x->kinds_room = room;
    for (size_t i = 0; i < x->nkinds; i++)
        index_kind(x, (uint32_t)i);
    return true;
}

static struct explain_kind *kind_of(struct explain *x, enum zlabel label, uint64_t request)
{
    if (x->nkinds == x->kinds_room && !more_kinds(x))
        return NULL;
    for (size_t i = slot_of(x, label, request);; i = (i + 1) & (2 * x->kinds_room - 1)) {
        uint32_t id = x->kind_index[i];
        if (id == 0)
            break;
        if (x->kinds[id - 1].label == label && x->kinds[id - 1].request == request)
            return &x->kinds[id - 1];
    }
    x->kinds[x->nkinds] = (struct explain_kind){.label = label, .request = request, .first = SIZE_MAX};
    index_kind(x, (uint32_t)x->nkinds);
    return &x->kinds[x->nkinds++];
}

/* ---------------------------------------------------------------- rows */

static bool is_of(const struct explain_row *r, const struct explain_kind *kind)
{
    return r->count > 0 && r->label == kind->label && r->request == kind->request;
}

static void add_row(struct explain *x, struct explain_kind *kind, uint64_t usable, uint64_t count)
{
    if (x->n == x->rows_room) {
        size_t room = x->rows_room ? 2 * x->rows_room : 256;
        struct explain_row *rows = realloc(x->rows, room * sizeof *rows);
        if (!rows) {
            x->failed = true;
            return;
        }
        x->rows = rows;
        x->rows_room = room;
    }
    if (kind->live == 0 && (kind->first == SIZE_MAX || x->rows[kind->first].count == 0))
        kind->first = x->n;
    x->rows[x->n++] = (struct explain_row){kind->label, kind->request, usable, count};
}

/* All rows of the kind become its first one. */
static void fold(struct explain *x, struct explain_kind *kind)
{
    for (size_t i = kind->first + 1; i < x->n; i++)
        if (is_of(&x->rows[i], kind)) {
            x->rows[kind->first].count += x->rows[i].count;
            x->rows[i].count = 0;
        }
    kind->folded = true;
}

static void block_comes(struct explain *x, struct explain_kind *kind, uint64_t usable, uint64_t count)
{
    bool many = kind->live + count > EXPLAIN_SINGLY;
    if (kind->live > 0 && !kind->folded && many)
        fold(x, kind);
    if (kind->folded) {
        x->rows[kind->first].count += count;
    } else if (many) {
        add_row(x, kind, usable, count);
        kind->folded = !x->failed;
    } else {
        for (uint64_t i = 0; i < count && !x->failed; i++)
            add_row(x, kind, usable, 1);
    }
    kind->live += count;
}

/* The last one that came goes. */
static void block_goes(struct explain *x, struct explain_kind *kind, uint64_t count)
{
    uint64_t left = count < kind->live ? count : kind->live;
    kind->live -= left;
    for (size_t i = x->n; i-- > 0 && left > 0;)
        if (is_of(&x->rows[i], kind)) {
            uint64_t take = x->rows[i].count < left ? x->rows[i].count : left;
            x->rows[i].count -= take;
            left -= take;
        }
    kind->folded = kind->folded && kind->live > 0;
}

void explain_block(void *ctx, enum zlabel label, uint64_t request, uint64_t usable, uint64_t count, bool is_free)
{
    struct explain *x = ctx;
    struct explain_kind *kind = x->failed ? NULL : kind_of(x, label, request);
    if (!kind)
        return;
    if (is_free)
        block_goes(x, kind, count);
    else
        block_comes(x, kind, usable, count);
}

/* ---------------------------------------------------------------- the end */

void explain_finish(struct explain *x, const struct key_report *k)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++) {
        struct explain_row r = x->rows[i];
        if (r.count == 0 || k->flags & KEY_EMPTY) /* what an empty key would have cost was taken back */
            continue;
        x->rows[n++] = r;
        x->blocks += r.count;
        x->requested += r.count * r.request;
        x->usable += r.count * r.usable;
    }
    x->n = n;
    x->key = *k;
    x->key.name = x->name;
    x->chance = k->bytes > x->usable ? k->bytes - x->usable : 0;
    x->found = true;
}

void explain_free(struct explain *x)
{
    free(x->rows);
    free(x->kinds);
    free(x->kind_index);
    *x = (struct explain){0};
}
