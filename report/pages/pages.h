/*
 * pages.h - the manual page and the completions of shells, written while rdbmem is built, out of the option table.
 *
 * A page is a row in pages.c. They are no part of the program.
 */
#ifndef RDBMEM_PAGES_H
#define RDBMEM_PAGES_H

#include "report/pages/words.h"

/* False with a message on standard error. Each writes the whole file. */
bool page_man(struct out *out, const char *template);
bool page_bash(struct out *out, const char *template);
bool page_zsh(struct out *out, const char *template);
bool page_fish(struct out *out, const char *template);

/* Each row that is an option, in the table's order. */
#define FOR_OPTIONS(r)                                                                                                 \
    for (const struct option_row *r = option_rows; r->group || r->name; r++)                                           \
        if (r->name)

/* Whether the value may also be left out: only `=` brings one. */
bool value_is_optional(const struct option_row *r);

/* The first clause of an option's help: what a line of a menu has room for. Returns its length. */
size_t short_help(const struct option_row *r);

/* A name of letters, digits and _ for a shell function. */
void out_identifier(struct out *out, const char *option);

/* s between single quotes, each quote in it written as `quote`; where `backslash` is not NULL, that for a backslash. */
void out_quoted(struct out *out, const char *s, size_t len, const char *quote, const char *backslash);

#endif
