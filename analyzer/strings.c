/*
 * strings.c - the quick way for strings that cost what others before them did. See alike.h.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/run.h"

bool strings_begin(struct run *run)
{
    const struct analyze_options *o = run->o;
    run->quick = !o->explain && !run->heap.watched && (!o->findings || findings_scale(o->findings) <= 1);
    run->sums = !o->findings || findings_are_sums(o->findings);
    size_t bytes = sizeof *run->alike << ALIKE_BITS;
    run->alike = aligned_alloc(sizeof *run->alike, bytes);
    if (run->alike)
        memset(run->alike, 0, bytes);
    return run->alike != NULL;
}

void strings_free(struct run *run)
{
    free(run->alike);
}

/* ---------------------------------------------------------------- sums */

void strings_settle_cost(struct run *run, struct alike *s)
{
    bool expires = alike_expires(s->id);
    struct key_report k = {.expire_ms = expires ? 0 : -1};
    if (s->waiting == 0)
        return;
    alike_report(s->id, &s->cost, &k);
    alike_labels(s, &run->heap);
    if (run->sums) {
        aggregate_strings(&run->aggregate, &k, s->counted, s->record);
        if (run->o->findings)
            findings_strings(run->o->findings, k.bytes, expires, s->counted);
    }
    s->waiting = s->counted = s->record = 0;
}

void strings_settle(struct run *run)
{
    if (run->alike == NULL)
        return;
    if (run->waiting.n < ALIKE_LIST)
        for (unsigned i = 0; i < run->waiting.n; i++)
            strings_settle_cost(run, &run->alike[run->waiting.at[i]]);
    else
        for (size_t i = 0; i < (size_t)1 << ALIKE_BITS; i++)
            strings_settle_cost(run, &run->alike[i]);
    run->waiting.n = 0;
    kin_settle(run);
}

/* ---------------------------------------------------------------- learning */

void strings_rebuild(struct run *run, const struct rdb_key *key, struct key_report *k)
{
    bool learns = run->learner.found.id != 0;
    if (learns)
        alike_learn(&run->learner, &run->heap, run->learner.found.id);
    rebuild_key(&run->rebuild, key, k);
    if (learns)
        zheap_trace(&run->heap, NULL, NULL);
}

void strings_learned(struct run *run, const struct key_report *k)
{
    struct alike *s;
    uint64_t id = run->learner.found.id;
    if (id == 0)
        return;
    run->learner.found.id = 0;
    if (!alike_learned(&run->learner, k))
        return;
    s = alike_slot(run->alike, id);
    strings_settle_cost(run, s);
    *s = run->learner.found;
    s->id = id;
}

/* ---------------------------------------------------------------- keys */

/* The key's blocks, and its place in the keyspace. */
static inline __attribute__((always_inline)) void load(struct run *run, const struct alike *s,
                                                       const struct rdb_key *key, const struct groups_name *name)
{
    struct placement *pl = &run->placement;
    bool expires = key->expire_ms >= 0;
    unsigned death = placement_death(pl, key->expire_ms);
    unsigned tag = RDB_T_STRING;
    if (pl->slabs) {
        tag = pins_tag(&run->pins, name->text, name->len, name->blanked, RDB_T_STRING);
        alike_pass(s, pl->slabs, slabs_fate(death, tag));
    }
    placement_end(pl, death, expires, s->cost.bytes);
    run->heap.used += s->cost.bytes;
    if (keyspace_quiet(&run->keyspace, expires))
        return;
    placement_begin(pl, death, tag);
    unsigned slot = run->wants_slot ? keyspace_slot_of(name->text, name->len) : 0;
    keyspace_key(&run->keyspace, expires, false, slot, &(struct rdb_bytes){name->text, name->len, name->len});
}

/* It costs as much as the least of the largest keys, or more. */
static __attribute__((noinline)) bool is_largest(const struct run *run, const struct alike *s,
                                                 const struct rdb_key *key, const uint8_t *name)
{
    struct key_report k = {.bytes = s->cost.bytes, .file = run->o->file, .db = key->db, .offset = key->offset};
    k.name = name;
    k.name_len = key->name.len;
    return topn_takes(&run->aggregate.by_bytes, &k);
}

/* Whether the key says nothing to the sums that a count does not. */
static inline bool counts_only(const struct run *run, const struct alike *s, const struct rdb_key *key,
                               const uint8_t *name)
{
    return run->sums && key->idle_s < 0 && key->freq < 0 &&
           (!topn_wants(&run->aggregate.by_bytes, s->cost.bytes) || !is_largest(run, s, key, name));
}

static inline void count(struct run *run, struct alike *s, const struct rdb_key *key, const struct groups_name *name,
                         uint64_t record)
{
    s->counted++;
    s->record += record;
    if (key->expire_ms >= 0)
        aggregate_expiry(&run->aggregate, key->expire_ms, false, 1, s->cost.bytes);
    if (run->o->findings)
        findings_string(run->o->findings, name, s->cost.group_tag, s->cost.bytes, key->expire_ms);
}

/* All that is known of it is asked for; counted: by the streamed formats alone. */
static __attribute__((noinline)) void tell(struct run *run, const struct alike *s, const struct rdb_key *key,
                                           const uint8_t *name, uint64_t record, bool counted)
{
    struct key_report k;
    run_begin_report(run, key, name, &k);
    alike_report(s->id, &s->cost, &k);
    k.record = record;
    if (k.idle_s < 0 && k.freq < 0 && k.slot < 0)
        k.alike = alike_number(s->id, record);
    if (counted)
        run->o->on_key(run->o->on_key_ctx, &k);
    else
        run_tell_key(run, &k);
}

void strings_known(struct run *run, struct alike *s, const struct rdb_key *key, const struct groups_name *name,
                   uint64_t record)
{
    load(run, s, key, name);
    if (s->waiting++ == 0 && run->waiting.n < ALIKE_LIST)
        run->waiting.at[run->waiting.n++] = (uint16_t)(s - run->alike);
    bool counts = counts_only(run, s, key, name->text);
    if (counts)
        count(run, s, key, name, record);
    if (!counts || run->o->on_key)
        tell(run, s, key, name->text, record, counts);
}

static bool is_usual(const struct run *run, const struct rdb_key *key)
{
    return run->quick && key->info->type == RDB_T_STRING && key->name.len == key->name.full_len &&
           (key->expire_ms < 0 || key->expire_ms >= run->a->now_ms);
}

/* The value is in run->rebuild.string. */
static inline __attribute__((always_inline)) bool take_read(struct run *run, const struct rdb_key *key,
                                                            const uint8_t *text, uint64_t record)
{
    struct rebuild *r = &run->rebuild;
    uint64_t id = alike_id(key->name.len, r->string.len, r->string.kind, key->expire_ms >= 0);
    if (id == 0)
        return false;
    struct alike *s = alike_slot(run->alike, id);
    if (s->id != id) {
        run->learner.found.id = id;
        return false;
    }
    r->string.read = false;
    struct groups_name name = {text, key->name.len, segments_blanked(text, key->name.len)};
    strings_known(run, s, key, &name, record);
    return true;
}

bool strings_take(struct run *run, const struct rdb_key *key, const uint8_t *text)
{
    run->learner.found.id = 0;
    if (!is_usual(run, key))
        return false;
    return !rebuild_read_string(&run->rebuild) || take_read(run, key, text, rdb_tell(run->p) - key->offset);
}

bool strings_take_read(struct run *run, const struct rdb_key *key, const uint8_t *text, uint64_t record)
{
    run->learner.found.id = 0;
    return is_usual(run, key) && take_read(run, key, text, record);
}
