/*
 * regex.c - see regex.h.
 */
#include "analyzer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct regex {
    pcre2_code *code;
};

struct regex_matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static pcre2_code *compile(const char *pattern, char err[REGEX_ERROR])
{
    int code;
    size_t at;
    PCRE2_UCHAR why[160];
    pcre2_code *c =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
    if (c == NULL) {
        pcre2_get_error_message(code, why, sizeof why);
        snprintf(err, REGEX_ERROR, "%s at character %zu", (const char *)why, at + 1);
    }
    return c;
}

struct regex *regex_new(const char *pattern, char err[REGEX_ERROR])
{
    struct regex *r = calloc(1, sizeof *r);
    snprintf(err, REGEX_ERROR, "out of memory");
    if (r == NULL)
        return NULL;
    r->code = compile(pattern, err);
    if (!r->code) {
        regex_free(r);
        return NULL;
    }
    /* Where there is no compiler for this machine the interpreter does it. */
    (void)pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);
    return r;
}

void regex_free(struct regex *r)
{
    if (r == NULL)
        return;
    pcre2_code_free(r->code);
    free(r);
}

struct regex_matcher *regex_matcher_new(void)
{
    struct regex_matcher *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->data = pcre2_match_data_create(1, NULL);
    m->context = pcre2_match_context_create(NULL);
    if (!m->data || !m->context) {
        regex_matcher_free(m);
        return NULL;
    }
    pcre2_set_match_limit(m->context, REGEX_STEPS);
    return m;
}

void regex_matcher_free(struct regex_matcher *m)
{
    if (m == NULL)
        return;
    pcre2_match_context_free(m->context);
    pcre2_match_data_free(m->data);
    free(m);
}

bool regex_matches(const struct regex *r, struct regex_matcher *m, const uint8_t *text, size_t len, uint64_t *gave_up)
{
    int n = pcre2_match(r->code, text, len, 0, 0, m->data, m->context);
    *gave_up += n < 0 && n != PCRE2_ERROR_NOMATCH;
    return n >= 0;
}
