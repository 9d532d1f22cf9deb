/*
 * target.c - AUX fields, choice of the profile and of the allocator model.
 */
#include "analyzer/target.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void analysis_note(struct analysis *a, const char *format, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    char **notes = realloc(a->notes, (a->nnotes + 1) * sizeof *notes);
    if (notes == NULL)
        return;
    a->notes = notes;
    char *copy = strdup(text);
    if (copy)
        a->notes[a->nnotes++] = copy;
}

/* ---------------------------------------------------------------- AUX */

static void text_of(char *out, size_t size, const struct rdb_bytes *b)
{
    size_t n = b->len < size - 1 ? b->len : size - 1;
    for (size_t i = 0; i < n; i++) /* names and versions only: anything else is not for a terminal */
        out[i] = b->data[i] >= 0x20 && b->data[i] < 0x7f ? (char)b->data[i] : '?';
    out[n] = 0;
}

void file_aux(struct file_report *f, const struct rdb_bytes *name, const struct rdb_bytes *value)
{
    struct aux_field x;
    f->aux_total++;
    text_of(x.name, sizeof x.name, name);
    text_of(x.value, sizeof x.value, value);
    if (f->naux < sizeof f->aux / sizeof f->aux[0])
        f->aux[f->naux++] = x;
    if (strcasecmp(x.name, "redis-ver") == 0 || strcasecmp(x.name, "valkey-ver") == 0) {
        snprintf(f->writer, sizeof f->writer, "%s", tolower((unsigned char)x.name[0]) == 'v' ? "valkey" : "redis");
        snprintf(f->version, sizeof f->version, "%.31s", x.value);
    } else if (strcasecmp(x.name, "ctime") == 0) {
        long long seconds = strtoll(x.value, NULL, 10);
        f->ctime_s = seconds > 0 && seconds < 1LL << 40 ? seconds : -1; /* anything else is no time of a save */
    } else if (strcasecmp(x.name, "used-mem") == 0) {
        f->has_used_mem = true;
        f->used_mem = strtoull(x.value, NULL, 10);
    } else if (strcasecmp(x.name, "redis-bits") == 0) {
        f->bits = (int)strtol(x.value, NULL, 10);
    } else if (strcasecmp(x.name, "aof-preamble") == 0) {
        f->aof_preamble = strtol(x.value, NULL, 10) != 0;
    }
}

/* ---------------------------------------------------------------- profile */

/* Which release writes an RDB version, for files that do not say (2.8) or say 255.255.255. */
static const struct {
    enum rdb_family family;
    int rdb;
    const char *version;
} by_rdb[] = {
    {RDB_FAMILY_REDIS, 6, "2.8"},        {RDB_FAMILY_REDIS, 7, "3.2"},  {RDB_FAMILY_REDIS, 8, "4.0"},
    {RDB_FAMILY_REDIS, 9, "6.2"},        {RDB_FAMILY_REDIS, 10, "7.0"}, {RDB_FAMILY_REDIS, 11, "7.2"},
    {RDB_FAMILY_REDIS, 12, "8.4"},       {RDB_FAMILY_REDIS, 13, "8.6"}, {RDB_FAMILY_REDIS, 1 << 20, "8.8"},
    {RDB_FAMILY_VALKEY, 1 << 20, "9.1"},
};

static const char *version_by_rdb(enum rdb_family family, int rdb)
{
    for (size_t i = 0; i < sizeof by_rdb / sizeof by_rdb[0]; i++)
        if (by_rdb[i].family == family && rdb <= by_rdb[i].rdb)
            return by_rdb[i].version;
    return "7.2";
}

static bool development(const char *version)
{
    return strncmp(version, "255.", 4) == 0 || strncmp(version, "999.", 4) == 0;
}

static void writer_defaults(struct file_report *f)
{
    if (f->writer[0] == 0)
        snprintf(f->writer, sizeof f->writer, "%s", f->info.family == RDB_FAMILY_VALKEY ? "valkey" : "redis");
}

