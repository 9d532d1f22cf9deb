/*
 * crew.c - one dump read by several threads. The report does not depend on how many there are.
 *
 * The rest of the dump is cut into stretches of equal length. Each thread takes the next one, looks for a place in it where
 * records begin (rdb_sync), and reads from there to where the next stretch's thread has begun; what a value costs depends on
 * nothing before it. Everything that does depend on the order - tables, slabs, groups, lists, what is printed - happens when a
 * stretch is merged: by one thread at a time, whichever is free, in the order of the file.
 *
 *     nominal   |- - - - - - 4 - - - - - -|- - - - - - 5 - - - - - -|- - - - - - 6 - -
 *     read         |=========================|========================|=====
 *                  start of 4                start of 5               start of 6
 *
 * That records begin where a thread thinks so is only a guess. The first stretch's beginning is known; whoever reads a stretch whose
 * beginning was right meets the next one's, and confirms it, or passes over it: then that stretch is void, what was read of it is
 * dropped, and its records are read from here. So a wrong guess costs time and nothing else. A long value in which nothing looks
 * like records is simply read through, and a stretch whose beginning is still being looked for is not waited for.
 *
 * Where threads cannot go on (the end, an error, records that need those before) the stretch ends, and with it the crew: the run's
 * own parser reads the rest from there, and says what there is to be said.
 *
 * Memory: each stretch on its way has a batch, of a bounded number of records; a fuller one waits for its turn and is merged in
 * parts.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/run.h"
#include "analyzer/stretch.h"
#include "rdb/places.h"
#include "rdb/thread.h"

enum {
    STRETCH_LEAST = 2 * 1024 * 1024,
    STRETCH_MOST = 16 * 1024 * 1024,
    STRETCHES_OF_A_THREAD = 32, /* of a dump that is not very large: the last ones end at nearly the same time */
    STRETCHES_LEAST = 4,        /* left of a dump for which threads are begun */
    JOBS_MOST = 384 * 1024,     /* in all batches together: 24 MiB */
    VALUES_MOST = 64 * 1024,
    NAMES_MOST = 16 * 1024 * 1024,
    SNAP = 1024 * 1024,      /* bytes after which the checksum is noted again */
    LOOK_AFTER = 512,        /* records */
    SEEN_BYTES = 512 * 1024, /* or records, from which it is seen what they are like */
    SEEN_RECORDS = 4096,
    SHORT = 200 /* bytes of a record, in the mean: below, handing over costs as much as dealing with it at once */
};

#define NOWHERE UINT64_MAX

struct stretch {
    _Alignas(CACHE_LINES) uint64_t number; /* of the nominal ones */
    uint64_t begin;
    uint64_t start;     /* of its first record; NOWHERE: none was found */
    uint64_t from, end; /* what is in the batch */
    uint64_t crc,
        snap; /* checksum of the bytes from `from` to snap, which is `end` but for a stretch that ends the crew */
    uint64_t following; /* number of the first stretch that does not lie before `end` */
    bool synced;        /* start is known */
    bool done;          /* read */
    bool ends;
    atomic_bool isvoid;  /* another thread reads its records */
    struct batch *batch; /* while it is being read, and until it is merged */
};

struct hand {
    _Alignas(CACHE_LINES) struct crew *crew;
    pthread_t thread;
    bool runs;
    uint64_t at; /* p stands there, between records; NOWHERE: anywhere */
    struct reader reader;
};

struct crew {
    struct run *run;
    struct hand *hands; /* [0]: the caller's */
    struct stretch *ring;
    struct batch *batches, **spare; /* as many as stretches; those that are free, the last used one last */
    unsigned nspare;
    unsigned nhands, nring;
    uint64_t begin, length, total; /* of the stretches; their number */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* anything below */
    uint64_t next, merged;  /* numbers of the stretches that nobody has taken, that are not merged yet */
    uint64_t next_start;    /* of the next one's first record, where the one before has found it; else NOWHERE */
    bool merging;           /* one thread is at it: run and place are its own */
    bool over;

