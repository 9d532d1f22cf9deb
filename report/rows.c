/*
 * rows.c - see rows.h.
 */
#include "report/rows.h"

#include <stdlib.h>

enum { LINE = 64 };

struct rows *rows_new(size_t most)
{
    struct rows *rows = malloc(sizeof *rows);
    if (!rows)
        return NULL;
    *rows = (struct rows){.most = most, .size = (sizeof(struct row) + most + LINE - 1) / LINE * LINE};
    for (unsigned i = 0; i < ROWS_DAYS; i++)
        rows->days[i].day = UINT64_MAX;
    size_t bytes = (rows->size << ROWS_BITS) + LINE; /* the last one is read beyond its end too */
    /* Cleared by nobody: most is never used, and touching it would be most of the time of a small dump. */
    rows->memory = calloc(1, bytes + LINE);
    if (!rows->memory) {
        free(rows);
        return NULL;
    }
    rows->at = (uint8_t *)rows->memory + (LINE - (uintptr_t)rows->memory % LINE) % LINE;
    return rows;
}

void rows_drop(struct sink *s)
{
    struct rows *rows = s->state;
    if (rows)
        free(rows->memory);
    free(rows);
    s->state = NULL;
}

bool rows_finish(struct sink *s, const struct analysis *a)
{
    (void)a;
    rows_drop(s);
    return true;
}

void rows_set_upper(struct rows *rows, uint64_t upper)
{
    rows->upper = upper;
    rows->upper_len = (size_t)(put_u64(rows->upper_text, upper) - rows->upper_text);
}

void row_set_day(struct row_day *d, uint64_t day)
{
    d->day = day;
    d->len = (size_t)(put_date(d->text, (int64_t)day) - d->text);
}

/* ---------------------------------------------------------------- a row to keep */

/* The one of its two slots that is free, or else the first, of which the other one then has what was there. */
static struct row *slot_for(const struct rows *rows, const struct key_report *k)
{
    struct row *first = rows_at(rows, rows_slot(k)), *other = rows_at(rows, rows_slot(k) ^ 1);
    if (first->alike == 0 || other->alike == 0)
        return first->alike == 0 ? first : other;
    memcpy(other, first, rows->size);
    return first;
}

void row_draft(struct row_draft *d, const struct rows *rows, const struct key_report *k, const char *p)
{
    *d = (struct row_draft){.row = k->alike ? slot_for(rows, k) : NULL, .begin = p, .most = rows->most};
    if (d->row)
        d->row->alike = 0;
}

void row_draft_end(struct row_draft *d, const char *p)
{
    if (!d->row)
        return;
    /* Where the buffer has been written out in between, what stood there is gone. */
    if (p < d->begin || (size_t)(p - d->begin) > d->most - d->used) {
        d->row = NULL;
        return;
    }
    size_t len = (size_t)(p - d->begin);
    d->row->part[d->part++] = (struct row_piece){(uint16_t)d->used, (uint16_t)len};
    memcpy(d->row->text + d->used, d->begin, len);
    d->used += len;
}

void row_draft_begin(struct row_draft *d, const char *p)
{
    d->begin = p;
}

void row_keep(struct row_draft *d, const struct key_report *k, const char *p)
{
    row_draft_end(d, p);
    if (!d->row)
        return;
    d->row->db = k->db;
    d->row->file = k->file;
    d->row->alike = k->alike;
}
