/*
 * openmetrics.c - the summary as metrics: OpenMetrics 1.0, and the older text format for the textfile collector.
 *
 * Where redis_exporter has the same thing its stem is used, so that boards need one expression for both. But all of
 * this is foretold from a dump, not measured, and must not be taken for it: the namespace is rdbmem unless
 * --metrics-namespace says otherwise. Deliberate differences: key_group_keys for its key_group_count, because _count is
 * reserved for histograms.
 *
 * Cardinality is bounded: SERIES_MAX keys, prefixes, groups and dumps each; databases as many as the analysis tells
 * apart. A name that would make a series a second time is left out.
 */
#include <stdlib.h>
#include <string.h>

#include "report/fields.h"
#include "report/metrics_text.h"
#include "report/report.h"

/* ---------------------------------------------------------------- figures by table */

struct figure {
    const char *name, *unit;
    size_t at; /* of the value in its struct */
    const char *help;
};

#define AT(member) offsetof(struct analysis, member)
static const struct figure ledger_figures[] = {
    {"memory_used_bytes", "bytes", AT(ledger.used_memory), "used_memory after a server has loaded the dump"},
    {"memory_used_stderr_bytes", "bytes", 0, "Standard error of memory_used_bytes from what the server draws lots for"},
    {"memory_used_peak_bytes", "bytes", AT(ledger.used_memory_peak), "used_memory_peak after loading"},
    {"memory_used_overhead_bytes", "bytes", AT(ledger.used_memory_overhead), "used_memory_overhead after loading"},
    {"memory_used_startup_bytes", "bytes", AT(ledger.used_memory_startup), "used_memory_startup of the target"},
    {"memory_used_dataset_bytes", "bytes", AT(ledger.used_memory_dataset), "used_memory_dataset after loading"},
    {"keys", "", AT(total.keys), "Keys in the dump"},
    {"keys_expiring", "", AT(total.expiring_keys), "Keys with an expiry"},
    {"keys_memory_bytes", "bytes", AT(total.bytes), "What the keys cost in memory"},
    {"keys_payload_bytes", "bytes", AT(total.payload), "The user's own data in the keys"},
    {"keys_rounding_bytes", "bytes", AT(total.rounding), "What the allocator's size classes add to the keys"},
    {"keys_expiring_memory_bytes", "bytes", AT(total.expiring_bytes), "What the keys with an expiry cost in memory"},
    {"keys_big", "", AT(big_keys), "Keys that are big by --big"},
    {"keys_damaged", "", AT(damaged_keys), "Keys whose value was damaged"},
    {"keys_empty", "", AT(empty_keys), "Keys without elements, which the target does not load"},
    {"keys_estimated", "", AT(estimated_keys), "Keys of known modules, whose cost is an estimate"},
    {"keys_lower_bound", "", AT(lower_bound_keys), "Keys of unknown modules, which cost at least what is counted"},
    {"number_of_functions", "", AT(file.functions), "Functions in the dump"},
    {"rdb_current_size_bytes", "bytes", AT(file.rdb_bytes), "Length of the dump, unpacked"},
};
#undef AT

/* Of a step of the forecast. */
#define AT(member) offsetof(struct forecast_step, member)
static const struct figure step_figures[] = {
    {"memory_used_bytes", "bytes", AT(used_memory), "used_memory"},
    {"memory_used_rss_bytes", "bytes", AT(used_memory_rss), "used_memory_rss"},
    {"allocator_allocated_bytes", "bytes", AT(allocator_allocated), "allocator_allocated"},
    {"allocator_active_bytes", "bytes", AT(allocator_active), "allocator_active"},
    {"allocator_resident_bytes", "bytes", AT(allocator_resident), "allocator_resident"},
    {"allocator_frag_ratio", "ratio", AT(allocator_frag_ratio), "allocator_frag_ratio by the target's own formula"},
    {"allocator_frag_bytes", "bytes", AT(allocator_frag_bytes), "allocator_frag_bytes by the target's own formula"},
    {"allocator_rss_ratio", "ratio", AT(allocator_rss_ratio), "allocator_rss_ratio"},
    {"allocator_rss_bytes", "bytes", AT(allocator_rss_bytes), "allocator_rss_bytes"},
    {"mem_fragmentation_ratio", "ratio", AT(mem_fragmentation_ratio), "mem_fragmentation_ratio"},
    {"mem_fragmentation_bytes", "bytes", AT(mem_fragmentation_bytes), "mem_fragmentation_bytes"},
    {"restart_gives_back_bytes", "bytes", AT(restart_gains), "What loading the keys left afresh would give back"},
};
#undef AT
enum { STEP_FIGURES = sizeof step_figures / sizeof *step_figures };

