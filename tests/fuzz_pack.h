/*
 * fuzz_pack.h - the body of fuzz_listpack.c and fuzz_ziplist.c.
 *
 * The length in the container's header is set right first, or the fuzzer would have to guess it every time.
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

/* A cursor that shows few bytes at a time, each time in memory of their own. */
struct trickle {
    const uint8_t *data;
    size_t size;
    uint8_t *copy;
};

static bool trickle_more(struct rdb_cursor *c, size_t need)
{
    struct trickle *t = c->ctx;
    size_t left = (size_t)(c->end - c->p) + (size_t)c->left;
    if (need > left || need > 65536)
        return false;
    size_t n = need + 2 < left ? need + 2 : left;
    uint8_t *copy = malloc(n + 1);
    if (!copy)
        abort();
    memcpy(copy, t->data + (t->size - left), n);
    c->base = rdb_cursor_tell(c);
    free(t->copy);
    t->copy = copy;
    c->p = c->start = copy;
    c->end = copy + n;
    c->left = left - n;
    return true;
}

static int walk(enum rdb_pack_kind kind, const struct rdb_cursor *c, size_t size, struct rdb_pack_sum *seen)
{
    struct rdb_pack k;
    struct rdb_entry e;
    *seen = (struct rdb_pack_sum){0};
    int rc = rdb_pack_open(&k, kind, c, size) ? 1 : -1;
    while (rc == 1 && (rc = rdb_pack_next(&k, &e)) == 1) {
        seen->entries++;
        seen->payload += e.len;
        seen->longest = e.len > seen->longest ? e.len : seen->longest;
        volatile uint8_t byte = e.data && e.len ? (uint8_t)(e.data[0] ^ e.data[e.len - 1]) : 0;
        (void)byte;
        must(seen->entries <= size);
    }
    must((rc < 0) == (k.damage != NULL) && (rc < 0 || k.count == UINT64_MAX || k.count == seen->entries));
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rdb_cursor c;
    struct rdb_pack k;
    struct rdb_pack_sum seen, again, sum;
    if (size < 12)
        return 0;
    enum rdb_pack_kind kind = FUZZ_PACK(data);
#ifdef FUZZ_PACK_CHOOSES
    data++;
    size--;
#endif
    uint8_t *exact = malloc(size);
    if (!exact)
        return 0;
    memcpy(exact, data, size);
    uint32_t length = (uint32_t)size;
    if (kind == RDB_PACK_LISTPACK || kind == RDB_PACK_ZIPLIST)
        memcpy(exact, &length, 4);
    rdb_cursor_memory(&c, exact, size);
    int rc = walk(kind, &c, size, &seen);
    int rc2 = rdb_pack_open(&k, kind, &c, size) ? rdb_pack_sum(&k, &sum) : -1;
    must(rc == rc2 && (rc < 0 || memcmp(&sum, &seen, sizeof sum) == 0));
    struct trickle t = {exact, size, NULL};
    c = (struct rdb_cursor){.left = size, .more = trickle_more, .ctx = &t};
    must(walk(kind, &c, size, &again) == rc && memcmp(&again, &seen, sizeof seen) == 0);
    c = (struct rdb_cursor){.left = size, .more = trickle_more, .ctx = &t};
    rc2 = rdb_pack_open(&k, kind, &c, size) ? rdb_pack_sum(&k, &sum) : -1;
    must(rc == rc2 && (rc < 0 || memcmp(&sum, &seen, sizeof sum) == 0));
    free(t.copy);
    free(exact);
    return 0;
}
