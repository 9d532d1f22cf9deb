/*
 * dumps.c - who reads which dump, and when it is told. See dumps.h.
 */
#include "report/dumps.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rdb/thread.h"
#include "report/complain.h"
#include "report/human.h"
#include "report/progress.h"
#include "report/replay.h"
#include "report/stop.h"

/* Dumps that may be done before the one whose turn it is to be told: the findings of each take up to 7 MB. */
enum { AHEAD = 4 };

/* What came of one dump. */
struct outcome {
    int status;
    bool done;
    bool stopped;    /* by us, in the middle */
    char usage[256]; /* EXIT_USAGE: why; "": it has been said */
    uint64_t left;   /* bytes that have not been read */
    struct findings *findings;
};

struct dumps {
    const struct options *o;
    const struct inputs *inputs;
    struct sinks *sinks;
    struct fleet *fleet;
    unsigned threads; /* in all */
    unsigned readers; /* dumps that may be read beside one another */

    pthread_mutex_t lock; /* of all that follows, of the sinks, and of standard error */
    pthread_cond_t told_one;
    struct outcome *outcomes;
    size_t next, told;
    int status; /* the worst of those told */
    struct findings *findings;
    struct progress progress;
};

/* One dump being read. */
struct reading {
    struct dumps *d;
    size_t i;
    unsigned threads;
    struct outcome *out;
    struct real_options rebuild;
};

/* ---------------------------------------------------------------- while one is read */

static void on_key(void *ctx, const struct key_report *k)
{
    struct reading *r = ctx;
    if (!r->d->o->only_big || (k->flags & (KEY_BIG_BYTES | KEY_BIG_ELEMENTS | KEY_BIG_ELEMENT)))
        sinks_key(r->d->sinks, k);
}

/* Where there is but one to tell it to. */
static void on_key_of_one(void *ctx, const struct key_report *k)
{
    struct sink *s = ctx;
    s->format->key(s, k);
}

/* False ends the reading: a signal came, or nobody takes what is written. */
static bool on_progress(void *ctx, const struct rdb_info *info, uint64_t keys)
{
    struct reading *r = ctx;
    struct report_options *report = &r->d->sinks->report;
    pthread_mutex_lock(&r->d->lock);
    progress_draw(&r->d->progress, r->i, info->file_offset, keys);
    if (info->file_offset < r->d->inputs->list[r->i].bytes)
        r->out->left = r->d->inputs->list[r->i].bytes - info->file_offset;
    if (stop_signal())
        report->stopped = "interrupted";
    else if (sinks_dead(r->d->sinks))
        report->stopped = "output failed";
    r->out->stopped = report->stopped != NULL;
    pthread_mutex_unlock(&r->d->lock);
    return !r->out->stopped;
}

static struct analyze_options analyze_options_of(struct reading *r)
{
    const struct options *o = r->d->o;
    bool keys = sinks_want_keys(r->d->sinks);
    struct analyze_options ao = {
        .target = o->target,
        .allocator = o->allocator,
        .config = &o->config,
        .top = o->top,
        .big_bytes = o->findings.audit.big.all.bytes,
        .big_elements = o->findings.audit.big.all.elements,
        .big_element = o->findings.audit.big.all.element,
        .load_as = o->load_as,
        .now_ms = o->now_s >= 0 ? o->now_s * 1000 : -1,
        .file = (uint32_t)r->i,
        .threads = r->threads,
        .stretch = o->stretch,
        .skip_damaged = o->skip_damaged,
        .want_largest = keys,
        .want_slot = o->slots || o->findings.filter.has_slots,
        .on_key = keys ? on_key : NULL,
        .on_key_ctx = r,
        .findings = r->out->findings,
        .on_progress = on_progress,
        .on_progress_ctx = r,
        .nhorizons = o->nhorizons,
        .nthen_delete = o->nthen_delete,
        .forecast_from_ms = o->forecast_from_s * 1000,
        .no_forecast = o->no_forecast,
        .rebuild = o->rebuild ? &r->rebuild : NULL,
    };
    if (keys && r->d->sinks->n == 1 && !o->only_big) {
        ao.on_key = on_key_of_one;
        ao.on_key_ctx = &r->d->sinks->list[0];
    }
    memcpy(ao.horizons_s, o->horizons_s, sizeof ao.horizons_s);
    memcpy(ao.then_delete, o->then_delete, sizeof ao.then_delete);
    return ao;
}