    struct rdb_place place; /* all before is merged */
    uint64_t place_end;     /* where the crew's part ends; place.crc covers what is before place.offset */
    uint8_t key[RDB_NAME_PAD * 4];
};

static struct stretch *stretch_of(const struct crew *c, uint64_t number)
{
    return &c->ring[number % c->nring];
}

static uint64_t nominal(const struct crew *c, uint64_t number)
{
    return c->begin + number * c->length;
}

/* ---------------------------------------------------------------- merging, one thread at a time */

/* The last key so far, should the run's parser fail before it meets another. */
static void note_key(struct crew *c, const struct batch *b)
{
    size_t i = b->njobs;
    while (i > 0 && b->jobs[i - 1].info == NULL)
        i--;
    if (i == 0)
        return;
    const struct job *j = &b->jobs[i - 1];
    c->place.key_len = j->name_len < sizeof c->key ? j->name_len : sizeof c->key;
    memcpy(c->key, b->names + j->name_at, c->place.key_len);
    c->place.key = c->key;
    c->place.key_db = c->run->key_db;
}

/* Without the lock. True: the crew's work is over. */
static bool merge_stretch(struct crew *c, const struct stretch *s)
{
    struct rdb_info info = *rdb_info(c->run->p);
    bool good = merge_batch(c->run, s->batch);
    note_key(c, s->batch);
    c->place.crc = rdb_checksum_join(c->place.crc, s->crc, s->snap - s->from);
    c->place.offset = s->snap;
    c->place_end = s->end;
    info.offset = info.file_offset = s->end;
    if (good)
        run_progress(c->run, &info);
    return !good || c->run->stopped || s->ends;
}

/* With the lock: the turn to merge is another's. What is being read now is for nobody when the work is over. */
static void merged(struct crew *c, bool over)
{
    c->merging = false;
    c->over = c->over || over;
    for (uint64_t n = c->merged; c->over && n < c->next; n++)
        stretch_of(c, n)->isvoid = true;
    pthread_cond_broadcast(&c->changed);
}

/* With the lock. False: there is nothing to merge, or another thread does it. */
static bool merge_next(struct crew *c)
{
    struct stretch *s = stretch_of(c, c->merged);
    if (c->merging || c->over || c->merged == c->next || !s->done)
        return false;
    c->merging = true;
    pthread_mutex_unlock(&c->lock);
    bool over = !s->isvoid && merge_stretch(c, s);
    pthread_mutex_lock(&c->lock);
    c->merged++;
    c->spare[c->nspare++] = s->batch;
    merged(c, over);
    return true;
}

/* With the lock. */
static void wait_or_merge(struct crew *c)
{
    if (!merge_next(c))
        pthread_cond_wait(&c->changed, &c->lock);
}

/* ---------------------------------------------------------------- where a stretch ends */

/* With the lock. The reader of s stands at a record's end, at or behind where s may end. True: here it does. False: it is to
 * go on to *limit. */
static bool ends_here(struct crew *c, struct stretch *s, uint64_t at, uint64_t *limit)
{
    for (; !s->isvoid && !c->over; s->following++) {
        struct stretch *t = stretch_of(c, s->following);
        if (s->following == c->total) {
            *limit = NOWHERE;
            return false;
        }
        if (s->following == c->next) {
            c->next_start = at;
            return true;
        }
        bool there = t->synced && !t->isvoid && t->start != NOWHERE;
        if (there && t->start == at)
            return true;
        if (there && t->start > at) {
            *limit = t->start;
            return false;
        }
        t->isvoid = true;
        pthread_cond_broadcast(&c->changed);
    }
    return true;
}

/* ---------------------------------------------------------------- reading, without the lock */

static void part_begin(struct stretch *s, struct hand *h)
{
    batch_begin(s->batch);
    rdb_checksum_reset(h->reader.p);
    s->from = s->snap = s->end = h->at;
    s->crc = 0;
}

static void part_end(struct stretch *s, struct hand *h)
{
    reader_give(&h->reader, s->batch);
    if (s->ends) /* beyond the end already: the checksum up to there is not to be had */
        return;
    s->crc = rdb_checksum(h->reader.p);
    s->snap = s->end;
}

