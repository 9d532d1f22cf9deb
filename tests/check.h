/*
 * check.h - the whole test framework: CHECK counts, says where it failed, and goes on.
 */
#ifndef RDBMEM_TESTS_CHECK_H
#define RDBMEM_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures;

#define CHECK(cond)                                                                                                    \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            check_failures++;                                                                                          \
            if (check_failures <= 50)                                                                                  \
                fprintf(stderr, "%s:%d: %s: failed: %s\n", __FILE__, __LINE__, __func__, #cond);                       \
        }                                                                                                              \
    } while (0)

/* The same with a text that says which of many cases it was. */
#define CHECK_MSG(cond, ...)                                                                                           \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            check_failures++;                                                                                          \
            if (check_failures <= 50) {                                                                                \
                fprintf(stderr, "%s:%d: %s: failed: %s: ", __FILE__, __LINE__, __func__, #cond);                       \
                fprintf(stderr, __VA_ARGS__);                                                                          \
                fputc('\n', stderr);                                                                                   \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

/* What main returns. */
static inline int check_result(void)
{
    if (check_failures)
        fprintf(stderr, "%d checks failed\n", check_failures);
    return check_failures ? 1 : 0;
}

/* Numbers that are the same in every run (xorshift64*). */
static inline unsigned long long check_random(unsigned long long *state)
{
    unsigned long long x = *state ? *state : 88172645463325252ull;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 2685821657736338717ull;
}

#endif
