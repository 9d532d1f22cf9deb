/*
 * json_found.c - what was found over all keys, as members of the JSON document.
 */
#include "report/fields.h"
#include "report/json_parts.h"

/* ---------------------------------------------------------------- groups */

static void add_group_sums(cJSON *o, const struct group_sums *s)
{
    add_u64(o, "keys", s->keys);
    add_u64(o, "size_in_bytes", s->bytes);
    add_u64(o, "average_bytes", s->keys ? (s->bytes + s->keys / 2) / s->keys : 0);
    add_u64(o, "p50_bytes", s->p50);
    add_u64(o, "p99_bytes", s->p99);
    add_u64(o, "largest_key_bytes", s->largest);
    add_u64(o, "expiring_keys", s->expiring_keys);
    add_u64(o, "expiring_bytes", s->expiring_bytes);
    cJSON *types = cJSON_AddObjectToObject(o, "types");
    for (unsigned t = 0; t < RDB_T_COUNT; t++) {
        if (s->type_keys[t] == 0)
            continue;
        cJSON *type = cJSON_AddObjectToObject(types, key_type_words[t]);
        add_u64(type, "keys", s->type_keys[t]);
        add_u64(type, "size_in_bytes", s->type_bytes[t]);
    }
}

static void add_groups(cJSON *doc, const struct group_tree *t)
{
    if (t->n == 0) {
        cJSON_AddNullToObject(doc, "groups");
        return;
    }
    cJSON *o = cJSON_AddObjectToObject(doc, "groups");
    add_string(o, "separators", t->separators);
    add_string(o, "separators_otherwise", t->fallback ? "/|.-_" : "");
    add_u64(o, "merged_while_reading", t->merged);
    cJSON *list = cJSON_AddArrayToObject(o, "prefixes");
    for (size_t i = 0; i < t->n; i++) {
        const struct group *g = &t->rows[i];
        cJSON *row = cJSON_CreateObject();
        add_bytes(row, "prefix", (const uint8_t *)g->name, g->name_len);
        add_u64(row, "depth", g->depth);
        cJSON_AddBoolToObject(row, "other", g->other);
        cJSON_AddBoolToObject(row, "leaf", g->leaf);
        add_u64(row, "folded_prefixes", g->folded);
        add_u64(row, "missing_at_most_bytes", g->missing_at_most);
        add_group_sums(row, &g->sums);
        cJSON_AddItemToArray(list, row);
    }
}

static void add_custom(cJSON *doc, const struct findings_report *r)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "groups_custom");
    for (size_t i = 0; i < r->ncustom; i++) {
        const struct custom_group *g = &r->custom[i];
        cJSON *row = cJSON_CreateObject();
        add_string(row, "group", g->name);
        add_string(row, "pattern", g->pattern);
        add_u64(row, "gave_up_keys", g->gave_up);
        add_group_sums(row, &g->sums);
        cJSON_AddItemToArray(list, row);
    }
}

/* ---------------------------------------------------------------- distributions */

static void add_distribution(cJSON *o, const struct distribution *d)
{
    if (!d->seen) {
        cJSON_AddNullToObject(o, d->name);
        return;
    }
    cJSON *list = cJSON_AddArrayToObject(o, d->name);
    for (unsigned i = 0; i < d->n; i++) {
        cJSON *row = cJSON_CreateObject();
        if (d->rows[i].name)
            add_string(row, "name", d->rows[i].name);
        else if (d->rows[i].upto == UINT64_MAX)
            cJSON_AddNullToObject(row, "upto");
        else
            add_u64(row, "upto", d->rows[i].upto);
        add_u64(row, "keys", d->rows[i].keys);
        add_u64(row, "size_in_bytes", d->rows[i].bytes);
        cJSON_AddItemToArray(list, row);
    }
}

static void add_percentiles(cJSON *o, const struct distributions *d)
{
    static const struct {
        const char *name;
        double p;
    } points[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99_9", 0.999}};
    cJSON *list = cJSON_AddObjectToObject(o, "size_percentiles");
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        add_u64(list, points[i].name, histogram_percentile(&d->sizes, points[i].p, d->largest));
    add_u64(list, "max", d->largest);
}

static void add_side(cJSON *o, const char *name, const struct threshold_side *s)
{
    cJSON *side = cJSON_AddObjectToObject(o, name);
    add_u64(side, "keys", s->keys);
    add_u64(side, "size_in_bytes", s->bytes);
    add_i64(side, "estimated_saving_bytes", s->saving);
}

static void add_thresholds(cJSON *o, const struct distributions *d)
{
    cJSON *list = cJSON_AddArrayToObject(o, "thresholds");
    for (unsigned i = 0; i < THRESHOLDS; i++) {
        const struct threshold_row *t = &d->thresholds[i];
        if (!t->known)
            continue;
        cJSON *row = cJSON_CreateObject();
        add_string(row, "setting", config_name(t->setting));
        add_i64(row, "value", t->value);
        add_u64(row, "raised_to", t->raised);
        add_side(row, "above", &t->above);
        add_side(row, "below", &t->below);
        cJSON_AddItemToArray(list, row);
    }
}

static void add_distributions(cJSON *doc, const struct distributions *d)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "distributions");
    add_percentiles(o, d);
    add_distribution(o, &d->size);
    add_distribution(o, &d->elements);
    add_distribution(o, &d->ttl);
    add_distribution(o, &d->idle);
    add_distribution(o, &d->frequency);
    add_thresholds(o, d);
}