static void gauge(const struct metrics *m, const char *name, const char *unit, const char *help)
{
    metric_family(m, name, METRIC_GAUGE, unit, help);
}

static void one(const struct metrics *m, const char *name, const char *unit, const char *help, uint64_t v)
{
    gauge(m, name, unit, help);
    metric_u64(m, name, "", "", v);
}

static void add_ledger(const struct metrics *m, const struct analysis *a)
{
    for (size_t i = 0; i < sizeof ledger_figures / sizeof *ledger_figures; i++) {
        const struct figure *f = &ledger_figures[i];
        uint64_t v = (uint64_t)(a->ledger.used_memory_stderr + 0.5);
        if (f->at)
            memcpy(&v, (const char *)a + f->at, sizeof v);
        one(m, f->name, f->unit, f->help, v);
    }
    gauge(m, "ledger_bytes", "bytes", "The parts that memory_used_bytes is the sum of");
    metric_u64(m, "ledger_bytes", "", "part=\"keys\"", a->ledger.keys);
    metric_u64(m, "ledger_bytes", "", "part=\"keyspace\"", a->ledger.keyspace);
    metric_u64(m, "ledger_bytes", "", "part=\"functions\"", a->ledger.functions);
    metric_u64(m, "ledger_bytes", "", "part=\"startup\"", a->ledger.used_memory_startup);
    metric_u64(m, "ledger_bytes", "", "part=\"client\"", a->ledger.client);
}

/* ---------------------------------------------------------------- label sets */

/* Labels under construction; NULL after labels_open: out of memory. */
struct labels {
    char *text;
    size_t len;
    FILE *f;
};

static bool labels_open(struct labels *l)
{
    l->text = NULL;
    l->f = open_memstream(&l->text, &l->len);
    return l->f != NULL;
}

/* The text, allocated; NULL: out of memory. */
static char *labels_take(struct labels *l)
{
    bool failed = ferror(l->f) != 0;
    if (fclose(l->f) == 0 && !failed)
        return l->text;
    free(l->text);
    return NULL;
}

/* False: out of memory. *full is set when there is no room for more. */
static bool labels_into(struct labels *l, struct series *s, const void *row, bool *full)
{
    char *text = labels_take(l);
    if (text)
        *full = !series_add(s, text, row);
    return text != NULL;
}

/* ---------------------------------------------------------------- what it is about */

static bool add_dump_info(const struct metrics *m, const struct analysis *a, const struct fleet *fleet)
{
    struct labels l;
    if (!labels_open(&l))
        return false;
    label_text(l.f, "path", fleet ? "" : a->file.path);
    label_text(l.f, "writer", a->file.writer);
    label_text(l.f, "writer_version", a->file.version);
    label_u64(l.f, "rdb_version", (uint64_t)(a->file.info.version > 0 ? a->file.info.version : 0));
    label_text(l.f, "target", a->target ? a->target : "");
    label_text(l.f, "allocator", a->allocator ? a->allocator : "");
    char *text = labels_take(&l);
    if (!text)
        return false;
    metric_family(m, "dump", METRIC_INFO, "", "The dump, who wrote it, and the server and allocator it is priced for");
    metric_u64(m, "dump", "_info", text, 1);
    free(text);
    return true;
}

static void add_state(const struct metrics *m, const struct analysis *a, const struct report_options *o)
{
    one(m, "dump_complete", "", "1 if all was read", report_complete(a, o));
    if (a->file.ctime_s >= 0)
        one(m, "rdb_last_save_timestamp_seconds", "seconds", "When the dump was saved", (uint64_t)a->file.ctime_s);
    if (a->file.has_used_mem)
        one(m, "dump_claimed_memory_used_bytes", "bytes", "used_memory when the dump was saved, as it says itself",
            a->file.used_mem);
}

