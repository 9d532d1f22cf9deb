/*
 * sqlite.c - a SQLite database: every key a row, and the summary in tables beside it.
 *
 * SQLite writes the file itself, so this format wants a path (report_format.needs_file): it fills the temporary file
 * that out.c made beside the destination, and out_commit renames it as any other report. A half-written database is
 * thrown away, never repaired; hence no journal, no waiting for the disk, and one transaction for everything. Indexes
 * come last: sorting once is cheaper than keeping order. Pages are large: a table that only grows is then written with few
 * calls.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/fields.h"
#include "report/human.h"
#include "report/report.h"

enum { CACHE_KIB = 8192, PAGE_BYTES = 32768, APPLICATION_ID = 0x7264626d /* "rdbm" */ };

/* Keys go in by so many: to begin a statement and to end it costs about as much as a row does. Their names stand in a
 * buffer of the database until then; one that has no room there goes in alone. */
enum { BATCH = 64, NAMES_BYTES = 64 << 10, KEY_COLUMNS = FIELD_COUNT + 2 /* key_bytes, file */, TIME_TEXT = 40 };

struct database {
    sqlite3 *db;
    sqlite3_stmt *keys; /* INSERT INTO keys, of BATCH rows */
    unsigned nrows;
    size_t names_used;
    struct key_report rows[BATCH];
    char times[BATCH][TIME_TEXT], flags[BATCH][KEY_FLAGS_TEXT];
    uint8_t names[NAMES_BYTES];
};

/* ---------------------------------------------------------------- statements */

/* Remembers the first failure for the sink; the keys that follow are dropped. */
static bool fail(struct sink *s, const struct database *d)
{
    if (!s->problem[0])
        snprintf(s->problem, sizeof s->problem, "%s", d->db ? sqlite3_errmsg(d->db) : "out of memory");
    if (s->out->sys == 0)
        s->out->sys = d->db && sqlite3_errcode(d->db) == SQLITE_FULL ? ENOSPC : EIO;
    return false;
}

