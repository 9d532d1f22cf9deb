/*
 * segments.c - see segments.h.
 *
 * Nearly all names are shorter than 64 bytes: separators and digits of such a name are found sixteen bytes at a time
 * and kept as bits of a word, from which the parts follow without looking at a byte again. A part without digits, or of
 * digits alone, is then hashed where it stands; only what is mixed is looked at byte by byte. Other names take the long
 * way, which does the same in plain steps and is what tests/test_groups.c holds the short one against.
 */
#include "analyzer/segments.h"

#include "analyzer/blanked.h"
#include <string.h>

enum { HEX_LEAST = 8, TOKEN_LEAST = 16, TOKEN_CHANGES = 4, MASK_BYTES = 64 };

static const uint64_t hash_begin = BLANKED_BEGIN;

/* ---------------------------------------------------------------- separators */

void splitter_init(struct splitter *s, unsigned depth)
{
    memset(s, 0, sizeof *s);
    s->depth = depth < 1 ? 1 : depth > SEGMENTS_MAX ? SEGMENTS_MAX : depth;
    s->nseparators = 1;
    s->separators[0] = ':';
    s->is_separator[':'] = true;
    s->fallback = true;
}

bool splitter_add(struct splitter *s, char separator)
{
    uint8_t c = (uint8_t)separator;
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return false;
    if (s->fallback) {
        memset(s->is_separator, 0, sizeof s->is_separator);
        s->fallback = false;
        s->nseparators = 0;
    }
    if (s->is_separator[c])
        return true;
    if (s->nseparators == sizeof s->separators)
        return false;
    s->separators[s->nseparators++] = separator;
    s->is_separator[c] = true;
    return true;
}

/* ---------------------------------------------------------------- the normal form of one part */

enum byte_class { DIGIT = 1, HEX_LETTER = 2, LETTER = 4, DASH = 8, MARK = 16, OTHER = 32 };

static const uint8_t classes[256] = {
    ['0' ... '9'] = DIGIT,
    ['a' ... 'f'] = HEX_LETTER,
    ['A' ... 'F'] = HEX_LETTER,
    ['g' ... 'z'] = LETTER,
    ['G' ... 'Z'] = LETTER,
    [0x80 ... 0xff] = LETTER,
    ['-'] = DASH,
    ['.'] = MARK,
    ['_'] = MARK,
    [','] = MARK,
    ['+'] = MARK,
};

static inline unsigned class_of(uint8_t c)
{
    return classes[c] ? classes[c] : (unsigned)OTHER;
}

/* Letters and digits as bits: what a token is made of. */
enum { ALNUM = DIGIT | HEX_LETTER | LETTER };

static bool is_identifier(const uint8_t *p, size_t len)
{
    unsigned seen = 0, changes = 0, before = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned c = class_of(p[i]);
        seen |= c;
        changes += (before == DIGIT && (c & (HEX_LETTER | LETTER))) || (c == DIGIT && (before & (HEX_LETTER | LETTER)));
        before = c;
    }
    if (!(seen & DIGIT))
        return false;
    if (!(seen & ~(unsigned)(DIGIT | DASH | MARK)))
        return true;
    if (len >= HEX_LEAST && !(seen & ~(unsigned)(DIGIT | HEX_LETTER | DASH)))
        return true;
    return len >= TOKEN_LEAST && !(seen & OTHER) && changes >= TOKEN_CHANGES;
}

static size_t digits_at(const uint8_t *p, size_t len)
{
    size_t n = 0;
    while (n < len && p[n] >= '0' && p[n] <= '9')
        n++;
    return n;
}

static bool run_is_folded(const uint8_t *part, size_t len, size_t at, size_t run)
{
    if (run >= SEGMENTS_DIGITS)
        return true;
    return (at == 0 || !(class_of(part[at - 1]) & ALNUM)) && (at + run == len || !(class_of(part[at + run]) & ALNUM));
}

