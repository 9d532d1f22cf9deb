/*
 * analyze.c - one pass over a dump: records in, the report model out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyzer/analysis.h"
#include "analyzer/explain.h"
#include "analyzer/ledger.h"
#include "analyzer/outlook.h"
#include "analyzer/run.h"
#include "analyzer/sample.h"
#include "analyzer/target.h"

enum { PROGRESS_EVERY = 4096 /* records between two looks at the clock and at signals */ };

/* ---------------------------------------------------------------- set-up, when the head of the file is known */

static void choose_now(struct run *run)
{
    struct analysis *a = run->a;
    if (run->o->now_ms >= 0) {
        a->now_ms = run->o->now_ms;
        a->now_why = "--now";
    } else if (a->file.ctime_s > 0) {
        a->now_ms = a->file.ctime_s * 1000;
        a->now_why = "dump's ctime";
    } else {
        a->now_ms = (int64_t)time(NULL) * 1000;
        a->now_why = "clock";
    }
    run->aggregate.now_ms = a->now_ms;
}

/* The steps of the forecast, from the options or the usual ones. */
static bool place(struct run *run)
{
    static const int64_t usual[] = {3600, 6 * 3600, 24 * 3600, 7 * 86400, 30 * 86400, PLACEMENT_ALL};
    const struct analyze_options *o = run->o;
    const int64_t *horizons = o->nhorizons ? o->horizons_s : usual;
    unsigned n = o->nhorizons ? o->nhorizons : sizeof usual / sizeof usual[0];
    int64_t from = o->forecast_from_ms > 0 ? o->forecast_from_ms : run->a->now_ms;
    return placement_init(&run->placement, &run->alloc, horizons, o->no_forecast ? 0 : n, from, !o->no_forecast);
}

static bool set_up(struct run *run, char err[256])
{
    struct analysis *a = run->a;
    run->ready = true;
    if (!target_choose(a, run->o, &run->pf, err) || !target_allocator(a, run->o, &run->pf, &run->alloc, err))
        return false;
    choose_now(run);
    run->wants_slot = run->o->want_slot || run->pf.cluster;
    if (!place(run)) {
        snprintf(err, 256, "out of memory");
        return false;
    }
    pins_init(&run->pins, run->o->findings);
    zheap_init(&run->heap, &run->alloc, run->placement.slabs);
    zheap_init(&run->aside, &run->alloc, NULL);
    functions_init(&run->functions, &run->pf);
    snprintf(err, 256, "out of memory");
    if (run->o->rebuild && !(run->real = real_new(run->o->rebuild, &run->placement, &run->heap, err)))
        return false;
    if (!eviction_init(&run->eviction, &run->pf, &run->heap, a->now_ms) ||
        !rebuild_init(&run->rebuild, run->p, &run->pf, &run->heap) ||
        !keyspace_init(&run->keyspace, &run->pf, &run->heap)) {
        snprintf(err, 256, "out of memory");
        return false;
    }
    run->rebuild.want_largest = run->o->want_largest;
    run->rebuild.now_ms = a->now_ms;
    run->rebuild.primary = run->o->load_as != LOAD_REPLICA;
    run->wants_crew = run->o->threads > 1 && !run->o->explain && !run->heap.watched && run->alloc.kind != ALLOC_LIBC;
    if (run->o->findings && !findings_begin(run->o->findings, &run->pf, &run->alloc, a->now_ms)) {
        snprintf(err, 256, "out of memory");
        return false;
    }
    if (!strings_begin(run)) /* which asks the findings what they want */
        return false;
    if (run->o->findings && findings_scale(run->o->findings) > 1)
        analysis_note(a, "a sample of 1/%llu of the keys was read: their figures are scaled up",
                      (unsigned long long)findings_scale(run->o->findings));
    if (a->file.info.newer)
        analysis_note(a, "RDB version %d is newer than any known: read as far as its records are known",
                      a->file.info.version);
    return true;
}

