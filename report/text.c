/*
 * text.c - the report to read: who wrote the dump and when, the ledger that adds up, then the tables.
 *
 * The first screen answers "why is my Redis big"; everything fits the width, whatever keys and files are called.
 */
#include "report/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/human.h"

/* ---------------------------------------------------------------- paragraphs */

void text_heading(struct text *t, const char *heading)
{
    out_char(t->out, '\n');
    out_str(t->out, t->bold);
    out_str(t->out, heading);
    out_str(t->out, t->plain);
    out_char(t->out, '\n');
}

struct paragraph {
    struct text *t;
    size_t column;
    size_t indent; /* of the lines after the first: an item of a list stands out */
    bool fresh;    /* nothing stands on this line yet */
};

/* Bytes of p that fit into room columns: at least one character. *columns is what they take. */
static size_t fitting(const char *p, size_t len, size_t room, size_t *columns)
{
    size_t at = 0;
    *columns = 0;
    while (at < len) {
        uint32_t code;
        unsigned n = utf8_decode((const uint8_t *)p + at, len - at, &code);
        char one[8] = "";
        size_t width;
        n = n ? n : 1;
        memcpy(one, p + at, n);
        width = text_width(one);
        if (*columns + width > room && at > 0)
            break;
        *columns += width;
        at += n;
    }
    return at;
}

static void new_line(struct paragraph *g)
{
    out_char(g->t->out, '\n');
    out_spaces(g->t->out, g->indent);
    g->column = g->indent;
    g->fresh = true;
}

/* One word, on this line if there is room; a word longer than a line is cut into pieces. */
static void put_word(struct paragraph *g, const char *p, size_t len)
{
    size_t width;
    fitting(p, len, SIZE_MAX, &width);
    if (!g->fresh && g->column + 1 + width > g->t->width)
        new_line(g);
    if (!g->fresh) {
        out_char(g->t->out, ' ');
        g->column++;
    }
    for (size_t at = 0; at < len;) {
        size_t n;
        if (at > 0)
            new_line(g);
        n = fitting(p + at, len - at, g->t->width - g->column, &width);
        out_bytes(g->t->out, p + at, n);
        g->column += width;
        at += n;
    }
    g->fresh = false;
}

/* Whether p begins with a unit, which stays on the line of its number. */
static bool is_unit(const char *p)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "%"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t len = strlen(units[i]);
        if (strncmp(p, units[i], len) == 0 && (p[len] == '\0' || strchr(" .,;:)", p[len])))
            return true;
    }
    return false;
}

static size_t word_length(const char *p)
{
    size_t len = strcspn(p, " ");
    if (len > 0 && p[len] == ' ' && p[len - 1] >= '0' && p[len - 1] <= '9' && is_unit(p + len + 1))
        len += 1 + strcspn(p + len + 1, " ");
    return len;
}

static void put_paragraph(struct text *t, const char *p)
{
    struct paragraph g = {.t = t, .fresh = true};
    g.column = strspn(p, " ");
    g.indent = strncmp(p + g.column, "- ", 2) == 0 ? g.column + 2 : 2;
    out_spaces(t->out, g.column);
    for (p += g.column; *p; p += strspn(p, " ")) {
        size_t len = word_length(p);
        put_word(&g, p, len);
        p += len;
    }
    out_char(t->out, '\n');
}

void text_wrap(struct text *t, const char *format, ...)
{
    char *raw = NULL, *safe;
    va_list args;
    va_start(args, format);
    if (vasprintf(&raw, format, args) < 0)
        raw = NULL;
    va_end(args);
    safe = raw ? safe_text(raw) : NULL;
    if (safe)
        put_paragraph(t, safe);
    else
        t->failed = true;
    free(safe);
    free(raw);
}

void text_cell(struct grid *g, const char *format, ...)
{
    char cell[256];
    va_list args;
    va_start(args, format);
    vsnprintf(cell, sizeof cell, format, args);
    va_end(args);
    grid_text(g, cell);
}

void text_grid(struct text *t, struct grid *g)
{
    if (!grid_print(g, t->out, t->width, t->dim, t->plain))
        t->failed = true;
}

/* ---------------------------------------------------------------- the head */

static void write_age(char out[128], const struct file_report *f, int64_t clock_s)
{
    int64_t age = clock_s - f->ctime_s;
    if (f->ctime_s <= 0)
        snprintf(out, 128, "age unknown");
    else if (age < 0)
        snprintf(out, 128, "dated %s, which is still to come", human_time(f->ctime_s).s);
    else
        snprintf(out, 128, "%s old (%s)", human_duration(age).s, human_time(f->ctime_s).s);
}

