/*
 * page_keys.c - the page's list of keys: rows of values under one row of names, a third of what objects would take.
 */
#include <stdlib.h>
#include <string.h>

#include "report/fields.h"
#include "report/human.h"
#include "report/json_parts.h"
#include "report/page.h"

static const enum key_field_id columns[] = {
    FIELD_BYTES,    FIELD_TYPE,    FIELD_ENCODING,   FIELD_ELEMENTS, FIELD_LARGEST, FIELD_EXPIRY,
    FIELD_DATABASE, FIELD_PAYLOAD, FIELD_SERIALIZED, FIELD_IDLE,     FIELD_FREQ,    FIELD_SLOT,
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* ---------------------------------------------------------------- which keys */

struct listed {
    const struct key_report *k;
};

static int by_place(const void *x, const void *y)
{
    const struct key_report *a = ((const struct listed *)x)->k, *b = ((const struct listed *)y)->k;
    return a->file != b->file ? (a->file > b->file) - (a->file < b->file)
                              : (a->offset > b->offset) - (a->offset < b->offset);
}

static int larger_first(const void *x, const void *y)
{
    const struct key_report *a = ((const struct listed *)x)->k, *b = ((const struct listed *)y)->k;
    return a->bytes != b->bytes ? (a->bytes < b->bytes) - (a->bytes > b->bytes) : by_place(x, y);
}

/* Both lists, each key once, the largest first. NULL: out of memory. */
static struct listed *joined(const struct top_list *a, const struct top_list *b, size_t *n)
{
    struct listed *all = malloc((a->n + b->n + 1) * sizeof *all);
    size_t kept = 0;
    if (!all)
        return NULL;
    for (size_t i = 0; i < a->n + b->n; i++)
        all[i].k = i < a->n ? &a->keys[i] : &b->keys[i - a->n];
    qsort(all, a->n + b->n, sizeof *all, by_place);
    for (size_t i = 0; i < a->n + b->n; i++)
        if (kept == 0 || by_place(&all[kept - 1], &all[i]) != 0)
            all[kept++] = all[i];
    qsort(all, kept, sizeof *all, larger_first);
    *n = kept;
    return all;
}

/* ---------------------------------------------------------------- rows */

static void add_number(cJSON *row, int64_t v)
{
    char text[24];
    *put_i64(text, v) = '\0';
    cJSON_AddItemToArray(row, cJSON_CreateRaw(text));
}

static void add_value(cJSON *row, const struct key_report *k, enum key_field_id id)
{
    struct key_value v = key_value(k, id);
    char text[48];
    switch (v.kind) {
    case VALUE_NUMBER:
    case VALUE_SIGNED: add_number(row, (int64_t)v.number); break;
    case VALUE_TEXT: cJSON_AddItemToArray(row, json_text_item((const uint8_t *)v.text, strlen(v.text))); break;
    case VALUE_TIME:
        memcpy(put_iso_ms(text, (int64_t)v.number), "Z", 2);
        cJSON_AddItemToArray(row, cJSON_CreateString(text));
        break;
    case VALUE_NONE:
    case VALUE_NAME:
    case VALUE_FLAGS: cJSON_AddItemToArray(row, cJSON_CreateNull()); break;
    }
}

/* Bytes of the name that are shown: not a part of a character at its end. */
static size_t shown(const struct key_report *k)
{
    size_t n = k->name_len, back = 0;
    if (n == k->name_full_len)
        return n;
    while (back < 3 && back < n && (k->name[n - 1 - back] & 0xc0) == 0x80)
        back++;
    return back < n && k->name[n - 1 - back] >= 0xc0 && !utf8_valid(k->name + n - 1 - back, back + 1) ? n - 1 - back
                                                                                                      : n;
}

/* Advice is the same for most: a number in the row, the words in a list. */
static size_t advice_number(cJSON *advice, const struct key_report *k)
{
    char text[ADVICE_TEXT];
    size_t i = 0;
    cJSON *item;
    audit_advice(k, text);
    cJSON_ArrayForEach(item, advice)
    {
        if (strcmp(item->valuestring, text) == 0)
            return i;
        i++;
    }
    cJSON_AddItemToArray(advice, cJSON_CreateString(text));
    return i;
}

static void add_flag_words(cJSON *row, unsigned flags)
{
    char text[KEY_FLAGS_TEXT];
    *put_flags(text, flags) = '\0';
    cJSON_AddItemToArray(row, cJSON_CreateString(text));
}

static cJSON *key_row(const struct key_report *k, cJSON *advice)
{
    cJSON *row = cJSON_CreateArray();
    for (unsigned i = 0; i < COLUMNS; i++)
        add_value(row, k, columns[i]);
    add_flag_words(row, k->flags);
    add_number(row, (int64_t)k->file);
    add_number(row, (int64_t)advice_number(advice, k));
    add_number(row, (int64_t)k->name_full_len);
    cJSON_AddItemToArray(row, json_text_item(k->name, shown(k)));
    return row;
}

static void add_column_names(cJSON *o)
{
    static const char *const others[] = {"flags", "file", "advice", "name_bytes", "key"};
    cJSON *list = cJSON_AddArrayToObject(o, "columns");
    for (unsigned i = 0; i < COLUMNS; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(key_fields[columns[i]].name));
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(others[i]));
}

bool page_keys(cJSON *doc, const struct top_list *by_bytes, const struct top_list *by_elements, size_t most)
{
    size_t n = 0;
    struct listed *all = joined(by_bytes, by_elements, &n);
    cJSON *o, *rows, *advice;
    if (!all)
        return false;
    o = cJSON_AddObjectToObject(doc, "keys");
    add_column_names(o);
    rows = cJSON_AddArrayToObject(o, "rows");
    advice = cJSON_AddArrayToObject(o, "advice");
    for (size_t i = 0; i < n && i < most; i++)
        cJSON_AddItemToArray(rows, key_row(all[i].k, advice));
    free(all);
    return true;
}