/* ---------------------------------------------------------------- records */

static void select_db(struct run *run, uint32_t db)
{
    strings_settle(run);
    run->db = db;
    aggregate_select(&run->aggregate, db);
    keyspace_select(&run->keyspace, db);
}

static void damaged(struct run *run, const struct key_report *k)
{
    struct file_report *f = &run->a->file;
    if (f->error.kind != RDB_OK)
        return;
    f->error.kind = RDB_ERR_CORRUPT;
    f->error.offset = k->offset;
    snprintf(f->error.expected, sizeof f->error.expected,
             "value of the key at this offset is damaged: %s (at byte %llu of it)", run->rebuild.damage,
             (unsigned long long)run->rebuild.damage_at);
    f->error.has_key = true;
    f->error.db = k->db;
    f->error.key_len = k->name_len < sizeof f->error.key ? k->name_len : sizeof f->error.key;
    memcpy(f->error.key, k->name, f->error.key_len);
}

static void to_keyspace(struct run *run, const struct rdb_key *key, const struct key_report *k)
{
    bool fields = key->info->layout == RDB_L_HASH_TTL || key->info->layout == RDB_L_BLOB_TTL;
    keyspace_key(&run->keyspace, k->expire_ms >= 0, fields, k->slot < 0 ? 0 : (unsigned)k->slot,
                 &(struct rdb_bytes){k->name, k->name_len, k->name_full_len});
}

/* A key whose value is not read: not the one to explain, or not of the sample, when the tables still have to know it. */
static bool passes_over(struct run *run, const struct rdb_key *key, const struct key_report *k, bool loads)
{
    if (run->o->explain)
        return !explain_wants(run->o->explain, k->db, k->name, k->name_len);
    if (!run->o->findings || findings_samples(run->o->findings, k->name, k->name_len))
        return false;
    if (loads)
        to_keyspace(run, key, k);
    return true;
}

/* A big key's own slabs: while it is the latest key that the slab model has met. */
static void own_slabs(const struct run *run, struct key_report *k)
{
    struct slabs_own own;
    if (!(k->flags & (KEY_BIG_BYTES | KEY_BIG_ELEMENTS | KEY_BIG_ELEMENT)) || !run->placement.slabs ||
        k->flags & (KEY_NOT_LOADED | KEY_DAMAGED))
        return;
    slabs_key_own(run->placement.slabs, &own);
    k->flags |= KEY_HAS_OWN;
    k->given_back = own.slab_bytes + own.large_bytes;
    k->stranded = own.stranded_bytes;
}

/* The key is known: sums, findings, streamed formats. */
void run_tell_key(struct run *run, struct key_report *k)
{
    if (k->flags & KEY_DAMAGED)
        damaged(run, k);
    if (!run->o->findings || findings_take(run->o->findings, k)) {
        own_slabs(run, k);
        aggregate_key(&run->aggregate, k);
        if (run->o->findings)
            findings_key(run->o->findings, k);
        if (run->o->on_key)
            run->o->on_key(run->o->on_key_ctx, k);
    } else {
        aggregate_load(&run->aggregate, k);
    }
    if ((k->flags & KEY_DAMAGED) && !run->o->skip_damaged)
        run->stopped = true;
}

static void explained(struct run *run, const struct key_report *k)
{
    zheap_trace(&run->heap, NULL, NULL);
    zheap_trace(&run->aside, NULL, NULL);
    explain_finish(run->o->explain, k);
    run->stopped = true;
}

/* Blocks that come between these two are the key's. */
static void begin_blocks(struct run *run, const struct key_report *k, enum rdb_type type, unsigned death)
{
    if (run->placement.slabs)
        placement_begin(&run->placement, death,
                        pins_tag(&run->pins, k->name, k->name_len, segments_blanked(k->name, k->name_len), type));
    if (!run->heap.followers)
        return;
    if (run->eviction.maxmemory)
        eviction_begin(&run->eviction, k, type);
    if (run->real)
        real_key(run->real, death, k);
}