/* ---------------------------------------------------------------- --rebuild */

/* While no report has been begun: only a signal ends the reading. */
static bool on_first_pass(void *ctx, const struct rdb_info *info, uint64_t keys)
{
    (void)ctx;
    (void)info;
    (void)keys;
    return stop_signal() == 0;
}

/* The memory that a regular file's keys will need, by a pass of its own; 0 when that cannot be known. */
static uint64_t needs_beforehand(struct reading *r, const struct input *in)
{
    struct analyze_options ao = analyze_options_of(r);
    struct analysis a = {0};
    char err[256];
    uint64_t bytes = 0;
    rdb_parser *p = in->stream ? NULL : rdb_open(in->path, NULL);
    if (!p)
        return 0;
    ao.allocator = replay_allocator();
    ao.top = 0;
    ao.want_largest = false;
    ao.no_forecast = true;
    ao.on_key = NULL;
    ao.on_progress = on_first_pass;
    ao.findings = NULL;
    ao.rebuild = NULL;
    if (analyze(p, in->path, &ao, &a, err))
        bytes = replay_needs(r->d->o, &a);
    analysis_free(&a);
    rdb_close(p);
    return bytes;
}

/* Says how much memory --rebuild is going to take. False: too much. */
static bool rebuild_fits(struct reading *r, const struct input *in)
{
    const struct options *o = r->d->o;
    uint64_t limit = r->rebuild.limit = replay_limit(o), needs = needs_beforehand(r, in);
    r->rebuild.sample = o->rebuild_sample;
    r->rebuild.ndeletions = o->nthen_delete;
    memcpy(r->rebuild.deletions, o->then_delete, sizeof r->rebuild.deletions);
    if (needs > limit) {
        snprintf(r->out->usage, sizeof r->out->usage,
                 "--rebuild needs %s of memory, and the limit is %s: see --rebuild-limit and "
                 "--rebuild-sample",
                 human_bytes(needs).s, human_bytes(limit).s);
        return false;
    }
    if (!o->quiet && needs)
        complain_line("%s: --rebuild takes about %s of memory", in->path, human_bytes(needs).s);
    else if (!o->quiet)
        complain_line("%s: --rebuild takes the memory of all keys, up to %s", in->path, human_bytes(limit).s);
    return true;
}

/* ---------------------------------------------------------------- one dump */

/* There is no dump to open. */
static int no_dump(const struct input *in, struct file_report *f)
{
    f->error.kind = RDB_ERR_MAGIC;
    snprintf(f->error.expected, sizeof f->error.expected, "%s", in->problem);
    return EXIT_INPUT;
}

static int out_of_memory(const char *path)
{
    complain_line("%s: out of memory", path);
    return EXIT_INPUT;
}

static bool open_sinks(struct dumps *d)
{
    pthread_mutex_lock(&d->lock);
    bool ok = sinks_open(d->sinks);
    pthread_mutex_unlock(&d->lock);
    return ok;
}

/* An open dump. */
static int analyze_one(struct reading *r, rdb_parser *p, const struct input *in, struct analysis *a)
{
    if (r->d->o->rebuild && !rebuild_fits(r, in))
        return EXIT_USAGE;
    if (!open_sinks(r->d))
        return EXIT_INPUT;
    r->out->findings = findings_new(&r->d->o->findings);
    if (!r->out->findings)
        return out_of_memory(in->path);
    struct analyze_options ao = analyze_options_of(r);
    if (!analyze(p, in->path, &ao, a, r->out->usage))
        return EXIT_USAGE;
    return a->file.complete && a->damaged_keys == 0 && !in->aof_gone ? EXIT_DONE : EXIT_INPUT;
}

