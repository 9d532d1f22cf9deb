/*
 * text_modules.c - what modules have in the dump, and what their figures rest on.
 */
#include "analyzer/module_estimate.h"
#include "report/human.h"
#include "report/text.h"

#include <stdio.h>

static const char *basis(const struct module_report *m)
{
    if (m->keys == 0)
        return "";
    if (m->lower_bound_keys == m->keys)
        return "lower bound";
    if (m->estimated_keys == m->keys)
        return "estimate";
    return m->lower_bound_keys ? "in part lower bound" : m->estimated_keys ? "in part estimate" : "exact";
}

static void module_row(struct grid *g, const struct module_report *m, uint64_t whole)
{
    const char *product = module_product(m->name);
    grid_text(g, m->name[0] ? m->name : "(others)");
    if (m->name[0])
        text_cell(g, "%d", m->encver);
    else
        grid_text(g, "");
    grid_text(g, product ? product : "unknown here");
    grid_text(g, human_count(m->keys).s);
    grid_text(g, human_bytes(m->bytes).s);
    grid_text(g, human_share(m->bytes, whole).s);
    grid_text(g, basis(m));
    if (m->aux)
        text_cell(g, "%s, %s", human_count(m->aux).s, human_bytes(m->aux_bytes).s);
    else
        grid_text(g, "");
}

void text_modules(struct text *t, const struct analysis *a)
{
    static const struct grid_column columns[] = {{"type", true, 0},  {"version", false, 3},      {"module", true, 4},
                                                 {"keys", false, 0}, {"memory", false, 0},       {"share", false, 1},
                                                 {"basis", true, 0}, {"auxiliary data", true, 2}};
    struct grid g;
    if (a->nmodules == 0)
        return;
    text_heading(t, "Modules");
    grid_begin(&g, columns, 8);
    for (size_t i = 0; i < a->nmodules; i++)
        module_row(&g, &a->modules[i], a->total.bytes);
    text_grid(t, &g);
    if (a->lower_bound_keys)
        text_wrap(t, "  %s bytes (%s) of the keys' memory are at least so many: they are what was saved.",
                  human_count(a->lower_bound_bytes).s, human_share(a->lower_bound_bytes, a->total.bytes).s);
}
