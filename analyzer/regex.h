/*
 * regex.h - regular expressions over keys' names: PCRE2 compiled to machine code, with a limit on the work.
 *
 * Patterns are the user's and trusted; names are not. A name on which a pattern needs more than REGEX_STEPS steps counts
 * as not matching, and is counted as given up. Patterns match bytes, anywhere in the name; (*UTF) at the beginning makes it
 * characters (a name that is not UTF-8 then does not match).
 *
 * A pattern is only read while matching: threads share it, each with a matcher of its own.
 */
#ifndef RDBMEM_REGEX_H
#define RDBMEM_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REGEX_STEPS = 100000, REGEX_ERROR = 256 };

struct regex;
struct regex_matcher;

/* NULL with a message that tells what is wrong and where. */
struct regex *regex_new(const char *pattern, char err[REGEX_ERROR]);
void regex_free(struct regex *r);

/* For any patterns, one after the other. NULL: out of memory. */
struct regex_matcher *regex_matcher_new(void);
void regex_matcher_free(struct regex_matcher *m);

/* One more in *gave_up where the name had to be given up. */
bool regex_matches(const struct regex *r, struct regex_matcher *m, const uint8_t *text, size_t len, uint64_t *gave_up);

#endif
