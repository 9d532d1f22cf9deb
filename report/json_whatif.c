/*
 * json_whatif.c - what may come to pass, in the JSON report: "eviction" when maxmemory is set, "rebuild" with --rebuild.
 */
#include <math.h>

#include "report/fields.h"
#include "report/json_parts.h"

/* ---------------------------------------------------------------- maxmemory */

static void add_prefixes(cJSON *o, const struct eviction_report *r)
{
    cJSON *list = cJSON_AddArrayToObject(o, "prefixes");
    for (size_t i = 0; i < r->nprefixes; i++) {
        const struct eviction_prefix *p = &r->prefixes[i];
        cJSON *row = cJSON_CreateObject();
        if (p->other)
            add_string(row, "prefix", NULL);
        else
            add_bytes(row, "prefix", (const uint8_t *)p->name, p->name_len);
        add_string(row, "type", p->other ? NULL : key_type_words[p->type]);
        add_u64(row, "keys", p->keys);
        add_u64(row, "bytes", p->bytes);
        add_u64(row, "keys_before", p->keys_before);
        add_u64(row, "bytes_before", p->bytes_before);
        cJSON_AddItemToArray(list, row);
    }
}

static void add_allocator(cJSON *o, const struct eviction_report *r)
{
    add_u64(o, "allocator_allocated_before", r->allocated_before);
    add_u64(o, "allocator_active_before", r->active_before);
    add_ratio(o, "allocator_frag_ratio_before", r->frag_ratio_before);
    add_u64(o, "allocator_allocated_after", r->allocated_after);
    add_u64(o, "allocator_active_after", r->active_after);
    add_ratio(o, "allocator_frag_ratio_after", r->frag_ratio_after);
}

void json_eviction(cJSON *doc, const struct analysis *a)
{
    const struct eviction_report *r = &a->eviction;
    cJSON *o;
    if (!r->asked)
        return;
    o = cJSON_AddObjectToObject(doc, "eviction");
    add_u64(o, "maxmemory", r->maxmemory);
    add_string(o, "policy", r->policy);
    add_u64(o, "over_by_bytes", r->over_bytes);
    add_u64(o, "spare_bytes", r->spare_bytes);
    add_string(o, "order", r->order);
    add_string(o, "basis", r->basis);
    add_u64(o, "keys_within_reach", r->reach_keys);
    add_u64(o, "bytes_within_reach", r->reach_bytes);
    add_u64(o, "keys", r->keys);
    add_u64(o, "bytes", r->bytes);
    add_u64(o, "keys_left", r->keys_left);
    add_u64(o, "still_over_by_bytes", r->short_bytes);
    add_u64(o, "used_memory_after", r->used_memory_after);
    if (r->modelled)
        add_allocator(o, r);
    add_prefixes(o, r);
}

/* ---------------------------------------------------------------- the real allocator */

static double difference(uint64_t measured, uint64_t modelled)
{
    return modelled ? (double)measured / (double)modelled - 1 : 0;
}

static void add_rebuilt_step(cJSON *list, const struct real_step *s)
{
    cJSON *o = cJSON_CreateObject();
    if (s->horizon_s == INT64_MAX)
        cJSON_AddNullToObject(o, "horizon_seconds");
    else
        add_i64(o, "horizon_seconds", s->horizon_s);
    cJSON_AddNumberToObject(o, "deleted_percent", round(s->deleted_percent));
    add_u64(o, "allocated", s->allocated);
    add_u64(o, "active", s->active);
    add_u64(o, "resident", s->resident);
    add_u64(o, "model_allocated", s->model_allocated);
    add_u64(o, "model_active", s->model_active);
    add_ratio(o, "allocated_difference", difference(s->allocated, s->model_allocated));
    add_ratio(o, "difference", difference(s->active, s->model_active));
    cJSON_AddItemToArray(list, o);
}

static void add_rebuilt_bin(cJSON *o, const struct real_bin *bins, unsigned nsteps)
{
    cJSON *regions = cJSON_AddArrayToObject(o, "regions"), *slabs = cJSON_AddArrayToObject(o, "slabs"),
          *model_regions = cJSON_AddArrayToObject(o, "model_regions"),
          *model_slabs = cJSON_AddArrayToObject(o, "model_slabs");
    for (unsigned i = 0; i < nsteps; i++) {
        cJSON_AddItemToArray(regions, cJSON_CreateNumber((double)bins[i].regions));
        cJSON_AddItemToArray(slabs, cJSON_CreateNumber((double)bins[i].slabs));
        cJSON_AddItemToArray(model_regions, cJSON_CreateNumber(round(bins[i].model_regions)));
        cJSON_AddItemToArray(model_slabs, cJSON_CreateNumber(round(bins[i].model_slabs)));
    }
}

static void add_rebuilt_bins(cJSON *o, const struct real_report *r)
{
    cJSON *list = cJSON_AddArrayToObject(o, "bins");
    for (unsigned b = 0; b < r->nbins; b++) {
        const struct real_bin *bins = &r->bins[b * r->nsteps];
        cJSON *bin;
        if (bins[0].slabs == 0 && bins[0].model_slabs == 0)
            continue;
        bin = cJSON_CreateObject();
        add_u64(bin, "size", r->classes[b].size);
        add_u64(bin, "regions_per_slab", r->classes[b].regions);
        add_rebuilt_bin(bin, bins, r->nsteps);
        cJSON_AddItemToArray(list, bin);
    }
}

void json_rebuild(cJSON *doc, const struct analysis *a)
{
    const struct real_report *r = &a->real;
    cJSON *o, *list;
    if (!r->steps)
        return;
    o = cJSON_AddObjectToObject(doc, "rebuild");
    add_string(o, "allocator_version", r->version);
    add_string(o, "compared_with", r->allocator);
    add_u64(o, "keys", r->keys);
    add_u64(o, "sample_one_in", r->sample);
    cJSON_AddBoolToObject(o, "complete", r->complete);
    list = cJSON_AddArrayToObject(o, "steps");
    for (unsigned i = 0; i < r->nsteps; i++)
        add_rebuilt_step(list, &r->steps[i]);
    add_rebuilt_bins(o, r);
}
