/*
 * text_tables.c - the tables of the text report: by type, encoding, structure, database; top and big keys; expiries.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/fields.h"
#include "report/human.h"
#include "report/text.h"

enum { BAR = 20 };

static void bar_cell(struct grid *g, uint64_t part, uint64_t whole)
{
    static const char full[] = "####################";
    double share = whole ? (double)part / (double)whole : 0;
    int n = (int)(share * BAR + 0.5);
    text_cell(g, "%.*s", n > BAR ? BAR : n, full);
}

static uint64_t average(uint64_t sum, uint64_t n)
{
    return n ? (sum + n / 2) / n : 0;
}

/* Sorts indices descending by weight; equal weights keep their order. n is small. */
static void sort_by_weight(unsigned *order, const uint64_t *weight, unsigned n)
{
    for (unsigned i = 1; i < n; i++) {
        unsigned x = order[i], j = i;
        for (; j > 0 && weight[order[j - 1]] < weight[x]; j--)
            order[j] = order[j - 1];
        order[j] = x;
    }
}

/* ---------------------------------------------------------------- by type, encoding, structure */

static void totals_cells(struct grid *g, const struct totals *t, uint64_t whole)
{
    grid_text(g, human_count(t->keys).s);
    grid_text(g, human_bytes(t->bytes).s);
    grid_text(g, human_share(t->bytes, whole).s);
    grid_text(g, human_share(t->payload < t->bytes ? t->payload : t->bytes, t->bytes).s);
    grid_text(g, human_bytes(average(t->bytes, t->keys)).s);
    grid_text(g, human_bytes(t->largest).s);
    bar_cell(g, t->bytes, whole);
}

void text_types(struct text *t, const struct analysis *a)
{
    static const struct grid_column columns[] = {
        {"type", true, 0},      {"keys", false, 0},        {"memory", false, 0},  {"share", false, 0},
        {"own data", false, 0}, {"average key", false, 3}, {"largest", false, 2}, {"", true, 1}};
    unsigned order[RDB_T_COUNT], n = 0;
    uint64_t weight[RDB_T_COUNT];
    struct grid g;
    for (unsigned i = 0; i < RDB_T_COUNT; i++) {
        weight[i] = a->by_type[i].bytes;
        if (a->by_type[i].keys > 0)
            order[n++] = i;
    }
    if (n == 0)
        return;
    sort_by_weight(order, weight, n);
    text_heading(t, "Types");
    grid_begin(&g, columns, 8);
    for (unsigned i = 0; i < n; i++) {
        grid_text(&g, rdb_type_name((enum rdb_type)order[i]));
        totals_cells(&g, &a->by_type[order[i]], a->total.bytes);
    }
    if (n > 1) {
        grid_text(&g, "all");
        totals_cells(&g, &a->total, a->total.bytes);
    }
    text_grid(t, &g);
}

static int by_bytes(const void *x, const void *y)
{
    const struct cell *a = x, *b = y;
    if (a->t.bytes != b->t.bytes)
        return a->t.bytes < b->t.bytes ? 1 : -1;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    return (a->encoding > b->encoding) - (a->encoding < b->encoding);
}

static void encoding_row(struct grid *g, const struct cell *c, uint64_t whole)
{
    const struct totals *t = &c->t;
    bool counts = c->type != RDB_T_STRING;
    grid_text(g, rdb_type_name(c->type));
    grid_text(g, encoding_name(c->encoding));
    grid_text(g, human_count(t->keys).s);
    grid_text(g, human_bytes(t->bytes).s);
    grid_text(g, human_share(t->bytes, whole).s);
    grid_text(g, counts ? human_count(t->elements).s : "");
    grid_text(g, counts && t->elements ? human_bytes(average(t->bytes, t->elements)).s : "");
    grid_text(g, human_share(t->payload < t->bytes ? t->payload : t->bytes, t->bytes).s);
}

