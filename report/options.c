/*
 * options.c - the option table, and what each option does with its value.
 */
#include "report/option_values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---------------------------------------------------------------- reading values */

bool complain(char err[OPTION_ERROR], const char *option, const char *value, const char *expected)
{
    char *shown = safe_text(value);
    snprintf(err, OPTION_ERROR, "--%s: '%.120s' is not %s", option, shown ? shown : "", expected);
    free(shown);
    return false;
}

bool read_u64(const char *text, uint64_t max, uint64_t *v, const char **end)
{
    const char *p = text;
    uint64_t n = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(n, 10U, &n) || __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
            return false;
    *v = n;
    *end = p;
    return p != text && n <= max;
}

bool read_count(const char *text, uint64_t max, uint64_t *v)
{
    const char *end;
    return read_u64(text, max, v, &end) && *end == '\0';
}

bool read_size(const char *text, uint64_t *v)
{
    static const char letters[] = "kmgt";
    const char *end, *at;
    if (!read_u64(text, UINT64_MAX, v, &end))
        return false;
    if (*end == '\0' || strcasecmp(end, "b") == 0)
        return true;
    at = strchr(letters, *end | 0x20);
    if (!at || (end[1] && strcasecmp(end + 1, "b") != 0 && strcasecmp(end + 1, "ib") != 0))
        return false;
    return !__builtin_mul_overflow(*v, UINT64_C(1024) << (10 * (at - letters)), v);
}

static bool pick(const char *value, const char *const *words, unsigned *index)
{
    for (unsigned i = 0; words[i]; i++)
        if (strcmp(value, words[i]) == 0) {
            *index = i;
            return true;
        }
    return false;
}

const char *const when_words[] = {"auto", "always", "never", NULL};

static bool read_when(const char *option, const char *value, enum when *when, char err[OPTION_ERROR])
{
    unsigned i;
    if (!pick(value, when_words, &i))
        return complain(err, option, value, "auto, always or never");
    *when = (enum when)i;
    return true;
}

/* ---------------------------------------------------------------- what each option does */

static bool set_format(struct options *o, const char *value, char err[OPTION_ERROR])
{
    size_t len = strcspn(value, ":");
    const struct report_format *f = report_format(value, len);
    if (!f)
        return complain(err, "format", value, "a format (see --help)");
    if (value[len] == ':' && value[len + 1] == '\0')
        return complain(err, "format", value, "NAME or NAME:FILE");
    if (o->noutputs == REPORT_MAX_SINKS)
        return complain(err, "format", value, "possible: too many outputs");
    o->outputs[o->noutputs++] = (struct output){f, value[len] ? value + len + 1 : ""};
    return true;
}

static bool set_output(struct options *o, const char *value, char err[OPTION_ERROR])
{
    o->output = value;
    return *value || complain(err, "output", value, "a file's name");
}

static bool set_escape(struct options *o, const char *value, char err[OPTION_ERROR])
{
    o->escape_given = true;
    return escape_by_name(value, &o->escape) || complain(err, "escape", value, "utf8, print, raw or base64");
}

static bool set_stretch(struct options *o, const char *value, char err[OPTION_ERROR])
{
    enum { LEAST = 1024 };
    return (read_size(value, &o->stretch) && o->stretch >= LEAST) ||
           complain(err, "stretch", value, "a number of bytes, 1024 or more");
}

static bool set_threads(struct options *o, const char *value, char err[OPTION_ERROR])
{
    uint64_t v;
    if (!read_count(value, ANALYZE_THREADS, &v) || v == 0)
        return complain(err, "threads", value, "a number from 1 to 64");
    o->threads = (unsigned)v;
    return true;
}

static bool set_top(struct options *o, const char *value, char err[OPTION_ERROR])
{
    uint64_t v;
    if (!read_count(value, 1000000, &v))
        return complain(err, "top", value, "a number from 0 to 1000000");
    o->top = (unsigned)v;
    return true;
}

static bool set_target(struct options *o, const char *value, char err[OPTION_ERROR])
{
    (void)err; /* judged by analyze(), which knows the profiles */
    o->target = value;
    return true;
}

