/*
 * audit_allow.c - reading the file of exceptions.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/audit.h"
#include "analyzer/filter.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The first word of a line, quoted or not, into an allocated string; *text moves behind it. NULL: not closed, or no
 * memory. */
static char *take_glob(const char **text)
{
    const char *p = *text;
    bool quoted = *p == '"';
    char *glob = malloc(strlen(p) + 1);
    size_t n = 0;
    for (p += quoted; glob && *p && (quoted ? *p != '"' : !is_blank(*p)); p++) {
        if (quoted && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
            p++;
        glob[n++] = *p;
    }
    if (!glob || (quoted && *p != '"')) {
        free(glob);
        return NULL;
    }
    glob[n] = '\0';
    *text = p + quoted;
    return glob;
}

/* Days from 1970-01-01 (Gregorian). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2; /* the year begins in March, so that the leap day is its last */
    int64_t era = year / 400, of_era = year % 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool read_date(const char *text, size_t len, struct allow_entry *e)
{
    static const char form[] = "dddd-dd-dd";
    static const unsigned char month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (len != sizeof form - 1 || (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != '-'))
            return false;
    int64_t year = strtol(text, NULL, 10), month = strtol(text + 5, NULL, 10), day = strtol(text + 8, NULL, 10);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > month_days[month - 1])
        return false;
    e->until_s = (days_of(year, month, day) + 1) * 86400;
    memcpy(e->until, text, len);
    e->until[len] = '\0';
    return true;
}

static bool read_condition(const char *word, size_t len, struct allow_entry *e)
{
    char text[64];
    const char *end;
    if (len >= sizeof text)
        return false;
    memcpy(text, word, len);
    text[len] = '\0';
    if (strncmp(text, "max=", 4) == 0)
        return parse_size(text + 4, &e->max_bytes, &end) && *end == '\0';
    if (strncmp(text, "until=", 6) == 0)
        return read_date(text + 6, len - 6, e);
    return false;
}

/* NULL, or what is wrong. */
static const char *read_line(struct allow_list *l, const char *text, unsigned line)
{
    struct allow_entry e = {.max_bytes = UINT64_MAX, .until_s = INT64_MAX, .line = line};
    struct allow_entry *entries;
    while (is_blank(*text))
        text++;
    if (*text == '\0' || *text == '#')
        return NULL;
    e.glob = take_glob(&text);
    entries = e.glob ? realloc(l->entries, (l->n + 1) * sizeof *entries) : NULL;
    if (!entries) {
        free(e.glob);
        return "a quote that is not closed";
    }
    l->entries = entries;
    l->entries[l->n++] = e;
    for (;;) {
        while (is_blank(*text))
            text++;
        size_t len = strcspn(text, " \t\r\n");
        if (len == 0 || *text == '#')
            return NULL;
        if (!read_condition(text, len, &l->entries[l->n - 1]))
            return "expected max=SIZE or until=YYYY-MM-DD behind the pattern";
        text += len;
    }
}

bool allow_list_read(struct allow_list *l, const char *path, char err[REGEX_ERROR])
{
    FILE *f = fopen(path, "re");
    char *text = NULL;
    size_t room = 0;
    unsigned line = 0;
    const char *wrong = NULL;
    if (!f) {
        snprintf(err, REGEX_ERROR, "%.150s: %s", path, strerror(errno));
        return false;
    }
    l->path = path;
    while (!wrong && getline(&text, &room, f) >= 0)
        wrong = read_line(l, text, ++line);
    if (!wrong && ferror(f))
        wrong = "cannot be read";
    if (wrong)
        snprintf(err, REGEX_ERROR, "%.150s:%u: %s", path, line, wrong);
    free(text);
    fclose(f);
    return !wrong;
}

void allow_list_free(struct allow_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->entries[i].glob);
    free(l->entries);
    *l = (struct allow_list){0};
}
