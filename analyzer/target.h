/*
 * target.h - which server the dump is costed for, and what its head said.
 */
#ifndef RDBMEM_TARGET_H
#define RDBMEM_TARGET_H

#include "analyzer/analysis.h"
#include "analyzer/profile.h"

/* Takes one AUX field into the file report. */
void file_aux(struct file_report *f, const struct rdb_bytes *name, const struct rdb_bytes *value);

/* Chooses the profile from options or the file's own version; fills a->target*. Notes say when it is not exact. */
bool target_choose(struct analysis *a, const struct analyze_options *o, struct profile *pf, char err[256]);

/* Chooses the allocator model. */
bool target_allocator(struct analysis *a, const struct analyze_options *o, const struct profile *pf,
                      struct allocator *alloc, char err[256]);

/* Adds a sentence to a->notes. */
void analysis_note(struct analysis *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
