/*
 * module_json_read.c - the three forms of a saved document, as calls to module_json.c.
 *
 *     encver 2, 3    its text
 *     encver 4       CBOR; arrays of numbers of one kind as RFC 8746 has them
 *     encver 0       nodes: type, then what it has, each an item of the module's value
 *
 * Sources: redisjson.rs value_rdb_load_json, backward.rs json_rdb_load, ijson cbor.rs, and serde_json for what a number
 * is. What is cut, nested too deeply or no document ends the walk with `failed`.
 */
#include "analyzer/module_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HINT_MAX = 1024 /* items that cbor.rs reserves at most */, NUMBER_TEXT = 64 };

/* ---------------------------------------------------------------- text */

static int next_byte(struct rdb_cursor *c)
{
    return rdb_cursor_need(c, 1) ? *c->p++ : -1;
}

static int peek_byte(struct rdb_cursor *c)
{
    return rdb_cursor_need(c, 1) ? *c->p : -1;
}

static int peek_past_blanks(struct rdb_cursor *c)
{
    int b = peek_byte(c);
    while (b == ' ' || b == '\t' || b == '\n' || b == '\r') {
        c->p++;
        b = peek_byte(c);
    }
    return b;
}

static int hex_digit(int b)
{
    return b >= '0' && b <= '9' ? b - '0' : (b | 32) >= 'a' && (b | 32) <= 'f' ? (b | 32) - 'a' + 10 : -1;
}

/* \uXXXX as UTF-8: as many bytes as there will be; which does not matter, but that equal texts are equal. */
static bool text_unicode(struct json_walk *j, struct rdb_cursor *c)
{
    unsigned code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(next_byte(c));
        if (digit < 0)
            return false;
        code = code << 4 | (unsigned)digit;
    }
    if (code < 0x80) {
        json_string_byte(j, (uint8_t)code);
    } else if (code < 0x800 || (code >= 0xd800 && code < 0xe000)) { /* a pair of surrogates makes four bytes */
        json_string_byte(j, (uint8_t)(0xc0 | code >> 6));
        json_string_byte(j, (uint8_t)(0x80 | (code & 63)));
    } else {
        json_string_byte(j, (uint8_t)(0xe0 | code >> 12));
        json_string_byte(j, (uint8_t)(0x80 | (code >> 6 & 63)));
        json_string_byte(j, (uint8_t)(0x80 | (code & 63)));
    }
    return true;
}

static bool text_escape(struct json_walk *j, struct rdb_cursor *c)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int b = next_byte(c);
    if (b == 'u')
        return text_unicode(j, c);
    const char *at = b > 0 ? memchr(from, b, sizeof from - 1) : NULL;
    if (at)
        json_string_byte(j, (uint8_t)to[at - from]);
    return at != NULL;
}

static bool text_string(struct json_walk *j, struct rdb_cursor *c)
{
    json_string_begin(j);
    c->p++; /* the quote */
    for (;;) {
        int b = next_byte(c);
        if (b == '"')
            return true;
        if (b < 0 || (b == '\\' && !text_escape(j, c)))
            return false;
        if (b != '\\')
            json_string_byte(j, (uint8_t)b);
    }
}

/* An integer that fits 64 bits is one, as for serde_json. */
static void text_integer(struct json_walk *j, const char *digits)
{
    bool negative = *digits == '-';
    uint64_t v = 0;
    for (const char *p = digits + negative; *p; p++) {
        uint64_t d = (uint64_t)(*p - '0');
        if (v > (UINT64_MAX - d) / 10) {
            json_double(j, strtod(digits, NULL));
            return;
        }
        v = v * 10 + d;
    }
    if (negative && v > (uint64_t)INT64_MAX + 1)
        json_double(j, -(double)v);
    else
        json_integer(j, negative && v, v);
}

static bool text_number(struct json_walk *j, struct rdb_cursor *c)
{
    char text[NUMBER_TEXT];
    size_t n = 0;
    bool real = false;
    for (int b = peek_byte(c); b > 0 && memchr("+-.eE0123456789", b, 15); b = peek_byte(c)) {
        real = real || !((b >= '0' && b <= '9') || (b == '-' && n == 0));
        if (n < sizeof text - 1)
            text[n++] = (char)b;
        c->p++;
    }
    text[n] = '\0';
    if (n == 0 || (n == 1 && text[0] == '-'))
        return false;
    if (real)
        json_double(j, strtod(text, NULL));
    else
        text_integer(j, text);
    return true;
}