static void end_blocks(struct run *run, const struct key_report *k, unsigned death)
{
    placement_end(&run->placement, death, k->expire_ms >= 0, k->bytes);
    if (!run->heap.followers)
        return;
    if (run->eviction.maxmemory)
        eviction_end(&run->eviction, k);
    if (run->real)
        real_server(run->real);
}

/* A value that is not whole, or not kept, costs nothing: what was charged for its beginning is taken back, so that the sums are those
 * of the keys that are reported. */
static void take_back(struct zheap *z, struct key_report *k, const struct zmark *mark)
{
    zheap_rewind(z, mark);
    if (z->slabs)
        slabs_key_drop(z->slabs);
    k->bytes = k->payload = k->rounding = k->memory_usage = k->elements = k->largest = 0;
    k->variance = 0;
}

static bool is_collection(enum rdb_type type)
{
    return type == RDB_T_LIST || type == RDB_T_SET || type == RDB_T_ZSET || type == RDB_T_HASH;
}

/* It is known before its value is read that the target will not have the key. What is packed has to be looked into. */
static bool begins_empty(const struct run *run, const struct rdb_key *key)
{
    static const uint32_t counted = 1U << RDB_L_ITEMS | 1U << RDB_L_ZSET_TEXT | 1U << RDB_L_ZSET_BINARY |
                                    1U << RDB_L_HASH | 1U << RDB_L_HASH_TTL | 1U << RDB_L_QUICKLIST |
                                    1U << RDB_L_QUICKLIST2;
    return run->pf.skips_empty && key->count == 0 && counted >> key->info->layout & 1;
}

/* Nothing was in it, or nothing is left: its fields have all expired. */
static void skip_empty(const struct rebuild *r, struct key_report *k)
{
    if (!r->pf->skips_empty || k->elements || !is_collection(k->type) || k->flags & KEY_DAMAGED || rdb_failed(r->p))
        return;
    k->flags = (k->flags | KEY_EMPTY | KEY_NOT_LOADED) & ~(unsigned)KEY_STOCHASTIC;
    k->has_memory_usage = false;
}

bool run_rebuild_value(struct rebuild *r, const struct rdb_key *key, struct key_report *k)
{
    struct zmark mark;
    zheap_mark(r->z, &mark);
    rebuild_key(r, key, k);
    skip_empty(r, k);
    if (rdb_failed(r->p) || (k->flags & (KEY_DAMAGED | KEY_EMPTY)))
        take_back(r->z, k, &mark);
    return !rdb_failed(r->p);
}

/* False: the input ended or broke inside the value. One that is damaged, and whose end is known, or that is not loaded
 * because it is empty, is a key without a cost. */
static bool rebuild_whole(struct run *run, const struct rdb_key *key, struct key_report *k)
{
    if (key->info->type == RDB_T_STRING) { /* nothing is charged for a string that is not there, and none is damaged */
        strings_rebuild(run, key, k);
        return !rdb_failed(run->p);
    }
    if (run->job) {
        merge_charge(run, k);
        return true;
    }
    return run_rebuild_value(&run->rebuild, key, k);
}

static void read_key(struct run *run, const struct rdb_key *key, struct key_report *k, bool loads)
{
    unsigned death = placement_death(&run->placement, k->expire_ms);
    run->rebuild.z = loads ? &run->heap : &run->aside;
    if (run->o->explain)
        zheap_trace(run->rebuild.z, explain_block, run->o->explain);
    if (loads)
        begin_blocks(run, k, key->info->type, death);
    if (!rebuild_whole(run, key, k))
        return;
    loads = loads && !(k->flags & (KEY_DAMAGED | KEY_EMPTY));
    k->record = run->job ? run->job->record : rdb_tell(run->p) - k->offset;
    if (run->o->explain) {
        explained(run, k);
        return;
    }
    if (loads) {
        end_blocks(run, k, death);
        to_keyspace(run, key, k);
    }
    run_tell_key(run, k);
    strings_learned(run, k);
}

