/*
 * topn.h - the N largest keys, in memory of N keys. Ties go to the earlier dump, the lower database, the smaller
 * name.
 */
#ifndef RDBMEM_TOPN_H
#define RDBMEM_TOPN_H

#include "analyzer/analysis.h"

struct topn {
    bool by_elements;
    size_t n, cap;
    struct key_report *heap; /* least first; names are copies */
    uint64_t least;          /* figure of heap[0] once full, else 0 */
};

bool topn_init(struct topn *t, size_t cap, bool by_elements);

static inline bool topn_wants(const struct topn *t, uint64_t figure)
{
    return t->cap && (t->n < t->cap || figure >= t->least);
}

/* Keys with a lesser figure are not wanted. */
static inline uint64_t topn_least(const struct topn *t)
{
    return t->cap ? t->least : UINT64_MAX;
}

/* Whether a key with this figure, file, database, name and offset would come into the list: of many keys with the least
 * figure few have a name that stands before the last one's. */
bool topn_takes(const struct topn *t, const struct key_report *k);

/* Whether a key of the least figure stays out for its name alone. False also where the list is not full, or it ends with a key
 * of another dump or database. */
bool topn_is_behind(const struct topn *t, uint32_t file, uint32_t db, const uint8_t *name, size_t len);

void topn_add(struct topn *t, const struct key_report *k);

/* Adds all of `from`, names copied. */
void topn_merge(struct topn *t, const struct topn *from);

/* Largest first; the keys move to *out, t is empty afterwards. */
void topn_finish(struct topn *t, struct top_list *out);
void topn_free(struct topn *t);

/* Two finished lists into one of the larger capacity; names are copied. False when memory is out: *to is as it was. */
bool top_list_merge(struct top_list *to, const struct top_list *from, bool by_elements);
void top_list_free(struct top_list *l);

#endif
