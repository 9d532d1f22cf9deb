/*
 * text_whatif.c - the parts of the text report about what may come to pass: maxmemory's evictions, and the
 * proof by the real allocator.
 */
#include <stdio.h>
#include <string.h>

#include "analyzer/combine.h"
#include "report/human.h"
#include "report/text.h"

/* Each dump is a server of its own: what is said here is said of each, not of all together. */
static void each_dump(struct text *t, const struct analysis *a,
                      void (*one)(struct text *t, const struct analysis *a, const char *label))
{
    if (!t->fleet) {
        one(t, a, NULL);
        return;
    }
    for (size_t i = 0; i < t->fleet->n; i++)
        one(t, &t->fleet->parts[i], t->labels[i]);
}

static void heading(struct text *t, const char *what, const char *label)
{
    char text[256];
    snprintf(text, sizeof text, "%s%s%.160s", what, label ? ": " : "", label ? label : "");
    text_heading(t, text);
}

/* ---------------------------------------------------------------- maxmemory */

static void evicted(struct text *t, const struct eviction_report *r)
{
    text_wrap(t,
              "  %s would evict %s of the %s keys within its reach (%s, %s of their memory), %s keys stay. Order: %s.",
              r->policy, human_count(r->keys).s, human_count(r->reach_keys).s, human_bytes(r->bytes).s,
              human_share(r->bytes, r->reach_bytes).s, human_count(r->keys_left).s, r->basis);
    if (r->short_bytes)
        text_wrap(t, "  That does not suffice: %s are still missing, and writes would fail.",
                  human_bytes(r->short_bytes).s);
    if (r->modelled)
        text_wrap(t, "  The allocator would then hold %s instead of %s, allocator_frag_ratio %.2f instead of %.2f.",
                  human_bytes(r->active_after).s, human_bytes(r->active_before).s, r->frag_ratio_after,
                  r->frag_ratio_before);
}

static void losers(struct text *t, const struct eviction_report *r)
{
    static const struct grid_column columns[] = {{"evicted", false, 0}, {"share", false, 2}, {"keys", false, 0},
                                                 {"of", false, 3},      {"share", false, 1}, {"type", true, 0},
                                                 {"prefix", true, 0}};
    struct grid g;
    grid_begin(&g, columns, 7);
    for (size_t i = 0; i < r->nprefixes; i++) {
        const struct eviction_prefix *p = &r->prefixes[i];
        grid_text(&g, human_bytes(p->bytes).s);
        grid_text(&g, human_share(p->bytes, r->bytes).s);
        grid_text(&g, human_count(p->keys).s);
        grid_text(&g, human_count(p->keys_before).s);
        grid_text(&g, human_share(p->keys, p->keys_before).s);
        grid_text(&g, p->other ? "" : rdb_type_name(p->type));
        if (p->other || p->name_len == 0)
            grid_text(&g, p->other ? "(other prefixes)" : "(names without ':')");
        else
            grid_name(&g, (const uint8_t *)p->name, p->name_len, false);
    }
    text_grid(t, &g);
}

static void one_eviction(struct text *t, const struct analysis *a, const char *label)
{
    const struct eviction_report *r = &a->eviction;
    char what[64];
    if (!r->asked)
        return;
    snprintf(what, sizeof what, "If maxmemory were %s", human_bytes(r->maxmemory).s);
    heading(t, what, label);
    if (r->over_bytes == 0) {
        text_wrap(t, "  It fits: %s to spare, nothing would be evicted.", human_bytes(r->spare_bytes).s);
        return;
    }
    text_wrap(t, "  used_memory is predicted to be %s over it.", human_bytes(r->over_bytes).s);
    if (!r->order)
        text_wrap(t, "  With noeviction nothing is evicted: commands that need memory fail until %s are freed.",
                  human_bytes(r->over_bytes).s);
    else
        evicted(t, r);
    if (r->nprefixes > 0)
        losers(t, r);
}

void text_eviction(struct text *t, const struct analysis *a)
{
    each_dump(t, a, one_eviction);
}

/* ---------------------------------------------------------------- the real allocator */

static double difference(uint64_t measured, uint64_t modelled)
{
    return modelled ? ((double)measured / (double)modelled - 1) * 100 : 0;
}

static void rebuilt_row(struct grid *g, const struct real_step *s)
{
    if (s->deleted_percent > 0)
        text_cell(g, "then %.0f %% deleted", s->deleted_percent);
    else if (s->horizon_s == 0)
        grid_text(g, "after load");
    else if (s->horizon_s == INT64_MAX)
        grid_text(g, "all expiries passed");
    else
        text_cell(g, "%s later", human_duration(s->horizon_s).s);
    grid_text(g, human_bytes(s->allocated).s);
    grid_text(g, human_bytes(s->model_allocated).s);
    text_cell(g, "%+.2f %%", difference(s->allocated, s->model_allocated));
    grid_text(g, human_bytes(s->active).s);
    grid_text(g, human_bytes(s->model_active).s);
    text_cell(g, "%+.2f %%", difference(s->active, s->model_active));
    grid_text(g, human_bytes(s->resident).s);
}

static void one_rebuild(struct text *t, const struct analysis *a, const char *label)
{
    static const struct grid_column columns[] = {{"when", true, 0}, {"allocated", false, 0}, {"modelled", false, 3},
                                                 {"", false, 1},    {"active", false, 0},    {"modelled", false, 3},
                                                 {"", false, 0},    {"resident", false, 2}};
    const struct real_report *r = &a->real;
    struct grid g;
    if (!r->steps)
        return;
    heading(t, "Rebuilt", label);
    text_wrap(t, "  %s keys%s, block by block in this machine's jemalloc %s, beside the model of it (%s).",
              human_count(r->keys).s, r->complete ? "" : ", not all,", r->version, r->allocator);
    if (strcmp(r->allocator, a->allocator) != 0)
        text_wrap(t, "  The rest of this report is about %s: other size classes in the same model.", a->allocator);
    if (r->sample > 1)
        text_wrap(t, "  Keys of every %uth hash slot, without the server's tables; figures are times %u.", r->sample,
                  r->sample);
    grid_begin(&g, columns, 8);
    for (unsigned i = 0; i < r->nsteps; i++)
        rebuilt_row(&g, &r->steps[i]);
    text_grid(t, &g);
}

void text_rebuild(struct text *t, const struct analysis *a)
{
    each_dump(t, a, one_rebuild);
}
