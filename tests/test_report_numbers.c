/*
 * Numbers and times as text: decimal against printf, ISO 8601 against gmtime, human units at their borders.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "report/human.h"
#include "report/out.h"

static int failures;
static const int64_t day = 86400000; /* milliseconds */

static void expect(const char *what, const char *got, const char *want)
{
    if (strcmp(got, want) != 0 && ++failures <= 20)
        printf("%s: '%s', not '%s'\n", what, got, want);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> (*state >> 58);
}

static void check_decimal(uint64_t v)
{
    char got[24], want[24];
    *put_u64(got, v) = '\0';
    snprintf(want, sizeof want, "%" PRIu64, v);
    expect("put_u64", got, want);
    *put_i64(got, (int64_t)v) = '\0';
    snprintf(want, sizeof want, "%" PRId64, (int64_t)v);
    expect("put_i64", got, want);
}

static void test_decimal(void)
{
    uint64_t state = 1, power = 1;
    for (uint64_t v = 0; v < 20000; v++)
        check_decimal(v);
    for (int digits = 0; digits < 20; digits++, power *= 10)
        for (int d = -1; d <= 1; d++)
            check_decimal(power + (uint64_t)d);
    for (int bits = 0; bits < 64; bits++)
        for (int d = -1; d <= 1; d++)
            check_decimal((UINT64_C(1) << bits) + (uint64_t)d);
    for (int i = 0; i < 300000; i++)
        check_decimal(next_random(&state));
}

static void check_iso(int64_t ms)
{
    char got[48], want[64];
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    long rest = (long)(ms - (int64_t)seconds * 1000);
    struct tm tm;
    int n;
    gmtime_r(&seconds, &tm);
    n = snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                 tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (rest)
        snprintf(want + n, sizeof want - (size_t)n, ".%03ld000", rest);
    *put_iso_ms(got, ms) = '\0';
    expect("put_iso_ms", got, want);
}

static void test_iso(void)
{
    uint64_t state = 7;
    for (int64_t d = -4000; d < 400000; d++) /* 1959 to 3065: every kind of leap year */
        check_iso(d * day + (d % 7) * 1001);
    for (int i = 0; i < 100000; i++)
        check_iso((int64_t)(next_random(&state) % UINT64_C(253402300800000)));
    check_iso(0);
    check_iso(-1);
    check_iso(-day);
}

/* The longest text must fit what its users give it. */
static void test_far_times(void)
{
    char text[64];
    if (put_iso_ms(text, INT64_MAX) - text > 40 || put_iso_ms(text, INT64_MIN) - text > 40)
        expect("put_iso_ms", "more than 40 bytes", "at most 40");
    *put_iso_ms(text, INT64_MAX) = '\0';
    expect("put_iso_ms", text, "292278994-08-17T07:12:55.807000");
}

static void test_human(void)
{
    expect("bytes", human_bytes(0).s, "0 B");
    expect("bytes", human_bytes(1023).s, "1023 B");
    expect("bytes", human_bytes(1024).s, "1.00 KiB");
    expect("bytes", human_bytes(1536 << 20).s, "1.50 GiB");
    expect("bytes", human_bytes((1 << 20) - 1).s, "1.00 MiB");
    expect("bytes", human_bytes(UINT64_MAX).s, "16.00 EiB");
    expect("count", human_count(0).s, "0");
    expect("count", human_count(999).s, "999");
    expect("count", human_count(1000).s, "1,000");
    expect("count", human_count(1234567).s, "1,234,567");
    expect("count", human_count(UINT64_MAX).s, "18,446,744,073,709,551,615");
    expect("share", human_share(1, 0).s, "-");
    expect("share", human_share(1, 8).s, "12.5 %");
    expect("duration", human_duration(45).s, "45 s");
    expect("duration", human_duration(7199).s, "119 min");
    expect("duration", human_duration(86400).s, "24 h");
    expect("duration", human_duration(203 * day / 1000).s, "203 days");
    expect("duration", human_duration(3653 * day / 1000).s, "10.0 years");
    expect("time", human_time(951782400).s, "2000-02-29 00:00:00 UTC");
}

int main(void)
{
    test_decimal();
    test_iso();
    test_far_times();
    test_human();
    printf("%d passed, %d failed\n", failures == 0, failures);
    return failures != 0;
}
