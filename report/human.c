/*
 * human.c - sizes, counts, shares and times as text. See human.h.
 */
#include "report/human.h"

#include <stdio.h>
#include <string.h>

#include "report/out.h"

/* ---------------------------------------------------------------- sizes and counts */

struct text32 human_bytes(uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    struct text32 t;
    double v = (double)bytes;
    unsigned u = 0;
    for (; v >= 1023.995 && u < 6; u++)
        v /= 1024;
    snprintf(t.s, sizeof t.s, u ? "%.2f %s" : "%.0f %s", v, units[u]);
    return t;
}

struct text32 human_count(uint64_t n)
{
    struct text32 t;
    char digits[24], *p = t.s;
    size_t len = (size_t)(put_u64(digits, n) - digits);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *p++ = ',';
        *p++ = digits[i];
    }
    *p = '\0';
    return t;
}

struct text32 human_share(uint64_t part, uint64_t whole)
{
    struct text32 t = {"-"};
    if (whole > 0)
        snprintf(t.s, sizeof t.s, "%.1f %%", 100.0 * (double)part / (double)whole);
    return t;
}

/* ---------------------------------------------------------------- times */

struct text32 human_duration(int64_t seconds)
{
    struct text32 t;
    double days = (double)seconds / 86400;
    if (seconds < 120)
        snprintf(t.s, sizeof t.s, "%lld s", (long long)seconds);
    else if (seconds < 7200)
        snprintf(t.s, sizeof t.s, "%lld min", (long long)seconds / 60);
    else if (days < 2)
        snprintf(t.s, sizeof t.s, "%lld h", (long long)seconds / 3600);
    else if (days < 2 * 365.25)
        snprintf(t.s, sizeof t.s, "%.0f days", days);
    else
        snprintf(t.s, sizeof t.s, "%.1f years", days / 365.25);
    return t;
}

struct civil {
    int64_t year;
    unsigned month, day;
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days since 1970-01-01 to the Gregorian date. Counted in eras of 400 years that begin on a 1st of March, so that the
 * leap day is the last of its year. */
static struct civil civil_of_days(int64_t days)
{
    enum { ERA = 146097, BEGIN = 719468 /* day 0 */, SHORT = 1 << 24 };
    struct civil c;
    int64_t shifted = days + BEGIN;
    /* Divisions of small numbers take less, and who writes many times has such. */
    int64_t era = shifted >= 0 && shifted < SHORT ? (int64_t)((uint32_t)shifted / ERA) : floor_div(shifted, ERA);
    unsigned day_of_era = (unsigned)(shifted - era * ERA);
    unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * day_of_year + 2) / 153;
    c.day = day_of_year - (153 * month + 2) / 5 + 1;
    c.month = month < 10 ? month + 3 : month - 9;
    c.year = (int64_t)year_of_era + era * 400 + (c.month <= 2);
    return c;
}

char *put_date(char *p, int64_t days)
{
    struct civil c = civil_of_days(days);
    if (c.year >= 0 && c.year <= 9999) {
        p = put_pair(p, (unsigned)c.year / 100);
        p = put_pair(p, (unsigned)c.year % 100);
    } else {
        p = put_i64(p, c.year);
    }
    *p++ = '-';
    p = put_pair(p, c.month);
    *p++ = '-';
    return put_pair(p, c.day);
}

static char *put_clock(char *p, unsigned second_of_day)
{
    p = put_pair(p, second_of_day / 3600);
    *p++ = ':';
    p = put_pair(p, second_of_day / 60 % 60);
    *p++ = ':';
    return put_pair(p, second_of_day % 60);
}

char *put_time_of_day(char *p, uint32_t ms)
{
    unsigned second = ms / 1000, rest = ms % 1000;
    *p++ = 'T';
    p = put_clock(p, second);
    if (rest > 0) {
        *p++ = '.';
        *p++ = (char)('0' + rest / 100);
        p = put_pair(p, rest % 100);
        memcpy(p, "000", 3);
        p += 3;
    }
    return p;
}

char *put_iso_ms(char *p, int64_t ms)
{
    int64_t days = floor_div(ms, DAY_MS);
    return put_time_of_day(put_date(p, days), (uint32_t)(ms - days * DAY_MS));
}

struct text32 human_time(int64_t seconds)
{
    struct text32 t;
    int64_t days = floor_div(seconds, 86400);
    char *p = put_date(t.s, days);
    *p++ = ' ';
    p = put_clock(p, (unsigned)(seconds - days * 86400));
    memcpy(p, " UTC", 5);
    return t;
}
