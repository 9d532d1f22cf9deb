/*
 * man.c - rdbmem(1): a template, docs/rdbmem.1.in, in which lines that are @OPTIONS@ and @VERSION@ are put in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/pages/pages.h"

/* Text as roff shows it: no character a request, a hyphen or a curly quote by accident. */
static void out_roff(struct out *out, const char *s, size_t len)
{
    static const char special[] = "\\-'`^~";
    static const char *const shown[] = {"\\e", "\\-", "\\(aq", "\\(ga", "\\(ha", "\\(ti"};
    if (len && (s[0] == '.' || s[0] == '\''))
        out_str(out, "\\&");
    for (size_t i = 0; i < len; i++) {
        const char *at = strchr(special, s[i]);
        if (at)
            out_str(out, shown[at - special]);
        else
            out_char(out, s[i]);
    }
}

static void out_roff_text(struct out *out, const char *s)
{
    out_roff(out, s, strlen(s));
}

static void font(struct out *out, char which, const char *s)
{
    out_str(out, "\\f");
    out_char(out, which);
    out_roff_text(out, s);
    out_str(out, "\\fR");
}

static void out_tag(struct out *out, const struct option_row *r)
{
    char name[64];
    out_str(out, ".TP\n");
    if (r->letter) {
        snprintf(name, sizeof name, "-%c", r->letter);
        font(out, 'B', name);
        out_str(out, ", ");
    }
    snprintf(name, sizeof name, "--%s", r->name);
    font(out, 'B', name);
    if (r->arg) {
        out_str(out, value_is_optional(r) ? "" : "=");
        font(out, 'I', r->arg);
    }
    out_char(out, '\n');
}

static bool all_in(const struct words *w, const char *help)
{
    size_t i = 0;
    while (i < w->n && strstr(help, w->of[i].text))
        i++;
    return i == w->n;
}

/* Words that have something said about them are a list, others a sentence, where the help does not name them all. */
static void out_words(struct out *out, const struct words *w, const char *help)
{
    if (all_in(w, help))
        return;
    if (!w->of[0].about[0]) {
        out_str(out, "Words: ");
        for (size_t i = 0; i < w->n; i++) {
            font(out, 'B', w->of[i].text);
            out_str(out, i + 1 < w->n ? ",\n" : ".\n");
        }
        return;
    }
    out_str(out, ".RS\n");
    for (size_t i = 0; i < w->n; i++) {
        out_str(out, ".TP\n");
        font(out, 'B', w->of[i].text);
        out_char(out, '\n');
        out_roff_text(out, w->of[i].about);
        out_char(out, '\n');
    }
    out_str(out, ".RE\n");
}

static void out_option(struct out *out, const struct option_row *r)
{
    struct words w;
    size_t len = strlen(r->help);
    bool list = r->help[len - 1] == ':';
    words_of(r, &w);
    out_tag(out, r);
    out_roff(out, r->help, len);
    out_str(out, list || r->help[len - 1] == '.' ? "\n" : ".\n");
    if (r->repeatable && !list)
        out_str(out, "Can be given several times.\n");
    out_words(out, &w, r->help);
}

static void out_options(struct out *out)
{
    for (const struct option_row *r = option_rows; r->group || r->name; r++) {
        if (r->name) {
            out_option(out, r);
            continue;
        }
        out_str(out, ".SS ");
        out_roff_text(out, r->group);
        out_char(out, '\n');
    }
}

bool page_man(struct out *out, const char *template)
{
    static const char version[] = "@VERSION@";
    char line[1024];
    FILE *f = template ? fopen(template, "re") : NULL;
    if (!f) {
        perror(template ? template : "no template");
        return false;
    }
    while (fgets(line, sizeof line, f)) {
        char *at = strstr(line, version);
        if (strcmp(line, "@OPTIONS@\n") == 0) {
            out_options(out);
        } else if (at) {
            out_bytes(out, line, (size_t)(at - line));
            out_str(out, RDBMEM_VERSION);
            out_str(out, at + strlen(version));
        } else {
            out_str(out, line);
        }
    }
    bool whole = !ferror(f);
    fclose(f);
    return whole;
}
