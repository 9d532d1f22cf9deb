/*
 * strings.h - many plain strings at once, for a reader to whom rdb_next() and rdb_elements() for each are too much.
 *
 * Plain is a string under a name of less than 64 bytes with nothing but perhaps an expiry in front of it, whose record
 * stands in the window as a whole: most records of most dumps. They are looked at first and taken then, so that one which
 * the caller does not know what to do with is left to rdb_next():
 *
 *     if (rdb_strings_begin(p, &look))
 *         while (rdb_strings_next(&look, &s) && understood(&s)) last = s;
 *     rdb_strings_take(p, &last);
 *
 * Not part of the installed library.
 */
#ifndef RDBMEM_RDB_STRINGS_H
#define RDBMEM_RDB_STRINGS_H

#include <string.h>

#include "rdb/rdb.h"

/* Pointers are lent from the window until anything is taken or asked for. */
struct rdb_string {
    const uint8_t *name;  /* 64 bytes behind it can be read */
    const uint8_t *value; /* see rdb_string_value() */
    const uint8_t *end;   /* of the record */
    int64_t expire_ms;    /* negative: none */
    uint32_t name_len;
    uint32_t len; /* of the value, less than 16384; of an integer what its bytes are, at most RDB_INTEGER_BYTES */
};

enum { RDB_INTEGER_BYTES = 4, RDB_STRINGS_ROOM = 256 /* bytes of the window that a record takes, or may be read */ };

/* Where the look has come to. */
struct rdb_strings {
    const uint8_t *at, *end;
};

/* False: the record before has not been read to its end, or no plain strings can be told here. */
bool rdb_strings_begin(const rdb_parser *p, struct rdb_strings *look);

/* A value that neither begins with a short length nor is an integer: sets len and end. */
bool rdb_strings_long(const struct rdb_strings *look, struct rdb_string *s);

/* Bytes behind a value's first one; RDB_STRINGS_LONG: another form. */
enum { RDB_STRINGS_LONG = 0xff };
extern const uint8_t rdb_strings_size[256];

/* All bits or none, which the compiler is not to make a branch of. */
static inline uint32_t rdb_all_if(bool condition)
{
    uint32_t mask = -(uint32_t)condition;
    __asm__("" : "+r"(mask));
    return mask;
}

/* The next record, if it is a plain string. No branch asks whether it expires or is an integer: of many dumps a part does
 * or is. */
static inline bool rdb_strings_next(struct rdb_strings *look, struct rdb_string *s)
{
    enum { EXPIRY = 9, EXPIRE_MS = 0xfc, SHORT_NAME = 0x40 };
    const uint8_t *at = look->at;
    if (__builtin_expect(look->end - at < RDB_STRINGS_ROOM, 0))
        return false;
    uint32_t expires = rdb_all_if(at[0] == EXPIRE_MS);
    memcpy(&s->expire_ms, at + 1, sizeof s->expire_ms);
    s->expire_ms |= ~(int64_t)(int32_t)expires;
    at += expires & EXPIRY;
    s->name_len = at[1];
    if (__builtin_expect(at[0] != 0 || s->name_len >= SHORT_NAME, 0))
        return false;
    s->name = at + 2;
    s->value = s->name + s->name_len;
    s->len = rdb_strings_size[*s->value];
    s->end = s->value + 1 + s->len;
    if (__builtin_expect(s->len == RDB_STRINGS_LONG, 0) && !rdb_strings_long(look, s))
        return false;
    look->at = s->end;
    return true;
}

/* The value as an element. */
void rdb_string_value(const struct rdb_string *s, struct rdb_element *e);

/* It and those before it are done with. */
void rdb_strings_take(rdb_parser *p, const struct rdb_string *last);

#endif