/* Rule 4. */
static size_t fold_runs(const uint8_t *part, size_t len, uint8_t out[SEGMENT_ROOM])
{
    size_t n = 0;
    for (size_t at = 0; at < len;) {
        size_t run = digits_at(part + at, len - at);
        bool folded = run > 0 && run_is_folded(part, len, at, run);
        size_t take = folded ? 1 : run > 0 ? run : 1;
        if (n + take > SEGMENT_TEXT) {
            out[n++] = '*';
            return n;
        }
        memcpy(out + n, folded ? (const uint8_t *)"*" : part + at, take);
        n += take;
        at += run > 0 ? run : 1;
    }
    return n;
}

size_t segment_normal(const uint8_t *part, size_t len, uint8_t out[SEGMENT_ROOM])
{
    /* a hash tag's braces stand around, not in, an identifier */
    bool open = len > 0 && part[0] == '{', close = len > (size_t)open && part[len - 1] == '}';
    size_t n = 0;
    if (!is_identifier(part + open, len - (size_t)open - (size_t)close))
        return fold_runs(part, len, out);
    if (open)
        out[n++] = '{';
    out[n++] = '*';
    if (close)
        out[n++] = '}';
    return n;
}

/* ---------------------------------------------------------------- hashing */

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t low_bytes(uint64_t v, size_t n) /* n: 0..8 */
{
    return n >= 8 ? v : v & ((UINT64_C(1) << (8 * n)) - 1);
}

/* The hash of a path to which a part is added. 16 bytes at p can be read beyond len. */
static inline uint64_t hash_part(uint64_t path, const uint8_t *p, size_t len)
{
    const uint64_t k1 = UINT64_C(0x9E3779B97F4A7C15), k2 = UINT64_C(0xD6E8FEB86659FD93),
                   k3 = UINT64_C(0xA0761D6478BD642F);
    uint64_t length = len * k3;
    for (; len > 16; p += 16, len -= 16)
        path = multiply_fold(path ^ load64(p) ^ k1, load64(p + 8) ^ k2);
    path = multiply_fold(path ^ low_bytes(load64(p), len) ^ k1,
                         low_bytes(load64(p + 8), len < 8 ? 0 : len - 8) ^ length ^ k2);
    return path | (path == 0);
}

/* ---------------------------------------------------------------- the long way */

static void add_part(struct segments *out, const uint8_t *part, size_t len, int separator, bool as_it_is)
{
    unsigned i = out->n++;
    unsigned at = i ? out->at[i - 1] + out->len[i - 1] : 0U;
    uint8_t *text = out->text + at;
    size_t n;
    if (as_it_is) {
        n = len <= SEGMENT_TEXT ? len : SEGMENT_TEXT;
        memcpy(text, part, n);
        if (n < len)
            text[n++] = '*';
    } else {
        n = segment_normal(part, len, text);
    }
    if (separator >= 0)
        text[n++] = (uint8_t)separator;
    out->at[i] = (uint16_t)at;
    out->len[i] = (uint8_t)n;
    out->hash[i] = hash_part(i ? out->hash[i - 1] : hash_begin, text, n);
}

static size_t next_separator(const struct splitter *s, const uint8_t *name, size_t len, int only)
{
    size_t i = 0;
    while (i < len && (only >= 0 ? name[i] != only : !s->is_separator[name[i]]))
        i++;
    return i;
}

/* The separator of a name that has none of the usual ones; -1: it is one part. */
static int fallback_separator(const uint8_t *name, size_t len)
{
    static const char order[] = "/|.-_";
    for (const char *c = order; *c; c++)
        if (memchr(name, *c, len))
            return is_identifier(name, len) ? -1 : *c;
    return -1;
}

void segments_of(const struct splitter *s, const uint8_t *name, size_t len, struct segments *out)
{
    int only = -1;
    out->n = 0;
    if (s->whole) {
        add_part(out, name, len, -1, true);
        return;
    }
    if (s->fallback && next_separator(s, name, len, -1) == len)
        only = fallback_separator(name, len);
    for (size_t at = 0;;) {
        size_t n = next_separator(s, name + at, len - at, only);
        bool last = at + n == len;
        add_part(out, name + at, n, last ? -1 : name[at + n], false);
        if (last || out->n >= s->depth)
            return;
        at += n + 1;
    }
}

