/*
 * complain.h - what is said on standard error, and the exit status that goes with it.
 */
#ifndef RDBMEM_COMPLAIN_H
#define RDBMEM_COMPLAIN_H

enum { EXIT_DONE = 0, EXIT_INPUT = 1, EXIT_USAGE = 2, EXIT_AUDIT = 3 };

/* "rdbmem: MESSAGE" on standard error, in one line whatever is in it. */
__attribute__((format(printf, 1, 2))) void complain_line(const char *format, ...);

/* The same and the advice to try --help; returns EXIT_USAGE. */
int usage_error(const char *message);

#endif
