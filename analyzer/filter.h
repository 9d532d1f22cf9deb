/*
 * filter.h - which keys are reported. What it leaves out still counts for what the server needs (the ledger).
 *
 * Each condition is given by one option, most of them several times: --db=0 --db=3 keeps keys of either, and so with
 * types, encodings and slots. A name is kept when any of the --key and --regex patterns matches, and no --not-key does.
 * All conditions must hold.
 */
#ifndef RDBMEM_FILTER_H
#define RDBMEM_FILTER_H

#include "analyzer/glob.h"
#include "analyzer/regex.h"

struct key_report;

enum { FILTER_MAX = 32, FILTER_CONDITIONS = 128 };

enum filter_ttl { TTL_ALL, TTL_NONE, TTL_ANY, TTL_EXPIRED, TTL_RANGE };
extern const char *const filter_ttl_words[]; /* from TTL_NONE on, ended by NULL */

struct filter {
    uint32_t dbs[FILTER_MAX];
    unsigned ndbs;
    uint32_t types, encodings; /* bits; 0: all */
    const char *globs[FILTER_MAX], *not_globs[FILTER_MAX];
    unsigned nglobs, nnot_globs;
    struct regex *regexes[FILTER_MAX];
    unsigned nregexes;
    uint64_t min_bytes, max_bytes, min_elements;
    enum filter_ttl ttl;
    int64_t ttl_from_s, ttl_to_s; /* left to live: from <= left < to */
    bool has_slots;
    uint8_t slots[16384 / 8]; /* bits */
    uint64_t sample;          /* one of so many names, 1: all */

    bool active;                                  /* anything but the sample is set */
    const char *conditions[FILTER_CONDITIONS][2]; /* option and value as given, for the report */
    unsigned nconditions;
};

void filter_init(struct filter *f);
void filter_free(struct filter *f);

/* One condition: the option's name and its value, which must outlive the filter. False with a message that says what is
 * expected: "a type (string, ...)", or "possible: ..." when there are too many. */
bool filter_set(struct filter *f, const char *option, const char *value, char err[REGEX_ERROR]);

/* now_ms: what time left is relative to. The key's bytes, elements and encoding must be known. The matcher may be NULL
 * where no regex was set. */
bool filter_keeps(const struct filter *f, struct regex_matcher *m, const struct key_report *k, int64_t now_ms);

/* Whether a name belongs to the sample: the same in every dump. */
bool filter_samples(const struct filter *f, const uint8_t *name, size_t len);

/* Sizes with K, M, G, T behind them, powers of 1024; times with s, m, h, d, w, y behind them. *end is behind. */
bool parse_size(const char *text, uint64_t *v, const char **end);
bool parse_time(const char *text, int64_t *seconds, const char **end);

#endif
