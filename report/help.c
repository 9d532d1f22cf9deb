/*
 * help.c - the help text out of the option table.
 */
#include <stdio.h>
#include <string.h>

#include "report/options.h"

enum { HELP_COLUMN = 26, HELP_WIDTH = 80 };

/* Words of text from column HELP_COLUMN on, broken before HELP_WIDTH. */
static void help_words(struct out *out, const char *text)
{
    size_t column = HELP_COLUMN;
    while (*text) {
        size_t len = strcspn(text, " ");
        if (column + 1 + len > HELP_WIDTH) {
            out_char(out, '\n');
            out_spaces(out, HELP_COLUMN);
            column = HELP_COLUMN;
        }
        if (column > HELP_COLUMN) {
            out_char(out, ' ');
            column++;
        }
        out_bytes(out, text, len);
        column += len;
        text += len + (text[len] == ' ');
    }
    out_char(out, '\n');
}

/* The left side, and blanks up to where the words begin. */
static void help_left(struct out *out, const char *left)
{
    size_t len = strlen(left);
    out_str(out, left);
    if (len + 1 > HELP_COLUMN) {
        out_char(out, '\n');
        len = 0;
    }
    out_spaces(out, HELP_COLUMN - len);
}

static void help_formats(struct out *out)
{
    char left[64];
    for (const struct report_format *f = report_formats; f->name; f++) {
        snprintf(left, sizeof left, "        %s", f->name);
        help_left(out, left);
        help_words(out, f->help);
    }
}

static void help_presets(struct out *out)
{
    char left[64];
    for (const struct big_preset *p = big_presets; p->name; p++) {
        snprintf(left, sizeof left, "        %s", p->name);
        help_left(out, left);
        help_words(out, p->text);
    }
}

static void help_row(struct out *out, const struct option_row *r)
{
    char left[128], text[256];
    char letter[8] = "   ";
    if (r->letter)
        snprintf(letter, sizeof letter, "-%c,", r->letter);
    snprintf(left, sizeof left, "  %s --%s%s%s", letter, r->name, r->arg && r->arg[0] != '[' ? "=" : "",
             r->arg ? r->arg : "");
    snprintf(text, sizeof text, "%s%s", r->help,
             r->repeatable && strcmp(r->name, "format") != 0 ? " (repeatable)" : "");
    help_left(out, left);
    help_words(out, text);
    if (strcmp(r->name, "format") == 0)
        help_formats(out);
    if (strcmp(r->name, "big-preset") == 0)
        help_presets(out);
}

void options_help(struct out *out)
{
    out_str(out, "Usage: rdbmem [OPTION]... DUMP...\n\n"
                 "Reads a Redis or Valkey dump (RDB; gzip, zstd and lz4 are unpacked; - is\n"
                 "standard input) and says what each key costs in the server's memory, and what\n"
                 "used_memory will be after loading it. Of an append-only directory the base is\n"
                 "read; of any other directory every dump in it. Several dumps are reported\n"
                 "together.\n");
    for (const struct option_row *r = option_rows; r->group || r->name; r++) {
        if (r->group) {
            out_char(out, '\n');
            out_str(out, r->group);
            out_str(out, ":\n");
        } else {
            help_row(out, r);
        }
    }
    out_str(out, "\nSizes: K, M, G are powers of 1024. Exit status: 0 done; 1 the dump cannot be\n"
                 "read, is damaged or incomplete, or the report cannot be written; 2 wrong use;\n"
                 "3 a --fail-on rule is broken.\n");
}
