/*
 * test_rdb_crc.c - the CRC64 of the library, its tables and ISA-L itself against one that goes bit by bit, and against
 * each other.
 */
#include "rdb_build.h"

#include "rdb/internal.h"
#include "rdb/places.h"

#include <isa-l/crc64.h>

static uint64_t crc_isal(uint64_t crc, const void *data, size_t len)
{
    return ~crc64_jones_refl(~crc, data, len);
}

static const struct {
    const char *name;
    uint64_t (*crc)(uint64_t crc, const void *data, size_t len);
} ways[] = {{"rdb_crc64", rdb_crc64}, {"tables", crc64_by_table}, {"ISA-L", crc_isal}};

enum { WAYS = sizeof ways / sizeof ways[0] };

static void fill(uint8_t *data, size_t n, unsigned long long seed)
{
    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)check_random(&seed);
}

static void test_check_value(void)
{
    for (unsigned w = 0; w < WAYS; w++) {
        CHECK_MSG(ways[w].crc(0, "123456789", 9) == 0xe9c6d914c4b8d9caull, "%s", ways[w].name);
        CHECK_MSG(ways[w].crc(0, "", 0) == 0, "%s", ways[w].name);
        CHECK_MSG(ways[w].crc(77, "", 0) == 77, "%s", ways[w].name);
    }
}

static void test_every_length_and_alignment(void)
{
    enum { N = 1100 };
    uint8_t data[N + 16];
    fill(data, sizeof data, 1);
    for (size_t at = 0; at < 16; at += 5)
        for (size_t n = 0; n <= N; n++) {
            uint64_t want = crc_naive(data + at, n);
            for (unsigned w = 0; w < WAYS; w++)
                CHECK_MSG(ways[w].crc(0, data + at, n) == want, "%s at %zu, %zu bytes", ways[w].name, at, n);
        }
}

/* From any checksum on: all alignments, lengths around what one step takes. */
static void test_begun(void)
{
    uint8_t data[96];
    unsigned long long seed = 3;
    fill(data, sizeof data, 4);
    for (size_t at = 0; at < 32; at++)
        for (size_t n = 0; n <= 64; n++) {
            uint64_t crc = check_random(&seed);
            CHECK_MSG(crc64_by_table(crc, data + at, n) == crc_isal(crc, data + at, n), "at %zu, %zu bytes", at, n);
        }
}

static void test_every_split(void)
{
    uint8_t data[300];
    fill(data, sizeof data, 5);
    for (unsigned w = 0; w < WAYS; w++) {
        uint64_t whole = crc_naive(data, sizeof data);
        for (size_t at = 0; at <= sizeof data; at++)
            CHECK_MSG(ways[w].crc(ways[w].crc(0, data, at), data + at, sizeof data - at) == whole, "%s split at %zu",
                      ways[w].name, at);
    }
}

static void test_pieces(void)
{
    static uint8_t data[400000];
    unsigned long long seed = 2;
    fill(data, sizeof data, 6);
    uint64_t whole = crc_naive(data, sizeof data);
    for (int round = 0; round < 60; round++) {
        uint64_t crc = 0;
        for (size_t at = 0; at < sizeof data;) {
            size_t n = check_random(&seed) % 7000;
            if (n > sizeof data - at)
                n = sizeof data - at;
            crc = ways[check_random(&seed) % WAYS].crc(crc, data + at, n); /* each goes on where another ended */
            at += n;
        }
        CHECK(crc == whole);
    }
}

/* Of neighbours that were summed apart. */
static void test_joined(void)
{
    static uint8_t data[70000];
    unsigned long long seed = 3;
    fill(data, sizeof data, 7);
    uint64_t whole = crc_naive(data, sizeof data);
    for (int round = 0; round < 300; round++) {
        size_t at = round < 20 ? (size_t)round : (size_t)(check_random(&seed) % (sizeof data + 1)),
               left = sizeof data - at;
        CHECK_MSG(rdb_checksum_join(crc_naive(data, at), crc_naive(data + at, left), left) == whole, "joined at %zu",
                  at);
        CHECK_MSG(rdb_checksum_join(crc_naive(data, left), crc_naive(data + left, at), at) == whole, "joined at %zu",
                  left);
    }
}

int main(void)
{
    test_joined();
    test_check_value();
    test_every_length_and_alignment();
    test_begun();
    test_every_split();
    test_pieces();
    return check_result();
}
