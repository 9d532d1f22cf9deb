/*
 * metrics_text.c - see metrics_text.h.
 */
#include "report/metrics_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"

/* ---------------------------------------------------------------- labels */

void label_bytes(FILE *labels, const char *name, const uint8_t *value, size_t len)
{
    uint32_t code;
    fprintf(labels, "%s%s=\"", ftell(labels) > 0 ? "," : "", name);
    for (size_t i = 0; i < len;) {
        unsigned n = utf8_decode(value + i, len - i, &code);
        if (n == 0 || (n == 1 && value[i] != '\n' && (value[i] < 0x20 || value[i] == 0x7f)))
            fprintf(labels, "\\\\x%02X", value[i]);
        else if (value[i] == '\n')
            fputs("\\n", labels);
        else if (value[i] == '"' || value[i] == '\\')
            fprintf(labels, "\\%c", value[i]);
        else
            fwrite(value + i, 1, n, labels);
        i += n ? n : 1;
    }
    fputc('"', labels);
}

void label_text(FILE *labels, const char *name, const char *value)
{
    label_bytes(labels, name, (const uint8_t *)value, strlen(value));
}

void label_u64(FILE *labels, const char *name, uint64_t value)
{
    fprintf(labels, "%s%s=\"%llu\"", ftell(labels) > 0 ? "," : "", name, (unsigned long long)value);
}

bool series_add(struct series *s, char *labels, const void *row)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->of[i].labels, labels) == 0) {
            free(labels);
            return true;
        }
    if (s->n == SERIES_MAX) {
        free(labels);
        return false;
    }
    s->of[s->n].labels = labels;
    s->of[s->n++].row = row;
    return true;
}

void series_free(struct series *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->of[i].labels);
    s->n = 0;
}

/* ---------------------------------------------------------------- families and samples */

static void put_name(const struct metrics *m, const char *name, const char *suffix)
{
    out_str(m->out, m->prefix);
    out_char(m->out, '_');
    out_str(m->out, name);
    out_str(m->out, suffix);
}

static void put_meta(const struct metrics *m, const char *what, const char *name, const char *suffix, const char *text)
{
    out_str(m->out, what);
    put_name(m, name, suffix);
    out_char(m->out, ' ');
    out_str(m->out, text);
    out_char(m->out, '\n');
}

void metric_family(const struct metrics *m, const char *name, enum metric_type type, const char *unit, const char *help)
{
    static const char *const words[][2] = {
        [METRIC_GAUGE] = {"gauge", "gauge"},
        [METRIC_INFO] = {"gauge", "info"},
        [METRIC_GAUGE_HISTOGRAM] = {"histogram", "gaugehistogram"},
    };
    const char *suffix = type == METRIC_INFO && !m->openmetrics ? "_info" : "";
    put_meta(m, "# TYPE ", name, suffix, words[type][m->openmetrics]);
    if (m->openmetrics && *unit)
        put_meta(m, "# UNIT ", name, suffix, unit);
    put_meta(m, "# HELP ", name, suffix, help);
}

static void put_sample(const struct metrics *m, const char *name, const char *suffix, const char *labels,
                       const char *value)
{
    put_name(m, name, suffix);
    if (*labels) {
        out_char(m->out, '{');
        out_str(m->out, labels);
        out_char(m->out, '}');
    }
    out_char(m->out, ' ');
    out_str(m->out, value);
    out_char(m->out, '\n');
}

void metric_u64(const struct metrics *m, const char *name, const char *suffix, const char *labels, uint64_t v)
{
    char text[24];
    *put_u64(text, v) = '\0';
    put_sample(m, name, suffix, labels, text);
}

void metric_i64(const struct metrics *m, const char *name, const char *suffix, const char *labels, int64_t v)
{
    char text[24];
    *put_i64(text, v) = '\0';
    put_sample(m, name, suffix, labels, text);
}

void metric_double(const struct metrics *m, const char *name, const char *suffix, const char *labels, double v)
{
    char text[48];
    if (!isfinite(v)) {
        put_sample(m, name, suffix, labels, "NaN");
        return;
    }
    snprintf(text, sizeof text, fabs(v) >= 1e6 ? "%.0f" : "%.6g", v);
    for (char *p = text; *p; p++) /* whatever the locale */
        *p = *p == ',' ? '.' : *p;
    put_sample(m, name, suffix, labels, text);
}

void metrics_end(const struct metrics *m)
{
    if (m->openmetrics)
        out_str(m->out, "# EOF\n");
}
