/*
 * functions.h - function libraries and cached scripts: memory outside the keys (functions.c, function_lua.c, rdb.c).
 */
#ifndef RDBMEM_FUNCTIONS_H
#define RDBMEM_FUNCTIONS_H

#include "analyzer/profile.h"
#include "analyzer/table.h"
#include "analyzer/zmalloc.h"
#include "rdb/rdb.h"

struct functions {
    struct table libraries, names, scripts;
    uint64_t bytes;    /* charged so far */
    uint64_t count;    /* functions seen */
    uint64_t overhead; /* what INFO used_memory_functions adds for them */
};

void functions_init(struct functions *f, const struct profile *pf);

/* A FUNCTION2 record; source may be cut: full_len is the library's length. */
void functions_library(struct functions *f, const struct profile *pf, struct zheap *z, const struct rdb_bytes *source);

/* An AUX "lua" record (4.0 - 6.2). */
void functions_script(struct functions *f, const struct profile *pf, struct zheap *z, uint64_t len);

#endif
