/*
 * text_forecast.c - "What will come": a row and a bar for every step, and what an operator would do about it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/human.h"
#include "report/text.h"

enum { PINS_WORTH_TELLING = 65536 /* bytes */ };

static uint64_t whole(double v)
{
    return v > 0 ? (uint64_t)(v + 0.5) : 0;
}

static void when_cell(struct grid *g, const struct forecast_row *row)
{
    if (row->deleted_percent > 0)
        text_cell(g, "then %.0f %% deleted", row->deleted_percent);
    else if (row->horizon_s == 0)
        grid_text(g, "after load");
    else if (row->horizon_s == INT64_MAX)
        grid_text(g, "all expiries passed");
    else
        text_cell(g, "%s later", human_duration(row->horizon_s).s);
}

/* The full bar is the active memory after the load; what is used is drawn dark, what is held but free light. */
static void memory_bar(struct grid *g, const struct forecast_step *s, double most)
{
    enum { WIDTH = 16 };
    char bar[WIDTH + 1];
    int used = (int)lround(s->used_memory / most * WIDTH), active = (int)lround(s->allocator_active / most * WIDTH),
        n = 0;
    for (; n < WIDTH && n < used; n++)
        bar[n] = '#';
    for (; n < WIDTH && n < active; n++)
        bar[n] = '-';
    bar[n] = '\0';
    grid_text(g, bar);
}

static void row_cells(struct grid *g, const struct forecast_row *row, double most)
{
    const struct forecast_step *s = &row->s;
    when_cell(g, row);
    grid_text(g, human_count(whole(s->keys)).s);
    grid_text(g, human_bytes(whole(s->used_memory)).s);
    if (!s->modelled) {
        for (int i = 0; i < 4; i++)
            grid_text(g, "");
        return;
    }
    grid_text(g, human_bytes(whole(s->allocator_active)).s);
    text_cell(g, "%.2f", s->allocator_frag_ratio);
    text_cell(g, "%.2f", s->mem_fragmentation_ratio);
    memory_bar(g, s, most);
}

/* The step with the worst ratio decides what is said. */
static const struct forecast_row *worst_of(const struct forecast_report *f)
{
    const struct forecast_row *worst = &f->rows[0];
    for (size_t i = 1; i < f->n; i++)
        if (f->rows[i].s.allocator_frag_ratio > worst->s.allocator_frag_ratio + 0.005)
            worst = &f->rows[i];
    return worst;
}

static void verdict(struct text *t, const struct forecast_report *f)
{
    const struct forecast_row *w = worst_of(f);
    const struct forecast_step *s = &w->s;
    if (w == &f->rows[0] || s->allocator_frag_ratio < 1.1) {
        text_wrap(t, "  Fragmentation stays low: at most %.2f; active defrag would not start.",
                  s->allocator_frag_ratio);
        return;
    }
    text_wrap(t, "  Worst fragmentation %.2f (%s): %s of pages held by half-empty slabs. A restart then gives back %s.",
              s->allocator_frag_ratio, forecast_band_name(s->band), human_bytes(whole(s->allocator_frag_bytes)).s,
              human_bytes(whole(s->restart_gains)).s);
    if (!f->defrag.available)
        text_wrap(t, "  activedefrag is not to be had with this allocator or version.");
    else if (s->defrag_starts)
        text_wrap(t, "  activedefrag, if switched on, would start with %u %% of a core and give back %s to %s.",
                  s->defrag_cpu, human_bytes(whole(s->defrag_least)).s, human_bytes(whole(s->defrag_most)).s);
    else
        text_wrap(
            t,
            "  activedefrag would not start: it wants %u %% and %s of free bytes in slabs, there are %.0f %% and %s.",
            f->defrag.threshold_lower, human_bytes(f->defrag.ignore_bytes).s, s->defrag_percent,
            human_bytes(whole(s->defrag_bytes)).s);
}

/* "user: (1.2 MiB)"; empty when the prefix keeps little or there is none. */
static void pin_text(const struct forecast_row *w, size_t i, char *out, size_t room)
{
    char prefix[FORECAST_PREFIX + 1];
    out[0] = '\0';
    if (i >= w->npins || w->pins[i].len == 0 || w->pins[i].bytes < PINS_WORTH_TELLING)
        return;
    memcpy(prefix, w->pins[i].prefix, w->pins[i].len);
    prefix[w->pins[i].len] = '\0';
    char *safe = safe_text(prefix);
    if (safe)
        snprintf(out, room, "%s (%s)", safe, human_bytes(whole(w->pins[i].bytes)).s);
    free(safe);
}

static void prefix_pinners(struct text *t, const struct forecast_row *w)
{
    char text[2][5 * FORECAST_PREFIX + 32];
    size_t first = w->npins > 0 && w->pins[0].len == 0; /* those without a prefix are not worth a word */
    pin_text(w, first, text[0], sizeof text[0]);
    pin_text(w, first + 1, text[1], sizeof text[1]);
    if (text[0][0])
        text_wrap(t, "  By prefix: %s%s%s.", text[0], text[1][0] ? ", " : "", text[1]);
}

static void pinners(struct text *t, const struct forecast_report *f)
{
    const struct forecast_row *w = worst_of(f);
    int most = -1;
    if (w->deleted_percent > 0 || w == &f->rows[0])
        return;
    for (int k = 0; k < RDB_T_COUNT; k++)
        if (w->pinned_by_type[k] > 0 && (most < 0 || w->pinned_by_type[k] > w->pinned_by_type[most]))
            most = k;
    if (most >= 0 && w->pinned_by_type[most] >= PINS_WORTH_TELLING)
        text_wrap(t, "  The half-empty slabs are kept mostly by keys of type %s (%s of their free bytes).",
                  rdb_type_name((enum rdb_type)most), human_bytes(whole(w->pinned_by_type[most])).s);
    prefix_pinners(t, w);
}

void text_forecast(struct text *t, const struct analysis *a)
{
    static const struct grid_column columns[] = {
        {"when", true, 0},  {"keys", false, 0},     {"used_memory", false, 0},  {"active", false, 0},
        {"frag", false, 0}, {"RSS/used", false, 1}, {"used #, held -", true, 2}};
    const struct forecast_report *f = &a->forecast;
    struct grid g;
    if (f->n == 0)
        return;
    text_heading(t, "What will come");
    text_wrap(t,
              "  Counted from %s, with nothing written. frag: allocator_frag_ratio; RSS/used: mem_fragmentation_ratio.",
              human_time(f->from_ms / 1000).s);
    grid_begin(&g, columns, 7);
    for (size_t i = 0; i < f->n; i++)
        row_cells(&g, &f->rows[i], f->rows[0].s.allocator_active > 0 ? f->rows[0].s.allocator_active : 1);
    text_grid(t, &g);
    if (f->rows[0].s.modelled) {
        verdict(t, f);
        pinners(t, f);
    }
    if (f->has_reclaim && f->reclaim_bytes > 1 << 20)
        text_wrap(t, "  The server that wrote the file claimed %s: a reload would need %s less.",
                  human_bytes(a->file.used_mem).s, human_bytes((uint64_t)f->reclaim_bytes).s);
}