void text_encodings(struct text *t, const struct analysis *a)
{
    static const struct grid_column columns[] = {
        {"type", true, 0},   {"encoding", true, 0},  {"keys", false, 0},        {"memory", false, 0},
        {"share", false, 1}, {"elements", false, 3}, {"per element", false, 0}, {"own data", false, 2}};
    struct cell *sorted;
    struct grid g;
    if (a->ncells == 0)
        return;
    sorted = malloc(a->ncells * sizeof *sorted);
    if (!sorted) {
        t->failed = true;
        return;
    }
    memcpy(sorted, a->cells, a->ncells * sizeof *sorted);
    qsort(sorted, a->ncells, sizeof *sorted, by_bytes);
    text_heading(t, "Encodings");
    grid_begin(&g, columns, 8);
    for (size_t i = 0; i < a->ncells; i++)
        encoding_row(&g, &sorted[i], a->total.bytes);
    text_grid(t, &g);
    free(sorted);
}

static void structure_row(struct grid *g, const char *name, uint64_t bytes, uint64_t sum)
{
    grid_text(g, name);
    grid_text(g, human_bytes(bytes).s);
    grid_text(g, human_share(bytes, sum).s);
    bar_cell(g, bytes, sum);
}

void text_structures(struct text *t, const struct analysis *a)
{
    static const struct grid_column columns[] = {
        {"what the memory is", true, 0}, {"memory", false, 0}, {"share", false, 0}, {"", true, 1}};
    unsigned order[32], n = 0;
    uint64_t sum = 0, rest = 0;
    struct grid g;
    for (unsigned i = 0; i < a->nlabels && i < 32; i++) {
        sum += a->by_label[i];
        if (a->by_label[i] > 0)
            order[n++] = i;
    }
    if (n == 0)
        return;
    sort_by_weight(order, a->by_label, n);
    text_heading(t, "Structures");
    grid_begin(&g, columns, 4);
    for (unsigned i = 0; i < n; i++) {
        uint64_t bytes = a->by_label[order[i]];
        if (bytes < sum / 1000)
            rest += bytes;
        else
            structure_row(&g, a->label_names[order[i]], bytes, sum);
    }
    if (rest > 0)
        structure_row(&g, "others, below 0.1 % each", rest, sum);
    text_grid(t, &g);
}

/* ---------------------------------------------------------------- by database */

static void database_row(struct grid *g, const struct db_report *d, uint64_t whole, bool part)
{
    uint64_t tables = d->main_table + d->expires_table;
    text_cell(g, "db%u", d->db);
    grid_text(g, human_count(d->t.keys).s);
    grid_text(g, human_count(d->t.expiring_keys).s);
    grid_text(g, human_bytes(d->t.bytes).s);
    grid_text(g, human_bytes(tables).s);
    grid_text(g, human_share(d->t.bytes + tables, whole).s);
    grid_text(g, human_bytes(average(d->t.bytes + tables, d->t.keys)).s);
    if (part) /* the hint is about all keys */
        grid_text(g, "");
    else if (!d->has_hint)
        grid_text(g, "none");
    else if (d->hint_keys == d->t.keys && d->hint_expires == d->t.expiring_keys)
        grid_text(g, "agrees");
    else
        text_cell(g, "%s / %s", human_count(d->hint_keys).s, human_count(d->hint_expires).s);
}

void text_databases(struct text *t, const struct analysis *a)
{
    static const struct grid_column columns[] = {
        {"database", true, 0}, {"keys", false, 0},  {"expiring", false, 0}, {"keys' memory", false, 0},
        {"tables", false, 0},  {"share", false, 1}, {"per key", false, 3},  {"hint in file", true, 2}};
    uint64_t whole = 0;
    struct grid g;
    if (a->ndbs == 0)
        return;
    for (size_t i = 0; i < a->ndbs; i++)
        whole += a->dbs[i].t.bytes + a->dbs[i].main_table + a->dbs[i].expires_table;
    text_heading(t, "Databases");
    grid_begin(&g, columns, 8);
    bool part = a->found && (a->found->filter.active || a->found->filter.sample > 1);
    for (size_t i = 0; i < a->ndbs; i++)
        database_row(&g, &a->dbs[i], whole, part);
    text_grid(t, &g);
    if (a->dbs_dropped)
        text_wrap(t, "  %s further databases are counted in the last line.", human_count(a->dbs_dropped).s);
}

