/*
 * json.c - the summary as one JSON document, built with cJSON.
 *
 * Numbers are written as exact decimal text (cJSON's own are doubles), strings through json_text, because a name may
 * hold any byte. The order of members is the order of the calls here; docs/usage.md lists them. When memory is out
 * cJSON drops what it cannot add: json_oom remembers that it happened.
 */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/fields.h"
#include "report/human.h"
#include "report/json_parts.h"
#include "report/report.h"

static bool json_oom;

static void *json_malloc(size_t n)
{
    void *p = malloc(n);
    json_oom = json_oom || !p;
    return p;
}

void json_start(void)
{
    cJSON_Hooks hooks = {json_malloc, free};
    json_oom = false;
    cJSON_InitHooks(&hooks);
}

bool json_whole(void)
{
    return !json_oom;
}

/* ---------------------------------------------------------------- members */

void add_u64(cJSON *o, const char *name, uint64_t v)
{
    char text[24];
    *put_u64(text, v) = '\0';
    cJSON_AddRawToObject(o, name, text);
}

void add_i64(cJSON *o, const char *name, int64_t v)
{
    char text[24];
    *put_i64(text, v) = '\0';
    cJSON_AddRawToObject(o, name, text);
}

/* -1 stands for unknown. */
static void add_known(cJSON *o, const char *name, int64_t v)
{
    if (v == -1)
        cJSON_AddNullToObject(o, name);
    else
        add_i64(o, name, v);
}

cJSON *json_text_item(const uint8_t *s, size_t len)
{
    char *text = json_text(s, len);
    size_t n = text ? strlen(text) : 0;
    char *quoted = text ? malloc(n + 3) : NULL;
    cJSON *item = NULL;
    if (quoted) {
        quoted[0] = '"';
        memcpy(quoted + 1, text, n);
        memcpy(quoted + 1 + n, "\"", 2);
        item = cJSON_CreateRaw(quoted);
    }
    json_oom = json_oom || !item;
    free(text);
    free(quoted);
    return item;
}

static cJSON *string_item(const char *s)
{
    return s ? json_text_item((const uint8_t *)s, strlen(s)) : cJSON_CreateNull();
}

void add_string(cJSON *o, const char *name, const char *s)
{
    cJSON_AddItemToObject(o, name, string_item(s));
}

static void add_iso(cJSON *o, const char *name, int64_t ms)
{
    char text[48];
    memcpy(put_iso_ms(text, ms), "Z", 2);
    add_string(o, name, text);
}

static void add_base64(cJSON *o, const char *name, const uint8_t *s, size_t len)
{
    char *text = malloc((len + 2) / 3 * 4 + 1);
    if (!text) {
        json_oom = true;
        return;
    }
    *put_base64(text, s, len) = '\0';
    cJSON_AddStringToObject(o, name, text);
    free(text);
}

/* The name, and its bytes beside it when it is not UTF-8. */
void add_bytes(cJSON *o, const char *name, const uint8_t *s, size_t len)
{
    char beside[80];
    cJSON_AddItemToObject(o, name, json_text_item(s, len));
    if (utf8_valid(s, len))
        return;
    snprintf(beside, sizeof beside, "%s_base64", name);
    add_base64(o, beside, s, len);
}

static void add_key_name(cJSON *o, const uint8_t *name, size_t len)
{
    add_bytes(o, "key", name, len);
}

void add_ratio(cJSON *o, const char *name, double v)
{
    char text[48];
    if (!isfinite(v)) {
        cJSON_AddNullToObject(o, name);
        return;
    }
    snprintf(text, sizeof text, "%.6f", v);
    for (char *p = text; *p; p++) /* whatever the locale */
        *p = *p == ',' ? '.' : *p;
    cJSON_AddRawToObject(o, name, text);
}

/* ---------------------------------------------------------------- one key */

static void add_flags(cJSON *o, unsigned flags)
{
    cJSON *list = cJSON_AddArrayToObject(o, "flags");
    const char *word;
    unsigned bit;
    for (unsigned i = 0; (word = key_flag_word(i, &bit)) != NULL; i++)
        if (flags & bit)
            cJSON_AddItemToArray(list, cJSON_CreateString(word));
}

