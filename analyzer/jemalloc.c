/*
 * jemalloc.c - loading the system's jemalloc and asking it. The only file that knows its interface.
 */
#include "analyzer/jemalloc.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <jemalloc/jemalloc.h>
#include <stdio.h>
#include <string.h>

static struct {
    void *handle;
    void *(*mallocx)(size_t size, int flags);
    void (*dallocx)(void *block, int flags);
    int (*mallctl)(const char *name, void *old, size_t *old_len, void *new, size_t new_len);
} je;

enum { PAGE = 4096 };

/* ---------------------------------------------------------------- loading */

static bool find(const char *name, void *function)
{
    void *symbol = dlsym(je.handle, name);
    memcpy(function, &symbol, sizeof symbol); /* C has no other way from an object to a function */
    return symbol != NULL;
}

enum jemalloc_state jemalloc_load(char err[256])
{
    if (je.handle)
        return JEMALLOC_READY;
#if RDBMEM_STATIC
    snprintf(err, 256, "this rdbmem is a static program, which cannot load jemalloc");
    return JEMALLOC_ABSENT;
#endif
    je.handle = dlopen("libjemalloc.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!je.handle) {
        const char *why = dlerror();
        snprintf(err, 256, "%s", why ? why : "libjemalloc.so.2 cannot be loaded");
        return strstr(err, "static TLS") ? JEMALLOC_RESTART : JEMALLOC_ABSENT;
    }
    if (find("mallocx", &je.mallocx) && find("dallocx", &je.dallocx) && find("mallctl", &je.mallctl))
        return JEMALLOC_READY;
    snprintf(err, 256, "libjemalloc.so.2 has no mallocx, dallocx or mallctl");
    dlclose(je.handle);
    je.handle = NULL;
    return JEMALLOC_ABSENT;
}

/* ---------------------------------------------------------------- asking */

/* Of a name such as "arenas.bin.%u.size"; what cannot be asked is 0. */
static uint64_t ask(const char *format, unsigned a, unsigned b, size_t size)
{
    char name[96];
    union {
        bool b1;
        uint32_t b4;
        uint64_t b8;
    } v = {.b8 = 0};
    size_t n = size;
    snprintf(name, sizeof name, format, a, b);
    if (je.mallctl(name, &v, &n, NULL, 0) != 0 || n != size)
        return 0;
    return size == sizeof v.b1 ? v.b1 : size == sizeof v.b4 ? v.b4 : v.b8;
}

static void tell(const char *format, unsigned arena)
{
    char name[96];
    snprintf(name, sizeof name, format, arena);
    je.mallctl(name, NULL, NULL, NULL, 0);
}

const char *jemalloc_version(void)
{
    static char version[32];
    const char *text = "";
    size_t n = sizeof(const char *);
    if (je.mallctl("version", &text, &n, NULL, 0) == 0)
        snprintf(version, sizeof version, "%.*s", (int)strcspn(text, "-"), text); /* 5.3.0-0-g54eaed1d... */
    return version;
}

static bool bins_agree(const struct allocator *a)
{
    if (ask("arenas.page", 0, 0, 8) != PAGE || ask("arenas.nbins", 0, 0, 4) < a->nbins)
        return false;
    for (unsigned b = 0; b < a->nbins; b++)
        if (ask("arenas.bin.%u.size", b, 0, 8) != a->bins[b].size ||
            ask("arenas.bin.%u.nregs", b, 0, 4) != a->bins[b].regions ||
            ask("arenas.bin.%u.slab_size", b, 0, 8) != (uint64_t)a->bins[b].pages * PAGE)
            return false;
    return true;
}

bool jemalloc_model(struct allocator *a, char err[256])
{
    bool quantum_16 = ask("arenas.quantum", 0, 0, 8) == 16;
    bool pads = ask("opt.cache_oblivious", 0, 0, 1) || ask("config.cache_oblivious", 0, 0, 1);
    allocator_init(a, quantum_16 ? ALLOC_JEMALLOC_Q16 : ALLOC_JEMALLOC, pads, false);
    if (!ask("config.stats", 0, 0, 1))
        snprintf(err, 256, "libjemalloc.so.2 was built without statistics");
    else if (!bins_agree(a))
        snprintf(err, 256, "the size classes of libjemalloc.so.2 (%s) are not those of the model", jemalloc_version());
    else
        return true;
    return false;
}

/* ---------------------------------------------------------------- an arena */

bool jemalloc_arena_new(unsigned *arena)
{
    size_t n = sizeof *arena;
    return je.mallctl("arenas.create", arena, &n, NULL, 0) == 0;
}

void jemalloc_arena_free(unsigned arena)
{
    tell("arena.%u.destroy", arena);
}

void *jemalloc_give(unsigned arena, uint64_t request)
{
    return je.mallocx(request ? request : 1, (int)MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE);
}

void jemalloc_take(void *block)
{
    je.dallocx(block, MALLOCX_TCACHE_NONE);
}

void jemalloc_stats(unsigned arena, struct jemalloc_arena_stats *st)
{
    uint64_t epoch = 1;
    size_t n = sizeof epoch;
    tell("arena.%u.purge", arena);
    je.mallctl("epoch", &epoch, &n, &epoch, n); /* statistics are a snapshot, taken now */
    st->allocated =
        ask("stats.arenas.%u.small.allocated", arena, 0, 8) + ask("stats.arenas.%u.large.allocated", arena, 0, 8);
    st->active = ask("stats.arenas.%u.pactive", arena, 0, 8) * PAGE;
    st->resident = ask("stats.arenas.%u.resident", arena, 0, 8);
}

void jemalloc_bin(unsigned arena, unsigned bin, struct jemalloc_bin_stats *st)
{
    st->regions = ask("stats.arenas.%u.bins.%u.curregs", arena, bin, 8);
    st->slabs = ask("stats.arenas.%u.bins.%u.curslabs", arena, bin, 8);
}
