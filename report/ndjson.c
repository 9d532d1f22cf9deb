/*
 * ndjson.c - one JSON object a key, each on a line of its own; the members are those of a key in the JSON document.
 *
 * As in csv.c a line is put together in the output buffer without printf and without a tree. What stands before a
 * value, `,"name":`, is made from the field table once.
 */
#include "report/fields.h"
#include "report/human.h"
#include "report/plain.h"
#include "report/report.h"
#include "report/rows.h"

#include <string.h>

/* The longest a line can be beside the key's name. */
enum { LINE_MAX_BYTES = 2048, LINE_KEPT = 480, NAME_FAST = 4096, LABEL_MAX = 40 };

struct label {
    size_t len;
    char text[LABEL_MAX];
};
static struct label labels[FIELD_COUNT]; /* the same for every sink */

static void make_labels(void)
{
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        size_t n = strnlen(key_fields[i].name, LABEL_MAX - 4);
        char *p = labels[i].text;
        *p++ = i ? ',' : '{';
        *p++ = '"';
        memcpy(p, key_fields[i].name, n);
        memcpy(p + n, "\":", 2);
        labels[i].len = n + 4;
    }
}

/* Names that need escapes or more room than the line has. One that is not UTF-8 cannot be had back from its text:
 * its bytes follow. */
static __attribute__((noinline)) char *name_slow(struct sink *s, char *p, const struct key_report *k)
{
    out_advance(s->out, p);
    out_char(s->out, '"');
    json_write(s->out, k->name, k->name_len);
    out_char(s->out, '"');
    if (!utf8_valid(k->name, k->name_len)) {
        out_str(s->out, ",\"key_base64\":\"");
        escape_write(s->out, ESCAPE_BASE64, k->name, k->name_len, -1);
        out_char(s->out, '"');
    }
    return out_room(s->out, LINE_MAX_BYTES);
}

static inline char *put_name(struct sink *s, char *p, const struct key_report *k)
{
    if (__builtin_expect(k->name_len > NAME_FAST || !plain_copy(p + 1, k->name, k->name_len, '"', '\\'), 0))
        return name_slow(s, p, k);
    *p++ = '"';
    p += k->name_len;
    *p++ = '"';
    return p;
}

/* A word of ours, or a module's name: nine of 64 letters and digits. */
static inline char *put_word(char *p, const char *word)
{
    size_t n = strlen(word);
    *p++ = '"';
    memcpy(p, word, n);
    p += n;
    *p++ = '"';
    return p;
}

static char *put_flag_list(char *p, unsigned flags)
{
    const char *word;
    unsigned bit, before = 0;
    *p++ = '[';
    for (unsigned i = 0; flags && (word = key_flag_word(i, &bit)) != NULL; i++) {
        if (!(flags & bit))
            continue;
        if (before++)
            *p++ = ',';
        p = put_word(p, word);
    }
    *p++ = ']';
    return p;
}

static inline char *put_null(char *p)
{
    memcpy(p, "null", 4);
    return p + 4;
}

static inline char *put_time(struct rows *rows, char *p, int64_t ms)
{
    *p++ = '"';
    p = rows_put_time(rows, p, ms);
    memcpy(p, "Z\"", 2);
    return p + 2;
}

static inline __attribute__((always_inline)) char *put_value(struct sink *s, char *p, const struct key_report *k,
                                                             struct key_value v)
{
    switch (v.kind) {
    case VALUE_NONE: return put_null(p);
    case VALUE_NUMBER: return put_u64(p, v.number);
    case VALUE_SIGNED: return put_i64(p, (int64_t)v.number);
    case VALUE_TIME: return put_time(s->state, p, (int64_t)v.number);
    case VALUE_FLAGS: return put_flag_list(p, (unsigned)v.number);
    case VALUE_NAME: return put_name(s, p, k);
    case VALUE_TEXT: return put_word(p, v.text);
    }
    return p;
}

/* The dump that a key is in, as the last member. */
static char *put_file(struct sink *s, char *p, const struct key_report *k)
{
    const char *path = s->options->fleet->parts[k->file].file.path;
    out_advance(s->out, p);
    out_str(s->out, ",\"file\":\"");
    json_write(s->out, (const uint8_t *)path, strlen(path));
    out_char(s->out, '"');
    return out_room(s->out, LINE_MAX_BYTES);
}

static char *put_line(struct sink *s, char *p, const struct key_report *k)
{
    struct row_draft draft;
    row_draft(&draft, s->state, k, p);
#pragma GCC unroll 32 /* each field's own code instead of a switch */
    for (enum key_field_id i = 0; i < FIELD_COUNT; i++) {
        bool own = row_owns(i);
        memcpy(p, labels[i].text, LABEL_MAX); /* all of it: a fixed length is two moves */
        p += labels[i].len;
        if (own)
            row_draft_end(&draft, p);
        p = put_value(s, p, k, key_value(k, i));
        if (own)
            row_draft_begin(&draft, p);
    }
    if (s->options->fleet)
        p = put_file(s, p, k);
    memcpy(p, "}\n", 2);
    row_keep(&draft, k, p + 2);
    return p + 2;
}

static inline char *put_line_like(struct sink *s, char *p, const struct key_report *k, const struct row *row)
{
    p = row_part(p, row, 0);
    p = put_name(s, p, k);
    p = row_part(p, row, 1);
    struct key_value expiry = key_value(k, FIELD_EXPIRY);
    p = expiry.kind == VALUE_TIME ? put_time(s->state, p, (int64_t)expiry.number) : put_null(p);
    p = row_part(p, row, 2);
    p = rows_put_offset(s->state, p, k->offset);
    return row_part(p, row, 3);
}

bool ndjson_begin(struct sink *s)
{
    make_labels();
    return (s->state = rows_new(LINE_KEPT)) != NULL;
}

void ndjson_key(struct sink *s, const struct key_report *k)
{
    char *p = out_room(s->out, LINE_MAX_BYTES + NAME_FAST);
    const struct row *row = rows_find(s->state, k);
    p = row ? put_line_like(s, p, k, row) : put_line(s, p, k);
    out_advance(s->out, p);
}