static bool text_literal(struct json_walk *j, struct rdb_cursor *c)
{
    static const char *const words[] = {"true", "false", "null"};
    for (unsigned i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if (rdb_cursor_need(c, n) && memcmp(c->p, words[i], n) == 0) {
            c->p += n;
            json_literal(j);
            return true;
        }
    }
    return text_number(j, c);
}

/* A value, or the beginning of a container. */
static bool text_value(struct json_walk *j, struct rdb_cursor *c)
{
    int b = peek_past_blanks(c);
    if (b == '{' || b == '[') {
        c->p++;
        json_open(j, b == '{', 0, 0);
        return true;
    }
    if (b != '"')
        return text_literal(j, c);
    if (!text_string(j, c))
        return false;
    json_string(j);
    return true;
}

static bool text_name(struct json_walk *j, struct rdb_cursor *c)
{
    if (peek_past_blanks(c) != '"' || !text_string(j, c))
        return false;
    json_string_end(j);
    if (peek_past_blanks(c) != ':')
        return false;
    c->p++;
    return true;
}

/* Between two values of the container that is open: closes it, or stands on the next. */
static bool text_between(struct json_walk *j, struct rdb_cursor *c, bool *again)
{
    const struct json_frame *f = &j->stack[j->depth - 1];
    int b = peek_past_blanks(c);
    *again = b == (f->object ? '}' : ']');
    if (*again) {
        c->p++;
        json_close(j);
        return true;
    }
    if (f->len > 0) {
        if (b != ',')
            return false;
        c->p++;
    }
    return !f->object || text_name(j, c);
}

void json_text_document(struct json_walk *j, struct rdb_cursor *c)
{
    bool good = text_value(j, c), again;
    while (good && !j->failed && j->depth > 0) {
        good = text_between(j, c, &again);
        if (good && !again)
            good = text_value(j, c);
    }
    j->failed = j->failed || !good || peek_past_blanks(c) >= 0;
}

/* ---------------------------------------------------------------- CBOR */

static bool cbor_number(struct rdb_cursor *c, unsigned info, uint64_t *v)
{
    *v = info;
    if (info < 24)
        return true;
    size_t n = info <= 27 ? (size_t)1 << (info - 24) : 0;
    if (n == 0 || !rdb_cursor_need(c, n))
        return false;
    for (*v = 0; n > 0; n--)
        *v = *v << 8 | *c->p++;
    return true;
}

static bool cbor_text(struct json_walk *j, struct rdb_cursor *c, uint64_t n)
{
    json_string_begin(j);
    for (; n > 0; n--) {
        int b = next_byte(c);
        if (b < 0)
            return false;
        json_string_byte(j, (uint8_t)b);
    }
    return true;
}

static double cbor_half(uint64_t v)
{
    double fraction = (double)(v & 1023), sign = v >> 15 & 1 ? -1 : 1;
    int exponent = (int)(v >> 10 & 31);
    return sign * (exponent ? ldexp(fraction + 1024, exponent - 25) : ldexp(fraction, -24));
}

static bool cbor_simple(struct json_walk *j, unsigned info, uint64_t v)
{
    double d;
    float f;
    uint32_t half = (uint32_t)v;
    switch (info) {
    case 25: json_double(j, cbor_half(v)); return true;
    case 26:
        memcpy(&f, &half, 4);
        json_double(j, (double)f);
        return true;
    case 27:
        memcpy(&d, &v, 8);
        json_double(j, d);
        return true;
    default: json_literal(j); return info >= 20 && info <= 23;
    }
}

/* Numbers of one kind, as RFC 8746 has them: a tag, and their bytes. */
static bool cbor_typed(struct json_walk *j, struct rdb_cursor *c)
{
    uint64_t n;
    int b = next_byte(c);
    if (b >> 5 != 2 || !cbor_number(c, (unsigned)b & 31, &n) || !rdb_cursor_skip(c, n))
        return false;
    json_typed(j, n);
    return true;
}

static bool cbor_value(struct json_walk *j, struct rdb_cursor *c)
{
    uint64_t n;
    int b = next_byte(c);
    unsigned info = (unsigned)b & 31;
    if (b < 0 || !cbor_number(c, info, &n))
        return false;
    switch (b >> 5) {
    case 0: json_integer(j, false, n); return true;
    case 1: json_integer(j, true, n + 1); return n < UINT64_MAX;
    case 3:
        if (!cbor_text(j, c, n))
            return false;
        json_string(j);
        return true;
    case 4: json_open(j, false, n < HINT_MAX ? n : HINT_MAX, n); return true;
    case 5: json_open(j, true, n, n); return n <= c->left + (uint64_t)(c->end - c->p); /* a pair is two bytes */
    case 6: return cbor_typed(j, c);
    case 7: return cbor_simple(j, info, n);
    default: return false;
    }
}

