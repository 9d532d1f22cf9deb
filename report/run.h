/*
 * run.h - one run of the program after its options are known.
 */
#ifndef RDBMEM_RUN_H
#define RDBMEM_RUN_H

#include "report/options.h"

enum { EXIT_DONE = 0, EXIT_INPUT = 1, EXIT_USAGE = 2, EXIT_AUDIT = 3 };

/* Reads the dump, writes the reports, returns the exit status. */
int run(const struct options *o);

/* Columns that a text report may take: COLUMNS, or those of the terminal it goes to, or 100. */
unsigned report_width(const struct options *o);

/* "rdbmem: MESSAGE" on standard error, in one line whatever is in it. */
__attribute__((format(printf, 1, 2))) void complain_line(const char *format, ...);

/* The same and the advice to try --help; returns EXIT_USAGE. */
int usage_error(const char *message);

#endif
