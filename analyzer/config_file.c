/*
 * config_file.c - settings out of a redis.conf, or out of what CONFIG GET * printed.
 *
 * Three shapes are told apart by the first line that says something:
 *
 *     maxmemory 1gb                     redis.conf: name and value on a line
 *     maxmemory                         CONFIG GET through a pipe: a lone name, its value on the next line
 *     1) "maxmemory"                    CONFIG GET on a terminal; also 1# "maxmemory" => "0" (RESP3)
 *
 * Lines that name no setting of ours are passed over; a value of ours that cannot be read is an error with its place.
 */
#include "analyzer/config_internal.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_DEPTH = 16, LINE_MAX_BYTES = 64 * 1024 };

enum shape { SHAPE_UNKNOWN, SHAPE_CONF, SHAPE_PAIRS, SHAPE_NUMBERED };

struct source {
    struct config *c;
    const char *path;
    int depth;
    unsigned long line;
    enum shape shape;
    bool have_name; /* the name of a pair has been read, its value comes next */
    bool wanted;    /* ... and it is a setting of ours */
    enum setting pending;
    char *err;
};

static bool read_file(struct config *c, const char *path, int depth, char err[256]);

static bool fail(const struct source *s, const char *why)
{
    char text[256];
    snprintf(text, sizeof text, "%.90s:%lu: %.150s", s->path, s->line, why);
    memcpy(s->err, text, sizeof text);
    return false;
}

static bool put(struct source *s, enum setting setting, const char *value)
{
    char why[256];
    return config_put(s->c, setting, value, why) || fail(s, why);
}

/* ---------------------------------------------------------------- include */

/* A relative path means the working directory, as for the server; failing that, the directory of the file itself. */
static bool read_relative(struct source *s, const char *path, char err[256])
{
    const char *slash = strrchr(s->path, '/');
    char beside[4096];
    FILE *f = fopen(path, "r");
    if (f)
        fclose(f);
    if (f || *path == '/' || !slash)
        return read_file(s->c, path, s->depth + 1, err);
    snprintf(beside, sizeof beside, "%.*s/%s", (int)(slash - s->path), s->path, path);
    return read_file(s->c, beside, s->depth + 1, err);
}

static int glob_from(const struct source *s, const char *pattern, glob_t *g)
{
    const char *slash = strrchr(s->path, '/');
    char beside[4096];
    int rc = glob(pattern, 0, NULL, g);
    if (rc != GLOB_NOMATCH || *pattern == '/' || !slash)
        return rc;
    snprintf(beside, sizeof beside, "%.*s/%s", (int)(slash - s->path), s->path, pattern);
    return glob(beside, 0, NULL, g);
}

static bool include(struct source *s, const char *path)
{
    char err[256] = "";
    glob_t g;
    bool ok = true;
    if (s->depth >= MAX_DEPTH)
        return fail(s, "includes are nested too deeply");
    if (!strpbrk(path, "*?[")) {
        ok = read_relative(s, path, err);
    } else if (glob_from(s, path, &g) == 0) {
        for (size_t i = 0; ok && i < g.gl_pathc; i++)
            ok = read_file(s->c, g.gl_pathv[i], s->depth + 1, err);
        globfree(&g);
    }
    if (!ok)
        memcpy(s->err, err, sizeof err);
    return ok;
}

/* ---------------------------------------------------------------- lines */

static bool conf_line(struct source *s, char *line)
{
    char *words[2];
    enum setting setting;
    int n;
    if (*line == '#' || *line == '\0')
        return true;
    n = config_split(line, words, 2);
    if (n < 0)
        return fail(s, "unbalanced quotes");
    if (n == 0)
        return true;
    if (strcasecmp(words[0], "include") == 0)
        return n == 2 ? include(s, words[1]) : fail(s, "include takes one path");
    if (!config_find(words[0], strlen(words[0]), &setting))
        return true;
    return n == 2 ? put(s, setting, words[1]) : fail(s, "expected a name and one value");
}

/* A name or a value of a pair, whichever is due. */
static bool pair_item(struct source *s, const char *text)
{
    if (!s->have_name) {
        s->have_name = true;
        s->wanted = config_find(text, strlen(text), &s->pending);
        return true;
    }
    s->have_name = false;
    return !s->wanted || put(s, s->pending, text);
}

/* Behind the number and its mark, at the opening quote; NULL when the line is not of this kind. */
static char *numbered_text(char *line)
{
    char *p = line + strspn(line, " \t");
    size_t digits = strspn(p, "0123456789");
    if (digits == 0 || (p[digits] != ')' && p[digits] != '#') || p[digits + 1] != ' ')
        return NULL;
    return p + digits + 2;
}

static bool numbered_line(struct source *s, char *line)
{
    char *words[3];
    char *text = numbered_text(line);
    int n;
    if (!text)
        return true;
    n = config_split(text, words, 3);
    if (n == 1)
        return pair_item(s, words[0]);
    if (n == 3 && strcmp(words[1], "=>") == 0)
        return pair_item(s, words[0]) && pair_item(s, words[2]);
    return fail(s, n < 0 ? "unbalanced quotes" : "expected one quoted word");
}

static enum shape shape_of(char *line)
{
    if (*line == '\0' || *line == '#')
        return SHAPE_UNKNOWN;
    if (numbered_text(line))
        return SHAPE_NUMBERED;
    return strpbrk(line, " \t") ? SHAPE_CONF : SHAPE_PAIRS;
}

static bool take_line(struct source *s, char *line)
{
    if (s->shape == SHAPE_UNKNOWN && (s->shape = shape_of(line)) == SHAPE_UNKNOWN)
        return true;
    switch (s->shape) {
    case SHAPE_PAIRS: return pair_item(s, line);
    case SHAPE_NUMBERED: return numbered_line(s, line);
    default: return conf_line(s, line + strspn(line, " \t"));
    }
}

/* ---------------------------------------------------------------- files */

static bool read_lines(struct source *s, FILE *f)
{
    char *line = malloc(LINE_MAX_BYTES);
    bool ok = line != NULL || fail(s, "out of memory");
    while (ok && fgets(line, LINE_MAX_BYTES, f)) {
        size_t n = strlen(line);
        s->line++;
        if (n == LINE_MAX_BYTES - 1 && line[n - 1] != '\n')
            ok = fail(s, "line is too long");
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            line[--n] = '\0';
        ok = ok && take_line(s, line);
    }
    if (ok && ferror(f))
        ok = fail(s, strerror(errno));
    free(line);
    return ok;
}

static bool read_file(struct config *c, const char *path, int depth, char err[256])
{
    struct source s = {.c = c, .path = path, .depth = depth, .err = err};
    FILE *f = fopen(path, "r");
    bool ok;
    if (!f) {
        snprintf(err, 256, "cannot read '%.150s': %.60s", path, strerror(errno));
        return false;
    }
    ok = read_lines(&s, f);
    fclose(f);
    return ok;
}

bool config_read_file(struct config *c, const char *path, char err[256])
{
    return read_file(c, path, 0, err);
}
