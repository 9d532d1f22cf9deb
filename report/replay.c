/*
 * replay.c - see replay.h.
 */
#include "report/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/jemalloc.h"

/* ---------------------------------------------------------------- the library */

void replay_restart(char **argv)
{
    static const char name[] = "GLIBC_TUNABLES";
    const char *old = getenv(name);
    char err[256], *tunables = NULL;
    if (jemalloc_load(err) != JEMALLOC_RESTART || (old && strstr(old, JEMALLOC_TUNABLE)))
        return;
    if (asprintf(&tunables, "%s%s%s", old ? old : "", old && *old ? ":" : "", JEMALLOC_TUNABLE) < 0)
        return;
    setenv(name, tunables, 1);
    free(tunables);
    execv("/proc/self/exe", argv);
}

const char *replay_allocator(void)
{
    char why[256];
    struct allocator a;
    return jemalloc_load(why) == JEMALLOC_READY && jemalloc_model(&a, why) ? allocator_kind_name(a.kind) : NULL;
}

bool replay_possible(char err[OPTION_ERROR])
{
    char why[256] = "";
    struct allocator a;
    if (jemalloc_load(why) == JEMALLOC_READY && jemalloc_model(&a, why))
        return true;
    snprintf(err, OPTION_ERROR, "--rebuild: %s", why);
    return false;
}

/* ---------------------------------------------------------------- memory */

enum { BEYOND_SHARE = 32 /* of the blocks' bytes: room in slabs and jemalloc's own data take a 32nd more */ };

/* The number behind `field` in a file of the kernel's, or at its beginning when field is "". */
static bool read_number(const char *path, const char *field, uint64_t *v)
{
    char line[128];
    size_t len = strlen(field);
    bool found = false;
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    while (!found && fgets(line, sizeof line, f)) {
        char *end;
        if (strncmp(line, field, len) != 0)
            continue;
        *v = strtoull(line + len, &end, 10);
        found = end != line + len;
    }
    fclose(f);
    return found;
}

/* In a container the limit of its group counts, if that is lower. */
static uint64_t available_bytes(void)
{
    uint64_t free_bytes = UINT64_MAX, most, now, kib;
    if (read_number("/proc/meminfo", "MemAvailable:", &kib))
        free_bytes = kib * 1024;
    if (read_number("/sys/fs/cgroup/memory.max", "", &most) && read_number("/sys/fs/cgroup/memory.current", "", &now) &&
        most > now && most - now < free_bytes)
        free_bytes = most - now;
    return free_bytes;
}

uint64_t replay_limit(const struct options *o)
{
    return o->rebuild_limit ? o->rebuild_limit : available_bytes() / 2;
}

uint64_t replay_needs(const struct options *o, const struct analysis *a)
{
    const struct ledger *l = &a->ledger;
    uint64_t bytes = o->rebuild_sample > 1 ? l->keys / o->rebuild_sample : l->keys + l->keyspace + l->functions;
    return bytes + bytes / BEYOND_SHARE;
}
