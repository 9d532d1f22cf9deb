/*
 * text_found.c - the tables of the text report about what was found over all keys: groups by prefix and by pattern.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/human.h"
#include "report/text.h"

/* ---------------------------------------------------------------- groups by prefix */

enum { PREFIX_ROWS = 30 /* on a screen; JSON has more */, WORTH_A_LINE = 1000 /* this part of all */, TYPES_TEXT = 64 };

static const struct grid_column group_columns[] = {{"memory", false, 0},  {"share", false, 1},    {"keys", false, 0},
                                                   {"average", false, 3}, {"p99", false, 5},      {"largest", false, 4},
                                                   {"types", true, 6},    {"expiring", false, 2}, {"prefix", true, 0}};

static void types_text(char out[TYPES_TEXT], const struct group_sums *s)
{
    size_t n = 0;
    out[0] = '\0';
    for (unsigned t = 0; t < RDB_T_COUNT && n + 12 < TYPES_TEXT; t++)
        if (s->type_keys[t])
            n += (size_t)snprintf(out + n, TYPES_TEXT - n, "%s%s", n ? "," : "", rdb_type_name((enum rdb_type)t));
}

static void sums_cells(struct grid *g, const struct group_sums *s, uint64_t whole)
{
    char types[TYPES_TEXT];
    types_text(types, s);
    grid_text(g, human_bytes(s->bytes).s);
    grid_text(g, human_share(s->bytes, whole).s);
    grid_text(g, human_count(s->keys).s);
    grid_text(g, human_bytes(s->keys ? s->bytes / s->keys : 0).s);
    grid_text(g, human_bytes(s->p99).s);
    grid_text(g, human_bytes(s->largest).s);
    grid_text(g, types);
    grid_text(g, human_share(s->expiring_keys, s->keys).s);
}

/* A parent whose one child says the same again. */
static bool says_the_same(const struct group_tree *t, size_t i)
{
    return i > 0 && i + 1 < t->n && t->rows[i + 1].parent == i && !t->rows[i + 1].other &&
           t->rows[i + 1].sums.bytes == t->rows[i].sums.bytes;
}

static int weight_falls(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a < b) - (a > b);
}

/* What a row must weigh to be among the first PREFIX_ROWS, and to be worth a line at all. */
static uint64_t least_weight(const struct group_tree *t)
{
    uint64_t *weights = malloc(sizeof *weights * t->n), least = t->rows[0].sums.bytes / WORTH_A_LINE;
    size_t n = 0;
    if (!weights)
        return UINT64_MAX;
    for (size_t i = 1; i < t->n; i++)
        if (!says_the_same(t, i))
            weights[n++] = t->rows[i].sums.bytes;
    qsort(weights, n, sizeof *weights, weight_falls);
    if (n > PREFIX_ROWS && weights[PREFIX_ROWS - 1] > least)
        least = weights[PREFIX_ROWS - 1];
    free(weights);
    return least;
}

/* Columns of a prefix: what the other columns leave when those that may be left out are. */
static size_t prefix_room(const struct text *t)
{
    enum { OTHERS = 44, LEAST = 16 };
    return t->width > OTHERS + LEAST ? t->width - OTHERS : LEAST;
}

/* As safe text, its end replaced by dots where it is too long. */
static void put_cut(struct grid *g, char *safe, size_t room)
{
    size_t len = strlen(safe), cut = len;
    while (text_width(safe) > room && cut > 0) {
        while (cut > 0 && ((unsigned char)safe[cut - 1] & 0xc0) == 0x80) /* whole characters */
            cut--;
        cut -= cut > 0;
        memcpy(safe + cut, "...", 4); /* prefix_cell left room for it */
    }
    grid_text(g, safe);
}

