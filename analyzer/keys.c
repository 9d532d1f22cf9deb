/*
 * keys.c - one key: what it costs, where its blocks fall, who is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/explain.h"
#include "analyzer/run.h"

void run_select_db(struct run *run, uint32_t db)
{
    strings_settle(run);
    run->db = db;
    aggregate_select(&run->aggregate, db);
    keyspace_select(&run->keyspace, db);
}

static void damaged(struct run *run, const struct key_report *k)
{
    struct file_report *f = &run->a->file;
    if (f->error.kind != RDB_OK)
        return;
    f->error.kind = RDB_ERR_CORRUPT;
    f->error.offset = k->offset;
    snprintf(f->error.expected, sizeof f->error.expected,
             "value of the key at this offset is damaged: %s (at byte %llu of it)", run->rebuild.damage,
             (unsigned long long)run->rebuild.damage_at);
    f->error.has_key = true;
    f->error.db = k->db;
    f->error.key_len = k->name_len < sizeof f->error.key ? k->name_len : sizeof f->error.key;
    memcpy(f->error.key, k->name, f->error.key_len);
}

static void to_keyspace(struct run *run, const struct rdb_key *key, const struct key_report *k)
{
    bool fields = key->info->layout == RDB_L_HASH_TTL || key->info->layout == RDB_L_BLOB_TTL;
    keyspace_key(&run->keyspace, k->expire_ms >= 0, fields, k->slot < 0 ? 0 : (unsigned)k->slot,
                 &(struct rdb_bytes){k->name, k->name_len, k->name_full_len});
}

/* A key whose value is not read: not the one to explain, or not of the sample, when the tables still have to know it. */
static bool passes_over(struct run *run, const struct rdb_key *key, const struct key_report *k, bool loads)
{
    if (run->o->explain)
        return !explain_wants(run->o->explain, k->db, k->name, k->name_len);
    if (!run->o->findings || findings_samples(run->o->findings, k->name, k->name_len))
        return false;
    if (loads)
        to_keyspace(run, key, k);
    return true;
}

/* A big key's own slabs: while it is the latest key that the slab model has met. */
static void own_slabs(const struct run *run, struct key_report *k)
{
    struct slabs_own own;
    if (!(k->flags & (KEY_BIG_BYTES | KEY_BIG_ELEMENTS | KEY_BIG_ELEMENT)) || !run->placement.slabs ||
        k->flags & (KEY_NOT_LOADED | KEY_DAMAGED))
        return;
    slabs_key_own(run->placement.slabs, &own);
    k->flags |= KEY_HAS_OWN;
    k->given_back = own.slab_bytes + own.large_bytes;
    k->stranded = own.stranded_bytes;
}

/* The key is known: sums, findings, streamed formats. */
void run_tell_key(struct run *run, struct key_report *k)
{
    if (k->flags & KEY_DAMAGED)
        damaged(run, k);
    if (!run->o->findings || findings_take(run->o->findings, k)) {
        own_slabs(run, k);
        aggregate_key(&run->aggregate, k);
        if (run->o->findings)
            findings_key(run->o->findings, k);
        if (run->o->on_key)
            run->o->on_key(run->o->on_key_ctx, k);
    } else {
        aggregate_load(&run->aggregate, k);
    }
    if ((k->flags & KEY_DAMAGED) && !run->o->skip_damaged)
        run->stopped = true;
}

static void explained(struct run *run, const struct key_report *k)
{
    zheap_trace(&run->heap, NULL, NULL);
    zheap_trace(&run->aside, NULL, NULL);
    explain_finish(run->o->explain, k);
    run->stopped = true;
}

/* Blocks that come between these two are the key's. */
static void begin_blocks(struct run *run, const struct key_report *k, enum rdb_type type, unsigned death)
{
    if (run->placement.slabs)
        placement_begin(&run->placement, death,
                        pins_tag(&run->pins, k->name, k->name_len, segments_blanked(k->name, k->name_len), type));
    if (!run->heap.followers)
        return;
    if (run->eviction.maxmemory)
        eviction_begin(&run->eviction, k, type);
    if (run->real)
        real_key(run->real, death, k);
}