/* ---------------------------------------------------------------- keys */

static const struct grid_column key_columns[] = {{"memory", false, 0},   {"type", true, 0},     {"encoding", true, 2},
                                                 {"elements", false, 1}, {"longest", false, 4}, {"expires", true, 3},
                                                 {"db", false, 0},       {"file", true, 0},     {"key", true, 0}};

/* The same without the file, where there is but one. */
static const struct grid_column own_key_columns[] = {
    {"memory", false, 0},  {"type", true, 0},    {"encoding", true, 1}, {"elements", false, 0},
    {"longest", false, 3}, {"expires", true, 2}, {"db", false, 0},      {"key", true, 0}};

static void file_cell(struct text *t, struct grid *g, const struct key_report *k)
{
    if (t->fleet)
        grid_text(g, t->labels[k->file]);
}

static void expiry_cell(struct grid *g, const struct key_report *k, int64_t now_ms)
{
    if (k->expire_ms == -1)
        grid_text(g, "never");
    else if (k->expire_ms <= now_ms)
        grid_text(g, "expired");
    else
        grid_text(g, human_duration((k->expire_ms - now_ms) / 1000).s);
}

static void key_row(struct text *t, struct grid *g, const struct key_report *k, int64_t now_ms)
{
    bool at_least = k->flags & KEY_LOWER_BOUND, estimate = k->flags & KEY_ESTIMATE;
    text_cell(g, "%s%s", at_least ? ">= " : estimate ? "~ " : "", human_bytes(k->bytes).s);
    grid_text(g, rdb_type_name(k->type));
    grid_text(g, k->module[0] ? k->module : encoding_name(k->encoding));
    grid_text(g, k->type == RDB_T_STRING ? "" : human_count(k->elements).s);
    grid_text(g, human_bytes(k->largest).s);
    expiry_cell(g, k, t->fleet ? t->fleet->parts[k->file].now_ms : now_ms);
    text_cell(g, "%u", k->db);
    file_cell(t, g, k);
    grid_name(g, k->name, k->name_len, k->flags & KEY_NAME_CUT);
}

static void key_list(struct text *t, const struct top_list *list, int64_t now_ms)
{
    struct grid g;
    grid_begin(&g, t->fleet ? key_columns : own_key_columns, t->fleet ? 9 : 8);
    for (size_t i = 0; i < list->n; i++)
        key_row(t, &g, &list->keys[i], now_ms);
    text_grid(t, &g);
}

void text_top(struct text *t, const struct analysis *a)
{
    char heading[80];
    if (a->top_bytes.n > 0) {
        snprintf(heading, sizeof heading, "Largest keys by memory (%zu)", a->top_bytes.n);
        text_heading(t, heading);
        key_list(t, &a->top_bytes, a->now_ms);
    }
    if (a->top_elements.n > 0) {
        snprintf(heading, sizeof heading, "Largest keys by elements (%zu)", a->top_elements.n);
        text_heading(t, heading);
        key_list(t, &a->top_elements, a->now_ms);
    }
}

static void big_why(struct grid *g, unsigned flags)
{
    text_cell(g, "%s%s%s", flags & KEY_BIG_BYTES ? "M" : "-", flags & KEY_BIG_ELEMENTS ? "N" : "-",
              flags & KEY_BIG_ELEMENT ? "L" : "-");
}

/* One line for each kind of advice, not for each key. */
static void big_advice(struct text *t, const struct analysis *a)
{
    char text[ADVICE_TEXT], before[ADVICE_TEXT];
    for (size_t i = 0; i < a->big.n; i++) {
        bool said = false;
        audit_advice(&a->big.keys[i], text);
        for (size_t j = 0; j < i && !said; j++) {
            audit_advice(&a->big.keys[j], before);
            said = strcmp(text, before) == 0;
        }
        if (!said)
            text_wrap(t, "  %s: %s.", rdb_type_name(a->big.keys[i].type), text);
    }
}

static struct text32 limit_text(uint64_t v, bool bytes)
{
    struct text32 none = {"(no limit)"};
    return v == UINT64_MAX ? none : bytes ? human_bytes(v) : human_count(v);
}

