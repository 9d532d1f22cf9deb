/*
 * placement.c - see placement.h.
 */
#include "analyzer/placement.h"

#include <string.h>

bool placement_init(struct placement *pl, const struct allocator *a, const int64_t *horizons, unsigned n,
                    int64_t from_ms, bool want_slabs)
{
    memset(pl, 0, sizeof *pl);
    if (n >= PLACEMENT_STEPS)
        n = PLACEMENT_STEPS - 1;
    pl->nsteps = n + 1;
    pl->from_ms = from_ms;
    for (unsigned i = 0; i < n; i++) {
        pl->horizon_s[i + 1] = horizons[i];
        if (horizons[i] > (PLACEMENT_ALL - from_ms) / 1000)
            pl->deadline_ms[i + 1] = PLACEMENT_ALL;
        else
            pl->deadline_ms[i + 1] = from_ms + horizons[i] * 1000;
    }
    if (!want_slabs || !allocator_has_slabs(a))
        return true;
    pl->slabs = slabs_new(a, pl->nsteps, pl->nsteps - 1, true);
    return pl->slabs != NULL;
}

void placement_free(struct placement *pl)
{
    slabs_free(pl->slabs);
}

unsigned placement_cuts(const struct placement *pl, int64_t *cuts)
{
    unsigned n = 0;
    for (unsigned i = 1; i < pl->nsteps; i++)
        if (pl->deadline_ms[i] < INT64_MAX)
            cuts[n++] = pl->deadline_ms[i] + 1;
    return n;
}

struct placement_left placement_left(const struct placement *pl, unsigned step)
{
    struct placement_left left = {0, 0, 0};
    for (unsigned d = step + 1; d <= pl->nsteps; d++) {
        left.keys += pl->keys[d];
        left.bytes += pl->bytes[d];
        left.volatile_keys += pl->volatile_keys[d];
    }
    return left;
}
