/*
 * combine.h - several dumps as one: the nodes of a cluster, the shards of an application, a directory of backups.
 *
 * Every sum of the analysis is added up, every list merged; what is no sum (target, allocator, what expired is relative
 * to) is kept where all dumps agree and named as several where they do not. Each node stays a server of its own: the
 * combined used_memory is the sum of theirs.
 */
#ifndef RDBMEM_COMBINE_H
#define RDBMEM_COMBINE_H

#include "analyzer/analysis.h"

struct fleet {
    size_t n;
    struct analysis *parts;   /* in order; a dump that could not be opened has rdb version 0, and its error */
    struct analysis combined; /* file.path and the AUX fields are empty; complete: all are; error: the first one */
};

/* n empty parts. False: out of memory. */
bool fleet_init(struct fleet *f, size_t n);
void fleet_free(struct fleet *f);

/* Fills f->combined from the parts. False: out of memory. */
bool fleet_combine(struct fleet *f);

/* Adds one dump's figures and lists to another's: what fleet_combine does for each. *to may be all zero but for
 * file.ctime_s = -1. Names of keys are copied; from stays as it is. False: out of memory, *to is incomplete. */
bool analysis_merge(struct analysis *to, const struct analysis *from);

#endif
