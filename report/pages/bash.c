/*
 * bash.c - completion for bash, with the functions of bash-completion.
 */
#include <string.h>

#include "report/pages/pages.h"

/* "--format|-f" for a case of the option before the cursor. */
static void out_pattern(struct out *out, const struct option_row *r)
{
    out_str(out, "        --");
    out_str(out, r->name);
    if (r->letter) {
        out_str(out, " | -");
        out_char(out, r->letter);
    }
    out_str(out, ")\n");
}

static void out_word_list(struct out *out, const struct option_row *r)
{
    struct words w;
    words_of(r, &w);
    out_str(out, "            _rdbmem_words");
    for (size_t i = 0; i < w.n; i++) {
        out_char(out, ' ');
        out_quoted(out, w.of[i].text, strlen(w.of[i].text), "'\\''", NULL);
    }
    out_char(out, '\n');
}

static void out_value(struct out *out, const struct option_row *r)
{
    enum value_kind kind = value_kind(r);
    if (kind == VALUE_NONE)
        return;
    out_pattern(out, r);
    if (value_is_optional(r)) /* without = what follows is something else */
        out_str(out, "            $split || return 1\n");
    if (kind == VALUE_WORD_FILE)
        out_str(out, "            if [[ $cur == *:* ]]; then\n"
                     "                cur=${cur#*:}\n"
                     "                _filedir\n"
                     "                return 0\n"
                     "            fi\n");
    if (kind == VALUE_FILE)
        out_str(out, "            _filedir\n");
    else if (kind != VALUE_FREE)
        out_word_list(out, r);
    out_str(out, "            ;;\n");
}

static void out_names(struct out *out)
{
    FOR_OPTIONS(r)
    {
        out_str(out, "        --");
        out_str(out, r->name);
        out_str(out, r->arg && !value_is_optional(r) ? "=\n" : "\n");
        if (value_is_optional(r)) {
            out_str(out, "        --");
            out_str(out, r->name);
            out_str(out, "=\n");
        }
        if (r->letter) {
            out_str(out, "        -");
            out_char(out, r->letter);
            out_char(out, '\n');
        }
    }
}

bool page_bash(struct out *out, const char *template)
{
    (void)template;
    out_str(out,
            "# bash completion for rdbmem(1), made out of its option table\n"
            "\n"
            "# _rdbmem_words WORD...: those that go on, with no blank behind a word that does not end a value, and\n"
            "# quoted where it would redirect\n"
            "_rdbmem_words() {\n"
            "    local word\n"
            "    COMPREPLY=()\n"
            "    for word in \"$@\"; do\n"
            "        [[ $word == \"$cur\"* ]] && COMPREPLY+=(\"${word//>/\\\\>}\")\n"
            "    done\n"
            "    [[ ${COMPREPLY-} == *[=:\\>] ]] && compopt -o nospace\n"
            "    __ltrim_colon_completions \"$cur\"\n"
            "    return 0\n"
            "}\n"
            "\n"
            "# The value of the option before the cursor; fails if that takes none\n"
            "_rdbmem_value() {\n"
            "    case $prev in\n");
    FOR_OPTIONS(r)
    out_value(out, r);
    out_str(out, "        *)\n"
                 "            return 1\n"
                 "            ;;\n"
                 "    esac\n"
                 "    return 0\n"
                 "}\n"
                 "\n"
                 "_rdbmem() {\n"
                 "    local cur prev words cword split\n"
                 "    local options=(\n");
    out_names(out);
    out_str(out, "    )\n"
                 "    _init_completion -s -n : || return\n"
                 "    _rdbmem_value && return\n"
                 "    $split && return\n"
                 "    if [[ $cur == -* ]]; then\n"
                 "        _rdbmem_words \"${options[@]}\"\n"
                 "    else\n"
                 "        _filedir\n"
                 "    fi\n"
                 "} &&\n"
                 "    complete -F _rdbmem rdbmem\n");
    return true;
}
