/*
 * stretch.h - one thread's share of a dump: records read, their values costed, nothing reported.
 */
#ifndef RDBMEM_STRETCH_H
#define RDBMEM_STRETCH_H

#include "analyzer/batch.h"
#include "analyzer/run.h"

/* What a thread has of its own. */
struct reader {
    const struct run *run; /* read only: settings, profile, allocator */
    rdb_parser *p;
    struct rebuild rebuild;
    struct zheap heap, aside;
    struct slabs *tally; /* NULL: placement is not modelled */
    struct registration later;
};

/* False: memory is out, or the dump is not a plain file. reader_free() in any case. */
bool reader_open_run(struct reader *r, const struct run *run);
void reader_free(struct reader *r);

/* Takes the next record into b, as whole. False: it is not to be taken, or cannot be: whoever reports must read on from it. The
 * jobs that b got since the record began are to be dropped. */
bool reader_take(struct reader *r, struct batch *b);

/* The batch is complete. */
void reader_give(struct reader *r, struct batch *b);

#endif
