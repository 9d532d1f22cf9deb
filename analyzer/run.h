/*
 * run.h - one pass over one dump: what the files share that take part in it. From the top: analyze.c (the pass), crew.c and stretch.c
 * (by several threads), merge.c, records.c, keys.c beside strings.c, kin.c.
 */
#ifndef RDBMEM_RUN_H
#define RDBMEM_RUN_H

#include "analyzer/aggregate.h"
#include "analyzer/alike.h"
#include "analyzer/batch.h"
#include "analyzer/eviction.h"
#include "analyzer/functions.h"
#include "analyzer/keyspace.h"
#include "analyzer/kin.h"
#include "analyzer/moments.h"
#include "analyzer/pins.h"
#include "analyzer/placement.h"
#include "analyzer/real.h"
#include "analyzer/rebuild.h"

struct run {
    rdb_parser *p;
    const struct analyze_options *o;
    struct analysis *a;
    struct profile pf;
    struct allocator alloc;
    _Alignas(CACHE_LINES) struct zheap heap; /* what the server holds; above is what other threads read */
    struct zheap aside;                      /* keys that it would not load: costed, not held */
    struct rebuild rebuild;
    struct keyspace keyspace;
    struct functions functions;
    struct aggregate aggregate;
    struct placement placement;
    struct pins pins;
    struct eviction eviction;
    struct real *real;   /* NULL: no replay */
    struct alike *alike; /* table of costs */
    struct alike_learner learner;
    const struct job *job;     /* being reported; NULL: the record is read from p */
    const struct batch *batch; /* its batch */
    uint32_t key_db;           /* database of the last key reported from a batch */
    bool wants_crew;
    uint64_t crew_look; /* number of records at which crew_is_worth_it() is asked again */
    unsigned kin_bins;  /* of whom has the most */
    unsigned kin_calm;  /* keys, or more, since the last one that had no kin */
    unsigned nkin;      /* slots in use, and which */
    uint16_t kin_list[1 << KIN_BITS];
    struct alike_list waiting;
    struct kin *kin;         /* table; NULL: each key is to be told */
    struct key_report shown; /* to the streamed formats: what all that have kin are alike in stays */
    struct moments moments;  /* marks: slabs_fate() without a tag; rows: lanes_row_of() */
    unsigned expired_spans;  /* the first ones are of keys that have expired */
    uint64_t keys_read;      /* whatever became of them */
    bool ready, stopped;
    bool quick; /* strings may go by strings_take() */
    bool sums;  /* nothing is asked about single keys, but by the streamed formats */
    bool wants_slot;
    uint32_t db;
};

/* keys.c: fills what is known of a key before its value is read. */
void run_begin_report(const struct run *run, const struct rdb_key *key, const uint8_t *name, struct key_report *k);

/* keys.c: the same, and whether the target would load it. */
bool run_begin_key(const struct run *run, const struct rdb_key *key, const uint8_t *name, struct key_report *k);

/* keys.c: rebuild_key() for what is no string. A value that is not whole, or not kept, costs nothing. False: the input ended
 * or broke. */
bool run_rebuild_value(struct rebuild *r, const struct rdb_key *key, struct key_report *k);

/* keys.c: the key of run->job; k: what is known of its value, NULL: its value was not rebuilt. */
void run_merge_key(struct run *run, const struct rdb_key *key, struct key_report *k, bool loads);

/* keys.c: a database begins; a key that has come. */
void run_select_db(struct run *run, uint32_t db);
void run_key(struct run *run, struct rdb_event *ev);

/* records.c: whether these are the bytes of text. */
bool run_text_is(const struct rdb_bytes *b, const char *text);

/* records.c: any record of run->p; a look at the clock and at signals. */
void run_record(struct run *run, struct rdb_event *ev);
void run_progress(struct run *run, const struct rdb_info *info);

/* keys.c: a key is known: into the sums, findings, streamed formats. */
void run_tell_key(struct run *run, struct key_report *k);

/* strings.c: the quick way for strings, which are alike_*.h */

/* False: memory is out. */
bool strings_begin(struct run *run);
void strings_free(struct run *run);

/* A key has come; SEGMENTS_PAD bytes behind text, a copy of its name, are readable. True: it is a string, was read and told, or the
 * input broke. False: it is to be rebuilt (a string's value may have been read into run->rebuild.string). */
bool strings_take(struct run *run, const struct rdb_key *key, const uint8_t *text);

/* The same for a string whose value stands in run->rebuild.string already; record: length of its record. */
bool strings_take_read(struct run *run, const struct rdb_key *key, const uint8_t *text, uint64_t record);

/* rebuild_key() for a string that strings_take() did not take, and what is to follow when it has been told. */
void strings_rebuild(struct run *run, const struct rdb_key *key, struct key_report *k);
void strings_learned(struct run *run, const struct key_report *k);

/* What waits goes to the sums of the current database. */
void strings_settle(struct run *run);

/* A string of known cost, whose record has this length; what waits of one cost. */
void strings_known(struct run *run, struct alike *s, const struct rdb_key *key, const struct groups_name *name,
                   uint64_t record);
void strings_settle_cost(struct run *run, struct alike *s);

/* kin.c: many strings at once, see kin.h. After strings_begin() and before strings_free(); false: memory is out. */
bool kin_begin(struct run *run);
void kin_free(struct run *run);
void kin_settle(struct run *run);

/* Takes of the strings that come next those that are understood: how many. */
size_t kin_take(struct run *run);

/* merge.c: reports what stands in a batch, which is used up by it. False: the run has stopped, or p has failed. */
bool merge_batch(struct run *run, struct batch *b);

/* crew.c: whether the rest of the dump, behind so many records, is for several threads, by what those were like; reads what they
 * can read of it. p then stands behind that. */
bool crew_is_worth_it(struct run *run, uint64_t records);
void crew_pass(struct run *run);

#endif
