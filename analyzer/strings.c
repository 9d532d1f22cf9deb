/*
 * strings.c - the quick way for strings that cost what others before them did. See alike.h.
 */
#include <stdlib.h>

#include "analyzer/run.h"

bool strings_begin(struct run *run)
{
    const struct analyze_options *o = run->o;
    run->quick = !o->explain && !run->heap.watched && (!o->findings || findings_scale(o->findings) <= 1);
    run->sums = !o->on_key && (!o->findings || findings_are_sums(o->findings));
    run->alike = calloc((size_t)1 << ALIKE_BITS, sizeof *run->alike);
    return run->alike != NULL;
}

void strings_free(struct run *run)
{
    free(run->alike);
}

/* ---------------------------------------------------------------- sums */

static void settle(struct run *run, struct alike *s)
{
    struct key_report k = {.expire_ms = s->expires ? 0 : -1};
    if (s->waiting == 0)
        return;
    alike_report(s, &k);
    alike_labels(s, &run->heap);
    if (run->sums) {
        aggregate_strings(&run->aggregate, &k, s->counted, s->record);
        if (run->o->findings)
            findings_strings(run->o->findings, k.bytes, s->expires, s->counted);
    }
    s->waiting = s->counted = s->record = 0;
}

void strings_settle(struct run *run)
{
    if (run->alike == NULL)
        return;
    for (size_t i = 0; i < (size_t)1 << ALIKE_BITS; i++)
        settle(run, &run->alike[i]);
}

/* ---------------------------------------------------------------- learning */

void strings_rebuild(struct run *run, const struct rdb_key *key, struct key_report *k)
{
    bool learns = run->learner.cost.id != 0;
    if (learns)
        alike_learn(&run->learner, &run->heap, run->learner.cost.id);
    rebuild_key(&run->rebuild, key, k);
    if (learns)
        zheap_trace(&run->heap, NULL, NULL);
}

void strings_learned(struct run *run, const struct key_report *k)
{
    struct alike *s;
    uint64_t id = run->learner.cost.id;
    if (id == 0)
        return;
    run->learner.cost.id = 0;
    if (!alike_learned(&run->learner, k))
        return;
    s = alike_slot(run->alike, id);
    settle(run, s);
    *s = run->learner.cost;
    s->id = id;
}

/* ---------------------------------------------------------------- keys */

/* The key's blocks, and its place in the keyspace. */
static void load(struct run *run, const struct alike *s, const struct key_report *k)
{
    struct placement *pl = &run->placement;
    unsigned death = placement_death(pl, k->expire_ms);
    if (pl->slabs) {
        slabs_key(pl->slabs, death, RDB_T_STRING);
        alike_give(s, pl->slabs);
    }
    placement_end(pl, death, s->expires, s->bytes);
    run->heap.used += s->bytes;
    keyspace_plain_key(&run->keyspace, s->expires, k->slot < 0 ? 0 : (unsigned)k->slot,
                       &(struct rdb_bytes){k->name, k->name_len, k->name_full_len});
}

/* Whether the key says nothing that a count does not. */
static bool counts_only(const struct run *run, const struct alike *s, const struct key_report *k)
{
    return run->sums && k->idle_s < 0 && k->freq < 0 && !topn_wants(&run->aggregate.by_bytes, s->bytes);
}

static void count(struct run *run, struct alike *s, const struct key_report *k, uint64_t record)
{
    s->counted++;
    s->record += record;
    if (s->expires)
        aggregate_expiry(&run->aggregate, k->expire_ms, false, s->bytes);
    if (run->o->findings)
        findings_string(run->o->findings, k->name, k->name_len, s->group_tag, s->bytes, k->expire_ms);
}

bool strings_take(struct run *run, const struct rdb_key *key, struct key_report *k)
{
    struct rebuild *r = &run->rebuild;
    run->learner.cost.id = 0;
    if (!run->quick || key->info->type != RDB_T_STRING || k->flags != 0)
        return false;
    if (!rebuild_read_string(r))
        return true;
    uint64_t id = alike_id(k->name_len, r->string.len, r->string.kind, k->expire_ms >= 0);
    if (id == 0)
        return false;
    struct alike *s = alike_slot(run->alike, id);
    if (s->id != id) {
        run->learner.cost.id = id;
        return false;
    }
    r->string.read = false;
    uint64_t record = rdb_tell(run->p) - k->offset;
    load(run, s, k);
    s->waiting++;
    if (counts_only(run, s, k)) {
        count(run, s, k, record);
        return true;
    }
    alike_report(s, k);
    k->record = record;
    run_tell_key(run, k);
    return true;
}
