/*
 * kin.c - many strings at once. See kin.h.
 */
#include "analyzer/kin.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/blanked.h"
#include "analyzer/run.h"
#include "rdb/strings.h"

enum { CUTS = PLACEMENT_STEPS + EXPIRY_BUCKETS + DIST_ROWS };

/* ---------------------------------------------------------------- life */

static void settle(struct run *run, struct kin *kin)
{
    if (kin->keys == 0)
        return;
    struct alike s = {
        .id = kin->id, .waiting = kin->keys, .counted = kin->keys, .record = kin->record, .cost = kin->cost};
    if (run->o->findings)
        findings_cell_strings(run->o->findings, kin->cell, kin->bytes, kin->keys);
    strings_settle_cost(run, &s);
    kin->keys = kin->record = 0;
    kin->seen = 0;
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
        sum->keys = sum->bytes = 0;
    }
}

/* All slots are free afterwards: who comes again finds its way back, and those who came once need not be looked at with
 * every change of the database. */
static void part(void *ctx)
{
    struct run *run = ctx;
    for (unsigned i = 0; i < run->nkin; i++) {
        struct kin *kin = &run->kin[run->kin_list[i]];
        settle(run, kin);
        kin->id = 0;
    }
    run->nkin = 0;
    if (run->placement.slabs)
        lanes_reset(run->placement.slabs);
}

void kin_settle(struct run *run)
{
    if (run->kin == NULL)
        return;
    part(run);
    settle_moments(run);
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
        unsigned death = placement_death(&run->placement, expire_ms);
        m->sum[span].mark = slabs_fate(death, 0);
        m->sum[span].row = lanes_row_of(death);
        run->expired_spans += expire_ms >= 0 && expire_ms < run->a->now_ms;
    }
}

static bool begin_lanes(struct run *run)
{
    struct slabs *slabs = run->placement.slabs;
    return slabs == NULL || (slabs->lanes = lanes_new(slabs)) != NULL;
}

