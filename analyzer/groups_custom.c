/*
 * groups_custom.c - see groups_custom.h.
 */
#include "analyzer/groups_custom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- rules */

bool custom_rules_add(struct custom_rules *r, const char *text, char err[REGEX_ERROR])
{
    const char *equals = strchr(text, '=');
    struct custom_rule *rules;
    if (!equals || equals == text || !equals[1]) {
        snprintf(err, REGEX_ERROR, "not NAME=REGEX");
        return false;
    }
    if (r->n == CUSTOM_GROUPS_MAX) {
        snprintf(err, REGEX_ERROR, "more than %d groups", CUSTOM_GROUPS_MAX);
        return false;
    }
    rules = realloc(r->rules, (r->n + 1) * sizeof *rules);
    if (rules)
        r->rules = rules;
    char *name = rules ? strndup(text, (size_t)(equals - text)) : NULL;
    struct regex *regex = name ? regex_new(equals + 1, err) : NULL;
    if (!regex) {
        if (!name)
            snprintf(err, REGEX_ERROR, "out of memory");
        free(name);
        return false;
    }
    r->rules[r->n++] = (struct custom_rule){name, equals + 1, regex};
    return true;
}

void custom_rules_free(struct custom_rules *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->rules[i].name);
        regex_free(r->rules[i].regex);
    }
    free(r->rules);
    *r = (struct custom_rules){0};
}

/* ---------------------------------------------------------------- sums */

bool custom_groups_init(struct custom_groups *c, const struct custom_rules *rules)
{
    *c = (struct custom_groups){.rules = rules};
    if (!rules || rules->n == 0)
        return true;
    c->groups = calloc(rules->n + 1, sizeof *c->groups);
    c->sizes = calloc(rules->n + 1, sizeof *c->sizes);
    c->matcher = regex_matcher_new();
    if (!c->groups || !c->sizes || !c->matcher)
        return false;
    for (size_t i = 0; i < rules->n; i++) {
        c->groups[i].name = rules->rules[i].name;
        c->groups[i].pattern = rules->rules[i].pattern;
    }
    c->groups[rules->n].name = "unclassified";
    c->groups[rules->n].pattern = "";
    return true;
}

void custom_groups_free(struct custom_groups *c)
{
    free(c->groups);
    free(c->sizes);
    regex_matcher_free(c->matcher);
    *c = (struct custom_groups){0};
}

void custom_groups_add(struct custom_groups *c, const uint8_t *name, size_t len, enum rdb_type type, uint64_t bytes,
                       bool expires)
{
    size_t i = 0;
    while (i < c->rules->n && !regex_matches(c->rules->rules[i].regex, c->matcher, name, len, &c->groups[i].gave_up))
        i++;
    struct group_sums *s = &c->groups[i].sums;
    s->keys++;
    s->bytes += bytes;
    s->expiring_keys += expires;
    s->expiring_bytes += expires ? bytes : 0;
    s->largest = bytes > s->largest ? bytes : s->largest;
    s->type_keys[type]++;
    s->type_bytes[type] += bytes;
    c->sizes[i].keys[histogram_bucket(bytes)]++;
}

void custom_groups_merge(struct custom_groups *c, const struct custom_groups *from)
{
    for (size_t i = 0; c->groups && i <= c->rules->n; i++) {
        struct group_sums *s = &c->groups[i].sums;
        const struct group_sums *f = &from->groups[i].sums;
        c->groups[i].gave_up += from->groups[i].gave_up;
        s->keys += f->keys;
        s->bytes += f->bytes;
        s->expiring_keys += f->expiring_keys;
        s->expiring_bytes += f->expiring_bytes;
        s->largest = f->largest > s->largest ? f->largest : s->largest;
        for (unsigned t = 0; t < RDB_T_COUNT; t++) {
            s->type_keys[t] += f->type_keys[t];
            s->type_bytes[t] += f->type_bytes[t];
        }
        for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++)
            c->sizes[i].keys[b] += from->sizes[i].keys[b];
    }
}

static void scale_sums(struct group_sums *s, uint64_t scale)
{
    s->keys *= scale;
    s->bytes *= scale;
    s->expiring_keys *= scale;
    s->expiring_bytes *= scale;
    for (unsigned t = 0; t < RDB_T_COUNT; t++) {
        s->type_keys[t] *= scale;
        s->type_bytes[t] *= scale;
    }
}

size_t custom_groups_finish(struct custom_groups *c, uint64_t scale, struct custom_group **rows)
{
    size_t n = c->groups ? c->rules->n + 1 : 0;
    for (size_t i = 0; i < n; i++) {
        struct group_sums *s = &c->groups[i].sums;
        s->p50 = histogram_percentile(&c->sizes[i], 0.50, s->largest);
        s->p99 = histogram_percentile(&c->sizes[i], 0.99, s->largest);
        scale_sums(s, scale);
    }
    *rows = c->groups;
    c->groups = NULL;
    return n;
}
