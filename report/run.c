/*
 * run.c - the wiring: dumps are found, read and reported on.
 *
 * Where no dump can be opened there is no report; where some can, the others are named in it and the exit status is the
 * worst.
 */
#include "report/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/complain.h"
#include "report/dumps.h"
#include "report/replay.h"
#include "report/stop.h"

struct runner {
    const struct options *o;
    struct sinks sinks;
    struct inputs inputs;
    struct findings_report *found;
};

/* ---------------------------------------------------------------- the report */

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

static int write_reports(struct runner *r, struct fleet *fleet, struct findings *findings, int status)
{
    struct analysis *whole = r->inputs.several ? &fleet->combined : &fleet->parts[0];
    r->found = findings ? findings_finish(findings, fleet->parts, fleet->n) : NULL;
    if (!r->found || (r->inputs.several && !fleet_combine(fleet))) {
        complain_line("out of memory");
        return EXIT_INPUT;
    }
    whole->found = r->found;
    sinks_finish(&r->sinks, whole);
    return tell_audit(r, status);
}

/* All dumps, and what they are together. One that cannot be read does not keep the others from being read. */
static int report_all(struct runner *r)
{
    struct fleet fleet;
    struct findings *findings;
    if (!fleet_init(&fleet, r->inputs.n)) {
        complain_line("out of memory");
        return EXIT_INPUT;
    }
    r->sinks.report.fleet = r->inputs.several ? &fleet : NULL;
    int status = dumps_read(r->o, &r->inputs, &r->sinks, &fleet, &findings);
    if (r->sinks.open && status != EXIT_USAGE)
        status = write_reports(r, &fleet, findings, status);
    sinks_discard(&r->sinks);
    findings_report_free(r->found);
    findings_free(findings);
    r->sinks.report.fleet = NULL;
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
    sinks_init(&r.sinks, o);
    stop_catch_signals();
    status = find_and_report(&r);
    inputs_free(&r.inputs);
    if (stop_signal())
        die_by(stop_signal());
    if (r.sinks.broken_pipe)
        die_by(SIGPIPE);
    return r.sinks.failed ? EXIT_INPUT : status;
}
