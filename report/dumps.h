/*
 * dumps.h - reading the dumps of a run, several at a time.
 *
 * Where no report has a line for each key, as many dumps are read beside one another as there may be threads; what is
 * left of the threads reads within the dumps. What was found is put together, and what there is to complain about is said,
 * in the order of the dumps: the report is the same with any number of threads. Where keys are written, and with
 * --rebuild, which measures the memory of one, each dump is read in its turn, by all threads.
 */
#ifndef RDBMEM_DUMPS_H
#define RDBMEM_DUMPS_H

#include "analyzer/combine.h"
#include "report/inputs.h"
#include "report/sinks.h"

/* Reads inputs->list[i] into fleet->parts[i]; opens the sinks when the first dump is open. *findings is all dumps'
 * together, the caller's to free; NULL where none was read. Returns the worst exit status; with EXIT_USAGE there is nothing
 * to report. */
int dumps_read(const struct options *o, const struct inputs *inputs, struct sinks *sinks, struct fleet *fleet,
               struct findings **findings);

#endif
