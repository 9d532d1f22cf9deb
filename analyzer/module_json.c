/*
 * module_json.c - a JSON document as RedisJSON's values (its fork of the ijson crate).
 *
 *     value     8 bytes in its container: a tagged pointer, or what fits into it
 *     integer   in the pointer; before 8.4 only -128 to 383, else a block of 4 (24 bits) or 16
 *     double    a block of 8; before 8.4 16
 *     string    header and bytes, one block for all that are equal; from 8.4 on up to 7 bytes are in the pointer
 *     array     header, capacity x 8; from 8.4 on numbers of one kind alone are capacity x their own size
 *     object    header 16, capacity x (name, value), a table of (capacity + a quarter) indexes of 8
 *     document  a block of 8, the root value
 *
 * Empty containers and strings have no block. Capacities begin at 4 and double as items are added; CBOR says the number
 * of items first. Sources: ijson array.rs, object.rs, unsafe_string.rs, number.rs, cbor.rs; redisjson.rs, backward.rs.
 */
#include "analyzer/module_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOT = 8,
    FIRST_CAPACITY = 4,
    OBJECT_HEADER = 16,
    PAIR = 16,
    INDEX = 8,
    VALUE = 8,
    STRINGS_MAX = 1 << 16, /* that are remembered: half a megabyte. Others are charged each time */
    HINT_MAX = 1024,       /* items that cbor.rs reserves at most */
    NUMBER_TEXT = 64
};

/* What an array's items have in common: signed before unsigned, each by width; then floats. */
enum json_tag { T_ANY, T_I8, T_I16, T_I32, T_I64, T_U8, T_U16, T_U32, T_U64, T_F16, T_BF16, T_F32, T_F64 };

static const uint8_t tag_size[] = {VALUE, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8};

static bool is_signed(unsigned t)
{
    return t >= T_I8 && t <= T_I64;
}
static bool is_unsigned(unsigned t)
{
    return t >= T_U8 && t <= T_U64;
}
static bool is_float(unsigned t)
{
    return t >= T_F16;
}

static void block(struct json_walk *j, uint64_t bytes)
{
    zmalloc(j->r->z, bytes, ZL_MODULE);
}

/* ---------------------------------------------------------------- strings that are shared */

struct json_strings {
    size_t n;
    uint64_t slots[STRINGS_MAX]; /* hashes, 0: free */
};

void json_strings_free(struct json_strings *s)
{
    free(s);
}

/* Whether it is the first of its kind, as far as can be remembered. */
static bool string_is_new(struct rebuild *r, uint64_t hash)
{
    if (!r->json_strings && !(r->json_strings = calloc(1, sizeof *r->json_strings)))
        return true;
    struct json_strings *s = r->json_strings;
    size_t i = (size_t)(hash >> 32) % STRINGS_MAX;
    for (hash |= hash == 0; s->slots[i] != 0; i = (i + 1) % STRINGS_MAX)
        if (s->slots[i] == hash)
            return false;
    if (s->n < STRINGS_MAX / 4 * 3) {
        s->slots[i] = hash;
        s->n++;
    }
    return true;
}

static void string_begin(struct json_walk *j)
{
    j->text = 0;
    j->hash = 0xcbf29ce484222325; /* FNV-1a, finished by a multiplication that reaches the high bits */
}

static inline void string_byte(struct json_walk *j, uint8_t byte)
{
    j->hash = (j->hash ^ byte) * 0x100000001b3;
    j->text++;
}

static void string_end(struct json_walk *j)
{
    uint64_t header = j->modern ? 8 : 16, inside = j->modern ? 7 : 0;
    if (j->text > inside && string_is_new(j->r, (j->hash ^ j->text) * 0x9e3779b97f4a7c15))
        block(j, header + (j->text + 7) / 8 * 8);
}

/* ---------------------------------------------------------------- numbers */

static unsigned integer_tag(bool negative, uint64_t v)
{
    static const struct {
        uint64_t most;
        uint8_t tag;
    } up[] = {{INT8_MAX, T_I8},   {UINT8_MAX, T_U8},   {INT16_MAX, T_I16}, {UINT16_MAX, T_U16},
              {INT32_MAX, T_I32}, {UINT32_MAX, T_U32}, {INT64_MAX, T_I64}};
    uint64_t least = negative && v ? v - 1 : v; /* -128 fits where 127 does */
    for (size_t i = 0; i < sizeof up / sizeof *up; i++)
        if (least <= up[i].most && !(negative && is_unsigned(up[i].tag)))
            return up[i].tag;
    return negative ? T_F64 : T_U64;
}

/* Exactly representable with so many bits of mantissa, a whole number of the smallest step, not above most. */
static bool float_fits(double d, int bits, int smallest, double most)
{
    int exponent;
    double mantissa = frexp(d, &exponent), scaled = ldexp(mantissa, bits), steps = ldexp(d, smallest);
    return fabs(d) <= most && scaled == trunc(scaled) && (smallest == 0 || steps == trunc(steps));
}