static int read_one(struct reading *r)
{
    const struct input *in = &r->d->inputs->list[r->i];
    struct analysis *a = &r->d->fleet->parts[r->i];
    int status = EXIT_INPUT;
    a->file.aof_files = in->aof_files;
    a->file.aof_bytes = in->aof_bytes;
    if (in->problem)
        return no_dump(in, &a->file);
    rdb_parser *p = rdb_open(in->path, NULL);
    if (!p)
        return out_of_memory(in->path);
    if (rdb_error(p)->kind == RDB_ERR_IO && rdb_info(p)->version == 0)
        a->file.error = *rdb_error(p);
    else
        status = analyze_one(r, p, in, a);
    rdb_close(p);
    return status;
}

/* ---------------------------------------------------------------- telling */

/* What the parser expected also has the words of the system where that failed. */
static void complain_error(const char *path, const struct rdb_error *e)
{
    char key[600] = "";
    if (e->kind == RDB_ERR_IO && e->sys && e->offset == 0) {
        complain_line("%s: %s", path, e->expected);
        return;
    }
    if (e->has_key)
        snprintf(key, sizeof key, " (last key '%.*s' in db%u)", (int)e->key_len, (const char *)e->key, e->db);
    complain_line("%s: byte %llu: %s: %s%s", path, (unsigned long long)e->offset, rdb_err_name(e->kind), e->expected,
                  key);
}

/* What the append-only file holds beyond its base: the report is not about that. */
static void tell_aof(const struct dumps *d, const struct input *in, struct file_report *f)
{
    f->aof_files = in->aof_files;
    f->aof_bytes += in->aof_bytes;
    if (in->aof_gone)
        complain_line("%s: %llu increments that the manifest names are not there", in->path,
                      (unsigned long long)in->aof_gone);
    if (f->aof_bytes && !d->o->quiet)
        complain_line("%s: %llu bytes of AOF commands follow and were not analysed", in->path,
                      (unsigned long long)f->aof_bytes);
}

static void keep_findings(struct dumps *d, struct findings *f)
{
    if (!d->findings) {
        d->findings = f;
        return;
    }
    findings_merge(d->findings, f);
    findings_free(f);
}

/* All before it have been told. Once one could not be used, nothing is said of those behind it. */
static void tell(struct dumps *d, size_t i)
{
    const struct input *in = &d->inputs->list[i];
    struct outcome *one = &d->outcomes[i];
    struct file_report *f = &d->fleet->parts[i].file;
    if (d->status == EXIT_USAGE) {
        findings_free(one->findings);
        return;
    }
    progress_clear(&d->progress);
    d->status = one->status > d->status ? one->status : d->status;
    if (one->status == EXIT_USAGE) {
        if (one->usage[0])
            usage_error(one->usage);
        findings_free(one->findings);
        return;
    }
    if (in->problem)
        complain_line("%s: %s", in->path, in->problem);
    else if (f->error.kind != RDB_OK)
        complain_error(in->path, &f->error);
    else if (one->stopped && stop_signal())
        complain_line("%s: byte %llu: %s", in->path, (unsigned long long)f->rdb_bytes, d->sinks->report.stopped);
    if (one->findings) {
        tell_aof(d, in, f);
        keep_findings(d, one->findings);
    }
    one->findings = NULL;
}

/* ---------------------------------------------------------------- whose turn it is */

static bool is_over(const struct dumps *d)
{
    return d->next == d->inputs->n || d->status == EXIT_USAGE || d->sinks->report.stopped || d->sinks->failed;
}

/* Threads for the next dump: those that finish the rest of it when all dumps are, should each get its own. Rounded up, since
 * a thread too many costs less than a processor that has nothing to do. */
