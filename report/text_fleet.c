/*
 * text_fleet.c - the head of a report about several dumps: a line for each, what is wrong with each, their sum.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/human.h"
#include "report/text.h"

enum { LABEL_LEAST = 12, LABEL_MOST = 36 };

/* ---------------------------------------------------------------- short names */

/* The directories that all paths begin with. */
static size_t common_directory(const struct fleet *f)
{
    const char *first = f->parts[0].file.path;
    size_t len = strlen(first);
    for (size_t i = 1; i < f->n; i++) {
        size_t n = 0;
        while (n < len && f->parts[i].file.path[n] == first[n])
            n++;
        len = n;
    }
    while (len > 0 && first[len - 1] != '/')
        len--;
    return len;
}

/* The end of a name that is too long for a column: it tells more than the beginning. */
static void keep_end(char *name, size_t most)
{
    char *from = name;
    if (text_width(name) <= most)
        return;
    while (text_width(from) > most - 3) {
        uint32_t code;
        unsigned n = utf8_decode((const uint8_t *)from, strlen(from), &code);
        from += n ? n : 1;
    }
    if (from - name >= 3) {
        memmove(name + 3, from, strlen(from) + 1);
        memcpy(name, "...", 3);
    }
}

bool text_labels(struct text *t, const struct fleet *f)
{
    size_t cut = f->n > 1 ? common_directory(f) : 0, most = t->width / 4;
    most = most < LABEL_LEAST ? LABEL_LEAST : most > LABEL_MOST ? LABEL_MOST : most;
    t->labels = calloc(f->n + 1, sizeof *t->labels);
    t->fleet = f;
    for (size_t i = 0; t->labels && i < f->n; i++) {
        const char *path = f->parts[i].file.path;
        t->labels[i] = safe_text(strcmp(path, "-") == 0 ? "standard input" : path + cut);
        if (!t->labels[i])
            return false;
        keep_end(t->labels[i], most);
    }
    return t->labels != NULL;
}

void text_labels_free(struct text *t)
{
    for (size_t i = 0; t->labels && i < t->fleet->n; i++)
        free(t->labels[i]);
    free(t->labels);
    t->labels = NULL;
}

/* ---------------------------------------------------------------- the head */

static bool opened(const struct analysis *a)
{
    return a->file.info.version > 0;
}

static void head_line(struct text *t, const struct analysis *a)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    size_t known = 0, n = t->fleet->n, readable = 0;
    char when[128] = "";
    for (size_t i = 0; i < n; i++) {
        int64_t saved = t->fleet->parts[i].file.ctime_s;
        readable += opened(&t->fleet->parts[i]);
        if (saved <= 0)
            continue;
        known++;
        first = saved < first ? saved : first;
        last = saved > last ? saved : last;
    }
    if (known > 0 && first == last)
        snprintf(when, sizeof when, ", saved %s", human_time(first).s);
    else if (known > 0)
        snprintf(when, sizeof when, ", saved from %s to %s", human_time(first).s, human_time(last).s);
    out_str(t->out, t->bold);
    text_wrap(t, "%zu dump%s together%s", n, n == 1 ? "" : "s", when);
    out_str(t->out, t->plain);
    if (a->target)
        text_wrap(t, "%s of RDB in %zu of them. Priced for %s (%s) with %s.", human_bytes(a->file.rdb_bytes).s,
                  readable, a->target, a->target_why, a->allocator);
}

static const char *state(const struct analysis *a)
{
    if (a->file.error.kind != RDB_OK)
        return rdb_err_name(a->file.error.kind);
    if (a->file.complete)
        return a->damaged_keys ? "damaged keys" : "";
    return opened(a) ? "incomplete" : "not read";
}

static void part_row(struct text *t, struct grid *g, size_t i, uint64_t whole)
{
    const struct analysis *a = &t->fleet->parts[i];
    grid_text(g, t->labels[i]);
    if (opened(a))
        text_cell(g, "%s %s", a->file.writer, a->file.version);
    else
        grid_text(g, "");
    grid_text(g, opened(a) ? human_bytes(a->file.rdb_bytes).s : "");
    grid_text(g, opened(a) ? human_count(a->total.keys).s : "");
    grid_text(g, opened(a) ? human_bytes(a->total.bytes).s : "");
    grid_text(g, opened(a) ? human_bytes(a->ledger.used_memory).s : "");
    grid_text(g, opened(a) ? human_share(a->ledger.used_memory, whole).s : "");
    grid_text(g, state(a));
}

static void all_row(struct grid *g, const struct analysis *a)
{
    grid_text(g, "all");
    grid_text(g, "");
    grid_text(g, human_bytes(a->file.rdb_bytes).s);
    grid_text(g, human_count(a->total.keys).s);
    grid_text(g, human_bytes(a->total.bytes).s);
    grid_text(g, human_bytes(a->ledger.used_memory).s);
    grid_text(g, human_share(a->ledger.used_memory, a->ledger.used_memory).s);
    grid_text(g, "");
}

void text_fleet(struct text *t, const struct analysis *a)
{
    static const struct grid_column columns[] = {
        {"file", true, 0},          {"server", true, 2},       {"RDB", false, 3},   {"keys", false, 0},
        {"keys' memory", false, 1}, {"used_memory", false, 0}, {"share", false, 4}, {"", true, 0}};
    struct grid g;
    head_line(t, a);
    text_heading(t, "Dumps");
    grid_begin(&g, columns, 8);
    for (size_t i = 0; i < t->fleet->n; i++)
        part_row(t, &g, i, a->ledger.used_memory);
    all_row(&g, a);
    text_grid(t, &g);
}
