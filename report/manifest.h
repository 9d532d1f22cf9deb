/*
 * manifest.h - the manifest of an append-only file (Redis 7.0+, Valkey): which files make it up.
 *
 *     file appendonly.aof.1.base.rdb seq 1 type b         the base, at most one: a dump, or commands
 *     file appendonly.aof.1.incr.aof seq 1 type i         increments: commands, in ascending order
 *     file appendonly.aof.0.incr.aof seq 0 type h         history: about to be deleted
 *
 * Key and value in turn, the keys in any order; others than these three are passed over (8.0 adds startoffset). A name
 * may be quoted. Lines beginning with # are comments (aof.c aofLoadManifestFromFile).
 */
#ifndef RDBMEM_MANIFEST_H
#define RDBMEM_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum manifest_type { MANIFEST_BASE = 'b', MANIFEST_HISTORY = 'h', MANIFEST_INCREMENT = 'i' };

struct manifest_file {
    char *name; /* without a directory */
    uint64_t seq;
    enum manifest_type type;
};

struct manifest {
    struct manifest_file *files;
    size_t n;
};

enum { MANIFEST_ERROR = 256 };

/* False: it cannot be read, or is none; err says what, with the line, and nothing is to be freed. */
bool manifest_read(struct manifest *m, const char *path, char err[MANIFEST_ERROR]);
void manifest_free(struct manifest *m);

/* Whether a file is one: its name ends in .manifest and its first words are those of an entry or a comment. */
bool manifest_is(const char *path);

#endif