static void add_field(cJSON *o, const struct key_report *k, enum key_field_id id)
{
    const char *name = key_fields[id].name;
    struct key_value v = key_value(k, id);
    switch (v.kind) {
    case VALUE_NONE: cJSON_AddNullToObject(o, name); break;
    case VALUE_NUMBER: add_u64(o, name, v.number); break;
    case VALUE_SIGNED: add_i64(o, name, (int64_t)v.number); break;
    case VALUE_TEXT: add_string(o, name, v.text); break;
    case VALUE_NAME: add_key_name(o, k->name, k->name_len); break;
    case VALUE_TIME: add_iso(o, name, (int64_t)v.number); break;
    case VALUE_FLAGS: add_flags(o, (unsigned)v.number); break;
    }
}

cJSON *json_key(const struct key_report *k)
{
    cJSON *key = cJSON_CreateObject();
    for (enum key_field_id id = 0; id < FIELD_COUNT; id++)
        add_field(key, k, id);
    return key;
}

static void add_keys(cJSON *o, const char *name, const struct top_list *list, const struct fleet *fleet)
{
    cJSON *array = cJSON_AddArrayToObject(o, name);
    for (size_t i = 0; i < list->n; i++) {
        cJSON *key = json_key(&list->keys[i]);
        if (fleet)
            add_string(key, "file", fleet->parts[list->keys[i].file].file.path);
        cJSON_AddItemToArray(array, key);
    }
}

/* ---------------------------------------------------------------- parts of the document */

void json_generator(cJSON *doc)
{
    cJSON *o;
    cJSON_AddNumberToObject(doc, "schema_version", REPORT_SCHEMA_VERSION);
    o = cJSON_AddObjectToObject(doc, "generator");
    cJSON_AddStringToObject(o, "name", "rdbmem");
    cJSON_AddStringToObject(o, "version", RDBMEM_VERSION);
}

static void add_error(cJSON *doc, const struct analysis *a, const struct report_options *opt)
{
    const struct rdb_error *e = &a->file.error;
    bool stopped = opt->stopped && !a->file.complete && e->kind == RDB_OK;
    cJSON *o, *last;
    cJSON_AddBoolToObject(doc, "complete", a->file.complete);
    if (e->kind == RDB_OK && !stopped) {
        cJSON_AddNullToObject(doc, "error");
        return;
    }
    o = cJSON_AddObjectToObject(doc, "error");
    add_string(o, "kind", stopped ? opt->stopped : rdb_err_name(e->kind));
    add_u64(o, "offset", stopped ? a->file.rdb_bytes : e->offset);
    add_string(o, "expected", stopped ? "" : e->expected);
    if (e->has_key && !stopped) {
        last = cJSON_AddObjectToObject(o, "last_key");
        add_u64(last, "database", e->db);
        add_key_name(last, e->key, e->key_len);
    }
}

static void add_checksum(cJSON *o, const struct rdb_info *info)
{
    char hex[20];
    cJSON *c = cJSON_AddObjectToObject(o, "checksum");
    bool stored = info->crc == RDB_CRC_OK || info->crc == RDB_CRC_BAD || info->crc == RDB_CRC_SKIPPED;
    add_string(c, "state", report_crc_name(info->crc));
    if (stored) {
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)info->crc_stored);
        add_string(c, "stored", hex);
    }
    if (stored && info->crc != RDB_CRC_SKIPPED) {
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)info->crc_computed);
        add_string(c, "computed", hex);
    }
}

static void add_aux(cJSON *o, const struct file_report *f)
{
    cJSON *list = cJSON_AddArrayToObject(o, "aux");
    for (unsigned i = 0; i < f->naux; i++) {
        cJSON *field = cJSON_CreateObject();
        add_string(field, "name", f->aux[i].name);
        add_string(field, "value", f->aux[i].value);
        cJSON_AddItemToArray(list, field);
    }
    add_u64(o, "aux_total", f->aux_total);
}

/* What the append-only file holds beside its base, the dump. */
static void add_aof(cJSON *o, const struct file_report *f)
{
    cJSON_AddBoolToObject(o, "aof_preamble", f->aof_preamble);
    add_u64(o, "aof_increments", f->aof_files);
    add_u64(o, "aof_bytes_not_analysed", f->aof_bytes);
}

