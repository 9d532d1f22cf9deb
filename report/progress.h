/*
 * progress.h - one line on standard error while dumps are read.
 */
#ifndef RDBMEM_PROGRESS_H
#define RDBMEM_PROGRESS_H

#include "report/inputs.h"
#include "report/options.h"

/* How far one dump has been read. */
struct progress_part {
    uint64_t bytes, keys;
};

struct progress {
    bool shown;    /* the line is wanted */
    bool drawn;    /* a line stands there now */
    bool terminal; /* overwrite the line; else one line each time */
    unsigned width;
    double begin, last; /* seconds of the monotonic clock */
    const struct inputs *inputs;
    struct progress_part *parts;
    size_t done;                 /* dumps */
    uint64_t bytes, keys, whole; /* sums of the parts; whole 0: not known, since one of them is no file */
};

/* The inputs must outlive it. False: out of memory, nothing will be shown. */
bool progress_begin(struct progress *p, enum when when, const struct inputs *inputs, bool terminal_in_use);

/* The i-th dump has come as far as this: draws now and then. */
void progress_draw(struct progress *p, size_t i, uint64_t bytes, uint64_t keys);

/* The i-th dump is done. */
void progress_done(struct progress *p, size_t i);

/* Takes the line away: something else is to be said, or all is done. */
void progress_clear(struct progress *p);
void progress_end(struct progress *p);

#endif
