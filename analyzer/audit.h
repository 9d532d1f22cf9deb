/*
 * audit.h - what must not be: big keys and other rules, exceptions to them, and what to do about it.
 *
 * A key is big when it reaches any of its type's limits. A rule (--fail-on) is broken by keys while they are read or by
 * a figure of the whole; each breach is a line. Keys that had expired when the dump was made break no rule unless asked.
 */
#ifndef RDBMEM_AUDIT_H
#define RDBMEM_AUDIT_H

#include "analyzer/regex.h"
#include "rdb/rdb.h"

struct analysis;
struct key_report;

/* ---------------------------------------------------------------- what big is */

struct big_limits {
    uint64_t bytes, elements, element; /* of the key; their number; the longest one in bytes. UINT64_MAX: no limit */
};

struct big_table {
    struct big_limits of[RDB_T_COUNT];
    struct big_limits all; /* what was said for all types last */
};

/* The default: 1 MiB, 10,000 elements, an element of 256 KiB, for every type. */
void big_table_init(struct big_table *t);

/* A house rule by name. */
struct big_preset {
    const char *name, *text;
};
extern const struct big_preset big_presets[]; /* ended by a row without a name */
bool big_table_preset(struct big_table *t, const char *name);

/* "bytes=1M,elements=10000,element=256K", each also for one type: "hash.elements=5000". */
extern const char *const big_limit_heads[]; /* what stands before the numbers, ended by NULL */
bool big_table_set(struct big_table *t, const char *text);

/* The KEY_BIG_* flags of a key. */
unsigned big_flags(const struct big_table *t, const struct key_report *k);

/* What can be done about a big key, in a few words with its own figures. */
enum { ADVICE_TEXT = 128 };
void audit_advice(const struct key_report *k, char out[ADVICE_TEXT]);

/* ---------------------------------------------------------------- exceptions */

/*
 * A file of lines: GLOB [max=SIZE] [until=YYYY-MM-DD], # begins a comment; a glob with blanks in it stands in double
 * quotes (\" \\ inside). A big key that matches and is not above max is allowed up to the end of that day (UTC).
 */
struct allow_entry {
    char *glob;
    uint64_t max_bytes; /* UINT64_MAX: any */
    int64_t until_s;    /* first second when it no longer holds; INT64_MAX: always */
    char until[12];     /* as written, "" when always */
    unsigned line;
};

struct allow_list {
    const char *path; /* of the file read last, borrowed */
    struct allow_entry *entries;
    size_t n;
};

/* Adds a file's entries. False with "FILE:LINE: what". */
bool allow_list_read(struct allow_list *l, const char *path, char err[REGEX_ERROR]);
void allow_list_free(struct allow_list *l);

/* ---------------------------------------------------------------- rules */

enum { AUDIT_RULES_MAX = 64 };

enum rule_kind { RULE_BIG_KEY, RULE_USED_MEMORY, RULE_PREFIX, RULE_FRAGMENTATION, RULE_NO_TTL };
extern const char *const audit_rule_heads[]; /* what a rule of each kind begins with, ended by NULL */

struct audit_rule {
    enum rule_kind kind;
    const char *text; /* as given, borrowed */
    char *glob;       /* RULE_PREFIX, RULE_NO_TTL */
    uint64_t bytes;   /* RULE_USED_MEMORY, RULE_PREFIX: more than this */
    double ratio;     /* RULE_FRAGMENTATION */
};

struct audit_rules {
    struct audit_rule *rules;
    size_t n;
    bool fail_on_expired; /* expired keys break rules too */
    bool hide_names;      /* rules are shown without the globs in them */
};

/* big-key | used-memory>SIZE | prefix:GLOB>SIZE | no-ttl:GLOB | fragmentation>RATIO. False with what is expected. */
bool audit_rules_add(struct audit_rules *r, const char *text, char err[REGEX_ERROR]);
void audit_rules_free(struct audit_rules *r);

/* ---------------------------------------------------------------- while reading */

struct audit_options {
    struct big_table big;
    struct allow_list allow;
    struct audit_rules rules;
    int64_t today_s; /* what "until" is relative to: seconds since 1970 */
};
void audit_options_init(struct audit_options *o);
void audit_options_free(struct audit_options *o);

struct audit;
struct audit *audit_new(const struct audit_options *o); /* NULL: out of memory */
void audit_free(struct audit *a);

/* Sets KEY_BIG_* and KEY_ALLOWED and holds the key against the rules; its name is still the real one. */
void audit_key(struct audit *a, struct key_report *k);

/* After audit_key, when the name is what may be shown: keeps it where a line will need it. */
void audit_note_name(struct audit *a, const struct key_report *k);

/* Adds what was seen in a later dump; same options. */
void audit_merge(struct audit *a, const struct audit *from);

/* ---------------------------------------------------------------- what came out */

struct violation {
    size_t rule; /* index */
    char *text;  /* one sentence; key names quoted as redis-cli does */
};

struct allow_result {
    const char *glob; /* borrowed from the list; NULL: hidden */
    const char *until;
    unsigned line;
    bool expired;
    uint64_t keys; /* big keys that it would allow */
};

struct audit_report {
    char **rules; /* as given, or without their globs */
    bool *broken;
    size_t nrules;
    struct violation *violations;
    size_t nviolations;
    const struct big_table *limits;                 /* borrowed from the options */
    uint64_t big_allowed, big_expired, big_failing; /* big keys: excepted; expired, hence not counted; neither */
    struct allow_result *allows;
    size_t nallows;
};

enum { AUDIT_BIG_LINES = 100 /* big keys that get a line of their own, the largest */ };

/* parts: all dumps, figures known. Names and bytes of a sample are scaled. False: out of memory. */
bool audit_finish(struct audit *a, const struct analysis *parts, size_t nparts, uint64_t scale,
                  struct audit_report *out);
void audit_report_free(struct audit_report *r);

#endif
