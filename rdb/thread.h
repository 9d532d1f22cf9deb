/*
 * thread.h - a thread of ours beside the caller's.
 */
#ifndef RDBMEM_RDB_THREAD_H
#define RDBMEM_RDB_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts it with all signals blocked: they are the caller's. False: no thread can be had. */
bool rdb_thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

#endif
