/*
 * run.c - the wiring: a dump through the analyzer into the reports.
 *
 * All destinations are opened before the dump is read and put in place after it: a run that cannot write says so at
 * once, and one that dies leaves nothing behind. Where no dump can be opened there is no report; where some can, the
 * others are named in it and the exit status is the worst.
 */
#include "report/run.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/combine.h"
#include "report/human.h"
#include "report/inputs.h"
#include "report/progress.h"
#include "report/replay.h"

enum { WIDTH_DEFAULT = 100, WIDTH_LEAST = 60, WIDTH_MOST = 200 };

struct runner {
    const struct options *o;
    struct report_options report;
    struct sink sinks[REPORT_MAX_SINKS];
    unsigned nsinks;
    struct progress progress;
    struct inputs inputs;
    struct findings *findings;
    struct real_options rebuild;
    struct findings_report *found;
    bool sinks_open;
    bool broken_pipe; /* the reader of a report has gone away */
    bool write_failed;
};

/* ---------------------------------------------------------------- messages */

static void vcomplain(const char *format, va_list args)
{
    char *raw = NULL, *safe;
    if (vasprintf(&raw, format, args) < 0)
        return;
    safe = safe_text(raw);
    fprintf(stderr, "rdbmem: %s\n", safe ? safe : "out of memory");
    free(safe);
    free(raw);
}

void complain_line(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vcomplain(format, args);
    va_end(args);
}

int usage_error(const char *message)
{
    complain_line("%s; try --help", message);
    return EXIT_USAGE;
}

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

/* ---------------------------------------------------------------- sinks */

static bool writes_to_terminal(const struct options *o)
{
    for (unsigned i = 0; i < o->noutputs; i++)
        if (strcmp(o->outputs[i].path, "-") == 0)
            return isatty(STDOUT_FILENO);
    return false;
}

