/*
 * grid.h - aligned columns of text that fit a width.
 *
 * Rows are gathered, then printed: each column is as wide as its widest cell. The last column may hold key names; it
 * gets what is left of the width and its names are cut. When there is too little room columns are left out, those
 * with the highest number in `drop` first. No line ends in blanks.
 */
#ifndef RDBMEM_GRID_H
#define RDBMEM_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/out.h"

enum { GRID_COLUMNS = 12 };

struct grid_column {
    const char *title;
    bool left;     /* aligned to the left; numbers are to the right */
    unsigned drop; /* left out when room is short, highest first; 0 = never */
};

struct grid_cell {
    char *text;          /* allocated; NULL: a name, or empty */
    const uint8_t *name; /* borrowed until grid_print */
    size_t name_len;
    bool name_cut;
    size_t width;
};

struct grid {
    const struct grid_column *columns;
    unsigned ncolumns;
    struct grid_cell *cells; /* ncolumns to a row */
    size_t n, cap;
    bool failed; /* out of memory */
};

void grid_begin(struct grid *g, const struct grid_column *columns, unsigned ncolumns);

/* The next cell, row by row. */
void grid_text(struct grid *g, const char *text);
void grid_name(struct grid *g, const uint8_t *name, size_t len, bool cut);

/* Prints the titles (between the sequences before and after, "" for none) and the rows, frees. False when memory was out. */
bool grid_print(struct grid *g, struct out *o, unsigned width, const char *before, const char *after);

#endif