/* A batch that is full is merged when all before it are. */
static void merge_part(struct hand *h, struct stretch *s)
{
    struct crew *c = h->crew;
    part_end(s, h);
    pthread_mutex_lock(&c->lock);
    while (!s->isvoid && !c->over && (c->merged != s->number || c->merging))
        wait_or_merge(c);
    bool turn = !s->isvoid && !c->over;
    c->merging = c->merging || turn;
    pthread_mutex_unlock(&c->lock);
    bool over = turn && merge_stretch(c, s);
    pthread_mutex_lock(&c->lock);
    if (turn)
        merged(c, over);
    pthread_mutex_unlock(&c->lock);
    part_begin(s, h);
}

static bool take_record(struct hand *h, struct stretch *s)
{
    struct batch *b = s->batch;
    size_t before = b->njobs;
    if (!reader_take(&h->reader, b)) {
        b->njobs = before;
        return false;
    }
    s->end = h->at = rdb_tell(h->reader.p);
    if (s->end - s->snap >= SNAP) {
        s->crc = rdb_checksum(h->reader.p);
        s->snap = s->end;
    }
    return true;
}

static bool limit_reached(struct crew *c, struct stretch *s, uint64_t at, uint64_t *limit)
{
    if (at < *limit)
        return false;
    pthread_mutex_lock(&c->lock);
    bool ends = ends_here(c, s, at, limit);
    pthread_mutex_unlock(&c->lock);
    return ends;
}

static bool is_full(const struct crew *c, const struct batch *b)
{
    return b->njobs >= JOBS_MOST / c->nring || b->nvalues >= VALUES_MOST / c->nring ||
           b->names_len >= NAMES_MOST / c->nring;
}

static void read_records(struct hand *h, struct stretch *s)
{
    uint64_t limit = s->begin + h->crew->length;
    part_begin(s, h);
    while (!atomic_load_explicit(&s->isvoid, memory_order_relaxed) && !limit_reached(h->crew, s, h->at, &limit)) {
        if (is_full(h->crew, s->batch))
            merge_part(h, s);
        if (!take_record(h, s)) {
            s->ends = true;
            break;
        }
    }
    part_end(s, h);
    if (s->ends)
        h->at = NOWHERE;
}

/* Stands on the stretch's first record. False: there is none to be seen. */
static bool enter(struct hand *h, struct stretch *s)
{
    struct crew *c = h->crew;
    rdb_parser *p = h->reader.p;
    bool found = true;
    rdb_watch(p, &s->isvoid);
    if (s->start == NOWHERE)
        found = rdb_sync(p, s->begin, s->begin + c->length);
    else if (s->start != h->at)
        rdb_restart(p, &(struct rdb_place){.offset = s->start, .db = RDB_DB_UNKNOWN});
    h->at = found ? rdb_tell(p) : NOWHERE;
    pthread_mutex_lock(&c->lock);
    s->start = h->at;
    s->synced = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return found;
}

/* ---------------------------------------------------------------- threads */

/* With the lock. */
static struct stretch *take_next(struct crew *c)
{
    if (c->next == c->total || c->next - c->merged == c->nring)
        return NULL;
    struct stretch *s = stretch_of(c, c->next);
    s->number = c->next++;
    s->begin = nominal(c, s->number);
    s->following = s->number + 1;
    s->start = c->next_start;
    s->synced = s->start != NOWHERE;
    s->done = s->ends = false;
    s->isvoid = false;
    s->batch = c->spare[--c->nspare];
    c->next_start = NOWHERE;
    return s;
}

