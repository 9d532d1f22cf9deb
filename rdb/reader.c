/*
 * reader.c - refill, far skip, checksum.
 *
 * The checksum is computed for all consumed bytes at once when the window moves: about one call of ISA-L's folding
 * code for every 256 KiB, while they still are in the second level cache.
 */
#include "rdb/reader.h"

#include <isa-l/crc64.h>
#include <stdlib.h>
#include <string.h>

uint64_t rdb_crc64(uint64_t crc, const void *data, size_t len)
{
    return ~crc64_jones_refl(~crc, data, len); /* ISA-L complements at both ends, the servers at none: crc64.c */
}

bool reader_open(struct rdb_reader *r, struct rdb_input *in, size_t cap, bool no_crc)
{
    *r = (struct rdb_reader){.in = in, .no_crc = no_crc};
    r->cap = cap < RDB_WINDOW_MIN ? RDB_WINDOW_MIN : cap;
    r->buf = malloc(r->cap + RDB_SLACK);
    if (!r->buf)
        return false;
    memset(r->buf, 0, RDB_SLACK);
    r->p = r->end = r->summed = r->buf;
    return true;
}

void reader_close(struct rdb_reader *r)
{
    free(r->buf);
    r->buf = NULL;
}

void reader_sum(struct rdb_reader *r)
{
    if (!r->no_crc && r->p > r->summed)
        r->crc = rdb_crc64(r->crc, r->summed, (size_t)(r->p - r->summed));
    r->summed = r->p;
}

void reader_note_keep(struct rdb_reader *r)
{
    if (!r->note)
        return;
    if (r->note_len > RDB_NOTE_MAX)
        r->note_len = RDB_NOTE_MAX;
    memcpy(r->note_copy, r->note, r->note_len);
    r->note = NULL;
}

/* Unread bytes to the front; a larger buffer when n does not fit. */
static bool make_room(struct rdb_reader *r, size_t n)
{
    reader_sum(r);
    reader_note_keep(r);
    size_t unread = (size_t)(r->end - r->p);
    r->base += (uint64_t)(r->p - r->buf);
    memmove(r->buf, r->p, unread);
    r->p = r->summed = r->buf;
    r->end = r->buf + unread;
    if (n <= r->cap)
        return true;
    uint8_t *grown = realloc(r->buf, n + RDB_SLACK);
    if (!grown)
        return rdb_error_set(&r->in->error, RDB_ERR_NOMEM, r->base, "out of memory");
    r->buf = grown;
    r->cap = n;
    r->p = r->summed = r->buf;
    r->end = r->buf + unread;
    return true;
}

bool reader_fill(struct rdb_reader *r, size_t n)
{
    if (r->p > r->end)
        return false;
    if ((size_t)(r->end - r->p) >= n)
        return true;
    if (r->eof || !make_room(r, n))
        return false;
    uint8_t *to = r->buf + (r->end - r->p);
    do {
        ptrdiff_t got = rdb_input_read(r->in, to, (size_t)(r->buf + r->cap - to));
        if (got <= 0) {
            r->eof = true; /* a failure of the input counts when somebody misses the bytes, not before */
            break;
        }
        to += got;
        r->end = to;
    } while ((size_t)(r->end - r->p) < n);
    memset(to, 0, RDB_SLACK);
    return (size_t)(r->end - r->p) >= n;
}

bool reader_skip_far(struct rdb_reader *r, uint64_t n)
{
    for (;;) {
        if (r->p > r->end)
            return false;
        uint64_t avail = (uint64_t)(r->end - r->p);
        if (n <= avail) {
            r->p += n;
            return true;
        }
        n -= avail;
        r->p = r->end;
        if (!reader_fill(r, 1))
            return false;
    }
}