static void add_file(cJSON *doc, const struct file_report *f)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "file");
    char wraps[64];
    report_wrap_names(f->info.wraps, wraps);
    add_string(o, "path", f->path);
    add_string(o, "writer", f->writer);
    add_string(o, "writer_version", f->version);
    add_known(o, "ctime", f->ctime_s);
    if (f->ctime_s == -1)
        cJSON_AddNullToObject(o, "saved_at");
    else
        add_iso(o, "saved_at", f->ctime_s > INT64_MAX / 1000 ? INT64_MAX : f->ctime_s * 1000);
    add_string(o, "family", report_family_name(f->info.family));
    add_i64(o, "rdb_version", f->info.version);
    cJSON_AddBoolToObject(o, "rdb_version_newer_than_known", f->info.newer);
    add_i64(o, "bits", f->bits);
    add_string(o, "wrappers", wraps);
    add_u64(o, "file_bytes", f->file_size);
    add_u64(o, "rdb_bytes", f->rdb_bytes);
    add_u64(o, "trailing_bytes", f->trailing);
    add_aof(o, f);
    add_checksum(o, &f->info);
    if (f->has_used_mem)
        add_u64(o, "used_mem_claimed", f->used_mem);
    else
        cJSON_AddNullToObject(o, "used_mem_claimed");
    add_u64(o, "functions", f->functions);
    add_u64(o, "functions_source_bytes", f->function_bytes_source);
    add_u64(o, "module_aux", f->module_aux);
    add_aux(o, f);
}

static void add_target(cJSON *doc, const struct analysis *a)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "target");
    add_string(o, "name", a->target);
    add_string(o, "family", a->target_family);
    add_string(o, "version", a->target_version);
    add_string(o, "chosen_by", a->target_why);
    add_string(o, "allocator", a->allocator);
    add_i64(o, "now_ms", a->now_ms);
    add_string(o, "now_from", a->now_why);
}

static void add_ledger(cJSON *doc, const struct analysis *a)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "ledger"), *list;
    const struct ledger *l = &a->ledger;
    add_u64(o, "keys", l->keys);
    add_u64(o, "keyspace", l->keyspace);
    add_u64(o, "functions", l->functions);
    add_u64(o, "used_memory_startup", l->used_memory_startup);
    add_u64(o, "client", l->client);
    add_u64(o, "used_memory", l->used_memory);
    add_u64(o, "used_memory_stderr", (uint64_t)(l->used_memory_stderr + 0.5));
    add_u64(o, "used_memory_peak", l->used_memory_peak);
    add_u64(o, "used_memory_overhead", l->used_memory_overhead);
    add_u64(o, "used_memory_dataset", l->used_memory_dataset);
    list = cJSON_AddArrayToObject(doc, "unknowable");
    for (const struct unknowable *u = report_unknowable; u->name; u++)
        cJSON_AddItemToArray(list, cJSON_CreateString(u->name));
}

static void add_totals(cJSON *o, const struct totals *t)
{
    add_u64(o, "keys", t->keys);
    add_u64(o, "size_in_bytes", t->bytes);
    add_u64(o, "payload_bytes", t->payload);
    add_i64(o, "overhead_bytes", (int64_t)(t->bytes - t->payload));
    add_u64(o, "rounding_bytes", t->rounding);
    add_u64(o, "serialized_bytes", t->record);
    add_u64(o, "num_elements", t->elements);
    add_u64(o, "largest_key_bytes", t->largest);
    add_u64(o, "expiring_keys", t->expiring_keys);
    add_u64(o, "expiring_bytes", t->expiring_bytes);
}

static void add_load(cJSON *o, const char *name, const struct load_total *t)
{
    cJSON *l = cJSON_AddObjectToObject(o, name);
    add_u64(l, "keys", t->keys);
    add_u64(l, "size_in_bytes", t->bytes);
}

static void add_sums(cJSON *doc, const struct analysis *a, const struct report_options *opt)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "totals");
    add_totals(o, &a->total);
    add_u64(o, "empty_keys", a->empty_keys);
    add_u64(o, "damaged_keys", a->damaged_keys);
    add_u64(o, "estimated_keys", a->estimated_keys);
    add_u64(o, "estimated_bytes", a->estimated_bytes);
    add_u64(o, "lower_bound_keys", a->lower_bound_keys);
    add_u64(o, "lower_bound_bytes", a->lower_bound_bytes);
    o = cJSON_AddObjectToObject(doc, "load_as");
    add_string(o, "chosen", report_load_name(opt->load_as));
    add_load(o, "all", &a->all);
    add_load(o, "master", &a->master);
    add_load(o, "replica", &a->replica);
}