static bool execute(struct sink *s, const struct database *d, const char *sql)
{
    return sqlite3_exec(d->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(s, d);
}

static bool execute_format(struct sink *s, const struct database *d, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool execute_format(struct sink *s, const struct database *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *sql = sqlite3_vmprintf(format, args);
    va_end(args);
    bool ok = sql ? execute(s, d, sql) : fail(s, d);
    sqlite3_free(sql);
    return ok;
}

/* Types of a row's values: i uint64_t, d double, s text, n NULL, b bool as int. One after the other in args. */
struct insert {
    sqlite3_stmt *stmt;
    int next; /* column to bind */
    bool ok;
};

static struct insert insert_begin(struct sink *s, const struct database *d, const char *sql)
{
    struct insert in = {.next = 1};
    in.ok = sqlite3_prepare_v2(d->db, sql, -1, &in.stmt, NULL) == SQLITE_OK || fail(s, d);
    return in;
}

static void put_int(struct insert *in, uint64_t v)
{
    sqlite3_bind_int64(in->stmt, in->next++, v > INT64_MAX ? INT64_MAX : (sqlite3_int64)v);
}

static void put_signed(struct insert *in, int64_t v)
{
    sqlite3_bind_int64(in->stmt, in->next++, v);
}

/* Rounded: figures of the forecast are bytes and keys. */
static void put_round(struct insert *in, double v)
{
    sqlite3_bind_int64(in->stmt, in->next++, (sqlite3_int64)(v + 0.5));
}

static void put_real(struct insert *in, double v)
{
    sqlite3_bind_double(in->stmt, in->next++, v);
}

static void put_null(struct insert *in)
{
    sqlite3_bind_null(in->stmt, in->next++);
}

static void put_text(struct insert *in, const char *v)
{
    sqlite3_bind_text(in->stmt, in->next++, v, -1, SQLITE_TRANSIENT);
}

static void row(struct sink *s, const struct database *d, struct insert *in)
{
    if (in->ok && sqlite3_step(in->stmt) != SQLITE_DONE)
        in->ok = fail(s, d);
    sqlite3_reset(in->stmt);
    sqlite3_clear_bindings(in->stmt);
    in->next = 1;
}

static bool insert_end(struct insert *in)
{
    sqlite3_finalize(in->stmt);
    return in->ok;
}

/* ---------------------------------------------------------------- keys */

static bool is_text(enum key_field_id id)
{
    return id == FIELD_TYPE || id == FIELD_KEY || id == FIELD_ENCODING || id == FIELD_EXPIRY || id == FIELD_FLAGS;
}

/* The table of keys, from the field table; key_bytes and file come last. */
static bool make_keys(struct sink *s, const struct database *d)
{
    char table[2048] = "CREATE TABLE keys (";
    size_t n = strlen(table);
    for (enum key_field_id i = 0; i < FIELD_COUNT; i++)
        n += (size_t)snprintf(table + n, sizeof table - n, "%s %s, ", key_fields[i].name,
                              is_text(i) ? "TEXT" : "INTEGER");
    snprintf(table + n, sizeof table - n, "key_bytes BLOB, file INTEGER)");
    return execute(s, d, table);
}

/* INSERT INTO keys of so many rows. */
static bool prepare_keys(struct sink *s, const struct database *d, unsigned rows, sqlite3_stmt **stmt)
{
    char sql[64 + BATCH * (2 * KEY_COLUMNS + 2)] = "INSERT INTO keys VALUES ";
    char *p = sql + strlen(sql);
    for (unsigned i = 0; i < rows * KEY_COLUMNS; i++) {
        *p++ = i % KEY_COLUMNS ? ',' : '(';
        *p++ = '?';
        if (i % KEY_COLUMNS == KEY_COLUMNS - 1) {
            *p++ = ')';
            *p++ = ',';
        }
    }
    *--p = '\0';
    return sqlite3_prepare_v3(d->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL) == SQLITE_OK || fail(s, d);
}

/* Whether SQL's string functions can deal with the name: UTF-8 without NUL. */
static bool is_plain(const uint8_t *s, size_t len)
{
    unsigned plain = 1;
    for (size_t i = 0; i < len; i++)
        plain &= (unsigned)(s[i] - 1U < 0x7f);
    return plain != 0 || (memchr(s, 0, len) == NULL && utf8_valid(s, len));
}

/* The name with \xHH for what is not text. Allocated; NULL: out of memory. */
static char *readable(const uint8_t *s, size_t len)
{
    char *text = malloc(len * 4 + 1), *p = text;
    uint32_t code;
    for (size_t i = 0; text && i < len;) {
        unsigned n = utf8_decode(s + i, len - i, &code);
        if (n == 0 || s[i] == 0) {
            p += snprintf(p, 5, "\\x%02X", s[i++]);
        } else {
            memcpy(p, s + i, n);
            p += n;
            i += n;
        }
    }
    if (text)
        *p = '\0';
    return text;
}

/* The name, and its bytes where it is not text. */
static void bind_name(sqlite3_stmt *stmt, int first, const struct key_report *k)
{
    if (is_plain(k->name, k->name_len)) {
        sqlite3_bind_text(stmt, first + FIELD_KEY, (const char *)k->name, (int)k->name_len, SQLITE_STATIC);
        sqlite3_bind_null(stmt, first + FIELD_COUNT);
        return;
    }
    sqlite3_bind_text(stmt, first + FIELD_KEY, readable(k->name, k->name_len), -1, free);
    sqlite3_bind_blob(stmt, first + FIELD_COUNT, k->name, (int)k->name_len, SQLITE_STATIC);
}

static inline __attribute__((always_inline)) void bind_value(struct database *d, sqlite3_stmt *stmt, unsigned row,
                                                             const struct key_report *k, enum key_field_id id)
{
    struct key_value v = key_value(k, id);
    int first = 1 + (int)row * KEY_COLUMNS, at = first + (int)id;
    char *text;
    switch (v.kind) {
    case VALUE_NONE: sqlite3_bind_null(stmt, at); break;
    case VALUE_NUMBER: sqlite3_bind_int64(stmt, at, v.number > INT64_MAX ? INT64_MAX : (sqlite3_int64)v.number); break;
    case VALUE_SIGNED: sqlite3_bind_int64(stmt, at, (sqlite3_int64)v.number); break;
    case VALUE_TIME:
        text = d->times[row];
        sqlite3_bind_text(stmt, at, text, (int)(put_iso_ms(text, (int64_t)v.number) - text), SQLITE_STATIC);
        break;
    case VALUE_FLAGS:
        text = d->flags[row];
        sqlite3_bind_text(stmt, at, text, (int)(put_flags(text, (unsigned)v.number) - text), SQLITE_STATIC);
        break;
    case VALUE_NAME: bind_name(stmt, first, k); break;
    case VALUE_TEXT: sqlite3_bind_text(stmt, at, v.text, -1, SQLITE_STATIC); break;
    }
}

static void bind_row(struct database *d, sqlite3_stmt *stmt, unsigned row, const struct key_report *k)
{
#pragma GCC unroll 32
    for (enum key_field_id id = 0; id < FIELD_COUNT; id++)
        bind_value(d, stmt, row, k, id);
    sqlite3_bind_int64(stmt, 1 + (int)row * KEY_COLUMNS + FIELD_COUNT + 1, k->file);
}

/* Stores n rows. */
static bool store(struct sink *s, struct database *d, const struct key_report *rows, unsigned n)
{
    sqlite3_stmt *stmt = d->keys;
    if (n != BATCH && !prepare_keys(s, d, n, &stmt))
        return false;
    for (unsigned row = 0; row < n; row++)
        bind_row(d, stmt, row, &rows[row]);
    bool ok = sqlite3_step(stmt) == SQLITE_DONE || fail(s, d);
    sqlite3_reset(stmt);
    if (stmt != d->keys)
        sqlite3_finalize(stmt);
    return ok;
}

/* Stores the rows that wait. */
static bool flush(struct sink *s, struct database *d)
{
    unsigned n = d->nrows;
    d->nrows = 0;
    d->names_used = 0;
    return n == 0 || store(s, d, d->rows, n);
}

void sqlite_key(struct sink *s, const struct key_report *k)
{
    struct database *d = s->state;
    if (s->problem[0] || (k->name_len > NAMES_BYTES - d->names_used && !flush(s, d)))
        return;
    if (k->name_len > NAMES_BYTES) {
        store(s, d, k, 1);
        return;
    }
    struct key_report *row = &d->rows[d->nrows++];
    *row = *k;
    row->name = memcpy(d->names + d->names_used, k->name, k->name_len);
    d->names_used += k->name_len;
    if (d->nrows == BATCH)
        flush(s, d);
}

/* ---------------------------------------------------------------- the summary */

static void meta_text(struct sink *s, const struct database *d, struct insert *in, const char *name, const char *value)
{
    put_text(in, name);
    put_text(in, value);
    row(s, d, in);
}

static void meta_int(struct sink *s, const struct database *d, struct insert *in, const char *name, uint64_t value)
{
    put_text(in, name);
    put_int(in, value);
    row(s, d, in);
}

/* What a reader must know to take the figures for what they are, and the ledger. */
static bool fill_meta(struct sink *s, const struct database *d, const struct analysis *a)
{
    struct insert in = insert_begin(s, d, "INSERT INTO meta VALUES (?,?)");
    const struct ledger *l = &a->ledger;
    if (!in.ok)
        return insert_end(&in);
    meta_int(s, d, &in, "schema_version", REPORT_SCHEMA_VERSION);
    meta_text(s, d, &in, "generator", "rdbmem " RDBMEM_VERSION);
    meta_int(s, d, &in, "complete", report_complete(a, s->options));
    meta_text(s, d, &in, "error", a->file.error.kind == RDB_OK ? "" : rdb_err_name(a->file.error.kind));
    meta_text(s, d, &in, "target", a->target ? a->target : "");
    meta_text(s, d, &in, "allocator", a->allocator ? a->allocator : "");
    meta_text(s, d, &in, "load_as", report_load_name(s->options->load_as));
    meta_int(s, d, &in, "now_ms", a->now_ms > 0 ? (uint64_t)a->now_ms : 0);
    meta_int(s, d, &in, "keys", l->keys);
    meta_int(s, d, &in, "keyspace", l->keyspace);
    meta_int(s, d, &in, "functions", l->functions);
    meta_int(s, d, &in, "used_memory_startup", l->used_memory_startup);
    meta_int(s, d, &in, "client", l->client);
    meta_int(s, d, &in, "used_memory", l->used_memory);
    meta_int(s, d, &in, "used_memory_stderr", (uint64_t)(l->used_memory_stderr + 0.5));
    meta_int(s, d, &in, "used_memory_overhead", l->used_memory_overhead);
    meta_int(s, d, &in, "used_memory_dataset", l->used_memory_dataset);
    return insert_end(&in);
}

static bool fill_files(struct sink *s, const struct database *d, const struct analysis *a)
{
    struct insert in = insert_begin(s, d, "INSERT INTO files VALUES (?,?,?,?,?,?,?,?,?,?)");
    const struct fleet *fleet = s->options->fleet;
    for (size_t i = 0; in.ok && i < (fleet ? fleet->n : 1); i++) {
        const struct analysis *part = fleet ? &fleet->parts[i] : a;
        char *path = readable((const uint8_t *)part->file.path, strlen(part->file.path));
        put_int(&in, i);
        put_text(&in, path ? path : "");
        put_int(&in, part->file.complete);
        put_text(&in, part->file.writer);
        put_text(&in, part->file.version);
        if (part->file.ctime_s == -1)
            put_null(&in);
        else
            put_signed(&in, part->file.ctime_s);
        put_int(&in, part->file.file_size);
        put_int(&in, part->file.rdb_bytes);
        put_int(&in, part->total.keys);
        put_int(&in, part->ledger.used_memory);
        row(s, d, &in);
        free(path);
    }
    return insert_end(&in);
}

static void put_totals(struct insert *in, const struct totals *t)
{
    put_int(in, t->keys);
    put_int(in, t->bytes);
    put_int(in, t->payload);
    put_signed(in, (int64_t)(t->bytes - t->payload));
    put_int(in, t->rounding);
    put_int(in, t->record);
    put_int(in, t->elements);
    put_int(in, t->largest);
    put_int(in, t->expiring_keys);
    put_int(in, t->expiring_bytes);
}

static bool fill_types(struct sink *s, const struct database *d, const struct analysis *a)
{
    struct insert in = insert_begin(s, d, "INSERT INTO types VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
    for (size_t i = 0; in.ok && i < a->ncells; i++) {
        put_text(&in, key_type_words[a->cells[i].type]);
        put_text(&in, encoding_name(a->cells[i].encoding));
        put_totals(&in, &a->cells[i].t);
        row(s, d, &in);
    }
    return insert_end(&in);
}

static bool fill_databases(struct sink *s, const struct database *d, const struct analysis *a)
{
    struct insert in = insert_begin(s, d, "INSERT INTO databases VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)");
    for (size_t i = 0; in.ok && i < a->ndbs; i++) {
        const struct db_report *db = &a->dbs[i];
        put_int(&in, db->db);
        put_totals(&in, &db->t);
        put_int(&in, db->main_table);
        put_int(&in, db->expires_table);
        row(s, d, &in);
    }
    return insert_end(&in);
}

static void put_sums(struct insert *in, const struct group_sums *g)
{
    put_int(in, g->keys);
    put_int(in, g->bytes);
    put_int(in, g->p50);
    put_int(in, g->p99);
    put_int(in, g->largest);
    put_int(in, g->expiring_keys);
    put_int(in, g->expiring_bytes);
}

static void put_group(struct sink *s, const struct database *d, struct insert *in, const struct group *g)
{
    char *name = readable((const uint8_t *)g->name, g->name_len);
    put_text(in, "prefix");
    put_text(in, name ? name : "");
    put_int(in, g->depth);
    put_int(in, g->other);
    put_int(in, g->missing_at_most);
    put_sums(in, &g->sums);
    row(s, d, in);
    free(name);
}

static bool fill_groups(struct sink *s, const struct database *d, const struct findings_report *r)
{
    struct insert in = insert_begin(s, d, "INSERT INTO groups VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
    for (size_t i = 0; in.ok && r && i < r->groups.n; i++)
        put_group(s, d, &in, &r->groups.rows[i]);
    for (size_t i = 0; in.ok && r && i < r->ncustom; i++) {
        char *name = readable((const uint8_t *)r->custom[i].name, strlen(r->custom[i].name));
        put_text(&in, "group");
        put_text(&in, name ? name : "");
        put_null(&in);
        put_int(&in, r->custom[i].pattern[0] == '\0');
        put_int(&in, 0);
        put_sums(&in, &r->custom[i].sums);
        row(s, d, &in);
        free(name);
    }
    return insert_end(&in);
}

/* ---------------------------------------------------------------- the forecast */

static void put_step(struct insert *in, const struct forecast_row *f)
{
    const struct forecast_step *s = &f->s;
    if (f->horizon_s == INT64_MAX)
        put_null(in);
    else
        put_signed(in, f->horizon_s);
    put_real(in, f->deleted_percent);
    put_round(in, s->keys);
    put_round(in, s->used_memory);
    if (!s->modelled)
        return; /* the rest stays NULL */
    put_round(in, s->allocator_allocated);
    put_round(in, s->allocator_active);
    put_round(in, s->allocator_resident);
    put_round(in, s->used_memory_rss);
    put_real(in, s->allocator_frag_ratio);
    put_real(in, s->mem_fragmentation_ratio);
    put_text(in, forecast_band_name(s->band));
    put_int(in, s->defrag_starts);
    put_round(in, s->restart_gains);
}

static bool fill_forecast(struct sink *s, const struct database *d, const struct forecast_report *f)
{
    struct insert in = insert_begin(s, d, "INSERT INTO forecast VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    for (size_t i = 0; in.ok && i < f->n; i++) {
        put_int(&in, i);
        put_step(&in, &f->rows[i]);
        row(s, d, &in);
    }
    return insert_end(&in);
}

static bool fill_size_classes(struct sink *s, const struct database *d, const struct forecast_report *f)
{
    struct insert in = insert_begin(s, d, "INSERT INTO size_classes VALUES (?,?,?,?,?,?)");
    for (unsigned b = 0; in.ok && b < f->nbins; b++) {
        if (f->n == 0 || !f->rows[0].bins || f->rows[0].bins[b].slabs <= 0)
            continue;
        for (size_t i = 0; i < f->n; i++) {
            put_int(&in, i);
            put_int(&in, f->bins[b].size);
            put_int(&in, f->bins[b].regions);
            put_int(&in, f->bins[b].pages * UINT64_C(4096));
            put_round(&in, f->rows[i].bins[b].regions);
            put_round(&in, f->rows[i].bins[b].slabs);
            row(s, d, &in);
        }
    }
    return insert_end(&in);
}

/* ---------------------------------------------------------------- the file */

#define TOTALS                                                                                                         \
    "keys INTEGER, size_in_bytes INTEGER, payload_bytes INTEGER, overhead_bytes INTEGER, rounding_bytes INTEGER, "     \
    "serialized_bytes INTEGER, num_elements INTEGER, largest_key_bytes INTEGER, expiring_keys INTEGER, "               \
    "expiring_bytes INTEGER"

static const char tables[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value);"
    "CREATE TABLE files (file INTEGER PRIMARY KEY, path TEXT, complete INTEGER, writer TEXT, writer_version TEXT,"
    " ctime INTEGER, file_bytes INTEGER, rdb_bytes INTEGER, keys INTEGER, used_memory INTEGER);"
    "CREATE TABLE types (type TEXT, encoding TEXT, " TOTALS ");"
    "CREATE TABLE databases (database INTEGER, " TOTALS ", main_table_bytes INTEGER, expires_table_bytes INTEGER);"
    "CREATE TABLE groups (kind TEXT, name TEXT, depth INTEGER, other INTEGER, missing_at_most_bytes INTEGER,"
    " keys INTEGER, size_in_bytes INTEGER, p50_bytes INTEGER, p99_bytes INTEGER, largest_key_bytes INTEGER,"
    " expiring_keys INTEGER, expiring_bytes INTEGER);"
    "CREATE TABLE forecast (step INTEGER PRIMARY KEY, horizon_seconds INTEGER, deleted_percent REAL, keys INTEGER,"
    " used_memory INTEGER, allocator_allocated INTEGER, allocator_active INTEGER, allocator_resident INTEGER,"
    " used_memory_rss INTEGER, allocator_frag_ratio REAL, mem_fragmentation_ratio REAL, band TEXT,"
    " activedefrag_would_start INTEGER, restart_gives_back INTEGER);"
    "CREATE TABLE size_classes (step INTEGER, size INTEGER, regions_per_slab INTEGER, slab_bytes INTEGER,"
    " regions INTEGER, slabs INTEGER);";

static const char indexes[] = "CREATE INDEX keys_by_size ON keys (size_in_bytes);"
                              "CREATE INDEX keys_by_name ON keys (key);";

void sqlite_drop(struct sink *s)
{
    struct database *d = s->state;
    if (!d)
        return;
    sqlite3_finalize(d->keys);
    sqlite3_close(d->db);
    free(d);
    s->state = NULL;
}

bool sqlite_begin(struct sink *s)
{
    /* Without a count of its allocations SQLite takes no lock for each of them. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    struct database *d = calloc(1, sizeof *d);
    s->state = d;
    if (!d)
        return false;
    if (!s->out->temp) {
        snprintf(s->problem, sizeof s->problem, "a database can only be written to a regular file");
        return false;
    }
    if (sqlite3_open_v2(s->out->temp, &d->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return fail(s, d);
    return execute_format(s, d,
                          "PRAGMA page_size = %d; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA "
                          "locking_mode = EXCLUSIVE;"
                          "PRAGMA cache_size = -%d; PRAGMA application_id = %d; PRAGMA user_version = %d; BEGIN",
                          PAGE_BYTES, CACHE_KIB, APPLICATION_ID, REPORT_SCHEMA_VERSION) &&
           make_keys(s, d) && prepare_keys(s, d, BATCH, &d->keys) && execute(s, d, tables);
}

bool sqlite_finish(struct sink *s, const struct analysis *a)
{
    struct database *d = s->state;
    bool ok = !s->problem[0] && flush(s, d) && fill_meta(s, d, a) && fill_files(s, d, a) && fill_types(s, d, a) &&
              fill_databases(s, d, a) && fill_groups(s, d, a->found) && fill_forecast(s, d, &a->forecast) &&
              fill_size_classes(s, d, &a->forecast) && execute(s, d, indexes) && execute(s, d, "COMMIT");
    sqlite_drop(s);
    return ok;
}
