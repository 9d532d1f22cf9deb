/*
 * groups_tree.c - from nodes and cells to the rows of a report. See groups.h.
 *
 * The heaviest nodes become rows. Every other node belongs to the row of the nearest ancestor that has one, or to that
 * row's "other" when it has children in the report. Each cell is then added to its row and to all rows above.
 */
#include "analyzer/groups_internal.h"

#include <stdlib.h>
#include <string.h>

#define NO_ROW SIZE_MAX

struct builder {
    const struct groups *g;
    uint64_t *bytes;        /* by node, with all below */
    size_t *row;            /* by node: its own row, NO_ROW */
    uint32_t *first, *next; /* by node: its chosen children, heaviest first; the next one of the same parent */
    size_t *other;          /* by row: the row of its "other", NO_ROW */
    size_t *sum_of;         /* by node: the row that its cells are added to */
    struct group_tree *out;
};

/* ---------------------------------------------------------------- which nodes */

static void sum_up(struct builder *b)
{
    const struct groups *g = b->g;
    for (uint32_t c = 1; c < g->ncells; c++) {
        if (!g->cells[c].hash)
            continue;
        for (uint32_t at = g->cells[c].node;; at = g->nodes[at].parent) {
            b->bytes[at] += g->cells[c].bytes;
            if (at == 0)
                break;
        }
    }
}

/* qsort has no context in C11. */
struct ranked {
    uint64_t bytes;
    uint32_t node;
    uint8_t depth;
};

/* Parents go before children of the same weight. */
static int by_weight(const void *x, const void *y)
{
    const struct ranked *a = x, *b = y;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    if (a->depth != b->depth)
        return a->depth < b->depth ? -1 : 1;
    return (a->node > b->node) - (a->node < b->node);
}

static bool choose(struct builder *b, size_t max_rows)
{
    const struct groups *g = b->g;
    struct ranked *all = malloc(sizeof *all * g->nnodes);
    size_t n = 0;
    if (all == NULL)
        return false;
    for (uint32_t i = 1; i < g->nnodes; i++)
        if (g->nodes[i].used && !g->nodes[i].is_other)
            all[n++] = (struct ranked){b->bytes[i], i, g->nodes[i].depth};
    qsort(all, n, sizeof *all, by_weight);
    for (size_t i = n < max_rows ? n : max_rows; i-- > 0;) {
        uint32_t parent = g->nodes[all[i].node].parent;
        b->next[all[i].node] = b->first[parent];
        b->first[parent] = all[i].node;
    }
    free(all);
    return true;
}

/* ---------------------------------------------------------------- the order of rows */

static size_t path_text(const struct groups *g, uint32_t node, char *to)
{
    size_t n = node ? path_text(g, g->nodes[node].parent, to) : 0;
    memcpy(to + n, g->nodes[node].text, g->nodes[node].len);
    return n + g->nodes[node].len;
}

static bool new_row(struct builder *b, uint32_t node, size_t parent)
{
    char text[SEGMENTS_MAX * SEGMENT_ROOM];
    const struct group_node *n = &b->g->nodes[node];
    struct group *r = &b->out->rows[b->out->n];
    memset(r, 0, sizeof *r);
    r->name_len = path_text(b->g, n->is_other ? n->parent : node, text);
    r->name = malloc(r->name_len + 1);
    if (r->name == NULL)
        return false;
    memcpy(r->name, text, r->name_len);
    r->parent = parent;
    r->depth = n->depth;
    r->leaf = node != 0 && !n->is_other && n->children == 0 && n->other == GROUPS_NONE;
    r->missing_at_most = node ? n->missing : 0;
    b->row[node] = b->out->n++;
    return true;
}

static bool other_row(struct builder *b, size_t parent)
{
    struct group *r = &b->out->rows[b->out->n];
    const struct group *p = &b->out->rows[parent];
    memset(r, 0, sizeof *r);
    r->name = malloc(p->name_len + 1);
    if (r->name == NULL)
        return false;
    memcpy(r->name, p->name, p->name_len);
    r->name_len = p->name_len;
    r->parent = parent;
    r->depth = p->depth + 1;
    r->other = true;
    b->other[parent] = b->out->n++;
    return true;
}

/* The node, its chosen children, "other"; recursion no deeper than a name has parts. */
static bool lay_out(struct builder *b, uint32_t node, size_t parent)
{
    uint64_t left = b->bytes[node];
    size_t here = b->out->n;
    if (!new_row(b, node, parent))
        return false;
    for (uint32_t child = b->first[node]; child != GROUPS_NONE; child = b->next[child]) {
        left -= b->bytes[child];
        if (!lay_out(b, child, here))
            return false;
    }
    return b->first[node] == GROUPS_NONE || left == 0 || other_row(b, here);
}

/* ---------------------------------------------------------------- sums */

/* The row a node's cells are added to first. A node that was not chosen counts as one more prefix of that row. */
static size_t row_for(const struct builder *b, uint32_t node)
{
    uint32_t at = node;
    while (b->row[at] == NO_ROW)
        at = b->g->nodes[at].parent;
    size_t row = b->row[at];
    return at != node && b->other[row] != NO_ROW ? b->other[row] : row;
}

