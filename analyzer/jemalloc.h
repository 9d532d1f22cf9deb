/*
 * jemalloc.h - the real jemalloc of this machine, in an arena of its own, beside the program's allocator.
 *
 * The library is loaded when it is asked for and not linked: linked, its malloc would take the place of the program's,
 * and each run would pay for it (2.5 MB of RSS, and loading libstdc++). It keeps per-thread state in the "static TLS",
 * of which glibc leaves too little for libraries that come late: then the program has to be started again with a larger
 * reserve, see JEMALLOC_RESTART.
 *
 * One arena at a time is enough; nothing here is for several threads at once.
 */
#ifndef RDBMEM_JEMALLOC_H
#define RDBMEM_JEMALLOC_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/allocator.h"

enum jemalloc_state {
    JEMALLOC_READY,
    JEMALLOC_RESTART, /* there, but it can only be loaded by a program that was started with JEMALLOC_TUNABLE */
    JEMALLOC_ABSENT
};

/* To be added to the environment variable GLIBC_TUNABLES (glibc 2.32 and later). */
#define JEMALLOC_TUNABLE "glibc.rtld.optional_static_tls=8192"

/* Loads the library if that has not been done; err says why it is not ready. */
enum jemalloc_state jemalloc_load(char err[256]);

/* "5.3.0" */
const char *jemalloc_version(void);

/* The model of this library: quantum, pads. False: its size classes or slabs are not those of any model. */
bool jemalloc_model(struct allocator *a, char err[256]);

/* ---------------------------------------------------------------- an arena */

bool jemalloc_arena_new(unsigned *arena);

/* Frees all its blocks. */
void jemalloc_arena_free(unsigned arena);

/* Without thread cache, as the slab model has none. NULL: out of memory. */
void *jemalloc_give(unsigned arena, uint64_t request);
void jemalloc_take(void *block);

struct jemalloc_arena_stats {
    uint64_t allocated; /* small and large blocks, as used_memory counts them */
    uint64_t active;    /* bytes of pages in slabs and large blocks */
    uint64_t resident;  /* with metadata; dirty pages have been given back before */
};

struct jemalloc_bin_stats {
    uint64_t regions, slabs;
};

/* Gives dirty pages back first. */
void jemalloc_stats(unsigned arena, struct jemalloc_arena_stats *st);
void jemalloc_bin(unsigned arena, unsigned bin, struct jemalloc_bin_stats *st);

#endif
