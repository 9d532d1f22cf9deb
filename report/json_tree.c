/*
 * json_tree.c - the part of cJSON's interface that this room uses, in place of the library where there is no archive of
 * it to link with (RDBMEM_CJSON=OFF). The same calls make the same bytes: tests/test_json_tree.sh compares.
 */
#include <cjson/cJSON.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cJSON_Hooks memory = {malloc, free};

void cJSON_InitHooks(cJSON_Hooks *hooks)
{
    memory = *hooks;
}

/* ---------------------------------------------------------------- items */

static char *copy_of(const char *s)
{
    size_t size = s ? strlen(s) + 1 : 0;
    char *copy = s ? memory.malloc_fn(size) : NULL;
    if (copy)
        memcpy(copy, s, size);
    return copy;
}

static cJSON *new_item(int type)
{
    cJSON *item = memory.malloc_fn(sizeof *item);
    if (item)
        *item = (cJSON){.type = type};
    return item;
}

static cJSON *new_text(int type, const char *text)
{
    cJSON *item = new_item(type);
    if (item && (item->valuestring = copy_of(text)) == NULL) {
        cJSON_Delete(item);
        return NULL;
    }
    return item;
}

void cJSON_Delete(cJSON *item)
{
    while (item) {
        cJSON *next = item->next;
        cJSON_Delete(item->child);
        memory.free_fn(item->valuestring);
        memory.free_fn(item->string);
        memory.free_fn(item);
        item = next;
    }
}

cJSON *cJSON_CreateNull(void)
{
    return new_item(cJSON_NULL);
}

cJSON *cJSON_CreateNumber(double v)
{
    cJSON *item = new_item(cJSON_Number);
    if (item)
        item->valuedouble = v;
    return item;
}

cJSON *cJSON_CreateString(const char *text)
{
    return new_text(cJSON_String, text);
}

cJSON *cJSON_CreateRaw(const char *text)
{
    return new_text(cJSON_Raw, text);
}

cJSON *cJSON_CreateObject(void)
{
    return new_item(cJSON_Object);
}

cJSON *cJSON_CreateArray(void)
{
    return new_item(cJSON_Array);
}

cJSON_bool cJSON_IsArray(const cJSON *const item)
{
    return item && item->type == cJSON_Array;
}

cJSON_bool cJSON_IsRaw(const cJSON *const item)
{
    return item && item->type == cJSON_Raw;
}

/* ---------------------------------------------------------------- members */

int cJSON_GetArraySize(const cJSON *list)
{
    int n = 0;
    for (const cJSON *c = list ? list->child : NULL; c; c = c->next)
        n++;
    return n;
}

cJSON *cJSON_GetObjectItemCaseSensitive(const cJSON *const object, const char *const name)
{
    cJSON *c = object && name ? object->child : NULL;
    while (c && (!c->string || strcmp(c->string, name) != 0))
        c = c->next;
    return c;
}

cJSON *cJSON_DetachItemViaPointer(cJSON *list, cJSON *const item)
{
    if (!list || !item)
        return NULL;
    if (item == list->child)
        list->child = item->next;
    else
        item->prev->next = item->next;
    if (item->next)
        item->next->prev = item->prev;
    else if (list->child)
        list->child->prev = item->prev;
    item->next = item->prev = NULL;
    return item;
}

void cJSON_DeleteItemFromObjectCaseSensitive(cJSON *object, const char *name)
{
    cJSON_Delete(cJSON_DetachItemViaPointer(object, cJSON_GetObjectItemCaseSensitive(object, name)));
}

/* The first child's prev is the last one. */
cJSON_bool cJSON_AddItemToArray(cJSON *list, cJSON *item)
{
    if (!list || !item)
        return false;
    item->next = NULL;
    if (!list->child) {
        list->child = item->prev = item;
        return true;
    }
    item->prev = list->child->prev;
    item->prev->next = item;
    list->child->prev = item;
    return true;
}

cJSON_bool cJSON_AddItemToObject(cJSON *object, const char *name, cJSON *item)
{
    char *own = object && item ? copy_of(name) : NULL;
    if (!own)
        return false;
    memory.free_fn(item->string);
    item->string = own;
    return cJSON_AddItemToArray(object, item);
}

static cJSON *add(cJSON *object, const char *name, cJSON *item)
{
    if (cJSON_AddItemToObject(object, name, item))
        return item;
    cJSON_Delete(item);
    return NULL;
}

cJSON *cJSON_AddNullToObject(cJSON *object, const char *name)
{
    return add(object, name, new_item(cJSON_NULL));
}

cJSON *cJSON_AddBoolToObject(cJSON *object, const char *name, cJSON_bool v)
{
    return add(object, name, new_item(v ? cJSON_True : cJSON_False));
}

