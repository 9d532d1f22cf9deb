/*
 * modules.c - see modules.h.
 */
#include "analyzer/modules.h"

#include <stdlib.h>
#include <string.h>

static struct module_report *module_of(struct modules *m, const char *name, int encver)
{
    struct module_report *one;
    if (!m->list && !(m->list = calloc(MODULES_MAX + 1, sizeof *m->list))) {
        m->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < m->n; i++)
        if (m->list[i].encver == encver && strcmp(m->list[i].name, name) == 0)
            return &m->list[i];
    if (m->n == MODULES_MAX) /* the place behind the last is everyone's */
        return &m->list[MODULES_MAX];
    one = &m->list[m->n++];
    memcpy(one->name, name, sizeof one->name);
    one->encver = encver;
    return one;
}

void modules_key(struct modules *m, const struct key_report *k)
{
    struct module_report *one = module_of(m, k->module, k->module_encver);
    if (!one)
        return;
    one->keys++;
    one->bytes += k->bytes;
    if (k->flags & KEY_ESTIMATE) {
        one->estimated_keys++;
        one->estimated_bytes += k->bytes;
    }
    if (k->flags & KEY_LOWER_BOUND) {
        one->lower_bound_keys++;
        one->lower_bound_bytes += k->bytes;
    }
}

void modules_aux(struct modules *m, uint64_t id, uint64_t bytes)
{
    char name[10];
    int encver = rdb_module_name(id, name);
    struct module_report *one = module_of(m, name, encver);
    if (!one)
        return;
    one->aux++;
    one->aux_bytes += bytes;
}

static void add(struct module_report *to, const struct module_report *from)
{
    to->keys += from->keys;
    to->bytes += from->bytes;
    to->estimated_keys += from->estimated_keys;
    to->estimated_bytes += from->estimated_bytes;
    to->lower_bound_keys += from->lower_bound_keys;
    to->lower_bound_bytes += from->lower_bound_bytes;
    to->aux += from->aux;
    to->aux_bytes += from->aux_bytes;
}

/* The nameless one last. */
static int by_name(const void *a, const void *b)
{
    const struct module_report *x = a, *y = b;
    int c = (x->name[0] == '\0') - (y->name[0] == '\0');
    c = c ? c : strcmp(x->name, y->name);
    return c ? c : (x->encver > y->encver) - (x->encver < y->encver);
}

bool modules_finish(struct modules *m, struct analysis *a)
{
    if (m->failed) {
        free(m->list);
        m->list = NULL;
        return false;
    }
    if (m->list && (m->list[MODULES_MAX].keys || m->list[MODULES_MAX].aux))
        m->n = MODULES_MAX + 1;
    if (m->n)
        qsort(m->list, m->n, sizeof *m->list, by_name);
    a->modules = m->list;
    a->nmodules = m->n;
    *m = (struct modules){NULL, 0, false};
    return true;
}

bool modules_merge(struct analysis *to, const struct analysis *from)
{
    struct modules all = {NULL, 0, false};
    const struct analysis *parts[] = {to, from};
    for (size_t p = 0; p < 2; p++) {
        for (size_t i = 0; i < parts[p]->nmodules; i++) {
            const struct module_report *one = &parts[p]->modules[i];
            struct module_report *sum = one->name[0] ? module_of(&all, one->name, one->encver) : NULL;
            if (!sum && all.list)
                sum = &all.list[MODULES_MAX];
            if (sum)
                add(sum, one);
        }
    }
    free(to->modules);
    to->modules = NULL;
    to->nmodules = 0;
    return modules_finish(&all, to);
}

void modules_scale(struct analysis *a, uint64_t n)
{
    for (size_t i = 0; i < a->nmodules; i++) {
        struct module_report *m = &a->modules[i];
        uint64_t *sums[] = {
            &m->keys, &m->bytes, &m->estimated_keys, &m->estimated_bytes, &m->lower_bound_keys, &m->lower_bound_bytes};
        for (size_t k = 0; k < sizeof sums / sizeof *sums; k++)
            *sums[k] *= n;
    }
}
