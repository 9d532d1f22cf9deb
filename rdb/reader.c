/*
 * reader.c - refill, far skip, checksum.
 *
 * The checksum is computed for all consumed bytes at once when the window moves: about one call (crc64.c) for every
 * 256 KiB, while they still are in the second level cache.
 */
#include "rdb/reader.h"

#include <stdlib.h>
#include <string.h>

enum { GROWN_KEPT = 4 * 1024 * 1024 };

bool reader_open(struct rdb_reader *r, struct rdb_input *in, size_t cap, bool no_crc)
{
    *r = (struct rdb_reader){.in = in, .no_crc = no_crc};
    r->window = r->cap = cap < RDB_WINDOW_MIN ? RDB_WINDOW_MIN : cap;
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

/* Another buffer of cap bytes, with the unread ones, which stand at the front. */
static bool resize(struct rdb_reader *r, size_t cap)
{
    size_t unread = (size_t)(r->end - r->p);
    uint8_t *buf = realloc(r->buf, cap + RDB_SLACK);
    if (!buf)
        return rdb_error_set(&r->in->error, RDB_ERR_NOMEM, r->base, "out of memory");
    r->buf = buf;
    r->cap = cap;
    r->p = r->summed = buf;
    r->end = buf + unread;
    return true;
}

/* Unread bytes to the front. A buffer that grew stays for the next long element unless it is very large. */
static bool make_room(struct rdb_reader *r, size_t n)
{
    reader_sum(r);
    reader_note_keep(r);
    size_t unread = (size_t)(r->end - r->p);
    r->base += (uint64_t)(r->p - r->buf);
    memmove(r->buf, r->p, unread);
    r->p = r->summed = r->buf;
    r->end = r->buf + unread;
    size_t keep = r->window > GROWN_KEPT ? r->window : GROWN_KEPT;
    return r->cap <= keep || n > keep || unread > keep || resize(r, r->window > unread ? r->window : unread);
}

/* One read, as far as the window reaches or n is wanted. A buffer that is too small for n grows as the bytes come, never
 * ahead of them. */
static bool read_more(struct rdb_reader *r, size_t n)
{
    size_t unread = (size_t)(r->end - r->p), twice = 2 * r->cap;
    if (unread == r->cap && !resize(r, twice < n ? twice : n))
        return false;
    size_t aim = n > r->window ? n : r->window;
    uint8_t *to = r->buf + unread;
    ptrdiff_t got = rdb_input_read(r->in, to, (aim < r->cap ? aim : r->cap) - unread);
    if (got <= 0) {
        r->eof = true; /* a failure of the input counts when somebody misses the bytes, not before */
        got = 0;
    }
    r->end = to + got;
    memset(r->buf + unread + got, 0, RDB_SLACK);
    return got > 0;
}

bool reader_fill(struct rdb_reader *r, size_t n)
{
    if (r->p > r->end)
        return false;
    if ((size_t)(r->end - r->p) >= n)
        return true;
    if (r->eof || !make_room(r, n))
        return false;
    while ((size_t)(r->end - r->p) < n)
        if (!read_more(r, n))
            return false;
    return true;
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