bool kin_begin(struct run *run)
{
    size_t bytes = sizeof *run->kin << KIN_BITS;
    if (!run->quick || !run->sums || (run->o->on_key && run->wants_slot) || run->pf.int_text_max < RDB_INTEGER_BYTES)
        return true;
    run->kin = aligned_alloc(sizeof *run->kin, bytes);
    if (run->kin == NULL || !begin_lanes(run))
        return false;
    memset(run->kin, 0, bytes);
    run->shown = (struct key_report){.idle_s = -1, .freq = -1, .slot = -1, .file = run->o->file};
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

enum { ROWS = 64 };

/* What is found out of each string before any is counted, in short loops of which no round waits for another. */
struct rows {
    unsigned n, nexpiring, nunclear;
    struct row {
        struct rdb_string s;
        uint64_t id, blanked;
        uint32_t record; /* its length */
        unsigned span;   /* of its expiry */
    } row[ROWS];
    /* Which of them a question has to be put to: those that expire, and integers and texts that may be some. Whether the
     * next one is among them cannot be foreseen, so no branch asks. */
    uint8_t expiring[ROWS], unclear[ROWS];
};

static struct rdb_key key_of(const struct run *run, const struct rdb_string *s, uint64_t offset)
{
    return (struct rdb_key){.db = run->db,
                            .name = {s->name, s->name_len, s->name_len},
                            .expire_ms = s->expire_ms,
                            .idle_s = -1,
                            .freq = -1,
                            .offset = offset};
}

static void to_bins(struct run *run, struct kin *kin)
{
    const struct alike_cost *c = &kin->cost;
    for (unsigned i = 0; i < ALIKE_BLOCKS; i++)
        kin->bin[i] = i < c->nbins ? c->bin[i] : (struct slabs_few){SLABS_NO_BIN, 0};
    run->kin_bins = c->nbins > run->kin_bins ? c->nbins : run->kin_bins;
    lanes_admit(run->placement.slabs, c->bin, c->nbins, kin->tag, &kin->take, &kin->row);
}

/* Whether somebody is to have this slot: who wanted it last time too, unless its own have been met meanwhile. */
static bool is_to_have(struct kin *kin, uint32_t who)
{
    uint32_t keys = (uint32_t)kin->keys;
    bool twice = kin->wanted == who, idle = kin->id == 0 || kin->seen == keys;
    kin->wanted = who;
    kin->seen = keys;
    return twice && idle;
}

/* Of names that come once there may be millions: only the second with this form and cost is given a slot. */
static void meet(struct run *run, const struct row *row, const struct alike *s)
{
    uint32_t cell = 0, who = (uint32_t)(row->blanked + row->id);
    unsigned tag = RDB_T_STRING;
    struct kin *kin = kin_slot(run->kin, row->id, row->blanked);
    if (!is_to_have(kin, who) && !is_to_have(kin = kin_other(run->kin, kin), who))
        return;
    uint64_t blanked = row->blanked | (row->blanked == 0);
    if ((run->placement.slabs && !pins_known(&run->pins, blanked, RDB_T_STRING, &tag)) ||
        (run->o->findings && !findings_cell(run->o->findings, blanked, s->cost.group_tag, &cell)))
        return;
    settle(run, kin);
    if (kin->id == 0)
        run->kin_list[run->nkin++] = (uint16_t)(kin - run->kin);
    *kin = (struct kin){.id = s->id,
                        .blanked = row->blanked,
                        .bytes = s->cost.bytes,
                        .cell = cell,
                        .tag = (uint16_t)tag,
                        .cost = s->cost};
    if (run->placement.slabs)
        to_bins(run, kin);
}

/* False: what it costs is to be found out first. */
static __attribute__((noinline)) bool stranger(struct run *run, const struct row *row, uint64_t offset)
{
    const struct rdb_string *s = &row->s;
    struct alike *cost = alike_slot(run->alike, row->id);
    if (cost->id != row->id)
        return false;
    struct rdb_key key = key_of(run, s, offset);
    struct groups_name name = {s->name, s->name_len, row->blanked | (row->blanked == 0)};
    strings_known(run, cost, &key, &name, row->record);
    if (kin_find(run->kin, row->id, row->blanked) == NULL)
        meet(run, row, cost);
    return true;
}

/* ---------------------------------------------------------------- many keys: what each is */

/* As if none expired or was an integer. */
static __attribute__((noinline)) void find_rows(const struct run *run, struct rows *b)
{
    struct rdb_strings look;
    uint32_t text_max = (uint32_t)run->pf.int_text_max, short_max = (uint32_t)run->pf.embstr_max;
    unsigned no_expiry = run->moments.n - 1, n = 0, nexpiring = 0, nunclear = 0;
    if (rdb_strings_begin(run->p, &look)) {
        for (; n < ROWS; n++) {
            struct row *row = &b->row[n];
            struct rdb_string *s = &row->s;
            const uint8_t *begin = look.at;
            if (!rdb_strings_next(&look, s))
                break;
            uint32_t len = s->len, name_len = s->name_len;
            bool expires = s->expire_ms >= 0;
            row->record = (uint32_t)(s->end - begin);
            row->id = alike_id_short(name_len, len, len <= short_max ? STR_SHORT : STR_RAW, expires);
            row->blanked = blanked_hash(s->name, name_len);
            row->span = no_expiry;
            b->expiring[nexpiring] = b->unclear[nunclear] = (uint8_t)n;
            nexpiring += expires;
            nunclear += len <= text_max;
        }
    }
    b->n = n;
    b->nexpiring = nexpiring;
    b->nunclear = nunclear;
}

static __attribute__((noinline)) void find_kinds(struct run *run, struct rows *b)
{
    for (unsigned j = 0; j < b->nunclear; j++) {
        struct row *row = &b->row[b->unclear[j]];
        struct rdb_element e;
        rdb_string_value(&row->s, &e);
        row->id = alike_id_short(row->s.name_len, e.len, rebuild_string_kind(&run->rebuild, &e), row->s.expire_ms >= 0);
    }
}

/* One that has expired, and what is behind it, is left to rdb_next(). */
static __attribute__((noinline)) void find_spans(const struct run *run, struct rows *b)
{
    for (unsigned j = 0; j < b->nexpiring; j++) {
        struct row *row = &b->row[b->expiring[j]];
        row->span = moments_span(&run->moments, row->s.expire_ms);
        if (__builtin_expect(row->span < run->expired_spans, 0)) {
            b->n = b->expiring[j];
            b->nexpiring = j;
            return;
        }
    }
}

/* ---------------------------------------------------------------- many keys: counting them */

static __attribute__((noinline)) void to_keyspace(struct run *run, const struct rdb_string *s, slabs_fate_t fate)
{
    struct rdb_bytes name = {s->name, s->name_len, s->name_len};
    placement_begin(&run->placement, slabs_death(fate), slabs_tag(fate));
    keyspace_key(&run->keyspace, s->expire_ms >= 0, false, run->wants_slot ? keyspace_slot_of(s->name, s->name_len) : 0,
                 &name);
}

static inline void count(struct run *run, struct kin *kin, const struct row *row)
{
    struct moments_sum *sum = &run->moments.sum[row->span];
    uint32_t bytes = kin->bytes;
    kin->keys++;
    kin->record += row->record;
    sum->keys++;
    sum->bytes += bytes;
    run->heap.used += bytes;
}

/* rounds: bins of whom has the most. Who has fewer has none again (SLABS_NO_BIN): nobody knows who comes next. */
static inline void pass(struct slabs *slabs, const struct kin *kin, slabs_fate_t fate, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        slabs_pass(slabs, &slabs->open[kin->bin[i].bin], kin->bin[i].count, fate);
}

static uint64_t offset_of(const struct run *run, const struct rows *b, const struct row *row)
{
    return rdb_tell(run->p) + (uint64_t)(row->s.end - row->record - (b->row[0].s.end - b->row[0].record));
}

/* One of the least size that is in the list of largest keys, with a name that stands behind the last one's. */
static bool stays_out(const struct run *run, const struct kin *kin, const struct rdb_string *s)
{
    const struct topn *largest = &run->aggregate.by_bytes;
    return kin->bytes == largest->least && topn_is_behind(largest, run->o->file, run->db, s->name, s->name_len);
}

/* To the streamed formats: rows whose kin have counted them, and are still there. */
static __attribute__((noinline)) void show(struct run *run, const struct rows *b, unsigned from, unsigned to)
{
    struct key_report *k = &run->shown;
    k->db = run->db;
    for (unsigned i = from; i < to; i++) {
        const struct row *row = &b->row[i];
        k->alike = alike_number(row->id, row->record);
        alike_report(row->id, &kin_find(run->kin, row->id, row->blanked)->cost, k);
        k->name = row->s.name;
        k->name_len = k->name_full_len = row->s.name_len;
        k->expire_ms = row->s.expire_ms;
        k->offset = offset_of(run, b, row);
        k->record = row->record;
        run->o->on_key(run->o->on_key_ctx, k);
    }
}

/* Those that are to be counted with the row; NULL: it is a stranger. least: topn_least(). */
static inline struct kin *kin_of(const struct run *run, const struct row *row, uint64_t least)
{
    struct kin *kin = kin_find(run->kin, row->id, row->blanked);
    return __builtin_expect(kin && (kin->bytes < least || stays_out(run, kin, &row->s)), 1) ? kin : NULL;
}

/* Those from the first one on; how many of all then are. quiet: the keyspace has been told that all will be. */
static inline __attribute__((always_inline)) unsigned count_all(struct run *run, const struct rows *b, unsigned first,
                                                                bool quiet)
{
    struct slabs *slabs = run->placement.slabs;
    uint64_t least = topn_least(&run->aggregate.by_bytes);
    unsigned rounds = run->kin_bins, n = b->n, i = first, shown = first;
    for (; i < n; i++) {
        const struct row *row = &b->row[i];
        struct kin *kin = kin_of(run, row, least);
        bool expires = row->s.expire_ms >= 0;
        if (__builtin_expect(kin != NULL, 1)) {
            slabs_fate_t fate = run->moments.sum[row->span].mark | kin->tag;
            count(run, kin, row);
            pass(slabs, kin, fate, rounds);
            if (!quiet && __builtin_expect(!keyspace_quiet(&run->keyspace, expires), 0))
                to_keyspace(run, &row->s, fate);
            continue;
        }
        run->kin_calm = 0;
        if (run->o->on_key)
            show(run, b, shown, i);
        shown = i + 1;
        if (quiet)
            keyspace_quiet_back(&run->keyspace, 1, expires);
        if (!stranger(run, row, offset_of(run, b, row)))
            return i;
        least = topn_least(&run->aggregate.by_bytes);
        rounds = run->kin_bins;
    }
    if (run->o->on_key)
        show(run, b, shown, i);
    return i;
}

static __attribute__((noinline)) unsigned count_loudly(struct run *run, const struct rows *b)
{
    return count_all(run, b, 0, false);
}

/* The keyspace has been told of all. */
static __attribute__((noinline)) unsigned count_quietly(struct run *run, const struct rows *b, unsigned first)
{
    unsigned taken = count_all(run, b, first, true);
    for (unsigned i = taken + 1; i < b->n; i++)
        keyspace_quiet_back(&run->keyspace, 1, b->row[i].s.expire_ms >= 0);
    return taken;
}

/* ---------------------------------------------------------------- many keys: all bins at once */

/* Bringing home what is lent and lending it again costs as much as passing some dozen keys: strings have to be among
 * themselves. */
enum { CALM = 256 };

static bool is_calm(const struct run *run, const struct rows *b)
{
    const struct slabs *slabs = run->placement.slabs;
    return slabs && run->kin_calm >= CALM && !slabs->lanes->full &&
           (b->n == ROWS || slabs->lanes->nlent == slabs->lanes->nbins);
}

/* Regions of bins that have no lane. */
static __attribute__((noinline)) void pass_others(struct run *run, const struct rows *b, unsigned end)
{
    struct slabs *slabs = run->placement.slabs;
    for (unsigned i = 0; i < end; i++) {
        const struct row *row = &b->row[i];
        const struct kin *kin = kin_find(run->kin, row->id, row->blanked);
        slabs_fate_t fate = run->moments.sum[row->span].mark | kin->tag;
        for (unsigned j = 0; j < ALIKE_BLOCKS; j++)
            if (slabs->lanes->of[kin->bin[j].bin] == LANES)
                slabs_pass(slabs, &slabs->open[kin->bin[j].bin], kin->bin[j].count, fate);
    }
}

/* Those up to the first stranger; how many. */
static inline __attribute__((always_inline)) unsigned count_in_lanes(struct run *run, const struct rows *b, bool wide)
{
    struct slabs *slabs = run->placement.slabs;
    struct lanes *lanes = slabs->lanes;
    union lanes_row room;
    uint64_t least = topn_least(&run->aggregate.by_bytes);
    unsigned n = b->n, i = 0;
    if (!slabs_lend(slabs))
        return 0;
    room = lanes->room;
    for (; i < n; i++) {
        const struct row *row = &b->row[i];
        struct kin *kin = kin_of(run, row, least);
        if (__builtin_expect(kin == NULL, 0))
            break;
        const struct moments_sum *sum = &run->moments.sum[row->span];
        count(run, kin, row);
        unsigned over = lanes_take(&room, &kin->take, wide);
        if (__builtin_expect(over == 0, 1)) {
            lanes_add(lanes, &kin->take, kin->row + sum->row, wide);
            continue;
        }
        lanes->room = room;
        slabs_pass_over(slabs, &kin->take, kin->row + sum->row, over);
        room = lanes->room;
    }
    lanes->room = room;
    if (lanes->others)
        pass_others(run, b, i);
    return i;
}

static __attribute__((noinline)) unsigned count_narrowly(struct run *run, const struct rows *b)
{
    return count_in_lanes(run, b, false);
}

static __attribute__((noinline)) unsigned count_widely(struct run *run, const struct rows *b)
{
    return count_in_lanes(run, b, true);
}

/* All, or those up to the first one that is to be passed. */
static unsigned count_calmly(struct run *run, const struct rows *b)
{
    if (!is_calm(run, b))
        return 0;
    return lanes_are_wide(run->placement.slabs->lanes) ? count_widely(run, b) : count_narrowly(run, b);
}

/* ---------------------------------------------------------------- many keys: all of it */

size_t kin_take(struct run *run)
{
    struct rows b;
    unsigned taken;
    if (run->kin == NULL)
        return 0;
    find_rows(run, &b);
    find_spans(run, &b);
    find_kinds(run, &b);
    if (keyspace_quiet_many(&run->keyspace, b.n, b.nexpiring)) {
        taken = count_calmly(run, &b);
        if (run->o->on_key)
            show(run, &b, 0, taken);
        if (taken < b.n)
            taken = count_quietly(run, &b, taken);
    } else {
        taken = count_loudly(run, &b);
    }
    if (b.n == ROWS && taken == ROWS && run->kin_calm < CALM)
        run->kin_calm += ROWS;
    if (taken > 0)
        rdb_strings_take(run->p, &b.row[taken - 1].s);
    return taken;
}
