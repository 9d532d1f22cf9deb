/*
 * reader.h - the sliding window over the unwrapped stream, and its running checksum.
 *
 *          buf                summed        p                  end       buf + cap
 *           |  consumed, summed |  consumed  |  unread bytes     |  free      |  slack |
 *
 * The hot path is `end - p >= n`: three instructions. When that fails, reader_fill() (cold) sums what was consumed,
 * moves the unread bytes to the front and reads more. Since a record begins with a look at RDB_LOOK bytes, the
 * primitives inside it (lengths, string heads, fixed fields) check nothing: at the end of the input they read zeros
 * from the slack, and the overshoot of p is noticed by whoever looks next.
 */
#ifndef RDBMEM_RDB_READER_H
#define RDBMEM_RDB_READER_H

#include "rdb/input.h"

#define RDB_LIKELY(x)   __builtin_expect(!!(x), 1)
#define RDB_UNLIKELY(x) __builtin_expect(!!(x), 0)

enum {
    /* The longest run of unchecked primitives: array index, tag and string head, 9 + 9 + 19. Small enough that the
     * opcode, the checksum and the 40 bytes mark of a diskless sync (49) cover it: a live socket does not block. */
    RDB_LOOK = 48,
    RDB_SLACK = 64,
    RDB_NOTE_MAX = 128, /* sizeof rdb_error.key */
    RDB_WINDOW_DEFAULT = 256 * 1024,
    RDB_WINDOW_MIN = 512,
    RDB_CURSOR_NEED_MAX = 64 * 1024
};

struct rdb_reader {
    const uint8_t *p, *end; /* unread bytes; p may stand up to RDB_LOOK behind end, see above */
    uint8_t *buf;
    size_t cap;            /* bytes of buf, without the slack */
    size_t window;         /* the usual cap; more only while something longer is looked at whole */
    const uint8_t *summed; /* the checksum covers what is before */
    uint64_t base;         /* offset of buf[0] in the stream */
    uint64_t crc;
    bool no_crc, eof;
    struct rdb_input *in;
    const uint8_t *note; /* bytes to be copied before they move (the last key's name), or NULL */
    size_t note_len;
    uint8_t note_copy[RDB_NOTE_MAX];
};

/* cap bytes of window over an input that stands on the magic. False: memory is out. */
bool reader_open(struct rdb_reader *r, struct rdb_input *in, size_t cap, bool no_crc);
void reader_close(struct rdb_reader *r);

/* Makes end - p >= n, growing the window while n (bounded by the caller, never by the file) is larger. Moves the bytes.
 * False when the input ends before; what there is stays readable. */
RDB_COLD bool reader_fill(struct rdb_reader *r, size_t n);

/* Passes over n bytes that need not be in the window. False when the input ends before. */
RDB_COLD bool reader_skip_far(struct rdb_reader *r, uint64_t n);

/* Brings crc up to p. */
void reader_sum(struct rdb_reader *r);

/* Copies the noted bytes now. */
void reader_note_keep(struct rdb_reader *r);

static inline ptrdiff_t reader_avail(const struct rdb_reader *r)
{
    return r->end - r->p;
}

static inline uint64_t reader_offset(const struct rdb_reader *r, const uint8_t *at)
{
    return r->base + (uint64_t)(at - r->buf);
}

static inline uint64_t reader_tell(const struct rdb_reader *r)
{
    return reader_offset(r, r->p);
}

static inline bool reader_skip(struct rdb_reader *r, uint64_t n)
{
    ptrdiff_t avail = reader_avail(r);
    if (RDB_LIKELY(avail >= 0 && n <= (uint64_t)avail)) {
        r->p += n;
        return true;
    }
    return reader_skip_far(r, n);
}

#endif
