/*
 * fuzz_stream.c - the listpack of a stream node: the walk ends, its counts are the head's, and no more than there are
 * entries. A first byte 's' takes the rest for a whole stream value instead, in a dump made around it.
 */
#include "rdb/rdb.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void node(uint8_t *exact, size_t size)
{
    struct rdb_cursor c;
    struct rdb_pack k;
    struct rdb_pack_sum entries;
    struct rdb_stream_sum sum;
    const char *damage;
    uint64_t live, deleted;
    uint32_t length = (uint32_t)size;
    memcpy(exact, &length, 4);
    rdb_cursor_memory(&c, exact, size);
    int rc = rdb_stream_node_sum(&c, size, &sum, &damage);
    must((rc < 0) == (damage != NULL));
    if (rc < 0)
        return;
    must(rdb_stream_node_counts(&c, size, &live, &deleted) && live == sum.live && deleted == sum.deleted);
    must(rdb_pack_open(&k, RDB_PACK_LISTPACK, &c, size) && rdb_pack_sum(&k, &entries) == 0);
    must(entries.entries >= 4 + 4 * (sum.live + sum.deleted) && entries.payload >= sum.payload &&
         entries.longest >= sum.longest);
}

struct memory {
    const uint8_t *at, *end;
};

static ptrdiff_t memory_read(void *ctx, void *buf, size_t n)
{
    struct memory *m = ctx;
    if (n > (size_t)(m->end - m->at))
        n = (size_t)(m->end - m->at);
    memcpy(buf, m->at, n);
    m->at += n;
    return (ptrdiff_t)n;
}

/* Parts come in an order that the header promises: no consumer before a group, no group before the numbers. */
static void order(const struct rdb_element *e, unsigned *numbers, bool *group)
{
    *numbers += e->role == RDB_R_STREAM_META;
    *group = *group || e->role == RDB_R_GROUP;
    must(e->role != RDB_R_GROUP || *numbers == 3 || *numbers == 8);
    must(e->role != RDB_R_CONSUMER || *group);
    must(e->role != RDB_R_STREAM_NODE || *numbers == 0);
}

static void value(const uint8_t *data, size_t size)
{
    static const uint8_t types[] = {15, 19, 21, 26, 27};
    if (size < 1)
        return;
    uint8_t *dump = malloc(size + 12);
    if (!dump)
        return;
    memcpy(dump, "REDIS0014", 9);
    memcpy(dump + 9, (uint8_t[]){types[data[0] % 5], 1, 'k'}, 3);
    memcpy(dump + 12, data + 1, size - 1);
    struct memory m = {dump, dump + 11 + size};
    rdb_parser *p = rdb_open_reader(memory_read, &m, &(struct rdb_options){.window = 600});
    struct rdb_event ev;
    struct rdb_element el[7];
    bool more = p && rdb_next(p, &ev) == RDB_EV_KEY, group = false;
    unsigned numbers = 0;
    while (more) {
        size_t n = rdb_elements(p, el, 7, &more);
        for (size_t i = 0; i < n; i++)
            order(&el[i], &numbers, &group);
    }
    rdb_close(p);
    free(dump);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 's') {
        value(data + 1, size - 1);
        return 0;
    }
    if (size < 7)
        return 0;
    uint8_t *exact = malloc(size);
    if (!exact)
        return 0;
    memcpy(exact, data, size);
    node(exact, size);
    free(exact);
    return 0;
}
