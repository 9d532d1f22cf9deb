/*
 * walk - the floor: the least work that reads an RDB file to its end.
 *
 *     walk FILE     prints: seconds keys bytes
 *
 * It decodes lengths to find the next record, sums the CRC64, counts keys, and nothing else: no names, no elements, no
 * model. What rdbmem needs beyond this time is what its answers cost. Only what rdbgen writes is understood.
 */
#include <errno.h>
#include <fcntl.h>
#include <isa-l/crc64.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Read, not mapped: copying into a buffer that stays in the cache is several times faster than the page faults. */
enum { BUFFER = 256 * 1024, MAGIC = 9, FOOTER = 8, ID_AND_TIME = 16 + 8 };

enum { OP_EXPIRE_MS = 252, OP_RESIZEDB = 251, OP_AUX = 250, OP_SELECTDB = 254, OP_EOF = 255 };

struct view {
    const uint8_t *p, *end;     /* what of the buffer is still to be read */
    uint64_t offset, file_size; /* of `end`; of the file */
    uint64_t crc, keys;
    int fd;
    bool bad;
    uint8_t buf[BUFFER];
};

/* ---------------------------------------------------------------- bytes */

/* The sum covers all but the footer. */
static void sum(struct view *v, size_t n)
{
    uint64_t covered = v->file_size - FOOTER;
    if (v->offset >= covered)
        return;
    uint64_t left = covered - v->offset;
    v->crc = ~crc64_jones_refl(~v->crc, v->buf, left < n ? left : n);
}

static bool refill(struct view *v)
{
    ssize_t n = read(v->fd, v->buf, BUFFER);
    if (n <= 0) {
        v->bad = true;
        return false;
    }
    sum(v, (size_t)n);
    v->offset += (size_t)n;
    v->p = v->buf;
    v->end = v->buf + n;
    return true;
}

static void skip(struct view *v, uint64_t n)
{
    while ((uint64_t)(v->end - v->p) < n) {
        n -= (uint64_t)(v->end - v->p);
        v->p = v->end;
        if (!refill(v))
            return;
    }
    v->p += n;
}

static inline uint8_t take_byte(struct view *v)
{
    if (v->p == v->end && !refill(v))
        return OP_EOF;
    return *v->p++;
}

/* ---------------------------------------------------------------- items */

static uint64_t take_big_endian(struct view *v, size_t n)
{
    uint64_t x = 0;
    while (n-- > 0)
        x = x << 8 | take_byte(v);
    return x;
}

static uint64_t long_len(struct view *v, uint8_t first)
{
    if (first >> 6 == 1)
        return (uint64_t)(first & 0x3f) << 8 | take_byte(v);
    if (first == 0x80 || first == 0x81)
        return take_big_endian(v, first == 0x80 ? 4 : 8);
    v->bad = true;
    return 0;
}

static inline uint64_t take_len(struct view *v)
{
    uint8_t first = take_byte(v);
    return first < 64 ? first : long_len(v, first);
}

static void skip_special(struct view *v, uint8_t first)
{
    uint64_t n = UINT64_C(1) << (first & 3);
    if (first == 0xc3) {
        n = take_len(v);
        take_len(v);
    } else if (first > 0xc3) {
        v->bad = true;
    }
    skip(v, n);
}

static inline void skip_str(struct view *v)
{
    uint8_t first = take_byte(v);
    if (first >= 0xc0)
        skip_special(v, first);
    else
        skip(v, first < 64 ? first : long_len(v, first));
}

static void skip_strs(struct view *v, uint64_t n)
{
    for (uint64_t i = 0; i < n && !v->bad; i++)
        skip_str(v);
}

static void skip_lens(struct view *v, int n)
{
    for (int i = 0; i < n; i++)
        take_len(v);
}

/* ---------------------------------------------------------------- values */

static void skip_set(struct view *v)
{
    skip_strs(v, take_len(v));
}
static void skip_hash(struct view *v)
{
    skip_strs(v, 2 * take_len(v));
}

