/*
 * fields.h - what is told about one key: the table behind the columns of CSV and the members of JSON.
 *
 * The first eight are redis-rdb-tools' columns in its order. A field's value is taken with key_value(), which every
 * format then prints in its own way.
 */
#ifndef RDBMEM_FIELDS_H
#define RDBMEM_FIELDS_H

#include <math.h>

#include "analyzer/analysis.h"

enum key_field_id {
    FIELD_DATABASE,
    FIELD_TYPE,
    FIELD_KEY,
    FIELD_BYTES,
    FIELD_ENCODING,
    FIELD_ELEMENTS,
    FIELD_LARGEST,
    FIELD_EXPIRY,
    FIELD_MEMORY_USAGE,
    FIELD_PAYLOAD,
    FIELD_OVERHEAD,
    FIELD_ROUNDING,
    FIELD_STDERR,
    FIELD_SERIALIZED,
    FIELD_OFFSET,
    FIELD_IDLE,
    FIELD_FREQ,
    FIELD_SLOT,
    FIELD_FLAGS,
    FIELD_FREED,
    FIELD_STRANDED,
    FIELD_COUNT
};

struct key_field {
    const char *name; /* column and member name */
    const char *unit; /* "bytes", "seconds", "count", "" */
    const char *help; /* for the list of columns */
};
extern const struct key_field key_fields[FIELD_COUNT];

enum value_kind {
    VALUE_NONE,   /* the dump or the target has no such thing */
    VALUE_NUMBER, /* number, never negative */
    VALUE_SIGNED, /* number as int64_t */
    VALUE_TEXT,   /* text: a word of ours */
    VALUE_NAME,   /* the key's name: k->name, k->name_len */
    VALUE_TIME,   /* number: milliseconds since 1970 as int64_t */
    VALUE_FLAGS   /* number: enum key_flags; words by key_flags_text */
};

struct key_value {
    enum value_kind kind;
    uint64_t number;
    const char *text;
};

/* redis-rdb-tools' words: "sortedset" for zset. */
extern const char *const key_type_words[RDB_T_COUNT];

/* The words of the flags with one space between them; returns the end. Room for KEY_FLAGS_TEXT bytes. */
enum { KEY_FLAGS_TEXT = 128 };
char *put_flags(char *p, unsigned flags);

/* The i-th flag's bit and word; NULL behind the last one. */
const char *key_flag_word(unsigned i, unsigned *bit);

static inline struct key_value value_number(uint64_t v)
{
    return (struct key_value){VALUE_NUMBER, v, NULL};
}
static inline struct key_value value_known(int64_t v) /* -1: unknown */
{
    return (struct key_value){v < 0 ? VALUE_NONE : VALUE_NUMBER, (uint64_t)v, NULL};
}
static inline struct key_value value_own(const struct key_report *k, uint64_t v)
{
    return (struct key_value){k->flags & KEY_HAS_OWN ? VALUE_NUMBER : VALUE_NONE, v, NULL};
}
static inline struct key_value value_text(const char *s)
{
    return (struct key_value){VALUE_TEXT, 0, s};
}
static inline uint64_t key_stderr(const struct key_report *k)
{
    return k->variance > 0 ? (uint64_t)(sqrt(k->variance) + 0.5) : 0;
}

static inline struct key_value key_value(const struct key_report *k, enum key_field_id id)
{
    switch (id) {
    case FIELD_DATABASE: return value_number(k->db);
    case FIELD_TYPE: return value_text(key_type_words[k->type]);
    case FIELD_KEY: return (struct key_value){VALUE_NAME, 0, NULL};
    case FIELD_BYTES: return value_number(k->bytes);
    case FIELD_ENCODING: return value_text(k->module[0] ? k->module : encoding_name(k->encoding));
    case FIELD_ELEMENTS: return value_number(k->elements);
    case FIELD_LARGEST: return value_number(k->largest);
    case FIELD_EXPIRY:
        return (struct key_value){k->expire_ms == -1 ? VALUE_NONE : VALUE_TIME, (uint64_t)k->expire_ms, NULL};
    case FIELD_MEMORY_USAGE:
        return (struct key_value){k->has_memory_usage ? VALUE_NUMBER : VALUE_NONE, k->memory_usage, NULL};
    case FIELD_PAYLOAD: return value_number(k->payload);
    case FIELD_OVERHEAD: return (struct key_value){VALUE_SIGNED, k->bytes - k->payload, NULL};
    case FIELD_ROUNDING: return value_number(k->rounding);
    case FIELD_STDERR: return value_number(key_stderr(k));
    case FIELD_SERIALIZED: return value_number(k->record);
    case FIELD_OFFSET: return value_number(k->offset);
    case FIELD_IDLE: return value_known(k->idle_s);
    case FIELD_FREQ: return value_known(k->freq);
    case FIELD_SLOT: return value_known(k->slot);
    case FIELD_FLAGS: return (struct key_value){VALUE_FLAGS, k->flags, NULL};
    case FIELD_FREED: return value_own(k, k->given_back);
    case FIELD_STRANDED: return value_own(k, k->stranded);
    case FIELD_COUNT: break;
    }
    return (struct key_value){VALUE_NONE, 0, NULL};
}

#endif
