/*
 * test_rdb_number.c - decimal texts against the C library's.
 */
#include "rdb/internal.h"
#include "rdb_build.h"

#include <locale.h>
#include <math.h>

static void check_number(int64_t v)
{
    char want[32], got[21];
    int n = snprintf(want, sizeof want, "%" PRId64, v);
    CHECK_MSG((int)rdb_ll_digits(v) == n, "%" PRId64, v);
    CHECK_MSG(rdb_ll2text(v, got) == n && memcmp(got, want, (size_t)n) == 0, "%" PRId64, v);
    int64_t back;
    CHECK_MSG(rdb_text2ll((const uint8_t *)want, (size_t)n, &back) && back == v, "%" PRId64, v);
}

static void test_integers(void)
{
    unsigned long long seed = 3;
    for (int64_t v = -100000; v <= 100000; v++)
        check_number(v);
    for (int shift = 0; shift < 64; shift++)
        for (int64_t d = -2; d <= 2; d++) {
            check_number((int64_t)((UINT64_C(1) << shift) + (uint64_t)d));
            check_number((int64_t)(0 - (UINT64_C(1) << shift) + (uint64_t)d));
        }
    int64_t ten = 1;
    for (int i = 0; i < 18; i++, ten *= 10)
        for (int64_t d = -1; d <= 1; d++) {
            check_number(ten + d);
            check_number(-ten + d);
        }
    for (int i = 0; i < 100000; i++)
        check_number((int64_t)(check_random(&seed) >> (check_random(&seed) % 64)));
    check_number(INT64_MIN);
    check_number(INT64_MAX);
}

static void test_only_canonical(void)
{
    static const char *const refused[] = {"",
                                          "-",
                                          "-0",
                                          "00",
                                          "01",
                                          "+1",
                                          " 1",
                                          "1 ",
                                          "1.0",
                                          "0x1",
                                          "--1",
                                          "1e3",
                                          "9223372036854775808",
                                          "-9223372036854775809",
                                          "18446744073709551616",
                                          "99999999999999999999"};
    int64_t v;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        CHECK_MSG(!rdb_text2ll((const uint8_t *)refused[i], strlen(refused[i]), &v), "\"%s\"", refused[i]);
}

static void check_double(const char *s, double want)
{
    double d = 77;
    CHECK_MSG(rdb_text2double((const uint8_t *)s, strlen(s), &d) && d == want, "%s: %.17g", s, d);
}

static void test_doubles(void)
{
    (void)setlocale(LC_ALL, "de_DE.UTF-8"); /* a decimal comma must not matter, where that locale exists */
    check_double("0", 0.0);
    check_double("-1", -1.0);
    check_double("3.1400000000000001", 3.14);
    check_double("1e+20", 1e20);
    check_double("-2.2250738585072014e-308", -2.2250738585072014e-308);
    check_double("1234567890123456789", 1234567890123456789.0);
    check_double("inf", (double)INFINITY);
    check_double("-inf", (double)-INFINITY);
    double d;
    CHECK(!rdb_text2double((const uint8_t *)"", 0, &d));
    CHECK(!rdb_text2double((const uint8_t *)"abc", 3, &d));
    CHECK(!rdb_text2double((const uint8_t *)"1x", 2, &d));
    CHECK(!rdb_text2double((const uint8_t *)" 1", 2, &d));
    CHECK(!rdb_text2double((const uint8_t *)"1\0001", 3, &d));
}

static void test_module_names(void)
{
    char name[10];
    CHECK(rdb_module_name(0, name) == 0 && strcmp(name, "AAAAAAAAA") == 0);
    CHECK(rdb_module_name(UINT64_MAX, name) == 1023 && strcmp(name, "_________") == 0);
    CHECK(rdb_module_name(0x2f79cb68aec7adull << 10 | 3, name) == 3 && strcmp(name, "vectorset") == 0);
}

int main(void)
{
    test_integers();
    test_only_canonical();
    test_doubles();
    test_module_names();
    return check_result();
}