static void add_types(cJSON *doc, const struct analysis *a)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "types");
    for (unsigned i = 0; i < RDB_T_COUNT; i++) {
        cJSON *o;
        if (a->by_type[i].keys == 0)
            continue;
        o = cJSON_CreateObject();
        add_string(o, "type", key_type_words[i]);
        add_totals(o, &a->by_type[i]);
        cJSON_AddItemToArray(list, o);
    }
    list = cJSON_AddArrayToObject(doc, "encodings");
    for (size_t i = 0; i < a->ncells; i++) {
        cJSON *o = cJSON_CreateObject();
        add_string(o, "type", key_type_words[a->cells[i].type]);
        add_string(o, "encoding", encoding_name(a->cells[i].encoding));
        add_totals(o, &a->cells[i].t);
        cJSON_AddItemToArray(list, o);
    }
}

static void add_databases(cJSON *doc, const struct analysis *a)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "databases");
    for (size_t i = 0; i < a->ndbs; i++) {
        const struct db_report *d = &a->dbs[i];
        cJSON *o = cJSON_CreateObject();
        add_u64(o, "database", d->db);
        add_totals(o, &d->t);
        add_u64(o, "main_table_bytes", d->main_table);
        add_u64(o, "expires_table_bytes", d->expires_table);
        add_u64(o, "main_buckets", d->main_buckets);
        add_u64(o, "expires_buckets", d->expires_buckets);
        add_known(o, "hint_keys", d->has_hint ? (int64_t)d->hint_keys : -1);
        add_known(o, "hint_expires", d->has_hint ? (int64_t)d->hint_expires : -1);
        cJSON_AddItemToArray(list, o);
    }
    add_u64(doc, "databases_folded_into_last", a->dbs_dropped);
}

static void add_structures(cJSON *doc, const struct analysis *a)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "structures");
    for (unsigned i = 0; i < a->nlabels; i++)
        add_u64(o, a->label_names[i], a->by_label[i]);
}

static void add_limit(cJSON *o, const char *name, uint64_t v)
{
    if (v == UINT64_MAX)
        cJSON_AddNullToObject(o, name);
    else
        add_u64(o, name, v);
}

/* Types whose limits are not those of all. */
static void add_type_limits(cJSON *big, const struct analysis *a)
{
    cJSON *types = cJSON_AddObjectToObject(big, "thresholds_by_type");
    const struct big_table *t = a->found ? a->found->audit.limits : NULL;
    for (unsigned i = 0; t && i < RDB_T_COUNT; i++) {
        if (memcmp(&t->of[i], &t->all, sizeof t->all) == 0)
            continue;
        cJSON *o = cJSON_AddObjectToObject(types, key_type_words[i]);
        add_limit(o, "bytes", t->of[i].bytes);
        add_limit(o, "elements", t->of[i].elements);
        add_limit(o, "element", t->of[i].element);
    }
}

/* What can be done about each of the keys, in their order. */
static void add_advice(cJSON *big, const struct analysis *a)
{
    cJSON *list = cJSON_AddArrayToObject(big, "advice");
    char text[ADVICE_TEXT];
    for (size_t i = 0; i < a->big.n; i++) {
        audit_advice(&a->big.keys[i], text);
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
    }
}

static void add_big(cJSON *doc, const struct analysis *a, const struct fleet *fleet)
{
    cJSON *big = cJSON_AddObjectToObject(doc, "big_keys"), *o;
    o = cJSON_AddObjectToObject(big, "thresholds");
    add_limit(o, "bytes", a->limit_bytes);
    add_limit(o, "elements", a->limit_elements);
    add_limit(o, "element", a->limit_element);
    add_type_limits(big, a);
    o = cJSON_AddObjectToObject(big, "counts");
    add_u64(o, "keys", a->big_keys);
    add_u64(o, "by_bytes", a->big_by_bytes);
    add_u64(o, "by_elements", a->big_by_elements);
    add_u64(o, "by_element", a->big_by_element);
    add_keys(big, "keys", &a->big, fleet);
    add_advice(big, a);
}