static bool set_allocator(struct options *o, const char *value, char err[OPTION_ERROR])
{
    enum alloc_kind kind;
    o->allocator = value;
    return allocator_kind_by_name(value, &kind) ||
           complain(err, "allocator", value, "jemalloc, jemalloc-q16, libc, tcmalloc or prefix");
}

static bool set_config(struct options *o, const char *value, char err[OPTION_ERROR])
{
    if (o->nassignments == OPTIONS_MAX_LIST)
        return complain(err, "config", value, "possible: given too often");
    o->assignments[o->nassignments++] = value;
    return true;
}

static bool set_redis_conf(struct options *o, const char *value, char err[OPTION_ERROR])
{
    if (o->nconf_files == OPTIONS_MAX_LIST)
        return complain(err, "redis-conf", value, "possible: given too often");
    o->conf_files[o->nconf_files++] = value;
    return true;
}

const char *const load_as_words[] = {"all", "master", "replica", NULL};

static bool set_load_as(struct options *o, const char *value, char err[OPTION_ERROR])
{
    unsigned i;
    if (!pick(value, load_as_words, &i))
        return complain(err, "load-as", value, "all, master or replica");
    o->load_as = (enum load_as)i;
    return true;
}

static bool set_now(struct options *o, const char *value, char err[OPTION_ERROR])
{
    uint64_t v;
    if (!read_count(value, INT64_MAX / 1000, &v))
        return complain(err, "now", value, "a time in seconds since 1970");
    o->now_s = (int64_t)v;
    return true;
}

