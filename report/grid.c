/*
 * grid.c - aligned columns. See grid.h.
 */
#include "report/grid.h"

#include <stdlib.h>
#include <string.h>

#include "report/escape.h"

enum { INDENT = 2, GAP = 2, NAME_LIKED = 24, NAME_LEAST = 12 };

struct layout {
    size_t width[GRID_COLUMNS];
    bool shown[GRID_COLUMNS];
    size_t used; /* columns of the terminal that the shown ones take */
};

void grid_begin(struct grid *g, const struct grid_column *columns, unsigned ncolumns)
{
    *g = (struct grid){.columns = columns, .ncolumns = ncolumns};
}

static struct grid_cell *next_cell(struct grid *g)
{
    if (g->n == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 64;
        struct grid_cell *cells = realloc(g->cells, cap * sizeof *cells);
        if (!cells) {
            g->failed = true;
            return NULL;
        }
        g->cells = cells;
        g->cap = cap;
    }
    g->cells[g->n] = (struct grid_cell){0};
    return &g->cells[g->n++];
}

void grid_text(struct grid *g, const char *text)
{
    struct grid_cell *c = next_cell(g);
    if (!c)
        return;
    c->text = safe_text(text);
    if (!c->text)
        g->failed = true;
    else
        c->width = text_width(c->text);
}

void grid_name(struct grid *g, const uint8_t *name, size_t len, bool cut)
{
    struct grid_cell *c = next_cell(g);
    if (!c)
        return;
    c->name = name ? name : (const uint8_t *)"";
    c->name_len = len;
    c->name_cut = cut;
    c->width = NAME_LIKED;
}

static size_t column_width(const struct grid *g, unsigned i)
{
    size_t width = text_width(g->columns[i].title);
    for (size_t j = i; j < g->n; j += g->ncolumns)
        if (g->cells[j].width > width)
            width = g->cells[j].width;
    return width;
}

/* The shown column that goes first, ncolumns when none may. */
static unsigned least_wanted(const struct grid *g, const struct layout *l)
{
    unsigned worst = g->ncolumns, drop = 0;
    for (unsigned i = 0; i < g->ncolumns; i++)
        if (l->shown[i] && g->columns[i].drop > drop) {
            drop = g->columns[i].drop;
            worst = i;
        }
    return worst;
}

/* The last column takes what is left of the line, and gives up what is not. */
static size_t name_width(size_t liked, size_t used, size_t width)
{
    size_t least = liked < NAME_LEAST ? liked : NAME_LEAST;
    if (used <= width)
        return liked + width - used;
    return used - width > liked - least ? least : liked - (used - width);
}

static struct layout lay_out(const struct grid *g, unsigned width)
{
    struct layout l = {.used = INDENT - GAP};
    unsigned last = g->ncolumns - 1, out;
    for (unsigned i = 0; i < g->ncolumns; i++) {
        l.width[i] = column_width(g, i);
        l.shown[i] = true;
        l.used += l.width[i] + GAP;
    }
    while (l.used > width && (out = least_wanted(g, &l)) < g->ncolumns) {
        l.shown[out] = false;
        l.used -= l.width[out] + GAP;
    }
    if (g->n >= g->ncolumns && g->cells[last].name)
        l.width[last] = name_width(l.width[last], l.used, width);
    return l;
}

/* A line being written: blanks are only kept in mind until something follows them. */
struct line {
    struct out *o;
    size_t blanks;
};

static void line_text(struct line *n, const char *text, size_t columns, size_t width, bool left)
{
    if (!left)
        n->blanks += width - columns;
    if (*text) {
        out_spaces(n->o, n->blanks);
        out_str(n->o, text);
        n->blanks = 0;
    }
    if (left)
        n->blanks += width - columns;
    n->blanks += GAP;
}

static void print_titles(const struct grid *g, const struct layout *l, struct out *o, const char *before,
                         const char *after)
{
    struct line n = {o, INDENT};
    out_str(o, before);
    for (unsigned i = 0; i < g->ncolumns; i++)
        if (l->shown[i])
            line_text(&n, g->columns[i].title, text_width(g->columns[i].title), l->width[i], g->columns[i].left);
    out_str(o, after);
    out_char(o, '\n');
}

static void print_row(const struct grid *g, const struct layout *l, const struct grid_cell *row, struct out *o)
{
    struct line n = {o, INDENT};
    for (unsigned i = 0; i < g->ncolumns; i++) {
        if (!l->shown[i])
            continue;
        if (!row[i].name) {
            line_text(&n, row[i].text, row[i].width, l->width[i], g->columns[i].left);
            continue;
        }
        out_spaces(o, n.blanks);
        n.blanks = GAP + l->width[i] - quote_write(o, row[i].name, row[i].name_len, l->width[i], row[i].name_cut);
    }
    out_char(o, '\n');
}

bool grid_print(struct grid *g, struct out *o, unsigned width, const char *before, const char *after)
{
    bool ok = !g->failed;
    if (ok) {
        struct layout l = lay_out(g, width);
        print_titles(g, &l, o, before, after);
        for (size_t i = 0; i + g->ncolumns <= g->n; i += g->ncolumns)
            print_row(g, &l, g->cells + i, o);
    }
    for (size_t i = 0; i < g->n; i++)
        free(g->cells[i].text);
    free(g->cells);
    *g = (struct grid){0};
    return ok;
}
