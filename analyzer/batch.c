/*
 * batch.c - see batch.h.
 */
#include "analyzer/batch.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/segments.h"

/* Elements. What a stretch usually needs: memory that is not touched costs nothing, arrays that move do. */
enum {
    JOBS_AT_FIRST = 16 * 1024,
    VALUES_AT_FIRST = 8 * 1024,
    SHARES_AT_FIRST = 64 * 1024,
    EVENTS_AT_FIRST = 16,
    NAMES_AT_FIRST = 512 * 1024
};

void batch_begin(struct batch *b)
{
    b->njobs = b->nvalues = b->nevents = b->names_len = b->nshares = 0;
    memset(&b->labels, 0, sizeof b->labels);
}

void batch_free(struct batch *b)
{
    free(b->jobs);
    free(b->values);
    free(b->events);
    free(b->names);
    free(b->shares);
}

/* Room for `more` elements behind n. The same array, or NULL when memory is out: then the old one stays. */
static void *grown(void *array, size_t *room, size_t n, size_t more, size_t size, size_t first)
{
    if (n + more <= *room)
        return array;
    size_t wanted = *room ? 2 * *room : first;
    wanted = wanted < n + more ? n + more : wanted;
    void *larger = realloc(array, wanted * size);
    if (larger)
        *room = wanted;
    return larger;
}

struct job *batch_job(struct batch *b)
{
    struct job *jobs = grown(b->jobs, &b->jobs_room, b->njobs, 1, sizeof *jobs, JOBS_AT_FIRST);
    if (!jobs)
        return NULL;
    b->jobs = jobs;
    jobs[b->njobs] = (struct job){.kind = JOB_HERE};
    return &jobs[b->njobs++];
}

struct job_value *batch_value(struct batch *b)
{
    struct job_value *values = grown(b->values, &b->values_room, b->nvalues, 1, sizeof *values, VALUES_AT_FIRST);
    if (!values)
        return NULL;
    b->values = values;
    return &values[b->nvalues++];
}

struct slabs_share *batch_shares(struct batch *b, size_t most)
{
    struct slabs_share *shares = grown(b->shares, &b->shares_room, b->nshares, most, sizeof *shares, SHARES_AT_FIRST);
    if (!shares)
        return NULL;
    b->shares = shares;
    return shares + b->nshares;
}

/* Names lie one behind the other: the pad of one is the next. */
static uint8_t *name_room(struct batch *b, size_t len)
{
    uint8_t *names = grown(b->names, &b->names_room, b->names_len, len + SEGMENTS_PAD, 1, NAMES_AT_FIRST);
    if (!names)
        return NULL;
    b->names = names;
    return names + b->names_len;
}

bool batch_name(struct batch *b, struct job *j, const struct rdb_bytes *name)
{
    uint8_t *to = name_room(b, name->len < RDB_NAME_PAD ? RDB_NAME_PAD : name->len);
    if (!to)
        return false;
    memcpy(to, name->data, name->len <= RDB_NAME_PAD ? RDB_NAME_PAD : name->len);
    j->name_at = (uint32_t)b->names_len;
    j->name_len = (uint32_t)name->len;
    b->names_len += name->len;
    return true;
}

bool batch_keep_event(struct batch *b, const struct rdb_event *ev)
{
    struct rdb_event *events = grown(b->events, &b->events_room, b->nevents, 1, sizeof *events, EVENTS_AT_FIRST);
    struct job *j = &b->jobs[b->njobs - 1];
    if (!events)
        return false;
    b->events = events;
    events[b->nevents] = *ev;
    j->kind = JOB_EVENT;
    j->index = (uint32_t)b->nevents++;
    if (ev->kind != RDB_EV_AUX)
        return true;
    uint8_t *to = name_room(b, ev->name.len + ev->value.len);
    if (!to)
        return false;
    memcpy(to, ev->name.data, ev->name.len);
    memcpy(to + ev->name.len, ev->value.data, ev->value.len);
    j->name_at = (uint32_t)b->names_len;
    b->names_len += ev->name.len + ev->value.len;
    return true;
}

struct rdb_event batch_event(const struct batch *b, const struct job *j)
{
    struct rdb_event ev = b->events[j->index];
    if (ev.kind == RDB_EV_AUX) {
        ev.name.data = b->names + j->name_at;
        ev.value.data = ev.name.data + ev.name.len;
    }
    return ev;
}
