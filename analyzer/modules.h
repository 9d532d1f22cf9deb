/*
 * modules.h - which modules have something in the dump, and what their figures rest on.
 */
#ifndef RDBMEM_MODULES_H
#define RDBMEM_MODULES_H

#include "analyzer/analysis.h"

enum { MODULES_MAX = 64 /* that are told apart; ids are 64 bits of the file */ };

struct modules {
    struct module_report *list; /* NULL until one comes */
    size_t n;
    bool failed; /* out of memory */
};

void modules_key(struct modules *m, const struct key_report *k);

/* A record of auxiliary data, of so many bytes in the file. */
void modules_aux(struct modules *m, uint64_t id, uint64_t bytes);

/* Moves the list, in order, to the analysis. */
bool modules_finish(struct modules *m, struct analysis *a);

/* Adds those of another dump. */
bool modules_merge(struct analysis *to, const struct analysis *from);

void modules_scale(struct analysis *a, uint64_t n);

#endif
