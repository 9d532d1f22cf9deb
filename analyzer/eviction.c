/*
 * eviction.c - places in the order of eviction while keys are read; the cut at the end.
 */
#include "analyzer/eviction.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/forecast.h"
#include "analyzer/segments.h"
#include "analyzer/target.h"

enum {
    PREFIX_TEXT = 46, /* bytes of a prefix that are kept; a longer one ends in "*" */
    INDEX_SLOTS = 2 * EVICTION_PREFIXES,
    OUT_OF_REACH = EVICTION_RANKS,   /* rank of keys that the policy leaves alone */
    NO_BUCKET = EVICTION_FINE,       /* their bucket */
    EVEN_RANKS = EVICTION_RANKS / 2, /* that part the sample evenly; and as many by the logarithm */
    LFU_INIT = 5,                    /* LFU_INIT_VAL: counter of a key that the dump has none for */
    IDLE_MOST = (1 << 24) - 1        /* seconds: the LRU clock has 24 bits */
};

struct eviction_row {
    struct eviction_prefix p;
    uint64_t hash;
    struct eviction_tally ranks[EVICTION_RANKS + 1];
};

enum event_kind { EVENT_BEGIN, EVENT_PLACED, EVENT_FREED, EVENT_END };

struct eviction_event {
    uint16_t kind;
    uint16_t row;
    uint32_t bucket;
    uint64_t request; /* EVENT_END: bytes of the key */
    uint64_t count;
};

/* ---------------------------------------------------------------- policies */

enum order { ORDER_NONE, ORDER_IDLE, ORDER_FREQ, ORDER_TTL, ORDER_RANDOM };

static const struct policy_row {
    enum order order;
    bool volatile_only;
    int redis, valkey; /* first version that has it; 0: always, -1: never */
} policies[] = {
    [POLICY_NOEVICTION] = {ORDER_NONE, false, 0, 0},       [POLICY_ALLKEYS_LRU] = {ORDER_IDLE, false, 0, 0},
    [POLICY_VOLATILE_LRU] = {ORDER_IDLE, true, 0, 0},      [POLICY_ALLKEYS_LFU] = {ORDER_FREQ, false, 400, 0},
    [POLICY_VOLATILE_LFU] = {ORDER_FREQ, true, 400, 0},    [POLICY_ALLKEYS_RANDOM] = {ORDER_RANDOM, false, 0, 0},
    [POLICY_VOLATILE_RANDOM] = {ORDER_RANDOM, true, 0, 0}, [POLICY_VOLATILE_TTL] = {ORDER_TTL, true, 0, 0},
    [POLICY_ALLKEYS_LRM] = {ORDER_IDLE, false, 806, -1},   [POLICY_VOLATILE_LRM] = {ORDER_IDLE, true, 806, -1},
};

/* Orders by a value; it is spread over ranks by its logarithm, `span` powers of two from 2^low on. */
static const struct order_row {
    const char *name, *basis, *absent;
    unsigned low, span;
    bool highest_first;
} orders[] = {
    [ORDER_NONE] = {NULL, "noeviction: nothing is evicted, commands that need memory fail", NULL, 0, 1, false},
    [ORDER_IDLE] = {"idle", "idle times in the dump",
                    "the dump has no idle times: all keys look equally old, as if chosen at random", 0, 24, true},
    [ORDER_FREQ] = {"freq", "LFU counters in the dump",
                    "the dump has no LFU counters: all keys look equally used, as if chosen at random", 0, 8, false},
    [ORDER_TTL] = {"ttl", "expiries in the dump", NULL, 10 /* a second, in ms */, 28 /* to eight years */, false},
    [ORDER_RANDOM] = {"random", "expectation of a random choice", NULL, 0, 1, false},
};

static const struct order_row *order_of(const struct eviction *ev)
{
    return &orders[policies[ev->policy].order];
}

/* ---------------------------------------------------------------- life */

static void happen(struct eviction *ev, const struct eviction_event *e);

static void follow_placed(struct zfollower *f, uint64_t request, uint64_t count)
{
    struct eviction *ev = (struct eviction *)f;
    if (ev->slabs)
        happen(ev, &(struct eviction_event){.kind = EVENT_PLACED, .request = request, .count = count});
}

