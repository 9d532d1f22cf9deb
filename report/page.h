/*
 * page.h - the parts of --format=html: page.c writes the page, page_keys.c its list of keys, page_trim.c keeps what the
 * dump decides the length of within bounds.
 */
#ifndef RDBMEM_PAGE_H
#define RDBMEM_PAGE_H

#include <cjson/cJSON.h>

#include "analyzer/topn.h"
#include "report/report.h"

enum {
    PAGE_MOST_BYTES = 1900000, /* of the whole page */
    PAGE_TEXT = 300            /* characters of JSON that a string is cut to; bytes that are kept of a key's name */
};

/* How much of each is told: halved until the page is short enough. */
struct page_limits {
    size_t keys, rows; /* rows: of every list but that of keys */
    size_t dumps;      /* of several, whose forecasts are told */
};

/* The keys of both lists, each once, by bytes, as rows under the names of their columns. False: out of memory. */
bool page_keys(cJSON *doc, const struct top_list *by_bytes, const struct top_list *by_elements, size_t most);

/* Cuts lists and strings; "cut" in *doc tells which lists had more, and how many. */
void page_trim(cJSON *doc, const struct page_limits *limits);

/* Writes JSON so that it can stand in a script element, whatever is in it. */
void page_write_json(struct out *o, const char *json);

/* How long that will be. */
size_t page_json_length(const char *json);

#endif
