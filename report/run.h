/*
 * run.h - one run of the program after its options are known.
 */
#ifndef RDBMEM_RUN_H
#define RDBMEM_RUN_H

#include "report/options.h"

/* Reads the dumps, writes the reports, returns the exit status (complain.h). */
int run(const struct options *o);

#endif
