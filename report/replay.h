/*
 * replay.h - what --rebuild needs before it starts: a library that can be loaded, and memory.
 */
#ifndef RDBMEM_REPLAY_H
#define RDBMEM_REPLAY_H

#include "report/options.h"

/* Starts the program again when jemalloc can only be loaded then (analyzer/jemalloc.h); nothing has been read yet.
 * Returns where that is not so, or not possible. */
void replay_restart(char **argv);

/* False: jemalloc cannot be used, with a message. */
bool replay_possible(char err[OPTION_ERROR]);

/* Name of the library's model; NULL if it cannot be used. */
const char *replay_allocator(void);

/* --rebuild-limit, or half of the memory that is available now. */
uint64_t replay_limit(const struct options *o);

/* What the keys of an analysis take in an allocator, of a sample accordingly. */
uint64_t replay_needs(const struct options *o, const struct analysis *a);

#endif
