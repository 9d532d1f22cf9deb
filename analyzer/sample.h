/*
 * sample.h - figures of one key in N made figures of all.
 */
#ifndef RDBMEM_SAMPLE_H
#define RDBMEM_SAMPLE_H

#include "analyzer/analysis.h"
#include "analyzer/functions.h"
#include "analyzer/keyspace.h"

/* Before the ledger is closed: what the keys of the sample hold counts n times; tables and functions are whole. */
void sample_scale_heap(struct zheap *heap, const struct keyspace *ks, const struct functions *f, uint64_t n);

/* After the sums are made. */
void sample_scale_sums(struct analysis *a, uint64_t n);

#endif
