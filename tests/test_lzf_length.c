/*
 * test_lzf_length.c - the length that lzf_length foretells against what liblzf makes.
 */
#include "analyzer/lzf_length.h"
#include "check.h"

#include <liblzf/lzf.h>
#include <stdbool.h>

enum { MOST = 70000, STACK = 320 * 1024 };

static struct lzf_table table;

/* liblzf does not clear its table, which lies on the stack: from whatever lay there before it may make copies of its
 * own. So that it begins with nothing, what is below is cleared first. */
__attribute__((noinline)) static void clear_stack(void)
{
    unsigned char below[STACK];
    memset(below, 0, sizeof below);
    __asm__ volatile("" : : "r"(below) : "memory"); /* the compiler must not leave it out */
}

static void compare(const unsigned char *in, size_t n, const char *what)
{
    static unsigned char out[MOST];
    size_t length = lzf_length(&table, in, n);
    clear_stack();
    size_t made = lzf_compress(in, (unsigned)n, out, (unsigned)n);
    if (made)
        CHECK_MSG(length == made, "%s, %zu bytes: %zu, liblzf %zu", what, n, length, made);
    else
        CHECK_MSG(n == 0 || length + 5 > n, "%s, %zu bytes: %zu, liblzf gives up", what, n, length);
}

static void test_short(void)
{
    unsigned char in[64];
    for (unsigned period = 1; period <= 5; period++)
        for (size_t n = 0; n <= sizeof in; n++) {
            for (size_t i = 0; i < n; i++)
                in[i] = (unsigned char)(i % period);
            compare(in, n, "periodic");
        }
}

/* Words of a few letters, so that there are copies of all lengths and distances, and stretches without any. */
static void test_texts(void)
{
    static unsigned char in[MOST];
    unsigned long long seed = 7;
    for (int round = 0; round < 1500; round++) {
        size_t n = round % 60 == 0 ? MOST : check_random(&seed) % 3000, i = 0;
        unsigned letters = 1 + (unsigned)(check_random(&seed) % 60);
        while (i < n) {
            size_t len = 1 + check_random(&seed) % 400, back = 1 + check_random(&seed) % 9000;
            bool again = back <= i && check_random(&seed) % 3;
            for (; len > 0 && i < n; len--, i++)
                in[i] = (unsigned char)(again ? in[i - back] : check_random(&seed) % letters);
        }
        compare(in, n, "text");
    }
}

/* Where copies end at the end of the input: every rest behind the longest common part. */
static void test_ends(void)
{
    unsigned char in[700];
    for (size_t copy = 3; copy < 300; copy++)
        for (size_t rest = 0; rest < 6; rest++) {
            for (size_t i = 0; i <= copy; i++)
                in[i] = (unsigned char)(i * 37 + i / 7);
            memcpy(in + copy + 1, in + 1, copy);
            memset(in + 2 * copy + 1, 0xee, rest);
            compare(in, 2 * copy + 1 + rest, "end");
        }
}

/* Positions of earlier calls are not those of this one, also after the base has run over. */
static void test_base(void)
{
    static const unsigned char in[] = "abcabcabcabc-abcdabcdabcd-abcabcabcabc";
    static struct lzf_table t;
    size_t first = lzf_length(&t, in, sizeof in);
    for (int i = 0; i < 100; i++)
        CHECK(lzf_length(&t, in, sizeof in) == first);
    t.base = UINT32_MAX - 50;
    for (int i = 0; i < 3; i++)
        CHECK(lzf_length(&t, in, sizeof in) == first);
}

int main(void)
{
    test_short();
    test_texts();
    test_ends();
    test_base();
    return check_result();
}