static uint64_t hash_long(const struct splitter *s, const uint8_t *name, size_t len, bool *digits_matter)
{
    struct segments all = {0};
    segments_of(s, name, len, &all);
    *digits_matter = true;
    return all.hash[all.n - 1];
}

/* ---------------------------------------------------------------- the short way */

struct masks {
    uint64_t separators, digits;
};

static inline uint64_t below(size_t n) /* n low bits; n: 0..64 */
{
    return n >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1;
}

#ifdef __SSE2__
static inline struct masks find_masks(const struct splitter *s, const uint8_t *name, size_t len)
{
    struct masks m = {0, 0};
    const __m128i zero = _mm_set1_epi8('0'), nine = _mm_set1_epi8(9), separator = _mm_set1_epi8(s->separators[0]);
    for (size_t at = 0; at < len; at += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(name + at));
        __m128i d = _mm_sub_epi8(v, zero);
        __m128i found = _mm_cmpeq_epi8(v, separator);
        for (unsigned i = 1; i < s->nseparators; i++)
            found = _mm_or_si128(found, _mm_cmpeq_epi8(v, _mm_set1_epi8(s->separators[i])));
        m.separators |= (uint64_t)(unsigned)_mm_movemask_epi8(found) << at;
        m.digits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(d, nine), d)) << at;
    }
    m.separators &= below(len);
    m.digits &= below(len);
    return m;
}
#else
static inline struct masks find_masks(const struct splitter *s, const uint8_t *name, size_t len)
{
    struct masks m = {0, 0};
    for (size_t i = 0; i < len; i++) {
        m.separators |= (uint64_t)s->is_separator[name[i]] << i;
        m.digits |= (uint64_t)(name[i] >= '0' && name[i] <= '9') << i;
    }
    return m;
}
#endif

/* A part that is neither a word nor a number. */
static __attribute__((noinline)) uint64_t hash_mixed(uint64_t path, const uint8_t *part, size_t len, bool separator,
                                                     bool *digits_matter)
{
    uint8_t text[SEGMENT_ROOM + SEGMENTS_PAD] = {0};
    size_t n = segment_normal(part, len, text);
    for (size_t i = 0; i < n; i++)
        *digits_matter |= class_of(text[i]) == DIGIT;
    if (separator)
        text[n++] = part[len];
    return hash_part(path, text, n);
}

static inline uint64_t hash_number(uint64_t path, const uint8_t *end, bool separator)
{
    uint8_t text[SEGMENTS_PAD] = {'*', separator ? *end : (uint8_t)0};
    return hash_part(path, text, 1 + (size_t)separator);
}

uint64_t segments_hash(const struct splitter *s, const uint8_t *name, size_t len, bool *digits_matter)
{
    if (len > MASK_BYTES || s->whole)
        return hash_long(s, name, len, digits_matter);
    struct masks m = find_masks(s, name, len);
    if (m.separators == 0 && s->fallback)
        return hash_long(s, name, len, digits_matter);
    uint64_t path = hash_begin;
    size_t at = 0;
    *digits_matter = false;
    for (unsigned i = 0; i < s->depth; i++) {
        uint64_t rest = at < 64 ? m.separators >> at : 0;
        size_t n = rest ? (size_t)__builtin_ctzll(rest) : len - at;
        uint64_t digits = at < 64 ? m.digits >> at & below(n) : 0;
        bool separator = rest != 0;
        if (digits == 0 && n <= SEGMENT_TEXT)
            path = hash_part(path, name + at, n + (size_t)separator);
        else if (digits == below(n))
            path = hash_number(path, name + at + n, separator);
        else
            path = hash_mixed(path, name + at, n, separator, digits_matter);
        if (!separator)
            break;
        at += n + 1;
    }
    return path;
}

uint64_t segments_blanked(const uint8_t *name, size_t len)
{
    uint8_t padded[16 + BLANKED_PAD] = {0};
    uint64_t hash;
    if (len > BLANKED_LONGEST) {
        hash = hash_part(hash_begin ^ len, name, len);
    } else if (len <= 16) {
        memcpy(padded, name, 16);
        hash = blanked_hash(padded, len);
    } else {
        hash = blanked_hash(name, len);
    }
    return hash | (hash == 0);
}