/* ---------------------------------------------------------------- filter, slots */

static void add_filter(cJSON *doc, const struct filter_report *f)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "filter");
    cJSON_AddBoolToObject(o, "active", f->active);
    add_u64(o, "sample_one_of", f->sample);
    add_u64(o, "total_keys", f->total_keys);
    add_u64(o, "total_bytes", f->total_bytes);
    add_u64(o, "matched_keys", f->matched_keys);
    add_u64(o, "matched_bytes", f->matched_bytes);
    cJSON *list = cJSON_AddArrayToObject(o, "conditions");
    for (unsigned i = 0; i < f->nconditions; i++) {
        cJSON *c = cJSON_CreateObject();
        add_string(c, "option", f->conditions[i][0]);
        add_string(c, "value", f->conditions[i][1]);
        cJSON_AddItemToArray(list, c);
    }
}

static void add_tags(cJSON *o, const struct slots_report *s)
{
    cJSON *list = cJSON_AddArrayToObject(o, "hash_tags");
    add_u64(o, "tagged_keys", s->tagged_keys);
    add_u64(o, "tagged_bytes", s->tagged_bytes);
    for (size_t i = 1; i < s->tags.n; i++) {
        const struct group *g = &s->tags.rows[i];
        cJSON *row = cJSON_CreateObject();
        if (g->other)
            cJSON_AddNullToObject(row, "tag");
        else
            add_bytes(row, "tag", (const uint8_t *)g->name, g->name_len);
        add_u64(row, "folded_tags", g->folded);
        add_u64(row, "missing_at_most_bytes", g->missing_at_most);
        add_group_sums(row, &g->sums);
        cJSON_AddItemToArray(list, row);
    }
}

static void add_slots(cJSON *doc, const struct slots_report *s)
{
    if (!s->made) {
        cJSON_AddNullToObject(doc, "slots");
        return;
    }
    cJSON *o = cJSON_AddObjectToObject(doc, "slots");
    add_u64(o, "used", s->used);
    add_u64(o, "keys", s->keys);
    add_u64(o, "size_in_bytes", s->bytes);
    add_u64(o, "mean_bytes", s->mean_bytes);
    add_u64(o, "p50_bytes", s->p50_bytes);
    add_u64(o, "p99_bytes", s->p99_bytes);
    add_ratio(o, "skew", s->skew);
    cJSON *list = cJSON_AddArrayToObject(o, "heaviest");
    for (size_t i = 0; i < s->ntop; i++) {
        cJSON *row = cJSON_CreateObject();
        add_u64(row, "slot", s->top[i].slot);
        add_u64(row, "keys", s->top[i].keys);
        add_u64(row, "size_in_bytes", s->top[i].bytes);
        cJSON_AddItemToArray(list, row);
    }
    add_tags(o, s);
}

/* ---------------------------------------------------------------- audit */

static void add_rules(cJSON *o, const struct audit_report *r)
{
    cJSON *list = cJSON_AddArrayToObject(o, "rules");
    for (size_t i = 0; i < r->nrules; i++) {
        cJSON *row = cJSON_CreateObject();
        add_string(row, "rule", r->rules[i]);
        cJSON_AddBoolToObject(row, "broken", r->broken[i]);
        cJSON_AddItemToArray(list, row);
    }
    list = cJSON_AddArrayToObject(o, "violations");
    for (size_t i = 0; i < r->nviolations; i++) {
        cJSON *row = cJSON_CreateObject();
        add_string(row, "rule", r->rules[r->violations[i].rule]);
        add_string(row, "text", r->violations[i].text);
        cJSON_AddItemToArray(list, row);
    }
}

static void add_audit(cJSON *doc, const struct audit_report *r)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "audit");
    add_rules(o, r);
    cJSON *big = cJSON_AddObjectToObject(o, "big_keys");
    add_u64(big, "allowed", r->big_allowed);
    add_u64(big, "expired", r->big_expired);
    add_u64(big, "failing", r->big_failing);
    cJSON *list = cJSON_AddArrayToObject(o, "allow");
    for (size_t i = 0; i < r->nallows; i++) {
        const struct allow_result *a = &r->allows[i];
        cJSON *row = cJSON_CreateObject();
        add_string(row, "glob", a->glob);
        add_u64(row, "line", a->line);
        add_string(row, "until", *a->until ? a->until : NULL);
        cJSON_AddBoolToObject(row, "expired", a->expired);
        add_u64(row, "keys", a->keys);
        cJSON_AddItemToArray(list, row);
    }
}

/* ---------------------------------------------------------------- all */

void add_found(cJSON *doc, const struct analysis *a)
{
    const struct findings_report *r = a->found;
    if (!r)
        return;
    cJSON_AddBoolToObject(doc, "names_hashed", r->hashed);
    add_filter(doc, &r->filter);
    add_groups(doc, &r->groups);
    add_custom(doc, r);
    add_distributions(doc, &r->distributions);
    add_slots(doc, &r->slots);
    add_audit(doc, &r->audit);
}
