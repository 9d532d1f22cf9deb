/*
 * kin.c - many strings at once. See kin.h.
 */
#include "analyzer/kin.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/run.h"
#include "rdb/strings.h"

enum { AT_ONCE = 64, CUTS = PLACEMENT_STEPS + EXPIRY_BUCKETS + DIST_ROWS };

/* ---------------------------------------------------------------- life */

static void settle(struct run *run, struct kin *kin)
{
    struct alike *s = &kin->cost;
    if (kin->keys == 0)
        return;
    s->waiting = s->counted = kin->keys;
    s->record = kin->record;
    if (run->o->findings)
        findings_cell_strings(run->o->findings, kin->cell, kin->bytes, kin->keys);
    strings_settle_cost(run, s);
    kin->keys = kin->record = kin->seen = 0;
}

static void settle_moments(struct run *run)
{
    struct moments *m = &run->moments;
    for (unsigned span = 0; span < m->n; span++) {
        struct moments_sum *sum = &m->sum[span];
        bool expires = moments_expires(m, span);
        int64_t expire_ms = expires ? (int64_t)m->first[span] : -1;
        if (sum->keys == 0)
            continue;
        placement_add(&run->placement, placement_death(&run->placement, expire_ms), expires, sum->keys, sum->bytes);
        if (expires) {
            aggregate_expiry(&run->aggregate, expire_ms, false, sum->keys, sum->bytes);
            if (run->o->findings)
                findings_ttl(run->o->findings, expire_ms, sum->keys, sum->bytes);
        }
        *sum = (struct moments_sum){0, 0};
    }
}

void kin_settle(struct run *run)
{
    if (run->kin == NULL)
        return;
    for (size_t i = 0; i < (size_t)1 << KIN_BITS; i++)
        settle(run, &run->kin[i]);
    settle_moments(run);
}

/* Prefixes are about to be merged: all must have been counted where it belongs, and cells will be others. */
static void part(void *ctx)
{
    struct run *run = ctx;
    kin_settle(run);
    memset(run->kin, 0, sizeof *run->kin << KIN_BITS);
}

/* Time is cut wherever one of the tables does. */
static void begin_moments(struct run *run)
{
    int64_t cuts[CUTS];
    struct moments *m = &run->moments;
    unsigned n = placement_cuts(&run->placement, cuts);
    n += aggregate_cuts(&run->aggregate, cuts + n);
    if (run->o->findings)
        n += findings_cuts(run->o->findings, cuts + n);
    cuts[n++] = run->a->now_ms;
    moments_init(m, cuts, n);
    for (unsigned span = 0; span < m->n; span++) {
        int64_t expire_ms = moments_expires(m, span) ? (int64_t)m->first[span] : -1;
        run->fates[span] = slabs_fate(placement_death(&run->placement, expire_ms), 0);
        run->expired_spans += expire_ms >= 0 && expire_ms < run->a->now_ms;
    }
}

bool kin_begin(struct run *run)
{
    size_t bytes = sizeof *run->kin << KIN_BITS;
    if (!run->quick || !run->sums)
        return true;
    run->kin = aligned_alloc(sizeof *run->kin, bytes);
    if (run->kin == NULL)
        return false;
    memset(run->kin, 0, bytes);
    begin_moments(run);
    if (run->o->findings)
        findings_before_merge(run->o->findings, part, run);
    return true;
}

void kin_free(struct run *run)
{
    if (run->kin && run->o->findings)
        findings_before_merge(run->o->findings, NULL, NULL);
    free(run->kin);
}

/* ---------------------------------------------------------------- a key without kin */

static struct rdb_key key_of(const struct run *run, const struct rdb_string *s, uint64_t offset)
{
    return (struct rdb_key){.db = run->db,
                            .name = {s->name, s->name_len, s->name_len},
                            .expire_ms = s->expire_ms,
                            .idle_s = -1,
                            .freq = -1,
                            .offset = offset};
}

/* One of the two slots becomes that of this name and cost, unless its own have been met since it was last asked for. */
static void meet(struct run *run, struct kin *kin, const struct alike *s, uint64_t blanked)
{
    uint32_t cell = 0;
    unsigned tag = RDB_T_STRING;
    if (kin->keys != kin->seen) {
        kin->seen = kin->keys;
        kin = kin_other(run->kin, kin);
    }
    if (kin->keys != kin->seen) {
        kin->seen = kin->keys;
        return;
    }
    if ((run->placement.slabs && !pins_known(&run->pins, blanked, RDB_T_STRING, &tag)) ||
        (run->o->findings && !findings_cell(run->o->findings, blanked, s->group_tag, &cell)))
        return;
    settle(run, kin);
    *kin = (struct kin){.id = s->id,
                        .blanked = blanked,
                        .bytes = s->bytes,
                        .cell = cell,
                        .tag = (uint16_t)tag,
                        .nbins = run->placement.slabs ? s->nbins : 0,
                        .cost = *s};
    memcpy(kin->bin, s->bin, sizeof kin->bin);
    kin->cost.waiting = kin->cost.counted = kin->cost.record = 0;
}

