/*
 * csv.c - one row a key, quoted by RFC 4180; rows end with a newline alone, as redis-rdb-tools ends them.
 *
 * Millions of rows go through here, so a row is put together in the output buffer without printf. A name is quoted
 * only where it must be; most names pass one scan and one copy. Of keys that are alike all else is copied too (rows.h).
 */
#include "report/fields.h"
#include "report/human.h"
#include "report/plain.h"
#include "report/report.h"
#include "report/rows.h"

#include <string.h>

/* The longest a row can be beside the key's name. */
enum { ROW_MAX = 1024, ROW_KEPT = 96, NAME_FAST = 4096 };

/* Names that need quotes, escapes or more room than the row has. */
static __attribute__((noinline)) char *name_slow(struct sink *s, char *p, const struct key_report *k)
{
    bool quoted = s->options->escape != ESCAPE_BASE64;
    out_advance(s->out, p);
    if (quoted)
        out_char(s->out, '"');
    escape_write(s->out, s->options->escape, k->name, k->name_len, '"');
    if (quoted)
        out_char(s->out, '"');
    return out_room(s->out, ROW_MAX);
}

static inline char *put_name(struct sink *s, char *p, const struct key_report *k)
{
    bool usual = s->options->escape != ESCAPE_BASE64 && k->name_len - 1 < NAME_FAST;
    if (__builtin_expect(usual && plain_copy(p, k->name, k->name_len, '"', ','), 1))
        return p + k->name_len;
    return name_slow(s, p, k);
}

static inline __attribute__((always_inline)) char *put_value(struct sink *s, char *p, const struct key_report *k,
                                                             struct key_value v)
{
    size_t n;
    switch (v.kind) {
    case VALUE_NONE: return p;
    case VALUE_NUMBER: return put_u64(p, v.number);
    case VALUE_SIGNED: return put_i64(p, (int64_t)v.number);
    case VALUE_TIME: return put_iso_ms(p, (int64_t)v.number);
    case VALUE_FLAGS: return put_flags(p, (unsigned)v.number);
    case VALUE_NAME: return put_name(s, p, k);
    case VALUE_TEXT:
        n = strlen(v.text);
        memcpy(p, v.text, n);
        return p + n;
    }
    return p;
}

bool csv_begin(struct sink *s)
{
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (i > 0)
            out_char(s->out, ',');
        out_str(s->out, key_fields[i].name);
    }
    if (s->options->fleet)
        out_str(s->out, ",file");
    out_char(s->out, '\n');
    return (s->state = rows_new(ROW_KEPT)) != NULL;
}

/* The dump that a key is in, as the last column. A path stays readable where names are base64. */
static char *put_file(struct sink *s, char *p, const struct key_report *k)
{
    const char *path = s->options->fleet->parts[k->file].file.path;
    enum escape how = s->options->escape == ESCAPE_BASE64 ? ESCAPE_UTF8 : s->options->escape;
    out_advance(s->out, p);
    out_str(s->out, ",\"");
    escape_write(s->out, how, (const uint8_t *)path, strlen(path), '"');
    out_char(s->out, '"');
    return out_room(s->out, ROW_MAX);
}

static char *put_row(struct sink *s, char *p, const struct key_report *k)
{
    struct row_draft draft;
    row_draft(&draft, s->state, k, p);
#pragma GCC unroll 32 /* each field's own code instead of a switch: a third faster */
    for (enum key_field_id i = 0; i < FIELD_COUNT; i++) {
        bool own = row_owns(i);
        if (own)
            row_draft_end(&draft, p);
        p = put_value(s, p, k, key_value(k, i));
        if (own)
            row_draft_begin(&draft, p);
        *p++ = ',';
    }
    p--;
    if (s->options->fleet)
        p = put_file(s, p, k);
    *p++ = '\n';
    row_keep(&draft, k, p);
    return p;
}

static inline char *put_row_like(struct sink *s, char *p, const struct key_report *k, const struct row *row)
{
    p = row_part(p, row, 0);
    p = put_name(s, p, k);
    p = row_part(p, row, 1);
    struct key_value expiry = key_value(k, FIELD_EXPIRY);
    p = expiry.kind == VALUE_TIME ? rows_put_time(s->state, p, (int64_t)expiry.number) : p;
    p = row_part(p, row, 2);
    p = rows_put_offset(s->state, p, k->offset);
    return row_part(p, row, 3);
}

void csv_key(struct sink *s, const struct key_report *k)
{
    char *p = out_room(s->out, ROW_MAX + NAME_FAST);
    const struct row *row = rows_find(s->state, k);
    p = row ? put_row_like(s, p, k, row) : put_row(s, p, k);
    out_advance(s->out, p);
}