static void end_blocks(struct run *run, const struct key_report *k, unsigned death)
{
    placement_end(&run->placement, death, k->expire_ms >= 0, k->bytes);
    if (!run->heap.followers)
        return;
    if (run->eviction.maxmemory)
        eviction_end(&run->eviction, k);
    if (run->real)
        real_server(run->real);
}

/* A value that is not whole, or not kept, costs nothing: what was charged for its beginning is taken back, so that the sums are those
 * of the keys that are reported. */
static void take_back(struct zheap *z, struct key_report *k, const struct zmark *mark)
{
    zheap_rewind(z, mark);
    if (z->slabs)
        slabs_key_drop(z->slabs);
    k->bytes = k->payload = k->rounding = k->memory_usage = k->elements = k->largest = 0;
    k->variance = 0;
}

static bool is_collection(enum rdb_type type)
{
    return type == RDB_T_LIST || type == RDB_T_SET || type == RDB_T_ZSET || type == RDB_T_HASH;
}

/* It is known before its value is read that the target will not have the key. What is packed has to be looked into. */
static bool begins_empty(const struct run *run, const struct rdb_key *key)
{
    static const uint32_t counted = 1U << RDB_L_ITEMS | 1U << RDB_L_ZSET_TEXT | 1U << RDB_L_ZSET_BINARY |
                                    1U << RDB_L_HASH | 1U << RDB_L_HASH_TTL | 1U << RDB_L_QUICKLIST |
                                    1U << RDB_L_QUICKLIST2;
    return run->pf.skips_empty && key->count == 0 && counted >> key->info->layout & 1;
}

/* Nothing was in it, or nothing is left: its fields have all expired. */
static void skip_empty(const struct rebuild *r, struct key_report *k)
{
    if (!r->pf->skips_empty || k->elements || !is_collection(k->type) || k->flags & KEY_DAMAGED || rdb_failed(r->p))
        return;
    k->flags = (k->flags | KEY_EMPTY | KEY_NOT_LOADED) & ~(unsigned)KEY_STOCHASTIC;
    k->has_memory_usage = false;
}

bool run_rebuild_value(struct rebuild *r, const struct rdb_key *key, struct key_report *k)
{
    struct zmark mark;
    zheap_mark(r->z, &mark);
    rebuild_key(r, key, k);
    skip_empty(r, k);
    if (rdb_failed(r->p) || (k->flags & (KEY_DAMAGED | KEY_EMPTY)))
        take_back(r->z, k, &mark);
    return !rdb_failed(r->p);
}

/* What another thread has found the value to cost: as rebuild_key() would have charged it. */
static void charge_job(struct run *run, const struct rdb_key *key, struct key_report *k)
{
    const struct job_value *v = &run->batch->values[run->job->index];
    struct zheap *z = run->rebuild.z;
    zheap_key_give(z, &v->cost);
    if (z->slabs)
        slabs_give_tally(z->slabs, run->batch->shares + v->share_at, v->nshares, &v->large);
    if (!v->registration.hash && !v->registration.stream)
        return;
    rebuild_register(&run->rebuild, key, &v->registration);
    rebuild_figures(k, v->used + z->key_used, v->request + z->key_request, v->expected + z->key_expected,
                    k->variance + z->key_variance);
}

/* False: the input ended or broke inside the value. One that is damaged, and whose end is known, or that is not loaded
 * because it is empty, is a key without a cost. */
static bool rebuild_whole(struct run *run, const struct rdb_key *key, struct key_report *k)
{
    if (key->info->type == RDB_T_STRING) { /* nothing is charged for a string that is not there, and none is damaged */
        strings_rebuild(run, key, k);
        return !rdb_failed(run->p);
    }
    if (run->job) {
        charge_job(run, key, k);
        return true;
    }
    return run_rebuild_value(&run->rebuild, key, k);
}