static unsigned share_of(const struct dumps *d, size_t i)
{
    double all = 0;
    if (d->readers == 1)
        return d->threads;
    for (size_t k = d->told; k < d->inputs->n; k++)
        all += (double)d->outcomes[k].left;
    double share = all > 0 ? ceil(d->threads * ((double)d->outcomes[i].left / all)) : 1;
    return share > 1 ? (unsigned)share : 1;
}

/* The next dump, with its share of the threads. False: there is none to be read any more. */
static bool take(struct dumps *d, struct reading *r)
{
    while (!is_over(d) && d->next - d->told > (size_t)d->threads + AHEAD)
        pthread_cond_wait(&d->told_one, &d->lock);
    if (is_over(d))
        return false;
    *r = (struct reading){.d = d, .i = d->next, .threads = share_of(d, d->next), .out = &d->outcomes[d->next]};
    d->next++;
    return true;
}

static void *read_in_turn(void *arg)
{
    struct dumps *d = arg;
    struct reading r;
    pthread_mutex_lock(&d->lock);
    while (take(d, &r)) {
        pthread_mutex_unlock(&d->lock);
        int status = read_one(&r);
        pthread_mutex_lock(&d->lock);
        r.out->status = status;
        r.out->done = true;
        r.out->left = 0;
        progress_done(&d->progress, r.i);
        for (; d->told < d->next && d->outcomes[d->told].done; d->told++)
            tell(d, d->told);
        pthread_cond_broadcast(&d->told_one);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* ---------------------------------------------------------------- all dumps */

static unsigned threads_of(const struct options *o)
{
    long processors = o->threads ? 0 : sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = o->threads ? o->threads : processors > 0 ? (unsigned)processors : 1;
    return n < ANALYZE_THREADS ? n : ANALYZE_THREADS;
}

/* How many dumps may be read beside one another. */
static unsigned readers_of(const struct dumps *d)
{
    if (d->o->rebuild || sinks_want_keys(d->sinks))
        return 1;
    return d->threads < d->inputs->n ? d->threads : (unsigned)d->inputs->n;
}

static void read_all(struct dumps *d)
{
    pthread_t helpers[ANALYZE_THREADS];
    unsigned n = 0;
    d->readers = readers_of(d);
    while (n + 1 < d->readers && rdb_thread_start(&helpers[n], read_in_turn, d))
        n++;
    read_in_turn(d);
    for (unsigned i = 0; i < n; i++)
        pthread_join(helpers[i], NULL);
}

int dumps_read(const struct options *o, const struct inputs *inputs, struct sinks *sinks, struct fleet *fleet,
               struct findings **findings)
{
    struct dumps d = {.o = o, .inputs = inputs, .sinks = sinks, .fleet = fleet, .threads = threads_of(o)};
    *findings = NULL;
    d.outcomes = calloc(inputs->n + 1, sizeof *d.outcomes);
    if (!d.outcomes) {
        complain_line("out of memory");
        return EXIT_INPUT;
    }
    for (size_t i = 0; i < inputs->n; i++) {
        fleet->parts[i].file.path = inputs->list[i].path;
        d.outcomes[i].left = inputs->list[i].bytes;
    }
    if (!progress_begin(&d.progress, o->quiet ? WHEN_NEVER : o->progress, inputs,
                        sinks_want_keys(sinks) && sinks_on_terminal(sinks)))
        complain_line("out of memory: no progress is shown");
    pthread_mutex_init(&d.lock, NULL);
    pthread_cond_init(&d.told_one, NULL);
    read_all(&d);
    pthread_cond_destroy(&d.told_one);
    pthread_mutex_destroy(&d.lock);
    progress_end(&d.progress);
    free(d.outcomes);
    *findings = d.findings;
    return d.told < inputs->n && d.status == EXIT_DONE ? EXIT_INPUT : d.status;
}
