/*
 * sinks.h - where the reports of a run go: all of them opened before anything is read, and put in place behind it.
 *
 * A run that cannot write says so at once, and one that dies leaves nothing behind.
 */
#ifndef RDBMEM_SINKS_H
#define RDBMEM_SINKS_H

#include "report/options.h"

struct sinks {
    const struct options *o;
    struct report_options report; /* what the sinks point to */
    struct sink list[REPORT_MAX_SINKS];
    unsigned n;
    bool open;
    bool broken_pipe; /* the reader of a report has gone away */
    bool failed;      /* something could not be written, and that was said */
};

/* Columns that a text report may take: COLUMNS, or those of the terminal it goes to, or 100. */
unsigned report_width(const struct options *o);

/* Nothing is opened yet. */
void sinks_init(struct sinks *s, const struct options *o);

/* Whether any report has a line for each key; whether one goes to a terminal. Known before they are open. */
bool sinks_want_keys(const struct sinks *s);
bool sinks_on_terminal(const struct sinks *s);

/* Opens them, if they are not open. False: failed. */
bool sinks_open(struct sinks *s);

/* A key for each that wants keys. */
void sinks_key(struct sinks *s, const struct key_report *k);

/* Whether nobody takes what is written. */
bool sinks_dead(const struct sinks *s);

/* The whole is known: writes it and puts the files in place. */
void sinks_finish(struct sinks *s, const struct analysis *a);

/* Takes away what has not been put in place. */
void sinks_discard(struct sinks *s);

#endif