void run_begin_report(const struct run *run, const struct rdb_key *key, const uint8_t *name, struct key_report *k)
{
    k->flags = 0;
    k->module[0] = 0;
    k->db = key->db;
    k->name = name;
    k->name_len = key->name.len;
    k->name_full_len = key->name.full_len;
    k->expire_ms = key->expire_ms;
    k->idle_s = key->idle_s;
    k->freq = key->freq;
    k->offset = key->offset;
    k->file = run->o->file;
    k->slot = run->wants_slot ? (int)keyspace_slot_of(name, key->name.len) : -1;
    if (k->name_full_len > k->name_len)
        k->flags |= KEY_NAME_CUT;
    if (k->expire_ms >= 0 && k->expire_ms < run->a->now_ms)
        k->flags |= KEY_EXPIRED;
}

bool run_begin_key(const struct run *run, const struct rdb_key *key, const uint8_t *name, struct key_report *k)
{
    run_begin_report(run, key, name, k);
    bool loads = !(k->flags & KEY_EXPIRED) || run->o->load_as != LOAD_MASTER;
    loads = loads && !begins_empty(run, key);
    if (!loads)
        k->flags |= KEY_NOT_LOADED;
    return loads;
}

static __attribute__((noinline)) void any_key(struct run *run, const struct rdb_key *key, const uint8_t *name)
{
    struct key_report k;
    bool loads = run_begin_key(run, key, name, &k);
    if (!passes_over(run, key, &k, loads))
        read_key(run, key, &k, loads);
}

void run_merge_key(struct run *run, const struct rdb_key *key, struct key_report *k, bool loads)
{
    if (key->db != run->db || run->aggregate.ndbs == 0)
        select_db(run, key->db);
    if (k)
        read_key(run, key, k, loads);
    else if (run->job->kind != JOB_STRING || !strings_take_read(run, key, key->name.data, run->job->record))
        any_key(run, key, key->name.data);
}

static void one_key(struct run *run, struct rdb_event *ev)
{
    enum { USUAL = RDB_NAME_PAD, ROOM = 4096 };
    const struct rdb_key *key = &ev->key;
    size_t len = key->name.len;
    uint8_t room[ROOM + SEGMENTS_PAD], *name = room; /* the value's elements may push the name out of the window */
    if (key->db != run->db || run->aggregate.ndbs == 0)
        select_db(run, key->db);
    if (len > ROOM && (name = malloc(len + SEGMENTS_PAD)) == NULL)
        return;
    if (len <= USUAL)
        memcpy(name, key->name.data, USUAL);
    else
        memcpy(name, key->name.data, len);
    if (!strings_take(run, key, name))
        any_key(run, key, name);
    if (name != room)
        free(name);
}

/* "slot,keys,expires[,fields]" of Valkey in cluster mode */
static void slot_info_text(struct run *run, const struct rdb_bytes *value)
{
    char text[96], *at = text;
    uint64_t number[4] = {0, 0, 0, 0};
    size_t n = value->len < sizeof text - 1 ? value->len : sizeof text - 1;
    memcpy(text, value->data, n);
    text[n] = 0;
    for (int i = 0; i < 4; i++) {
        number[i] = strtoull(at, &at, 10);
        if (*at++ != ',')
            break;
    }
    if (run->pf.keyspace == KEYSPACE_HASHTABLE)
        keyspace_slot_hint(&run->keyspace, number[0], number[1], number[2], number[3]);
}

