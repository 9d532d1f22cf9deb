/*
 * topn.c - a binary heap of the N largest keys.
 */
#include "analyzer/topn.h"

#include <stdlib.h>
#include <string.h>

bool topn_init(struct topn *t, size_t cap, bool by_elements)
{
    memset(t, 0, sizeof *t);
    t->cap = cap;
    t->by_elements = by_elements;
    t->heap = calloc(cap ? cap : 1, sizeof *t->heap);
    return t->heap != NULL;
}

static uint64_t figure(const struct topn *t, const struct key_report *k) { return t->by_elements ? k->elements : k->bytes; }

static int by_name(const struct key_report *a, const struct key_report *b)
{
    if (a->db != b->db)
        return a->db < b->db ? -1 : 1;
    size_t shorter = a->name_len < b->name_len ? a->name_len : b->name_len;
    int c = shorter ? memcmp(a->name, b->name, shorter) : 0;
    if (c != 0)
        return c;
    if (a->name_len != b->name_len)
        return a->name_len < b->name_len ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Does a stand behind b in the list? */
static bool below(const struct topn *t, const struct key_report *a, const struct key_report *b)
{
    uint64_t x = figure(t, a), y = figure(t, b);
    return x != y ? x < y : by_name(a, b) > 0;
}

static void sift_down(struct topn *t, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= t->n)
            return;
        if (child + 1 < t->n && below(t, &t->heap[child + 1], &t->heap[child]))
            child++;
        if (!below(t, &t->heap[child], &t->heap[i]))
            return;
        struct key_report swap = t->heap[i];
        t->heap[i] = t->heap[child];
        t->heap[child] = swap;
        i = child;
    }
}

static void sift_up(struct topn *t, size_t i)
{
    while (i > 0 && below(t, &t->heap[i], &t->heap[(i - 1) / 2])) {
        struct key_report swap = t->heap[i];
        t->heap[i] = t->heap[(i - 1) / 2];
        t->heap[(i - 1) / 2] = swap;
        i = (i - 1) / 2;
    }
}

static bool copy(struct key_report *to, const struct key_report *k)
{
    uint8_t *name = malloc(k->name_len ? k->name_len : 1);
    if (name == NULL)
        return false;
    if (k->name_len)
        memcpy(name, k->name, k->name_len);
    *to = *k;
    to->name = name;
    return true;
}

void topn_add(struct topn *t, const struct key_report *k)
{
    struct key_report kept;
    if (t->n == t->cap) {
        if (t->cap == 0 || !below(t, &t->heap[0], k) || !copy(&kept, k))
            return;
        free((void *)(uintptr_t)t->heap[0].name);
        t->heap[0] = kept;
        sift_down(t, 0);
    } else if (copy(&kept, k)) {
        t->heap[t->n++] = kept;
        sift_up(t, t->n - 1);
    }
    t->least = t->n == t->cap && t->cap ? figure(t, &t->heap[0]) : 0;
}

void topn_finish(struct topn *t, struct top_list *out)
{
    size_t n = t->n;
    struct key_report *list = t->heap;
    while (t->n > 1) { /* heap sort: the least goes to the end */
        struct key_report least = list[0];
        list[0] = list[--t->n];
        sift_down(t, 0);
        list[t->n] = least;
    }
    *out = (struct top_list){list, n, t->cap};
    memset(t, 0, sizeof *t);
}

void topn_free(struct topn *t)
{
    for (size_t i = 0; i < t->n; i++)
        free((void *)(uintptr_t)t->heap[i].name);
    free(t->heap);
    memset(t, 0, sizeof *t);
}
