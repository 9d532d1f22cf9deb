/*
 * json_forecast.c - the forecast in the JSON report: "allocator" (after load), "forecast" (a list of steps),
 * "size_classes" (regions and slabs of each bin, one number a step).
 */
#include "report/json_parts.h"

#include <math.h>

static void bytes(cJSON *o, const char *name, double v)
{
    cJSON_AddNumberToObject(o, name, round(v));
}

static void ratio(cJSON *o, const char *name, double v)
{
    cJSON_AddNumberToObject(o, name, round(v * 10000) / 10000);
}

/* INFO's names. */
static void figures(cJSON *o, const struct forecast_step *s)
{
    bytes(o, "keys", s->keys);
    bytes(o, "used_memory", s->used_memory);
    if (!s->modelled)
        return;
    bytes(o, "allocator_allocated", s->allocator_allocated);
    bytes(o, "allocator_active", s->allocator_active);
    bytes(o, "allocator_resident", s->allocator_resident);
    ratio(o, "allocator_frag_ratio", s->allocator_allocated > 0 ? s->allocator_active / s->allocator_allocated : 1);
    ratio(o, "allocator_frag_ratio_in_info", s->allocator_frag_ratio);
    bytes(o, "allocator_frag_bytes", s->allocator_frag_bytes);
    ratio(o, "allocator_rss_ratio", s->allocator_rss_ratio);
    bytes(o, "allocator_rss_bytes", s->allocator_rss_bytes);
    ratio(o, "rss_overhead_ratio", s->rss_overhead_ratio);
    bytes(o, "rss_overhead_bytes", s->rss_overhead_bytes);
    bytes(o, "used_memory_rss", s->used_memory_rss);
    ratio(o, "mem_fragmentation_ratio", s->mem_fragmentation_ratio);
    bytes(o, "mem_fragmentation_bytes", s->mem_fragmentation_bytes);
    bytes(o, "allocator_active_stderr", s->active_error);
}

static void verdicts(cJSON *o, const struct forecast_step *s, const struct forecast_defrag *d)
{
    cJSON *v;
    if (!s->modelled)
        return;
    cJSON_AddStringToObject(o, "band", forecast_band_name(s->band));
    v = cJSON_AddObjectToObject(o, "activedefrag");
    cJSON_AddBoolToObject(v, "available", d->available);
    cJSON_AddBoolToObject(v, "would_start", s->defrag_starts);
    cJSON_AddNumberToObject(v, "cpu_percent", s->defrag_cpu);
    ratio(v, "fragmentation_percent", s->defrag_percent);
    bytes(v, "fragmentation_bytes", s->defrag_bytes);
    bytes(v, "gives_back_at_least", s->defrag_least);
    bytes(v, "gives_back_at_most", s->defrag_most);
    bytes(o, "restart_gives_back", s->restart_gains);
}

static void pins(cJSON *o, const struct forecast_row *row)
{
    cJSON *p = cJSON_AddObjectToObject(o, "pinned_bytes_by_type");
    for (int t = 0; t < RDB_T_COUNT; t++)
        if (row->pinned_by_type[t] >= 0.5)
            bytes(p, rdb_type_name((enum rdb_type)t), row->pinned_by_type[t]);
    if (row->pinned_by_server >= 0.5)
        bytes(p, "server", row->pinned_by_server);
    p = cJSON_AddArrayToObject(o, "pinned_bytes_by_prefix");
    for (size_t i = 0; i < row->npins; i++) {
        cJSON *pin = cJSON_CreateObject();
        add_bytes(pin, "prefix", (const uint8_t *)row->pins[i].prefix, row->pins[i].len);
        bytes(pin, "bytes", row->pins[i].bytes);
        cJSON_AddItemToArray(p, pin);
    }
}

static void step(cJSON *list, const struct forecast_report *f, const struct forecast_row *row)
{
    cJSON *o = cJSON_CreateObject();
    if (row->horizon_s == INT64_MAX)
        cJSON_AddNullToObject(o, "horizon_seconds");
    else
        cJSON_AddNumberToObject(o, "horizon_seconds", (double)row->horizon_s);
    cJSON_AddNumberToObject(o, "deleted_percent", row->deleted_percent);
    figures(o, &row->s);
    verdicts(o, &row->s, &f->defrag);
    if (row->deleted_percent == 0 && row->horizon_s != 0)
        pins(o, row);
    cJSON_AddItemToArray(list, o);
}

static void size_classes(cJSON *doc, const struct forecast_report *f)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "size_classes");
    for (unsigned b = 0; b < f->nbins; b++) {
        if (f->rows[0].bins == NULL || f->rows[0].bins[b].slabs == 0)
            continue;
        const struct alloc_bin *bin = &f->bins[b];
        cJSON *o = cJSON_CreateObject(), *regions, *slabs, *use;
        cJSON_AddNumberToObject(o, "size", bin->size);
        cJSON_AddNumberToObject(o, "regions_per_slab", bin->regions);
        cJSON_AddNumberToObject(o, "slab_bytes", bin->pages * 4096.0);
        regions = cJSON_AddArrayToObject(o, "regions");
        slabs = cJSON_AddArrayToObject(o, "slabs");
        use = cJSON_AddArrayToObject(o, "utilisation");
        for (size_t i = 0; i < f->n; i++) {
            const struct forecast_bin *x = &f->rows[i].bins[b];
            double full = x->slabs * bin->regions;
            cJSON_AddItemToArray(regions, cJSON_CreateNumber(round(x->regions)));
            cJSON_AddItemToArray(slabs, cJSON_CreateNumber(round(x->slabs)));
            cJSON_AddItemToArray(use, cJSON_CreateNumber(full > 0 ? round(x->regions / full * 1000) / 1000 : 0));
        }
        cJSON_AddItemToArray(list, o);
    }
}

void json_forecast(cJSON *doc, const struct analysis *a)
{
    const struct forecast_report *f = &a->forecast;
    cJSON *list;
    if (f->n == 0)
        return;
    figures(cJSON_AddObjectToObject(doc, "allocator_after_load"), &f->rows[0].s);
    cJSON_AddNumberToObject(doc, "forecast_from_ms", (double)f->from_ms);
    cJSON_AddBoolToObject(doc, "forecast_server_exact", f->exact_server);
    if (f->has_reclaim)
        cJSON_AddNumberToObject(doc, "reload_gives_back", (double)f->reclaim_bytes);
    list = cJSON_AddArrayToObject(doc, "forecast");
    for (size_t i = 0; i < f->n; i++)
        step(list, f, &f->rows[i]);
    size_classes(doc, f);
}