static void head(struct text *t, const struct analysis *a)
{
    const struct file_report *f = &a->file;
    char age[128], wraps[64];
    write_age(age, f, t->clock_s);
    report_wrap_names(f->info.wraps, wraps);
    out_str(t->out, t->bold);
    text_wrap(t, "Dump of %s %s, %s: %s", f->writer, f->version[0] ? f->version : "(version unknown)", age,
              strcmp(f->path, "-") == 0 ? "standard input" : f->path);
    out_str(t->out, t->plain);
    text_wrap(t, "RDB version %d, %s%s%s%s, checksum %s. Priced for %s (%s) with %s.", f->info.version,
              human_bytes(f->rdb_bytes).s, wraps[0] ? " unpacked from " : "", wraps,
              f->info.newer ? ", newer than the newest known" : "", report_crc_name(f->info.crc), a->target,
              a->target_why, a->allocator);
}

/* What was not read of one dump; name: which, where there are several. */
static void incomplete(struct text *t, const struct file_report *f, const char *stopped, const char *name)
{
    const struct rdb_error *e = &f->error;
    const char *colon = *name ? ": " : "", *below = *name ? "" : "; what had been read by then is below";
    if (e->kind == RDB_ERR_CHECKSUM)
        text_wrap(t, "DAMAGED: %s%s%s (byte %llu); everything was read.", name, colon, e->expected,
                  (unsigned long long)e->offset);
    else if (e->kind != RDB_OK && f->info.version == 0 && *name)
        text_wrap(t, "NOT READ: %s%s%s.", name, colon, e->expected);
    else if (e->kind != RDB_OK)
        text_wrap(t, "INCOMPLETE: %s%s%s at byte %llu: %s%s.", name, colon, rdb_err_name(e->kind),
                  (unsigned long long)e->offset, e->expected, below);
    else if (!f->complete && f->info.version > 0)
        text_wrap(t, "INCOMPLETE: %s%s%s at byte %llu%s.", name, colon, stopped ? stopped : "stopped",
                  (unsigned long long)f->rdb_bytes, below);
}

/* Bytes in the file that are no part of the dump. */
static void beyond(struct text *t, const struct file_report *f)
{
    if (f->aof_bytes)
        text_wrap(t, "%s of AOF commands follow%s and were not analysed: what they changed is not in these figures.",
                  human_bytes(f->aof_bytes).s, f->aof_files ? " in its increments" : "");
    if (f->trailing && !f->aof_preamble)
        text_wrap(t, "%s behind the end of the dump were not read.", human_bytes(f->trailing).s);
}

static void warnings(struct text *t, const struct analysis *a, const struct report_options *o)
{
    out_str(t->out, t->warn);
    for (size_t i = 0; o->fleet && i < o->fleet->n; i++)
        incomplete(t, &o->fleet->parts[i].file, o->stopped, o->fleet->parts[i].file.path);
    if (!o->fleet)
        incomplete(t, &a->file, o->stopped, "");
    out_str(t->out, t->plain);
    if (a->empty_keys)
        text_wrap(
            t, "%s empty keys skipped: a list, set, sorted set or hash without elements is not loaded by this target.",
            human_count(a->empty_keys).s);
    if (a->damaged_keys)
        text_wrap(t, "%s damaged keys were skipped; their cost is not in the sums.", human_count(a->damaged_keys).s);
    if (a->estimated_keys)
        text_wrap(t, "%s keys (%s) hold values of modules or other forms whose cost is estimated.",
                  human_count(a->estimated_keys).s, human_bytes(a->estimated_bytes).s);
    if (a->lower_bound_keys)
        text_wrap(t, "%s keys (%s) hold values of unknown modules: their serialised bytes are counted, a lower bound.",
                  human_count(a->lower_bound_keys).s, human_bytes(a->lower_bound_bytes).s);
    beyond(t, &a->file);
    for (size_t i = 0; i < a->nnotes; i++)
        text_wrap(t, "Note: %s", a->notes[i]);
}

/* ---------------------------------------------------------------- the ledger */

static void ledger_row(struct grid *g, const char *name, uint64_t bytes, uint64_t whole, const char *remark)
{
    grid_text(g, name);
    grid_text(g, human_bytes(bytes).s);
    grid_text(g, human_count(bytes).s);
    grid_text(g, whole ? human_share(bytes, whole).s : "");
    grid_text(g, remark);
}

static void ledger_remark_claim(char out[80], const struct analysis *a)
{
    uint64_t claim = a->file.used_mem, used = a->ledger.used_memory;
    if (claim == 0)
        snprintf(out, 80, "no claim");
    else if (claim >= used)
        snprintf(out, 80, "+%s against it", human_bytes(claim - used).s);
    else
        snprintf(out, 80, "-%s against it", human_bytes(used - claim).s);
}

