/*
 * thresholds.h - collections near the settings that decide whether they are packed; rows in distributions.h.
 */
#ifndef RDBMEM_THRESHOLDS_H
#define RDBMEM_THRESHOLDS_H

#include "analyzer/distributions.h"

void thresholds_init(struct threshold_row rows[THRESHOLDS]);
void thresholds_target(struct threshold_row rows[THRESHOLDS], const struct profile *pf);
void thresholds_add(struct threshold_row rows[THRESHOLDS], const struct profile *pf, const struct allocator *a,
                    const struct key_report *k);
void thresholds_merge(struct threshold_row rows[THRESHOLDS], const struct threshold_row from[THRESHOLDS],
                      bool targeted);
void thresholds_scale(struct threshold_row rows[THRESHOLDS], uint64_t scale);

/* What the value would cost as one packed block, or as a table, with the key around it: estimates. */
uint64_t threshold_packed_bytes(const struct profile *pf, const struct allocator *a, const struct key_report *k);
uint64_t threshold_table_bytes(const struct profile *pf, const struct allocator *a, const struct key_report *k);

#endif