static void read_key(struct run *run, const struct rdb_key *key, struct key_report *k, bool loads)
{
    unsigned death = placement_death(&run->placement, k->expire_ms);
    run->rebuild.z = loads ? &run->heap : &run->aside;
    if (run->o->explain)
        zheap_trace(run->rebuild.z, explain_block, run->o->explain);
    if (loads)
        begin_blocks(run, k, key->info->type, death);
    if (!rebuild_whole(run, key, k))
        return;
    loads = loads && !(k->flags & (KEY_DAMAGED | KEY_EMPTY));
    k->record = run->job ? run->job->record : rdb_tell(run->p) - k->offset;
    if (run->o->explain) {
        explained(run, k);
        return;
    }
    if (loads) {
        end_blocks(run, k, death);
        to_keyspace(run, key, k);
    }
    run_tell_key(run, k);
    strings_learned(run, k);
}

void run_begin_report(const struct run *run, const struct rdb_key *key, const uint8_t *name, struct key_report *k)
{
    k->flags = 0;
    k->bytes = 0;
    k->variance = 0;
    k->module[0] = 0;
    k->alike = 0;
    k->db = key->db;
    k->name = name;
    k->name_len = key->name.len;
    k->name_full_len = key->name.full_len;
    k->expire_ms = key->expire_ms;
    k->idle_s = key->idle_s;
    k->freq = key->freq;
    k->offset = key->offset;
    k->file = run->o->file;
    k->slot = run->wants_slot ? (int)keyspace_slot_of(name, key->name.len) : -1;
    if (k->name_full_len > k->name_len)
        k->flags |= KEY_NAME_CUT;
    if (k->expire_ms >= 0 && k->expire_ms < run->a->now_ms)
        k->flags |= KEY_EXPIRED;
}

bool run_begin_key(const struct run *run, const struct rdb_key *key, const uint8_t *name, struct key_report *k)
{
    run_begin_report(run, key, name, k);
    bool loads = !(k->flags & KEY_EXPIRED) || run->o->load_as != LOAD_MASTER;
    loads = loads && !begins_empty(run, key);
    if (!loads)
        k->flags |= KEY_NOT_LOADED;
    return loads;
}

static __attribute__((noinline)) void any_key(struct run *run, const struct rdb_key *key, const uint8_t *name)
{
    struct key_report k;
    bool loads = run_begin_key(run, key, name, &k);
    if (!passes_over(run, key, &k, loads))
        read_key(run, key, &k, loads);
}

void run_merge_key(struct run *run, const struct rdb_key *key, struct key_report *k, bool loads)
{
    if (key->db != run->db || run->aggregate.ndbs == 0)
        run_select_db(run, key->db);
    if (k)
        read_key(run, key, k, loads);
    else if (run->job->kind != JOB_STRING || !strings_take_read(run, key, key->name.data, run->job->record))
        any_key(run, key, key->name.data);
}

void run_key(struct run *run, struct rdb_event *ev)
{
    enum { USUAL = RDB_NAME_PAD, ROOM = 4096 };
    const struct rdb_key *key = &ev->key;
    size_t len = key->name.len;
    uint8_t room[ROOM + SEGMENTS_PAD], *name = room; /* the value's elements may push the name out of the window */
    if (key->db != run->db || run->aggregate.ndbs == 0)
        run_select_db(run, key->db);
    if (len > ROOM && (name = malloc(len + SEGMENTS_PAD)) == NULL)
        return;
    if (len <= USUAL)
        memcpy(name, key->name.data, USUAL);
    else
        memcpy(name, key->name.data, len);
    if (!strings_take(run, key, name))
        any_key(run, key, name);
    if (name != room)
        free(name);
}
