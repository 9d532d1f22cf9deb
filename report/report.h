/*
 * report.h - how a finished analysis is shown: one table of formats.
 *
 * The life of a report
 * --------------------
 *
 *     struct sink s = {.format = report_format("csv"), .options = &options, .out = out_open("keys.csv")};
 *     s.format->begin(&s);                  // before the dump is read
 *     ... s.format->key(&s, k) ...          // for every key, in file order, if the format has one
 *     s.format->finish(&s, &analysis);      // when everything is known
 *     out_commit(s.out, &sys);
 *
 * A format is one file and a row. Several can be written in one pass, each to a sink of its own. A format computes
 * nothing but layout: what it prints stands in struct analysis (analyzer/analysis.h). Machine formats give sizes in
 * bytes under the names of INFO, whatever the locale; human units are for text and HTML.
 */
#ifndef RDBMEM_REPORT_H
#define RDBMEM_REPORT_H

#include "analyzer/analysis.h"
#include "analyzer/combine.h"
#include "report/escape.h"
#include "report/out.h"

enum { REPORT_SCHEMA_VERSION = 1, REPORT_MAX_SINKS = 16 };

struct report_options {
    enum escape escape;            /* of key names in CSV */
    unsigned width;                /* columns of a text report */
    bool color;                    /* text: ANSI colours */
    enum load_as load_as;          /* which of the three totals the ledger's keys are */
    int64_t clock_s;               /* the age of the dump is told as of now: seconds since 1970 */
    const char *metrics_namespace; /* what names of metrics begin with */
    const struct fleet *fleet;     /* several dumps: finish gets fleet->combined; NULL: one dump */
    const char *stopped; /* why reading was stopped by us ("interrupted"), NULL when it was not; set before finish */
};

struct sink {
    const struct report_format *format;
    const struct report_options *options;
    struct out *out;
    void *state;       /* the format's own, between begin and finish or drop */
    char problem[200]; /* why begin or finish failed; "": memory was out */
};

struct report_format {
    const char *name;      /* as --format takes it */
    const char *extension; /* of a file's name that means this format */
    const char *help;
    bool (*begin)(struct sink *s);                            /* NULL: nothing to do */
    void (*key)(struct sink *s, const struct key_report *k);  /* NULL: the format needs no key by itself */
    bool (*finish)(struct sink *s, const struct analysis *a); /* false: see problem. Frees state */
    void (*drop)(struct sink *s);                             /* frees state in place of finish; NULL: there is none */
    bool needs_file;                                          /* it writes out->temp itself, so out must be a file */
};

/* The table, ended by a row without a name. */
extern const struct report_format report_formats[];

/* By name (len bytes of it); NULL if there is none. */
const struct report_format *report_format(const char *name, size_t len);

/* By the end of a path's name (keys.csv); NULL if it tells nothing. */
const struct report_format *report_format_of_path(const char *path);

/* The writers that the table names. */
bool text_finish(struct sink *s, const struct analysis *a);
bool json_finish(struct sink *s, const struct analysis *a);
bool csv_begin(struct sink *s);
void csv_key(struct sink *s, const struct key_report *k);
bool ndjson_begin(struct sink *s);
void ndjson_key(struct sink *s, const struct key_report *k);
bool openmetrics_finish(struct sink *s, const struct analysis *a);
bool prometheus_finish(struct sink *s, const struct analysis *a);
bool sqlite_begin(struct sink *s);
void sqlite_key(struct sink *s, const struct key_report *k);
bool sqlite_finish(struct sink *s, const struct analysis *a);
void sqlite_drop(struct sink *s);
bool page_begin(struct sink *s);
void page_key(struct sink *s, const struct key_report *k);
bool page_finish(struct sink *s, const struct analysis *a);
void page_drop(struct sink *s);

/* ---------------------------------------------------------------- words that several formats use */

/* What used_memory holds and a dump does not: INFO's names where it has one. Ended by a row without a name. */
struct unknowable {
    const char *name, *text;
};
extern const struct unknowable report_unknowable[];

const char *report_family_name(enum rdb_family f);
const char *report_crc_name(enum rdb_crc c);

/* Writes the names of the wrappers with commas between them into out; "" when there are none. */
void report_wrap_names(unsigned wraps, char out[64]);

const char *report_load_name(enum load_as l);
const struct load_total *report_loaded(const struct analysis *a, enum load_as l);

/* Whether everything was read and nothing was damaged. */
static inline bool report_complete(const struct analysis *a, const struct report_options *o)
{
    return a->file.complete && !o->stopped;
}

#endif