unsigned report_width(const struct options *o)
{
    const char *columns = getenv("COLUMNS");
    unsigned long width = WIDTH_DEFAULT;
    struct winsize w;
    if (columns && *columns)
        width = strtoul(columns, NULL, 10);
    else if (writes_to_terminal(o) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        width = w.ws_col;
    if (width < WIDTH_LEAST)
        return width ? WIDTH_LEAST : WIDTH_DEFAULT;
    return width > WIDTH_MOST ? WIDTH_MOST : (unsigned)width;
}

static bool wants_color(const struct options *o, bool terminal)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (o->color != WHEN_AUTO)
        return o->color == WHEN_ALWAYS;
    return terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static void choose_looks(struct runner *r)
{
    bool terminal = writes_to_terminal(r->o);
    r->report.escape = terminal && !r->o->escape_given ? ESCAPE_PRINT : r->o->escape;
    r->report.width = report_width(r->o);
    r->report.color = wants_color(r->o, terminal);
    r->report.load_as = r->o->load_as;
    r->report.metrics_namespace = r->o->metrics_namespace;
    r->report.clock_s = r->o->now_s >= 0 ? r->o->now_s : (int64_t)time(NULL);
}

static const char *problem_of(const struct sink *s)
{
    return s->problem[0] ? s->problem : "out of memory";
}

/* When the first dump is open. */
static bool open_sinks(struct runner *r)
{
    if (r->sinks_open)
        return true;
    for (unsigned i = 0; i < r->o->noutputs; i++) {
        struct sink *s = &r->sinks[i];
        *s = (struct sink){
            .format = r->o->outputs[i].format, .options = &r->report, .out = out_open(r->o->outputs[i].path)};
        if (!s->out) {
            complain_line("%s: cannot be written: %s", r->o->outputs[i].path, strerror(errno));
            return false;
        }
        r->nsinks++;
        if (s->format->begin && !s->format->begin(s)) {
            complain_line("%s: cannot be written: %s", r->o->outputs[i].path, problem_of(s));
            return false;
        }
    }
    r->sinks_open = true;
    return true;
}

static void discard_sinks(struct runner *r)
{
    for (unsigned i = 0; i < r->nsinks; i++) {
        if (r->sinks[i].format->drop)
            r->sinks[i].format->drop(&r->sinks[i]);
        out_discard(r->sinks[i].out);
    }
    r->nsinks = 0;
}

static void commit_sink(struct runner *r, const struct sink *s, const char *path)
{
    int sys;
    if (out_commit(s->out, &sys))
        return;
    if (sys == EPIPE) {
        r->broken_pipe = true;
        return;
    }
    r->write_failed = true;
    complain_line("%s: cannot be written: %s", strcmp(path, "-") == 0 ? "standard output" : path, strerror(sys));
}

static void finish_sinks(struct runner *r, const struct analysis *a)
{
    for (unsigned i = 0; i < r->nsinks; i++) {
        struct sink *s = &r->sinks[i];
        if (s->format->finish(s, a)) {
            commit_sink(r, s, r->o->outputs[i].path);
        } else {
            r->write_failed = true;
            complain_line("%s: cannot be written: %s", r->o->outputs[i].path, problem_of(s));
            out_discard(s->out);
        }
    }
    r->nsinks = 0;
}

/* ---------------------------------------------------------------- reading */

static void on_key(void *ctx, const struct key_report *k)
{
    struct runner *r = ctx;
    if (r->o->only_big && !(k->flags & (KEY_BIG_BYTES | KEY_BIG_ELEMENTS | KEY_BIG_ELEMENT)))
        return;
    for (unsigned i = 0; i < r->nsinks; i++)
        if (r->sinks[i].format->key)
            r->sinks[i].format->key(&r->sinks[i], k);
}

/* False ends the reading: a signal came, or nobody takes what is written. */
static bool on_progress(void *ctx, const struct rdb_info *info, uint64_t keys)
{
    struct runner *r = ctx;
    unsigned dead = 0;
    progress_draw(&r->progress, info, keys);
    for (unsigned i = 0; i < r->nsinks; i++)
        dead += r->sinks[i].out->sys != 0;
    if (stop_signal())
        r->report.stopped = "interrupted";
    else if (dead == r->nsinks)
        r->report.stopped = "output failed";
    return !r->report.stopped;
}

static bool any_streams(const struct runner *r)
{
    for (unsigned i = 0; i < r->nsinks; i++)
        if (r->sinks[i].format->key)
            return true;
    return false;
}

static unsigned threads_of(const struct options *o)
{
    long processors = o->threads ? 0 : sysconf(_SC_NPROCESSORS_ONLN);
    return o->threads ? o->threads : processors > 0 ? (unsigned)processors : 1;
}

static struct analyze_options analyze_options_of(struct runner *r)
{
    const struct options *o = r->o;
    bool streams = any_streams(r);
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
        .threads = threads_of(o),
        .stretch = o->stretch,
        .skip_damaged = o->skip_damaged,
        .want_largest = streams,
        .want_slot = o->slots || o->findings.filter.has_slots,
        .on_key = streams ? on_key : NULL,
        .on_key_ctx = r,
        .findings = r->findings,
        .on_progress = on_progress,
        .on_progress_ctx = r,
        .nhorizons = o->nhorizons,
        .nthen_delete = o->nthen_delete,
        .forecast_from_ms = o->forecast_from_s * 1000,
        .no_forecast = o->no_forecast,
        .rebuild = o->rebuild ? &r->rebuild : NULL,
    };
    memcpy(ao.horizons_s, o->horizons_s, sizeof ao.horizons_s);
    memcpy(ao.then_delete, o->then_delete, sizeof ao.then_delete);
    return ao;
}

/* While no report has been begun: only a signal ends the reading. */
static bool on_first_pass(void *ctx, const struct rdb_info *info, uint64_t keys)
{
    (void)ctx;
    (void)info;
    (void)keys;
    return stop_signal() == 0;
}

