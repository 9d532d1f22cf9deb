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
    if (!strings_begin(run) || !kin_begin(run)) /* which asks the findings what they want */
        return false;
    if (run->o->findings && findings_scale(run->o->findings) > 1)
        analysis_note(a, "a sample of 1/%llu of the keys was read: their figures are scaled up",
                      (unsigned long long)findings_scale(run->o->findings));
    if (a->file.info.newer)
        analysis_note(a, "RDB version %d is newer than any known: read as far as its records are known",
                      a->file.info.version);
    return true;
}

/* ---------------------------------------------------------------- the pass */

static bool head_is_over(const struct rdb_event *ev)
{
    return ev->kind != RDB_EV_AUX && ev->kind != RDB_EV_MODULE_AUX;
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
        run_record(run, &ev);
        bool on = goes_on(run, &records, 1);
        for (size_t n; on && ev.kind == RDB_EV_KEY && !crew_is_due(run, records) && (n = kin_take(run)) > 0;) {
            run->keys_read += n;
            on = goes_on(run, &records, n);
        }
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
        kin_free(run);
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
