/*
 * error.h - the one struct that says what went wrong, and the only way to fill it.
 *
 * A failure is noted once: the first one wins, later ones are its consequences. Texts are lower case, without a full
 * stop, and say what was expected before what was found.
 */
#ifndef RDBMEM_RDB_ERROR_H
#define RDBMEM_RDB_ERROR_H

#include "rdb/rdb.h"

#define RDB_COLD         __attribute__((cold, noinline))
#define RDB_NOINLINE     __attribute__((noinline)) /* keeps a long path out of a short function */
#define RDB_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* What functions that note a failure give back, seen by the compiler at each call: `return rdb_fail(...)`. */
static inline bool rdb_false(void)
{
    return false;
}

/* Notes the failure unless there is one already. */
RDB_COLD RDB_PRINTF(4, 5) void rdb_error_note(struct rdb_error *e, enum rdb_err kind, uint64_t offset, const char *fmt,
                                              ...);
#define rdb_error_set(...) (rdb_error_note(__VA_ARGS__), rdb_false())

/* The bytes as text for a message: printable ones as they are, others as \xNN. cap is the size of out. */
void rdb_error_bytes(char *out, size_t cap, const void *bytes, size_t n);

#endif
