/*
 * batch.h - what a thread has found out about the records of one stretch of a dump, to be reported later.
 *
 * Filled by stretch.c, record by record, each key's value costed in a heap of its own; reported by merge.c in the order of the
 * file. Only what does not depend on the records before is in it.
 */
#ifndef RDBMEM_BATCH_H
#define RDBMEM_BATCH_H

#include "analyzer/rebuild.h"

/* What one thread writes all the time is to be in no line of the processor's cache that another one uses (they come in pairs). */
enum { CACHE_LINES = 128 };

enum job_kind {
    JOB_STRING, /* of a string only the head was looked at: len, string_kind */
    JOB_VALUE,  /* rebuilt: values[index] */
    JOB_PASSED, /* a key whose value nobody asks for; len: its count in the file */
    JOB_EVENT,  /* no key: events[index] */
    JOB_HERE    /* what this record means depends on others: whoever reports reads it again */
};

struct job {
    uint64_t offset, record; /* where it stands, its length */
    const struct rdb_type_info *info;
    int64_t expire_ms, idle_s;
    uint64_t len;
    uint32_t name_at, name_len; /* in names, SEGMENTS_PAD readable bytes behind it */
    uint32_t index;
    int16_t freq;
    uint8_t kind, string_kind;
};

/* Of a JOB_VALUE. */
struct job_value {
    struct key_report k; /* all but name and database */
    bool loads;          /* costed as what the server holds */
    /* what charging it takes */
    struct zkey cost;
    uint64_t used, request;
    double expected;
    struct registration registration;
    uint32_t share_at, nshares; /* in shares */
    struct slabs_large large;
};

struct batch {
    _Alignas(CACHE_LINES) struct job *jobs;
    struct job_value *values;
    struct rdb_event *events; /* their texts stand in names: see batch_event() */
    uint8_t *names;
    struct slabs_share *shares;
    size_t njobs, nvalues, nevents, names_len, nshares;
    size_t jobs_room, values_room, events_room, names_room, shares_room;
    struct zlabels labels; /* of all values */
};

void batch_begin(struct batch *b);
void batch_free(struct batch *b);

/* One more; it moves when the next one comes. NULL: memory is out. */
struct job *batch_job(struct batch *b);                         /* cleared */
struct job_value *batch_value(struct batch *b);                 /* not */
struct slabs_share *batch_shares(struct batch *b, size_t most); /* room for so many behind nshares */

/* Appends a copy of the name, with what may be read behind it. False: memory is out. */
bool batch_name(struct batch *b, struct job *j, const struct rdb_bytes *name);

/* A copy of the event becomes the last job's, with its texts. False: memory is out. batch_event() lends it again. */
bool batch_keep_event(struct batch *b, const struct rdb_event *ev);
struct rdb_event batch_event(const struct batch *b, const struct job *j);

#endif
