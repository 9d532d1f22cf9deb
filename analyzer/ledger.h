/*
 * ledger.h - the sums that make used_memory.
 */
#ifndef RDBMEM_LEDGER_H
#define RDBMEM_LEDGER_H

#include "analyzer/analysis.h"
#include "analyzer/functions.h"
#include "analyzer/keyspace.h"

/* Fills a->ledger and the sums by kind of block. */
void ledger_close(struct analysis *a, const struct analyze_options *o, const struct profile *pf,
                  const struct zheap *heap, const struct keyspace *ks, const struct functions *f);

/* Fills the tables' figures of a->dbs. */
void ledger_databases(struct analysis *a, const struct keyspace *ks);

#endif
