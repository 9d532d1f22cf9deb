/*
 * outlook.c - see outlook.h.
 */
#include "analyzer/outlook.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/sizes.h"

/* ---------------------------------------------------------------- tables that shrink as their keys go */

/* Bytes that one array gives back when `left` of its entries are left. dict: up to 7.2 the cron resizes below a tenth
 * (server.c htNeedsResize), later a deletion below an eighth (dict.c); hashtable: below 13 % (hashtable.c
 * MIN_FILL_PERCENT_SOFT). Only whole page runs are counted: small arrays do not show. */
static double shrinks(const struct profile *pf, const struct keyspace_table *kt, const struct allocator *alloc,
                      double left)
{
    const struct table *t = &kt->t;
    double capacity = (double)t->size * (t->hashtable ? 7 : 1);
    double least = t->hashtable ? 0.13 : pf->keyspace == KEYSPACE_DICT ? 0.10 : 0.125;
    uint64_t now = table_array(t, t->size);
    if (!kt->made || now <= ALLOC_SMALL_MAX || left >= least * capacity)
        return 0;
    struct table smaller = {.hashtable = t->hashtable};
    table_expand(&smaller, (uint64_t)left);
    uint64_t then = left < 1 && pf->keyspace != KEYSPACE_DICT ? 0 : table_array(t, smaller.size);
    return (double)allocator_usable(alloc, now) - (then ? (double)allocator_usable(alloc, then) : 0);
}

static double tables_freed(const struct profile *pf, const struct keyspace *ks, const struct allocator *alloc,
                           double keys_left, double volatile_left)
{
    double freed = 0;
    for (size_t i = 0; i < ks->ndbs; i++) {
        const struct keyspace_db *d = &ks->dbs[i];
        freed += shrinks(pf, &d->keys, alloc, (double)d->keys.t.used * keys_left);
        freed += shrinks(pf, &d->expires, alloc, (double)d->expires.t.used * volatile_left);
    }
    return freed;
}

/* Colliding entries and child buckets that go with their keys. */
static double chance_gone(const struct profile *pf, const struct keyspace_table *kt, const struct allocator *alloc,
                          double left, bool shared_buckets)
{
    double variance;
    return kt->chance -
           keyspace_chance(kt, pf, alloc, (uint64_t)((double)kt->t.used * left), shared_buckets, &variance);
}

static double chances_gone(const struct profile *pf, const struct keyspace *ks, const struct allocator *alloc,
                           double keys_left, double volatile_left)
{
    double gone = 0;
    for (size_t i = 0; i < ks->ndbs; i++) {
        gone += chance_gone(pf, &ks->dbs[i].keys, alloc, keys_left, pf->main_entry == 0);
        gone += chance_gone(pf, &ks->dbs[i].expires, alloc, volatile_left, pf->shared_expires_entry == 0);
    }
    return gone;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 1;
}

/* ---------------------------------------------------------------- rows */

struct outlook {
    struct analysis *a;
    const struct profile *pf;
    struct placement *pl;
    const struct pins *pins;
    const struct keyspace *ks;
    struct forecast_input in;
};

static struct forecast_moment moment(const struct outlook *w, unsigned step, double delete)
{
    struct placement_left all = placement_left(w->pl, 0), left = placement_left(w->pl, step);
    double keep = 1 - delete;
    double keys = share(left.keys, all.keys) * keep, expiring = share(left.volatile_keys, all.volatile_keys) * keep;
    double freed = tables_freed(w->pf, w->ks, w->in.a, keys, expiring);
    double gone = chances_gone(w->pf, w->ks, w->in.a, keys, expiring);
    return (struct forecast_moment){
        .keys = (double)left.keys * keep,
        .used_memory =
            w->in.used_loaded - (double)(all.bytes - left.bytes) - (double)left.bytes * delete - freed - gone,
        .tables_freed = freed,
    };
}

static int most_bytes_first(const void *x, const void *y)
{
    const struct forecast_pin *a = x, *b = y;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    size_t n = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->prefix, b->prefix, n);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* A prefix that has several types has several tags. */
static void add_pin(struct forecast_pin *list, size_t *n, const struct pins_owner *o, double bytes)
{
    size_t i = 0;
    while (i < *n && (list[i].len != o->len || memcmp(list[i].prefix, o->prefix, o->len) != 0))
        i++;
    if (i == *n) {
        list[i] = (struct forecast_pin){.len = o->len};
        memcpy(list[i].prefix, o->prefix, o->len);
        ++*n;
    }
    list[i].bytes += bytes;
}

/* Who keeps the half-empty slabs of a step. */
static bool pins_of(const struct outlook *w, struct forecast_row *row, unsigned step)
{
    struct forecast_pin *list = calloc(PINS_TAGS, sizeof *list);
    size_t n = 0;
    if (!list)
        return false;
    for (unsigned tag = 0; tag < w->pins->n; tag++) {
        const struct pins_owner *o = &w->pins->owner[tag];
        double bytes = slabs_pinned(w->pl->slabs, step, tag);
        row->pinned_by_type[o->type] += bytes;
        if (bytes >= 0.5)
            add_pin(list, &n, o, bytes);
    }
    row->pinned_by_server = slabs_pinned(w->pl->slabs, step, SLABS_TAG_SERVER);
    qsort(list, n, sizeof *list, most_bytes_first);
    row->npins = n < FORECAST_PINS ? n : FORECAST_PINS;
    memcpy(row->pins, list, row->npins * sizeof *list);
    free(list);
    return true;
}

