/*
 * parse.c - arguments to options by the table, and what only all of them together can tell.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/option_values.h"

struct args {
    char **next;
    char **end;
};

static bool takes_value(const struct option_row *r)
{
    return r->arg && r->arg[0] != '[';
}

static const struct option_row *find_long(const char *name, size_t len)
{
    for (const struct option_row *r = option_rows; r->group || r->name; r++)
        if (r->name && strlen(r->name) == len && memcmp(r->name, name, len) == 0)
            return r;
    return NULL;
}

static const struct option_row *find_short(char letter)
{
    for (const struct option_row *r = option_rows; r->group || r->name; r++)
        if (r->name && r->letter && r->letter == letter)
            return r;
    return NULL;
}

static bool unknown(const char *option, char err[OPTION_ERROR])
{
    char *shown = safe_text(option);
    snprintf(err, OPTION_ERROR, "unknown option '%.100s'", shown ? shown : "");
    free(shown);
    return false;
}

/* Applies an option; value NULL: none stands with it, so the next argument is taken if it needs one. */
static bool apply(struct options *o, const struct option_row *r, const char *value, struct args *a,
                  char err[OPTION_ERROR])
{
    if (value && !r->arg) {
        snprintf(err, OPTION_ERROR, "--%s takes no value", r->name);
        return false;
    }
    if (!value && takes_value(r)) {
        if (a->next == a->end) {
            snprintf(err, OPTION_ERROR, "--%s needs a value: %s", r->name, r->arg);
            return false;
        }
        value = *a->next++;
    }
    return r->set(o, value, err);
}

static bool long_option(struct options *o, const char *arg, struct args *a, char err[OPTION_ERROR])
{
    const char *name = arg + 2;
    size_t len = strcspn(name, "=");
    const struct option_row *r = find_long(name, len);
    return r ? apply(o, r, name[len] ? name + len + 1 : NULL, a, err) : unknown(arg, err);
}

/* -q, -oFILE, -o FILE, -qo FILE */
static bool short_options(struct options *o, const char *arg, struct args *a, char err[OPTION_ERROR])
{
    for (const char *p = arg + 1; *p; p++) {
        const struct option_row *r = find_short(*p);
        if (!r)
            return unknown(arg, err);
        if (takes_value(r))
            return apply(o, r, p[1] ? p + 1 : NULL, a, err);
        if (!apply(o, r, NULL, a, err))
            return false;
    }
    return true;
}

static bool read_arguments(struct options *o, struct args *a, char err[OPTION_ERROR])
{
    bool operands = false;
    while (a->next < a->end) {
        const char *arg = *a->next++;
        if (operands || arg[0] != '-' || arg[1] == '\0')
            o->files[o->nfiles++] = arg;
        else if (strcmp(arg, "--") == 0)
            operands = true;
        else if (!(arg[1] == '-' ? long_option(o, arg, a, err) : short_options(o, arg, a, err)))
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------- all together */

static void add_default_output(struct options *o)
{
    const struct report_format *f = o->output ? report_format_of_path(o->output) : NULL;
    o->outputs[0] = (struct output){f ? f : &report_formats[0], ""};
    o->noutputs = 1;
}

bool same_place(const char *a, const char *b)
{
    struct stat x, y;
    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool place_outputs(struct options *o, char err[OPTION_ERROR])
{
    bool used = false;
    if (o->noutputs == 0)
        add_default_output(o);
    for (unsigned i = 0; i < o->noutputs; i++)
        if (!*o->outputs[i].path) {
            o->outputs[i].path = o->output ? o->output : "-";
            used = true;
        }
    if (o->output && !used) {
        snprintf(err, OPTION_ERROR, "--output: every --format has a file of its own already");
        return false;
    }
    for (unsigned i = 0; i < o->noutputs; i++)
        if (o->outputs[i].format->needs_file && strcmp(o->outputs[i].path, "-") == 0) {
            snprintf(err, OPTION_ERROR, "--format=%s: it needs a file, by -o FILE or %s:FILE",
                     o->outputs[i].format->name, o->outputs[i].format->name);
            return false;
        }
    for (unsigned i = 0; i < o->noutputs; i++)
        for (unsigned j = 0; j < i; j++)
            if (same_place(o->outputs[i].path, o->outputs[j].path)) {
                snprintf(err, OPTION_ERROR,
                         "two reports cannot be written to the same place: --format=NAME:FILE parts them");
                return false;
            }
    return true;
}

/* Files first, so that a single setting on the command line goes before them wherever it stands. */
static bool read_config(struct options *o, char err[OPTION_ERROR])
{
    char why[256];
    for (unsigned i = 0; i < o->nconf_files; i++)
        if (!config_read_file(&o->config, o->conf_files[i], why)) {
            snprintf(err, OPTION_ERROR, "--redis-conf: %s", why);
            return false;
        }
    for (unsigned i = 0; i < o->nassignments; i++)
        if (!config_set(&o->config, o->assignments[i], why)) {
            snprintf(err, OPTION_ERROR, "--config: %s", why);
            return false;
        }
    return true;
}

static size_t given(const struct options *o, const char *operand)
{
    size_t n = 0;
    for (size_t i = 0; i < o->nfiles; i++)
        n += o->files[i] && strcmp(o->files[i], operand) == 0;
    return n;
}

static bool check_operands(const struct options *o, char err[OPTION_ERROR])
{
    if (o->nfiles == 0)
        snprintf(err, OPTION_ERROR, "no dump given (- is standard input)");
    else if (given(o, "-") > 1)
        snprintf(err, OPTION_ERROR, "standard input can be read once only");
    else if (given(o, "-") == 1 && isatty(STDIN_FILENO))
        snprintf(err, OPTION_ERROR, "standard input is a terminal, not a dump");
    else
        return true;
    return false;
}

static void set_defaults(struct options *o)
{
    memset(o, 0, sizeof *o);
    config_init(&o->config);
    o->escape = ESCAPE_UTF8;
    o->top = 10;
    o->metrics_namespace = "rdbmem";
    o->now_s = -1;
    o->rebuild_sample = 1;
    findings_options_init(&o->findings);
}

bool options_parse(struct options *o, int argc, char **argv, char err[OPTION_ERROR])
{
    struct args a = {argv + (argc > 0), argv + argc};
    set_defaults(o);
    o->files = calloc((size_t)argc + 1, sizeof *o->files);
    if (!o->files) {
        snprintf(err, OPTION_ERROR, "out of memory");
        return false;
    }
    if (!read_arguments(o, &a, err))
        return false;
    if (o->action != ACTION_REPORT)
        return true;
    options_settle_findings(o);
    return check_operands(o, err) && place_outputs(o, err) && read_config(o, err);
}

void options_free(struct options *o)
{
    free(o->files);
    findings_options_free(&o->findings);
    o->files = NULL;
}