static void follow_freed(struct zfollower *f, uint64_t request)
{
    struct eviction *ev = (struct eviction *)f;
    if (ev->slabs)
        happen(ev, &(struct eviction_event){.kind = EVENT_FREED, .request = request});
}

static bool follow(struct eviction *ev, struct zheap *heap)
{
    if (allocator_has_slabs(ev->a) && !(ev->slabs = slabs_new(ev->a, SLABS_MAX_STEPS, 0, false)))
        return false;
    ev->follower = (struct zfollower){.placed = follow_placed, .freed = follow_freed};
    zheap_follow(heap, &ev->follower);
    return true;
}

bool eviction_init(struct eviction *ev, const struct profile *pf, struct zheap *heap, int64_t now_ms)
{
    memset(ev, 0, sizeof *ev);
    if (pf->set[SET_MAXMEMORY] <= 0)
        return true;
    ev->maxmemory = (uint64_t)pf->set[SET_MAXMEMORY];
    ev->policy = (enum policy)pf->set[SET_MAXMEMORY_POLICY];
    ev->a = heap->a;
    ev->pf = pf;
    ev->now_ms = now_ms;
    ev->fine = calloc(EVICTION_FINE, sizeof *ev->fine);
    ev->rows = calloc(EVICTION_PREFIXES, sizeof *ev->rows);
    ev->index = calloc(INDEX_SLOTS, sizeof *ev->index);
    ev->rank_of = calloc(EVICTION_FINE + 1, sizeof *ev->rank_of);
    ev->events = calloc(EVICTION_EVENTS, sizeof *ev->events);
    if (!ev->fine || !ev->rows || !ev->index || !ev->rank_of || !ev->events)
        return false;
    ev->rows[0].p.other = true;
    ev->nrows = 1;
    return follow(ev, heap);
}

void eviction_free(struct eviction *ev)
{
    slabs_free(ev->slabs);
    free(ev->fine);
    free(ev->rows);
    free(ev->index);
    free(ev->rank_of);
    free(ev->events);
}

/* ---------------------------------------------------------------- prefixes */

static size_t prefix_of(const uint8_t *name, size_t len, uint8_t out[SEGMENT_ROOM + 1])
{
    const uint8_t *colon = memchr(name, ':', len);
    if (!colon)
        return 0;
    size_t n = segment_normal(name, (size_t)(colon - name), out);
    out[n++] = ':';
    return n;
}

