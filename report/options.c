/*
 * options.c - the option table, and what each option does with its value.
 */
#include "report/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---------------------------------------------------------------- reading values */

static bool complain(char err[OPTION_ERROR], const char *option, const char *value, const char *expected)
{
    char *shown = safe_text(value);
    snprintf(err, OPTION_ERROR, "--%s: '%.120s' is not %s", option, shown ? shown : "", expected);
    free(shown);
    return false;
}

static bool read_u64(const char *text, uint64_t max, uint64_t *v, const char **end)
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

static bool read_count(const char *text, uint64_t max, uint64_t *v)
{
    const char *end;
    return read_u64(text, max, v, &end) && *end == '\0';
}

/* K, M, G, T, also as KiB or KB: powers of 1024. */
static bool read_size(const char *text, uint64_t *v)
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

static bool read_when(const char *option, const char *value, enum when *when, char err[OPTION_ERROR])
{
    static const char *const words[] = {"auto", "always", "never", NULL};
    unsigned i;
    if (!pick(value, words, &i))
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
    o->outputs[o->noutputs++] = (struct output){f, value[len] ? value + len + 1 : NULL};
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

static bool set_top(struct options *o, const char *value, char err[OPTION_ERROR])
{
    uint64_t v;
    if (!read_count(value, 1000000, &v))
        return complain(err, "top", value, "a number from 0 to 1000000");
    o->top = (unsigned)v;
    return true;
}

static bool set_one_big(struct options *o, const char *item, size_t len)
{
    char text[64];
    uint64_t *to[] = {&o->big_bytes, &o->big_elements, &o->big_element};
    static const char *const names[] = {"bytes=", "elements=", "element="};
    if (len >= sizeof text)
        return false;
    memcpy(text, item, len);
    text[len] = '\0';
    for (unsigned i = 0; i < 3; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(text, names[i], n) == 0)
            return i == 1 ? read_count(text + n, UINT64_MAX, to[i]) : read_size(text + n, to[i]);
    }
    return false;
}

static bool set_big(struct options *o, const char *value, char err[OPTION_ERROR])
{
    for (const char *p = value;; p++) {
        size_t len = strcspn(p, ",");
        if (!set_one_big(o, p, len))
            return complain(err, "big", value, "of the form bytes=1M,elements=10000,element=256K");
        p += len;
        if (!*p)
            return true;
    }
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

static bool set_load_as(struct options *o, const char *value, char err[OPTION_ERROR])
{
    static const char *const words[] = {"all", "master", "replica", NULL};
    unsigned i;
    if (!pick(value, words, &i))
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

static bool set_on_error(struct options *o, const char *value, char err[OPTION_ERROR])
{
    static const char *const words[] = {"stop", "skip-key", NULL};
    unsigned i;
    if (!pick(value, words, &i))
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

#define GROUP(text)                                                                                                    \
    {                                                                                                                  \
        .group = text                                                                                                  \
    }

const struct option_row option_rows[] = {
    GROUP("The server that loads the dump"),
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

    GROUP("What is reported"),
    {NULL, "top", 0, "N", false, set_top, "length of the lists of largest keys; default 10"},
    {NULL, "big", 0, "LIMITS", false, set_big,
     "what a big key is; default bytes=1M,elements=10000,element=256K, any of them can be given"},
    {NULL, "slots", 0, NULL, false, set_slots, "fill in each key's cluster hash slot"},
    {NULL, "on-error", 0, "ACTION", false, set_on_error,
     "stop (default) at damage, or skip-key where the end of the damaged value is known"},

    GROUP("Output"),
    {NULL, "format", 'f', "NAME[:FILE]", true, set_format,
     "how to write; several can be given, each to a place of its own:"},
    {NULL, "output", 'o', "FILE", false, set_output,
     "where to, - = standard output (default); written beside and renamed when done"},
    {NULL, "escape", 0, "HOW", false, set_escape,
     "key names in CSV: utf8 (default; print on a terminal), print, raw or base64"},
    {NULL, "color", 0, "[=WHEN]", false, set_color, "auto (default), always or never; NO_COLOR is heeded"},
    {NULL, "progress", 0, "[=WHEN]", false, set_progress,
     "rate and time left on standard error; auto: if it is a terminal"},
    {NULL, "quiet", 'q', NULL, false, set_quiet, "nothing on standard error but errors"},

    GROUP("Help"),
    {NULL, "help", 'h', NULL, false, set_help, "show this text"},
    {NULL, "version", 'V', NULL, false, set_version, "show the version"},
    {0},
};