static unsigned double_tag(double d)
{
    if (float_fits(d, 11, 24, 65504))
        return T_F16;
    if (float_fits(d, 8, 0, 3.3e38))
        return T_BF16;
    return float_fits(d, 24, 0, 3.4e38) ? T_F32 : T_F64;
}

/* The blocks of a number that stands as a value of its own. */
static void integer_block(struct json_walk *j, bool negative, uint64_t v)
{
    uint64_t least = negative && v ? v - 1 : v; /* the negative side of a range has one more */
    if (j->modern ? least > (uint64_t)INT64_MAX >> 3 : least >= 1U << 23)
        block(j, j->modern ? 8 : 16);
    else if (!j->modern && (negative ? v > 128 : v >= 384))
        block(j, 4);
}

static void double_block(struct json_walk *j)
{
    block(j, j->modern ? 8 : 16);
}

/* ---------------------------------------------------------------- containers */

static uint64_t grown(uint64_t cap, uint64_t len)
{
    uint64_t least = len + 1 < FIRST_CAPACITY ? FIRST_CAPACITY : len + 1;
    return len < cap ? cap : cap * 2 > least ? cap * 2 : least;
}

/* ArrayTag::promote_with */
static unsigned promoted(unsigned a, unsigned b)
{
    static const uint8_t wider[] = {[T_U8] = T_I16, [T_U16] = T_I32, [T_U32] = T_I64};
    if (a == b)
        return a;
    if (a == T_ANY || b == T_ANY || is_float(a) != is_float(b) || a == T_U64 || b == T_U64)
        return (is_unsigned(a) && is_unsigned(b)) ? T_U64 : T_ANY;
    if (is_float(a))
        return a <= T_BF16 && b <= T_BF16 ? T_F32 : a > b ? a : b;
    if (is_signed(a) == is_signed(b))
        return a > b ? a : b;
    unsigned u = is_unsigned(a) ? a : b, s = is_unsigned(a) ? b : a;
    return s > wider[u] ? s : wider[u];
}

/* A number of this tag has its place in an array of that one. */
static bool fits(unsigned tag, unsigned array)
{
    if (is_float(tag) || is_float(array))
        return tag == array || (is_float(tag) && is_float(array) && array >= T_F32 && tag <= array);
    if (is_signed(tag) == is_signed(array))
        return tag <= array;
    if (is_unsigned(array)) /* small ones are called signed, and are at home in both; negative ones are not */
        return false;
    return tag_size[tag] < tag_size[array];
}

static void array_promote(struct json_walk *j, struct json_frame *f, unsigned tag)
{
    if (tag == T_ANY && is_float(f->tag))
        for (uint64_t i = 0; i < f->len; i++)
            double_block(j);
    f->tag = (uint8_t)tag;
    f->cap = f->len;
}

/* An item for the container that is open; tag: of a number, else T_ANY. True when a number lies in the array itself. */
static bool item_add(struct json_walk *j, unsigned tag, bool positive)
{
    if (j->depth == 0)
        return false;
    struct json_frame *f = &j->stack[j->depth - 1];
    if (f->object) {
        f->cap = grown(f->cap, f->len);
        f->len++;
        return false;
    }
    if (!j->modern)
        tag = T_ANY;
    if (f->len == 0) {
        f->cap = f->cap * VALUE / tag_size[tag];
        f->tag = (uint8_t)tag;
    } else if (f->tag != T_ANY && !fits(tag, f->tag) &&
               !(positive && is_unsigned(f->tag) && is_signed(tag) && tag_size[tag] <= tag_size[f->tag])) {
        array_promote(j, f, promoted(f->tag, tag));
    }
    f->cap = grown(f->cap, f->len);
    f->len++;
    return f->tag != T_ANY;
}

static void open_container(struct json_walk *j, bool object, uint64_t cap, uint64_t left)
{
    item_add(j, T_ANY, false);
    if (j->depth == JSON_DEPTH) {
        j->failed = true;
        return;
    }
    j->stack[j->depth++] = (struct json_frame){.object = object, .tag = T_ANY, .cap = cap, .left = left};
}

static void close_container(struct json_walk *j)
{
    const struct json_frame *f = &j->stack[--j->depth];
    if (f->cap == 0)
        return;
    if (f->object)
        block(j, OBJECT_HEADER + PAIR * f->cap + INDEX * (f->cap + f->cap / 4));
    else
        block(j, (j->modern ? 8 : 16) + (tag_size[f->tag] * f->cap + 7) / 8 * 8);
}

static void integer_value(struct json_walk *j, bool negative, uint64_t v)
{
    if (!item_add(j, integer_tag(negative, v), !negative))
        integer_block(j, negative, v);
}

static void double_value(struct json_walk *j, double d)
{
    if (!item_add(j, double_tag(d), false))
        double_block(j);
}

static void literal_value(struct json_walk *j)
{
    item_add(j, T_ANY, false);
}

static void string_value(struct json_walk *j)
{
    string_end(j);
    literal_value(j);
}