/* The memory that a regular file's keys will need, by a pass of its own; 0 when that cannot be known. */
static uint64_t needs_beforehand(struct runner *r, const char *path)
{
    struct analyze_options ao = analyze_options_of(r);
    struct analysis a = {0};
    struct stat st;
    char err[256];
    uint64_t bytes = 0;
    rdb_parser *p = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? rdb_open(path, NULL) : NULL;
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
    if (analyze(p, path, &ao, &a, err))
        bytes = replay_needs(r->o, &a);
    analysis_free(&a);
    rdb_close(p);
    return bytes;
}

/* Says how much memory --rebuild is going to take. False: too much. */
static bool rebuild_fits(struct runner *r, const char *path)
{
    uint64_t limit = r->rebuild.limit = replay_limit(r->o), needs = needs_beforehand(r, path);
    char message[256];
    r->rebuild.sample = r->o->rebuild_sample;
    r->rebuild.ndeletions = r->o->nthen_delete;
    memcpy(r->rebuild.deletions, r->o->then_delete, sizeof r->rebuild.deletions);
    if (needs > limit) {
        snprintf(message, sizeof message,
                 "--rebuild needs %s of memory, and the limit is %s: see --rebuild-limit and "
                 "--rebuild-sample",
                 human_bytes(needs).s, human_bytes(limit).s);
        usage_error(message);
        return false;
    }
    if (!r->o->quiet && needs)
        complain_line("%s: --rebuild takes about %s of memory", path, human_bytes(needs).s);
    else if (!r->o->quiet)
        complain_line("%s: --rebuild takes the memory of all keys, up to %s", path, human_bytes(limit).s);
    return true;
}

/* What the append-only file holds beyond its base: the report is not about that. */
static void tell_aof(struct runner *r, const struct input *in, struct file_report *f)
{
    f->aof_files = in->aof_files;
    f->aof_bytes += in->aof_bytes;
    if (in->aof_gone)
        complain_line("%s: %llu increments that the manifest names are not there", in->path,
                      (unsigned long long)in->aof_gone);
    if (f->aof_bytes && !r->o->quiet)
        complain_line("%s: %llu bytes of AOF commands follow and were not analysed", in->path,
                      (unsigned long long)f->aof_bytes);
}

/* The i-th dump, opened. Exit status; *a is filled when it is not EXIT_USAGE. */
static int read_dump(struct runner *r, rdb_parser *p, size_t i, struct analysis *a)
{
    const struct input *in = &r->inputs.list[i];
    struct analyze_options ao = analyze_options_of(r);
    char err[256] = "";
    bool usable;
    ao.file = (uint32_t)i;
    progress_begin(&r->progress, r->o->quiet ? WHEN_NEVER : r->o->progress, in->path,
                   any_streams(r) && writes_to_terminal(r->o));
    usable = analyze(p, in->path, &ao, a, err);
    progress_end(&r->progress);
    if (!usable)
        return usage_error(err);
    if (a->file.error.kind != RDB_OK)
        complain_error(in->path, &a->file.error);
    else if (stop_signal())
        complain_line("%s: byte %llu: %s", in->path, (unsigned long long)a->file.rdb_bytes, r->report.stopped);
    tell_aof(r, in, &a->file);
    return a->file.complete && a->damaged_keys == 0 && !in->aof_gone ? EXIT_DONE : EXIT_INPUT;
}

/* There is no dump to open. */
static int no_dump(const struct input *in, struct file_report *f)
{
    f->error.kind = RDB_ERR_MAGIC;
    snprintf(f->error.expected, sizeof f->error.expected, "%s", in->problem);
    complain_line("%s: %s", in->path, in->problem);
    return EXIT_INPUT;
}

static int open_and_read(struct runner *r, size_t i, struct analysis *a)
{
    const struct input *in = &r->inputs.list[i];
    int status = EXIT_INPUT;
    rdb_parser *p;
    a->file.path = in->path;
    a->file.aof_files = in->aof_files;
    a->file.aof_bytes = in->aof_bytes;
    if (in->problem)
        return no_dump(in, &a->file);
    p = rdb_open(in->path, NULL);
    if (!p) {
        complain_line("%s: out of memory", in->path);
        return EXIT_INPUT;
    }
    if (rdb_error(p)->kind == RDB_ERR_IO && rdb_info(p)->version == 0) {
        a->file.error = *rdb_error(p);
        complain_error(in->path, rdb_error(p));
    } else if (r->o->rebuild && !rebuild_fits(r, in->path)) {
        status = EXIT_USAGE;
    } else if (open_sinks(r)) {
        status = read_dump(r, p, i, a);
    } else {
        r->write_failed = true;
    }
    rdb_close(p);
    return status;
}

