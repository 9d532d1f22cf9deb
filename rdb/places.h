/*
 * places.h - several parsers on one file, each at a place of its own: how a dump is read by more than one thread.
 *
 * A dump has no index, but it can be entered anywhere: rdb_sync() looks for an offset from which record follows record. What
 * it finds is a guess that is nearly always right, since a wrong beginning soon runs into something that is no record, or falls
 * into step with the right ones. Whoever comes from the front and knows where records end finds out: a guess is confirmed when a
 * record ends there.
 *
 *     q = rdb_fork(p)                        NULL: p reads no plain file
 *     rdb_sync(q, from, upto)                stands at rdb_tell(q)
 *     while (rdb_tell(q) < somewhere)        rdb_next(q, &ev), its elements, rdb_rest(q)
 *     crc = rdb_checksum(q)                  of what was taken since; rdb_checksum_join() of neighbours is that of both
 *     rdb_close(q)
 *     rdb_restart(p, &place)                 p goes on from there
 *
 * Not part of the library's interface.
 */
#ifndef RDBMEM_RDB_PLACES_H
#define RDBMEM_RDB_PLACES_H

#include <stdatomic.h>

#include "rdb/rdb.h"

struct rdb_place {
    uint64_t offset; /* in the RDB stream, between two records */
    uint64_t crc;    /* of the bytes before it that count */
    uint32_t db;
    uint32_t key_db;    /* of the key before it, for messages: */
    const uint8_t *key; /* its name; NULL: none is known */
    size_t key_len;
};

/* A parser of the same file and version, with a descriptor of its own place (pread); it stands nowhere until rdb_restart() or
 * rdb_sync(). p must outlive it. NULL: p does not read a plain file, its records mean nothing without those before (hash
 * templates, Dragonfly), or memory is out. */
rdb_parser *rdb_fork(const rdb_parser *p);

/* Also of a parser that was not forked, if rdb_fork() of it was not NULL. Clears any failure. */
void rdb_restart(rdb_parser *p, const struct rdb_place *place);

/* Passes over all bytes before that offset, which is between two records too; the checksum covers them. False: the input ends
 * before. */
bool rdb_advance(rdb_parser *p, uint64_t offset);

/* The records from here on are of that database, until one says otherwise. */
void rdb_select(rdb_parser *p, uint32_t db);

/* Stands where a record seems to begin, at `from` or behind, before `upto`; its database is not known (RDB_DB_UNKNOWN). False:
 * nothing looks like records there, as within a long value. */
enum { RDB_DB_UNKNOWN = UINT32_MAX };
bool rdb_sync(rdb_parser *p, uint64_t from, uint64_t upto);

/* When *stop becomes true the input ends for p, in the middle of a long value if need be. NULL: no more. */
void rdb_watch(rdb_parser *p, const atomic_bool *stop);

/* Passes over what is left of the current record, as rdb_next() would. False: the input ended or broke. */
bool rdb_rest(rdb_parser *p);

/* Whether all of the record before was taken, and nothing of another (an expiry belongs to the key behind it). */
bool rdb_between(const rdb_parser *p);

/* Of the bytes taken since the last rdb_restart(), rdb_sync() or rdb_checksum_reset(), on top of what was given then. */
uint64_t rdb_checksum(rdb_parser *p);
void rdb_checksum_reset(rdb_parser *p);

/* The checksum of two strings of bytes, one behind the other, from those of each; len: of the second. */
uint64_t rdb_checksum_join(uint64_t first, uint64_t second, uint64_t len);

#endif
