/*
 * regex.h - regular expressions over keys' names: PCRE2 compiled to machine code, with a limit on the work.
 *
 * Patterns are the user's and trusted; names are not. A name on which a pattern needs more than REGEX_STEPS steps counts
 * as not matching, and regex_gave_up() tells how many there were. Patterns match bytes, anywhere in the name; (*UTF) at
 * the beginning makes it characters (a name that is not UTF-8 then does not match).
 */
#ifndef RDBMEM_REGEX_H
#define RDBMEM_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REGEX_STEPS = 100000, REGEX_ERROR = 256 };

struct regex;

/* NULL with a message that tells what is wrong and where. */
struct regex *regex_new(const char *pattern, char err[REGEX_ERROR]);
void regex_free(struct regex *r);

bool regex_matches(struct regex *r, const uint8_t *text, size_t len);

/* Names that were given up. */
uint64_t regex_gave_up(const struct regex *r);

#endif
