/*
 * hash_names.h - names made unreadable, so that a report can be shown to strangers.
 *
 * A name keeps its length, its separators and other punctuation, and the kind of each byte: digits become digits,
 * letters letters of the same case, bytes above 127 such bytes. Each word (a run of letters, digits and bytes above
 * 127; three digits in a row and more are a word of their own) is replaced by another one that depends on the whole word and
 * on the key, and on nothing else: the same word is the same everywhere, different words stay different, words of
 * hexadecimal digits stay such words and others do not become any. So prefixes (segments.h: such digits are folded), groups
 * and sizes are those of the real names.
 *
 * The key is random unless a secret is given, with which reports of different days can be compared. What stays visible
 * are lengths, kinds of bytes, and which words are equal: enough to recognise a name that is already suspected when the
 * secret can be guessed. This is no encryption for the public.
 *
 * SipHash-2-4 (Aumasson, Bernstein 2012) drives it, written from the paper: it is forty lines, and no library that is
 * linked anyway has it.
 */
#ifndef RDBMEM_HASH_NAMES_H
#define RDBMEM_HASH_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_key {
    uint64_t k[2];
};

uint64_t siphash24(const struct name_key *key, const void *data, size_t len);

/* From the system's randomness; false when there is none. */
bool name_key_random(struct name_key *key);
void name_key_of_secret(struct name_key *key, const char *secret);

/* Replaces a name in place. */
void name_hash(const struct name_key *key, uint8_t *name, size_t len);

#endif