static void work(struct hand *h)
{
    struct crew *c = h->crew;
    pthread_mutex_lock(&c->lock);
    while (!c->over) {
        if (merge_next(c))
            continue;
        struct stretch *s = take_next(c);
        if (!s) {
            pthread_cond_wait(&c->changed, &c->lock);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        bool found = enter(h, s);
        if (found)
            read_records(h, s);
        pthread_mutex_lock(&c->lock);
        s->isvoid = s->isvoid || !found;
        s->done = true;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
}

static void *hand_main(void *ctx)
{
    work(ctx);
    return NULL;
}

/* ---------------------------------------------------------------- life */

static void crew_free(struct crew *c)
{
    for (unsigned i = 0; c->hands && i < c->nhands; i++)
        reader_free(&c->hands[i].reader);
    for (unsigned i = 0; c->batches && i < c->nring; i++)
        batch_free(&c->batches[i]);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
    free(c->hands);
    free(c->ring);
    free(c->batches);
    free(c->spare);
    free(c);
}

static void *cleared(size_t n, size_t size)
{
    void *array = aligned_alloc(CACHE_LINES, n * size);
    return array ? memset(array, 0, n * size) : NULL;
}

static struct crew *crew_new(struct run *run, uint64_t length, uint64_t left)
{
    struct crew *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    c->run = run;
    c->nhands = run->o->threads < ANALYZE_THREADS ? run->o->threads : ANALYZE_THREADS;
    c->nring = c->nhands + 2;
    c->begin = c->next_start = c->place.offset = c->place_end = rdb_tell(run->p);
    c->place.crc = rdb_checksum(run->p);
    c->length = length;
    c->total = (left + length - 1) / length;
    c->hands = cleared(c->nhands, sizeof *c->hands);
    c->ring = cleared(c->nring, sizeof *c->ring);
    c->batches = cleared(c->nring, sizeof *c->batches);
    c->spare = calloc(c->nring, sizeof(struct batch *));
    bool good = c->hands && c->ring && c->batches && c->spare;
    for (; good && c->nspare < c->nring; c->nspare++)
        c->spare[c->nspare] = &c->batches[c->nspare];
    for (unsigned i = 0; good && i < c->nhands; i++) {
        c->hands[i].crew = c;
        c->hands[i].at = NOWHERE;
        good = reader_open_run(&c->hands[i].reader, run);
    }
    if (good)
        return c;
    crew_free(c);
    return NULL;
}

/* As many threads as can be had, one at least. */
static void work_together(struct crew *c)
{
    for (unsigned i = 1; i < c->nhands; i++) {
        struct hand *h = &c->hands[i];
        h->runs = rdb_thread_start(&h->thread, hand_main, h);
    }
    work(&c->hands[0]);
    for (unsigned i = 1; i < c->nhands; i++)
        if (c->hands[i].runs)
            pthread_join(c->hands[i].thread, NULL);
}

/* Bytes for a thread at a time: many, as looking for a beginning takes a while, unless the dump is small. */
static uint64_t stretch_length(const struct run *run, uint64_t left)
{
    uint64_t fair = left / STRETCHES_OF_A_THREAD / run->o->threads;
    if (run->o->stretch)
        return run->o->stretch;
    return fair < STRETCH_LEAST ? STRETCH_LEAST : fair < STRETCH_MOST ? fair : STRETCH_MOST;
}

static uint64_t bytes_left(const struct run *run)
{
    uint64_t size = rdb_info(run->p)->file_size, at = rdb_tell(run->p);
    return size > at ? size - at : 0;
}

bool crew_is_worth_it(struct run *run, uint64_t records)
{
    uint64_t at = rdb_tell(run->p), left = bytes_left(run);
    run->crew_look = records + (run->o->stretch ? 1 : LOOK_AFTER);
    bool seen = at >= SEEN_BYTES || records >= SEEN_RECORDS;
    if (!rdb_between(run->p) || (!seen && !run->o->stretch))
        return false;
    run->wants_crew = left / STRETCHES_LEAST >= stretch_length(run, left);
    return run->wants_crew && (run->o->stretch || at >= records * SHORT);
}

void crew_pass(struct run *run)
{
    uint64_t left = bytes_left(run);
    struct crew *c = crew_new(run, stretch_length(run, left), left);
    run->wants_crew = false;
    if (!c)
        return;
    work_together(c);
    if (!rdb_failed(run->p)) {
        c->place.db = run->db;
        rdb_restart(run->p, &c->place);
        (void)rdb_advance(run->p, c->place_end);
    }
    crew_free(c);
}