/* One row a dump, also where there is only one. */
static bool add_files(const struct metrics *m, const struct analysis *a, const struct fleet *fleet)
{
    struct series s = {.n = 0};
    bool full = false, ok = true;
    size_t n = fleet ? fleet->n : 1;
    for (size_t i = 0; i < n && ok && !full; i++) {
        const struct analysis *part = fleet ? &fleet->parts[i] : a;
        struct labels l;
        ok = labels_open(&l);
        if (ok) {
            label_text(l.f, "file", part->file.path);
            ok = labels_into(&l, &s, part, &full);
        }
    }
    gauge(m, "file_complete", "", "1 if all of the dump was read");
    for (size_t i = 0; i < s.n; i++)
        metric_u64(m, "file_complete", "", s.of[i].labels, ((const struct analysis *)s.of[i].row)->file.complete);
    gauge(m, "file_keys", "", "Keys in the dump");
    for (size_t i = 0; i < s.n; i++)
        metric_u64(m, "file_keys", "", s.of[i].labels, ((const struct analysis *)s.of[i].row)->total.keys);
    gauge(m, "file_memory_used_bytes", "bytes", "used_memory after loading the dump");
    for (size_t i = 0; i < s.n; i++)
        metric_u64(m, "file_memory_used_bytes", "", s.of[i].labels,
                   ((const struct analysis *)s.of[i].row)->ledger.used_memory);
    series_free(&s);
    return ok;
}

/* ---------------------------------------------------------------- databases, types, structures */

/* Our own words and numbers: no label needs escapes. */
enum { PLAIN_LABELS = 160 };

static void add_databases(const struct metrics *m, const struct analysis *a)
{
    static const struct {
        const char *name, *unit, *help;
    } families[] = {
        {"db_keys", "", "Keys of the database"},
        {"db_keys_expiring", "", "Keys with an expiry of the database"},
        {"db_memory_bytes", "bytes", "What the database's keys cost in memory"},
        {"db_tables_bytes", "bytes", "What the tables of the database cost beside its keys"},
    };
    char labels[PLAIN_LABELS];
    for (unsigned f = 0; f < sizeof families / sizeof *families && a->ndbs > 0; f++) {
        gauge(m, families[f].name, families[f].unit, families[f].help);
        for (size_t i = 0; i < a->ndbs; i++) {
            const struct db_report *d = &a->dbs[i];
            uint64_t values[] = {d->t.keys, d->t.expiring_keys, d->t.bytes, d->main_table + d->expires_table};
            snprintf(labels, sizeof labels, "db=\"db%u\"", d->db);
            metric_u64(m, families[f].name, "", labels, values[f]);
        }
    }
}

static void add_cells(const struct metrics *m, const struct analysis *a)
{
    char labels[PLAIN_LABELS];
    for (unsigned bytes = 0; bytes < 2 && a->ncells > 0; bytes++) {
        const char *name = bytes ? "encoding_memory_bytes" : "encoding_keys";
        gauge(m, name, bytes ? "bytes" : "",
              bytes ? "What keys of this type and encoding cost in memory" : "Keys of this type and encoding");
        for (size_t i = 0; i < a->ncells; i++) {
            const struct cell *c = &a->cells[i];
            snprintf(labels, sizeof labels, "type=\"%s\",encoding=\"%s\"", key_type_words[c->type],
                     encoding_name(c->encoding));
            metric_u64(m, name, "", labels, bytes ? c->t.bytes : c->t.keys);
        }
    }
    gauge(m, "structure_bytes", "bytes", "Memory by what it is for in the server");
    for (unsigned i = 0; i < a->nlabels; i++) {
        snprintf(labels, sizeof labels, "structure=\"%s\"", a->label_names[i]);
        metric_u64(m, "structure_bytes", "", labels, a->by_label[i]);
    }
}

/* ---------------------------------------------------------------- keys and groups */

static bool top_series(struct series *s, const struct analysis *a, const struct fleet *fleet)
{
    bool full = false;
    for (size_t i = 0; i < a->top_bytes.n && !full; i++) {
        const struct key_report *k = &a->top_bytes.keys[i];
        char db[16];
        struct labels l;
        if (!labels_open(&l))
            return false;
        snprintf(db, sizeof db, "db%u", k->db);
        label_text(l.f, "db", db);
        label_bytes(l.f, "key", k->name, k->name_len);
        if (fleet)
            label_text(l.f, "file", fleet->parts[k->file].file.path);
        if (!labels_into(&l, s, k, &full))
            return false;
    }
    return true;
}

