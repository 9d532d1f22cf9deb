/*
 * words.c - see words.h.
 */
#include "report/pages/words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/allocator.h"
#include "analyzer/filter.h"
#include "analyzer/profile.h"
#include "report/escape.h"
#include "report/option_values.h"

/* ---------------------------------------------------------------- words */

static void add(struct words *w, const char *text, const char *about)
{
    size_t len = strlen(text);
    struct word *one = &w->of[w->n];
    if (w->n == WORDS_MAX || len == 0 || len >= sizeof one->text)
        return;
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->of[i].text, text) == 0)
            return;
    snprintf(one->text, sizeof one->text, "%s", text);
    snprintf(one->about, sizeof one->about, "%s", about);
    one->open = strchr("=>:", text[len - 1]) != NULL;
    w->n++;
}

static void add_list(struct words *w, const char *const *list)
{
    for (; *list; list++)
        add(w, *list, "");
}

static void add_targets(struct words *w)
{
    for (size_t i = 0; i < profile_count(); i++) {
        char text[64];
        const char *family, *version;
        profile_name(i, &family, &version);
        snprintf(text, sizeof text, "%s:%s", family, version);
        add(w, text, "");
    }
}

static void add_allocators(struct words *w)
{
    for (unsigned k = 0; k < ALLOC_KINDS; k++)
        add(w, allocator_kind_name((enum alloc_kind)k), "");
}

static void add_settings(struct words *w)
{
    for (unsigned s = 0; s < SET_COUNT; s++) {
        char text[64];
        snprintf(text, sizeof text, "%s=", config_name((enum setting)s));
        add(w, text, "");
    }
}

static void add_types(struct words *w)
{
    for (unsigned t = 0; t < RDB_T_COUNT; t++)
        add(w, rdb_type_name((enum rdb_type)t), "");
}

/* Not the stand-in for encodings without a name. */
static void add_encodings(struct words *w)
{
    for (unsigned e = 0; e < ENC_COUNT; e++)
        if (isalpha((unsigned char)encoding_name((enum encoding)e)[0]))
            add(w, encoding_name((enum encoding)e), "");
}

static void add_formats(struct words *w)
{
    for (const struct report_format *f = report_formats; f->name; f++)
        add(w, f->name, f->help);
}

static void add_presets(struct words *w)
{
    for (const struct big_preset *p = big_presets; p->name; p++)
        add(w, p->name, p->text);
}

static const char *const horizon_words[] = {"all", NULL};

/* ---------------------------------------------------------------- the options that take words */

static const struct {
    const char *option;
    enum value_kind kind;
    const char *const *list;
    void (*fill)(struct words *w);
} with_words[] = {
    {"target", VALUE_WORD_OR_FREE, NULL, add_targets},
    {"allocator", VALUE_WORDS, NULL, add_allocators},
    {"config", VALUE_WORD_OR_FREE, NULL, add_settings},
    {"load-as", VALUE_WORDS, load_as_words, NULL},
    {"on-error", VALUE_WORDS, on_error_words, NULL},
    {"type", VALUE_WORDS, NULL, add_types},
    {"encoding", VALUE_WORDS, NULL, add_encodings},
    {"ttl", VALUE_WORD_OR_FREE, filter_ttl_words, NULL},
    {"big", VALUE_WORD_OR_FREE, big_limit_heads, NULL},
    {"big-preset", VALUE_WORDS, NULL, add_presets},
    {"fail-on", VALUE_WORD_OR_FREE, audit_rule_heads, NULL},
    {"horizon", VALUE_WORD_OR_FREE, horizon_words, NULL},
    {"format", VALUE_WORD_FILE, NULL, add_formats},
    {"escape", VALUE_WORDS, escape_names, NULL},
    {"color", VALUE_WORDS, when_words, NULL},
    {"progress", VALUE_WORDS, when_words, NULL},
    {"metrics-namespace", VALUE_FREE, NULL, NULL},
};

/* Arguments that only the user knows, whatever the option. */
static const char *const free_arguments[] = {"N",  "N[-M]", "SIZE", "KEY",  "GLOB",       "PATTERN",  "UNIXTIME",
                                             "P%", "1/N",   "C",    "TIME", "NAME=REGEX", "[=SECRET]"};

static size_t row_of(const char *option)
{
    size_t i = 0;
    while (i < sizeof with_words / sizeof with_words[0] && strcmp(with_words[i].option, option) != 0)
        i++;
    return i;
}

enum value_kind value_kind(const struct option_row *r)
{
    size_t i = r->name ? row_of(r->name) : sizeof with_words / sizeof with_words[0];
    if (!r->arg)
        return VALUE_NONE;
    if (i < sizeof with_words / sizeof with_words[0])
        return with_words[i].kind;
    if (strcmp(r->arg, "FILE") == 0)
        return VALUE_FILE;
    for (i = 0; i < sizeof free_arguments / sizeof free_arguments[0]; i++)
        if (strcmp(r->arg, free_arguments[i]) == 0)
            return VALUE_FREE;
    return VALUE_UNKNOWN;
}

void words_of(const struct option_row *r, struct words *w)
{
    size_t i = r->name ? row_of(r->name) : sizeof with_words / sizeof with_words[0];
    w->n = 0;
    if (i == sizeof with_words / sizeof with_words[0])
        return;
    if (with_words[i].list)
        add_list(w, with_words[i].list);
    if (with_words[i].fill)
        with_words[i].fill(w);
}
