/*
 * json_modules.c - the member of the JSON document about modules.
 */
#include "analyzer/module_estimate.h"
#include "report/json_parts.h"

static cJSON *module_object(const struct module_report *m)
{
    cJSON *o = cJSON_CreateObject();
    add_string(o, "name", m->name[0] ? m->name : NULL);
    if (m->name[0])
        add_i64(o, "encver", m->encver);
    else
        cJSON_AddNullToObject(o, "encver");
    add_string(o, "product", module_product(m->name));
    add_u64(o, "keys", m->keys);
    add_u64(o, "size_in_bytes", m->bytes);
    add_u64(o, "estimated_keys", m->estimated_keys);
    add_u64(o, "estimated_bytes", m->estimated_bytes);
    add_u64(o, "lower_bound_keys", m->lower_bound_keys);
    add_u64(o, "lower_bound_bytes", m->lower_bound_bytes);
    add_u64(o, "aux", m->aux);
    add_u64(o, "aux_bytes", m->aux_bytes);
    return o;
}

void json_modules(cJSON *doc, const struct analysis *a)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "modules");
    for (size_t i = 0; i < a->nmodules; i++)
        cJSON_AddItemToArray(list, module_object(&a->modules[i]));
}