static void ledger_rows(struct grid *g, const struct analysis *a, enum load_as load_as)
{
    const struct ledger *l = &a->ledger;
    char remark[80];
    snprintf(remark, sizeof remark, "%s keys%s%s", human_count(report_loaded(a, load_as)->keys).s,
             load_as == LOAD_ALL ? "" : " loaded by a ", load_as == LOAD_ALL ? "" : report_load_name(load_as));
    ledger_row(g, "  keys", l->keys, l->used_memory, remark);
    ledger_row(g, "+ keyspace tables", l->keyspace, l->used_memory, "");
    snprintf(remark, sizeof remark, "%s libraries", human_count(a->file.functions).s);
    ledger_row(g, "+ functions", l->functions, l->used_memory, a->file.functions ? remark : "");
    ledger_row(g, "+ server's baseline", l->used_memory_startup, l->used_memory, "used_memory_startup");
    ledger_row(g, "+ client that asks", l->client, l->used_memory, "one connection for INFO");
    snprintf(remark, sizeof remark, "standard error %s", human_bytes((uint64_t)(l->used_memory_stderr + 0.5)).s);
    ledger_row(g, "= used_memory", l->used_memory, 0, l->used_memory_stderr >= 0.5 ? remark : "predicted");
    if (a->file.has_used_mem) {
        ledger_remark_claim(remark, a);
        ledger_row(g, "  file's used-mem", a->file.used_mem, 0, remark);
    }
}

static void unknowables(struct text *t)
{
    char list[1024];
    size_t n = 0;
    for (const struct unknowable *u = report_unknowable; u->name; u++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", u->text);
    text_wrap(t, "  Not in any dump, so not in this sum: %s.", list);
}

static void ledger(struct text *t, const struct analysis *a, const struct report_options *o)
{
    static const struct grid_column columns[] = {
        {"", true, 0}, {"memory", false, 0}, {"bytes", false, 2}, {"share", false, 1}, {"", true, 0}};
    const struct ledger *l = &a->ledger;
    struct grid g;
    text_heading(t, "Memory after loading");
    grid_begin(&g, columns, 5);
    ledger_rows(&g, a, o->load_as);
    text_grid(t, &g);
    if (l->used_memory_dataset)
        text_wrap(t, "  INFO would also say: used_memory_dataset %s, used_memory_overhead %s, used_memory_peak %s.",
                  human_bytes(l->used_memory_dataset).s, human_bytes(l->used_memory_overhead).s,
                  human_bytes(l->used_memory_peak).s);
    if (a->master.keys != a->all.keys || a->replica.keys != a->all.keys)
        text_wrap(t, "  Of %s keys in the file (%s) a master would load %s (%s), a replica %s (%s).",
                  human_count(a->all.keys).s, human_bytes(a->all.bytes).s, human_count(a->master.keys).s,
                  human_bytes(a->master.bytes).s, human_count(a->replica.keys).s, human_bytes(a->replica.bytes).s);
    unknowables(t);
}

/* ---------------------------------------------------------------- the report */

static void sections(struct text *t, const struct analysis *a, const struct report_options *o)
{
    ledger(t, a, o);
    text_types(t, a);
    text_encodings(t, a);
    text_modules(t, a);
    text_structures(t, a);
    text_databases(t, a);
    text_audit(t, a);
    text_groups(t, a);
    text_groups_custom(t, a);
    text_slots(t, a);
    text_sizes(t, a);
    text_top(t, a);
    text_big(t, a);
    text_expiries(t, a);
    text_forecast(t, a);
    text_eviction(t, a);
    text_rebuild(t, a);
}

bool text_finish(struct sink *s, const struct analysis *a)
{
    const struct report_options *o = s->options;
    struct text t = {
        .out = s->out, .width = o->width, .clock_s = o->clock_s, .bold = "", .dim = "", .warn = "", .plain = ""};
    if (o->color) {
        t.bold = "\033[1m";
        t.dim = "\033[2m";
        t.warn = "\033[1;31m";
        t.plain = "\033[0m";
    }
    if (o->fleet && !text_labels(&t, o->fleet)) {
        text_labels_free(&t);
        return false;
    }
    if (o->fleet)
        text_fleet(&t, a);
    else if (a->file.info.version > 0)
        head(&t, a);
    warnings(&t, a, o);
    text_filter(&t, a);
    if (a->file.info.version > 0)
        sections(&t, a, o);
    text_labels_free(&t);
    return !t.failed;
}
