/*
 * analysis.h - the report model: what is known after a dump has been read. The only thing report/ sees.
 *
 * Plain structs, filled by analyze(), freed by analysis_free(). Sizes are bytes, times milliseconds since 1970 unless
 * the name says seconds. Figures that INFO also shows carry INFO's name.
 */
#ifndef RDBMEM_ANALYSIS_H
#define RDBMEM_ANALYSIS_H

#include "analyzer/allocator.h"
#include "analyzer/findings.h"
#include "analyzer/forecast.h"
#include "rdb/rdb.h"

/* OBJECT ENCODING's words for what the target server holds after loading. Names in encoding_name(). */
enum encoding {
    ENC_RAW,
    ENC_INT,
    ENC_EMBSTR,
    ENC_HASHTABLE,
    ENC_ZIPMAP,
    ENC_ZIPLIST,
    ENC_LISTPACK,
    ENC_LISTPACKEX,
    ENC_INTSET,
    ENC_SKIPLIST,
    ENC_LINKEDLIST,
    ENC_QUICKLIST,
    ENC_STREAM,
    ENC_MODULE,
    ENC_ARRAY,
    ENC_OTHER,
    ENC_COUNT
};
const char *encoding_name(enum encoding e);

/* ---------------------------------------------------------------- one key */

enum key_flags {
    KEY_EXPIRED = 1,     /* expiry lies before analyze_options.now_ms: a master would not load it */
    KEY_ESTIMATE = 2,    /* bytes rest on an estimate (known module) */
    KEY_LOWER_BOUND = 4, /* bytes are at least this (unknown module: serialised payload) */
    KEY_DAMAGED = 8,     /* its value was damaged; --on-error=skip-key went on */
    KEY_BIG_BYTES = 16,
    KEY_BIG_ELEMENTS = 32,
    KEY_BIG_ELEMENT = 64,
    KEY_STOCHASTIC = 128, /* bytes contain an expected value (skiplist levels, hash seeds): see variance */
    KEY_NAME_CUT = 256,   /* the name was longer than the parser lends whole */
    KEY_NOT_LOADED = 512, /* the target would not create it (empty collection, expired on a master) */
    KEY_ALLOWED = 1024,   /* big, and excepted by the allow list */
    KEY_HAS_OWN = 2048,   /* given_back and stranded are known */
    KEY_EMPTY = 4096      /* a collection without elements, which the target skips: also KEY_NOT_LOADED */
};

struct key_report {
    uint32_t db;
    /* Valid during the callback only, unless the struct is in analysis.top_*. In the callback RDB_NAME_PAD bytes from the
     * first on, and 16 behind the last, can be read. */
    const uint8_t *name;
    size_t name_len;
    uint64_t name_full_len;
    enum rdb_type type;
    enum encoding encoding;
    uint64_t bytes;    /* size_in_bytes: key, entry, expiry entry, object, value: what the allocator hands out */
    uint64_t payload;  /* bytes of the user's own data: key name, strings, elements, scores as 8 bytes */
    uint64_t rounding; /* usable - requested: internal fragmentation */
    /* Big keys whose allocator's slabs are modelled (KEY_HAS_OWN): what deleting it alone would give back to the system, as
     * whole slabs and page runs, and what it would leave free in slabs that it shares with others. */
    uint64_t given_back, stranded;
    double variance;       /* of bytes, for KEY_STOCHASTIC */
    uint64_t memory_usage; /* what MEMORY USAGE key SAMPLES 0 prints; meaningful when has_memory_usage */
    bool has_memory_usage; /* the target has the command (4.0+), and it is known what a module would say */
    uint64_t elements;     /* LLEN, SCARD, HLEN, ZCARD, XLEN; for strings the length */
    uint64_t largest;      /* longest element, field, value or member in bytes; strings: the length */
    int64_t expire_ms;     /* -1 none */
    int64_t idle_s;        /* -1 not in the file */
    int freq;              /* -1 not in the file */
    int slot;              /* hash slot 0..16383, -1 when not computed */
    uint64_t offset;       /* of the record in the RDB stream */
    uint64_t record;       /* length of the record in the file: the serialised size */
    uint32_t file;         /* which dump of several holds it (analyze_options.file), 0 where there is one */
    unsigned flags;        /* enum key_flags */
    char module[10];       /* module type name for RDB_T_MODULE and RDB_T_VECTORSET, else "" */
    int16_t module_encver; /* its encoding version; meaningful when module[0] */
    /* Not 0: keys of one dump and database with this number differ in name, expire_ms and offset alone. */
    uint64_t alike;
};

