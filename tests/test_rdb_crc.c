/*
 * test_rdb_crc.c - the folded CRC64 against one that goes bit by bit.
 */
#include "rdb_build.h"

static void test_check_value(void)
{
    CHECK(rdb_crc64(0, "123456789", 9) == 0xe9c6d914c4b8d9caull);
    CHECK(rdb_crc64(0, "", 0) == 0);
    CHECK(rdb_crc64(77, "", 0) == 77);
}

static void test_every_length_and_alignment(void)
{
    enum { N = 1100 };
    uint8_t data[N + 16];
    unsigned long long seed = 1;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)check_random(&seed);
    for (size_t at = 0; at < 16; at += 5)
        for (size_t n = 0; n <= N; n++)
            CHECK_MSG(rdb_crc64(0, data + at, n) == crc_naive(data + at, n), "at %zu, %zu bytes", at, n);
}

static void test_pieces(void)
{
    uint8_t data[5000];
    unsigned long long seed = 2;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)check_random(&seed);
    uint64_t whole = rdb_crc64(0, data, sizeof data);
    for (int round = 0; round < 200; round++) {
        uint64_t crc = 0;
        for (size_t at = 0; at < sizeof data;) {
            size_t n = check_random(&seed) % 700;
            if (n > sizeof data - at)
                n = sizeof data - at;
            crc = rdb_crc64(crc, data + at, n);
            at += n;
        }
        CHECK(crc == whole);
    }
}

int main(void)
{
    test_check_value();
    test_every_length_and_alignment();
    test_pieces();
    return check_result();
}
