/*
 * merge.c - what threads found out about a stretch of the dump, reported as if its records were read now.
 */
#include "analyzer/run.h"
#include "rdb/places.h"

enum { NEAR = 128 * 1024 /* bytes that are passed over rather than read anew behind them */ };

static struct rdb_key key_of(const struct run *run, const struct batch *b, const struct job *j)
{
    return (struct rdb_key){.name = {b->names + j->name_at, j->name_len, j->name_len},
                            .db = run->db,
                            .info = j->info,
                            .expire_ms = j->expire_ms,
                            .idle_s = j->idle_s,
                            .freq = j->freq,
                            .count = j->kind == JOB_PASSED ? j->len : 1,
                            .array_insert = UINT64_MAX,
                            .offset = j->offset};
}

static void merge_value(struct run *run, const struct rdb_key *key, struct job_value *v)
{
    v->k.db = key->db;
    v->k.name = key->name.data;
    run_merge_key(run, key, &v->k, v->loads);
}

static void merge_key(struct run *run, struct batch *b, const struct job *j)
{
    struct rdb_key key = key_of(run, b, j);
    run->job = j;
    if (j->kind == JOB_STRING)
        run->rebuild.string = (struct string_value){j->len, (enum string_kind)j->string_kind, true};
    if (j->kind == JOB_VALUE)
        merge_value(run, &key, &b->values[j->index]);
    else
        run_merge_key(run, &key, NULL, false);
    run->job = NULL;
    run->key_db = run->db;
}

/* ---------------------------------------------------------------- records that are read again */

/* p stands at the record's first byte. */
static void go_there(struct run *run, const struct job *j)
{
    uint64_t at = rdb_tell(run->p);
    if (rdb_between(run->p) && at <= j->offset && j->offset - at <= NEAR && rdb_advance(run->p, j->offset)) {
        rdb_select(run->p, run->db);
        return;
    }
    rdb_restart(run->p, &(struct rdb_place){.offset = j->offset, .db = run->db});
}

static void merge_here(struct run *run, const struct job *j)
{
    struct rdb_event ev = {.kind = RDB_EV_ERROR};
    go_there(run, j);
    if (rdb_next(run->p, &ev) > 0)
        run_record(run, &ev);
    if (ev.kind == RDB_EV_KEY)
        run->key_db = run->db;
    if (!run->stopped)
        (void)rdb_rest(run->p);
}

bool merge_batch(struct run *run, struct batch *b)
{
    zheap_labels_give(&run->heap, &b->labels);
    run->batch = b;
    for (size_t i = 0; i < b->njobs && !run->stopped && !rdb_failed(run->p); i++) {
        const struct job *j = &b->jobs[i];
        if (j->kind == JOB_HERE) {
            merge_here(run, j);
        } else if (j->kind == JOB_EVENT) {
            struct rdb_event ev = batch_event(b, j);
            run_record(run, &ev);
        } else {
            run->keys_read++;
            merge_key(run, b, j);
        }
    }
    return !run->stopped && !rdb_failed(run->p);
}