/* ---------------------------------------------------------------- sums */

struct totals {
    uint64_t keys, bytes, payload, rounding, elements, largest /* bytes of the largest key */;
    uint64_t expiring_keys, expiring_bytes;
    uint64_t record; /* serialised bytes */
};

struct cell { /* one type x encoding that occurs */
    enum rdb_type type;
    enum encoding encoding;
    struct totals t;
};

struct db_report {
    uint32_t db;
    struct totals t;                  /* the keys' own cost */
    uint64_t hint_keys, hint_expires; /* RESIZEDB, 0 when absent */
    bool has_hint;
    uint64_t main_table; /* bytes of the database's own tables: structs, bucket arrays, colliding entries */
    uint64_t expires_table;
    uint64_t main_buckets, expires_buckets;
};

struct expiry_bucket {
    const char *name;
    int64_t upto_s; /* seconds from `now`; INT64_MAX = beyond */
    uint64_t keys, bytes;
};
enum { EXPIRY_BUCKETS = 8 };

/* ---------------------------------------------------------------- the file */

struct aux_field {
    char name[32];
    char value[96];
};

struct file_report {
    const char *path;
    uint64_t file_size; /* as on disk, 0 for a pipe */
    uint64_t rdb_bytes; /* RDB bytes read */
    struct rdb_info info;
    char writer[16];  /* "redis" or "valkey", from the aux fields, else by magic */
    char version[32]; /* redis-ver / valkey-ver, "" when absent */
    int64_t ctime_s;  /* -1 when absent */
    bool has_used_mem;
    uint64_t used_mem; /* the file's own claim: never divided by */
    int bits;          /* redis-bits, 0 when absent */
    struct aux_field aux[32];
    unsigned naux;      /* stored */
    uint64_t aux_total; /* seen */
    uint64_t functions, function_bytes_source;
    uint64_t module_aux;
    uint64_t trailing;  /* bytes behind the checksum */
    bool aof_preamble;  /* aux aof-preamble: the tail is AOF commands */
    uint64_t aof_files; /* increments of the append-only file that this dump is the base of */
    uint64_t aof_bytes; /* its commands, which were not analysed: in the increments and behind the preamble */
    bool complete;
    struct rdb_error error; /* kind RDB_OK when complete */
};

/* ---------------------------------------------------------------- modules */

/* What one type of a module, saved in one encoding version, has in the dump. */
struct module_report {
    char name[10]; /* nine characters of the id; "" for all that came after too many different ones */
    int encver;
    uint64_t keys, bytes;
    uint64_t estimated_keys, estimated_bytes;
    uint64_t lower_bound_keys, lower_bound_bytes;
    uint64_t aux, aux_bytes; /* records of auxiliary data, their length in the file */
};

/* ---------------------------------------------------------------- maxmemory */

struct eviction_prefix {
    char name[56]; /* up to and with the first ':', identifiers as "*"; "": names without one */
    size_t name_len;
    bool other; /* prefixes that came after too many different ones, together */
    enum rdb_type type;
    uint64_t keys, bytes; /* evicted, by expectation where the cut falls among keys that look alike */
    uint64_t keys_before, bytes_before;
};

