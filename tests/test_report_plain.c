/*
 * Names that are copied while they are looked at (report/plain.h), against the same looked at byte by byte.
 */
#include <stdlib.h>

#include "report/plain.h"
#include "tests/check.h"

enum { LONGEST = 150 };

static bool is_plain(const uint8_t *s, size_t len, char a, char b)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] < 0x20 || s[i] > 0x7e || s[i] == (uint8_t)a || s[i] == (uint8_t)b)
            return false;
    return true;
}

static void check_name(const uint8_t *name, size_t len)
{
    char copy[LONGEST + PLAIN_LEAST];
    CHECK(plain_copy(copy, name, len, '"', ',') == is_plain(name, len, '"', ','));
    CHECK(memcmp(copy, name, len) == 0);
    CHECK(plain_copy(copy, name, len, '"', '\\') == is_plain(name, len, '"', '\\'));
}

/* Each byte at each place of names of each length, and behind its end, where it means nothing. */
static void test_each_byte(void)
{
    uint8_t name[LONGEST + PLAIN_LEAST];
    for (size_t len = 0; len < 70; len++)
        for (size_t at = 0; at < len + PLAIN_PAD; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                memset(name, 'k', sizeof name);
                name[at] = (uint8_t)byte;
                check_name(name, len);
            }
}

static void test_any_bytes(void)
{
    uint8_t name[LONGEST + PLAIN_LEAST];
    srand(1);
    for (unsigned round = 0; round < 200000; round++) {
        for (size_t i = 0; i < sizeof name; i++)
            name[i] = (uint8_t)(rand() % 100 ? 0x20 + rand() % 0x5f : rand() % 256);
        check_name(name, (size_t)(rand() % LONGEST));
    }
}

int main(void)
{
    test_each_byte();
    test_any_bytes();
    return check_result();
}
