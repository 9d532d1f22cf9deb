/*
 * module_series.h - what RedisTimeSeries holds for a series.
 */
#ifndef RDBMEM_MODULE_SERIES_H
#define RDBMEM_MODULE_SERIES_H

#include "analyzer/rebuild.h"

enum {
    SERIES_ENCVER_MIN = 2, /* before it samples were saved one by one (2019) */
    SERIES_ENCVER_MAX = 9,
    SERIES_BACK = 16 /* more than the numbers of a chunk */
};

struct series_walk {
    struct rebuild *r;
    int encver;
    uint8_t part; /* enum series_part */
    bool plain;   /* chunks are not compressed */
    bool odd;     /* an item came that the layout does not have there */
    uint64_t at;  /* items of this part that came */
    uint64_t labels, rules, samples;
    uint64_t back[SERIES_BACK]; /* the last numbers, the newest at nback - 1 */
    uint64_t nback;
};

void series_begin(struct series_walk *s, struct rebuild *r, int encver);
void series_item(struct series_walk *s, const struct rdb_element *e);

/* False when the value was not a series of this layout: what was charged is only a part of it. */
bool series_end(struct series_walk *s);

#endif
