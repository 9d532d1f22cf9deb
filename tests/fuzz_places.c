/*
 * fuzz_places.c - a dump entered at other places than its beginning. The first byte chooses from where a place is looked for; the
 * rest is the file.
 *
 * Holds: a parser that begins where a record ends reads the next one as the parser that came from the front did, and the checksums
 * of both parts join to that of the whole; a place that was looked for lies where it was to be, and reading on from it ends.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rdb/places.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS = 64 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static int file_of(const uint8_t *data, size_t size)
{
    int fd = memfd_create("places", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static bool next_whole(rdb_parser *p, struct rdb_event *ev)
{
    return rdb_next(p, ev) > 0 && rdb_rest(p);
}

/* p has just read the record that begins at `at`. q does the same, and goes on to the one behind it. */
static void read_again(const rdb_parser *p, rdb_parser *q, uint64_t at, const struct rdb_event *read)
{
    struct rdb_event ev;
    rdb_restart(q, &(struct rdb_place){.offset = at});
    must(next_whole(q, &ev) && ev.kind == read->kind && rdb_tell(q) == rdb_tell(p));
    must(ev.kind != RDB_EV_KEY || ev.key.info == read->key.info);
}

static void from_the_front(rdb_parser *p)
{
    rdb_parser *q = rdb_fork(p);
    struct rdb_event ev;
    uint64_t at, sum;
    for (unsigned i = 0; q && i < RECORDS && rdb_between(p); i++) {
        at = rdb_tell(p);
        sum = rdb_checksum(p);
        bool whole = next_whole(p, &ev);
        if (!whole || ev.kind == RDB_EV_HASH_TEMPLATE || !rdb_between(p))
            break;
        if (ev.kind == RDB_EV_AUX) /* may say that the rest is to be read otherwise */
            continue;
        read_again(p, q, at, &ev);
        must(rdb_checksum_join(sum, rdb_checksum(q), rdb_tell(q) - at) == rdb_checksum(p));
    }
    rdb_close(q);
}

static void from_anywhere(const rdb_parser *p, uint64_t from, uint64_t upto)
{
    rdb_parser *q = rdb_fork(p);
    struct rdb_event ev;
    if (q && rdb_sync(q, from, upto)) {
        must(rdb_between(q) && rdb_tell(q) >= from && rdb_tell(q) < upto);
        while (next_whole(q, &ev))
            ;
    }
    rdb_close(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    int fd = file_of(data + 1, size - 1);
    rdb_parser *p =
        rdb_open_fd(fd, &(struct rdb_options){.no_thread = true, .window = 512 + 64 * (size_t)(data[0] & 15)});
    if (p) {
        from_anywhere(p, size * data[0] / 256, size);
        from_the_front(p);
    }
    rdb_close(p);
    (void)close(fd);
    return 0;
}
