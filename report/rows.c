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
    rows->most = most;
    rows->size = (sizeof(struct row) + most + ROW_STEP + LINE - 1) / LINE * LINE;
    rows->at = aligned_alloc(LINE, rows->size << ROWS_BITS);
    if (!rows->at) {
        free(rows);
        return NULL;
    }
    memset(rows->at, 0, rows->size << ROWS_BITS);
    return rows;
}

void rows_free(struct rows *rows)
{
    if (rows)
        free(rows->at);
    free(rows);
}

void row_draft(struct row_draft *d, const struct rows *rows, const struct key_report *k, const char *p)
{
    *d = (struct row_draft){.row = k->alike ? rows_slot(rows, k) : NULL, .begin = p, .most = rows->most};
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
    d->row->begin[d->part] = (uint16_t)d->used;
    d->row->len[d->part++] = (uint16_t)len;
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
    d->row->record = k->record;
    d->row->db = k->db;
    d->row->file = k->file;
    d->row->alike = k->alike;
}