struct eviction_report {
    bool asked; /* maxmemory is set; else nothing here means anything */
    uint64_t maxmemory;
    const char *policy;
    uint64_t over_bytes;              /* of used_memory beyond maxmemory; 0: it fits and nothing is evicted */
    uint64_t spare_bytes;             /* the other way round */
    const char *order;                /* "idle", "freq", "ttl", "random"; NULL: noeviction */
    const char *basis;                /* a sentence: what the order rests on */
    uint64_t reach_keys, reach_bytes; /* keys that the policy may evict */
    uint64_t keys, bytes;             /* evicted */
    uint64_t keys_left;
    uint64_t short_bytes; /* still over when all within reach are gone: writes fail */
    uint64_t used_memory_after;
    bool modelled; /* the allocator's figures are known */
    uint64_t allocated_before, active_before, allocated_after, active_after;
    double frag_ratio_before, frag_ratio_after;
    struct eviction_prefix *prefixes; /* that lose most bytes */
    size_t nprefixes;
};

/* ---------------------------------------------------------------- the real allocator */

enum { REAL_DELETIONS = 4 };

struct real_step {
    int64_t horizon_s;                      /* as in forecast_row */
    double deleted_percent;                 /* by one draw; the model has the expectation */
    uint64_t allocated, active, resident;   /* measured */
    uint64_t model_allocated, model_active; /* the slab model of that library, of the same blocks */
};

struct real_bin {
    uint64_t regions, slabs;
    double model_regions, model_slabs;
};

struct real_report {
    struct real_step *steps; /* NULL: not asked for. Of a sample: times its inverse */
    unsigned nsteps, nbins;
    struct real_bin *bins; /* [nbins][nsteps]; of a sample: as they are */
    struct alloc_bin classes[ALLOC_MAX_BINS];
    char version[32];      /* of the library */
    const char *allocator; /* name of its model */
    unsigned sample;       /* 1: all keys; N: those of every N-th slot, without the server's tables */
    uint64_t keys;         /* replayed */
    bool complete;         /* false: the limit was reached before the last key */
};

struct real_options {
    uint64_t limit;                   /* most bytes to allocate */
    unsigned sample;                  /* see above */
    double deletions[REAL_DELETIONS]; /* then_delete */
    unsigned ndeletions;
};

/* ---------------------------------------------------------------- the whole */

struct ledger { /* adds up: used_memory = startup + keys + keyspace + functions + clients */
    uint64_t used_memory_startup;
    uint64_t keys;     /* sum of the keys' bytes as loaded */
    uint64_t keyspace; /* databases' tables, structs made on demand, colliding entries */
    uint64_t functions;
    uint64_t client;           /* the client that asks INFO */
    uint64_t used_memory;      /* the prediction */
    double used_memory_stderr; /* standard error from what chance decides */
    uint64_t used_memory_peak;
    uint64_t used_memory_overhead;
    uint64_t used_memory_dataset;
};

/* ---------------------------------------------------------------- the forecast */

struct forecast_bin {
    double regions, slabs;
};

enum { FORECAST_PINS = 10, FORECAST_PREFIX = 48 };

struct forecast_pin { /* free bytes in half-empty slabs that the keys of a prefix keep alive */
    char prefix[FORECAST_PREFIX];
    size_t len; /* 0: names of one part, and those of prefixes that came after too many others */
    double bytes;
};

struct forecast_row {
    int64_t horizon_s;      /* 0: after load; INT64_MAX: when every key with an expiry is gone */
    double deleted_percent; /* 0, or of the keys left after the last horizon, at random */
    struct forecast_step s;
    struct forecast_bin *bins;          /* one for each of forecast_report.nbins */
    double pinned_by_type[RDB_T_COUNT]; /* free bytes in half-empty slabs, by who keeps them alive */
    double pinned_by_server;
    struct forecast_pin pins[FORECAST_PINS]; /* most bytes first */
    size_t npins;
};

struct forecast_report {
    struct forecast_row *rows; /* NULL: not made, or not for this allocator */
    size_t n;
    struct alloc_bin bins[ALLOC_MAX_BINS];
    unsigned nbins;
    int64_t from_ms;
    bool exact_server; /* the idle figures are those of the target's version */
    struct forecast_defrag defrag;
    bool has_reclaim; /* from the file's used-mem: what a reload gives back */
    int64_t reclaim_bytes;
};

struct load_total {
    uint64_t keys, bytes;
};

struct top_list {
    struct key_report *keys;
    size_t n, cap;
};

struct analysis {
    struct file_report file;

