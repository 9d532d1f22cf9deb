/*
 * config.c - the table of settings that change memory, and the reading of one value.
 *
 * A row says how a value is written and what the servers accept: a value that no server would start with is an error
 * here too, so that a report never rests on a setting that was misread. Files are read in config_file.c.
 */
#include "analyzer/config_internal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_ALIASES = 3 };

enum kind {
    KIND_INTEGER,
    KIND_MEMORY, /* integer with units: 1k = 1000, 1kb = 1024, up to g and gb */
    KIND_YES_NO,
    KIND_POLICY
};

struct row {
    const char *name[MAX_ALIASES]; /* today's name first, then older ones */
    enum kind kind;
    int64_t min, max;
};

#define ENTRIES 0, LONG_MAX

static const struct row rows[SET_COUNT] = {
    [SET_HASH_ENTRIES] = {{"hash-max-listpack-entries", "hash-max-ziplist-entries", "hash-max-zipmap-entries"},
                          KIND_INTEGER,
                          ENTRIES},
    [SET_HASH_VALUE] = {{"hash-max-listpack-value", "hash-max-ziplist-value", "hash-max-zipmap-value"},
                        KIND_MEMORY,
                        ENTRIES},
    [SET_SET_INTSET] = {{"set-max-intset-entries"}, KIND_INTEGER, ENTRIES},
    [SET_SET_ENTRIES] = {{"set-max-listpack-entries"}, KIND_INTEGER, ENTRIES},
    [SET_SET_VALUE] = {{"set-max-listpack-value"}, KIND_MEMORY, ENTRIES},
    [SET_ZSET_ENTRIES] = {{"zset-max-listpack-entries", "zset-max-ziplist-entries"}, KIND_INTEGER, ENTRIES},
    [SET_ZSET_VALUE] = {{"zset-max-listpack-value", "zset-max-ziplist-value"}, KIND_MEMORY, ENTRIES},
    [SET_LIST_SIZE] = {{"list-max-listpack-size", "list-max-ziplist-size"}, KIND_INTEGER, INT_MIN, INT_MAX},
    [SET_LIST_ENTRIES] = {{"list-max-ziplist-entries"}, KIND_INTEGER, ENTRIES},
    [SET_LIST_VALUE] = {{"list-max-ziplist-value"}, KIND_MEMORY, ENTRIES},
    [SET_LIST_DEPTH] = {{"list-compress-depth"}, KIND_INTEGER, 0, INT_MAX},
    [SET_STREAM_BYTES] = {{"stream-node-max-bytes"}, KIND_MEMORY, ENTRIES},
    [SET_STREAM_ENTRIES] = {{"stream-node-max-entries"}, KIND_INTEGER, ENTRIES},
    [SET_ARRAY_SLICE] = {{"array-slice-size"}, KIND_INTEGER, 1, INT_MAX},
    [SET_ARRAY_KMAX] = {{"array-sparse-kmax"}, KIND_INTEGER, 0, INT_MAX},
    [SET_ARRAY_KMIN] = {{"array-sparse-kmin"}, KIND_INTEGER, 0, INT_MAX},
    [SET_MAXMEMORY] = {{"maxmemory"}, KIND_MEMORY, 0, INT64_MAX},
    [SET_MAXMEMORY_POLICY] = {{"maxmemory-policy"}, KIND_POLICY, 0, 0},
    [SET_CLUSTER] = {{"cluster-enabled"}, KIND_YES_NO, 0, 1},
    [SET_DATABASES] = {{"databases"}, KIND_INTEGER, 1, INT_MAX},
    [SET_MAXCLIENTS] = {{"maxclients"}, KIND_INTEGER, 1, UINT_MAX},
    [SET_DEFRAG_IGNORE] = {{"active-defrag-ignore-bytes"}, KIND_MEMORY, 1, INT64_MAX},
    [SET_DEFRAG_LOWER] = {{"active-defrag-threshold-lower"}, KIND_INTEGER, 0, 1000},
    [SET_DEFRAG_UPPER] = {{"active-defrag-threshold-upper"}, KIND_INTEGER, 0, 1000},
    [SET_DEFRAG_CYCLE_MIN] = {{"active-defrag-cycle-min"}, KIND_INTEGER, 1, 99},
    [SET_DEFRAG_CYCLE_MAX] = {{"active-defrag-cycle-max"}, KIND_INTEGER, 1, 99},
};

