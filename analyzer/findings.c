/*
 * findings.c - see findings.h.
 */
#include "analyzer/findings.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/analysis.h"
#include "analyzer/profile.h"

struct findings {
    const struct findings_options *o;
    struct groups *groups; /* NULL: not asked for */
    struct custom_groups custom;
    struct distributions distributions;
    struct slots *slots; /* NULL: not asked for, and no cluster so far */
    struct audit *audit;
    struct regex_matcher *matcher; /* the filter's; NULL where it has no regex */
    int64_t now_ms;
    uint64_t total_keys, total_bytes, matched_keys, matched_bytes;
    uint8_t *name; /* hidden */
    size_t name_room;
};

/* ---------------------------------------------------------------- life */

void findings_options_init(struct findings_options *o)
{
    *o = (struct findings_options){.group_rows = GROUPS_ROWS, .top = 10};
    splitter_init(&o->splitter, GROUPS_DEPTH);
    filter_init(&o->filter);
    audit_options_init(&o->audit);
}

void findings_options_free(struct findings_options *o)
{
    custom_rules_free(&o->custom);
    filter_free(&o->filter);
    audit_options_free(&o->audit);
}

struct findings *findings_new(const struct findings_options *o)
{
    struct findings *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->o = o;
    distributions_init(&f->distributions);
    bool ok = custom_groups_init(&f->custom, &o->custom) && (f->audit = audit_new(&o->audit)) != NULL;
    if (ok && o->group_rows > 0)
        ok = (f->groups = groups_new(&o->splitter)) != NULL;
    if (o->filter.nregexes > 0)
        ok = ok && (f->matcher = regex_matcher_new()) != NULL;
    if (!ok) {
        findings_free(f);
        return NULL;
    }
    return f;
}

void findings_free(struct findings *f)
{
    if (!f)
        return;
    groups_free(f->groups);
    custom_groups_free(&f->custom);
    slots_free(f->slots);
    audit_free(f->audit);
    regex_matcher_free(f->matcher);
    free(f->name);
    free(f);
}

bool findings_begin(struct findings *f, const struct profile *pf, const struct allocator *a, int64_t now_ms)
{
    f->now_ms = now_ms;
    distributions_target(&f->distributions, pf, a, now_ms);
    if (!f->slots && (f->o->slots || pf->cluster))
        return (f->slots = slots_new()) != NULL;
    return true;
}

/* ---------------------------------------------------------------- keys */

bool findings_samples(const struct findings *f, const uint8_t *name, size_t len)
{
    return filter_samples(&f->o->filter, name, len);
}

uint64_t findings_scale(const struct findings *f)
{
    return f->o->filter.sample;
}

/* When memory is out the name is shown as nothing rather than as it is. */
static void hide_name(struct findings *f, struct key_report *k)
{
    if (k->name_len + SEGMENTS_PAD > f->name_room) {
        free(f->name);
        f->name_room = 2 * (k->name_len + SEGMENTS_PAD);
        f->name = calloc(1, f->name_room);
        f->name_room = f->name ? f->name_room : 0;
    }
    if (!f->name) {
        static const uint8_t nothing[RDB_NAME_PAD];
        k->name = nothing;
        k->name_len = 0;
        return;
    }
    memcpy(f->name, k->name, k->name_len);
    name_hash(&f->o->name_key, f->name, k->name_len);
    k->name = f->name;
}

bool findings_take(struct findings *f, struct key_report *k)
{
    f->total_keys++;
    f->total_bytes += k->bytes;
    if (f->o->filter.active && !filter_keeps(&f->o->filter, f->matcher, k, f->now_ms))
        return false;
    f->matched_keys++;
    f->matched_bytes += k->bytes;
    audit_key(f->audit, k);
    if (f->o->hash_names)
        hide_name(f, k);
    return true;
}

void findings_key(struct findings *f, const struct key_report *k)
{
    bool expires = k->expire_ms >= 0;
    audit_note_name(f->audit, k);
    if (f->groups)
        groups_add(f->groups, k->name, k->name_len, groups_tag(k->type, k->bytes, expires), k->bytes);
    if (f->custom.groups)
        custom_groups_add(&f->custom, k->name, k->name_len, k->type, k->bytes, expires);
    if (f->slots && k->slot >= 0)
        slots_add(f->slots, (unsigned)k->slot, k->name, k->name_len, k->type, k->bytes, expires);
    distributions_add(&f->distributions, k);
}

const struct splitter *findings_splitter(const struct findings *f)
{
    return &f->o->splitter;
}

bool findings_are_sums(const struct findings *f)
{
    const struct filter *filter = &f->o->filter;
    return !filter->active && filter->sample <= 1 && !f->custom.groups && !f->slots && !f->o->hash_names &&
           f->o->audit.rules.n == 0;
}