/* A library or a script. What was not lent of a long one is read over: until then its length is only a claim. */
static void outside_keys(struct run *run, const struct rdb_event *ev)
{
    struct functions before = run->functions;
    struct zmark mark;
    bool more;
    zheap_mark(&run->heap, &mark);
    if (run->heap.slabs)
        slabs_server(run->heap.slabs); /* also behind keys, where older servers save scripts */
    if (ev->kind == RDB_EV_AUX)
        functions_script(&run->functions, &run->pf, &run->heap, ev->value.full_len);
    else
        functions_library(&run->functions, &run->pf, &run->heap, &ev->value);
    if (ev->value.len < ev->value.full_len)
        (void)rdb_elements(run->p, &(struct rdb_element){0}, 0, &more);
    if (rdb_failed(run->p)) {
        zheap_rewind(&run->heap, &mark);
        run->functions = before;
    }
}

/* Its items are read over here, to know how long it is. */
static void module_aux(struct run *run, const struct rdb_event *ev)
{
    struct rdb_element el[64];
    uint64_t id = ev->num[0], begin = ev->offset;
    bool more = true;
    run->a->file.module_aux++;
    while (more)
        (void)rdb_elements(run->p, el, 64, &more);
    if (!rdb_failed(run->p))
        modules_aux(&run->aggregate.modules, id, rdb_tell(run->p) - begin);
}

static bool name_is(const struct rdb_bytes *b, const char *text)
{
    return b->len == strlen(text) && memcmp(b->data, text, b->len) == 0;
}

static void aux(struct run *run, const struct rdb_event *ev)
{
    file_aux(&run->a->file, &ev->name, &ev->value);
    if (!run->ready)
        return;
    if (name_is(&ev->name, "slot-info"))
        slot_info_text(run, &ev->value);
    else if (name_is(&ev->name, "lua"))
        outside_keys(run, ev);
}

static inline __attribute__((always_inline)) void record(struct run *run, struct rdb_event *ev)
{
    struct file_report *f = &run->a->file;
    switch (ev->kind) {
    case RDB_EV_KEY: one_key(run, ev); break;
    case RDB_EV_AUX: aux(run, ev); break;
    case RDB_EV_SELECTDB: select_db(run, (uint32_t)ev->num[0]); break;
    case RDB_EV_RESIZEDB:
        aggregate_hint(&run->aggregate, ev->num[0], ev->num[1]);
        keyspace_hint(&run->keyspace, ev->num[0], ev->num[1]);
        break;
    case RDB_EV_SLOT_INFO:
        if (run->pf.keyspace == KEYSPACE_KVSTORE)
            keyspace_slot_hint(&run->keyspace, ev->num[0], ev->num[1], ev->num[2], 0);
        break;
    case RDB_EV_FUNCTION:
    case RDB_EV_FUNCTION_PRE_GA:
        f->functions++;
        f->function_bytes_source += ev->value.full_len;
        outside_keys(run, ev);
        break;
    case RDB_EV_MODULE_AUX: module_aux(run, ev); break;
    case RDB_EV_UPDATE:
        analysis_note(run->a,
                      "the dump holds replicated commands between its keys (offset %llu): they were not applied",
                      (unsigned long long)ev->offset);
        break;
    default: break;
    }
}

void run_record(struct run *run, struct rdb_event *ev)
{
    record(run, ev);
}

/* ---------------------------------------------------------------- the pass */

static bool head_is_over(const struct rdb_event *ev)
{
    return ev->kind != RDB_EV_AUX && ev->kind != RDB_EV_MODULE_AUX;
}

void run_progress(struct run *run, const struct rdb_info *info)
{
    const struct analyze_options *o = run->o;
    run->stopped = o->on_progress && !o->on_progress(o->on_progress_ctx, info, run->aggregate.all.keys);
}

/* So many more records have been read. */
static bool goes_on(struct run *run, uint64_t *records, size_t n)
{
    uint64_t looks = *records / PROGRESS_EVERY;
    *records += n;
    if (!run->stopped && *records / PROGRESS_EVERY != looks)
        run_progress(run, rdb_info(run->p));
    return !run->stopped;
}

static bool crew_is_due(const struct run *run, uint64_t records)
{
    return run->wants_crew && records >= run->crew_look;
}

