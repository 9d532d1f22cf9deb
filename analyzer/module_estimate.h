/*
 * module_estimate.h - what a module's value may cost in memory, from its serialised items.
 *
 * A module allocates as it likes; what it saved says how much data there is. For the modules whose serialised layout is
 * known the data structures are estimated from it (known = true), for all others the sum of the serialised payload is a
 * lower bound. Neither is ever called exact.
 */
#ifndef RDBMEM_MODULE_ESTIMATE_H
#define RDBMEM_MODULE_ESTIMATE_H

#include "analyzer/allocator.h"
#include "rdb/rdb.h"

struct module_estimate {
    const struct module_row *row; /* NULL: unknown module */
    bool known;
    int encver;
    uint64_t items, strings;
    uint64_t string_bytes; /* sum of the strings' lengths */
    uint64_t numbers;
    uint64_t elements; /* what the module's own count command would say, 0 if not known */
    uint64_t estimate;
    uint64_t field[16]; /* first numbers of the value, for the rows that need them */
    unsigned nfields;
};

void module_estimate_begin(struct module_estimate *m, const char *name, int encver);
void module_estimate_item(struct module_estimate *m, const struct rdb_element *e);
uint64_t module_estimate_end(struct module_estimate *m, const struct allocator *a);

/* Human name of the module ("RedisJSON"), NULL when unknown. */
const char *module_product(const char *type_name);

#endif
