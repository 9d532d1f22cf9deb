/*
 * profile.c - finding a server version and building its profile.
 */
#include "analyzer/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t profile_count(void)
{
    return redis_profiles_count + valkey_profiles_count;
}

static const struct profile_row *row_at(size_t index)
{
    return index < redis_profiles_count ? &redis_profiles[index] : &valkey_profiles[index - redis_profiles_count];
}

void profile_name(size_t index, const char **family, const char **version)
{
    *family = row_at(index)->family;
    *version = row_at(index)->text;
}

/* "7.2.4" -> 702; false when it does not begin with MAJOR.MINOR. */
static bool version_number(const char *text, int *number)
{
    char *end;
    long major = strtol(text, &end, 10);
    if (end == text || major < 0 || major > 9999)
        return false;
    long minor = 0;
    if (*end == '.') {
        const char *second = end + 1;
        minor = strtol(second, &end, 10);
        if (end == second || minor < 0)
            return false;
    }
    *number = (int)(major * 100 + (minor > 99 ? 99 : minor));
    return true;
}

bool profile_find(const char *family, const char *version, struct profile_choice *out)
{
    int want;
    if (!version_number(version, &want))
        return false;
    int best = -1;
    for (size_t i = 0; i < profile_count(); i++) { /* the newest known one that is not newer, else the oldest */
        const struct profile_row *r = row_at(i);
        if (strcasecmp(r->family, family) != 0)
            continue;
        if (best < 0 || r->version <= want)
            best = (int)i;
    }
    if (best < 0)
        return false;
    out->index = best;
    out->exact = row_at((size_t)best)->version == want;
    return true;
}

static void apply(struct profile *pf, int index)
{
    const struct profile_row *r = row_at((size_t)index);
    if (r->parent >= 0)
        apply(pf, r->parent);
    for (size_t i = 0; i < r->nchanges; i++)
        memcpy((char *)pf + r->changes[i].offset, &r->changes[i].value, sizeof(int));
}

/* config.c of each version; one row where versions agree. */
static void defaults(struct profile *pf)
{
    static const struct {
        enum setting s;
        int64_t value;
    } common[] = {
        {SET_HASH_ENTRIES, 512},   {SET_HASH_VALUE, 64},
        {SET_SET_INTSET, 512},     {SET_SET_ENTRIES, 128},
        {SET_SET_VALUE, 64},       {SET_ZSET_ENTRIES, 128},
        {SET_ZSET_VALUE, 64},      {SET_LIST_SIZE, -2},
        {SET_LIST_ENTRIES, 512},   {SET_LIST_VALUE, 64},
        {SET_LIST_DEPTH, 0},       {SET_STREAM_BYTES, 4096},
        {SET_STREAM_ENTRIES, 100}, {SET_ARRAY_SLICE, 4096},
        {SET_ARRAY_KMAX, 10},      {SET_ARRAY_KMIN, 5},
        {SET_MAXMEMORY, 0},        {SET_MAXMEMORY_POLICY, POLICY_NOEVICTION},
        {SET_CLUSTER, 0},          {SET_DATABASES, 16},
        {SET_MAXCLIENTS, 10000},   {SET_DEFRAG_IGNORE, 104857600},
        {SET_DEFRAG_LOWER, 10},    {SET_DEFRAG_UPPER, 100},
        {SET_DEFRAG_CYCLE_MIN, 1}, {SET_DEFRAG_CYCLE_MAX, 25},
    };
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        pf->set[common[i].s] = common[i].value;
    if (pf->version < 302)
        pf->set[SET_MAXMEMORY_POLICY] = POLICY_VOLATILE_LRU;
    if (pf->version < 600) { /* evict and defrag defaults: config.c */
        pf->set[SET_DEFRAG_CYCLE_MIN] = pf->version < 500 ? 25 : 5;
        pf->set[SET_DEFRAG_CYCLE_MAX] = 75;
    }
}

bool profile_make(struct profile *pf, int index, const struct config *config, char err[256])
{
    if (index < 0 || (size_t)index >= profile_count()) {
        snprintf(err, 256, "no such server profile");
        return false;
    }
    memset(pf, 0, sizeof *pf);
    const struct profile_row *r = row_at((size_t)index);
    pf->family = r->family;
    pf->version = r->version;
    pf->version_text = r->text;
    apply(pf, index);
    defaults(pf);
    for (int i = 0; config != NULL && i < SET_COUNT; i++)
        if (config->given[i])
            pf->set[i] = config->value[i];
    pf->cluster = pf->set[SET_CLUSTER] != 0;
    if (pf->cluster) {
        pf->set[SET_DATABASES] = 1;
        if (!pf->cluster_slots) {
            snprintf(err, 256, "cluster-enabled: %s %s has no cluster mode", pf->family, pf->version_text);
            return false;
        }
    }
    return true;
}
