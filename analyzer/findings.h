/*
 * findings.h - what is found over all keys of one or several dumps: groups, distributions, slots, an audit; and which
 * keys are looked at (filter, sample) and by what names (hash_names.h).
 *
 * Each dump has a collector of its own, to which analyze() hands every key, so that dumps may be read beside one another.
 * They are then merged in the order of the dumps; what is found is about all of them together, and depends on that order
 * at most (groups.h: which prefixes are told apart when there are too many), not on who was read first.
 *
 *     for every dump: struct findings *f = findings_new(&options); analyze(... .findings = f ...);
 *     for the second and later ones: findings_merge(first, f); findings_free(f);
 *     struct findings_report *r = findings_finish(first, dumps, ndumps);
 *     findings_free(first); ... findings_report_free(r);       // the options outlive all
 *
 * Within analyze(), for every key: findings_samples() before its value is read, findings_take() when it is known,
 * findings_key() when the other sums have been made.
 */
#ifndef RDBMEM_FINDINGS_H
#define RDBMEM_FINDINGS_H

#include "analyzer/audit.h"
#include "analyzer/distributions.h"
#include "analyzer/filter.h"
#include "analyzer/groups.h"
#include "analyzer/groups_custom.h"
#include "analyzer/hash_names.h"
#include "analyzer/slots.h"

/* What to look for; must live as long as the collector and the report. */
struct findings_options {
    struct splitter splitter;
    size_t group_rows; /* prefixes in the report; 0: no groups */
    struct custom_rules custom;
    bool slots;   /* memory by slot although the target is no cluster */
    unsigned top; /* slots and hash tags in the report */
    struct filter filter;
    struct audit_options audit;
    bool hash_names;
    struct name_key name_key;
};

void findings_options_init(struct findings_options *o);
void findings_options_free(struct findings_options *o);

struct filter_report {
    bool active;
    uint64_t sample;                      /* 1: all keys */
    uint64_t total_keys, total_bytes;     /* as read; of a sample: scaled */
    uint64_t matched_keys, matched_bytes; /* that the report is about */
    const char *(*conditions)[2];         /* option and value, borrowed; the value is NULL where names are hidden */
    unsigned nconditions;
};

struct findings_report {
    struct group_tree groups; /* n 0: not asked for */
    struct custom_group *custom;
    size_t ncustom;
    struct distributions distributions;
    struct slots_report slots; /* made false: not asked for */
    struct filter_report filter;
    struct audit_report audit;
    bool hashed; /* names are not the real ones */
};

struct findings;

/* NULL: out of memory. */
struct findings *findings_new(const struct findings_options *o);
void findings_free(struct findings *f);

/* A dump begins. False: out of memory. */
bool findings_begin(struct findings *f, const struct profile *pf, const struct allocator *a, int64_t now_ms);

/* Whether a key belongs to the sample. One that does not is not to be read. */
bool findings_samples(const struct findings *f, const uint8_t *name, size_t len);
uint64_t findings_scale(const struct findings *f);

/* A finished key. False: the filter leaves it out. Sets the flags of big keys; where names are to be hidden, k->name
 * is another one from here on, valid until the next key. */
bool findings_take(struct findings *f, struct key_report *k);

/* How names are cut. */
const struct splitter *findings_splitter(const struct findings *f);

/* Whether nothing is asked about single keys: neither conditions nor rules, no names of our own. Then n unexpired strings
 * of one size, none of them big, can be told at once by findings_strings(), if each one's name and expiry (-1: none)
 * is told by findings_string(). tag: groups_tag(). */
bool findings_are_sums(const struct findings *f);
void findings_string(struct findings *f, const struct groups_name *name, uint32_t tag, uint64_t bytes,
                     int64_t expire_ms);
void findings_strings(struct findings *f, uint64_t bytes, bool expire, uint64_t n);

/* Strings whose names agree but for the values of digits need not be told one by one: findings_cell() finds where they are
 * counted by prefix (false: the digits may matter, or no such name was told lately), for findings_cell_strings(); n of
 * them that expire in one row are told at once by findings_ttl(), with the sum of their bytes. Cells are others when prefixes
 * have been merged, before which `call` is called (groups.h). Expiries: see moments.h. */
bool findings_cell(const struct findings *f, uint64_t blanked, uint32_t tag, uint32_t *cell);
void findings_cell_strings(struct findings *f, uint32_t cell, uint64_t bytes, uint64_t n);
void findings_ttl(struct findings *f, int64_t expire_ms, uint64_t n, uint64_t bytes);
unsigned findings_cuts(const struct findings *f, int64_t *cuts);
void findings_before_merge(struct findings *f, void (*call)(void *ctx), void *ctx);

/* A key that was taken; SEGMENTS_PAD bytes behind its name must be readable. */
void findings_key(struct findings *f, const struct key_report *k);

/* Hides a name in place where names are to be hidden (of an error's last key). */
void findings_hide(const struct findings *f, uint8_t *name, size_t len);

/* Adds all that a later dump's collector has found; same options. It may lose its slots to *f. */
void findings_merge(struct findings *f, struct findings *from);

/* NULL: out of memory. */
struct findings_report *findings_finish(struct findings *f, const struct analysis *dumps, size_t ndumps);
void findings_report_free(struct findings_report *r);

#endif
