/*
 * number.c - decimal text of integers and back, text of doubles.
 *
 * Servers keep an integer wherever a string is the canonical text of one (util.c string2ll), so the length of that text
 * is the logical length of the element.
 */
#include "rdb/internal.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

const uint64_t rdb_powers[20] = {
    1ull,
    10ull,
    100ull,
    1000ull,
    10000ull,
    100000ull,
    1000000ull,
    10000000ull,
    100000000ull,
    1000000000ull,
    10000000000ull,
    100000000000ull,
    1000000000000ull,
    10000000000000ull,
    100000000000000ull,
    1000000000000000ull,
    10000000000000000ull,
    100000000000000000ull,
    1000000000000000000ull,
    10000000000000000000ull,
};

int rdb_ll2text(int64_t v, char out[21])
{
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    int len = (int)rdb_ll_digits(v);
    char *at = out + len;
    do {
        *--at = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        *--at = '-';
    return len;
}

bool rdb_text2ll(const uint8_t *s, size_t len, int64_t *v)
{
    if (len == 0 || len > 20)
        return false;
    bool negative = s[0] == '-';
    size_t i = negative;
    if (i == len)
        return false;
    if (s[i] == '0') { /* "0" is the only text that begins with one */
        *v = 0;
        return len == 1;
    }
    uint64_t u = 0;
    for (; i < len; i++) {
        unsigned d = (unsigned)s[i] - '0';
        if (d > 9 || u > (UINT64_MAX - d) / 10)
            return false;
        u = u * 10 + d;
    }
    if (u > (uint64_t)INT64_MAX + negative)
        return false;
    *v = (int64_t)(negative ? 0 - u : u);
    return true;
}

bool rdb_text2double(const uint8_t *s, size_t len, double *d)
{
    int64_t v;
    if (len > 0 && len <= 15 && rdb_text2ll(s, len, &v)) {
        *d = (double)v;
        return true;
    }
    char text[256];
    if (len == 0 || len >= sizeof text || s[0] == ' ' || (s[0] >= '\t' && s[0] <= '\r'))
        return false;
    memcpy(text, s, len);
    text[len] = '\0';
    static _Thread_local locale_t c_locale; /* glibc hands out its static "C" object: nothing to free */
    if (!c_locale && !(c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0)))
        return false;
    char *end;
    *d = strtod_l(text, &end, c_locale);
    return end == text + len;
}