static void top_family(const struct metrics *m, const struct series *s, const char *name, const char *unit,
                       const char *help, enum key_field_id field)
{
    if (s->n == 0 || key_value(s->of[0].row, field).kind != VALUE_NUMBER) /* MEMORY USAGE: not before 4.0 */
        return;
    gauge(m, name, unit, help);
    for (size_t i = 0; i < s->n; i++) {
        struct key_value v = key_value(s->of[i].row, field);
        if (v.kind == VALUE_NUMBER)
            metric_u64(m, name, "", s->of[i].labels, v.number);
    }
}

static bool add_top_keys(const struct metrics *m, const struct analysis *a, const struct fleet *fleet)
{
    struct series s = {.n = 0};
    bool ok = top_series(&s, a, fleet);
    top_family(m, &s, "key_memory_bytes", "bytes", "What one of the largest keys costs in memory", FIELD_BYTES);
    top_family(m, &s, "key_memory_usage_bytes", "bytes", "What MEMORY USAGE would say of it", FIELD_MEMORY_USAGE);
    top_family(m, &s, "key_size", "", "Its number of elements; of a string its length", FIELD_ELEMENTS);
    series_free(&s);
    return ok;
}

static void sums_families(const struct metrics *m, const struct series *s, const char *const names[3],
                          const char *const help[3])
{
    for (unsigned f = 0; f < 3; f++) {
        gauge(m, names[f], f == 1 ? "bytes" : "", help[f]);
        for (size_t i = 0; i < s->n; i++) {
            const struct group_sums *g = s->of[i].row;
            metric_u64(m, names[f], "", s->of[i].labels, f == 0 ? g->keys : f == 1 ? g->bytes : g->expiring_keys);
        }
    }
}

static bool add_custom(const struct metrics *m, const struct findings_report *r)
{
    static const char *const names[] = {"key_group_keys", "key_group_memory_usage_bytes", "key_group_keys_expiring"};
    static const char *const help[] = {"Keys of a group given by --group", "What the group's keys cost in memory",
                                       "Keys with an expiry of the group"};
    struct series s = {.n = 0};
    bool full = false, ok = true;
    for (size_t i = 0; i < r->ncustom && ok && !full; i++) {
        struct labels l;
        ok = labels_open(&l);
        if (ok) {
            label_text(l.f, "key_group", r->custom[i].name);
            ok = labels_into(&l, &s, &r->custom[i].sums, &full);
        }
    }
    if (ok && s.n > 0)
        sums_families(m, &s, names, help);
    series_free(&s);
    return ok;
}

/* Heavier first; equal ones in the order of the tree. */
struct heavy {
    const struct group *group;
};

static int by_bytes(const void *a, const void *b)
{
    const struct group *x = ((const struct heavy *)a)->group, *y = ((const struct heavy *)b)->group;
    if (x->sums.bytes != y->sums.bytes)
        return x->sums.bytes < y->sums.bytes ? 1 : -1;
    return x < y ? -1 : x > y;
}

static bool prefix_series(struct series *s, const struct heavy *sorted, size_t n)
{
    bool full = false;
    for (size_t i = 0; i < n && !full; i++) {
        struct labels l;
        if (!labels_open(&l))
            return false;
        label_bytes(l.f, "prefix", (const uint8_t *)sorted[i].group->name, sorted[i].group->name_len);
        label_u64(l.f, "depth", sorted[i].group->depth);
        if (!labels_into(&l, s, &sorted[i].group->sums, &full))
            return false;
    }
    return true;
}

