/*
 * fish.c - completion for fish: a function for each option that takes words, and a line for each option.
 */
#include <string.h>

#include "report/pages/pages.h"

static void out_word(struct out *out, const char *s, size_t len)
{
    out_quoted(out, s, len, "\\'", "\\\\");
}

static void out_function_name(struct out *out, const struct option_row *r)
{
    out_str(out, "__rdbmem_");
    out_identifier(out, r->name);
}

/* NAME:FILE is one word for fish: the name stays in front of the files. */
static void out_files_behind_colon(struct out *out)
{
    out_str(out, "    set -l value (commandline -ct | string replace -r -- '^(--[a-z-]+=|-[a-z])' '')\n"
                 "    if string match -q -- '*:*' \"$value\"\n"
                 "        set -l parts (string split -m 1 -- : $value)\n"
                 "        for file in (__fish_complete_path \"$parts[2]\")\n"
                 "            echo $parts[1]:$file\n"
                 "        end\n"
                 "        return\n"
                 "    end\n");
}

static void out_function(struct out *out, const struct option_row *r, const struct words *w)
{
    out_str(out, "function ");
    out_function_name(out, r);
    out_char(out, '\n');
    if (value_kind(r) == VALUE_WORD_FILE)
        out_files_behind_colon(out);
    bool described = w->of[0].about[0];
    out_str(out, described ? "    printf '%s\\t%s\\n'" : "    printf '%s\\n'");
    for (size_t i = 0; i < w->n; i++) {
        out_str(out, " \\\n        ");
        out_word(out, w->of[i].text, strlen(w->of[i].text));
        if (!described)
            continue;
        out_char(out, ' ');
        out_word(out, w->of[i].about, strlen(w->of[i].about));
    }
    out_str(out, "\nend\n");
}

static void out_option(struct out *out, const struct option_row *r)
{
    struct words w;
    enum value_kind kind = value_kind(r);
    words_of(r, &w);
    if (w.n)
        out_function(out, r, &w);
    out_str(out, "complete -c rdbmem -l ");
    out_str(out, r->name);
    if (r->letter) {
        out_str(out, " -s ");
        out_char(out, r->letter);
    }
    if (kind == VALUE_FILE)
        out_str(out, " -r -F");
    else if (r->arg)
        out_str(out, value_is_optional(r) ? " -f" : " -x");
    if (w.n) {
        out_str(out, " -a '(");
        out_function_name(out, r);
        out_str(out, ")'");
    }
    out_str(out, " -d ");
    out_word(out, r->help, short_help(r));
    out_char(out, '\n');
}

bool page_fish(struct out *out, const char *template)
{
    (void)template;
    out_str(out, "# fish completion for rdbmem(1), made out of its option table\n\n");
    FOR_OPTIONS(r)
    out_option(out, r);
    return true;
}
