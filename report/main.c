/*
 * main.c - rdbmem: where does my Redis memory go? Options (options.c), then the run (run.c).
 */
#include <string.h>

#include "report/complain.h"
#include "report/explain.h"
#include "report/options.h"
#include "report/replay.h"
#include "report/run.h"

static int print(void (*write)(struct out *out))
{
    struct out *out = out_open("-");
    int sys = 0;
    if (!out)
        return EXIT_INPUT;
    write(out);
    if (out_commit(out, &sys))
        return EXIT_DONE;
    complain_line("standard output: cannot be written: %s", strerror(sys));
    return EXIT_INPUT;
}

static void print_version(struct out *out)
{
    out_str(out, "rdbmem " RDBMEM_VERSION "\n");
}

int main(int argc, char **argv)
{
    struct options o;
    char err[OPTION_ERROR];
    int status;
    bool usable = options_parse(&o, argc, argv, err);
    if (usable && o.action == ACTION_REPORT && o.rebuild)
        replay_restart(argv);
    if (!usable)
        status = usage_error(err);
    else if (o.action == ACTION_HELP)
        status = print(options_help);
    else if (o.action == ACTION_VERSION)
        status = print(print_version);
    else
        status = o.explain ? explain_run(&o) : run(&o);
    options_free(&o);
    return status;
}