static const char *const policies[] = {
    [POLICY_NOEVICTION] = "noeviction",           [POLICY_ALLKEYS_LRU] = "allkeys-lru",
    [POLICY_VOLATILE_LRU] = "volatile-lru",       [POLICY_ALLKEYS_LFU] = "allkeys-lfu",
    [POLICY_VOLATILE_LFU] = "volatile-lfu",       [POLICY_ALLKEYS_RANDOM] = "allkeys-random",
    [POLICY_VOLATILE_RANDOM] = "volatile-random", [POLICY_VOLATILE_TTL] = "volatile-ttl",
    [POLICY_ALLKEYS_LRM] = "allkeys-lrm",         [POLICY_VOLATILE_LRM] = "volatile-lrm",
};
enum { POLICY_COUNT = sizeof policies / sizeof *policies };

void config_init(struct config *c)
{
    memset(c, 0, sizeof *c);
}

const char *config_name(enum setting s)
{
    return rows[s].name[0];
}

const char *policy_name(enum policy p)
{
    return (unsigned)p < POLICY_COUNT ? policies[p] : "unknown";
}

bool config_find(const char *name, size_t len, enum setting *s)
{
    for (unsigned i = 0; i < SET_COUNT; i++)
        for (unsigned j = 0; j < MAX_ALIASES && rows[i].name[j]; j++)
            if (strlen(rows[i].name[j]) == len && strncasecmp(rows[i].name[j], name, len) == 0) {
                *s = (enum setting)i;
                return true;
            }
    return false;
}

/* ---------------------------------------------------------------- values */

static int64_t unit_factor(const char *unit)
{
    static const struct {
        const char *name;
        int64_t factor;
    } units[] = {{"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1 << 10},
                 {"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasecmp(unit, units[i].name) == 0)
            return units[i].factor;
    return 0;
}

/* Digits with an optional minus sign; the rest of the text goes to *end. False when there is no digit or too many. */
static bool read_digits(const char *text, int64_t *v, const char **end)
{
    bool negative = *text == '-';
    const char *p = text + negative;
    int64_t n = 0;
    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
            return false;
    *v = negative ? -n : n;
    *end = p;
    return true;
}

static bool read_number(const struct row *r, const char *text, int64_t *v)
{
    const char *end;
    int64_t factor;
    if (!read_digits(text, v, &end))
        return false;
    factor = r->kind == KIND_MEMORY ? unit_factor(end) : *end == '\0';
    return factor != 0 && !__builtin_mul_overflow(*v, factor, v);
}

static bool read_policy(const char *text, int64_t *v)
{
    for (unsigned i = 0; i < POLICY_COUNT; i++)
        if (strcasecmp(text, policies[i]) == 0) {
            *v = i;
            return true;
        }
    return false;
}

static bool read_value(const struct row *r, const char *text, int64_t *v)
{
    switch (r->kind) {
    case KIND_INTEGER:
    case KIND_MEMORY: return read_number(r, text, v) && *v >= r->min && *v <= r->max;
    case KIND_YES_NO: *v = strcasecmp(text, "yes") == 0; return *v || strcasecmp(text, "no") == 0;
    case KIND_POLICY: return read_policy(text, v);
    }
    return false;
}

static void describe(const struct row *r, char *out, size_t size)
{
    switch (r->kind) {
    case KIND_YES_NO: snprintf(out, size, "yes or no"); return;
    case KIND_POLICY: snprintf(out, size, "an eviction policy such as allkeys-lru"); return;
    case KIND_INTEGER:
    case KIND_MEMORY:
        snprintf(out, size, "%s from %lld",
                 r->kind == KIND_MEMORY ? "a size (1k = 1000, 1kb = 1024)" : "a whole number", (long long)r->min);
        if (r->max < INT_MAX)
            snprintf(out + strlen(out), size - strlen(out), " to %lld", (long long)r->max);
        return;
    }
}

bool config_put(struct config *c, enum setting s, const char *value, char err[256])
{
    const struct row *r = &rows[s];
    int64_t v;
    char expected[80];
    if (!read_value(r, value, &v)) {
        describe(r, expected, sizeof expected);
        snprintf(err, 256, "bad value '%.60s' for %s: expected %s", value, r->name[0], expected);
        return false;
    }
    c->value[s] = v;
    c->given[s] = true;
    return true;
}

bool config_set(struct config *c, const char *assignment, char err[256])
{
    const char *equals = strchr(assignment, '=');
    enum setting s;
    if (!equals || equals == assignment) {
        snprintf(err, 256, "'%.100s' is not NAME=VALUE", assignment);
        return false;
    }
    if (!config_find(assignment, (size_t)(equals - assignment), &s)) {
        snprintf(err, 256, "'%.*s' is no setting that changes what keys cost",
                 (int)(equals - assignment > 100 ? 100 : equals - assignment), assignment);
        return false;
    }
    return config_put(c, s, equals + 1, err);
}