static bool limits_differ(const struct analysis *a)
{
    const struct big_table *t = a->found ? a->found->audit.limits : NULL;
    for (unsigned i = 0; t && i < RDB_T_COUNT; i++)
        if (memcmp(&t->of[i], &t->all, sizeof t->all) != 0)
            return true;
    return false;
}

void text_big(struct text *t, const struct analysis *a)
{
    static const struct grid_column own[] = {
        {"why", true, 0},  {"memory", false, 0},   {"rounding", false, 3}, {"frees", false, 2}, {"strands", false, 2},
        {"type", true, 0}, {"elements", false, 0}, {"longest", false, 1},  {"db", false, 0},    {"key", true, 0}};
    static const struct grid_column all[] = {{"why", true, 0},       {"memory", false, 0},  {"rounding", false, 4},
                                             {"frees", false, 3},    {"strands", false, 3}, {"type", true, 0},
                                             {"elements", false, 1}, {"longest", false, 2}, {"db", false, 0},
                                             {"file", true, 0},      {"key", true, 0}};
    struct grid g;
    text_heading(t, "Big keys");
    text_wrap(t, "  %s keys: M %s of %s and more; N %s of %s elements and more; L %s with an element of %s and more%s.",
              human_count(a->big_keys).s, human_count(a->big_by_bytes).s, limit_text(a->limit_bytes, true).s,
              human_count(a->big_by_elements).s, limit_text(a->limit_elements, false).s,
              human_count(a->big_by_element).s, limit_text(a->limit_element, true).s,
              limits_differ(a) ? "; some types have limits of their own" : "");
    if (a->big.n == 0)
        return;
    grid_begin(&g, t->fleet ? all : own, t->fleet ? 11 : 10);
    for (size_t i = 0; i < a->big.n; i++) {
        const struct key_report *k = &a->big.keys[i];
        bool has_own = k->flags & KEY_HAS_OWN;
        big_why(&g, k->flags);
        grid_text(&g, human_bytes(k->bytes).s);
        grid_text(&g, human_bytes(k->rounding).s);
        grid_text(&g, has_own ? human_bytes(k->given_back).s : "");
        grid_text(&g, has_own ? human_bytes(k->stranded).s : "");
        grid_text(&g, rdb_type_name(k->type));
        grid_text(&g, k->type == RDB_T_STRING ? "" : human_count(k->elements).s);
        grid_text(&g, human_bytes(k->largest).s);
        text_cell(&g, "%u", k->db);
        file_cell(t, &g, k);
        grid_name(&g, k->name, k->name_len, k->flags & KEY_NAME_CUT);
    }
    text_grid(t, &g);
    text_wrap(t, "  Deleting a key frees whole slabs and page runs, and strands what it has in slabs of others.");
    big_advice(t, a);
    if (a->big_keys > a->big.n)
        text_wrap(t, "  ... and %s more; --format=csv --only-big lists them all.",
                  human_count(a->big_keys - a->big.n).s);
}

void text_expiries(struct text *t, const struct analysis *a)
{
    static const struct grid_column columns[] = {
        {"expires", true, 0}, {"keys", false, 0}, {"memory", false, 0}, {"share", false, 0}, {"", true, 1}};
    struct grid g;
    text_heading(t, "Expiries");
    text_wrap(t, "  %s of %s keys expire, %s of the keys' memory; counted from %s (%s).",
              human_count(a->total.expiring_keys).s, human_count(a->total.keys).s,
              human_bytes(a->total.expiring_bytes).s, human_time(a->now_ms / 1000).s, a->now_why);
    grid_begin(&g, columns, 5);
    for (unsigned i = 0; i < EXPIRY_BUCKETS && a->expiry[i].name; i++) {
        if (a->expiry[i].keys == 0)
            continue;
        grid_text(&g, a->expiry[i].name);
        grid_text(&g, human_count(a->expiry[i].keys).s);
        grid_text(&g, human_bytes(a->expiry[i].bytes).s);
        grid_text(&g, human_share(a->expiry[i].bytes, a->total.bytes).s);
        bar_cell(&g, a->expiry[i].bytes, a->total.bytes);
    }
    text_grid(t, &g);
}
