/*
 * hash_names.c - see hash_names.h.
 *
 * A word is passed over twice, forwards and backwards. Each byte is moved within its alphabet by a distance that
 * depends on the kinds of all bytes, on the place, and on the bytes already passed. Either pass can be undone, hence
 * different words stay different; after both every byte depends on all. When a word that is not hexadecimal has become
 * so, both are done again until it is not: the step is a permutation, so this ends, and still can be undone.
 */
#include "analyzer/hash_names.h"

#include <string.h>
#include <sys/random.h>

#include "analyzer/segments.h"

/* ---------------------------------------------------------------- SipHash-2-4 */

static inline uint64_t rotate(uint64_t v, int bits)
{
    return v << bits | v >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static inline void sip_word(uint64_t v[4], uint64_t m)
{
    v[3] ^= m;
    sip_round(v);
    sip_round(v);
    v[0] ^= m;
}

uint64_t siphash24(const struct name_key *key, const void *data, size_t len)
{
    uint64_t v[4] = {key->k[0] ^ UINT64_C(0x736f6d6570736575), key->k[1] ^ UINT64_C(0x646f72616e646f6d),
                     key->k[0] ^ UINT64_C(0x6c7967656e657261), key->k[1] ^ UINT64_C(0x7465646279746573)};
    const uint8_t *p = data;
    uint64_t last = (uint64_t)len << 56;
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t m = 0;
        for (int i = 0; i < 8; i++)
            m |= (uint64_t)p[i] << (8 * i);
        sip_word(v, m);
    }
    for (size_t i = 0; i < len; i++)
        last |= (uint64_t)p[i] << (8 * i);
    sip_word(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

bool name_key_random(struct name_key *key)
{
    return getrandom(key->k, sizeof key->k, 0) == (ssize_t)sizeof key->k;
}

void name_key_of_secret(struct name_key *key, const char *secret)
{
    static const struct name_key first = {{1, 2}}, second = {{3, 4}};
    key->k[0] = siphash24(&first, secret, strlen(secret));
    key->k[1] = siphash24(&second, secret, strlen(secret));
}

/* ---------------------------------------------------------------- words */

enum { WORD_MAX = 64 /* bytes of a word that are mixed together; a longer one is taken in pieces */ };

/* Where a byte's alphabet begins and how large it is. */
struct alphabet {
    uint8_t first, size;
};

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool in_word(uint8_t c)
{
    return is_lower(c) || is_upper(c) || is_digit(c) || c >= 0x80;
}

static bool is_hexadecimal(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_digit(p[i]) && !(p[i] >= 'a' && p[i] <= 'f') && !(p[i] >= 'A' && p[i] <= 'F'))
            return false;
    return true;
}

static struct alphabet alphabet_of(uint8_t c, bool hexadecimal)
{
    if (is_digit(c))
        return (struct alphabet){'0', 10};
    if (c >= 0x80)
        return (struct alphabet){0x80, 128};
    return (struct alphabet){is_lower(c) ? 'a' : 'A', hexadecimal ? 6 : 26};
}

/* What a byte's distance depends on. */
struct context {
    uint8_t direction, place, len;
    uint8_t kinds[WORD_MAX];
    uint8_t passed[WORD_MAX];
};

static uint64_t distance(const struct name_key *key, const struct context *c, uint8_t passed)
{
    return siphash24(key, c, offsetof(struct context, passed) + passed);
}

static void pass(const struct name_key *key, uint8_t *word, size_t len, bool hexadecimal, bool backwards)
{
    struct context c;
    memset(&c, 0, sizeof c);
    c.direction = backwards;
    c.len = (uint8_t)len;
    for (size_t i = 0; i < len; i++)
        c.kinds[i] = alphabet_of(word[i], hexadecimal).first;
    for (size_t i = 0; i < len; i++) {
        uint8_t *at = &word[backwards ? len - 1 - i : i];
        struct alphabet a = alphabet_of(*at, hexadecimal);
        c.place = (uint8_t)i;
        uint64_t d = distance(key, &c, (uint8_t)i);
        c.passed[i] = *at;
        *at = (uint8_t)(a.first + ((uint64_t)(*at - a.first) + d % a.size) % a.size);
    }
}

static void hash_word(const struct name_key *key, uint8_t *word, size_t len)
{
    bool hexadecimal = is_hexadecimal(word, len);
    do {
        pass(key, word, len, hexadecimal, false);
        pass(key, word, len, hexadecimal, true);
    } while (!hexadecimal && is_hexadecimal(word, len));
}

static size_t digits_at(const uint8_t *p, size_t len)
{
    size_t n = 0;
    while (n < len && is_digit(p[n]))
        n++;
    return n;
}

/* The word that begins here, or the digits that prefixes fold, which are one of their own; 0: none does. */
static size_t word_at(const uint8_t *p, size_t len)
{
    size_t n = digits_at(p, len);
    if (n >= SEGMENTS_DIGITS)
        return n;
    while (n < len && in_word(p[n])) {
        size_t digits = digits_at(p + n, len - n);
        if (digits >= SEGMENTS_DIGITS)
            break;
        n += digits ? digits : 1;
    }
    return n;
}

void name_hash(const struct name_key *key, uint8_t *name, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t word = word_at(name + at, len - at), end = at + word;
        while (at < end) {
            size_t n = end - at < WORD_MAX ? end - at : WORD_MAX;
            hash_word(key, name + at, n);
            at += n;
        }
        at += word == 0;
    }
}
