/*
 * alike.c - see alike.h.
 */
#include "analyzer/alike.h"

#include <string.h>

#include "analyzer/groups.h"

static void note_block(void *ctx, enum zlabel label, uint64_t request, uint64_t usable, uint64_t count, bool is_free)
{
    struct alike_learner *l = ctx;
    struct alike_cost *s = &l->found.cost;
    unsigned bin = allocator_bin(l->a, request);
    (void)usable;
    if (is_free || count != 1 || bin == ALLOC_NO_BIN || s->nblocks == ALIKE_BLOCKS) {
        l->usable = false;
        return;
    }
    s->block[s->nblocks++] = (struct alike_label){(uint8_t)bin, (uint8_t)label};
    unsigned i = 0;
    while (i < s->nbins && s->bin[i].bin != bin)
        i++;
    s->bin[i].bin = (uint8_t)bin;
    s->bin[i].count++;
    if (i == s->nbins)
        s->nbins++;
}

void alike_learn(struct alike_learner *l, struct zheap *z, uint64_t id)
{
    *l = (struct alike_learner){.a = z->a, .found = {.id = id}, .usable = true};
    zheap_trace(z, note_block, l);
}

bool alike_learned(struct alike_learner *l, const struct key_report *k)
{
    struct alike_cost *s = &l->found.cost;
    if (!l->usable || k->flags != 0 || k->variance != 0 || k->memory_usage > UINT32_MAX)
        return false;
    s->bytes = (uint32_t)k->bytes;
    s->rounding = (uint16_t)k->rounding; /* of at most ALIKE_BLOCKS small blocks */
    s->memory_usage = (uint32_t)k->memory_usage;
    s->has_memory_usage = k->has_memory_usage;
    s->encoding = (uint8_t)k->encoding;
    s->group_tag = (uint16_t)groups_tag(RDB_T_STRING, k->bytes, k->expire_ms >= 0);
    return true;
}

void alike_report(uint64_t id, const struct alike_cost *c, struct key_report *k)
{
    k->type = RDB_T_STRING;
    k->encoding = (enum encoding)c->encoding;
    k->bytes = c->bytes;
    k->elements = k->largest = alike_len(id);
    k->payload = alike_name_len(id) + k->elements;
    k->rounding = c->rounding;
    k->variance = 0;
    k->memory_usage = c->memory_usage;
    k->has_memory_usage = c->has_memory_usage;
}

void alike_labels(const struct alike *s, struct zheap *z)
{
    const struct alike_cost *c = &s->cost;
    for (unsigned i = 0; i < c->nblocks; i++)
        z->by_label[c->block[i].label] += s->waiting * z->a->bins[c->block[i].bin].size;
}
