/*
 * segments.h - a key's name cut into the parts between separators, with identifiers folded to "*".
 *
 *     user:00123:profile                              user:  *:  profile
 *     session:550e8400-e29b-41d4-a716-446655440000    session:  *
 *     order-2024-01-15:item42                         order-*-*-*:  item42
 *
 * A part is an identifier as a whole, hence "*", when it consists of
 *   1. digits, perhaps with . - _ , + between them;
 *   2. hexadecimal digits and dashes, eight or more with a decimal digit among them (UUIDs, hashes, object ids);
 *   3. sixteen or more letters and digits that change into each other four times or oftener (tokens).
 * In any other part
 *   4. a run of digits becomes "*" when it is three digits long or longer, or has no letter on either side.
 * A part that is longer than SEGMENT_TEXT is cut there and ends in "*": it stands for everything that begins so.
 *
 * The separator is ":" unless others are given. A name without any is cut at the first of / | . - _ that it has, unless
 * it is an identifier as a whole: nothing has to be configured for names of other habits.
 */
#ifndef RDBMEM_SEGMENTS_H
#define RDBMEM_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SEGMENTS_MAX = 16, /* parts of a name that are told apart */
    SEGMENT_TEXT = 46, /* bytes of a part, without the "*" that says it was cut and without the separator */
    SEGMENT_ROOM = SEGMENT_TEXT + 2,
    SEGMENTS_DIGITS = 3, /* so many in a row are folded beside letters too */
    SEGMENTS_PAD = 16    /* bytes behind a name that may be read, whatever is in them */
};

struct splitter {
    unsigned depth;       /* parts that count, 1..SEGMENTS_MAX; what follows is left out */
    unsigned nseparators; /* at most 8 */
    char separators[8];
    bool fallback; /* cut names without a separator at / | . - _ */
    bool whole;    /* the name is one part, taken as it is */
    bool is_separator[256];
};

void splitter_init(struct splitter *s, unsigned depth);

/* The first one given replaces ":". False when there are too many, or it is a letter or digit. */
bool splitter_add(struct splitter *s, char separator);

/* A name's parts. The text of part i is text + at[i], len[i] bytes, its separator included if it has one; hash[i] is
 * that of the parts 0..i together, which never is 0. */
struct segments {
    unsigned n;
    uint64_t hash[SEGMENTS_MAX];
    uint16_t at[SEGMENTS_MAX];
    uint8_t len[SEGMENTS_MAX];
    uint8_t text[SEGMENTS_MAX * SEGMENT_ROOM + SEGMENTS_PAD];
};

/* Hash of all parts of the name together: what segments_of() has as its last one, only faster. *digits_matter: a name
 * that differs from this one in the values of digits alone may have another hash. SEGMENTS_PAD bytes behind the name
 * must be readable. */
uint64_t segments_hash(const struct splitter *s, const uint8_t *name, size_t len, bool *digits_matter);

/* Hash of the name with its digits blanked; never 0. Of a name longer than 64 bytes, a hash of its own bytes. The same
 * bytes must be readable. */
uint64_t segments_blanked(const uint8_t *name, size_t len);

void segments_of(const struct splitter *s, const uint8_t *name, size_t len, struct segments *out);

/* The normal form of one part (rules 1 to 4); returns its length, at most SEGMENT_TEXT + 1. */
size_t segment_normal(const uint8_t *part, size_t len, uint8_t out[SEGMENT_ROOM]);

#endif
