/*
 * explain.h - the report of --explain: one key, allocation by allocation.
 */
#ifndef RDBMEM_REPORT_EXPLAIN_H
#define RDBMEM_REPORT_EXPLAIN_H

#include "report/options.h"

/* Reads the dumps until the key is found, writes to the options' outputs (text or json). Returns the exit status: 1 when
 * it is in none of them. */
int explain_run(const struct options *o);

#endif
