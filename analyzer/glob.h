/*
 * glob.h - patterns as KEYS, SCAN MATCH and ACL have them: * ? [a-z] [^a] and \ for the next byte as it is.
 */
#ifndef RDBMEM_GLOB_H
#define RDBMEM_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* util.c stringmatchlen, case-sensitive. Bytes, no characters. Work is bounded by the product of both lengths. */
bool glob_matches(const char *pattern, size_t pattern_len, const uint8_t *text, size_t len);

#endif
