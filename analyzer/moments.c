/*
 * moments.c - see moments.h.
 */
#include "analyzer/moments.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t no_expiry = (uint64_t)INT64_MAX + 1;

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void moments_init(struct moments *m, const int64_t *cuts, unsigned n)
{
    assert(n + 2 <= MOMENTS_SPANS);
    memset(m, 0, sizeof *m);
    unsigned spans = 1; /* the first one begins with time */
    for (unsigned i = 0; i < n; i++)
        if (cuts[i] > 0)
            m->first[spans++] = (uint64_t)cuts[i];
    qsort(m->first, spans, sizeof *m->first, by_value);
    unsigned distinct = 1;
    for (unsigned i = 1; i < spans; i++)
        if (m->first[i] != m->first[distinct - 1])
            m->first[distinct++] = m->first[i];
    for (m->n = 2; m->n <= distinct; m->n *= 2) /* one more at least, for no expiry */
        ;
    for (unsigned i = distinct; i < m->n; i++)
        m->first[i] = no_expiry;
}