/* The heaviest prefixes of all depths: a parent's figures hold its children's, so sums are over one depth. */
static bool add_prefixes(const struct metrics *m, const struct group_tree *t)
{
    static const char *const names[] = {"prefix_keys", "prefix_memory_bytes", "prefix_keys_expiring"};
    static const char *const help[] = {"Keys with the prefix, of the heaviest prefixes of all depths",
                                       "What the prefix' keys cost in memory", "Keys with an expiry of the prefix"};
    struct heavy *sorted = calloc(t->n + 1, sizeof *sorted);
    struct series s = {.n = 0};
    size_t n = 0;
    bool ok = sorted != NULL;
    for (size_t i = 1; i < t->n && ok; i++)
        if (!t->rows[i].other)
            sorted[n++].group = &t->rows[i];
    if (n > 1)
        qsort(sorted, n, sizeof *sorted, by_bytes);
    ok = ok && prefix_series(&s, sorted, n);
    if (ok && n > 0) {
        sums_families(m, &s, names, help);
        one(m, "number_of_prefixes", "", "Prefixes in the report; the heaviest have series", n);
    }
    series_free(&s);
    free(sorted);
    return ok;
}

/* ---------------------------------------------------------------- distributions */

static void bucket(const struct metrics *m, const char *name, uint64_t upto, uint64_t keys)
{
    char labels[PLAIN_LABELS];
    if (upto == UINT64_MAX)
        snprintf(labels, sizeof labels, "le=\"+Inf\"");
    else
        snprintf(labels, sizeof labels, "le=\"%llu%s\"", (unsigned long long)upto, m->openmetrics ? ".0" : "");
    metric_u64(m, name, "_bucket", labels, keys);
}

/* Rows without a figure (no expiry) are no observation. sum: of all observations; NULL: not known, then _gcount is left
 * out with it. */
static void add_distribution(const struct metrics *m, const char *name, const char *unit, const char *help,
                             const struct distribution *d, const uint64_t *sum)
{
    uint64_t keys = 0;
    if (!d->seen)
        return;
    metric_family(m, name, METRIC_GAUGE_HISTOGRAM, unit, help);
    for (unsigned i = 0; i < d->n; i++) {
        if (d->rows[i].name && d->rows[i].upto == UINT64_MAX)
            continue;
        keys += d->rows[i].keys;
        if (d->rows[i].upto != UINT64_MAX)
            bucket(m, name, d->rows[i].upto, keys);
    }
    bucket(m, name, UINT64_MAX, keys);
    if (sum) {
        metric_u64(m, name, m->openmetrics ? "_gcount" : "_count", "", keys);
        metric_u64(m, name, m->openmetrics ? "_gsum" : "_sum", "", *sum);
    }
}

static void add_distributions(const struct metrics *m, const struct analysis *a)
{
    const struct distributions *d = &a->found->distributions;
    uint64_t bytes = a->total.bytes;
    add_distribution(m, "keys_by_memory_bytes", "bytes", "Keys by what they cost in memory", &d->size, &bytes);
    add_distribution(m, "keys_by_elements", "", "Collections by their number of elements", &d->elements, NULL);
    add_distribution(m, "keys_by_ttl_seconds", "seconds",
                     "Keys with an expiry by the time left when the dump was saved", &d->ttl, NULL);
    add_distribution(m, "keys_by_idle_seconds", "seconds", "Keys by idle time", &d->idle, NULL);
}

static bool add_audit(const struct metrics *m, const struct audit_report *r)
{
    struct series s = {.n = 0};
    bool full = false, ok = true;
    for (size_t i = 0; i < r->nrules && ok && !full; i++) {
        struct labels l;
        ok = labels_open(&l);
        if (ok) {
            label_text(l.f, "rule", r->rules[i]);
            ok = labels_into(&l, &s, &r->broken[i], &full);
        }
    }
    if (s.n > 0)
        gauge(m, "audit_rule_broken", "", "1 if a rule of --fail-on is broken");
    for (size_t i = 0; i < s.n; i++)
        metric_u64(m, "audit_rule_broken", "", s.of[i].labels, *(const bool *)s.of[i].row);
    series_free(&s);
    one(m, "audit_big_keys", "", "Big keys that have not expired and are not excepted by --allow", r->big_failing);
    return ok;
}

static bool add_found(const struct metrics *m, const struct analysis *a)
{
    const struct findings_report *r = a->found;
    if (!r)
        return true;
    one(m, "filter_active", "", "1 if the report is on a part of the keys only", r->filter.active);
    add_distributions(m, a);
    return add_prefixes(m, &r->groups) && add_custom(m, r) && add_audit(m, &r->audit);
}

/* ---------------------------------------------------------------- the forecast */

static double step_value(const struct forecast_step *s, const struct figure *f)
{
    double v;
    memcpy(&v, (const char *)s + f->at, sizeof v);
    return v;
}

