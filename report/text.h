/*
 * text.h - what the parts of the text report share (text.c, text_tables.c).
 */
#ifndef RDBMEM_TEXT_H
#define RDBMEM_TEXT_H

#include "report/grid.h"
#include "report/report.h"

struct text {
    struct out *out;
    unsigned width;
    int64_t clock_s;
    const char *bold, *dim, *warn, *plain; /* ANSI sequences, or "" */
    bool failed;                           /* out of memory */
};

/* A heading with an empty line above it. */
void text_heading(struct text *t, const char *heading);

/* A paragraph, broken at spaces; lines after the first begin with two spaces. Whatever is in it, it is shown safely. */
__attribute__((format(printf, 2, 3))) void text_wrap(struct text *t, const char *format, ...);

/* A cell by printf. */
__attribute__((format(printf, 2, 3))) void text_cell(struct grid *g, const char *format, ...);

void text_grid(struct text *t, struct grid *g);

void text_types(struct text *t, const struct analysis *a);
void text_encodings(struct text *t, const struct analysis *a);
void text_structures(struct text *t, const struct analysis *a);
void text_databases(struct text *t, const struct analysis *a);
void text_top(struct text *t, const struct analysis *a);
void text_big(struct text *t, const struct analysis *a);
void text_expiries(struct text *t, const struct analysis *a);

#endif
