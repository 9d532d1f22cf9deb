/*
 * text_audit.c - the parts of the text report about which keys it is about, sizes, slots, and broken rules.
 */
#include <stdio.h>
#include <stdlib.h>

#include "report/human.h"
#include "report/text.h"

/* ---------------------------------------------------------------- filter */

void text_filter(struct text *t, const struct analysis *a)
{
    const struct filter_report *f = a->found ? &a->found->filter : NULL;
    if (!f)
        return;
    if (f->active)
        text_wrap(t,
                  "Filtered: what follows the ledger is about %s of %s keys, %s of %s (%s); the ledger is about all.",
                  human_count(f->matched_keys).s, human_count(f->total_keys).s, human_bytes(f->matched_bytes).s,
                  human_bytes(f->total_bytes).s, human_share(f->matched_bytes, f->total_bytes).s);
    if (f->sample > 1)
        text_wrap(t,
                  "Sampled: one of %s keys was read, chosen by its name; figures are scaled up, lists hold the sample.",
                  human_count(f->sample).s);
    if (a->found->hashed)
        text_wrap(t, "Names are not the keys' own (--hash-names).");
}

/* ---------------------------------------------------------------- distributions */

static void threshold_line(struct text *t, const struct threshold_row *r)
{
    if (r->above.keys && r->above.saving > 0)
        text_wrap(t, "  %s = %lld: %s keys of %s are tables that would be packed with %s, saving about %s.",
                  config_name(r->setting), (long long)r->value, human_count(r->above.keys).s,
                  human_bytes(r->above.bytes).s, human_count(r->raised).s, human_bytes((uint64_t)r->above.saving).s);
    if (r->below.keys && r->below.saving > 0)
        text_wrap(t, "  %s = %lld: %s keys of %s close below it are packed, which saves about %s.",
                  config_name(r->setting), (long long)r->value, human_count(r->below.keys).s,
                  human_bytes(r->below.bytes).s, human_bytes((uint64_t)r->below.saving).s);
}

void text_sizes(struct text *t, const struct analysis *a)
{
    static const struct grid_column columns[] = {
        {"size up to", false, 0}, {"keys", false, 0}, {"share", false, 0}, {"memory", false, 0}, {"share", false, 0}};
    const struct distributions *d = a->found ? &a->found->distributions : NULL;
    struct grid g;
    if (!d || a->total.keys == 0)
        return;
    text_heading(t, "Sizes");
    grid_begin(&g, columns, 5);
    for (unsigned i = 0; i < d->size.n; i++) {
        const struct dist_row *r = &d->size.rows[i];
        if (r->keys == 0)
            continue;
        grid_text(&g, r->upto == UINT64_MAX ? "more" : human_bytes(r->upto).s);
        grid_text(&g, human_count(r->keys).s);
        grid_text(&g, human_share(r->keys, a->total.keys).s);
        grid_text(&g, human_bytes(r->bytes).s);
        grid_text(&g, human_share(r->bytes, a->total.bytes).s);
    }
    text_grid(t, &g);
    text_wrap(t, "  Half of the keys take at most %s, 99 %% at most %s, the largest %s.",
              human_bytes(histogram_percentile(&d->sizes, 0.5, d->largest)).s,
              human_bytes(histogram_percentile(&d->sizes, 0.99, d->largest)).s, human_bytes(d->largest).s);
    for (unsigned i = 0; i < THRESHOLDS; i++)
        if (d->thresholds[i].known)
            threshold_line(t, &d->thresholds[i]);
}

/* ---------------------------------------------------------------- slots */

static void tag_rows(struct text *t, const struct slots_report *s)
{
    static const struct grid_column columns[] = {
        {"memory", false, 0}, {"share", false, 0}, {"keys", false, 0}, {"hash tag", true, 0}};
    struct grid g;
    grid_begin(&g, columns, 4);
    for (size_t i = 1; i < s->tags.n; i++) {
        const struct group *row = &s->tags.rows[i];
        grid_text(&g, human_bytes(row->sums.bytes).s);
        grid_text(&g, human_share(row->sums.bytes, s->bytes).s);
        grid_text(&g, human_count(row->sums.keys).s);
        if (row->other)
            text_cell(&g, "(%s others)", human_count(row->folded).s);
        else
            grid_name(&g, (const uint8_t *)row->name, row->name_len, false);
    }
    text_grid(t, &g);
}

void text_slots(struct text *t, const struct analysis *a)
{
    static const struct grid_column columns[] = {
        {"slot", false, 0}, {"keys", false, 0}, {"memory", false, 0}, {"share", false, 0}, {"of the mean", false, 0}};
    const struct slots_report *s = a->found ? &a->found->slots : NULL;
    struct grid g;
    if (!s || !s->made || s->used == 0)
        return;
    text_heading(t, "Cluster slots");
    text_wrap(t, "  %s slots hold keys, %s each on average; the heaviest holds %.2f times that.",
              human_count(s->used).s, human_bytes(s->mean_bytes).s, s->skew);
    grid_begin(&g, columns, 5);
    for (size_t i = 0; i < s->ntop; i++) {
        text_cell(&g, "%u", s->top[i].slot);
        grid_text(&g, human_count(s->top[i].keys).s);
        grid_text(&g, human_bytes(s->top[i].bytes).s);
        grid_text(&g, human_share(s->top[i].bytes, s->bytes).s);
        text_cell(&g, "%.2f", s->bytes ? (double)s->top[i].bytes * s->used / (double)s->bytes : 0.0);
    }
    text_grid(t, &g);
    if (s->tagged_keys)
        tag_rows(t, s);
}

/* ---------------------------------------------------------------- rules */

void text_audit(struct text *t, const struct analysis *a)
{
    const struct audit_report *r = a->found ? &a->found->audit : NULL;
    if (!r || r->nrules + r->nallows == 0)
        return;
    text_heading(t, "Audit");
    for (size_t i = 0; i < r->nrules; i++)
        text_wrap(t, "  %s: %s", r->broken[i] ? "BROKEN" : "kept", r->rules[i]);
    for (size_t i = 0; i < r->nviolations; i++)
        text_wrap(t, "  - %s", r->violations[i].text);
    if (r->big_allowed)
        text_wrap(t, "  %s big keys are allowed by the list.", human_count(r->big_allowed).s);
    if (r->big_expired)
        text_wrap(t, "  %s big keys had expired when the dump was made and break no rule.",
                  human_count(r->big_expired).s);
    for (size_t i = 0; i < r->nallows; i++)
        if (r->allows[i].expired)
            text_wrap(t, "  Line %u of the list no longer allows %s: it ended on %s.", r->allows[i].line,
                      r->allows[i].glob ? r->allows[i].glob : "its keys", r->allows[i].until);
}
