/*
 * page_trim.c - a document of bounded length out of the JSON document, and its text inside a page.
 *
 * A dump decides how many databases, prefixes, slots or notes there are and how long its names are. Lists are cut at
 * their ends; prefixes are a tree, of which the light rows go.
 */
#include <stdlib.h>
#include <string.h>

#include "report/json_parts.h"
#include "report/page.h"

/* ---------------------------------------------------------------- prefixes */

static uint64_t weight_of(const cJSON *row)
{
    const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(row, "size_in_bytes");
    return bytes && bytes->valuestring ? strtoull(bytes->valuestring, NULL, 10) : 0;
}

static int weight_falls(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a < b) - (a > b);
}

static void drop(cJSON *list, cJSON *item)
{
    cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
}

static void trim_list(cJSON *list, size_t most)
{
    cJSON *item = list->child, *next;
    for (size_t i = 0; i < most && item; i++)
        item = item->next;
    for (; item; item = next) {
        next = item->next;
        drop(list, item);
    }
}

/* The most-th heaviest, and how many of its weight are among the first `most`. False: out of memory. */
static bool least_of(const cJSON *list, size_t n, size_t most, uint64_t *least, size_t *equal)
{
    uint64_t *weights = malloc(n * sizeof *weights);
    const cJSON *row;
    size_t i = 0, at = most;
    if (!weights)
        return false;
    cJSON_ArrayForEach(row, list) weights[i++] = weight_of(row);
    qsort(weights, n, sizeof *weights, weight_falls);
    *least = weights[most - 1];
    while (at > 0 && weights[at - 1] == *least)
        at--;
    *equal = most - at;
    free(weights);
    return true;
}

/* The heaviest rows. A parent is never lighter than its child and comes before it, hence no row loses its parent. */
static void trim_tree(cJSON *list, size_t n, size_t most)
{
    uint64_t least;
    size_t equal;
    cJSON *next;
    if (!least_of(list, n, most, &least, &equal)) {
        trim_list(list, most); /* in this order parents come first, too */
        return;
    }
    for (cJSON *row = list->child; row; row = next) {
        uint64_t weight = weight_of(row);
        next = row->next;
        if (weight < least || (weight == least && equal == 0))
            drop(list, row);
        else
            equal -= weight == least;
    }
}

/* ---------------------------------------------------------------- strings */

/* Length of the character or escape at p in the text of a JSON string. */
static size_t unit(const char *p)
{
    size_t n = 1;
    if (*p == '\\')
        return p[1] == 'u' ? 6 : 2;
    while ((p[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* A string with its quotes, as json.c writes it. */
static void trim_text(char *text)
{
    size_t len = strlen(text), at = 1;
    if (text[0] != '"' || len <= PAGE_TEXT)
        return;
    while (at + unit(text + at) < PAGE_TEXT - 4)
        at += unit(text + at);
    memcpy(text + at, "\xe2\x80\xa6\"", 5);
}

/* ---------------------------------------------------------------- the document */

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static void trim_array(cJSON *list, cJSON *cut, size_t most)
{
    size_t n = (size_t)cJSON_GetArraySize(list);
    if (n <= most)
        return;
    if (list->string && strcmp(list->string, "prefixes") == 0)
        trim_tree(list, n, most);
    else
        trim_list(list, most);
    if (list->string && !cJSON_GetObjectItemCaseSensitive(cut, list->string))
        add_u64(cut, list->string, n);
}

static void trim(cJSON *node, cJSON *cut, size_t most)
{
    cJSON *item, *next;
    if (cJSON_IsArray(node))
        trim_array(node, cut, most);
    else if (cJSON_IsRaw(node) && node->valuestring)
        trim_text(node->valuestring);
    for (item = node->child; item; item = next) {
        next = item->next;
        if (item->string && ends_with(item->string, "_base64"))
            drop(node, item); /* the page shows names, it does not hand them on */
        else
            trim(item, cut, most);
    }
}

void page_trim(cJSON *doc, const struct page_limits *limits)
{
    cJSON *report = cJSON_GetObjectItemCaseSensitive(doc, "report"), *cut = cJSON_CreateObject();
    cJSON *big = cJSON_GetObjectItemCaseSensitive(report, "big_keys");
    cJSON_DeleteItemFromObjectCaseSensitive(report, "top_keys_by_bytes"); /* page_keys has them, and more */
    cJSON_DeleteItemFromObjectCaseSensitive(report, "top_keys_by_elements");
    cJSON_DeleteItemFromObjectCaseSensitive(big, "keys");
    cJSON_DeleteItemFromObjectCaseSensitive(big, "advice");
    trim(doc, cut, limits->rows);
    cJSON_AddItemToObject(doc, "cut", cut);
}

/* ---------------------------------------------------------------- inside a page */

/* What ends a script element or a line of script stands as \uXXXX; outside strings JSON has none of it. */
static const char *escape_at(const char *p, size_t *taken)
{
    *taken = 1;
    switch (*p) {
    case '<': return "\\u003c";
    case '>': return "\\u003e";
    case '&': return "\\u0026";
    default: break;
    }
    *taken = 3;
    if (strncmp(p, "\xe2\x80\xa8", 3) == 0)
        return "\\u2028";
    if (strncmp(p, "\xe2\x80\xa9", 3) == 0)
        return "\\u2029";
    return NULL;
}

void page_write_json(struct out *o, const char *json)
{
    while (*json) {
        size_t plain = strcspn(json, "<>&\xe2"), taken;
        const char *escape;
        out_bytes(o, json, plain);
        json += plain;
        escape = *json ? escape_at(json, &taken) : NULL;
        if (escape) {
            out_str(o, escape);
            json += taken;
        } else if (*json) {
            out_char(o, *json++);
        }
    }
}

size_t page_json_length(const char *json)
{
    size_t n = 0, taken;
    for (const char *p = json; *p;) {
        bool escaped = escape_at(p, &taken) != NULL;
        n += escaped ? 6 : 1;
        p += escaped ? taken : 1;
    }
    return n;
}
