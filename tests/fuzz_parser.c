/*
 * fuzz_parser.c - the whole parser. The first two bytes choose window, read size, batch and so on; the rest is the input.
 *
 * Holds: rdb_tell never goes back, every byte of an element can be read up to its length or its cursor says why not,
 * sums agree with walks, and a parse that skips all values ends as far or farther than one that reads them.
 */
#include "rdb/rdb.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void read_pack(rdb_parser *p, const struct rdb_element *e)
{
    struct rdb_cursor c;
    struct rdb_pack k;
    struct rdb_entry entry;
    struct rdb_pack_sum sum, seen = {0};
    int rc = -1;
    if (!rdb_element_open(p, e, &c))
        return;
    if (rdb_pack_open(&k, (enum rdb_pack_kind)e->pack, &c, e->len))
        while ((rc = rdb_pack_next(&k, &entry)) > 0) {
            seen.entries++;
            seen.payload += entry.len;
            seen.longest = entry.len > seen.longest ? entry.len : seen.longest;
        }
    must((rc < 0) == (k.damage != NULL));
    if (!e->data || !rdb_element_open(p, e, &c))
        return;
    int rc2 = rdb_pack_open(&k, (enum rdb_pack_kind)e->pack, &c, e->len) ? rdb_pack_sum(&k, &sum) : -1;
    must(rc == rc2 && (rc < 0 || memcmp(&sum, &seen, sizeof sum) == 0));
}

static void read_stream_node(rdb_parser *p, const struct rdb_element *e)
{
    struct rdb_cursor c;
    struct rdb_stream_sum sum;
    const char *damage;
    uint64_t live, deleted;
    if (!rdb_element_open(p, e, &c))
        return;
    bool whole = rdb_stream_node_sum(&c, e->len, &sum, &damage) == 0;
    must(whole == !damage);
    if (whole && e->data && rdb_element_open(p, e, &c))
        must(rdb_stream_node_counts(&c, e->len, &live, &deleted) && live == sum.live && deleted == sum.deleted);
}

static void read_bytes(rdb_parser *p, const struct rdb_element *e, size_t step)
{
    struct rdb_cursor c;
    uint8_t head[300];
    uint64_t n = 0;
    size_t had = rdb_element_head(p, e, head, sizeof head);
    must(had == SIZE_MAX || had <= sizeof head);
    if (!rdb_element_open(p, e, &c)) {
        must(c.damage != NULL);
        return;
    }
    while (n < e->len && rdb_cursor_need(&c, 1)) {
        size_t there = (size_t)(c.end - c.p);
        must(rdb_cursor_tell(&c) == n && there <= e->len - n);
        if (n == 0 && had != SIZE_MAX)
            must(memcmp(head, c.p, had < there ? had : there) == 0);
        there = there < step ? there : step;
        c.p += there;
        n += there;
    }
    must(n == e->len || c.damage || rdb_failed(p));
}

static void read_value(rdb_parser *p, size_t batch, size_t step, bool hold)
{
    struct rdb_element el[64];
    bool more = true;
    while (more) {
        uint64_t before = rdb_tell(p);
        size_t n = rdb_elements(p, el, batch, &more);
        must(n <= batch && (n > 0 || !more) && (rdb_failed(p) || rdb_tell(p) >= before));
        for (size_t i = 0; i < n; i++) {
            if (hold)
                must(rdb_element_hold(p, &el[i]) || rdb_failed(p) || el[i].len > RDB_HOLD_MAX / 4);
            if (el[i].role == RDB_R_BLOB)
                read_pack(p, &el[i]);
            else if (el[i].role == RDB_R_STREAM_NODE)
                read_stream_node(p, &el[i]);
            else if (el[i].form != RDB_F_NUM)
                read_bytes(p, &el[i], step);
        }
    }
}

static uint64_t parse(const uint8_t *data, size_t size, const struct rdb_options *o, size_t batch, bool hold,
                      bool *failed)
{
    struct memory m = {data, data + size};
    rdb_parser *p = rdb_open_reader(memory_read, &m, o);
    struct rdb_event ev;
    uint64_t keys = 0, last = 0;
    while (p && rdb_next(p, &ev) > 0) {
        must(rdb_tell(p) >= last);
        last = rdb_tell(p);
        keys += ev.kind == RDB_EV_KEY;
        if (batch && (ev.kind == RDB_EV_KEY || ev.kind == RDB_EV_MODULE_AUX))
            read_value(p, batch, o->read_size ? o->read_size : 1000, hold);
    }
    *failed = p && rdb_failed(p);
    if (p)
        must(*failed || rdb_info(p)->trailing + rdb_drain(p) <= 2 * (uint64_t)UINT32_MAX);
    rdb_close(p);
    return keys;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t windows[] = {512, 700, 2048, 20000}, reads[] = {0, 1, 13, 300}, batches[] = {1, 2, 5, 64};
    unsigned how = 0;
    bool failed, failed_skipping;
    if (size >= 2 && data[0] != 'R' && data[0] != 'V') { /* plain dumps may be fed as they are */
        how = data[0];
        data += 2;
        size -= 2;
    }
    struct rdb_options o = {
        .window = windows[how & 3], .read_size = reads[how >> 2 & 3], .key_limit = how & 128 ? 40 : 0};
    uint64_t keys = parse(data, size, &o, batches[how >> 4 & 3], how & 64, &failed);
    uint64_t keys_skipping = parse(data, size, &o, 0, false, &failed_skipping);
    must(keys_skipping >= keys && (failed || !failed_skipping));
    return 0;
}
