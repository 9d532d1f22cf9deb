/*
 * records.c - one record: a key, or what stands between keys.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/run.h"
#include "analyzer/target.h"

/* "slot,keys,expires[,fields]" of Valkey in cluster mode */
static void slot_info_text(struct run *run, const struct rdb_bytes *value)
{
    char text[96], *at = text;
    uint64_t number[4] = {0, 0, 0, 0};
    size_t n = value->len < sizeof text - 1 ? value->len : sizeof text - 1;
    memcpy(text, value->data, n);
    text[n] = 0;
    for (int i = 0; i < 4; i++) {
        number[i] = strtoull(at, &at, 10);
        if (*at++ != ',')
            break;
    }
    if (run->pf.keyspace == KEYSPACE_HASHTABLE)
        keyspace_slot_hint(&run->keyspace, number[0], number[1], number[2], number[3]);
}

/* A library or a script. What was not lent of a long one is read over: until then its length is only a claim. */
static void outside_keys(struct run *run, const struct rdb_event *ev)
{
    struct functions before = run->functions;
    struct zmark mark;
    bool more;
    zheap_mark(&run->heap, &mark);
    if (run->heap.slabs)
        slabs_server(run->heap.slabs); /* also behind keys, where older servers save scripts */
    if (ev->kind == RDB_EV_AUX)
        functions_script(&run->functions, &run->pf, &run->heap, ev->value.full_len);
    else
        functions_library(&run->functions, &run->pf, &run->heap, &ev->value);
    if (ev->value.len < ev->value.full_len)
        (void)rdb_elements(run->p, &(struct rdb_element){0}, 0, &more);
    if (rdb_failed(run->p)) {
        zheap_rewind(&run->heap, &mark);
        run->functions = before;
    }
}

/* Its items are read over here, to know how long it is. */
static void module_aux(struct run *run, const struct rdb_event *ev)
{
    struct rdb_element el[64];
    uint64_t id = ev->num[0], begin = ev->offset;
    bool more = true;
    run->a->file.module_aux++;
    while (more)
        (void)rdb_elements(run->p, el, 64, &more);
    if (!rdb_failed(run->p))
        modules_aux(&run->aggregate.modules, id, rdb_tell(run->p) - begin);
}

bool run_text_is(const struct rdb_bytes *b, const char *text)
{
    return b->len == strlen(text) && memcmp(b->data, text, b->len) == 0;
}

static void aux(struct run *run, const struct rdb_event *ev)
{
    file_aux(&run->a->file, &ev->name, &ev->value);
    if (!run->ready)
        return;
    if (run_text_is(&ev->name, "slot-info"))
        slot_info_text(run, &ev->value);
    else if (run_text_is(&ev->name, "lua"))
        outside_keys(run, ev);
}

void run_record(struct run *run, struct rdb_event *ev)
{
    struct file_report *f = &run->a->file;
    switch (ev->kind) {
    case RDB_EV_KEY:
        run->keys_read++;
        run_key(run, ev);
        break;
    case RDB_EV_AUX: aux(run, ev); break;
    case RDB_EV_SELECTDB: run_select_db(run, (uint32_t)ev->num[0]); break;
    case RDB_EV_RESIZEDB:
        aggregate_hint(&run->aggregate, ev->num[0], ev->num[1]);
        keyspace_hint(&run->keyspace, ev->num[0], ev->num[1]);
        break;
    case RDB_EV_SLOT_INFO:
        if (run->pf.keyspace == KEYSPACE_KVSTORE)
            keyspace_slot_hint(&run->keyspace, ev->num[0], ev->num[1], ev->num[2], 0);
        break;
    case RDB_EV_FUNCTION:
    case RDB_EV_FUNCTION_PRE_GA:
        f->functions++;
        f->function_bytes_source += ev->value.full_len;
        outside_keys(run, ev);
        break;
    case RDB_EV_MODULE_AUX: module_aux(run, ev); break;
    case RDB_EV_UPDATE:
        analysis_note(run->a,
                      "the dump holds replicated commands between its keys (offset %llu): they were not applied",
                      (unsigned long long)ev->offset);
        break;
    default: break;
    }
}

void run_progress(struct run *run, const struct rdb_info *info)
{
    const struct analyze_options *o = run->o;
    run->stopped = o->on_progress && !o->on_progress(o->on_progress_ctx, info, run->keys_read);
}
