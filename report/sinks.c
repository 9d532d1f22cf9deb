/*
 * sinks.c - see sinks.h.
 */
#include "report/sinks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "report/complain.h"

enum { WIDTH_DEFAULT = 100, WIDTH_LEAST = 60, WIDTH_MOST = 200 };

/* ---------------------------------------------------------------- how they look */

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

void sinks_init(struct sinks *s, const struct options *o)
{
    bool terminal = writes_to_terminal(o);
    *s = (struct sinks){.o = o};
    s->report = (struct report_options){.escape = terminal && !o->escape_given ? ESCAPE_PRINT : o->escape,
                                        .width = report_width(o),
                                        .color = wants_color(o, terminal),
                                        .load_as = o->load_as,
                                        .metrics_namespace = o->metrics_namespace,
                                        .clock_s = o->now_s >= 0 ? o->now_s : (int64_t)time(NULL)};
}

bool sinks_want_keys(const struct sinks *s)
{
    for (unsigned i = 0; i < s->o->noutputs; i++)
        if (s->o->outputs[i].format->key)
            return true;
    return false;
}

bool sinks_on_terminal(const struct sinks *s)
{
    return writes_to_terminal(s->o);
}

/* ---------------------------------------------------------------- opening */

static bool cannot_write(struct sinks *s, const char *path, const char *why)
{
    s->failed = true;
    complain_line("%s: cannot be written: %s", path, why);
    return false;
}

static const char *problem_of(const struct sink *s)
{
    return s->problem[0] ? s->problem : "out of memory";
}

bool sinks_open(struct sinks *s)
{
    if (s->open || s->failed)
        return s->open;
    for (unsigned i = 0; i < s->o->noutputs; i++) {
        const struct output *to = &s->o->outputs[i];
        struct sink *one = &s->list[i];
        *one = (struct sink){.format = to->format, .options = &s->report, .out = out_open(to->path)};
        if (!one->out)
            return cannot_write(s, to->path, strerror(errno));
        s->n++;
        if (one->format->begin && !one->format->begin(one))
            return cannot_write(s, to->path, problem_of(one));
    }
    s->open = true;
    return true;
}

void sinks_discard(struct sinks *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (s->list[i].format->drop)
            s->list[i].format->drop(&s->list[i]);
        out_discard(s->list[i].out);
    }
    s->n = 0;
}

/* ---------------------------------------------------------------- writing */

void sinks_key(struct sinks *s, const struct key_report *k)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->list[i].format->key)
            s->list[i].format->key(&s->list[i], k);
}

bool sinks_dead(const struct sinks *s)
{
    unsigned dead = 0;
    for (unsigned i = 0; i < s->n; i++)
        dead += s->list[i].out->sys != 0;
    return dead == s->n;
}

static void commit(struct sinks *s, struct out *out, const char *path)
{
    int sys;
    if (out_commit(out, &sys))
        return;
    if (sys == EPIPE)
        s->broken_pipe = true;
    else
        cannot_write(s, strcmp(path, "-") == 0 ? "standard output" : path, strerror(sys));
}

void sinks_finish(struct sinks *s, const struct analysis *a)
{
    for (unsigned i = 0; i < s->n; i++) {
        struct sink *one = &s->list[i];
        const char *path = s->o->outputs[i].path;
        if (one->format->finish(one, a)) {
            commit(s, one->out, path);
        } else {
            cannot_write(s, path, problem_of(one));
            out_discard(one->out);
        }
    }
    s->n = 0;
}
