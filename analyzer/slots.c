/*
 * slots.c - see slots.h.
 */
#include "analyzer/slots.h"

#include <stdlib.h>
#include <string.h>

struct slots {
    struct slot_row rows[SLOTS];
    struct groups *tags;
    uint64_t tagged_keys, tagged_bytes;
};

struct slots *slots_new(void)
{
    struct slots *s = calloc(1, sizeof *s);
    struct splitter whole;
    if (!s)
        return NULL;
    splitter_init(&whole, 1);
    whole.whole = true;
    s->tags = groups_new(&whole);
    if (!s->tags) {
        free(s);
        return NULL;
    }
    for (unsigned i = 0; i < SLOTS; i++)
        s->rows[i].slot = i;
    return s;
}

void slots_free(struct slots *s)
{
    if (!s)
        return;
    groups_free(s->tags);
    free(s);
}

/* cluster.c keyHashSlot: what is hashed when the first { is followed by a } that is not next to it. */
static size_t tag_of(const uint8_t *name, size_t len, const uint8_t **tag)
{
    const uint8_t *open = memchr(name, '{', len);
    if (!open)
        return 0;
    *tag = open + 1;
    const uint8_t *close = memchr(*tag, '}', (size_t)(name + len - *tag));
    return close ? (size_t)(close - *tag) : 0;
}

void slots_add(struct slots *s, unsigned slot, const uint8_t *name, size_t len, enum rdb_type type, uint64_t bytes,
               bool expires)
{
    const uint8_t *tag;
    size_t n = tag_of(name, len, &tag);
    s->rows[slot].keys++;
    s->rows[slot].bytes += bytes;
    if (n == 0)
        return;
    s->tagged_keys++;
    s->tagged_bytes += bytes;
    groups_add(s->tags, tag, n, groups_tag(type, bytes, expires), bytes);
}

void slots_merge(struct slots *s, const struct slots *from)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        s->rows[i].keys += from->rows[i].keys;
        s->rows[i].bytes += from->rows[i].bytes;
    }
    s->tagged_keys += from->tagged_keys;
    s->tagged_bytes += from->tagged_bytes;
    groups_merge(s->tags, from->tags);
}

static int heavier_first(const void *x, const void *y)
{
    const struct slot_row *a = x, *b = y;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    return (a->slot > b->slot) - (a->slot < b->slot);
}

static void sum_up(const struct slot_row *sorted, uint64_t scale, struct slots_report *r)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        r->used += sorted[i].keys > 0;
        r->keys += sorted[i].keys * scale;
        r->bytes += sorted[i].bytes * scale;
    }
    if (r->used == 0)
        return;
    unsigned at_p50 = r->used - (r->used + 1) / 2, at_p99 = r->used - (r->used * 99 + 99) / 100;
    r->mean_bytes = r->bytes / r->used;
    r->p50_bytes = sorted[at_p50].bytes * scale;
    r->p99_bytes = sorted[at_p99].bytes * scale;
    r->skew = r->bytes ? (double)(sorted[0].bytes * scale) * r->used / (double)r->bytes : 0;
}

bool slots_finish(const struct slots *s, size_t top, uint64_t scale, struct slots_report *out)
{
    memset(out, 0, sizeof *out);
    out->top = malloc(sizeof s->rows);
    if (!out->top)
        return false;
    memcpy(out->top, s->rows, sizeof s->rows);
    qsort(out->top, SLOTS, sizeof *out->top, heavier_first);
    sum_up(out->top, scale, out);
    out->made = true;
    out->ntop = top < out->used ? top : out->used;
    for (size_t i = 0; i < out->ntop; i++) {
        out->top[i].keys *= scale;
        out->top[i].bytes *= scale;
    }
    out->tagged_keys = s->tagged_keys * scale;
    out->tagged_bytes = s->tagged_bytes * scale;
    if (groups_finish(s->tags, top, scale, &out->tags))
        return true;
    slots_report_free(out);
    return false;
}

void slots_report_free(struct slots_report *r)
{
    free(r->top);
    group_tree_free(&r->tags);
    memset(r, 0, sizeof *r);
}