static void step_labels(char labels[PLAIN_LABELS], const struct forecast_row *row)
{
    if (row->horizon_s == INT64_MAX)
        snprintf(labels, PLAIN_LABELS, "horizon=\"all\",deleted_percent=\"%.0f\"", row->deleted_percent);
    else
        snprintf(labels, PLAIN_LABELS, "horizon=\"%lld\",deleted_percent=\"%.0f\"", (long long)row->horizon_s,
                 row->deleted_percent);
}

/* The same as INFO after loading, under the names that exporters give it; used_memory stands in the ledger. */
static void add_after_load(const struct metrics *m, const struct forecast_step *s)
{
    char help[PLAIN_LABELS];
    for (unsigned f = 1; f < STEP_FIGURES && s->modelled; f++) {
        snprintf(help, sizeof help, "%s after loading", step_figures[f].help);
        gauge(m, step_figures[f].name, step_figures[f].unit, help);
        metric_double(m, step_figures[f].name, "", "", step_value(s, &step_figures[f]));
    }
}

static void add_steps(const struct metrics *m, const struct forecast_report *r, const struct figure *f)
{
    char name[64], help[PLAIN_LABELS], labels[PLAIN_LABELS];
    snprintf(name, sizeof name, "forecast_%s", f->name);
    snprintf(help, sizeof help, "%s when what expires until the horizon (seconds) is gone", f->help);
    gauge(m, name, f->unit, help);
    for (size_t i = 0; i < r->n; i++) {
        step_labels(labels, &r->rows[i]);
        if (r->rows[i].s.modelled || f == step_figures)
            metric_double(m, name, "", labels, step_value(&r->rows[i].s, f));
    }
}

static void add_forecast(const struct metrics *m, const struct forecast_report *r)
{
    char labels[PLAIN_LABELS];
    if (r->n == 0)
        return;
    add_after_load(m, &r->rows[0].s);
    for (unsigned f = 0; f < (r->rows[0].s.modelled ? STEP_FIGURES : 1); f++)
        add_steps(m, r, &step_figures[f]);
    gauge(m, "forecast_keys", "", "Keys left at the horizon");
    for (size_t i = 0; i < r->n; i++) {
        step_labels(labels, &r->rows[i]);
        metric_double(m, "forecast_keys", "", labels, r->rows[i].s.keys);
    }
    gauge(m, "forecast_activedefrag_would_start", "", "1 if active defragmentation, when enabled, would start");
    for (size_t i = 0; i < r->n; i++) {
        step_labels(labels, &r->rows[i]);
        metric_u64(m, "forecast_activedefrag_would_start", "", labels, r->rows[i].s.defrag_starts);
    }
    one(m, "forecast_from_timestamp_seconds", "seconds", "What the horizons count from",
        r->from_ms > 0 ? (uint64_t)r->from_ms / 1000 : 0);
    if (r->has_reclaim) {
        gauge(m, "reload_gives_back_bytes", "bytes", "What the dump says was used, less used_memory after loading it");
        metric_i64(m, "reload_gives_back_bytes", "", "", r->reclaim_bytes);
    }
}

/* ---------------------------------------------------------------- the whole */

static bool write_metrics(struct sink *s, const struct analysis *a, bool openmetrics)
{
    const struct report_options *o = s->options;
    struct metrics m = {s->out, o->metrics_namespace, openmetrics};
    bool ok;
    metric_family(&m, "build", METRIC_INFO, "", "The program that made this");
    metric_u64(&m, "build", "_info", "version=\"" RDBMEM_VERSION "\"", 1);
    ok = add_dump_info(&m, a, o->fleet);
    add_state(&m, a, o);
    ok = ok && add_files(&m, a, o->fleet);
    if (a->target) { /* else nothing could be read */
        add_ledger(&m, a);
        add_databases(&m, a);
        add_cells(&m, a);
        ok = ok && add_top_keys(&m, a, o->fleet) && add_found(&m, a);
        add_forecast(&m, &a->forecast);
    }
    metrics_end(&m);
    return ok;
}

bool openmetrics_finish(struct sink *s, const struct analysis *a)
{
    return write_metrics(s, a, true);
}

bool prometheus_finish(struct sink *s, const struct analysis *a)
{
    return write_metrics(s, a, false);
}