static bool cbor_name(struct json_walk *j, struct rdb_cursor *c)
{
    uint64_t n;
    int b = next_byte(c);
    if (b >> 5 != 3 || !cbor_number(c, (unsigned)b & 31, &n) || !cbor_text(j, c, n))
        return false;
    json_string_end(j);
    return true;
}

void json_cbor_document(struct json_walk *j, struct rdb_cursor *c)
{
    j->modern = true; /* no older module saves it so */
    bool good = cbor_value(j, c);
    while (good && !j->failed && j->depth > 0) {
        struct json_frame *f = &j->stack[j->depth - 1];
        if (f->left == 0) {
            json_close(j);
            continue;
        }
        f->left--;
        good = (!f->object || cbor_name(j, c)) && cbor_value(j, c);
    }
    j->failed = j->failed || !good || peek_byte(c) >= 0;
}

/* ---------------------------------------------------------------- nodes */

enum node_type {
    N_NULL = 1,
    N_STRING = 2,
    N_NUMBER = 4,
    N_INTEGER = 8,
    N_BOOLEAN = 16,
    N_OBJECT = 32,
    N_ARRAY = 64,
    N_PAIR = 128
};
enum node_step { S_TYPE, S_STRING, S_NUMBER, S_INTEGER, S_BOOLEAN, S_OBJECT, S_ARRAY, S_NAME, S_DONE };

static void element_text(struct json_walk *j, const struct rdb_element *e)
{
    struct rdb_cursor c;
    json_string_begin(j);
    if (rdb_element_open(j->r->p, e, &c))
        for (int b = next_byte(&c); b >= 0; b = next_byte(&c))
            json_string_byte(j, (uint8_t)b);
}

/* A node is complete: so may be the containers around it. */
static void node_done(struct json_walk *j)
{
    while (j->depth > 0 && j->stack[j->depth - 1].left == 0)
        json_close(j);
    j->step = j->depth > 0 ? S_TYPE : S_DONE;
    if (j->depth > 0)
        j->stack[j->depth - 1].left--;
}

static void node_type(struct json_walk *j, uint64_t type)
{
    switch (type) {
    case N_NULL:
        json_literal(j);
        node_done(j);
        break;
    case N_STRING: j->step = S_STRING; break;
    case N_NUMBER: j->step = S_NUMBER; break;
    case N_INTEGER: j->step = S_INTEGER; break;
    case N_BOOLEAN: j->step = S_BOOLEAN; break;
    case N_OBJECT: j->step = S_OBJECT; break;
    case N_ARRAY: j->step = S_ARRAY; break;
    case N_PAIR: j->step = S_NAME; break;
    default: j->failed = true;
    }
}

void json_node_item(struct json_walk *j, const struct rdb_element *e)
{
    static const uint8_t wanted[] = {
        [S_TYPE] = RDB_R_MODULE_UINT,    [S_STRING] = RDB_R_MODULE_STRING,  [S_NUMBER] = RDB_R_MODULE_DOUBLE,
        [S_INTEGER] = RDB_R_MODULE_SINT, [S_BOOLEAN] = RDB_R_MODULE_STRING, [S_OBJECT] = RDB_R_MODULE_UINT,
        [S_ARRAY] = RDB_R_MODULE_UINT,   [S_NAME] = RDB_R_MODULE_STRING};
    j->failed = j->failed || j->step == S_DONE || e->role != wanted[j->step];
    if (j->failed)
        return;
    uint64_t number = (uint64_t)e->num;
    switch ((enum node_step)j->step) {
    case S_TYPE: node_type(j, number); return;
    case S_NAME:
        element_text(j, e);
        json_string_end(j);
        j->step = S_TYPE;
        return;
    case S_OBJECT:
    case S_ARRAY: json_open(j, j->step == S_OBJECT, 0, number); break;
    case S_STRING:
        element_text(j, e);
        json_string(j);
        break;
    case S_NUMBER: json_double(j, e->u.score); break;
    case S_INTEGER: json_integer(j, e->num < 0, e->num < 0 ? -number : number); break;
    case S_BOOLEAN: json_literal(j); break;
    case S_DONE: return;
    }
    if (!j->failed)
        node_done(j);
}
