/*
 * config_internal.h - what config_file.c uses of config.c.
 */
#ifndef RDBMEM_CONFIG_INTERNAL_H
#define RDBMEM_CONFIG_INTERNAL_H

#include "analyzer/config.h"

/* The setting of that name, today's or an old one, in any case of letters. */
bool config_find(const char *name, size_t len, enum setting *s);

/* Reads and stores one value; false with a message without place. */
bool config_put(struct config *c, enum setting s, const char *value, char err[256]);

/* Splits a line as redis does: blanks part words, "..." with escapes, '...' with \' only. The words are written into
 * words[0..max-1], pointing into line, which is overwritten; further words are counted, not stored.
 * Returns their number, -1 when a quote is not closed or text follows it at once. */
int config_split(char *line, char **words, int max);

#endif
