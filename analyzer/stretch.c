/*
 * stretch.c - see stretch.h.
 */
#include "analyzer/stretch.h"

#include <string.h>

#include "analyzer/segments.h"
#include "rdb/places.h"

enum { TEXT_MOST = 4096 /* of an auxiliary field that is kept */ };

/* ---------------------------------------------------------------- life */

bool reader_open_run(struct reader *r, const struct run *run)
{
    memset(r, 0, sizeof *r);
    r->run = run;
    r->p = rdb_fork(run->p);
    if (!r->p || !rebuild_init(&r->rebuild, r->p, &run->pf, &r->heap) ||
        (run->placement.slabs && !(r->tally = slabs_new_tally(&run->alloc))))
        return false;
    zheap_init(&r->heap, &run->alloc, r->tally);
    zheap_init(&r->aside, &run->alloc, NULL);
    r->rebuild.want_largest = run->rebuild.want_largest;
    r->rebuild.now_ms = run->rebuild.now_ms;
    r->rebuild.primary = run->rebuild.primary;
    r->rebuild.later = &r->later;
    return true;
}

void reader_free(struct reader *r)
{
    if (r->p)
        rebuild_free(&r->rebuild);
    slabs_free(r->tally);
    rdb_close(r->p);
}

/* ---------------------------------------------------------------- values */

/* The key's figures leave the reader's heap, which stands at 0 for the next one. */
static bool take_figures(struct reader *r, struct batch *b, struct job_value *v)
{
    struct zheap *z = r->rebuild.z;
    v->used = z->key_used;
    v->request = z->key_request;
    v->expected = z->key_expected;
    v->cost = zheap_key_take(z);
    v->registration = r->later;
    v->nshares = 0;
    v->large.blocks = 0;
    if (!z->slabs)
        return true;
    struct slabs_share *shares = batch_shares(b, r->run->alloc.nbins);
    if (!shares)
        return false;
    v->share_at = (uint32_t)b->nshares;
    v->nshares = slabs_tally(z->slabs, shares, &v->large);
    b->nshares += v->nshares;
    return true;
}

static bool take_value(struct reader *r, struct batch *b, struct job *j, const struct rdb_key *key)
{
    struct job_value *v = batch_value(b);
    if (!v)
        return false;
    j->kind = JOB_VALUE;
    j->index = (uint32_t)(b->nvalues - 1);
    v->loads = run_begin_key(r->run, key, key->name.data, &v->k);
    r->rebuild.z = v->loads ? &r->heap : &r->aside;
    r->later = (struct registration){0};
    bool whole = run_rebuild_value(&r->rebuild, key, &v->k);
    bool taken = take_figures(r, b, v);
    if (v->k.flags & (KEY_DAMAGED | KEY_EMPTY)) { /* costs nothing; the heap has been told, the tally has not */
        b->nshares -= v->nshares;
        v->nshares = 0;
        v->large = (struct slabs_large){0};
    }
    if (v->k.flags & KEY_DAMAGED)
        j->kind = JOB_HERE;
    return taken && whole;
}

static bool take_string(struct reader *r, struct job *j)
{
    if (!rebuild_read_string(&r->rebuild))
        return false;
    r->rebuild.string.read = false;
    j->kind = JOB_STRING;
    j->len = r->rebuild.string.len;
    j->string_kind = (uint8_t)r->rebuild.string.kind;
    return true;
}

/* ---------------------------------------------------------------- records */

static bool is_passed(const struct reader *r, const struct rdb_key *key)
{
    const struct analyze_options *o = r->run->o;
    return o->findings && !findings_samples(o->findings, key->name.data, key->name.len);
}

/* Keys whose cost may depend on that of others (documents share strings), or whose name is not whole. */
static bool is_for_later(const struct rdb_key *key)
{
    return key->info->type == RDB_T_MODULE || key->meta_classes || key->name.len != key->name.full_len;
}

static bool take_key(struct reader *r, struct batch *b, struct rdb_key key)
{
    struct job *j = batch_job(b);
    if (!j)
        return false;
    j->offset = key.offset;
    j->info = key.info;
    if (!batch_name(b, j, &key.name))
        return false;
    if (is_for_later(&key))
        return true;
    j->expire_ms = key.expire_ms;
    j->idle_s = key.idle_s;
    j->freq = key.freq;
    j->len = key.count;
    j->kind = JOB_PASSED;
    key.name.data = b->names + j->name_at; /* the value's elements may push the other out of the window */
    if (key.info->type == RDB_T_STRING)
        return take_string(r, j);
    return is_passed(r, &key) || take_value(r, b, j, &key);
}

/* Scripts are for later; a dump that turns out to be Dragonfly's is not for threads. */
static bool take_aux(struct batch *b, const struct rdb_event *ev)
{
    bool kept = ev->name.len == ev->name.full_len && ev->value.len == ev->value.full_len && ev->value.len <= TEXT_MOST;
    if (run_text_is(&ev->name, "df-ver"))
        return false;
    return !kept || run_text_is(&ev->name, "lua") || batch_keep_event(b, ev);
}

static bool take_event(struct batch *b, const struct rdb_event *ev)
{
    struct job *j = batch_job(b);
    if (!j)
        return false;
    j->offset = ev->offset;
    switch (ev->kind) {
    case RDB_EV_SELECTDB:
    case RDB_EV_RESIZEDB:
    case RDB_EV_SLOT_INFO: return batch_keep_event(b, ev);
    case RDB_EV_AUX: return take_aux(b, ev);
    case RDB_EV_HASH_TEMPLATE: return false;
    default: return true;
    }
}

bool reader_take(struct reader *r, struct batch *b)
{
    struct rdb_event ev;
    int kind = rdb_next(r->p, &ev);
    if (kind <= 0)
        return false;
    bool taken = kind == RDB_EV_KEY ? take_key(r, b, ev.key) : take_event(b, &ev);
    if (!taken || !rdb_rest(r->p))
        return false;
    struct job *j = &b->jobs[b->njobs - 1];
    j->record = rdb_tell(r->p) - j->offset;
    return rdb_between(r->p);
}

void reader_give(struct reader *r, struct batch *b)
{
    zheap_labels_take(&r->heap, &b->labels);
}
