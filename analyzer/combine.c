/*
 * combine.c - see combine.h.
 */
#include "analyzer/combine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/aggregate.h"
#include "analyzer/modules.h"
#include "analyzer/target.h"
#include "analyzer/topn.h"

/* ---------------------------------------------------------------- what is no sum */

static const char several[] = "several";

static const char *same_or(const char *a, const char *b, const char *otherwise)
{
    return a && b && strcmp(a, b) == 0 ? a : otherwise;
}

static bool first_of(const struct analysis *to)
{
    return to->target == NULL;
}

static bool merge_target(struct analysis *to, const struct analysis *from)
{
    if (first_of(to)) {
        to->target = strdup(from->target);
        to->target_family = from->target_family;
        to->target_version = from->target_version;
        to->target_why = from->target_why;
        to->allocator = from->allocator;
        to->now_ms = from->now_ms;
        to->now_why = from->now_why;
        return to->target != NULL;
    }
    if (strcmp(to->target, from->target) != 0 && strcmp(to->target, "several targets") != 0) {
        free((void *)(uintptr_t)to->target);
        to->target = strdup("several targets");
    }
    to->target_family = same_or(to->target_family, from->target_family, several);
    to->target_version = same_or(to->target_version, from->target_version, several);
    to->target_why = same_or(to->target_why, from->target_why, "each dump's own");
    to->allocator = same_or(to->allocator, from->allocator, several);
    if (to->now_ms != from->now_ms)
        to->now_why = "each dump's own time";
    if (from->now_ms > to->now_ms)
        to->now_ms = from->now_ms;
    return to->target != NULL;
}

/* The file of the combined report stands for all: sums, and the newest save. */
static void merge_file(struct file_report *to, const struct file_report *from, bool first)
{
    if (first) {
        memcpy(to->writer, from->writer, sizeof to->writer);
        memcpy(to->version, from->version, sizeof to->version);
        to->info = from->info;
        to->bits = from->bits;
        to->has_used_mem = from->has_used_mem;
    } else {
        if (strcmp(to->writer, from->writer) != 0)
            memcpy(to->writer, several, sizeof several);
        if (strcmp(to->version, from->version) != 0)
            memcpy(to->version, several, sizeof several);
        to->info.newer |= from->info.newer;
        to->has_used_mem = to->has_used_mem && from->has_used_mem;
    }
    to->file_size += from->file_size;
    to->rdb_bytes += from->rdb_bytes;
    to->used_mem += from->used_mem;
    if (from->ctime_s > to->ctime_s)
        to->ctime_s = from->ctime_s;
    to->aux_total += from->aux_total;
    to->functions += from->functions;
    to->function_bytes_source += from->function_bytes_source;
    to->module_aux += from->module_aux;
    to->trailing += from->trailing;
    to->aof_preamble |= from->aof_preamble;
}

/* ---------------------------------------------------------------- sums */

static void merge_ledger(struct ledger *to, const struct ledger *from)
{
    to->used_memory_startup += from->used_memory_startup;
    to->keys += from->keys;
    to->keyspace += from->keyspace;
    to->functions += from->functions;
    to->client += from->client;
    to->used_memory += from->used_memory;
    to->used_memory_stderr = hypot(to->used_memory_stderr, from->used_memory_stderr); /* the dice are independent */
    to->used_memory_peak += from->used_memory_peak;
    to->used_memory_overhead += from->used_memory_overhead;
    to->used_memory_dataset += from->used_memory_dataset;
}

static void merge_load(struct load_total *to, const struct load_total *from)
{
    to->keys += from->keys;
    to->bytes += from->bytes;
}

static void merge_sums(struct analysis *to, const struct analysis *from)
{
    totals_add(&to->total, &from->total);
    for (unsigned i = 0; i < RDB_T_COUNT; i++)
        totals_add(&to->by_type[i], &from->by_type[i]);
    merge_load(&to->all, &from->all);
    merge_load(&to->master, &from->master);
    merge_load(&to->replica, &from->replica);
    for (unsigned i = 0; i < EXPIRY_BUCKETS; i++) {
        to->expiry[i].name = from->expiry[i].name;
        to->expiry[i].upto_s = from->expiry[i].upto_s;
        to->expiry[i].keys += from->expiry[i].keys;
        to->expiry[i].bytes += from->expiry[i].bytes;
    }
    to->big_keys += from->big_keys;
    to->big_by_bytes += from->big_by_bytes;
    to->big_by_elements += from->big_by_elements;
    to->big_by_element += from->big_by_element;
    to->limit_bytes = from->limit_bytes;
    to->limit_elements = from->limit_elements;
    to->limit_element = from->limit_element;
    to->empty_keys += from->empty_keys;
    to->damaged_keys += from->damaged_keys;
    to->estimated_keys += from->estimated_keys;
    to->estimated_bytes += from->estimated_bytes;
    to->lower_bound_keys += from->lower_bound_keys;
    to->lower_bound_bytes += from->lower_bound_bytes;
    to->duplicates_unknown += from->duplicates_unknown;
    to->dbs_dropped += from->dbs_dropped;
    to->nlabels = from->nlabels;
    to->label_names = from->label_names;
    for (unsigned i = 0; i < from->nlabels; i++)
        to->by_label[i] += from->by_label[i];
}

/* ---------------------------------------------------------------- tables */

