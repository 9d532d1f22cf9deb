/*
 * zsh.c - completion for zsh: a function for each option that takes words, then what _arguments asks for.
 */
#include <stdio.h>
#include <string.h>

#include "report/pages/pages.h"

static const char quote[] = "'\\''";

static bool has_words(const struct option_row *r)
{
    enum value_kind kind = value_kind(r);
    return kind == VALUE_WORDS || kind == VALUE_WORD_OR_FREE || kind == VALUE_WORD_FILE;
}

static void out_function_name(struct out *out, const struct option_row *r)
{
    out_str(out, "_rdbmem_");
    out_identifier(out, r->name);
}

static void out_words(struct out *out, const struct words *w, bool open)
{
    bool any = false;
    for (size_t i = 0; i < w->n; i++) {
        if (w->of[i].open != open)
            continue;
        if (!any)
            out_str(out, open ? "  compadd \"$@\" -S '' --" : "  compadd \"$@\" --");
        any = true;
        out_char(out, ' ');
        out_quoted(out, w->of[i].text, strlen(w->of[i].text), quote, NULL);
    }
    if (any)
        out_char(out, '\n');
}

static void out_described(struct out *out, const struct option_row *r, const struct words *w)
{
    out_str(out, "  local -a words=(\n");
    for (size_t i = 0; i < w->n; i++) {
        char text[sizeof w->of[i].text + sizeof w->of[i].about + 1];
        snprintf(text, sizeof text, "%s:%s", w->of[i].text, w->of[i].about);
        out_str(out, "    ");
        out_quoted(out, text, strlen(text), quote, NULL);
        out_char(out, '\n');
    }
    out_str(out, "  )\n  _describe ");
    out_str(out, r->name);
    out_str(out, " words\n");
}

static void out_function(struct out *out, const struct option_row *r)
{
    struct words w;
    words_of(r, &w);
    out_function_name(out, r);
    out_str(out, "() {\n");
    if (value_kind(r) == VALUE_WORD_FILE)
        out_str(out, "  if compset -P '*:'; then\n    _files\n    return\n  fi\n");
    if (w.n && w.of[0].about[0]) {
        out_described(out, r, &w);
    } else {
        out_words(out, &w, false);
        out_words(out, &w, true);
    }
    out_str(out, "}\n\n");
}

/* Inside a specification: what _arguments would take for its own. */
static void out_escaped(struct out *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\'') {
            out_str(out, quote);
            continue;
        }
        if (strchr("[]:\\", s[i]))
            out_char(out, '\\');
        out_char(out, s[i]);
    }
}

/* "[help]:ARGUMENT:action" */
static void out_rest(struct out *out, const struct option_row *r)
{
    out_str(out, "'[");
    out_escaped(out, r->help, short_help(r));
    out_char(out, ']');
    if (r->arg) {
        out_str(out, value_is_optional(r) ? "::" : ":");
        out_escaped(out, r->arg, strlen(r->arg));
        out_char(out, ':');
        if (value_kind(r) == VALUE_FILE)
            out_str(out, "_files");
        else if (has_words(r))
            out_function_name(out, r);
        else
            out_char(out, ' ');
    }
    out_str(out, "' \\\n");
}

static void out_specification(struct out *out, const struct option_row *r)
{
    const char *sign = !r->arg ? "" : value_is_optional(r) ? "=-" : "=";
    char letter[2] = {r->letter, '\0'};
    out_str(out, "    ");
    if (r->repeatable)
        out_str(out, "'*'");
    if (r->letter && !r->repeatable) {
        out_str(out, "'(-");
        out_str(out, letter);
        out_str(out, " --");
        out_str(out, r->name);
        out_str(out, ")'");
    }
    if (r->letter) {
        out_str(out, "{-");
        out_str(out, letter);
        out_str(out, r->arg ? "+,--" : ",--");
    } else {
        out_str(out, "--");
    }
    out_str(out, r->name);
    out_str(out, sign);
    out_str(out, r->letter ? "}" : "");
    out_rest(out, r);
}

bool page_zsh(struct out *out, const char *template)
{
    (void)template;
    out_str(out, "#compdef rdbmem\n# zsh completion for rdbmem(1), made out of its option table\n\n");
    FOR_OPTIONS(r)
    if (has_words(r))
        out_function(out, r);
    out_str(out, "_rdbmem() {\n  _arguments -s -S \\\n");
    FOR_OPTIONS(r)
    out_specification(out, r);
    out_str(out, "    '*:dump:_files'\n}\n\n_rdbmem \"$@\"\n");
    return true;
}
