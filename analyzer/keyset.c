/*
 * keyset.c - keys of a radix tree that do not arrive in order: kept, sorted, then walked.
 *
 * At most KEEP_BYTES of key bytes and KEEP_KEYS keys are kept. When there are more, the tree of those kept is charged
 * and the rest at the same average, so that memory stays bounded on any input.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/rebuild.h"

enum { KEEP_BYTES = 4 << 20, KEEP_KEYS = 1 << 17 };

struct key_ref {
    uint32_t at, len;
};

struct key_set {
    uint8_t *bytes;
    struct key_ref *refs;
    size_t nbytes, nrefs, bytes_cap, refs_cap;
    uint64_t beyond;
};

struct key_set *key_set_new(void)
{
    return calloc(1, sizeof(struct key_set));
}

void key_set_free(struct key_set *s)
{
    if (s == NULL)
        return;
    free(s->bytes);
    free(s->refs);
    free(s);
}

void key_set_clear(struct key_set *s)
{
    s->nbytes = s->nrefs = s->beyond = 0;
}

uint64_t key_set_count(const struct key_set *s)
{
    return s->nrefs + s->beyond;
}

static bool grow(void **block, size_t *cap, size_t need, size_t unit)
{
    if (need <= *cap)
        return true;
    size_t more = need + need / 2 + 256;
    void *p = realloc(*block, more * unit);
    if (p == NULL)
        return false;
    *block = p;
    *cap = more;
    return true;
}

void key_set_add(struct key_set *s, const void *key, size_t len)
{
    void *bytes = s->bytes, *refs = s->refs;
    bool fits = s->nrefs < KEEP_KEYS && s->nbytes + len <= KEEP_BYTES &&
                grow(&bytes, &s->bytes_cap, s->nbytes + len, 1) &&
                grow(&refs, &s->refs_cap, s->nrefs + 1, sizeof *s->refs);
    s->bytes = bytes;
    s->refs = refs;
    if (!fits) {
        s->beyond++;
        return;
    }
    if (len)
        memcpy(s->bytes + s->nbytes, key, len);
    s->refs[s->nrefs++] = (struct key_ref){(uint32_t)s->nbytes, (uint32_t)len};
    s->nbytes += len;
}

static int by_bytes(const void *a, const void *b, void *set)
{
    const struct key_ref *x = a, *y = b;
    const struct key_set *s = set;
    size_t shorter = x->len < y->len ? x->len : y->len;
    int c = memcmp(s->bytes + x->at, s->bytes + y->at, shorter);
    return c != 0 ? c : (x->len > y->len) - (x->len < y->len);
}

void key_set_rax(struct rebuild *r, struct key_set *s, uint64_t header, bool values, void (*each)(struct rebuild *r),
                 struct rax_sum *sum)
{
    uint64_t before = r->z->key_used;
    if (s->nrefs)
        qsort_r(s->refs, s->nrefs, sizeof *s->refs, by_bytes, s);
    rax_begin(r, values);
    for (size_t i = 0; i < s->nrefs; i++) {
        if (i > 0 && by_bytes(&s->refs[i - 1], &s->refs[i], s) == 0)
            continue;
        rax_add(r, s->bytes + s->refs[i].at, s->refs[i].len);
        if (each)
            each(r);
    }
    rax_end(r, header, sum);
    if (s->beyond && s->nrefs) {
        double rest = (double)(r->z->key_used - before) * (double)s->beyond / (double)s->nrefs;
        zcharge(r->z, rest, 0, ZL_RAX);
        sum->usable += (uint64_t)rest;
    }
}