/* The prefix, indented; a NUL in it is written out here, what else is not printable later. Allocated. */
static char *prefix_text(const struct group *row, unsigned indent)
{
    char *text = malloc(2 * indent + 4 * row->name_len + 48), *p = text;
    if (!text)
        return NULL;
    memset(p, ' ', 2 * indent);
    p += 2 * indent;
    for (size_t i = 0; i < row->name_len; i++) {
        memcpy(p, row->name[i] ? &row->name[i] : "\\x00", row->name[i] ? 1 : 4);
        p += row->name[i] ? 1 : 4;
    }
    if (row->name_len > 0 && p[-1] == ' ') { /* a blank at the end would not be seen */
        memcpy(p - 1, "\\x20", 4);
        p += 3;
    }
    if (row->other) {
        memcpy(p, " (", 2);
        p = put_u64(p + 2, row->folded);
        memcpy(p, " others)", 8);
        p += 8;
    }
    *p = '\0';
    return text;
}

static void prefix_cell(struct text *t, struct grid *g, const struct group *row, unsigned indent)
{
    char *raw = prefix_text(row, indent), *safe = raw ? safe_text(raw) : NULL, *cell = NULL;
    if (safe && asprintf(&cell, "%s    ", safe) >= 0) { /* room for the dots */
        cell[strlen(safe)] = '\0';
        put_cut(g, cell, prefix_room(t));
        free(cell);
    } else {
        t->failed = true;
    }
    free(safe);
    free(raw);
}

/* Rows that stand in the table; returns how many do not. below[i]: how far children of row i are indented. */
static size_t prefix_rows(struct text *t, struct grid *g, const struct group_tree *tree, unsigned *below)
{
    uint64_t least = least_weight(tree);
    size_t hidden = 0;
    below[0] = 0;
    for (size_t i = 1; i < tree->n; i++) {
        const struct group *row = &tree->rows[i];
        bool shown = row->sums.bytes >= least && !says_the_same(tree, i);
        unsigned indent = below[row->parent];
        below[i] = indent + shown;
        hidden += row->sums.bytes < least;
        if (!shown)
            continue;
        sums_cells(g, &row->sums, tree->rows[0].sums.bytes);
        prefix_cell(t, g, row, indent);
    }
    return hidden;
}

void text_groups(struct text *t, const struct analysis *a)
{
    const struct group_tree *tree = a->found ? &a->found->groups : NULL;
    struct grid g;
    if (!tree || tree->n < 2)
        return;
    unsigned *below = malloc(sizeof *below * tree->n);
    if (!below) {
        t->failed = true;
        return;
    }
    text_heading(t, "Prefixes");
    grid_begin(&g, group_columns, 9);
    size_t hidden = prefix_rows(t, &g, tree, below);
    text_grid(t, &g);
    if (hidden)
        text_wrap(t, "  ... and %s smaller ones; --format=json lists them.", human_count(hidden).s);
    if (tree->merged)
        text_wrap(t,
                  "  There are more prefixes than can be told apart: %s times a small one was merged into others. Sums "
                  "are exact; a prefix may lack what came before it was kept (missing_at_most_bytes in JSON).",
                  human_count(tree->merged).s);
    free(below);
}

/* ---------------------------------------------------------------- groups by pattern */

void text_groups_custom(struct text *t, const struct analysis *a)
{
    const struct findings_report *r = a->found;
    uint64_t whole = 0;
    struct grid g;
    if (!r || r->ncustom == 0)
        return;
    for (size_t i = 0; i < r->ncustom; i++)
        whole += r->custom[i].sums.bytes;
    text_heading(t, "Groups");
    grid_begin(&g, group_columns, 9);
    for (size_t i = 0; i < r->ncustom; i++) {
        sums_cells(&g, &r->custom[i].sums, whole);
        grid_text(&g, r->custom[i].name);
    }
    text_grid(t, &g);
    for (size_t i = 0; i < r->ncustom; i++)
        if (r->custom[i].gave_up)
            text_wrap(t, "  %s: gave up on %s names, the pattern needs too many steps on them.", r->custom[i].name,
                      human_count(r->custom[i].gave_up).s);
}