void json_begin(struct json_walk *j, struct rebuild *r)
{
    j->r = r;
    j->modern = strcmp(r->pf->family, "redis") == 0 && r->pf->version >= 804;
    j->failed = false;
    j->step = 0;
    j->depth = 0;
    block(j, ROOT);
}

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
        string_byte(j, (uint8_t)code);
    } else if (code < 0x800 || (code >= 0xd800 && code < 0xe000)) { /* a pair of surrogates makes four bytes */
        string_byte(j, (uint8_t)(0xc0 | code >> 6));
        string_byte(j, (uint8_t)(0x80 | (code & 63)));
    } else {
        string_byte(j, (uint8_t)(0xe0 | code >> 12));
        string_byte(j, (uint8_t)(0x80 | (code >> 6 & 63)));
        string_byte(j, (uint8_t)(0x80 | (code & 63)));
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
        string_byte(j, (uint8_t)to[at - from]);
    return at != NULL;
}

static bool text_string(struct json_walk *j, struct rdb_cursor *c)
{
    string_begin(j);
    c->p++; /* the quote */
    for (;;) {
        int b = next_byte(c);
        if (b == '"')
            return true;
        if (b < 0 || (b == '\\' && !text_escape(j, c)))
            return false;
        if (b != '\\')
            string_byte(j, (uint8_t)b);
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
            double_value(j, strtod(digits, NULL));
            return;
        }
        v = v * 10 + d;
    }
    if (negative && v > (uint64_t)INT64_MAX + 1)
        double_value(j, -(double)v);
    else
        integer_value(j, negative && v, v);
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
        double_value(j, strtod(text, NULL));
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
            literal_value(j);
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
        open_container(j, b == '{', 0, 0);
        return true;
    }
    if (b != '"')
        return text_literal(j, c);
    if (!text_string(j, c))
        return false;
    string_value(j);
    return true;
}

static bool text_name(struct json_walk *j, struct rdb_cursor *c)
{
    if (peek_past_blanks(c) != '"' || !text_string(j, c))
        return false;
    string_end(j);
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
        close_container(j);
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
    string_begin(j);
    for (; n > 0; n--) {
        int b = next_byte(c);
        if (b < 0)
            return false;
        string_byte(j, (uint8_t)b);
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
    case 25: double_value(j, cbor_half(v)); return true;
    case 26:
        memcpy(&f, &half, 4);
        double_value(j, (double)f);
        return true;
    case 27:
        memcpy(&d, &v, 8);
        double_value(j, d);
        return true;
    default: literal_value(j); return info >= 20 && info <= 23;
    }
}

/* Numbers of one kind, as RFC 8746 has them: a tag, and their bytes. */
static bool cbor_typed(struct json_walk *j, struct rdb_cursor *c)
{
    uint64_t n;
    int b = next_byte(c);
    if (b >> 5 != 2 || !cbor_number(c, (unsigned)b & 31, &n) || !rdb_cursor_skip(c, n))
        return false;
    literal_value(j);
    if (n)
        block(j, 8 + (n + 7) / 8 * 8);
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
    case 0: integer_value(j, false, n); return true;
    case 1: integer_value(j, true, n + 1); return n < UINT64_MAX;
    case 3:
        if (!cbor_text(j, c, n))
            return false;
        string_value(j);
        return true;
    case 4: open_container(j, false, n < HINT_MAX ? n : HINT_MAX, n); return true;
    case 5: open_container(j, true, n, n); return n <= c->left + (uint64_t)(c->end - c->p); /* a pair is two bytes */
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
    string_end(j);
    return true;
}

void json_cbor_document(struct json_walk *j, struct rdb_cursor *c)
{
    j->modern = true; /* no older module saves it so */
    bool good = cbor_value(j, c);
    while (good && !j->failed && j->depth > 0) {
        struct json_frame *f = &j->stack[j->depth - 1];
        if (f->left == 0) {
            close_container(j);
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
    string_begin(j);
    if (rdb_element_open(j->r->p, e, &c))
        for (int b = next_byte(&c); b >= 0; b = next_byte(&c))
            string_byte(j, (uint8_t)b);
}

/* A node is complete: so may be the containers around it. */
static void node_done(struct json_walk *j)
{
    while (j->depth > 0 && j->stack[j->depth - 1].left == 0)
        close_container(j);
    j->step = j->depth > 0 ? S_TYPE : S_DONE;
    if (j->depth > 0)
        j->stack[j->depth - 1].left--;
}

static void node_type(struct json_walk *j, uint64_t type)
{
    switch (type) {
    case N_NULL:
        literal_value(j);
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
        string_end(j);
        j->step = S_TYPE;
        return;
    case S_OBJECT:
    case S_ARRAY: open_container(j, j->step == S_OBJECT, 0, number); break;
    case S_STRING:
        element_text(j, e);
        string_value(j);
        break;
    case S_NUMBER: double_value(j, e->u.score); break;
    case S_INTEGER: integer_value(j, e->num < 0, e->num < 0 ? -number : number); break;
    case S_BOOLEAN: literal_value(j); break;
    case S_DONE: return;
    }
    if (!j->failed)
        node_done(j);
}
