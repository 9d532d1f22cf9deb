/*
 * real.h - the same allocations once more, in the real jemalloc of this machine: modelled and measured side by side.
 *
 * A follower of the heap (zmalloc.h) asks jemalloc for every block that the model places, keeps it by the step at which
 * its key dies, and at the end frees step after step. The library differs from the one that servers bundle (its quantum
 * is 16), so what it is compared with is not the target's allocator model but that of the library, fed with the same
 * blocks.
 *
 * Blocks of a step and a class form a list through their own first bytes: a block that is freed while loading is the
 * one its owner got last, and no memory is needed beside the data set's. That memory is needed, though, all of it.
 */
#ifndef RDBMEM_REAL_H
#define RDBMEM_REAL_H

#include "analyzer/analysis.h"
#include "analyzer/placement.h"
#include "analyzer/zmalloc.h"

struct real;

/* Follows the heap. NULL with a message: no jemalloc to ask, or out of memory. */
struct real *real_new(const struct real_options *o, const struct placement *pl, struct zheap *heap, char err[256]);
void real_free(struct real *r);

/* From now on blocks belong to a key that dies at this step, or to the server (so it is at first). */
void real_key(struct real *r, unsigned death, const struct key_report *k);
void real_server(struct real *r);

/* Frees step after step, and fills a->real. False: out of memory. */
bool real_finish(struct real *r, struct analysis *a);

void real_report_free(struct real_report *report);

#endif
