/*
 * gen.h - what the mixes of rdbgen are made of.
 *
 * Everything follows from the seed and a key's number: key i is the same whatever was written before it, so a part of
 * the keys can be written alone (to learn their size) and the counts in front of them are known beforehand.
 */
#ifndef RDBMEM_BENCH_GEN_H
#define RDBMEM_BENCH_GEN_H

#include "bench/emit.h"
#include "bench/pack.h"

#define GEN_CTIME INT64_C(2208988800) /* 2040-01-01: keys that expire are still alive on every server that loads them */

enum { GEN_NAME_MAX = 8192, GEN_CORPUS = 1 << 20 };

struct gen {
    struct emit out;
    struct pack pack;
    const struct mix *mix;
    uint64_t seed, keys, elements, value_bytes;
    int version;      /* of the RDB format */
    int digits;       /* in the numbers of key names: all names of a kind are equally long */
    unsigned id_bits; /* keys <= 2^id_bits */
    uint64_t rng;     /* state; set anew for every key */
    uint64_t index;   /* number of the current key */
    char *corpus;     /* GEN_CORPUS bytes of words, twice, so that a slice may begin anywhere */
    char name[GEN_NAME_MAX];
};

struct mix {
    const char *name, *help;
    uint64_t keys, elements, value_bytes; /* defaults; elements and value_bytes 0 = the mix does not use them */
    uint64_t memory;                      /* of a key in a server, roughly, without elements and value bytes */
    unsigned ttl_percent;                 /* of the keys expire */
    bool lzf;
    void (*key)(struct gen *g); /* writes key number g->index */
};

/* The table, ended by a row without a name. */
extern const struct mix gen_mixes[];
const struct mix *gen_find_mix(const char *name);

bool gen_open(struct gen *g, int fd);
void gen_close(struct gen *g);
/* Writes the whole file. False when a write failed (g->out.sys). */
bool gen_write(struct gen *g);
/* Sets keys (or elements, for a mix of few huge keys) so that the file becomes about so long. */
void gen_plan_size(struct gen *g, uint64_t bytes);

/* ---------------------------------------------------------------- for the mixes */

uint64_t gen_hash(uint64_t x);
bool gen_expires(const struct gen *g, uint64_t index);

/* Expiry if the key has one, type and name. */
void gen_key(struct gen *g, uint8_t type, const char *name, size_t len);

static inline uint64_t gen_random(struct gen *g)
{
    return gen_hash(g->rng += UINT64_C(0x9e3779b97f4a7c15));
}

/* lo ... hi, all alike. */
static inline uint64_t gen_between(struct gen *g, uint64_t lo, uint64_t hi)
{
    return lo + (uint64_t)((unsigned __int128)gen_random(g) * (hi - lo + 1) >> 64);
}

/* lo ... hi, most of them small: the mean is lo + (hi - lo) / 4. */
uint64_t gen_skewed(struct gen *g, uint64_t lo, uint64_t hi);

/* A number that is different for each of the keys, in no order. */
uint64_t gen_id(const struct gen *g);

/* Decimal digits of v, padded with zeros; returns the end. */
char *gen_digits(char *p, uint64_t v, int digits);

/* n letters a ... p that do not compress well; room for n + 8 bytes. */
void gen_letters(struct gen *g, char *p, size_t n);

/* n >= 8 letters that no other j < 2^32 of this key gets; room for n + 8 bytes. */
void gen_unique(struct gen *g, uint64_t j, char *p, size_t n);

/* n <= GEN_CORPUS bytes of words. */
const char *gen_words(struct gen *g, size_t n);

#endif
