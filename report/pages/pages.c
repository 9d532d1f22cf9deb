/*
 * pages.c - which pages there are, and what they share.
 *
 *     rdbmem_pages PAGE FILE [TEMPLATE]
 */
#include "report/pages/pages.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    bool (*write)(struct out *out, const char *template);
} pages[] = {{"man", page_man}, {"bash", page_bash}, {"zsh", page_zsh}, {"fish", page_fish}};

bool value_is_optional(const struct option_row *r)
{
    return r->arg && r->arg[0] == '[';
}

size_t short_help(const struct option_row *r)
{
    size_t len = 0;
    for (int open = 0; r->help[len] && (open > 0 || r->help[len] != ';'); len++)
        open += (r->help[len] == '(') - (r->help[len] == ')');
    return r->help[len] == '\0' && len > 0 && r->help[len - 1] == ':' ? len - 1 : len;
}

void out_identifier(struct out *out, const char *option)
{
    for (; *option; option++)
        out_char(out, isalnum((unsigned char)*option) ? *option : '_');
}

void out_quoted(struct out *out, const char *s, size_t len, const char *quote, const char *backslash)
{
    out_char(out, '\'');
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\'')
            out_str(out, quote);
        else if (s[i] == '\\' && backslash)
            out_str(out, backslash);
        else
            out_char(out, s[i]);
    }
    out_char(out, '\'');
}

static bool write_page(size_t page, const char *path, const char *template)
{
    int sys = 0;
    struct out *out = out_open(path);
    if (!out) {
        perror(path);
        return false;
    }
    if (!pages[page].write(out, template)) {
        out_discard(out);
        return false;
    }
    if (out_commit(out, &sys))
        return true;
    fprintf(stderr, "%s: %s\n", path, strerror(sys));
    return false;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc >= 3 && i < sizeof pages / sizeof pages[0]; i++)
        if (strcmp(argv[1], pages[i].name) == 0)
            return write_page(i, argv[2], argc > 3 ? argv[3] : NULL) ? 0 : 1;
    fputs("usage: rdbmem_pages man|bash|zsh|fish FILE [TEMPLATE]\n", stderr);
    return 2;
}
