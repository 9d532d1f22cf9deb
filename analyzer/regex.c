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
    pcre2_match_data *data;
    pcre2_match_context *context;
    uint64_t gave_up;
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
    r->data = r->code ? pcre2_match_data_create(1, NULL) : NULL;
    r->context = r->code ? pcre2_match_context_create(NULL) : NULL;
    if (!r->code || !r->data || !r->context) {
        regex_free(r);
        return NULL;
    }
    /* Where there is no compiler for this machine the interpreter does it. */
    (void)pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);
    pcre2_set_match_limit(r->context, REGEX_STEPS);
    return r;
}

void regex_free(struct regex *r)
{
    if (r == NULL)
        return;
    pcre2_match_context_free(r->context);
    pcre2_match_data_free(r->data);
    pcre2_code_free(r->code);
    free(r);
}

bool regex_matches(struct regex *r, const uint8_t *text, size_t len)
{
    int n = pcre2_match(r->code, text, len, 0, 0, r->data, r->context);
    if (n >= 0)
        return true;
    r->gave_up += n != PCRE2_ERROR_NOMATCH;
    return false;
}

uint64_t regex_gave_up(const struct regex *r)
{
    return r->gave_up;
}