void findings_string(struct findings *f, const struct groups_name *name, uint32_t tag, uint64_t bytes,
                     int64_t expire_ms)
{
    if (f->groups)
        groups_add_name(f->groups, name, tag, bytes);
    if (expire_ms >= 0)
        distributions_ttl(&f->distributions, expire_ms, false, 1, bytes);
}

void findings_strings(struct findings *f, uint64_t bytes, bool expire, uint64_t n)
{
    f->total_keys += n;
    f->matched_keys += n;
    f->total_bytes += n * bytes;
    f->matched_bytes += n * bytes;
    distributions_strings(&f->distributions, bytes, n);
    if (!expire)
        distributions_no_ttl(&f->distributions, bytes, n);
}

bool findings_cell(const struct findings *f, uint64_t blanked, uint32_t tag, uint32_t *cell)
{
    *cell = f->groups ? groups_cell(f->groups, blanked, tag) : 0;
    return !f->groups || *cell != 0;
}

void findings_cell_strings(struct findings *f, uint32_t cell, uint64_t bytes, uint64_t n)
{
    if (f->groups)
        groups_count(f->groups, cell, bytes, n);
}

void findings_ttl(struct findings *f, int64_t expire_ms, uint64_t n, uint64_t bytes)
{
    distributions_ttl(&f->distributions, expire_ms, false, n, bytes);
}

unsigned findings_cuts(const struct findings *f, int64_t *cuts)
{
    return distributions_cuts(&f->distributions, cuts);
}

void findings_before_merge(struct findings *f, void (*call)(void *ctx), void *ctx)
{
    if (f->groups)
        groups_before_merge(f->groups, call, ctx);
}

void findings_hide(const struct findings *f, uint8_t *name, size_t len)
{
    if (f->o->hash_names)
        name_hash(&f->o->name_key, name, len);
}

/* ---------------------------------------------------------------- several dumps */

void findings_merge(struct findings *f, struct findings *from)
{
    if (f->groups)
        groups_merge(f->groups, from->groups);
    custom_groups_merge(&f->custom, &from->custom);
    if (f->slots && from->slots) {
        slots_merge(f->slots, from->slots);
    } else if (from->slots) {
        f->slots = from->slots;
        from->slots = NULL;
    }
    distributions_merge(&f->distributions, &from->distributions);
    audit_merge(f->audit, from->audit);
    f->total_keys += from->total_keys;
    f->total_bytes += from->total_bytes;
    f->matched_keys += from->matched_keys;
    f->matched_bytes += from->matched_bytes;
}

/* ---------------------------------------------------------------- the report */

static bool report_filter(const struct findings *f, uint64_t scale, struct filter_report *r)
{
    const struct filter *filter = &f->o->filter;
    *r = (struct filter_report){.active = filter->active,
                                .sample = scale,
                                .total_keys = f->total_keys * scale,
                                .total_bytes = f->total_bytes * scale,
                                .matched_keys = f->matched_keys * scale,
                                .matched_bytes = f->matched_bytes * scale};
    r->conditions = calloc(filter->nconditions + 1, sizeof *r->conditions);
    if (!r->conditions)
        return false;
    r->nconditions = filter->nconditions;
    for (unsigned i = 0; i < filter->nconditions; i++) {
        const char *option = filter->conditions[i][0];
        bool names = strstr(option, "key") != NULL || strcmp(option, "regex") == 0;
        r->conditions[i][0] = option;
        r->conditions[i][1] = names && f->o->hash_names ? NULL : filter->conditions[i][1];
    }
    return true;
}

static void hide_patterns(struct findings_report *r)
{
    for (size_t i = 0; i < r->ncustom; i++)
        r->custom[i].pattern = "";
}

struct findings_report *findings_finish(struct findings *f, const struct analysis *dumps, size_t ndumps)
{
    struct findings_report *r = calloc(1, sizeof *r);
    uint64_t scale = findings_scale(f);
    if (!r)
        return NULL;
    bool ok = !f->groups || groups_finish(f->groups, f->o->group_rows, scale, &r->groups);
    ok = ok && (!f->slots || slots_finish(f->slots, f->o->top, scale, &r->slots));
    ok = ok && report_filter(f, scale, &r->filter) && audit_finish(f->audit, dumps, ndumps, scale, &r->audit);
    if (!ok) {
        findings_report_free(r);
        return NULL;
    }
    r->ncustom = custom_groups_finish(&f->custom, scale, &r->custom);
    r->distributions = f->distributions;
    distributions_finish(&r->distributions, scale);
    r->hashed = f->o->hash_names;
    if (r->hashed)
        hide_patterns(r);
    return r;
}

void findings_report_free(struct findings_report *r)
{
    if (!r)
        return;
    group_tree_free(&r->groups);
    slots_report_free(&r->slots);
    audit_report_free(&r->audit);
    free(r->filter.conditions);
    free(r->custom);
    free(r);
}
