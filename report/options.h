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
    const char *path; /* "-" is standard output */
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
    uint64_t big_bytes, big_elements, big_element;
    enum load_as load_as;
    int64_t now_s; /* -1: not given */
    bool skip_damaged, slots, quiet;
    enum when color, progress;
};

enum { OPTION_ERROR = 512 };

/* Fills *o from the arguments; false with a one-line message. */
bool options_parse(struct options *o, int argc, char **argv, char err[OPTION_ERROR]);
void options_free(struct options *o);

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
