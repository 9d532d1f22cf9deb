/*
 * metrics_text.h - the syntax of metrics: OpenMetrics 1.0, and Prometheus' older text format 0.0.4.
 *
 * The two differ in three things. OpenMetrics has info metrics, gauge histograms, units and an end mark; the older
 * format, which node_exporter's textfile collector and promtool read, has none of them: there an info metric is a gauge
 * named _info and a gauge histogram a histogram. Names, labels and values are the same.
 */
#ifndef RDBMEM_METRICS_TEXT_H
#define RDBMEM_METRICS_TEXT_H

#include <stdio.h>

#include "report/out.h"

enum metric_type { METRIC_GAUGE, METRIC_INFO, METRIC_GAUGE_HISTOGRAM };

struct metrics {
    struct out *out;
    const char *prefix; /* of all names, without the underscore behind it */
    bool openmetrics;   /* else the older format */
};

/* HELP, TYPE and UNIT. The name ends in the unit, which may be ""; an info's name is without _info. */
void metric_family(const struct metrics *m, const char *name, enum metric_type type, const char *unit,
                   const char *help);

/* One sample; labels as labels_add makes them, "" for none. suffix: "", "_info", "_bucket" ... */
void metric_u64(const struct metrics *m, const char *name, const char *suffix, const char *labels, uint64_t v);
void metric_i64(const struct metrics *m, const char *name, const char *suffix, const char *labels, int64_t v);
void metric_double(const struct metrics *m, const char *name, const char *suffix, const char *labels, double v);

/* Behind the last family. */
void metrics_end(const struct metrics *m);

/* Appends name="value" to labels, after a comma where it is not the first. A label must be UTF-8: what is not, and
 * control characters, stand as \xHH. */
void label_bytes(FILE *labels, const char *name, const uint8_t *value, size_t len);
void label_text(FILE *labels, const char *name, const char *value);
void label_u64(FILE *labels, const char *name, uint64_t value);

/* ---------------------------------------------------------------- rows with labels */

/* Several families have the same label sets: each is made once. Two rows whose labels read alike would be one series
 * twice, which no scraper takes: the second one is left out. */
enum { SERIES_MAX = 100 };

struct series {
    size_t n;
    struct {
        char *labels;
        const void *row;
    } of[SERIES_MAX];
};

/* Takes labels, which is allocated, over. False: there is no room. */
bool series_add(struct series *s, char *labels, const void *row);
void series_free(struct series *s);

#endif
