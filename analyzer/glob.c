/*
 * glob.c - see glob.h.
 *
 * The server's function calls itself at each star; here the last star is kept in mind instead: when what stands behind
 * it does not match, the star takes one byte more. An earlier star never has to be tried again.
 */
#include "analyzer/glob.h"

/* One [set] at p, which is behind the bracket; sets *end behind it. A set that is not closed ends with the pattern. */
static bool set_holds(const char *p, const char *pattern_end, uint8_t c, const char **end)
{
    bool negated = p < pattern_end && *p == '^', found = false;
    p += negated;
    for (;; p++) {
        if (p >= pattern_end) {
            *end = pattern_end;
            break;
        }
        if (*p == '\\' && pattern_end - p >= 2) {
            p++;
            found |= (uint8_t)*p == c;
        } else if (*p == ']') {
            *end = p + 1;
            break;
        } else if (pattern_end - p >= 3 && p[1] == '-') {
            uint8_t a = (uint8_t)p[0], b = (uint8_t)p[2];
            found |= a <= b ? c >= a && c <= b : c >= b && c <= a;
            p += 2;
        } else {
            found |= (uint8_t)*p == c;
        }
    }
    return found != negated;
}

/* Whether the pattern's item at *p, no star, takes the byte; *p is moved behind the item. */
static bool item_takes(const char **p, const char *pattern_end, uint8_t c)
{
    const char *at = *p;
    *p = at + 1;
    switch (*at) {
    case '?': return true;
    case '[': return set_holds(at + 1, pattern_end, c, p);
    case '\\':
        if (pattern_end - at >= 2) {
            *p = at + 2;
            return (uint8_t)at[1] == c;
        }
        return c == '\\';
    default: return (uint8_t)*at == c;
    }
}

bool glob_matches(const char *pattern, size_t pattern_len, const uint8_t *text, size_t len)
{
    const char *p = pattern, *end = pattern + pattern_len, *star = NULL;
    size_t at = 0, star_at = 0;
    while (at < len) {
        if (p < end && *p == '*') {
            star = ++p;
            star_at = at;
            continue;
        }
        if (p < end && item_takes(&p, end, text[at])) {
            at++;
            continue;
        }
        if (!star)
            return false;
        p = star;
        at = ++star_at;
    }
    while (p < end && *p == '*')
        p++;
    return p == end;
}
