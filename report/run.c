/*
 * run.c - the wiring: a dump through the analyzer into the reports.
 *
 * All destinations are opened before the dump is read and put in place after it: a run that cannot write says so at
 * once, and one that dies leaves nothing behind. A dump that cannot be opened gives no report.
 */
#include "report/run.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "report/progress.h"

enum { WIDTH_DEFAULT = 100, WIDTH_LEAST = 60, WIDTH_MOST = 200 };

struct runner {
    const struct options *o;
    struct report_options report;
    struct sink sinks[REPORT_MAX_SINKS];
    unsigned nsinks;
    struct progress progress;
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

static void complain_error(const char *path, const struct rdb_error *e)
{
    char key[600] = "";
    if (e->kind == RDB_ERR_IO && e->sys && e->offset == 0) {
        complain_line("%s: %s: %s", path, e->expected[0] ? e->expected : "cannot be read", strerror(e->sys));
        return;
    }
    if (e->has_key)
        snprintf(key, sizeof key, " (last key '%.*s' in db%u)", (int)e->key_len, (const char *)e->key, e->db);
    complain_line("%s: byte %llu: %s: %s%s%s%s", path, (unsigned long long)e->offset, rdb_err_name(e->kind),
                  e->expected, e->sys ? ": " : "", e->sys ? strerror(e->sys) : "", key);
}

/* ---------------------------------------------------------------- sinks */

static unsigned terminal_width(bool terminal)
{
    const char *columns = getenv("COLUMNS");
    unsigned long width = WIDTH_DEFAULT;
    struct winsize w;
    if (columns && *columns)
        width = strtoul(columns, NULL, 10);
    else if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
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

static bool writes_to_terminal(const struct options *o)
{
    for (unsigned i = 0; i < o->noutputs; i++)
        if (strcmp(o->outputs[i].path, "-") == 0)
            return isatty(STDOUT_FILENO);
    return false;
}

static void choose_looks(struct runner *r)
{
    bool terminal = writes_to_terminal(r->o);
    r->report.escape = terminal && !r->o->escape_given ? ESCAPE_PRINT : r->o->escape;
    r->report.width = terminal_width(terminal);
    r->report.color = wants_color(r->o, terminal);
    r->report.load_as = r->o->load_as;
    r->report.clock_s = r->o->now_s >= 0 ? r->o->now_s : (int64_t)time(NULL);
}

static bool open_sinks(struct runner *r)
{
    for (unsigned i = 0; i < r->o->noutputs; i++) {
        struct sink *s = &r->sinks[i];
        *s = (struct sink){r->o->outputs[i].format, &r->report, out_open(r->o->outputs[i].path)};
        if (!s->out) {
            complain_line("%s: cannot be written: %s", r->o->outputs[i].path, strerror(errno));
            return false;
        }
        r->nsinks++;
        if (s->format->begin)
            s->format->begin(s);
    }
    return true;
}

static void discard_sinks(struct runner *r)
{
    for (unsigned i = 0; i < r->nsinks; i++)
        out_discard(r->sinks[i].out);
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
            complain_line("%s: out of memory", r->o->outputs[i].path);
            out_discard(s->out);
        }
    }
    r->nsinks = 0;
}

/* ---------------------------------------------------------------- reading */

static void on_key(void *ctx, const struct key_report *k)
{
    struct runner *r = ctx;
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

static struct analyze_options analyze_options_of(struct runner *r)
{
    const struct options *o = r->o;
    bool streams = any_streams(r);
    return (struct analyze_options){
        .target = o->target,
        .allocator = o->allocator,
        .config = &o->config,
        .top = o->top,
        .big_bytes = o->big_bytes,
        .big_elements = o->big_elements,
        .big_element = o->big_element,
        .load_as = o->load_as,
        .now_ms = o->now_s >= 0 ? o->now_s * 1000 : -1,
        .skip_damaged = o->skip_damaged,
        .want_largest = streams,
        .want_slot = o->slots,
        .on_key = streams ? on_key : NULL,
        .on_key_ctx = r,
        .on_progress = on_progress,
        .on_progress_ctx = r,
    };
}

/* One dump. Exit status; *a is filled when it is not EXIT_USAGE. */
static int read_dump(struct runner *r, rdb_parser *p, const char *path, struct analysis *a)
{
    struct analyze_options ao = analyze_options_of(r);
    char err[256] = "";
    bool usable;
    progress_begin(&r->progress, r->o->quiet ? WHEN_NEVER : r->o->progress, path,
                   any_streams(r) && writes_to_terminal(r->o));
    usable = analyze(p, path, &ao, a, err);
    progress_end(&r->progress);
    if (!usable)
        return usage_error(err);
    if (a->file.error.kind != RDB_OK)
        complain_error(path, &a->file.error);
    else if (stop_signal())
        complain_line("%s: byte %llu: %s", path, (unsigned long long)a->file.rdb_bytes, r->report.stopped);
    return report_complete(a, &r->report) && a->file.error.kind == RDB_OK && a->damaged_keys == 0 ? EXIT_DONE
                                                                                                  : EXIT_INPUT;
}

static int report_dump(struct runner *r, const char *path)
{
    struct analysis a;
    rdb_parser *p = rdb_open(path, NULL);
    int status = EXIT_INPUT;
    if (!p) {
        complain_line("%s: out of memory", path);
        return EXIT_INPUT;
    }
    if (rdb_error(p)->kind == RDB_ERR_IO && rdb_info(p)->version == 0) {
        complain_error(path, rdb_error(p));
    } else if (open_sinks(r)) {
        memset(&a, 0, sizeof a);
        status = read_dump(r, p, path, &a);
        if (status != EXIT_USAGE)
            finish_sinks(r, &a);
        analysis_free(&a);
    }
    discard_sinks(r);
    rdb_close(p);
    return status;
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
    status = report_dump(&r, o->files[0]);
    if (stop_signal())
        die_by(stop_signal());
    if (r.broken_pipe)
        die_by(SIGPIPE);
    return r.write_failed ? EXIT_INPUT : status;
}