static bool cell_before(const struct cell *a, const struct cell *b)
{
    return a->type != b->type ? a->type < b->type : a->encoding < b->encoding;
}

/* Both are in order of type and encoding, and so is the result. */
static bool merge_cells(struct analysis *to, const struct analysis *from)
{
    struct cell *all = calloc(to->ncells + from->ncells + 1, sizeof *all);
    size_t n = 0, i = 0, j = 0;
    if (!all)
        return false;
    while (i < to->ncells || j < from->ncells) {
        if (j == from->ncells || (i < to->ncells && cell_before(&to->cells[i], &from->cells[j]))) {
            all[n++] = to->cells[i++];
        } else if (i == to->ncells || cell_before(&from->cells[j], &to->cells[i])) {
            all[n++] = from->cells[j++];
        } else {
            all[n] = to->cells[i++];
            totals_add(&all[n++].t, &from->cells[j++].t);
        }
    }
    free(to->cells);
    to->cells = all;
    to->ncells = n;
    return true;
}

static void add_db(struct db_report *to, const struct db_report *from)
{
    totals_add(&to->t, &from->t);
    to->has_hint = to->has_hint && from->has_hint;
    to->hint_keys += from->hint_keys;
    to->hint_expires += from->hint_expires;
    to->main_table += from->main_table;
    to->expires_table += from->expires_table;
    to->main_buckets += from->main_buckets;
    to->expires_buckets += from->expires_buckets;
}

/* Both are in order of the databases' numbers. */
static bool merge_dbs(struct analysis *to, const struct analysis *from)
{
    struct db_report *all = calloc(to->ndbs + from->ndbs + 1, sizeof *all);
    size_t n = 0, i = 0, j = 0;
    if (!all)
        return false;
    while (i < to->ndbs || j < from->ndbs) {
        if (j == from->ndbs || (i < to->ndbs && to->dbs[i].db < from->dbs[j].db)) {
            all[n++] = to->dbs[i++];
        } else if (i == to->ndbs || from->dbs[j].db < to->dbs[i].db) {
            all[n++] = from->dbs[j++];
        } else {
            all[n] = to->dbs[i++];
            add_db(&all[n++], &from->dbs[j++]);
        }
    }
    free(to->dbs);
    to->dbs = all;
    to->ndbs = n;
    return true;
}

/* ---------------------------------------------------------------- the whole */

bool analysis_merge(struct analysis *to, const struct analysis *from)
{
    if (from->target == NULL) /* never got as far as its first record */
        return true;
    merge_file(&to->file, &from->file, first_of(to));
    if (!merge_target(to, from))
        return false;
    merge_ledger(&to->ledger, &from->ledger);
    merge_sums(to, from);
    return merge_cells(to, from) && merge_dbs(to, from) && modules_merge(to, from) &&
           top_list_merge(&to->top_bytes, &from->top_bytes, false) &&
           top_list_merge(&to->top_elements, &from->top_elements, true) && top_list_merge(&to->big, &from->big, false);
}

bool fleet_init(struct fleet *f, size_t n)
{
    memset(f, 0, sizeof *f);
    f->parts = calloc(n ? n : 1, sizeof *f->parts);
    f->n = f->parts ? n : 0;
    for (size_t i = 0; i < f->n; i++)
        f->parts[i].file.ctime_s = -1;
    return f->parts != NULL;
}

void fleet_free(struct fleet *f)
{
    for (size_t i = 0; i < f->n; i++)
        analysis_free(&f->parts[i]);
    free(f->parts);
    analysis_free(&f->combined);
    memset(f, 0, sizeof *f);
}

static bool has_note(const struct analysis *a, const char *text)
{
    for (size_t i = 0; i < a->nnotes; i++)
        if (strcmp(a->notes[i], text) == 0)
            return true;
    return false;
}

/* How many dumps from the i-th on have this note; 0 when one before it has it. */
static size_t note_shared(const struct fleet *f, size_t i, const char *text)
{
    size_t n = 0;
    for (size_t j = 0; j < f->n; j++) {
        bool has = has_note(&f->parts[j], text);
        if (has && j < i)
            return 0;
        n += has;
    }
    return n;
}

/* A note that several dumps share is said once, with the first of them and the number of the others. */
static void combine_notes(struct fleet *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct analysis *a = &f->parts[i];
        for (size_t k = 0; k < a->nnotes; k++) {
            size_t n = note_shared(f, i, a->notes[k]);
            if (n == f->n)
                analysis_note(&f->combined, "all dumps: %s", a->notes[k]);
            else if (n > 1)
                analysis_note(&f->combined, "%s and %zu more: %s", a->file.path, n - 1, a->notes[k]);
            else if (n == 1)
                analysis_note(&f->combined, "%s: %s", a->file.path, a->notes[k]);
        }
    }
}

bool fleet_combine(struct fleet *f)
{
    struct file_report *whole = &f->combined.file;
    analysis_free(&f->combined);
    whole->ctime_s = -1;
    whole->complete = true;
    for (size_t i = 0; i < f->n; i++) {
        const struct file_report *part = &f->parts[i].file;
        if (!analysis_merge(&f->combined, &f->parts[i]))
            return false;
        whole->aof_files += part->aof_files; /* also of a base that cannot be read */
        whole->aof_bytes += part->aof_bytes;
        whole->complete = whole->complete && part->complete;
        if (whole->error.kind == RDB_OK)
            whole->error = part->error;
    }
    combine_notes(f);
    return true;
}
