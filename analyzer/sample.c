/*
 * sample.c - see sample.h.
 */
#include "analyzer/sample.h"

#include "analyzer/modules.h"

void sample_scale_heap(struct zheap *heap, const struct keyspace *ks, const struct functions *f, uint64_t n)
{
    uint64_t keys = heap->used - ks->bytes - f->bytes;
    heap->used += keys * (n - 1);
    heap->peak = heap->used > heap->peak ? heap->used : heap->peak;
    heap->variance *= n;
    for (unsigned i = 0; i < ZL_COUNT; i++)
        if (i != ZL_KEYSPACE && i != ZL_FUNCTION)
            heap->by_label[i] *= n;
}

/* largest is no sum. */
static void scale_totals(struct totals *t, uint64_t n)
{
    uint64_t *sums[] = {&t->keys,     &t->bytes,         &t->payload,        &t->rounding,
                        &t->elements, &t->expiring_keys, &t->expiring_bytes, &t->record};
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        *sums[i] *= n;
}

static void scale_load(struct load_total *t, uint64_t n)
{
    t->keys *= n;
    t->bytes *= n;
}

void sample_scale_sums(struct analysis *a, uint64_t n)
{
    uint64_t *sums[] = {&a->big_keys,         &a->big_by_bytes,     &a->big_by_elements, &a->big_by_element,
                        &a->empty_keys,       &a->damaged_keys,     &a->estimated_keys,  &a->estimated_bytes,
                        &a->lower_bound_keys, &a->lower_bound_bytes};
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        *sums[i] *= n;
    scale_totals(&a->total, n);
    for (unsigned t = 0; t < RDB_T_COUNT; t++)
        scale_totals(&a->by_type[t], n);
    for (size_t i = 0; i < a->ncells; i++)
        scale_totals(&a->cells[i].t, n);
    for (size_t i = 0; i < a->ndbs; i++)
        scale_totals(&a->dbs[i].t, n);
    for (unsigned i = 0; i < EXPIRY_BUCKETS; i++) {
        a->expiry[i].keys *= n;
        a->expiry[i].bytes *= n;
    }
    modules_scale(a, n);
    scale_load(&a->all, n);
    scale_load(&a->master, n);
    scale_load(&a->replica, n);
}