static bool pass(struct run *run, char err[256])
{
    struct rdb_event ev;
    uint64_t records = 0;
    memset(&ev, 0, sizeof ev);
    while (!run->stopped && rdb_next(run->p, &ev) > 0) {
        if (!run->ready && head_is_over(&ev)) {
            run->a->file.info = *rdb_info(run->p);
            if (!set_up(run, err))
                return false;
        }
        record(run, &ev);
        bool on = goes_on(run, &records, 1);
        for (size_t n; on && ev.kind == RDB_EV_KEY && !crew_is_due(run, records) && (n = kin_take(run)) > 0;)
            on = goes_on(run, &records, n);
        if (on && crew_is_due(run, records) && crew_is_worth_it(run, records))
            crew_pass(run);
    }
    run->a->file.info = *rdb_info(run->p);
    return run->ready || set_up(run, err);
}

static void file_end(struct run *run)
{
    struct file_report *f = &run->a->file;
    if (!run->stopped && !rdb_failed(run->p))
        f->trailing = rdb_drain(run->p);
    if (f->aof_preamble)
        f->aof_bytes = f->trailing;
    f->info = *rdb_info(run->p);
    f->file_size = f->info.file_size;
    f->rdb_bytes = f->info.offset;
    if (rdb_failed(run->p))
        f->error = *rdb_error(run->p);
    f->complete = f->error.kind == RDB_OK && !run->stopped;
}

bool analyze(rdb_parser *p, const char *path, const struct analyze_options *o, struct analysis *a, char err[256])
{
    struct run *run = aligned_alloc(_Alignof(struct run), sizeof *run);
    memset(a, 0, sizeof *a);
    if (run)
        memset(run, 0, sizeof *run);
    a->file.ctime_s = -1;
    a->file.path = path;
    if (run == NULL || !aggregate_init(&run->aggregate, o)) {
        free(run);
        snprintf(err, 256, "out of memory");
        return false;
    }
    run->p = p;
    run->o = o;
    run->a = a;
    a->limit_bytes = o->big_bytes;
    a->limit_elements = o->big_elements;
    a->limit_element = o->big_element;
    bool ok = pass(run, err);
    file_end(run);
    if (o->findings)
        findings_hide(o->findings, a->file.error.key, a->file.error.key_len);
    strings_settle(run);
    if (ok) {
        uint64_t scale = o->findings ? findings_scale(o->findings) : 1;
        keyspace_finish(&run->keyspace, &run->rebuild);
        zheap_settle(&run->heap);
        if (scale > 1)
            sample_scale_heap(&run->heap, &run->keyspace, &run->functions, scale);
        ledger_close(a, o, &run->pf, &run->heap, &run->keyspace, &run->functions);
        ok = outlook_make(a, o, &run->pf, &run->placement, &run->pins, &run->keyspace, &run->alloc);
        ok = aggregate_finish(&run->aggregate, a) && ok;
        if (scale > 1)
            sample_scale_sums(a, scale);
        ledger_databases(a, &run->keyspace);
        ok = eviction_finish(&run->eviction, a, o->top, scale) && ok;
        if (run->real)
            ok = real_finish(run->real, a) && ok;
    }
    if (run->ready) {
        strings_free(run);
        rebuild_free(&run->rebuild);
        keyspace_free(&run->keyspace);
        placement_free(&run->placement);
        eviction_free(&run->eviction);
        real_free(run->real);
    }
    aggregate_free(&run->aggregate);
    free(run);
    return ok;
}

void analysis_free(struct analysis *a)
{
    top_list_free(&a->top_bytes);
    top_list_free(&a->top_elements);
    top_list_free(&a->big);
    free(a->cells);
    free(a->dbs);
    free(a->modules);
    for (size_t i = 0; i < a->nnotes; i++)
        free(a->notes[i]);
    free(a->notes);
    free((void *)(uintptr_t)a->target);
    outlook_free(&a->forecast);
    free(a->eviction.prefixes);
    real_report_free(&a->real);
    memset(a, 0, sizeof *a);
}