static void add_expiries(cJSON *doc, const struct analysis *a)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "expiries");
    for (unsigned i = 0; i < EXPIRY_BUCKETS && a->expiry[i].name; i++) {
        const struct expiry_bucket *b = &a->expiry[i];
        cJSON *o = cJSON_CreateObject();
        add_string(o, "name", b->name);
        add_known(o, "upto_seconds", b->upto_s == INT64_MAX ? -1 : b->upto_s);
        add_u64(o, "keys", b->keys);
        add_u64(o, "size_in_bytes", b->bytes);
        cJSON_AddItemToArray(list, o);
    }
}

static void add_notes(cJSON *doc, const struct analysis *a)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "notes");
    for (size_t i = 0; i < a->nnotes; i++)
        cJSON_AddItemToArray(list, string_item(a->notes[i]));
}

/* ---------------------------------------------------------------- the document */

/* In place of the file: what there is of all of them. */
static void add_fleet(cJSON *doc, const struct analysis *a, const struct fleet *fleet)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "dumps"), *nodes;
    const struct file_report *f = &a->file;
    uint64_t complete = 0;
    for (size_t i = 0; i < fleet->n; i++)
        complete += fleet->parts[i].file.complete;
    add_u64(o, "given", fleet->n);
    add_u64(o, "complete", complete);
    add_u64(o, "file_bytes", f->file_size);
    add_u64(o, "rdb_bytes", f->rdb_bytes);
    add_aof(o, f);
    add_u64(o, "functions", f->functions);
    nodes = cJSON_AddArrayToObject(doc, "nodes");
    for (size_t i = 0; i < fleet->n; i++) {
        const struct analysis *part = &fleet->parts[i];
        cJSON *node = cJSON_CreateObject();
        add_string(node, "file", part->file.path);
        cJSON_AddBoolToObject(node, "complete", part->file.complete);
        add_u64(node, "keys", part->total.keys);
        add_u64(node, "used_memory", part->ledger.used_memory);
        cJSON_AddItemToArray(nodes, node);
    }
}

void json_analysis(cJSON *doc, const struct analysis *a, const struct report_options *o, const struct fleet *fleet)
{
    add_error(doc, a, o);
    if (fleet)
        add_fleet(doc, a, fleet);
    else
        add_file(doc, &a->file);
    if (!a->target) /* nothing could be read */
        return;
    add_target(doc, a);
    add_ledger(doc, a);
    add_sums(doc, a, o);
    add_types(doc, a);
    json_modules(doc, a);
    add_databases(doc, a);
    add_structures(doc, a);
    add_keys(doc, "top_keys_by_bytes", &a->top_bytes, fleet);
    add_keys(doc, "top_keys_by_elements", &a->top_elements, fleet);
    add_big(doc, a, fleet);
    add_expiries(doc, a);
    json_forecast(doc, a);
    json_eviction(doc, a);
    json_rebuild(doc, a);
    add_found(doc, a);
    add_notes(doc, a);
}

static cJSON *document(const struct analysis *a, const struct report_options *o)
{
    cJSON *doc = cJSON_CreateObject(), *list, *one;
    const struct fleet *fleet = o->fleet;
    json_generator(doc);
    if (!fleet) {
        json_analysis(doc, a, o, NULL);
        return doc;
    }
    list = cJSON_AddArrayToObject(doc, "files");
    for (size_t i = 0; i < fleet->n; i++) {
        one = cJSON_CreateObject();
        json_analysis(one, &fleet->parts[i], o, NULL);
        cJSON_AddItemToArray(list, one);
    }
    json_analysis(cJSON_AddObjectToObject(doc, "combined"), a, o, fleet);
    return doc;
}

bool json_finish(struct sink *s, const struct analysis *a)
{
    cJSON *doc;
    char *text = NULL;
    json_start();
    doc = document(a, s->options);
    if (json_whole())
        text = cJSON_Print(doc);
    cJSON_Delete(doc);
    if (!text)
        return false;
    out_str(s->out, text);
    out_char(s->out, '\n');
    free(text);
    return true;
}
