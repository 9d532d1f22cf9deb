/*
 * strings.h - many plain strings at once, for a reader to whom rdb_next() and rdb_elements() for each are too much.
 *
 * Plain is a string under a name of less than 64 bytes with nothing but perhaps an expiry in front of it, whose record
 * stands in the window as a whole: most records of most dumps. They are looked at first and taken then, so that one which
 * the caller does not know what to do with is left to rdb_next():
 *
 *     n = rdb_strings(p, s, 64);
 *     for (i = 0; i < n && understood(&s[i]); i++) ...
 *     rdb_strings_take(p, s, i);
 *
 * Not part of the installed library.
 */
#ifndef RDBMEM_RDB_STRINGS_H
#define RDBMEM_RDB_STRINGS_H

#include "rdb/rdb.h"

/* Pointers are lent from the window until anything is taken or asked for. */
struct rdb_string {
    const uint8_t *name; /* RDB_NAME_PAD bytes can be read */
    const uint8_t *data; /* of the value; NULL when its form is INT */
    const uint8_t *end;  /* of the record */
    int64_t expire_ms;   /* -1 = none */
    int64_t num;         /* form INT */
    uint32_t name_len;
    uint32_t len;    /* of the value, as struct rdb_element has it */
    uint32_t clen;   /* form LZF */
    uint32_t record; /* bytes of the record */
    uint8_t form;    /* enum rdb_form */
};

/* The plain strings that come next, at most cap; 0 also when the record before has not been read to its end. */
size_t rdb_strings(const rdb_parser *p, struct rdb_string *out, size_t cap);

/* The first n of them are done with. */
void rdb_strings_take(rdb_parser *p, const struct rdb_string *s, size_t n);

#endif
