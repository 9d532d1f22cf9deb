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

static uint64_t figure_of(bool by_elements, const struct key_report *k)
{
    return by_elements ? k->elements : k->bytes;
}

static uint64_t figure(const struct topn *t, const struct key_report *k)
{
    return figure_of(t->by_elements, k);
}

static int by_name(const struct key_report *a, const struct key_report *b)
{
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
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

/* Does a stand behind b in a list? */
static bool behind(bool by_elements, const struct key_report *a, const struct key_report *b)
{
    uint64_t x = figure_of(by_elements, a), y = figure_of(by_elements, b);
    return x != y ? x < y : by_name(a, b) > 0;
}

static bool below(const struct topn *t, const struct key_report *a, const struct key_report *b)
{
    return behind(t->by_elements, a, b);
}

bool topn_takes(const struct topn *t, const struct key_report *k)
{
    return t->n < t->cap || (t->cap > 0 && below(t, &t->heap[0], k));
}

bool topn_is_behind(const struct topn *t, uint32_t file, uint32_t db, const uint8_t *name, size_t len)
{
    const struct key_report *last = &t->heap[0];
    if (t->n < t->cap || t->cap == 0 || last->file != file || last->db != db)
        return false;
    size_t shorter = len < last->name_len ? len : last->name_len;
    int c = shorter ? memcmp(name, last->name, shorter) : 0;
    return c > 0 || (c == 0 && len > last->name_len);
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
    if (!topn_takes(t, k) || !copy(&kept, k))
        return;
    if (t->n == t->cap) {
        free((void *)(uintptr_t)t->heap[0].name);
        t->heap[0] = kept;
        sift_down(t, 0);
    } else {
        t->heap[t->n++] = kept;
        sift_up(t, t->n - 1);
    }
    t->least = t->n == t->cap && t->cap ? figure(t, &t->heap[0]) : 0;
}

void topn_merge(struct topn *t, const struct topn *from)
{
    for (size_t i = 0; i < from->n; i++)
        topn_add(t, &from->heap[i]);
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

void top_list_free(struct top_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free((void *)(uintptr_t)l->keys[i].name);
    free(l->keys);
    *l = (struct top_list){0};
}

bool top_list_merge(struct top_list *to, const struct top_list *from, bool by_elements)
{
    size_t cap = to->cap > from->cap ? to->cap : from->cap, i = 0, j = 0;
    size_t most = cap < to->n + from->n ? cap : to->n + from->n;
    struct top_list merged = {calloc(most ? most : 1, sizeof *merged.keys), 0, cap};
    bool ok = merged.keys != NULL;
    while (ok && merged.n < most) {
        bool other = i == to->n || (j < from->n && behind(by_elements, &to->keys[i], &from->keys[j]));
        ok = copy(&merged.keys[merged.n], other ? &from->keys[j++] : &to->keys[i++]);
        merged.n += ok;
    }
    if (!ok) {
        top_list_free(&merged);
        return false;
    }
    top_list_free(to);
    *to = merged;
    return true;
}

void topn_free(struct topn *t)
{
    for (size_t i = 0; i < t->n; i++)
        free((void *)(uintptr_t)t->heap[i].name);
    free(t->heap);
    memset(t, 0, sizeof *t);
}
