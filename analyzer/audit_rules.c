/*
 * audit_rules.c - reading --fail-on, and the options of an audit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/audit.h"
#include "analyzer/filter.h"

static const char expected[] = "big-key, used-memory>SIZE, prefix:GLOB>SIZE, no-ttl:GLOB or fragmentation>RATIO";

static bool read_bytes(const char *text, uint64_t *v)
{
    const char *end;
    return parse_size(text, v, &end) && *end == '\0';
}

/* 1.5, by hand: strtod would ask the locale. */
static bool read_ratio(const char *text, double *v)
{
    size_t whole = strspn(text, "0123456789"), part = 0;
    double unit = 1;
    if (whole == 0 || whole > 9)
        return false;
    *v = 0;
    for (size_t i = 0; i < whole; i++)
        *v = *v * 10 + (text[i] - '0');
    if (text[whole] == '.')
        for (part = 1; text[whole + part] >= '0' && text[whole + part] <= '9'; part++)
            *v += (text[whole + part] - '0') * (unit /= 10);
    return text[whole + part] == '\0' && part != 1;
}

/* GLOB>SIZE: at the last >, which a glob may hold too. */
static bool read_prefix(struct audit_rule *r, const char *text)
{
    const char *sign = strrchr(text, '>');
    if (!sign || sign == text || !read_bytes(sign + 1, &r->bytes))
        return false;
    r->glob = strndup(text, (size_t)(sign - text));
    return r->glob != NULL;
}

const char *const audit_rule_heads[] = {
    [RULE_BIG_KEY] = "big-key", [RULE_USED_MEMORY] = "used-memory>",
    [RULE_PREFIX] = "prefix:",  [RULE_FRAGMENTATION] = "fragmentation>",
    [RULE_NO_TTL] = "no-ttl:",  [RULE_NO_TTL + 1] = NULL,
};

static bool read_rule(struct audit_rule *r, const char *text)
{
    unsigned kind = 0;
    while (audit_rule_heads[kind] && strncmp(text, audit_rule_heads[kind], strlen(audit_rule_heads[kind])) != 0)
        kind++;
    if (!audit_rule_heads[kind])
        return false;
    text += strlen(audit_rule_heads[kind]);
    r->kind = (enum rule_kind)kind;
    switch (r->kind) {
    case RULE_BIG_KEY: return *text == '\0';
    case RULE_USED_MEMORY: return read_bytes(text, &r->bytes);
    case RULE_PREFIX: return read_prefix(r, text);
    case RULE_FRAGMENTATION: return read_ratio(text, &r->ratio);
    case RULE_NO_TTL: r->glob = *text ? strdup(text) : NULL; return r->glob != NULL;
    }
    return false;
}

bool audit_rules_add(struct audit_rules *r, const char *text, char err[REGEX_ERROR])
{
    struct audit_rule rule = {.text = text};
    struct audit_rule *rules;
    if (r->n == AUDIT_RULES_MAX) {
        snprintf(err, REGEX_ERROR, "possible: given too often");
        return false;
    }
    if (!read_rule(&rule, text)) {
        snprintf(err, REGEX_ERROR, "%s", expected);
        return false;
    }
    rules = realloc(r->rules, (r->n + 1) * sizeof *rules);
    if (!rules) {
        free(rule.glob);
        snprintf(err, REGEX_ERROR, "possible: out of memory");
        return false;
    }
    r->rules = rules;
    r->rules[r->n++] = rule;
    return true;
}

void audit_rules_free(struct audit_rules *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->rules[i].glob);
    free(r->rules);
    *r = (struct audit_rules){0};
}

void audit_options_init(struct audit_options *o)
{
    *o = (struct audit_options){0};
    big_table_init(&o->big);
}

void audit_options_free(struct audit_options *o)
{
    allow_list_free(&o->allow);
    audit_rules_free(&o->rules);
}