static uint64_t hash_of(const uint8_t *s, size_t n, unsigned type) /* FNV-1a */
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ type;
    for (size_t i = 0; i < n; i++)
        h = (h ^ s[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

static struct eviction_row *add_row(struct eviction *ev, uint16_t *slot, uint64_t hash, const uint8_t *prefix,
                                    size_t len, enum rdb_type type)
{
    if (ev->nrows == EVICTION_PREFIXES)
        return &ev->rows[0];
    struct eviction_row *row = &ev->rows[ev->nrows];
    *slot = (uint16_t)ev->nrows++;
    row->hash = hash;
    row->p.type = type;
    row->p.name_len = len;
    memcpy(row->p.name, prefix, len);
    return row;
}

static struct eviction_row *row_of(struct eviction *ev, const uint8_t *name, size_t name_len, enum rdb_type type)
{
    uint8_t prefix[SEGMENT_ROOM + 1];
    size_t len = prefix_of(name, name_len, prefix);
    uint64_t hash = hash_of(prefix, len, type);
    for (uint64_t i = hash;; i++) {
        uint16_t *slot = &ev->index[i % INDEX_SLOTS];
        struct eviction_row *row = &ev->rows[*slot];
        if (*slot == 0)
            return add_row(ev, slot, hash, prefix, len, type);
        if (row->hash == hash && row->p.type == type && row->p.name_len == len && memcmp(row->p.name, prefix, len) == 0)
            return row;
    }
}

/* ---------------------------------------------------------------- the order */

/* The logarithm of v + 1 to base 2 in 256ths, straight between the powers: ascending, and different for each v < 256. */
static unsigned log_bucket(uint64_t v)
{
    uint64_t x = v < (UINT64_C(1) << 47) ? v + 1 : UINT64_C(1) << 47;
    unsigned e = 63U - (unsigned)__builtin_clzll(x);
    return e << 8 | (unsigned)((e >= 8 ? x >> (e - 8) : x << (8 - e)) & 255);
}

/* The value that the policy looks at; *known: the dump has it. */
static uint64_t value_of(const struct eviction *ev, const struct key_report *k, bool *known)
{
    switch (policies[ev->policy].order) {
    case ORDER_IDLE:
        *known = k->idle_s >= 0;
        return !*known ? 0 : k->idle_s < IDLE_MOST ? (uint64_t)k->idle_s : IDLE_MOST;
    case ORDER_FREQ: *known = k->freq >= 0; return *known ? (uint64_t)k->freq : LFU_INIT;
    case ORDER_TTL: *known = true; return k->expire_ms > ev->now_ms ? (uint64_t)(k->expire_ms - ev->now_ms) : 0;
    case ORDER_NONE:
    case ORDER_RANDOM: break;
    }
    *known = true;
    return 0;
}

static bool within_reach(const struct eviction *ev, const struct key_report *k)
{
    return ev->policy != POLICY_NOEVICTION && (!policies[ev->policy].volatile_only || k->expire_ms >= 0);
}

/* Where the bucket lies between the least value and the greatest by their logarithms, 0 .. ranks - 1. */
static unsigned rank_by_log(const struct order_row *o, unsigned bucket, unsigned ranks)
{
    unsigned log = o->highest_first ? EVICTION_FINE - 1 - bucket : bucket, low = o->low << 8;
    unsigned rank = log <= low ? 0 : (log - low) * (ranks - 1) / (o->span << 8);
    rank = rank < ranks ? rank : ranks - 1;
    return o->highest_first ? ranks - 1 - rank : rank;
}

static void choose_ranks(struct eviction *ev)
{
    uint64_t all = 0, before = 0;
    for (unsigned i = 0; i < EVICTION_FINE; i++)
        all += ev->fine[i].keys;
    for (unsigned i = 0; i < EVICTION_FINE; i++) {
        unsigned even = all ? (unsigned)(before * EVEN_RANKS / all) : 0;
        ev->rank_of[i] = (uint8_t)(even + rank_by_log(order_of(ev), i, EVEN_RANKS + 1));
        before += ev->fine[i].keys;
    }
    ev->rank_of[NO_BUCKET] = OUT_OF_REACH;
}

/* ---------------------------------------------------------------- keys */

/* Keys that stay pin their slabs as the server does, also when others are deleted at random. */
static void begin_key(struct eviction *ev, unsigned row, unsigned bucket)
{
    ev->row = &ev->rows[row];
    ev->rank = ev->rank_of[bucket];
    if (ev->slabs)
        slabs_key(ev->slabs, ev->rank == OUT_OF_REACH ? SLABS_NEVER : ev->rank + 1, 0);
}

static void end_key(struct eviction *ev, uint64_t bytes)
{
    ev->row->ranks[ev->rank].keys++;
    ev->row->ranks[ev->rank].bytes += bytes;
    if (ev->slabs)
        slabs_server(ev->slabs);
}

static void place(struct eviction *ev, uint64_t request, uint64_t count)
{
    unsigned b = allocator_bin(ev->a, request);
    if (b != ALLOC_NO_BIN)
        slabs_give(ev->slabs, b, count);
    else
        slabs_give_large(ev->slabs, allocator_usable(ev->a, request), count);
}

static void take_back(struct eviction *ev, uint64_t request)
{
    unsigned b = allocator_bin(ev->a, request);
    if (b != ALLOC_NO_BIN)
        slabs_take_back(ev->slabs, b);
    else
        slabs_take_back_large(ev->slabs, allocator_usable(ev->a, request));
}

static void perform(struct eviction *ev, const struct eviction_event *e)
{
    switch ((enum event_kind)e->kind) {
    case EVENT_BEGIN: begin_key(ev, e->row, e->bucket); break;
    case EVENT_PLACED: place(ev, e->request, e->count); break;
    case EVENT_FREED: take_back(ev, e->request); break;
    case EVENT_END: end_key(ev, e->request); break;
    }
}

/* The sample is large enough, or all there is. */
static void end_sample(struct eviction *ev)
{
    struct eviction_event *events = ev->events;
    ev->events = NULL;
    choose_ranks(ev);
    for (unsigned i = 0; i < ev->nevents; i++)
        perform(ev, &events[i]);
    free(events);
}

static void happen(struct eviction *ev, const struct eviction_event *e)
{
    if (ev->events && (ev->nevents == EVICTION_EVENTS || ev->nsample == EVICTION_SAMPLE))
        end_sample(ev);
    if (ev->events)
        ev->events[ev->nevents++] = *e;
    else
        perform(ev, e);
}

void eviction_begin(struct eviction *ev, const struct key_report *k, enum rdb_type type)
{
    unsigned row = (unsigned)(row_of(ev, k->name, k->name_len, type) - ev->rows);
    ev->bucket = NO_BUCKET;
    if (within_reach(ev, k)) {
        bool known;
        unsigned log = log_bucket(value_of(ev, k, &known));
        ev->bucket = order_of(ev)->highest_first ? EVICTION_FINE - 1 - log : log;
        ev->with_order += known;
    }
    happen(ev, &(struct eviction_event){.kind = EVENT_BEGIN, .row = (uint16_t)row, .bucket = ev->bucket});
}

void eviction_end(struct eviction *ev, const struct key_report *k)
{
    happen(ev, &(struct eviction_event){.kind = EVENT_END, .request = k->bytes});
    ev->nsample++;
    if (ev->bucket != NO_BUCKET) {
        ev->fine[ev->bucket].keys++;
        ev->fine[ev->bucket].bytes += k->bytes;
    }
}

/* ---------------------------------------------------------------- the cut */

/* Where the order is cut: ranks before `rank` are gone, of it the shares. At random: shares of all within reach. */
struct cut {
    bool random;
    unsigned rank;
    double key_share, byte_share;
};

static double share_of(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

/* The fewest keys of n alike, with these bytes together, that free what is needed. */
static uint64_t keys_for(uint64_t need, uint64_t keys, uint64_t bytes)
{
    double n = bytes ? ceil((double)need * (double)keys / (double)bytes) : 0;
    return n < (double)keys ? (uint64_t)n : keys;
}

static uint64_t bytes_of(uint64_t part, uint64_t keys, uint64_t bytes)
{
    return part == keys ? bytes : (uint64_t)((double)part * (double)bytes / (double)keys + 0.5);
}

static struct cut cut_at_random(struct eviction_report *r)
{
    r->keys = keys_for(r->over_bytes, r->reach_keys, r->reach_bytes);
    r->bytes = bytes_of(r->keys, r->reach_keys, r->reach_bytes);
    double share = share_of(r->keys, r->reach_keys);
    return (struct cut){.random = true, .key_share = share, .byte_share = share};
}

static struct eviction_tally rank_total(const struct eviction *ev, unsigned rank)
{
    struct eviction_tally t = {0, 0};
    for (unsigned i = 0; i < ev->nrows; i++) {
        t.keys += ev->rows[i].ranks[rank].keys;
        t.bytes += ev->rows[i].ranks[rank].bytes;
    }
    return t;
}

static struct cut cut_in_order(const struct eviction *ev, struct eviction_report *r)
{
    struct eviction_tally gone = {0, 0}; /* of the rank that is cut */
    struct cut cut = {0};
    for (unsigned i = 0; i < EVICTION_FINE && r->bytes < r->over_bytes; i++) {
        const struct eviction_tally *t = &ev->fine[i];
        uint64_t keys = keys_for(r->over_bytes - r->bytes, t->keys, t->bytes);
        uint64_t bytes = t->keys ? bytes_of(keys, t->keys, t->bytes) : 0;
        unsigned rank = ev->rank_of[i];
        if (rank != cut.rank)
            gone = (struct eviction_tally){0, 0};
        cut.rank = rank;
        gone.keys += keys;
        gone.bytes += bytes;
        r->keys += keys;
        r->bytes += bytes;
    }
    struct eviction_tally whole = rank_total(ev, cut.rank);
    cut.key_share = share_of(gone.keys, whole.keys);
    cut.byte_share = share_of(gone.bytes, whole.bytes);
    return cut;
}

/* ---------------------------------------------------------------- what is left in the slabs */

/* Between two ranks. Of `slabs` slabs `gone` would go with the last key of the rank, a share p of all regions. Were
 * its regions strewn at random, m of them to a slab that can go, gone / slabs would be p^m; so a share f of the keys
 * takes (p f)^m with it. */
static double slabs_between(double slabs, double gone, double regions, double dying, double f)
{
    if (gone <= 0 || slabs <= 0 || f <= 0)
        return slabs;
    double p = dying / regions, m = regions / slabs;
    if (p < 1 && gone < slabs)
        m = log(gone / slabs) / log(p);
    return slabs - gone * pow(f, m > 1 ? m : 1);
}

static void left_between(const struct slabs *s, unsigned step, double f, struct slabs_expected *left)
{
    struct slabs_large all, rest;
    memset(left, 0, sizeof *left);
    for (unsigned b = 0; b < s->nbins; b++) {
        uint64_t slabs, regions, slabs_next, regions_next;
        slabs_bin_at(s, b, step, &slabs, &regions);
        slabs_bin_at(s, b, step + 1, &slabs_next, &regions_next);
        double dying = (double)(regions - regions_next);
        left->regions[b] = (double)regions - f * dying;
        left->slabs[b] = slabs_between((double)slabs, (double)(slabs - slabs_next), (double)regions, dying, f);
    }
    slabs_large_at(s, step, &all);
    slabs_large_at(s, step + 1, &rest);
    left->large_blocks = (double)all.blocks - f * (double)(all.blocks - rest.blocks);
    left->large_usable = (double)all.usable - f * (double)(all.usable - rest.usable);
    left->large_active = (double)all.active - f * (double)(all.active - rest.active);
}

static void predict_allocator(const struct eviction *ev, const struct cut *cut, const struct analysis *a,
                              struct eviction_report *r)
{
    bool exact;
    struct slabs_expected left;
    struct forecast_step before, after;
    struct forecast_input in = {.a = ev->a, .slabs = ev->slabs, .used_loaded = (double)a->ledger.used_memory};
    in.server = forecast_server_find(ev->pf->family, ev->pf->version, ev->a->kind, &exact);
    if (cut->random)
        slabs_delete_random(ev->slabs, cut->key_share, &left);
    else
        left_between(ev->slabs, cut->rank, cut->byte_share, &left);
    forecast_step(&in, 0,
                  &(struct forecast_moment){.keys = (double)(r->keys_left + r->keys), .used_memory = in.used_loaded},
                  &before);
    forecast_left(&in, &left,
                  &(struct forecast_moment){.keys = (double)r->keys_left, .used_memory = (double)r->used_memory_after},
                  &after);
    r->modelled = true;
    r->allocated_before = (uint64_t)(before.allocator_allocated + 0.5);
    r->active_before = (uint64_t)(before.allocator_active + 0.5);
    r->frag_ratio_before = before.allocator_frag_ratio;
    r->allocated_after = (uint64_t)(after.allocator_allocated + 0.5);
    r->active_after = (uint64_t)(after.allocator_active + 0.5);
    r->frag_ratio_after = after.allocator_frag_ratio;
}

/* ---------------------------------------------------------------- who loses */

static void row_losses(struct eviction_row *row, const struct cut *cut)
{
    double keys = 0, bytes = 0;
    for (unsigned rank = 0; rank <= EVICTION_RANKS; rank++) {
        const struct eviction_tally *t = &row->ranks[rank];
        bool partly = cut->random ? rank != OUT_OF_REACH : rank == cut->rank;
        row->p.keys_before += t->keys;
        row->p.bytes_before += t->bytes;
        if (partly || (!cut->random && rank < cut->rank)) {
            keys += (double)t->keys * (partly ? cut->key_share : 1);
            bytes += (double)t->bytes * (partly ? cut->byte_share : 1);
        }
    }
    row->p.keys = (uint64_t)(keys + 0.5);
    row->p.bytes = (uint64_t)(bytes + 0.5);
}

static int most_bytes_first(const void *x, const void *y)
{
    const struct eviction_prefix *a = x, *b = y;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    int order = memcmp(a->name, b->name, sizeof a->name);
    return order ? order : (a->type > b->type) - (a->type < b->type);
}

static bool report_losses(struct eviction *ev, const struct cut *cut, struct eviction_report *r, unsigned top)
{
    r->prefixes = calloc(ev->nrows, sizeof *r->prefixes);
    if (!r->prefixes)
        return false;
    for (unsigned i = 0; i < ev->nrows; i++) {
        row_losses(&ev->rows[i], cut);
        if (ev->rows[i].p.keys > 0 || ev->rows[i].p.bytes > 0)
            r->prefixes[r->nprefixes++] = ev->rows[i].p;
    }
    qsort(r->prefixes, r->nprefixes, sizeof *r->prefixes, most_bytes_first);
    if (r->nprefixes > top)
        r->nprefixes = top;
    return true;
}

/* ---------------------------------------------------------------- the report */

static void note_unknown_policy(const struct eviction *ev, struct analysis *a)
{
    const struct policy_row *p = &policies[ev->policy];
    int since = strcmp(ev->pf->family, "valkey") == 0 ? p->valkey : p->redis;
    if (since < 0 || ev->pf->version < since)
        analysis_note(a, "%s has no maxmemory-policy %s", a->target, policy_name(ev->policy));
}

static uint64_t keys_loaded(const struct eviction *ev)
{
    uint64_t keys = 0;
    for (unsigned rank = 0; rank <= EVICTION_RANKS; rank++)
        keys += rank_total(ev, rank).keys;
    return keys;
}

static void begin_report(const struct eviction *ev, const struct ledger *l, struct eviction_report *r)
{
    r->asked = true;
    r->maxmemory = ev->maxmemory;
    r->policy = policy_name(ev->policy);
    r->over_bytes = l->used_memory > ev->maxmemory ? l->used_memory - ev->maxmemory : 0;
    r->spare_bytes = l->used_memory < ev->maxmemory ? ev->maxmemory - l->used_memory : 0;
    r->order = order_of(ev)->name;
    r->basis = order_of(ev)->basis;
    for (unsigned i = 0; i < EVICTION_FINE; i++) {
        r->reach_keys += ev->fine[i].keys;
        r->reach_bytes += ev->fine[i].bytes;
    }
}

static void scale_tallies(struct eviction_tally *t, unsigned n, uint64_t by)
{
    for (unsigned i = 0; i < n; i++) {
        t[i].keys *= by;
        t[i].bytes *= by;
    }
}

static void scale_up(struct eviction *ev, uint64_t by)
{
    scale_tallies(ev->fine, EVICTION_FINE, by);
    for (unsigned i = 0; i < ev->nrows; i++)
        scale_tallies(ev->rows[i].ranks, EVICTION_RANKS + 1, by);
}

bool eviction_finish(struct eviction *ev, struct analysis *a, unsigned top, uint64_t scale)
{
    struct eviction_report *r = &a->eviction;
    struct cut cut = {0};
    if (ev->maxmemory == 0)
        return true;
    if (ev->events)
        end_sample(ev);
    scale_up(ev, scale);
    note_unknown_policy(ev, a);
    begin_report(ev, &a->ledger, r);
    if (order_of(ev)->absent && ev->with_order == 0 && r->reach_keys > 0) {
        r->order = "random";
        r->basis = order_of(ev)->absent;
    }
    if (r->order && strcmp(r->order, "random") == 0)
        cut = cut_at_random(r);
    else if (r->order)
        cut = cut_in_order(ev, r);
    r->keys_left = keys_loaded(ev) - r->keys;
    r->short_bytes = r->over_bytes > r->bytes ? r->over_bytes - r->bytes : 0;
    r->used_memory_after = a->ledger.used_memory - r->bytes;
    if (ev->slabs && scale == 1) {
        slabs_finish(ev->slabs);
        predict_allocator(ev, &cut, a, r);
    }
    return report_losses(ev, &cut, r, top);
}