static bool bins_of(const struct outlook *w, struct forecast_row *row, unsigned step)
{
    unsigned n = w->in.a->nbins;
    if (w->pl->slabs == NULL)
        return true;
    row->bins = calloc(n, sizeof *row->bins);
    if (row->bins == NULL)
        return false;
    for (unsigned b = 0; b < n; b++) {
        uint64_t slabs, regions;
        slabs_bin_at(w->pl->slabs, b, step, &slabs, &regions);
        row->bins[b] = (struct forecast_bin){(double)regions, (double)slabs};
    }
    return pins_of(w, row, step);
}

static bool deleted_bins(const struct outlook *w, struct forecast_row *row, double d)
{
    unsigned n = w->in.a->nbins;
    struct slabs_expected *e = w->pl->slabs ? malloc(sizeof *e) : NULL;
    if (e == NULL)
        return w->pl->slabs == NULL;
    row->bins = calloc(n, sizeof *row->bins);
    if (row->bins != NULL) {
        slabs_delete_random(w->pl->slabs, d, e);
        for (unsigned b = 0; b < n; b++)
            row->bins[b] = (struct forecast_bin){e->regions[b], e->slabs[b]};
    }
    free(e);
    return row->bins != NULL;
}

static struct forecast_defrag defrag_settings(const struct profile *pf, const struct allocator *alloc)
{
    struct forecast_defrag d = forecast_defrag_defaults(pf->family, pf->version, alloc->kind);
    d.ignore_bytes = (uint64_t)pf->set[SET_DEFRAG_IGNORE];
    d.threshold_lower = (unsigned)pf->set[SET_DEFRAG_LOWER];
    d.threshold_upper = (unsigned)pf->set[SET_DEFRAG_UPPER];
    d.cycle_min = (unsigned)pf->set[SET_DEFRAG_CYCLE_MIN];
    d.cycle_max = (unsigned)pf->set[SET_DEFRAG_CYCLE_MAX];
    return d;
}

/* The file's claim against what a reload needs: a server that holds more has room that grew, buffers, or garbage. */
static void reclaim(struct analysis *a)
{
    const struct file_report *f = &a->file;
    if (!f->has_used_mem || f->used_mem == 0 || f->used_mem > (1ULL << 60))
        return;
    a->forecast.has_reclaim = true;
    a->forecast.reclaim_bytes = (int64_t)f->used_mem - (int64_t)a->ledger.used_memory;
}

bool outlook_make(struct analysis *a, const struct analyze_options *o, const struct profile *pf, struct placement *pl,
                  const struct pins *pins, const struct keyspace *ks, const struct allocator *alloc)
{
    struct forecast_report *f = &a->forecast;
    struct outlook w = {a, pf, pl, pins, ks, {.a = alloc, .slabs = pl->slabs}};
    if (o->no_forecast)
        return true;
    if (pl->slabs)
        slabs_finish(pl->slabs);
    w.in.server = forecast_server_find(pf->family, pf->version, alloc->kind, &f->exact_server);
    w.in.defrag = f->defrag = defrag_settings(pf, alloc);
    w.in.used_loaded = (double)a->ledger.used_memory;
    f->from_ms = pl->from_ms;
    f->nbins = pl->slabs ? alloc->nbins : 0;
    for (unsigned b = 0; b < f->nbins; b++)
        f->bins[b] = alloc->bins[b];
    f->rows = calloc(pl->nsteps + o->nthen_delete, sizeof *f->rows);
    if (f->rows == NULL)
        return false;
    for (unsigned step = 0; step < pl->nsteps; step++) {
        struct forecast_row *row = &f->rows[f->n++];
        struct forecast_moment m = moment(&w, step, 0);
        row->horizon_s = pl->horizon_s[step];
        forecast_step(&w.in, step, &m, &row->s);
        if (!bins_of(&w, row, step))
            return false;
    }
    for (unsigned i = 0; i < o->nthen_delete; i++) {
        struct forecast_row *row = &f->rows[f->n++];
        struct forecast_moment m = moment(&w, pl->nsteps - 1, o->then_delete[i]);
        row->horizon_s = pl->horizon_s[pl->nsteps - 1];
        row->deleted_percent = 100 * o->then_delete[i];
        forecast_deleted(&w.in, o->then_delete[i], &m, &row->s);
        if (!deleted_bins(&w, row, o->then_delete[i]))
            return false;
    }
    reclaim(a);
    return true;
}

void outlook_free(struct forecast_report *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->rows[i].bins);
    free(f->rows);
    f->rows = NULL;
    f->n = 0;
}
