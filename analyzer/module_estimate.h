/*
 * module_estimate.h - what a module's value costs in memory, from its serialised items.
 *
 * A module allocates as it likes; what it saved says what data there is. For the modules whose serialised layout and
 * structures are known, the items are turned into the blocks that loading them takes: an estimate, as versions of the
 * module differ and no dump says which will load it. For all others the serialised payload is counted, as a lower bound.
 * Neither is ever called exact.
 */
#ifndef RDBMEM_MODULE_ESTIMATE_H
#define RDBMEM_MODULE_ESTIMATE_H

#include "analyzer/rebuild.h"

/* Reads the items of the current key's value and charges it. Sets the key's elements, payload, largest and flags. */
void module_estimate(struct rebuild *r, const char *name, int encver);

/* Human name of the module ("RedisJSON") by the name of its type, NULL when unknown. */
const char *module_product(const char *type_name);

#endif
