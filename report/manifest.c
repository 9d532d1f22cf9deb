/*
 * manifest.c - see manifest.h.
 */
#include "report/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_MAX_BYTES = 1024, /* aof.c MANIFEST_MAX_LINE */
    FILES_MAX = 1 << 20    /* more than any server makes: a manifest is written anew at each rewrite */
};

/* ---------------------------------------------------------------- words of a line */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What stands behind a backslash in double quotes; *p on it, then behind it. */
static char escaped(const char **p)
{
    static const char letters[] = "nrtba", meant[] = "\n\r\t\b\a";
    const char *at = *p, *letter;
    if (*at == 'x' && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
        *p += 3;
        return (char)(hex_digit(at[1]) << 4 | hex_digit(at[2]));
    }
    *p += 1;
    letter = strchr(letters, *at);
    return letter ? meant[letter - letters] : *at;
}

/* A word in quotes: *p behind the first one, then behind the last. "..." knows escapes, '...' only \'. */
static bool quoted_word(const char **p, char quote, char *out)
{
    while (**p && **p != quote) {
        if (**p == '\\' && quote == '"' && (*p)[1]) {
            *p += 1;
            *out++ = escaped(p);
        } else {
            if (**p == '\\' && (*p)[1] == '\'' && quote == '\'')
                *p += 1;
            *out++ = *(*p)++;
        }
        if (out[-1] == '\0') /* a name cannot hold it */
            return false;
    }
    *out = '\0';
    if (**p != quote)
        return false;
    *p += 1;
    return **p == '\0' || strchr(" \t", **p) != NULL;
}

/* The next word at *p into out, which has room for the line. 1: there is one, 0: the line is over, -1: bad quotes. */
static int next_word(const char **p, char *out)
{
    *p += strspn(*p, " \t");
    if (**p == '\0')
        return 0;
    if (**p == '"' || **p == '\'') {
        char quote = *(*p)++;
        return quoted_word(p, quote, out) ? 1 : -1;
    }
    size_t n = strcspn(*p, " \t");
    memcpy(out, *p, n);
    out[n] = '\0';
    *p += n;
    return 1;
}

/* ---------------------------------------------------------------- one line */

struct entry {
    char name[LINE_MAX_BYTES + 1], seq[LINE_MAX_BYTES + 1], type[LINE_MAX_BYTES + 1];
};

static char *place_of(struct entry *e, const char *key)
{
    if (strcmp(key, "file") == 0)
        return e->name;
    if (strcmp(key, "seq") == 0)
        return e->seq;
    return strcmp(key, "type") == 0 ? e->type : NULL;
}

static const char *read_entry(struct entry *e, const char *line)
{
    char key[LINE_MAX_BYTES + 1], value[LINE_MAX_BYTES + 1];
    int got;
    e->name[0] = e->seq[0] = e->type[0] = '\0';
    while ((got = next_word(&line, key)) > 0) {
        char *place;
        if ((got = next_word(&line, value)) <= 0)
            break;
        place = place_of(e, key);
        if (place)
            memcpy(place, value, strlen(value) + 1);
    }
    if (got < 0)
        return "quotes that do not close";
    if (!e->name[0] || !e->seq[0] || !e->type[0])
        return "expected 'file NAME seq NUMBER type b, h or i'";
    if (strchr(e->name, '/') || strcmp(e->name, "..") == 0)
        return "a file's name with a directory in it";
    if (!strchr("bhi", e->type[0]) || e->type[1])
        return "a type that is not b, h or i";
    return NULL;
}

static const char *add_entry(struct manifest *m, const struct entry *e)
{
    struct manifest_file *grown, *f;
    char *end;
    for (size_t i = 0; i < m->n; i++)
        if (e->type[0] == MANIFEST_BASE && m->files[i].type == MANIFEST_BASE)
            return "a second base";
    if (m->n == FILES_MAX)
        return "too many files";
    if ((m->n & (m->n - 1)) == 0) { /* full at each power of two */
        grown = realloc(m->files, (m->n ? 2 * m->n : 1) * sizeof *grown);
        if (!grown)
            return "out of memory";
        m->files = grown;
    }
    f = &m->files[m->n];
    f->seq = strtoull(e->seq, &end, 10);
    if (*end || e->seq[0] == '-')
        return "a seq that is no number";
    f->type = (enum manifest_type)e->type[0];
    f->name = strdup(e->name);
    if (!f->name)
        return "out of memory";
    m->n++;
    return NULL;
}

/* ---------------------------------------------------------------- the file */

/* NULL, or what is wrong with the line that was just read into text. */
static const char *take_line(struct manifest *m, char *text, bool last)
{
    struct entry e;
    size_t len = strlen(text);
    const char *why;
    if (len == LINE_MAX_BYTES && text[len - 1] != '\n' && !last)
        return "a line of more than 1024 bytes";
    while (len > 0 && strchr(" \t\r\n", text[len - 1]))
        text[--len] = '\0';
    if (text[0] == '#' || len == 0)
        return NULL;
    why = read_entry(&e, text);
    return why ? why : add_entry(m, &e);
}

bool manifest_read(struct manifest *m, const char *path, char err[MANIFEST_ERROR])
{
    char text[LINE_MAX_BYTES + 1];
    const char *why = NULL;
    unsigned long line = 0;
    FILE *f = fopen(path, "re");
    *m = (struct manifest){NULL, 0};
    if (!f) {
        snprintf(err, MANIFEST_ERROR, "cannot open: %s", strerror(errno));
        return false;
    }
    while (!why && fgets(text, sizeof text, f)) {
        line++;
        why = take_line(m, text, feof(f) != 0);
    }
    if (why)
        snprintf(err, MANIFEST_ERROR, "line %lu of the manifest: %s", line, why);
    else if (ferror(f))
        snprintf(err, MANIFEST_ERROR, "cannot read: %s", strerror(errno));
    else if (m->n == 0)
        snprintf(err, MANIFEST_ERROR, "the manifest names no file");
    bool ok = !why && !ferror(f) && m->n > 0;
    fclose(f);
    if (!ok)
        manifest_free(m);
    return ok;
}

void manifest_free(struct manifest *m)
{
    for (size_t i = 0; i < m->n; i++)
        free(m->files[i].name);
    free(m->files);
    *m = (struct manifest){NULL, 0};
}

bool manifest_is(const char *path)
{
    static const char suffix[] = ".manifest";
    static const char *const heads[] = {"file ", "seq ", "type ", "#"};
    size_t len = strlen(path), n = sizeof suffix - 1;
    char head[8] = "";
    FILE *f;
    if (len <= n || strcmp(path + len - n, suffix) != 0)
        return false;
    f = fopen(path, "re");
    if (!f)
        return false;
    (void)!fgets(head, sizeof head, f);
    fclose(f);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (strncmp(head, heads[i], strlen(heads[i])) == 0)
            return true;
    return head[0] == '\0'; /* empty: it is one, and says so */
}
