/*
 * filter.c - see filter.h.
 */
#include "analyzer/filter.h"

#include <stdio.h>
#include <string.h>

#include "analyzer/analysis.h"

/* ---------------------------------------------------------------- numbers with units */

static bool parse_number(const char *text, uint64_t *v, const char **end)
{
    const char *p = text;
    uint64_t n = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(n, 10U, &n) || __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
            return false;
    *v = n;
    *end = p;
    return p != text;
}

bool parse_size(const char *text, uint64_t *v, const char **end)
{
    static const char letters[] = "kmgt";
    if (!parse_number(text, v, end))
        return false;
    const char *at = **end ? strchr(letters, **end | 0x20) : NULL;
    if (at) {
        if (__builtin_mul_overflow(*v, UINT64_C(1024) << (10 * (at - letters)), v))
            return false;
        *end += 1;
        *end += **end == 'i' || **end == 'I';
    }
    *end += **end == 'b' || **end == 'B';
    return true;
}

bool parse_time(const char *text, int64_t *seconds, const char **end)
{
    static const struct {
        char unit;
        int64_t s;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}, {'y', 31536000}};
    uint64_t v;
    if (!parse_number(text, &v, end) || v > INT32_MAX)
        return false;
    *seconds = (int64_t)v;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (**end == units[i].unit) {
            *seconds *= units[i].s;
            *end += 1;
            break;
        }
    return true;
}

/* ---------------------------------------------------------------- setting */

void filter_init(struct filter *f)
{
    memset(f, 0, sizeof *f);
    f->max_bytes = UINT64_MAX;
    f->sample = 1;
}

void filter_free(struct filter *f)
{
    for (unsigned i = 0; i < f->nregexes; i++)
        regex_free(f->regexes[i]);
    f->nregexes = 0;
}

static bool expect(char err[REGEX_ERROR], const char *what)
{
    snprintf(err, REGEX_ERROR, "%s", what);
    return false;
}

static bool set_db(struct filter *f, const char *value, char err[REGEX_ERROR])
{
    uint64_t v;
    const char *end;
    if (!parse_number(value, &v, &end) || *end || v > UINT32_MAX)
        return expect(err, "a database's number");
    if (f->ndbs == FILTER_MAX)
        return expect(err, "possible: given too often");
    f->dbs[f->ndbs++] = (uint32_t)v;
    return true;
}

static bool set_type(struct filter *f, const char *value, char err[REGEX_ERROR])
{
    for (unsigned t = 0; t < RDB_T_COUNT; t++)
        if (strcmp(value, rdb_type_name((enum rdb_type)t)) == 0) {
            f->types |= 1U << t;
            return true;
        }
    if (strcmp(value, "sortedset") == 0) { /* as the CSV says */
        f->types |= 1U << RDB_T_ZSET;
        return true;
    }
    return expect(err, "a type such as string, list, set, zset, hash, stream, module");
}

static bool set_encoding(struct filter *f, const char *value, char err[REGEX_ERROR])
{
    for (unsigned e = 0; e < ENC_COUNT; e++)
        if (strcmp(value, encoding_name((enum encoding)e)) == 0) {
            f->encodings |= 1U << e;
            return true;
        }
    return expect(err, "an encoding such as raw, int, embstr, listpack, hashtable, skiplist, quicklist, intset");
}

static bool set_key(struct filter *f, const char *value, char err[REGEX_ERROR])
{
    if (f->nglobs == FILTER_MAX)
        return expect(err, "possible: given too often");
    f->globs[f->nglobs++] = value;
    return true;
}

static bool set_not_key(struct filter *f, const char *value, char err[REGEX_ERROR])
{
    if (f->nnot_globs == FILTER_MAX)
        return expect(err, "possible: given too often");
    f->not_globs[f->nnot_globs++] = value;
    return true;
}

static bool set_regex(struct filter *f, const char *value, char err[REGEX_ERROR])
{
    char why[REGEX_ERROR];
    if (f->nregexes == FILTER_MAX)
        return expect(err, "possible: given too often");
    struct regex *r = regex_new(value, why);
    if (!r) {
        snprintf(err, REGEX_ERROR, "a pattern: %.200s", why);
        return false;
    }
    f->regexes[f->nregexes++] = r;
    return true;
}

static bool set_bytes(uint64_t *to, const char *value, char err[REGEX_ERROR])
{
    const char *end;
    return (parse_size(value, to, &end) && *end == '\0') || expect(err, "a size such as 500, 10K, 1M");
}

static bool set_min_bytes(struct filter *f, const char *value, char err[REGEX_ERROR])
{
    return set_bytes(&f->min_bytes, value, err);
}

static bool set_max_bytes(struct filter *f, const char *value, char err[REGEX_ERROR])
{
    return set_bytes(&f->max_bytes, value, err);
}

static bool set_min_elements(struct filter *f, const char *value, char err[REGEX_ERROR])
{
    const char *end;
    return (parse_number(value, &f->min_elements, &end) && *end == '\0') || expect(err, "a number");
}

static bool set_ttl_range(struct filter *f, const char *value)
{
    const char *end = value;
    f->ttl = TTL_RANGE;
    f->ttl_from_s = 0;
    f->ttl_to_s = INT64_MAX;
    if (strncmp(value, "..", 2) != 0 && !parse_time(value, &f->ttl_from_s, &end))
        return false;
    if (strncmp(end, "..", 2) != 0)
        return false;
    end += 2;
    return *end == '\0' ? end != value + 2 : parse_time(end, &f->ttl_to_s, &end) && *end == '\0';
}