/* False: what it costs is to be found out first. */
static __attribute__((noinline)) bool stranger(struct run *run, const struct rdb_string *s, uint64_t id,
                                               uint64_t blanked, uint64_t offset)
{
    struct alike *cost = alike_slot(run->alike, id);
    if (id == 0 || cost->id != id)
        return false;
    struct rdb_key key = key_of(run, s, offset);
    struct groups_name name = {s->name, s->name_len, blanked};
    strings_known(run, cost, &key, &name, s->record);
    if (kin_find(run->kin, id, blanked) == NULL)
        meet(run, kin_slot(run->kin, id, blanked), cost, blanked);
    return true;
}

/* ---------------------------------------------------------------- many keys */

/* What is found out of each before any is counted, in short loops of which no round waits for another. */
struct batch {
    size_t n;
    struct rdb_string s[AT_ONCE];
    uint64_t id[AT_ONCE], blanked[AT_ONCE];
    uint8_t span[AT_ONCE];
};

/* Which strings a question has to be put to. Whether the next one is among them cannot be foreseen, so there is no branch. */
struct selection {
    unsigned n;
    uint8_t at[AT_ONCE];
};

static inline void select_if(struct selection *l, size_t i, bool condition)
{
    l->at[l->n] = (uint8_t)i;
    l->n += condition;
}

/* One that has expired, and what is behind it, is left to rdb_next(). */
static void find_spans(const struct run *run, struct batch *b)
{
    struct selection expiring = {.n = 0};
    for (size_t i = 0; i < b->n; i++) {
        b->span[i] = (uint8_t)(run->moments.n - 1);
        select_if(&expiring, i, b->s[i].expire_ms >= 0);
    }
    for (unsigned j = 0; j < expiring.n; j++) {
        unsigned i = expiring.at[j];
        b->span[i] = (uint8_t)moments_span(&run->moments, b->s[i].expire_ms);
        if (__builtin_expect(b->span[i] < run->expired_spans, 0)) {
            b->n = i;
            return;
        }
    }
}

static uint64_t id_of(const struct rdb_string *s, enum string_kind kind)
{
    return alike_id(s->name_len, s->len, kind, s->expire_ms >= 0);
}

static void find_ids(struct run *run, struct batch *b)
{
    struct selection unclear = {.n = 0};
    uint64_t text_max = (uint64_t)run->pf.int_text_max, short_max = (uint64_t)run->pf.embstr_max;
    for (size_t i = 0; i < b->n; i++) {
        const struct rdb_string *s = &b->s[i];
        b->id[i] = id_of(s, s->len <= short_max ? STR_SHORT : STR_RAW);
        b->blanked[i] = segments_blanked(s->name, s->name_len);
        select_if(&unclear, i, s->len <= text_max); /* an integer, or a text that may be one */
    }
    for (unsigned j = 0; j < unclear.n; j++) {
        const struct rdb_string *s = &b->s[unclear.at[j]];
        struct rdb_element e = {.data = s->data, .len = s->len, .num = s->num, .clen = s->clen, .form = s->form};
        b->id[unclear.at[j]] = id_of(s, rebuild_string_kind(&run->rebuild, &e));
    }
}

static __attribute__((noinline)) void to_keyspace(struct run *run, const struct rdb_string *s, unsigned span,
                                                  unsigned tag)
{
    struct rdb_bytes name = {s->name, s->name_len, s->name_len};
    placement_begin(&run->placement, slabs_death(run->fates[span]), tag);
    keyspace_key(&run->keyspace, s->expire_ms >= 0, false, run->wants_slot ? keyspace_slot_of(s->name, s->name_len) : 0,
                 &name);
}

static inline void count(struct run *run, struct kin *kin, const struct rdb_string *s, unsigned span)
{
    struct moments_sum *sum = &run->moments.sum[span];
    slabs_fate_t fate = run->fates[span] | kin->tag;
    kin->keys++;
    kin->record += s->record;
    sum->keys++;
    sum->bytes += kin->bytes;
    for (unsigned i = 0; i < kin->nbins; i++)
        slabs_pass(run->placement.slabs, kin->bin[i].bin, kin->bin[i].count, fate);
    run->heap.used += kin->bytes;
    if (__builtin_expect(!keyspace_quiet(&run->keyspace, s->expire_ms >= 0), 0))
        to_keyspace(run, s, span, kin->tag);
}

size_t kin_take(struct run *run)
{
    struct batch b;
    size_t i = 0;
    if (run->kin == NULL || (b.n = rdb_strings(run->p, b.s, AT_ONCE)) == 0)
        return 0;
    uint64_t offset = rdb_tell(run->p);
    find_spans(run, &b);
    find_ids(run, &b);
    for (; i < b.n; offset += b.s[i++].record) {
        struct kin *kin = kin_find(run->kin, b.id[i], b.blanked[i]);
        if (__builtin_expect(kin && kin->bytes < topn_least(&run->aggregate.by_bytes), 1))
            count(run, kin, &b.s[i], b.span[i]);
        else if (!stranger(run, &b.s[i], b.id[i], b.blanked[i], offset))
            break;
    }
    rdb_strings_take(run->p, b.s, i);
    return i;
}
