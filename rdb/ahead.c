/*
 * ahead.c - unpacking on a thread of its own, while the caller parses.
 *
 *     thread:  chain of layers ──► chunk 0 | chunk 1 | chunk 2 | chunk 3
 *     caller:                         ▲ read() copies from the oldest full one
 *
 * Used for compressed regular files alone: inflating costs about as much as everything else together, so it pays to do
 * both at once; a plain file is read faster than it is handed over; and a read from a pipe or from a caller's function
 * could block for ever, or does not expect another thread. The chain moves into an input of its own that only the
 * thread touches; what it says (where it is in the file, what failed) comes with the chunks. When no thread can be had,
 * the chain is read as before.
 */
#include "rdb/input.h"
#include "rdb/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNKS = 4, CHUNK = 256 * 1024 };

struct chunk {
    size_t len; /* 0: the chain has ended, or failed */
    uint64_t file_offset;
    uint8_t *data;
};

struct ahead {
    struct rdb_layer layer;
    struct rdb_input inner; /* the chain; the thread's until it is joined */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock: */
    unsigned made, used; /* chunks so far; made - used are full */
    bool stop;
    /* the caller's: */
    size_t at; /* bytes taken of chunk `used` */
    struct chunk chunks[CHUNKS];
};

/* Waits for a free chunk; NULL: the caller is closing. */
static struct chunk *chunk_free(struct ahead *a)
{
    pthread_mutex_lock(&a->lock);
    while (!a->stop && a->made - a->used == CHUNKS)
        pthread_cond_wait(&a->changed, &a->lock);
    struct chunk *c = a->stop ? NULL : &a->chunks[a->made % CHUNKS];
    pthread_mutex_unlock(&a->lock);
    return c;
}

static void count_up(struct ahead *a, unsigned *counter)
{
    pthread_mutex_lock(&a->lock);
    ++*counter;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

static void *ahead_run(void *arg)
{
    struct ahead *a = arg;
    struct chunk *c;
    bool more = true;
    while (more && (c = chunk_free(a))) {
        ptrdiff_t got = rdb_input_read(&a->inner, c->data, CHUNK);
        more = got > 0;
        c->len = more ? (size_t)got : 0;
        c->file_offset = a->inner.file_offset;
        count_up(a, &a->made);
    }
    return NULL;
}

/* Waits for the oldest full chunk. */
static struct chunk *chunk_full(struct ahead *a)
{
    pthread_mutex_lock(&a->lock);
    while (a->made == a->used)
        pthread_cond_wait(&a->changed, &a->lock);
    struct chunk *c = &a->chunks[a->used % CHUNKS];
    pthread_mutex_unlock(&a->lock);
    return c;
}

static ptrdiff_t ahead_read(struct rdb_layer *l, uint8_t *buf, size_t n)
{
    struct ahead *a = (struct ahead *)l;
    struct chunk *c = chunk_full(a);
    l->input->file_offset = c->file_offset;
    if (c->len == 0) { /* stays the oldest: the end is told again and again */
        if (a->inner.error.kind == RDB_OK)
            return 0;
        l->input->error = a->inner.error;
        return -1;
    }
    if (n > c->len - a->at)
        n = c->len - a->at;
    memcpy(buf, c->data + a->at, n);
    a->at += n;
    if (a->at == c->len) {
        a->at = 0;
        count_up(a, &a->used);
    }
    return (ptrdiff_t)n;
}

static void ahead_free(struct ahead *a)
{
    for (size_t i = 0; i < CHUNKS; i++)
        free(a->chunks[i].data);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static void ahead_close(struct rdb_layer *l)
{
    struct ahead *a = (struct ahead *)l;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    rdb_input_close(&a->inner);
    ahead_free(a);
}

/* The chain belongs to `to` from now on. */
static void move_chain(struct rdb_input *to, struct rdb_layer *top)
{
    to->top = top;
    for (struct rdb_layer *l = top; l; l = l->below)
        l->input = to;
}

void rdb_ahead_push(struct rdb_input *in)
{
    struct ahead *a = calloc(1, sizeof *a);
    if (!a)
        return;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    bool good = true;
    for (size_t i = 0; i < CHUNKS; i++)
        good = (a->chunks[i].data = malloc(CHUNK)) != NULL && good;
    a->layer = (struct rdb_layer){.read = ahead_read, .close = ahead_close, .input = in, .left = UINT64_MAX};
    a->inner = *in;
    move_chain(&a->inner, in->top);
    if (good && rdb_thread_start(&a->thread, ahead_run, a)) {
        in->top = &a->layer;
        return;
    }
    move_chain(in, a->inner.top); /* as it was */
    ahead_free(a);
}