static void skip_zset(struct view *v)
{
    uint64_t n = take_len(v);
    for (uint64_t i = 0; i < n && !v->bad; i++) {
        skip_str(v);
        skip(v, 8);
    }
}

static void skip_quicklist(struct view *v)
{
    uint64_t n = take_len(v);
    for (uint64_t i = 0; i < n && !v->bad; i++) {
        take_len(v);
        skip_str(v);
    }
}

static void skip_group(struct view *v, uint64_t times)
{
    skip_str(v);
    skip_lens(v, 3);
    uint64_t pending = take_len(v);
    for (uint64_t i = 0; i < pending && !v->bad; i++) {
        skip(v, ID_AND_TIME);
        take_len(v);
    }
    uint64_t consumers = take_len(v);
    for (uint64_t i = 0; i < consumers && !v->bad; i++) {
        skip_str(v);
        skip(v, 8 * times);
        skip(v, 16 * take_len(v));
    }
}

static void skip_stream(struct view *v, uint64_t times)
{
    skip_strs(v, 2 * take_len(v));
    skip_lens(v, 8);
    uint64_t groups = take_len(v);
    for (uint64_t i = 0; i < groups && !v->bad; i++)
        skip_group(v, times);
}

static void skip_value(struct view *v, uint8_t type)
{
    switch (type) {
    case 0:  /* string */
    case 11: /* intset */
    case 16: /* hash, zset and set as one listpack */
    case 17:
    case 20: skip_str(v); break;
    case 2: skip_set(v); break;
    case 4: skip_hash(v); break;
    case 5: skip_zset(v); break;
    case 18: skip_quicklist(v); break;
    case 19: skip_stream(v, 1); break;
    case 21: skip_stream(v, 2); break;
    default: v->bad = true;
    }
}

/* False at the end of the file. */
static bool skip_record(struct view *v)
{
    uint8_t type = take_byte(v);
    switch (type) {
    case OP_EOF: return false;
    case OP_AUX: skip_strs(v, 2); return true;
    case OP_SELECTDB: skip_lens(v, 1); return true;
    case OP_RESIZEDB: skip_lens(v, 2); return true;
    case OP_EXPIRE_MS: skip(v, 8); return true;
    default: break;
    }
    skip_str(v);
    skip_value(v, type);
    v->keys++;
    return !v->bad;
}

/* Reads to the end; false when the file is not what it should be. */
static bool walk(struct view *v)
{
    skip(v, MAGIC);
    while (skip_record(v))
        ;
    uint8_t footer[FOOTER];
    uint64_t stored;
    for (int i = 0; i < FOOTER; i++)
        footer[i] = take_byte(v);
    memcpy(&stored, footer, sizeof stored);
    return !v->bad && stored == v->crc && v->p == v->end && v->offset == v->file_size;
}

/* ---------------------------------------------------------------- main */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool open_file(struct view *v, const char *path)
{
    struct stat st;
    v->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (v->fd < 0 || fstat(v->fd, &st) != 0)
        return false;
    v->file_size = (uint64_t)st.st_size;
    v->p = v->end = v->buf;
    return v->file_size > MAGIC + FOOTER;
}

int main(int argc, char **argv)
{
    static struct view v;
    if (argc != 2) {
        fputs("usage: walk FILE\n", stderr);
        return 2;
    }
    double began = now();
    if (!open_file(&v, argv[1])) {
        fprintf(stderr, "walk: cannot read \"%s\": %s\n", argv[1], errno ? strerror(errno) : "too short");
        return EXIT_FAILURE;
    }
    if (!walk(&v)) {
        fprintf(stderr, "walk: \"%s\" is damaged or not rdbgen's, near byte %llu\n", argv[1],
                (unsigned long long)(v.offset - (uint64_t)(v.end - v.p)));
        return EXIT_FAILURE;
    }
    close(v.fd);
    printf("%.4f %llu %llu\n", now() - began, (unsigned long long)v.keys, (unsigned long long)v.file_size);
    return EXIT_SUCCESS;
}
