/*
 * page.c - one self-contained page: the JSON document, trimmed, between two halves that were put together when rdbmem
 * was built (report/page/). All that can be seen is made from the data by the page's script.
 */
#include "report/page.h"

#include <stdio.h>
#include <stdlib.h>

#include "report/json_parts.h"

#ifdef RDBMEM_NO_PAGE
static const char page_head[1], page_tail[1];
static const char *const page_head_end = page_head, *const page_tail_end = page_tail;
static const bool built = false;
#else
/* report/page/embed.S */
extern const char page_head[], page_head_end[], page_tail[], page_tail_end[];
static const bool built = true;
#endif

enum { KEYS_BY_BYTES = 2000, KEYS_BY_ELEMENTS = 500, ROWS = 1000, DUMPS = 24, LEAST_ROWS = 4 };

struct page {
    struct topn by_bytes, by_elements;
};

/* ---------------------------------------------------------------- while reading */

bool page_begin(struct sink *s)
{
    struct page *p;
    if (!built) {
        snprintf(s->problem, sizeof s->problem, "this rdbmem was built without the page (RDBMEM_PAGE=OFF)");
        return false;
    }
    s->state = p = calloc(1, sizeof *p);
    return p && topn_init(&p->by_bytes, KEYS_BY_BYTES, false) && topn_init(&p->by_elements, KEYS_BY_ELEMENTS, true);
}

void page_key(struct sink *s, const struct key_report *k)
{
    struct page *p = s->state;
    struct key_report kept;
    bool elements = k->type != RDB_T_STRING && topn_wants(&p->by_elements, k->elements);
    if (!topn_wants(&p->by_bytes, k->bytes) && !elements)
        return;
    kept = *k; /* without what will not be shown of a long name */
    kept.name_len = k->name_len < PAGE_TEXT ? k->name_len : PAGE_TEXT;
    if (topn_wants(&p->by_bytes, k->bytes))
        topn_add(&p->by_bytes, &kept);
    if (elements)
        topn_add(&p->by_elements, &kept);
}

void page_drop(struct sink *s)
{
    struct page *p = s->state;
    struct top_list rest;
    if (!p)
        return;
    topn_finish(&p->by_bytes, &rest);
    top_list_free(&rest);
    topn_finish(&p->by_elements, &rest);
    top_list_free(&rest);
    free(p);
    s->state = NULL;
}

/* ---------------------------------------------------------------- the document */

static int heavier_first(const void *x, const void *y, void *ctx)
{
    const struct fleet *fleet = ctx;
    size_t i = *(const size_t *)x, j = *(const size_t *)y;
    uint64_t a = fleet->parts[i].ledger.used_memory, b = fleet->parts[j].ledger.used_memory;
    return a != b ? (a < b) - (a > b) : (i > j) - (i < j);
}

/* Each dump is a server of its own: what will come of it is told of each, of the heaviest ones. */
static bool add_dumps(cJSON *doc, const struct fleet *fleet, size_t most)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "parts");
    size_t *order = calloc(fleet->n + 1, sizeof *order);
    if (!order)
        return false;
    for (size_t i = 0; i < fleet->n; i++)
        order[i] = i;
    qsort_r(order, fleet->n, sizeof *order, heavier_first, (void *)(uintptr_t)fleet);
    for (size_t i = 0; i < fleet->n && i < most; i++) {
        const struct analysis *part = &fleet->parts[order[i]];
        cJSON *o;
        if (!part->target)
            continue;
        o = cJSON_CreateObject();
        add_string(o, "file", part->file.path);
        add_string(o, "target", part->target);
        json_forecast(o, part);
        json_eviction(o, part);
        json_rebuild(o, part);
        cJSON_AddItemToArray(list, o);
    }
    free(order);
    return true;
}

struct lists {
    struct top_list by_bytes, by_elements;
};

static cJSON *document(const struct sink *s, const struct analysis *a, const struct lists *l,
                       const struct page_limits *limits)
{
    const struct report_options *o = s->options;
    cJSON *doc = cJSON_CreateObject(), *report;
    bool ok;
    json_generator(doc);
    report = cJSON_AddObjectToObject(doc, "report");
    json_analysis(report, a, o, o->fleet);
    ok = !o->fleet || add_dumps(doc, o->fleet, limits->dumps);
    page_trim(doc, limits);
    ok = page_keys(doc, &l->by_bytes, &l->by_elements, limits->keys) && ok;
    if (ok)
        return doc;
    cJSON_Delete(doc);
    return NULL;
}

/* The document's text, short enough for the page. NULL: out of memory, or there is no such (see problem). */
static char *fitting(struct sink *s, const struct analysis *a, const struct lists *l, size_t room)
{
    struct page_limits limits = {KEYS_BY_BYTES + KEYS_BY_ELEMENTS, ROWS, DUMPS};
    for (;;) {
        json_start();
        cJSON *doc = document(s, a, l, &limits);
        char *text = doc && json_whole() ? cJSON_PrintUnformatted(doc) : NULL;
        cJSON_Delete(doc);
        if (!text || page_json_length(text) <= room)
            return text;
        free(text);
        if (limits.rows <= LEAST_ROWS) {
            snprintf(s->problem, sizeof s->problem, "the page would be larger than %d bytes", PAGE_MOST_BYTES);
            return NULL;
        }
        limits.keys /= 2;
        limits.rows /= 2;
        limits.dumps = (limits.dumps + 1) / 2;
    }
}

bool page_finish(struct sink *s, const struct analysis *a)
{
    struct page *p = s->state;
    size_t frame = (size_t)(page_head_end - page_head) + (size_t)(page_tail_end - page_tail);
    struct lists l;
    char *text;
    topn_finish(&p->by_bytes, &l.by_bytes);
    topn_finish(&p->by_elements, &l.by_elements);
    text = fitting(s, a, &l, PAGE_MOST_BYTES - frame);
    top_list_free(&l.by_bytes);
    top_list_free(&l.by_elements);
    page_drop(s);
    if (!text)
        return false;
    out_bytes(s->out, page_head, (size_t)(page_head_end - page_head));
    page_write_json(s->out, text);
    out_bytes(s->out, page_tail, (size_t)(page_tail_end - page_tail));
    free(text);
    return true;
}
