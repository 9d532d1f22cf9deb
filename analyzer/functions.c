/*
 * functions.c - what a function library allocates when it is loaded.
 *
 * libraryInfo, name, code, the library's dict; in the context's dict an entry with a copy of the name. Each function:
 * functionInfo, name, context of the engine, and an entry with a copied name in the library's and the context's dict.
 */
#include "analyzer/functions.h"

#include <string.h>

#include "analyzer/sizes.h"

enum { LIB_INFO = 32, FUNCTION_INFO = 40, DICT = 56, ENTRY = 24, ROBJ = 16, SHA_TEXT = 40 };

void functions_init(struct functions *f, const struct profile *pf)
{
    memset(f, 0, sizeof *f);
    table_init(&f->libraries, pf);
    table_init(&f->names, pf);
    table_init(&f->scripts, pf);
    f->libraries.hashtable = f->names.hashtable = f->scripts.hashtable = false;
}

static void take(struct functions *f, struct zheap *z, uint64_t request)
{
    f->bytes += zmalloc(z, request, ZL_FUNCTION);
}

/* One more entry in a dict of the context; what growth makes stays, the old array goes with later operations. */
static void grow(struct functions *f, struct zheap *z, struct table *t)
{
    struct table was = *t;
    table_insert(t, 1, 0);
    if (was.size == 0)
        take(f, z, 8 * t->size);
    if (was.next && !t->next) {
        f->bytes -= zusable(z, 8 * was.size);
        zfree(z, 8 * was.size, ZL_FUNCTION);
    }
    if (t->next && t->next != was.next)
        take(f, z, 8 * t->next);
}

/* Length of the word behind `#!lua name=`, 0 if it is not there. */
static size_t library_name(const struct rdb_bytes *s)
{
    static const char key[] = "name=";
    const uint8_t *end = memchr(s->data, '\n', s->len);
    size_t line = end ? (size_t)(end - s->data) : s->len, n = 0;
    const uint8_t *at = memmem(s->data, line, key, sizeof key - 1);
    if (at == NULL)
        return 0;
    at += sizeof key - 1;
    while (at + n < s->data + line && at[n] != ' ' && at[n] != '\r')
        n++;
    return n;
}

/* Length of the first quoted word after p. */
static size_t quoted_length(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p != '\'' && *p != '"')
        p++;
    if (p == end)
        return 0;
    const uint8_t *close = memchr(p + 1, *p, (size_t)(end - p) - 1);
    return close ? (size_t)(close - p) - 1 : 0;
}

static void one_function(struct functions *f, const struct profile *pf, struct zheap *z, struct table *own, size_t name)
{
    take(f, z, FUNCTION_INFO);
    take(f, z, (uint64_t)pf->function_ctx);
    for (int copies = 0; copies < 3; copies++)
        take(f, z, sds_request(pf, name));
    take(f, z, ENTRY);
    take(f, z, ENTRY);
    grow(f, z, own);
    grow(f, z, &f->names);
    f->count++;
}

void functions_library(struct functions *f, const struct profile *pf, struct zheap *z, const struct rdb_bytes *source)
{
    static const char call[] = "register_function";
    if (!pf->function_ctx)
        return;
    size_t name = library_name(source);
    struct table own;
    table_init(&own, pf);
    own.hashtable = false;
    take(f, z, LIB_INFO);
    take(f, z, sds_request(pf, name));
    take(f, z, sds_request(pf, source->full_len));
    take(f, z, DICT);
    take(f, z, ENTRY);
    take(f, z, sds_request(pf, name));
    grow(f, z, &f->libraries);
    const uint8_t *p = source->data, *end = source->data + source->len;
    while ((p = memmem(p, (size_t)(end - p), call, sizeof call - 1)) != NULL) {
        p += sizeof call - 1;
        one_function(f, pf, z, &own, quoted_length(p, end));
    }
    if (pf->function_lua) {
        zcharge(z, pf->function_lua, 0, ZL_FUNCTION);
        f->bytes += (uint64_t)pf->function_lua;
    }
}

void functions_script(struct functions *f, const struct profile *pf, struct zheap *z, uint64_t len)
{
    if (!pf->lua_scripts)
        return;
    if (pf->embstr_max && len <= (uint64_t)pf->embstr_max) {
        take(f, z, ROBJ + 3 + len + 1);
    } else {
        take(f, z, ROBJ);
        take(f, z, sds_request(pf, len));
    }
    take(f, z, sds_request(pf, SHA_TEXT));
    take(f, z, ENTRY);
    grow(f, z, &f->scripts);
}
