/*
 * score.c - length of a score's text: an integer, %.17g (up to 7.0), or the shortest round-trip digits (7.2+).
 */
#include "analyzer/score.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rdb/rdb.h"

/* Digits of the shortest text that reads back the same, and their exponent: value = 0.d1d2... x 10^point. */
static int shortest_digits(double v, int *point)
{
    char text[40];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, v);
        if (precision < 16 && strtod(text, NULL) != v)
            continue;
        *point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
        return precision + 1;
    }
    return 17;
}

/* fpconv.c emit_digits: plain up to 21 places, 0.000ddd down to seven zeros, else exponential */
static uint64_t shortest_length(double v)
{
    int point, n = shortest_digits(fabs(v), &point), sign = v < 0;
    int k = point - n, exponent = abs(point - 1);
    if (k >= 0 && exponent < n + 7)
        return (uint64_t)(sign + point);
    if (k < 0 && (k > -7 || exponent < 4))
        return (uint64_t)(sign + (point <= 0 ? 2 - point + n : n + 1));
    if (n > 18 - sign)
        n = 18 - sign;
    return (uint64_t)(sign + n + (n > 1) + 2 + (exponent > 99 ? 3 : exponent > 9 ? 2 : 1));
}

static bool integral(const struct profile *pf, double score, int64_t *v)
{
    double limit = pf->score_int62 ? 4611686018427387904.0 : 4503599627370496.0; /* util.c double2ll; ld 2^52 */
    if (!(score > -limit && score < limit) || score != floor(score) || (score == 0 && signbit(score)))
        return false;
    *v = (int64_t)score;
    return true;
}

bool score_entry(const struct profile *pf, double score, int64_t *v, uint64_t *len)
{
    if (integral(pf, score, v))
        return true;
    if (isnan(score) || isinf(score)) {
        *len = isnan(score) ? 3 : score < 0 ? 4 : 3;
        return false;
    }
    if (score == 0) { /* "-0" */
        *len = 2;
        return false;
    }
    if (pf->score_shortest) {
        *len = shortest_length(score);
        return false;
    }
    char text[40];
    int n = snprintf(text, sizeof text, "%.17g", score);
    *len = (uint64_t)n;
    return rdb_text2ll((const uint8_t *)text, (size_t)n, v);
}
