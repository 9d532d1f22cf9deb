/*
 * out.h - where a report goes: a buffer of 256 KiB in front of a descriptor.
 *
 * A path is written as a temporary file beside it and renamed at the end, so that a reader sees the old report or the
 * whole new one. "-" is standard output; what exists and is no regular file (a device, a pipe) is written directly.
 * The first failed write is kept: what is written after it is dropped, and out_commit tells.
 */
#ifndef RDBMEM_OUT_H
#define RDBMEM_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { OUT_SIZE = 256 * 1024 };

struct out {
    int fd;
    int sys;       /* errno of the first failure, 0 = none */
    int temp_slot; /* of the temporary file in the list that a killed run removes, -1 = none */
    char *path;    /* as the user named it */
    char *target;  /* what the temporary file will be renamed to */
    char *temp;
    size_t n; /* bytes in buf */
    char buf[OUT_SIZE];
};

/* Opens a destination; NULL with errno set. */
struct out *out_open(const char *path);

/* Writes the rest, puts the file in its place, frees. False with *sys when anything failed since out_open. */
bool out_commit(struct out *o, int *sys);

/* Drops everything not yet written, removes the temporary file, frees. o may be NULL. */
void out_discard(struct out *o);

/* Removes the temporary files of all open destinations: for a signal handler. */
void out_unlink_all(void);

void out_flush(struct out *o);

/* At least n <= OUT_SIZE bytes of room; write there, then say with out_advance up to where. */
static inline char *out_room(struct out *o, size_t n)
{
    if (OUT_SIZE - o->n < n)
        out_flush(o);
    return o->buf + o->n;
}
static inline void out_advance(struct out *o, const char *end)
{
    o->n = (size_t)(end - o->buf);
}

void out_bytes(struct out *o, const void *data, size_t len);
void out_str(struct out *o, const char *s);
static inline void out_char(struct out *o, char c)
{
    char *p = out_room(o, 1);
    *p++ = c;
    out_advance(o, p);
}
void out_spaces(struct out *o, size_t n);

/* "00" to "99". */
extern const char digit_pairs[200];
static inline char *put_pair(char *p, unsigned v)
{
    memcpy(p, digit_pairs + (size_t)v * 2, 2);
    return p + 2;
}

/* Numbers in decimal at p; return the end. At most 20 bytes. */
char *put_u64(char *p, uint64_t v);
char *put_i64(char *p, int64_t v);

#endif
