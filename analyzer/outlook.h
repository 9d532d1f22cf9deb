/*
 * outlook.h - the forecast of a whole server: the slab model's steps, the keys that are left, the tables that shrink.
 */
#ifndef RDBMEM_OUTLOOK_H
#define RDBMEM_OUTLOOK_H

#include "analyzer/analysis.h"
#include "analyzer/keyspace.h"
#include "analyzer/pins.h"
#include "analyzer/placement.h"

/* After ledger_close(): fills a->forecast. False when out of memory. */
bool outlook_make(struct analysis *a, const struct analyze_options *o, const struct profile *pf, struct placement *pl,
                  const struct pins *pins, const struct keyspace *ks, const struct allocator *alloc);

void outlook_free(struct forecast_report *f);

#endif
