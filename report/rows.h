/*
 * rows.h - rows of keys that differ in little, for formats that write one of each key.
 *
 * Keys of one number (key_report.alike) have all fields in common but name, expiry and offset. What a format has written
 * around these three for one such key is kept, and is only copied for those that follow:
 *
 *     row = rows_find(rows, k);
 *     if (row)    p = row_part(p, row, 0), the name, row_part(p, row, 1), expiry, row_part(p, row, 2), offset
 *                 (rows_put_offset()), row_part(p, row, 3)
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
#include "report/human.h"
#include "report/out.h"
#include "report/report.h"

/* A part is copied by so many bytes at a time; so many behind its end may be written. */
enum { ROW_PARTS = 4, ROW_STEP = 32, ROWS_BITS = 11, ROWS_DAYS = 64 };

static inline bool row_owns(enum key_field_id i)
{
    return i == FIELD_KEY || i == FIELD_EXPIRY || i == FIELD_OFFSET;
}

struct row {
    uint64_t alike; /* 0: free */
    uint32_t db, file;
    struct row_piece {
        uint16_t begin, len; /* in text */
    } part[ROW_PARTS];
    char text[];
};

struct rows {
    size_t most, size; /* bytes of a text, of a row */
    void *memory;
    uint8_t *at; /* in it, the first row */
    /* of the last offset */
    uint64_t upper;
    size_t upper_len;
    char upper_text[24];
    struct row_day {
        uint64_t day;
        size_t len;
        char text[32];
    } days[ROWS_DAYS];
};

/* For rows of up to most bytes beside their own fields: longer ones are not kept. NULL: memory is out. */
struct rows *rows_new(size_t most);

/* Of a sink whose state the rows are: nothing more comes. */
void rows_drop(struct sink *s);
bool rows_finish(struct sink *s, const struct analysis *a);

static inline struct row *rows_at(const struct rows *rows, size_t i)
{
    return (struct row *)(void *)(rows->at + i * rows->size);
}

/* There are two slots for each, this one and its neighbour, i ^ 1. */
static inline size_t rows_slot(const struct key_report *k)
{
    return (k->alike ^ k->alike >> 32) * UINT64_C(0x9E3779B97F4A7C15) >> (64 - ROWS_BITS);
}

static inline bool row_is_like(const struct row *row, const struct key_report *k)
{
    return row->alike == k->alike && row->db == k->db && row->file == k->file;
}

/* NULL: not kept. */
static inline const struct row *rows_find(const struct rows *rows, const struct key_report *k)
{
    const struct row *row = rows_at(rows, rows_slot(k));
    if (__builtin_expect(k->alike == 0, 0))
        return NULL;
    if (__builtin_expect(row_is_like(row, k), 1))
        return row;
    row = rows_at(rows, rows_slot(k) ^ 1);
    return row_is_like(row, k) ? row : NULL;
}

static inline char *row_part(char *p, const struct row *row, unsigned part)
{
    size_t len = row->part[part].len;
    const char *text = row->text + row->part[part].begin;
    memcpy(p, text, ROW_STEP);
    for (size_t done = ROW_STEP; __builtin_expect(done < len, 0); done += ROW_STEP)
        memcpy(p + done, text + done, ROW_STEP);
    return p + len;
}

void rows_set_upper(struct rows *rows, uint64_t upper);

/* put_u64() for numbers of which one after the other mostly agree in all but the last four digits. */
static inline char *rows_put_offset(struct rows *rows, char *p, uint64_t offset)
{
    enum { LOWER = 10000 };
    uint64_t upper = offset / LOWER;
    unsigned lower = (unsigned)(offset % LOWER);
    if (__builtin_expect(upper == 0, 0))
        return put_u64(p, offset);
    if (__builtin_expect(upper != rows->upper, 0))
        rows_set_upper(rows, upper);
    memcpy(p, rows->upper_text, 16);
    p = put_pair(p + rows->upper_len, lower / 100);
    return put_pair(p, lower % 100);
}

void row_set_day(struct row_day *d, uint64_t day);

/* put_iso_ms() where the same days come again and again. */
static inline char *rows_put_time(struct rows *rows, char *p, int64_t ms)
{
    if (__builtin_expect(ms < 0, 0))
        return put_iso_ms(p, ms);
    uint64_t day = (uint64_t)ms / DAY_MS;
    struct row_day *d = &rows->days[day % ROWS_DAYS];
    if (__builtin_expect(d->day != day, 0))
        row_set_day(d, day);
    memcpy(p, d->text, 16);
    return put_time_of_day(p + d->len, (uint32_t)((uint64_t)ms - day * DAY_MS));
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