bool read_duration(const char *text, int64_t *seconds)
{
    static const struct {
        char unit;
        int64_t s;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    uint64_t v;
    const char *end;
    if (!read_u64(text, INT64_MAX / 604800 / 1000, &v, &end))
        return false;
    if (*end == '\0') {
        *seconds = (int64_t)v;
        return true;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (*end == units[i].unit && end[1] == '\0') {
            *seconds = (int64_t)v * units[i].s;
            return true;
        }
    return false;
}

static bool set_horizon(struct options *o, const char *value, char err[OPTION_ERROR])
{
    int64_t s;
    unsigned i;
    if (strcmp(value, "all") == 0)
        s = INT64_MAX;
    else if (!read_duration(value, &s) || s == 0)
        return complain(err, "horizon", value, "a time such as 30m, 6h, 7d, or all");
    if (o->nhorizons == sizeof o->horizons_s / sizeof o->horizons_s[0])
        return complain(err, "horizon", value, "possible: given too often");
    for (i = o->nhorizons; i > 0 && o->horizons_s[i - 1] > s; i--) /* kept in ascending order */
        o->horizons_s[i] = o->horizons_s[i - 1];
    o->horizons_s[i] = s;
    o->nhorizons++;
    return true;
}

static bool set_then_delete(struct options *o, const char *value, char err[OPTION_ERROR])
{
    uint64_t v;
    const char *end;
    if (!read_u64(value, 100, &v, &end) || strcmp(end, "%") != 0 || v == 0)
        return complain(err, "then-delete", value, "a share from 1% to 100%");
    if (o->nthen_delete == sizeof o->then_delete / sizeof o->then_delete[0])
        return complain(err, "then-delete", value, "possible: given too often");
    o->then_delete[o->nthen_delete++] = (double)v / 100;
    return true;
}

static bool set_forecast_from(struct options *o, const char *value, char err[OPTION_ERROR])
{
    uint64_t v;
    if (!read_count(value, INT64_MAX / 1000, &v) || v == 0)
        return complain(err, "forecast-from", value, "a time in seconds since 1970");
    o->forecast_from_s = (int64_t)v;
    return true;
}

static bool set_no_forecast(struct options *o, const char *value, char err[OPTION_ERROR])
{
    (void)value;
    (void)err;
    o->no_forecast = true;
    return true;
}

const char *const on_error_words[] = {"stop", "skip-key", NULL};

static bool set_on_error(struct options *o, const char *value, char err[OPTION_ERROR])
{
    unsigned i;
    if (!pick(value, on_error_words, &i))
        return complain(err, "on-error", value, "stop or skip-key");
    o->skip_damaged = i == 1;
    return true;
}

static bool set_slots(struct options *o, const char *value, char err[OPTION_ERROR])
{
    (void)value;
    (void)err;
    o->slots = true;
    return true;
}

static bool set_metrics_namespace(struct options *o, const char *value, char err[OPTION_ERROR])
{
    size_t ok = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    o->metrics_namespace = value;
    return (*value && !value[ok] && ok <= 64 && (*value < '0' || *value > '9')) ||
           complain(err, "metrics-namespace", value, "letters, digits and underscores");
}

static bool set_color(struct options *o, const char *value, char err[OPTION_ERROR])
{
    return read_when("color", value ? value : "always", &o->color, err);
}

static bool set_progress(struct options *o, const char *value, char err[OPTION_ERROR])
{
    return read_when("progress", value ? value : "always", &o->progress, err);
}

static bool set_quiet(struct options *o, const char *value, char err[OPTION_ERROR])
{
    (void)value;
    (void)err;
    o->quiet = true;
    return true;
}

static bool set_help(struct options *o, const char *value, char err[OPTION_ERROR])
{
    (void)value;
    (void)err;
    o->action = ACTION_HELP;
    return true;
}

static bool set_version(struct options *o, const char *value, char err[OPTION_ERROR])
{
    (void)value;
    (void)err;
    if (o->action != ACTION_HELP)
        o->action = ACTION_VERSION;
    return true;
}

/* ---------------------------------------------------------------- the table */

const struct option_row option_rows[] = {
    {.group = "The server that loads the dump"},
    {NULL, "target", 0, "FAMILY:VERSION", false, set_target,
     "such as redis:7.2 or valkey:8.1; default: the one that wrote the dump"},
    {NULL, "allocator", 0, "NAME", false, set_allocator,
     "jemalloc, jemalloc-q16 (Debian's), libc, tcmalloc or prefix; default: the target's own"},
    {NULL, "config", 0, "NAME=VALUE", true, set_config,
     "a setting as in redis.conf, such as hash-max-listpack-entries=512"},
    {NULL, "redis-conf", 0, "FILE", true, set_redis_conf,
     "settings of a redis.conf or of CONFIG GET *; --config goes before"},
    {NULL, "load-as", 0, "ROLE", false, set_load_as,
     "all (default): every key; master: without expired ones; replica: as a replica loads"},
    {NULL, "now", 0, "UNIXTIME", false, set_now, "what expired is relative to; default: when the dump was saved"},

    {.group = "What is reported"},
    {NULL, "top", 0, "N", false, set_top, "length of the lists of largest keys; default 10"},
    {NULL, "slots", 0, NULL, false, set_slots, "fill in each key's cluster hash slot"},
    {NULL, "on-error", 0, "ACTION", false, set_on_error,
     "stop (default) at damage, or skip-key where the end of the damaged value is known"},

    {NULL, "explain", 0, "KEY", false, set_explain, "one key instead, allocation by allocation (text or json)"},
    {NULL, "hash-names", 0, "[=SECRET]", false, set_hash_names,
     "other names of the same lengths instead of the keys' own, to show the report to others"},

    {.group = "Which keys are reported (all conditions hold; the ledger is of the whole dump)"},
    {NULL, "db", 0, "N", true, set_filter_db, "of this database"},
    {NULL, "type", 0, "TYPE", true, set_filter_type, "string, list, set, zset, hash, stream, module ..."},
    {NULL, "encoding", 0, "WORD", true, set_filter_encoding, "as OBJECT ENCODING says: raw, listpack, hashtable ..."},
    {NULL, "key", 0, "GLOB", true, set_filter_key, "names that match as KEYS matches, or match a --regex"},
    {NULL, "regex", 0, "PATTERN", true, set_filter_regex, "names that match anywhere (PCRE2)"},
    {NULL, "not-key", 0, "GLOB", true, set_filter_not_key, "but not these"},
    {NULL, "min-bytes", 0, "SIZE", false, set_filter_min_bytes, "not smaller than this"},
    {NULL, "max-bytes", 0, "SIZE", false, set_filter_max_bytes, "not larger than this"},
    {NULL, "min-elements", 0, "N", false, set_filter_min_elements, "with so many elements (strings: bytes)"},
    {NULL, "ttl", 0, "WHICH", false, set_filter_ttl, "none, any, expired, or time left such as 1h..7d, ..1h, 30d.."},
    {NULL, "slot", 0, "N[-M]", true, set_filter_slot, "in these cluster slots"},
    {NULL, "sample", 0, "1/N", false, set_filter_sample,
     "read only one of N keys, chosen by its name, and scale all figures up"},

    {.group = "Audit"},
    {NULL, "big", 0, "LIMITS", true, set_big,
     "what a big key is; default bytes=1M,elements=10000,element=256K; hash.elements=5000 for one type"},
    {NULL, "big-preset", 0, "NAME", false, set_big_preset, "the limits of a house; before --big:"},
    {NULL, "only-big", 0, NULL, false, set_only_big, "formats that list keys list the big ones only"},
    {NULL, "fail-on", 0, "RULE", true, set_fail_on,
     "exit with 3 if it is broken: big-key, used-memory>10G, prefix:GLOB>2G, no-ttl:GLOB, fragmentation>1.5"},
    {NULL, "allow", 0, "FILE", true, set_allow, "big keys that are known: lines of GLOB [max=SIZE] [until=YYYY-MM-DD]"},
    {NULL, "fail-on-expired", 0, NULL, false, set_fail_on_expired, "rules count expired keys too"},

    {.group = "Groups of keys"},
    {NULL, "groups", 0, "N", false, set_groups,
     "how many prefixes are told apart in the report; default 300, 0 = none"},
    {NULL, "depth", 0, "N", false, set_depth, "parts of a name that make prefixes, 1 to 16; default 4"},
    {NULL, "separator", 0, "C", true, set_separator,
     "what parts end at; default : and, for names without one, the first of / | . - _ that they have"},
    {NULL, "group", 0, "NAME=REGEX", true, set_group,
     "a group of your own (PCRE2); the first that matches has the key, the rest is unclassified"},

    {.group = "What will come"},
    {NULL, "horizon", 0, "TIME", true, set_horizon,
     "forecast the memory when the keys that expire by then are gone: 30m, 6h, 7d, all; default 1h 6h 24h 7d 30d all"},
    {NULL, "then-delete", 0, "P%", true, set_then_delete,
     "and then after deleting P % of the keys that are left, at random"},
    {NULL, "forecast-from", 0, "UNIXTIME", false, set_forecast_from,
     "what horizons count from; default: when the dump was saved"},
    {NULL, "no-forecast", 0, NULL, false, set_no_forecast, "leave the forecast out"},
    {NULL, "rebuild", 0, NULL, false, set_rebuild,
     "allocate it all in this machine's jemalloc too, and compare with the forecast; takes the data set's memory"},
    {NULL, "rebuild-limit", 0, "SIZE", false, set_rebuild_limit,
     "most memory that --rebuild takes; default: half of what is available"},
    {NULL, "rebuild-sample", 0, "1/N", false, set_rebuild_sample, "rebuild the keys of every N-th hash slot only"},

    {.group = "Output"},
    {NULL, "format", 'f', "NAME[:FILE]", true, set_format,
     "how to write; several can be given, each to a place of its own:"},
    {NULL, "output", 'o', "FILE", false, set_output,
     "where to, - = standard output (default); written beside and renamed when done"},
    {NULL, "threads", 0, "N", false, set_threads,
     "threads that work on the dumps; default: as many as there are processors; the report is the same"},
    {NULL, "stretch", 0, "SIZE", false, set_stretch,
     "bytes of the dump that a thread takes at a time; default: a 32nd of its share, 2 to 16 MiB"},
    {NULL, "escape", 0, "HOW", false, set_escape,
     "key names in CSV: utf8 (default; print on a terminal), print, raw or base64"},
    {NULL, "metrics-namespace", 0, "NAME", false, set_metrics_namespace,
     "what names of metrics begin with; default rdbmem"},
    {NULL, "color", 0, "[=WHEN]", false, set_color, "auto (default), always or never; NO_COLOR is heeded"},
    {NULL, "progress", 0, "[=WHEN]", false, set_progress,
     "rate and time left on standard error; auto: if it is a terminal"},
    {NULL, "quiet", 'q', NULL, false, set_quiet, "nothing on standard error but errors"},

    {.group = "Help"},
    {NULL, "help", 'h', NULL, false, set_help, "show this text"},
    {NULL, "version", 'V', NULL, false, set_version, "show the version"},
    {0},
};
