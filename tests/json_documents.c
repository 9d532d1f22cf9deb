/*
 * json_documents.c - documents of every kind of item through cJSON's interface, printed. Built with cJSON and with
 * report/json_tree.c; test_json_tree.sh compares what the two print.
 */
#include <cjson/cJSON.h>
#include <math.h>

#include "check.h"

static unsigned long long seed = 11;
static long left; /* allocations until one fails; negative: none does */

static void *give(size_t n)
{
    return left >= 0 && left-- == 0 ? NULL : malloc(n);
}

static void print_both(const cJSON *doc)
{
    char *text = cJSON_Print(doc), *dense = cJSON_PrintUnformatted(doc);
    puts(text ? text : "no text");
    puts(dense ? dense : "no text");
    free(text);
    free(dense);
}

static void print(cJSON *doc)
{
    print_both(doc);
    cJSON_Delete(doc);
}

static double number(void)
{
    static const double some[] = {
        0,     -0.0, 1,   -1,    0.1,  1.0 / 3, 1e15, 123456789012345678.0, 1e-7,          5e-324,
        1e308, 1e22, NAN, 1.005, 1e21, 1e16,    100,  2147483648,           -2147483649.0, 1e14};
    unsigned long long x = check_random(&seed);
    if (x % 3 == 0)
        return some[x / 3 % (sizeof some / sizeof some[0])];
    if (x % 3 == 1)
        return (double)(long long)check_random(&seed) / (double)(1ull << (x >> 3) % 64);
    return round((double)(x >> 40) / 7) / 10000;
}

static const char *word(void)
{
    static char text[64];
    size_t n = check_random(&seed) % (sizeof text - 1);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)(1 + check_random(&seed) % 255);
    text[n] = '\0';
    return text;
}

static void fill_object(cJSON *o, unsigned depth);

static void add_member(cJSON *o, unsigned depth)
{
    const char *name = word();
    cJSON *list;
    switch (check_random(&seed) % (depth < 5 ? 10 : 7)) {
    case 0: cJSON_AddNullToObject(o, name); break;
    case 1: cJSON_AddBoolToObject(o, name, check_random(&seed) & 1); break;
    case 2: cJSON_AddStringToObject(o, name, "both \"quoted\" and \\ \x01\x1f\x7f \xc3\xa9 \xff"); break;
    case 3: cJSON_AddRawToObject(o, name, "18446744073709551615"); break;
    case 4: cJSON_AddItemToObject(o, name, cJSON_CreateNull()); break;
    case 5:
    case 6: cJSON_AddNumberToObject(o, name, number()); break;
    case 7: fill_object(cJSON_AddObjectToObject(o, name), depth + 1); break;
    default:
        list = cJSON_AddArrayToObject(o, name);
        for (unsigned long long n = check_random(&seed) % 5; n > 0; n--) {
            cJSON *one = n % 2 ? cJSON_CreateNumber(number()) : cJSON_CreateString(word());
            cJSON_AddItemToArray(list, one);
        }
        if (check_random(&seed) & 1) {
            cJSON *one = cJSON_CreateObject();
            fill_object(one, depth + 1);
            cJSON_AddItemToArray(list, one);
        }
    }
}

static void fill_object(cJSON *o, unsigned depth)
{
    for (unsigned long long n = check_random(&seed) % 6; n > 0; n--)
        add_member(o, depth);
}

/* Children taken out at the head, in the middle and at the end, by name and by what they are. */
static void thin_out(cJSON *doc)
{
    cJSON *list = cJSON_CreateArray();
    for (unsigned long long left_in = (unsigned long long)cJSON_GetArraySize(doc); left_in > 0; left_in--) {
        cJSON *c = doc->child;
        for (unsigned long long at = check_random(&seed) % left_in; at > 0; at--)
            c = c->next;
        if (cJSON_IsRaw(c) || cJSON_IsArray(c))
            cJSON_AddItemToArray(list, cJSON_DetachItemViaPointer(doc, c));
        else if (check_random(&seed) & 1)
            cJSON_DeleteItemFromObjectCaseSensitive(doc, c->string);
        print_both(doc);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(doc, "not there");
    printf("%d\n", cJSON_GetObjectItemCaseSensitive(doc, "not there") == NULL);
    print(list);
}

/* One allocation of a small document fails, each in turn: the two print different things, but neither crashes. */
static void without_memory(void)
{
    cJSON_Hooks hooks = {give, free};
    cJSON_InitHooks(&hooks);
    for (long i = 0; i < 40; i++) {
        left = i;
        cJSON *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "list");
        cJSON *item = cJSON_CreateRaw("1");
        if (!cJSON_AddItemToArray(list, item))
            cJSON_Delete(item);
        cJSON_AddStringToObject(cJSON_AddObjectToObject(o, "object"), "name", "text");
        cJSON_AddNumberToObject(o, "number", 2);
        free(cJSON_Print(o));
        cJSON_Delete(o);
    }
    left = -1;
}

int main(void)
{
    without_memory();
    print(cJSON_CreateObject());
    print(cJSON_CreateNull());
    print(cJSON_CreateString(""));
    print(NULL);
    for (int i = 0; i < 2000; i++) {
        cJSON *doc = cJSON_CreateObject();
        fill_object(doc, 0);
        if (i % 4 == 0)
            thin_out(doc);
        print(doc);
    }
    return 0;
}
