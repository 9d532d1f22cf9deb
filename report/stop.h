/*
 * stop.h - the wish to stop: signals.
 */
#ifndef RDBMEM_STOP_H
#define RDBMEM_STOP_H

/* SIGINT, SIGTERM and SIGHUP ask for a partial report; a second one ends at once, temporary files removed. */
void stop_catch_signals(void);

/* The signal that came, 0 = none. */
int stop_signal(void);

#endif
