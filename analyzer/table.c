/*
 * table.c - bucket arrays of dict and hashtable, followed insertion by insertion in closed steps.
 */
#include "analyzer/table.h"

#include <math.h>
#include <string.h>

#include "analyzer/sizes.h"

enum { BUCKET_ENTRIES = 7 }; /* hashtable.c ENTRIES_PER_BUCKET */

void table_init(struct table *t, const struct profile *pf)
{
    memset(t, 0, sizeof *t);
    t->hashtable = pf->table == TABLE_HASHTABLE;
    t->same_size = pf->dict_same_size != 0;
    t->empty_at_once = pf->dict_empty_at_once != 0;
}

static double occupied(double n, double m)
{
    if (m <= 0 || n <= 0)
        return 0;
    return m * -expm1(n * log1p(-1.0 / m));
}

double expected_collisions(uint64_t n, uint64_t m)
{
    if (n < 2)
        return 0;
    if (m <= 1)
        return (double)n - 1;
    return (double)n - occupied((double)n, (double)m);
}

static void note_peak(struct table *t)
{
    if (t->size + t->next > t->peak)
        t->peak = t->size + t->next;
}

static void begin_rehash(struct table *t, uint64_t next)
{
    t->next = next;
    t->used_at = t->used;
    t->growths++;
    if (t->hashtable)
        t->steps = (double)t->size; /* one top-level bucket a step */
    else
        t->steps = t->size <= 1 ? 1 : occupied((double)t->used, (double)t->size);
    if (t->steps < 1)
        t->steps = 1;
    t->left = t->steps;
    note_peak(t);
}

static void end_rehash(struct table *t)
{
    t->size = t->next;
    t->next = 0;
    t->left = 0;
}

/* hashtable.c nextBucketExp: buckets for a capacity of m entries */
static uint64_t hashtable_buckets(uint64_t m)
{
    if (m == 0)
        m = 1;
    if (m > (1ULL << 56))
        m = 1ULL << 56;
    return pow2_at_least((5 * m + 31) / 32);
}

void table_expand(struct table *t, uint64_t n)
{
    if (t->next != 0 || n < t->used)
        return;
    uint64_t want = t->hashtable ? hashtable_buckets(n) : pow2_at_least(n < 4 ? 4 : n);
    if (t->size == 0) {
        t->size = want;
        note_peak(t);
        return;
    }
    if (want == t->size && !t->same_size)
        return;
    if (t->used == 0) { /* an empty array goes at once, or at the next insertion: the same end */
        t->size = want;
        note_peak(t);
        return;
    }
    begin_rehash(t, want);
}

uint64_t table_room(const struct table *t)
{
    uint64_t size = t->next ? t->next : t->size;
    uint64_t capacity = t->hashtable ? size * BUCKET_ENTRIES : size;
    return capacity > t->used ? capacity - t->used : 0;
}

static void grow(struct table *t)
{
    if (t->next)
        end_rehash(t); /* what is left is rehashed on the spot; does not happen by growth alone */
    uint64_t want = t->hashtable ? hashtable_buckets(t->used + 1) : pow2_at_least(t->used + 1);
    if (t->size == 0)
        t->size = t->hashtable ? 1 : 4;
    else
        begin_rehash(t, want > t->size ? want : t->size * 2);
    note_peak(t);
}

void table_insert(struct table *t, uint64_t n, double extra_steps)
{
    double per_insert = 1 + extra_steps;
    while (n > 0) {
        if (table_room(t) == 0) { /* this insertion grows the table, then goes in without a step */
            grow(t);
            t->used++;
            n--;
            t->left -= extra_steps;
            continue;
        }
        uint64_t batch = table_room(t) < n ? table_room(t) : n;
        if (t->next) {
            double need = ceil(t->left / per_insert - 0.5);
            if (need < 1)
                need = 1;
            if ((double)batch < need) {
                t->left -= (double)batch * per_insert;
            } else {
                batch = (uint64_t)need;
                end_rehash(t);
            }
        }
        t->used += batch;
        n -= batch;
    }
}

/* Entries still in the old array and its occupied buckets. */
static void split(const struct table *t, double *old_entries, double *old_buckets)
{
    double share = t->next && t->steps > 0 ? t->left / t->steps : 0;
    if (share < 0)
        share = 0;
    *old_entries = share * (double)t->used_at;
    *old_buckets = share * (t->hashtable ? (double)t->size : occupied((double)t->used_at, (double)t->size));
}

double table_collisions(const struct table *t, double *variance)
{
    double n = (double)t->used, m = (double)(t->next ? t->next : t->size);
    double old_entries, old_buckets;
    split(t, &old_entries, &old_buckets);
    double fresh = n - old_entries;
    double full = occupied(fresh, m);
    double load = m > 0 ? fresh / m : 0; /* Var(occupied) = m e^-x (1 - (1 + x) e^-x), x = load */
    *variance = m * exp(-load) * (1 - (1 + load) * exp(-load));
    return (old_entries - old_buckets) + (fresh - full);
}

static double children_of(uint64_t k)
{
    uint64_t children = k <= BUCKET_ENTRIES ? 0 : (k - BUCKET_ENTRIES + 5) / 6; /* whole buckets */
    return (double)children;
}

/* Children of n entries in m buckets: the entries of one bucket are Binomial(n, 1/m). */
static double children_expected(double n, double m, double *variance)
{
    *variance = 0;
    if (n <= BUCKET_ENTRIES || m <= 0)
        return 0;
    if (m < 1.5)
        return children_of((uint64_t)(n + 0.5));
    double q = 1.0 / m, sum = 0, squares = 0;
    double p = exp(n * log1p(-q)); /* P(k = 0) */
    for (uint64_t k = 0; k < 200 && (double)k <= n; k++) {
        double c = children_of(k);
        sum += p * c;
        squares += p * c * c;
        p *= (n - (double)k) / (double)(k + 1) * q / (1 - q);
        if ((double)k > 3 * n / m + 20 && p < 1e-15)
            break;
    }
    *variance = m * (squares - sum * sum);
    return m * sum;
}

double table_children(const struct table *t, double *variance)
{
    double old_entries, old_buckets, v_old, v_new;
    split(t, &old_entries, &old_buckets);
    double old = children_expected(old_entries, old_buckets, &v_old);
    double fresh = children_expected((double)t->used - old_entries, (double)(t->next ? t->next : t->size), &v_new);
    *variance = v_old + v_new;
    return old + fresh;
}