cJSON *cJSON_AddNumberToObject(cJSON *object, const char *name, double v)
{
    return add(object, name, cJSON_CreateNumber(v));
}

cJSON *cJSON_AddStringToObject(cJSON *object, const char *name, const char *text)
{
    return add(object, name, cJSON_CreateString(text));
}

cJSON *cJSON_AddRawToObject(cJSON *object, const char *name, const char *text)
{
    return add(object, name, cJSON_CreateRaw(text));
}

cJSON *cJSON_AddObjectToObject(cJSON *object, const char *name)
{
    return add(object, name, cJSON_CreateObject());
}

cJSON *cJSON_AddArrayToObject(cJSON *object, const char *name)
{
    return add(object, name, new_item(cJSON_Array));
}

/* ---------------------------------------------------------------- printing */

struct text {
    char *s; /* NULL: memory was out */
    size_t len, cap;
    bool dense; /* no blanks between items */
};

static void put(struct text *t, const char *s, size_t n)
{
    if (t->s && t->cap - t->len <= n) {
        size_t cap = 2 * (t->cap + n);
        char *grown = memory.malloc_fn(cap);
        if (grown)
            memcpy(grown, t->s, t->len);
        memory.free_fn(t->s);
        t->s = grown;
        t->cap = cap;
    }
    if (!t->s)
        return;
    memcpy(t->s + t->len, s, n);
    t->len += n;
}

static void put_text(struct text *t, const char *s)
{
    put(t, s, strlen(s));
}

static void put_line(struct text *t, unsigned depth)
{
    if (t->dense)
        return;
    put(t, "\n", 1);
    while (depth-- > 0)
        put(t, "\t", 1);
}

static void put_number(struct text *t, double v)
{
    char s[32];
    snprintf(s, sizeof s, "%1.15g", v);
    double again = strtod(s, NULL), larger = fmax(fabs(again), fabs(v));
    if (!isfinite(v))
        snprintf(s, sizeof s, "null");
    else if (fabs(again - v) > larger * DBL_EPSILON) /* fifteen digits do not tell it */
        snprintf(s, sizeof s, "%1.17g", v);
    for (char *p = s; *p; p++) /* whatever the locale */
        *p = *p == ',' ? '.' : *p;
    put_text(t, s);
}

static void put_string(struct text *t, const char *s)
{
    static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    char code[8];
    put(t, "\"", 1);
    for (; *s; s++) {
        const char *at = strchr(special, *s);
        if (at)
            snprintf(code, sizeof code, "\\%c", letters[at - special]);
        else if ((unsigned char)*s < ' ')
            snprintf(code, sizeof code, "\\u%04x", (unsigned char)*s);
        else
            snprintf(code, sizeof code, "%c", *s);
        put_text(t, code);
    }
    put(t, "\"", 1);
}

static void put_item(struct text *t, const cJSON *item, unsigned depth);

static void put_list(struct text *t, const cJSON *list, unsigned depth)
{
    put(t, "[", 1);
    for (const cJSON *c = list->child; c; c = c->next) {
        put_item(t, c, depth + 1);
        if (c->next)
            put(t, ", ", t->dense ? 1 : 2);
    }
    put(t, "]", 1);
}

static void put_object(struct text *t, const cJSON *object, unsigned depth)
{
    put(t, "{", 1);
    for (const cJSON *c = object->child; c; c = c->next) {
        put_line(t, depth + 1);
        put_string(t, c->string);
        put(t, ":\t", t->dense ? 1 : 2);
        put_item(t, c, depth + 1);
        if (c->next)
            put(t, ",", 1);
    }
    put_line(t, depth);
    put(t, "}", 1);
}

static void put_item(struct text *t, const cJSON *item, unsigned depth)
{
    switch (item->type) {
    case cJSON_False: put_text(t, "false"); break;
    case cJSON_True: put_text(t, "true"); break;
    case cJSON_Number: put_number(t, item->valuedouble); break;
    case cJSON_String: put_string(t, item->valuestring); break;
    case cJSON_Raw: put_text(t, item->valuestring); break;
    case cJSON_Array: put_list(t, item, depth); break;
    case cJSON_Object: put_object(t, item, depth); break;
    default: put_text(t, "null"); break;
    }
}

static char *print(const cJSON *item, bool dense)
{
    struct text t = {.cap = 4096, .dense = dense};
    if (!item || (t.s = memory.malloc_fn(t.cap)) == NULL)
        return NULL;
    put_item(&t, item, 0);
    put(&t, "", 1);
    return t.s;
}

char *cJSON_Print(const cJSON *item)
{
    return print(item, false);
}

char *cJSON_PrintUnformatted(const cJSON *item)
{
    return print(item, true);
}
