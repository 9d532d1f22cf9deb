/*
 * progress.h - one line on standard error while a dump is read, and the wish to stop (a signal).
 */
#ifndef RDBMEM_PROGRESS_H
#define RDBMEM_PROGRESS_H

#include "report/options.h"

struct progress {
    bool shown;    /* the line is wanted */
    bool drawn;    /* a line stands there now */
    bool terminal; /* overwrite the line; else one line each time */
    unsigned width;
    double begin, last; /* seconds of the monotonic clock */
    const char *name;   /* of the dump */
};

void progress_begin(struct progress *p, enum when when, const char *name, bool terminal_in_use);

/* analyze_options.on_progress: draws now and then; false once a signal has come. */
void progress_draw(struct progress *p, const struct rdb_info *info, uint64_t keys);

/* Takes the line away. */
void progress_end(struct progress *p);

/* SIGINT, SIGTERM and SIGHUP ask for a partial report; a second one ends at once, temporary files removed. */
void stop_catch_signals(void);

/* The signal that came, 0 = none. */
int stop_signal(void);

#endif
