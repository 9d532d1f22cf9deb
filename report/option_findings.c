/*
 * option_findings.c - the options that say what to look for over all keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/option_values.h"

/* ---------------------------------------------------------------- groups */

bool set_separator(struct options *o, const char *value, char err[OPTION_ERROR])
{
    if (strlen(value) != 1)
        return complain(err, "separator", value, "one byte");
    return splitter_add(&o->findings.splitter, value[0]) ||
           complain(err, "separator", value, "possible: a letter or digit, or the ninth");
}

bool set_depth(struct options *o, const char *value, char err[OPTION_ERROR])
{
    uint64_t v;
    if (!read_count(value, SEGMENTS_MAX, &v) || v == 0)
        return complain(err, "depth", value, "a number from 1 to 16");
    o->findings.splitter.depth = (unsigned)v;
    return true;
}

bool set_groups(struct options *o, const char *value, char err[OPTION_ERROR])
{
    uint64_t v;
    if (!read_count(value, GROUPS_NODES, &v))
        return complain(err, "groups", value, "a number from 0 to 16384");
    o->findings.group_rows = (size_t)v;
    return true;
}

bool set_group(struct options *o, const char *value, char err[OPTION_ERROR])
{
    char why[REGEX_ERROR];
    if (custom_rules_add(&o->findings.custom, value, why))
        return true;
    char *shown = safe_text(value), *reason = safe_text(why);
    snprintf(err, OPTION_ERROR, "--group: '%.120s': %.200s", shown ? shown : "", reason ? reason : "");
    free(shown);
    free(reason);
    return false;
}

/* ---------------------------------------------------------------- which keys */

static bool set_filter(struct options *o, const char *option, const char *value, char err[OPTION_ERROR])
{
    char why[REGEX_ERROR];
    return filter_set(&o->findings.filter, option, value, why) || complain(err, option, value, why);
}

#define FILTER_OPTION(function, option)                                                                                \
    bool function(struct options *o, const char *value, char err[OPTION_ERROR])                                        \
    {                                                                                                                  \
        return set_filter(o, option, value, err);                                                                      \
    }

FILTER_OPTION(set_filter_db, "db")
FILTER_OPTION(set_filter_type, "type")
FILTER_OPTION(set_filter_encoding, "encoding")
FILTER_OPTION(set_filter_key, "key")
FILTER_OPTION(set_filter_regex, "regex")
FILTER_OPTION(set_filter_not_key, "not-key")
FILTER_OPTION(set_filter_min_bytes, "min-bytes")
FILTER_OPTION(set_filter_max_bytes, "max-bytes")
FILTER_OPTION(set_filter_min_elements, "min-elements")
FILTER_OPTION(set_filter_ttl, "ttl")
FILTER_OPTION(set_filter_slot, "slot")
FILTER_OPTION(set_filter_sample, "sample")

bool set_hash_names(struct options *o, const char *value, char err[OPTION_ERROR])
{
    o->findings.hash_names = true;
    if (value && *value) {
        name_key_of_secret(&o->findings.name_key, value);
        return true;
    }
    return name_key_random(&o->findings.name_key) || complain(err, "hash-names", "", "possible: no random numbers");
}

bool set_explain(struct options *o, const char *value, char err[OPTION_ERROR])
{
    (void)err;
    o->explain = value;
    return true;
}

/* ---------------------------------------------------------------- audit */

bool set_big(struct options *o, const char *value, char err[OPTION_ERROR])
{
    return big_table_set(&o->findings.audit.big, value) ||
           complain(err, "big", value, "of the form bytes=1M,elements=10000,element=256K,hash.elements=5000");
}

bool set_big_preset(struct options *o, const char *value, char err[OPTION_ERROR])
{
    return big_table_preset(&o->findings.audit.big, value) ||
           complain(err, "big-preset", value, "a preset (see --help)");
}

bool set_only_big(struct options *o, const char *value, char err[OPTION_ERROR])
{
    (void)value;
    (void)err;
    o->only_big = true;
    return true;
}

bool set_fail_on(struct options *o, const char *value, char err[OPTION_ERROR])
{
    char why[REGEX_ERROR];
    return audit_rules_add(&o->findings.audit.rules, value, why) || complain(err, "fail-on", value, why);
}

bool set_allow(struct options *o, const char *value, char err[OPTION_ERROR])
{
    char why[REGEX_ERROR];
    if (allow_list_read(&o->findings.audit.allow, value, why))
        return true;
    char *shown = safe_text(why);
    snprintf(err, OPTION_ERROR, "--allow: %.300s", shown ? shown : "");
    free(shown);
    return false;
}

bool set_fail_on_expired(struct options *o, const char *value, char err[OPTION_ERROR])
{
    (void)value;
    (void)err;
    o->findings.audit.rules.fail_on_expired = true;
    return true;
}

void options_settle_findings(struct options *o)
{
    o->findings.slots = o->slots;
    o->findings.top = o->top;
    o->findings.audit.rules.hide_names = o->findings.hash_names;
    o->findings.audit.today_s = o->now_s >= 0 ? o->now_s : (int64_t)time(NULL);
    if (o->findings.filter.sample > 1) /* which blocks share a page cannot be told from a sample */
        o->no_forecast = true;
}
