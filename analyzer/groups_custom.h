/*
 * groups_custom.h - groups that the user names: --group NAME=REGEX. The first one that matches has the key; what none
 * matches is "unclassified", which is always the last row.
 */
#ifndef RDBMEM_GROUPS_CUSTOM_H
#define RDBMEM_GROUPS_CUSTOM_H

#include "analyzer/groups.h"
#include "analyzer/regex.h"

enum { CUSTOM_GROUPS_MAX = 256 };

/* One row of the report. */
struct custom_group {
    const char *name;    /* the user's, borrowed */
    const char *pattern; /* "" for unclassified */
    struct group_sums sums;
    uint64_t gave_up; /* names on which the pattern needed too many steps: they went on to the next group */
};

/* What is asked for: NAME=REGEX, compiled. */
struct custom_rule {
    char *name;
    const char *pattern; /* points behind the name */
    struct regex *regex;
};

struct custom_rules {
    struct custom_rule *rules;
    size_t n;
};

/* False with a message. `text` must outlive the rules. */
bool custom_rules_add(struct custom_rules *r, const char *text, char err[REGEX_ERROR]);
void custom_rules_free(struct custom_rules *r);

struct custom_groups {
    const struct custom_rules *rules;
    struct custom_group *groups; /* rules->n + 1 */
    struct histogram *sizes;     /* the same */
    struct regex_matcher *matcher;
};

bool custom_groups_init(struct custom_groups *c, const struct custom_rules *rules);
void custom_groups_free(struct custom_groups *c);
void custom_groups_add(struct custom_groups *c, const uint8_t *name, size_t len, enum rdb_type type, uint64_t bytes,
                       bool expires);

/* Same rules on both sides. */
void custom_groups_merge(struct custom_groups *c, const struct custom_groups *from);

/* Percentiles, and figures times scale; the rows move to the caller, who frees them. Their names and patterns live as
 * long as the rules. Returns how many: 0 when no group was asked for. */
size_t custom_groups_finish(struct custom_groups *c, uint64_t scale, struct custom_group **rows);

#endif
