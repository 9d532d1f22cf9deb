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
 * of items first. Sources: ijson array.rs, object.rs, unsafe_string.rs, number.rs.
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
    STRINGS_MAX = 1 << 16 /* that are remembered: half a megabyte. Others are charged each time */
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

void json_string_begin(struct json_walk *j)
{
    j->text = 0;
    j->hash = 0xcbf29ce484222325; /* FNV-1a, finished by a multiplication that reaches the high bits */
}

void json_string_end(struct json_walk *j)
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

void json_open(struct json_walk *j, bool object, uint64_t cap, uint64_t left)
{
    item_add(j, T_ANY, false);
    if (j->depth == JSON_DEPTH) {
        j->failed = true;
        return;
    }
    j->stack[j->depth++] = (struct json_frame){.object = object, .tag = T_ANY, .cap = cap, .left = left};
}

void json_close(struct json_walk *j)
{
    const struct json_frame *f = &j->stack[--j->depth];
    if (f->cap == 0)
        return;
    if (f->object)
        block(j, OBJECT_HEADER + PAIR * f->cap + INDEX * (f->cap + f->cap / 4));
    else
        block(j, (j->modern ? 8 : 16) + (tag_size[f->tag] * f->cap + 7) / 8 * 8);
}

void json_integer(struct json_walk *j, bool negative, uint64_t v)
{
    if (!item_add(j, integer_tag(negative, v), !negative))
        integer_block(j, negative, v);
}

void json_double(struct json_walk *j, double d)
{
    if (!item_add(j, double_tag(d), false))
        double_block(j);
}

void json_literal(struct json_walk *j)
{
    item_add(j, T_ANY, false);
}

void json_string(struct json_walk *j)
{
    json_string_end(j);
    json_literal(j);
}

void json_typed(struct json_walk *j, uint64_t bytes)
{
    json_literal(j);
    if (bytes)
        block(j, 8 + (bytes + 7) / 8 * 8);
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
