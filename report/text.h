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
    const struct fleet *fleet;             /* several dumps, and what each is called in tables; else NULL */
    char **labels;
};

/* A heading with an empty line above it. */
void text_heading(struct text *t, const char *heading);

/* A paragraph, broken at spaces; lines after the first begin with two spaces. Whatever is in it, it is shown safely. */
__attribute__((format(printf, 2, 3))) void text_wrap(struct text *t, const char *format, ...);

/* A cell by printf. */
__attribute__((format(printf, 2, 3))) void text_cell(struct grid *g, const char *format, ...);

void text_grid(struct text *t, struct grid *g);

/* text_fleet.c: names for the files' columns; the table of the dumps. */
bool text_labels(struct text *t, const struct fleet *f);
void text_labels_free(struct text *t);
void text_fleet(struct text *t, const struct analysis *a);

void text_types(struct text *t, const struct analysis *a);
void text_encodings(struct text *t, const struct analysis *a);
void text_modules(struct text *t, const struct analysis *a); /* text_modules.c */
void text_structures(struct text *t, const struct analysis *a);
void text_databases(struct text *t, const struct analysis *a);
void text_top(struct text *t, const struct analysis *a);
void text_big(struct text *t, const struct analysis *a);
void text_filter(struct text *t, const struct analysis *a);
void text_sizes(struct text *t, const struct analysis *a);
void text_slots(struct text *t, const struct analysis *a);
void text_audit(struct text *t, const struct analysis *a);
void text_groups(struct text *t, const struct analysis *a);
void text_groups_custom(struct text *t, const struct analysis *a);
void text_expiries(struct text *t, const struct analysis *a);
void text_forecast(struct text *t, const struct analysis *a); /* text_forecast.c */
void text_eviction(struct text *t, const struct analysis *a); /* text_whatif.c */
void text_rebuild(struct text *t, const struct analysis *a);

#endif
