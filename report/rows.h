/*
 * rows.h - rows of keys that differ in little, for formats that write one of each key.
 *
 * Keys of one number (key_report.alike) have all fields in common but name, expiry and offset. What a format has written
 * around these three for one such key is kept, and is only copied for those that follow:
 *
 *     row = rows_find(rows, k);
 *     if (row)    for each own field i: p = row_part(p, row, i), the field; p = row_part(p, row, ROW_OWN)
 *     else        row_draft(&d, rows, k, p), all fields in their order with row_draft_end(&d, p) before each own one and
 *                 row_draft_begin(&d, p) behind it, row_keep(&d, p)
 *
 * Who does not know of it writes every row in full.
 */
#ifndef RDBMEM_ROWS_H
#define RDBMEM_ROWS_H

#include <string.h>

#include "analyzer/analysis.h"
#include "report/fields.h"

/* A part is copied by so many bytes at a time; so many behind its end may be written. */
enum { ROW_OWN = 3, ROW_STEP = 32 };
static const enum key_field_id row_own[ROW_OWN] = {FIELD_KEY, FIELD_EXPIRY, FIELD_OFFSET};

static inline bool row_owns(enum key_field_id i)
{
    return i == FIELD_KEY || i == FIELD_EXPIRY || i == FIELD_OFFSET;
}

struct row {
    uint64_t alike; /* 0: free */
    uint64_t record;
    uint32_t db, file;
    uint16_t begin[ROW_OWN + 1]; /* of the parts, in text */
    uint16_t len[ROW_OWN + 1];
    char text[];
};

struct rows;

/* For rows of up to most bytes beside their own fields: longer ones are not kept. NULL: memory is out. */
struct rows *rows_new(size_t most);
void rows_free(struct rows *rows);

/* How the rows lie in memory is told for the sake of this. */
enum { ROWS_BITS = 10 };
struct rows {
    size_t most, size;
    uint8_t *at;
};

static inline struct row *rows_slot(const struct rows *rows, const struct key_report *k)
{
    uint64_t hash = (k->alike ^ k->record << 40) * UINT64_C(0x9E3779B97F4A7C15);
    return (struct row *)(void *)(rows->at + (hash >> (64 - ROWS_BITS)) * rows->size);
}

/* NULL: not kept. */
static inline const struct row *rows_find(const struct rows *rows, const struct key_report *k)
{
    const struct row *row = rows_slot(rows, k);
    bool found =
        k->alike && row->alike == k->alike && row->record == k->record && row->db == k->db && row->file == k->file;
    return found ? row : NULL;
}

static inline char *row_part(char *p, const struct row *row, unsigned part)
{
    const char *text = row->text + row->begin[part];
    size_t len = row->len[part], done = 0;
    do
        memcpy(p + done, text + done, ROW_STEP);
    while (__builtin_expect((done += ROW_STEP) < len, 0));
    return p + len;
}

/* ---------------------------------------------------------------- a row to keep */

struct row_draft {
    struct row *row; /* NULL: it is not to be kept */
    const char *begin;
    size_t used, most;
    unsigned part;
};

void row_draft(struct row_draft *d, const struct rows *rows, const struct key_report *k, const char *p);
void row_draft_end(struct row_draft *d, const char *p);
void row_draft_begin(struct row_draft *d, const char *p);
void row_keep(struct row_draft *d, const struct key_report *k, const char *p);

#endif
