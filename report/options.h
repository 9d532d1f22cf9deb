/*
 * options.h - the command line as one table, from which parsing and --help are made (later: man page, completions).
 */
#ifndef RDBMEM_OPTIONS_H
#define RDBMEM_OPTIONS_H

#include "analyzer/analysis.h"
#include "analyzer/config.h"
#include "report/report.h"

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

enum action { ACTION_REPORT, ACTION_HELP, ACTION_VERSION };

/* One --format=NAME[:FILE]. */
struct output {
    const struct report_format *format;
    const char *path; /* "-" is standard output; "" until all options are known: where --output says */
};

enum { OPTIONS_MAX_LIST = 64 };

struct options {
    enum action action;
    const char **files; /* operands, in order */
    size_t nfiles;
    struct output outputs[REPORT_MAX_SINKS];
    unsigned noutputs;  /* at least one after parsing */
    const char *output; /* -o */
    enum escape escape;
    bool escape_given;
    const char *target, *allocator;
    struct config config;
    const char *conf_files[OPTIONS_MAX_LIST], *assignments[OPTIONS_MAX_LIST];
    unsigned nconf_files, nassignments;
    unsigned top;
    unsigned threads; /* 0: as many as there are processors */
    uint64_t stretch; /* 0: the usual number of bytes */
    enum load_as load_as;
    int64_t now_s;          /* -1: not given */
    int64_t horizons_s[24]; /* ascending */
    unsigned nhorizons;
    double then_delete[4]; /* shares */
    unsigned nthen_delete;
    int64_t forecast_from_s; /* 0: not given */
    bool no_forecast;
    bool rebuild;
    uint64_t rebuild_limit;  /* 0: not given */
    unsigned rebuild_sample; /* N of 1/N, 1 by default */
    bool skip_damaged, slots, quiet;
    struct findings_options findings;
    const char *explain; /* NULL: a report on all keys */
    bool only_big;
    const char *metrics_namespace;
    enum when color, progress;
};

enum { OPTION_ERROR = 512 };

/* Fills *o from the arguments; false with a one-line message. */
bool options_parse(struct options *o, int argc, char **argv, char err[OPTION_ERROR]);
void options_free(struct options *o);

/* Whether two paths are the same, or the same file. */
bool same_place(const char *a, const char *b);

void options_help(struct out *out);

/* ---------------------------------------------------------------- the table */

struct option_row {
    const char *group; /* set: a heading; the other members are then empty */
    const char *name;  /* without the dashes */
    char letter;       /* 0 = none */
    const char *arg;   /* what it takes, as --help shows it; NULL = nothing; "[=WHEN]" = only with = */
    bool repeatable;
    bool (*set)(struct options *o, const char *value, char err[OPTION_ERROR]);
    const char *help;
};
extern const struct option_row option_rows[]; /* ended by a row that is all empty */

#endif