/* "redis:7.2" -> family, version; "7.2" takes the file's family. */
static void split_spec(const char *spec, const char *own_family, char family[16], const char **version)
{
    const char *colon = strchr(spec, ':');
    if (colon == NULL) {
        snprintf(family, 16, "%s", own_family);
        *version = spec;
    } else {
        snprintf(family, 16, "%.*s", (int)(colon - spec), spec);
        *version = colon + 1;
    }
}

static void unknown_target(const char *spec, char err[256])
{
    size_t used =
        (size_t)snprintf(err, 256, "--target=%.40s: not FAMILY:MAJOR.MINOR of redis or valkey; known are", spec);
    for (size_t i = 0; i < profile_count() && used < 240; i++) {
        const char *family, *version;
        profile_name(i, &family, &version);
        used += (size_t)snprintf(err + used, 256 - used, " %c:%s", family[0], version);
    }
}

bool target_choose(struct analysis *a, const struct analyze_options *o, struct profile *pf, char err[256])
{
    struct file_report *f = &a->file;
    struct profile_choice choice;
    char family[16];
    const char *version;
    writer_defaults(f);
    if (o->target) {
        split_spec(o->target, f->writer, family, &version);
        if (!profile_find(family, version, &choice)) {
            unknown_target(o->target, err);
            return false;
        }
        a->target_why = "--target";
    } else {
        bool own = f->version[0] && !development(f->version);
        snprintf(family, sizeof family, "%s", f->writer);
        version = own ? f->version : version_by_rdb(f->info.family, f->info.version);
        a->target_why = own ? "the file's own version" : "the file's RDB version";
        if (!profile_find(family, version, &choice) &&
            !profile_find(family, version = version_by_rdb(f->info.family, f->info.version), &choice)) {
            snprintf(err, 256, "no server profile for %s %s: name one with --target", family, version);
            return false;
        }
    }
    if (!profile_make(pf, choice.index, o->config, err))
        return false;
    static const char *const names[] = {"redis", "valkey"};
    a->target_family = names[strcmp(pf->family, "valkey") == 0];
    a->target_version = pf->version_text;
    char name[40];
    snprintf(name, sizeof name, "%s %s", pf->family, pf->version_text);
    a->target = strdup(name);
    if (!choice.exact)
        analysis_note(a, "no profile for %s %s: costed as %s %s, the nearest known version", family, version,
                      pf->family, pf->version_text);
    return a->target != NULL;
}

/* ---------------------------------------------------------------- allocator */

bool target_allocator(struct analysis *a, const struct analyze_options *o, const struct profile *pf,
                      struct allocator *alloc, char err[256])
{
    enum alloc_kind kind = (enum alloc_kind)pf->alloc_kind;
    bool pad = pf->pad_large != 0;
    if (o->allocator) {
        enum alloc_kind named;
        if (!allocator_kind_by_name(o->allocator, &named)) {
            snprintf(err, 256,
                     "--allocator=%.40s: not one of jemalloc, jemalloc-q16, jemalloc-3, libc, tcmalloc, prefix",
                     o->allocator);
            return false;
        }
        if (named == ALLOC_LIBC)
            kind = (enum alloc_kind)pf->libc_kind; /* what zmalloc counts on glibc depends on the version */
        else if (named != ALLOC_JEMALLOC)          /* "jemalloc" is the bundled one, whichever that is */
            kind = named;
        if (named == ALLOC_PREFIX && pf->libc_kind == ALLOC_PREFIX_ROUND)
            kind = ALLOC_PREFIX_ROUND;
        pad = named == ALLOC_JEMALLOC_Q16 || (named == ALLOC_JEMALLOC && pad);
    }
    allocator_init(alloc, kind, pad, pf->tcache_mul8 != 0);
    if (kind == ALLOC_JEMALLOC && pf->pad_max)
        alloc->pad_max = (uint32_t)pf->pad_max;
    a->allocator = o->allocator ? allocator_kind_name(kind) : allocator_kind_name((enum alloc_kind)pf->alloc_kind);
    return true;
}
