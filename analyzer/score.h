/*
 * score.h - the text of a sorted set's score as a packed entry holds it (t_zset.c zzlInsertAt).
 */
#ifndef RDBMEM_SCORE_H
#define RDBMEM_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/profile.h"

/* True: the entry is the integer *v. False: it is a string of *len bytes. */
bool score_entry(const struct profile *pf, double score, int64_t *v, uint64_t *len);

#endif