static void add_cell(struct group_sums *s, const struct group_cell *c, uint64_t scale)
{
    unsigned type = c->tag >> TAG_TYPE_SHIFT & 15;
    s->keys += c->keys * scale;
    s->bytes += c->bytes * scale;
    s->type_keys[type] += c->keys * scale;
    s->type_bytes[type] += c->bytes * scale;
    if (c->tag >> TAG_EXPIRES_SHIFT & 1) {
        s->expiring_keys += c->keys * scale;
        s->expiring_bytes += c->bytes * scale;
    }
    if (c->largest > s->largest)
        s->largest = c->largest;
}

static void add_cells(struct builder *b, uint64_t scale)
{
    const struct groups *g = b->g;
    for (uint32_t n = 1; n < g->nnodes; n++) {
        if (!g->nodes[n].used)
            continue;
        size_t begin = b->sum_of[n] = row_for(b, n);
        struct group *first = &b->out->rows[begin];
        first->folded += g->nodes[n].folded + (b->row[n] == NO_ROW && !g->nodes[n].is_other);
        for (uint32_t c = g->nodes[n].cells; c != GROUPS_NONE; c = g->cells[c].next)
            for (size_t row = begin;; row = b->out->rows[row].parent) {
                add_cell(&b->out->rows[row].sums, &g->cells[c], scale);
                if (row == 0)
                    break;
            }
    }
}

/* Percentiles of as many rows at a time as there are histograms: the memory does not grow with the report, and most of the
 * time of a small one went into touching it. */
enum { BATCH = 32 };

static void fill_batch(const struct builder *b, struct histogram *h, size_t from, size_t to)
{
    const struct groups *g = b->g;
    for (uint32_t n = 1; n < g->nnodes; n++) {
        if (!g->nodes[n].used || g->nodes[n].cells == GROUPS_NONE)
            continue;
        for (size_t row = b->sum_of[n];; row = b->out->rows[row].parent) {
            if (row >= from && row < to)
                for (uint32_t c = g->nodes[n].cells; c != GROUPS_NONE; c = g->cells[c].next)
                    h[row - from].keys[g->cells[c].tag & ((1U << TAG_TYPE_SHIFT) - 1)] += g->cells[c].keys;
            if (row == 0)
                break;
        }
    }
}

static bool percentiles(const struct builder *b)
{
    struct histogram *h = malloc(sizeof *h * BATCH);
    if (h == NULL)
        return false;
    for (size_t from = 0; from < b->out->n; from += BATCH) {
        size_t to = from + BATCH < b->out->n ? from + BATCH : b->out->n;
        memset(h, 0, sizeof *h * (to - from));
        fill_batch(b, h, from, to);
        for (size_t row = from; row < to; row++) {
            struct group_sums *s = &b->out->rows[row].sums;
            s->p50 = histogram_percentile(&h[row - from], 0.50, s->largest);
            s->p99 = histogram_percentile(&h[row - from], 0.99, s->largest);
        }
    }
    free(h);
    return true;
}

/* ---------------------------------------------------------------- all of it */

static bool builder_init(struct builder *b, const struct groups *g, size_t max_rows, struct group_tree *out)
{
    size_t rows = 2 * max_rows + 2; /* each may have an "other" */
    *b = (struct builder){.g = g, .out = out};
    b->bytes = calloc(g->nnodes, sizeof *b->bytes);
    b->row = calloc(g->nnodes, sizeof *b->row);
    b->sum_of = malloc(sizeof *b->sum_of * g->nnodes);
    b->first = calloc(g->nnodes, sizeof *b->first);
    b->next = calloc(g->nnodes, sizeof *b->next);
    b->other = malloc(sizeof *b->other * rows);
    out->rows = calloc(rows, sizeof *out->rows);
    if (!b->bytes || !b->row || !b->sum_of || !b->first || !b->next || !b->other || !out->rows)
        return false;
    for (size_t i = 0; i < g->nnodes; i++)
        b->row[i] = NO_ROW;
    for (size_t i = 0; i < rows; i++)
        b->other[i] = NO_ROW;
    return true;
}

static void builder_free(struct builder *b)
{
    free(b->bytes);
    free(b->row);
    free(b->sum_of);
    free(b->first);
    free(b->next);
    free(b->other);
}

bool groups_finish(const struct groups *g, size_t max_rows, uint64_t scale, struct group_tree *out)
{
    struct builder b;
    memset(out, 0, sizeof *out);
    if (max_rows > g->nnodes)
        max_rows = g->nnodes;
    bool ok = builder_init(&b, g, max_rows, out);
    if (ok) {
        sum_up(&b);
        ok = choose(&b, max_rows) && lay_out(&b, 0, 0);
    }
    if (ok) {
        add_cells(&b, scale);
        ok = percentiles(&b);
    }
    builder_free(&b);
    out->merged = g->merged;
    out->fallback = g->splitter.fallback;
    memcpy(out->separators, g->splitter.separators, sizeof g->splitter.separators);
    if (!ok)
        group_tree_free(out);
    return ok;
}

void group_tree_free(struct group_tree *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->rows[i].name);
    free(t->rows);
    memset(t, 0, sizeof *t);
}