    const char *target;         /* "redis 7.2" */
    const char *target_version; /* "7.2" */
    const char *target_family;  /* "redis" */
    const char *target_why;     /* "from the file", "nearest known to 7.1.242", "--target" */
    const char *allocator;      /* "jemalloc" */
    int64_t now_ms;             /* what "expired" is relative to */
    const char *now_why;        /* "dump's ctime", "--now", "clock" */

    struct ledger ledger;
    struct totals total; /* all keys in the file */
    struct load_total all, master, replica;
    struct totals by_type[RDB_T_COUNT];
    struct cell *cells;
    size_t ncells;
    struct db_report *dbs;
    size_t ndbs;
    uint64_t dbs_dropped; /* databases beyond the limit, folded into the last one */
    struct expiry_bucket expiry[EXPIRY_BUCKETS];
    struct top_list top_bytes, top_elements;
    struct top_list big; /* the largest of the big keys */
    uint64_t big_keys, big_by_bytes, big_by_elements, big_by_element;
    uint64_t limit_bytes, limit_elements, limit_element;
    uint64_t empty_keys; /* skipped by the target, see KEY_EMPTY */
    uint64_t damaged_keys, estimated_keys, estimated_bytes, lower_bound_keys, lower_bound_bytes;
    struct module_report *modules; /* in order of names and versions */
    size_t nmodules;
    uint64_t duplicates_unknown;
    struct eviction_report eviction;
    struct real_report real;
    uint64_t by_label[32];
    unsigned nlabels;
    const char *const *label_names; /* bytes by kind of block */
    struct forecast_report forecast;
    const struct findings_report *found; /* over all dumps of the run; the caller's, NULL: not asked for */
    char **notes;
    size_t nnotes; /* sentences a reader should see: nearest version, unknown config, newer RDB, ... */
};

/* ---------------------------------------------------------------- running */

enum load_as { LOAD_ALL, LOAD_MASTER, LOAD_REPLICA };

enum { ANALYZE_THREADS = 64 /* most */ };

struct analyze_options {
    const char *target;          /* "redis:7.2", NULL: from the file */
    const char *allocator;       /* NULL: the target's own */
    const struct config *config; /* NULL: the target's defaults (config.h) */
    unsigned top;                /* N of the lists */
    uint64_t big_bytes, big_elements, big_element;
    enum load_as load_as;
    int64_t now_ms;    /* -1: the dump's ctime, else the clock */
    unsigned threads;  /* 0 and 1: all is done in the caller's; the analysis is the same with any number, see crew.c */
    uint64_t stretch;  /* bytes of the dump that a thread takes at a time, 0: the usual number */
    bool skip_damaged; /* --on-error=skip-key */
    bool want_largest; /* a format prints len_largest_element for every key */
    bool want_slot;
    uint32_t file;            /* index of this dump among several: for key_report.file */
    int64_t horizons_s[24];   /* of the forecast, ascending seconds; INT64_MAX: when all expiries have passed */
    unsigned nhorizons;       /* 0: 1h 6h 24h 7d 30d and all */
    int64_t forecast_from_ms; /* 0: now_ms */
    double then_delete[4];    /* shares 0..1 of the keys left after the last horizon, each a step */
    unsigned nthen_delete;
    bool no_forecast;
    const struct real_options *rebuild; /* replay in the real jemalloc; NULL: no */
    struct findings *findings;          /* gets every key, chooses and marks them; the caller's, NULL: none */
    struct explain *explain;            /* only this key is read, and nothing behind it; the caller's, NULL: all keys */
    void (*on_key)(void *ctx, const struct key_report *k); /* for streamed formats; NULL: none */
    void *on_key_ctx;
    bool (*on_progress)(void *ctx, const struct rdb_info *info,
                        uint64_t keys); /* now and then; false: stop, partial report */
    void *on_progress_ctx;
};

/* Reads the whole dump. Never fails as such: what went wrong is in a->file.error and a->file.complete.
 * Returns false only for unusable options (message in err). */
bool analyze(rdb_parser *p, const char *path, const struct analyze_options *o, struct analysis *a, char err[256]);
void analysis_free(struct analysis *a);

#endif