/* Broken rules, one line each. A dump that could not be read whole is the worse news: the rules were held against a
 * part of it only. */
static int tell_audit(const struct runner *r, int status)
{
    const struct audit_report *a = &r->found->audit;
    for (size_t i = 0; i < a->nallows && !r->o->quiet; i++)
        if (a->allows[i].expired)
            complain_line("%s:%u: this exception ended on %s", r->o->findings.audit.allow.path, a->allows[i].line,
                          a->allows[i].until);
    for (size_t i = 0; i < a->nviolations; i++)
        complain_line("%s", a->violations[i].text);
    return status == EXIT_DONE && a->nviolations ? EXIT_AUDIT : status;
}

/* All dumps, and what they are together. One that cannot be read does not keep the others from being read. */
static int report_all(struct runner *r)
{
    struct fleet fleet;
    int status = EXIT_DONE;
    r->findings = findings_new(&r->o->findings);
    if (!r->findings || !fleet_init(&fleet, r->inputs.n)) {
        complain_line("out of memory");
        findings_free(r->findings);
        return EXIT_INPUT;
    }
    r->report.fleet = r->inputs.several ? &fleet : NULL;
    for (size_t i = 0; i < fleet.n; i++) {
        int one = EXIT_INPUT;
        fleet.parts[i].file.path = r->inputs.list[i].path;
        if (status != EXIT_USAGE && !r->report.stopped && !r->write_failed)
            one = open_and_read(r, i, &fleet.parts[i]);
        status = one > status ? one : status;
    }
    if (r->sinks_open && status != EXIT_USAGE) {
        struct analysis *whole = r->report.fleet ? &fleet.combined : &fleet.parts[0];
        r->found = findings_finish(r->findings, fleet.parts, fleet.n);
        if (!r->found || (r->report.fleet && !fleet_combine(&fleet))) {
            complain_line("out of memory");
            status = EXIT_INPUT;
        } else {
            whole->found = r->found;
            finish_sinks(r, whole);
            status = tell_audit(r, status);
        }
    }
    discard_sinks(r);
    findings_report_free(r->found);
    findings_free(r->findings);
    r->report.fleet = NULL;
    fleet_free(&fleet);
    return status;
}

/* A report that would replace a dump found in a directory. */
static bool spares_inputs(const struct runner *r)
{
    for (unsigned i = 0; i < r->o->noutputs; i++)
        for (size_t j = 0; j < r->inputs.n; j++)
            if (strcmp(r->o->outputs[i].path, "-") != 0 && same_place(r->o->outputs[i].path, r->inputs.list[j].path))
                return false;
    return true;
}

static int find_and_report(struct runner *r)
{
    char err[INPUTS_ERROR];
    if (r->o->rebuild && !replay_possible(err))
        return usage_error(err);
    if (!inputs_find(&r->inputs, r->o->files, r->o->nfiles, err))
        return usage_error(err);
    if (!spares_inputs(r))
        return usage_error("the report would overwrite the dump");
    return report_all(r);
}

/* Ends as the signal would have ended the program, so that a shell sees it. */
static void die_by(int sig)
{
    fflush(stderr);
    signal(sig, SIG_DFL);
    raise(sig);
}

int run(const struct options *o)
{
    struct runner r = {.o = o};
    int status;
    choose_looks(&r);
    stop_catch_signals();
    status = find_and_report(&r);
    inputs_free(&r.inputs);
    if (stop_signal())
        die_by(stop_signal());
    if (r.broken_pipe)
        die_by(SIGPIPE);
    return r.write_failed ? EXIT_INPUT : status;
}