const char *const filter_ttl_words[] = {"none", "any", "expired", NULL};

static bool set_ttl(struct filter *f, const char *value, char err[REGEX_ERROR])
{
    for (unsigned i = 0; filter_ttl_words[i]; i++)
        if (strcmp(value, filter_ttl_words[i]) == 0) {
            f->ttl = (enum filter_ttl)(TTL_NONE + i);
            return true;
        }
    return set_ttl_range(f, value) || expect(err, "none, any, expired or a range such as 1h..7d, ..1h, 30d..");
}

/* N or N-M */
static bool set_slot(struct filter *f, const char *value, char err[REGEX_ERROR])
{
    uint64_t from, to;
    const char *end;
    bool ok = parse_number(value, &from, &end);
    to = from;
    if (ok && *end == '-')
        ok = parse_number(end + 1, &to, &end);
    if (!ok || *end || to > 16383 || from > to)
        return expect(err, "a slot from 0 to 16383, or a range such as 0-5460");
    f->has_slots = true;
    for (uint64_t s = from; s <= to; s++)
        f->slots[s / 8] |= (uint8_t)(1U << s % 8);
    return true;
}

/* 1/N */
static bool set_sample(struct filter *f, const char *value, char err[REGEX_ERROR])
{
    uint64_t n;
    const char *end;
    if (strncmp(value, "1/", 2) != 0 || !parse_number(value + 2, &n, &end) || *end || n == 0 || n > 1000000)
        return expect(err, "1/N with N from 1 to 1000000");
    f->sample = n;
    return true;
}

static const struct {
    const char *option;
    bool (*set)(struct filter *f, const char *value, char err[REGEX_ERROR]);
} setters[] = {
    {"db", set_db},
    {"type", set_type},
    {"encoding", set_encoding},
    {"key", set_key},
    {"not-key", set_not_key},
    {"regex", set_regex},
    {"min-bytes", set_min_bytes},
    {"max-bytes", set_max_bytes},
    {"min-elements", set_min_elements},
    {"ttl", set_ttl},
    {"slot", set_slot},
    {"sample", set_sample},
};

bool filter_set(struct filter *f, const char *option, const char *value, char err[REGEX_ERROR])
{
    for (size_t i = 0; i < sizeof setters / sizeof setters[0]; i++) {
        if (strcmp(option, setters[i].option) != 0)
            continue;
        if (f->nconditions == FILTER_CONDITIONS)
            return expect(err, "possible: too many conditions");
        if (!setters[i].set(f, value, err))
            return false;
        f->active |= setters[i].set != set_sample;
        f->conditions[f->nconditions][0] = option;
        f->conditions[f->nconditions++][1] = value;
        return true;
    }
    return expect(err, "a known condition");
}

/* ---------------------------------------------------------------- asking */

static bool any_glob(const char *const *globs, unsigned n, const struct key_report *k)
{
    for (unsigned i = 0; i < n; i++)
        if (glob_matches(globs[i], strlen(globs[i]), k->name, k->name_len))
            return true;
    return false;
}

static bool keeps_name(const struct filter *f, struct regex_matcher *m, const struct key_report *k)
{
    uint64_t gave_up = 0;
    bool wanted = f->nglobs + f->nregexes == 0 || any_glob(f->globs, f->nglobs, k);
    for (unsigned i = 0; i < f->nregexes && !wanted; i++)
        wanted = regex_matches(f->regexes[i], m, k->name, k->name_len, &gave_up);
    return wanted && !any_glob(f->not_globs, f->nnot_globs, k);
}

static bool keeps_ttl(const struct filter *f, const struct key_report *k, int64_t now_ms)
{
    bool expires = k->expire_ms >= 0, expired = (k->flags & KEY_EXPIRED) != 0;
    switch (f->ttl) {
    case TTL_ALL: return true;
    case TTL_NONE: return !expires;
    case TTL_ANY: return expires;
    case TTL_EXPIRED: return expired;
    case TTL_RANGE: break;
    }
    int64_t left = (k->expire_ms - now_ms) / 1000;
    return expires && !expired && left >= f->ttl_from_s && left < f->ttl_to_s;
}

static bool keeps_db(const struct filter *f, const struct key_report *k)
{
    unsigned i = 0;
    while (i < f->ndbs && f->dbs[i] != k->db)
        i++;
    return f->ndbs == 0 || i < f->ndbs;
}

bool filter_keeps(const struct filter *f, struct regex_matcher *m, const struct key_report *k, int64_t now_ms)
{
    if (f->types && !(f->types >> k->type & 1))
        return false;
    if (f->encodings && !(f->encodings >> k->encoding & 1))
        return false;
    if (k->bytes < f->min_bytes || k->bytes > f->max_bytes || k->elements < f->min_elements)
        return false;
    if (f->has_slots && (k->slot < 0 || !(f->slots[k->slot / 8] >> k->slot % 8 & 1)))
        return false;
    return keeps_db(f, k) && keeps_ttl(f, k, now_ms) && keeps_name(f, m, k);
}

/* Not the hash of groups, slots or servers, so that a sample has no bias in any of them. */
bool filter_samples(const struct filter *f, const uint8_t *name, size_t len)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325) ^ len;
    if (f->sample <= 1)
        return true;
    for (size_t i = 0; i < len; i++)
        h = (h ^ name[i]) * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 32;
    h *= UINT64_C(0xD6E8FEB86659FD93);
    h ^= h >> 32;
    return h % f->sample == 0;
}
