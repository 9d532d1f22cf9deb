/*
 * words.h - what an option's value can be, for completion: asked of the tables that judge the values.
 */
#ifndef RDBMEM_WORDS_H
#define RDBMEM_WORDS_H

#include "report/options.h"

enum value_kind {
    VALUE_NONE, /* takes no value */
    VALUE_FREE, /* nothing to offer: a number, a name of the user's */
    VALUE_FILE,
    VALUE_WORDS,        /* one of some words */
    VALUE_WORD_OR_FREE, /* words, or something else */
    VALUE_WORD_FILE,    /* a word, or WORD:FILE */
    VALUE_UNKNOWN       /* words.c knows neither the option nor its argument: a fault there */
};

enum value_kind value_kind(const struct option_row *r);

struct word {
    char text[48];
    char about[160];
    bool open; /* the value goes on behind it */
};

enum { WORDS_MAX = 64 };

struct words {
    struct word of[WORDS_MAX];
    size_t n;
};

/* In the order to be shown in; none of an option that takes no words. */
void words_of(const struct option_row *r, struct words *w);

#endif
