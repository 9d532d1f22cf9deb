/*
 * audit_big.c - what a big key is, by limits of our own, of the user or of a house, and what helps against one.
 */
#include <stdio.h>
#include <string.h>

#include "analyzer/analysis.h"
#include "analyzer/audit.h"
#include "analyzer/filter.h"

/* ---------------------------------------------------------------- limits */

static void set_all(struct big_table *t, uint64_t bytes, uint64_t elements, uint64_t element)
{
    t->all = (struct big_limits){bytes, elements, element};
    for (unsigned i = 0; i < RDB_T_COUNT; i++)
        t->of[i] = t->all;
}

#define KIB(n)   (UINT64_C(n) << 10)
#define MIB(n)   (UINT64_C(n) << 20)
#define NO_LIMIT UINT64_MAX

void big_table_init(struct big_table *t)
{
    set_all(t, MIB(1), 10000, KIB(256));
}

/* Rules that houses have published; no two agree. */
const struct big_preset big_presets[] = {
    {"default", "1 MiB, or 10,000 elements, or an element of 256 KiB"},
    {"10k", "10 KiB, or 5,000 elements"},
    {"100k", "100 KiB, or 10,000 elements"},
    {"1m", "1 MiB, or 10,000 elements"},
    {"strict", "a string of 10 KiB; a collection of 5,000 elements or 50 MiB"},
    {"general", "a string of 5 MiB; a collection of 10,000 elements or 100 MiB"},
    {0},
};

bool big_table_preset(struct big_table *t, const char *name)
{
    unsigned i = 0;
    while (big_presets[i].name && strcmp(name, big_presets[i].name) != 0)
        i++;
    switch (i) {
    case 0: big_table_init(t); return true;
    case 1: set_all(t, KIB(10), 5000, NO_LIMIT); return true;
    case 2: set_all(t, KIB(100), 10000, NO_LIMIT); return true;
    case 3: set_all(t, MIB(1), 10000, NO_LIMIT); return true;
    case 4:
        set_all(t, MIB(50), 5000, NO_LIMIT);
        t->of[RDB_T_STRING] = (struct big_limits){KIB(10), NO_LIMIT, NO_LIMIT};
        return true;
    case 5:
        set_all(t, MIB(100), 10000, NO_LIMIT);
        t->of[RDB_T_STRING] = (struct big_limits){MIB(5), NO_LIMIT, NO_LIMIT};
        return true;
    default: return false;
    }
}

/* The type whose name stands before the dot; RDB_T_COUNT: none stands there, -1: an unknown one. */
static int type_before_dot(const char **text)
{
    size_t len = strcspn(*text, ".=");
    const char *at = *text;
    if (at[len] != '.')
        return RDB_T_COUNT;
    *text = at + len + 1;
    for (int t = 0; t < RDB_T_COUNT; t++) {
        const char *name = rdb_type_name((enum rdb_type)t);
        if (strlen(name) == len && memcmp(name, at, len) == 0)
            return t;
    }
    return -1;
}

static void set_limit(struct big_limits *l, unsigned which, uint64_t v)
{
    uint64_t *to[] = {&l->bytes, &l->elements, &l->element};
    *to[which] = v;
}

static void set_limits(struct big_table *t, int type, unsigned which, uint64_t v)
{
    if (type == RDB_T_COUNT)
        set_limit(&t->all, which, v);
    for (int i = 0; i < RDB_T_COUNT; i++)
        if (type == RDB_T_COUNT || i == type)
            set_limit(&t->of[i], which, v);
}

const char *const big_limit_heads[] = {"bytes=", "elements=", "element=", NULL};

static bool set_one(struct big_table *t, const char **text)
{
    int type = type_before_dot(text);
    for (unsigned i = 0; big_limit_heads[i] && type >= 0; i++) {
        size_t n = strlen(big_limit_heads[i]);
        uint64_t v;
        if (strncmp(*text, big_limit_heads[i], n) != 0)
            continue;
        const char *digits = *text + n;
        if (!parse_size(digits, &v, text) || (i == 1 && strspn(digits, "0123456789") != (size_t)(*text - digits)))
            return false;
        set_limits(t, type, i, v);
        return true;
    }
    return false;
}

bool big_table_set(struct big_table *t, const char *text)
{
    for (;; text++) {
        if (!set_one(t, &text))
            return false;
        if (*text == '\0')
            return true;
        if (*text != ',')
            return false;
    }
}

unsigned big_flags(const struct big_table *t, const struct key_report *k)
{
    const struct big_limits *l = &t->of[k->type];
    bool counts = k->type != RDB_T_STRING; /* a string's "elements" are its bytes */
    return (k->bytes >= l->bytes ? (unsigned)KEY_BIG_BYTES : 0U) |
           (counts && k->elements >= l->elements ? (unsigned)KEY_BIG_ELEMENTS : 0U) |
           (k->largest >= l->element ? (unsigned)KEY_BIG_ELEMENT : 0U);
}

/* ---------------------------------------------------------------- advice */

static const char *const advice[RDB_T_COUNT] = {
    [RDB_T_STRING] = "split into chunks, compress, or keep it outside and store a reference",
    [RDB_T_LIST] = "cap with LTRIM, or cut into lists by time or number",
    [RDB_T_SET] = "split by hash of the member; SSCAN instead of SMEMBERS; UNLINK instead of DEL",
    [RDB_T_ZSET] = "trim with ZREMRANGEBYRANK, or split by score range",
    [RDB_T_HASH] = "split by hash of the field; HSCAN instead of HGETALL; UNLINK instead of DEL",
    [RDB_T_STREAM] = "cap with XADD MAXLEN or MINID; drop idle groups and consumers",
    [RDB_T_MODULE] = "ask the module for its own means; several smaller values",
    [RDB_T_VECTORSET] = "quantise (Q8, BIN), reduce dimensions, or split by category",
    [RDB_T_ARRAY] = "split by index range",
    [RDB_T_JSON] = "split the document; keep large parts under keys of their own",
};

/* Bucket array of a table with so many entries. */
static uint64_t table_bytes(uint64_t elements)
{
    uint64_t buckets = 4;
    while (buckets < elements)
        buckets *= 2;
    return buckets * 8;
}

void audit_advice(const struct key_report *k, char out[ADVICE_TEXT])
{
    const char *words = advice[k->type] ? advice[k->type] : "split into several keys";
    bool is_table = k->encoding == ENC_HASHTABLE || k->encoding == ENC_SKIPLIST;
    if ((k->flags & (KEY_BIG_BYTES | KEY_BIG_ELEMENTS)) == 0 && (k->flags & KEY_BIG_ELEMENT) && k->type != RDB_T_STRING)
        snprintf(out, ADVICE_TEXT, "one element of %.1f MiB: store it under a key of its own",
                 (double)k->largest / 1048576);
    else if (is_table && table_bytes(k->elements) >= MIB(1))
        snprintf(out, ADVICE_TEXT, "%s; %.0f MiB are bucket array", words, (double)table_bytes(k->elements) / 1048576);
    else
        snprintf(out, ADVICE_TEXT, "%s", words);
}
