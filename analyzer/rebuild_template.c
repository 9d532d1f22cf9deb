/*
 * rebuild_template.c - hashes that share their field names with others (types 29 to 32 of RDB 15; redis/redis PR 15364).
 *
 * No release with them has been measured. What is certain is what the key has for itself, its values: one listpack that
 * begins with the template's id, or an array of strings. The names belong to the template, whoever else uses it. So the
 * size is an estimate, also for a target without templates.
 */
#include "analyzer/rebuild.h"
#include "analyzer/sizes.h"

enum { BATCH = 64, POINTER = 8 };

/* The first entry is the template's id. */
static void packed_values(struct rebuild *r, const struct rdb_element *e)
{
    struct rdb_pack pk;
    struct rdb_entry it;
    uint64_t entries = 0;
    int got = -1;
    if (!pack_begin(r, e, &pk))
        return;
    while ((got = rdb_pack_next(&pk, &it)) > 0) {
        if (entries++ == 0)
            continue;
        note_largest(r, it.len);
        r->k->payload += it.len;
    }
    if (got < 0)
        note_damage(r, &pk);
    r->k->elements = entries ? entries - 1 : 0;
    value_pack(r, e->len, ENC_LISTPACK);
}

static void value_string(struct rebuild *r, const struct rdb_element *e)
{
    element_sds(r, e->len, ZL_VALUE);
    note_largest(r, e->len);
    r->k->payload += e->len;
    r->k->elements++;
}

void rebuild_template(struct rebuild *r)
{
    struct rdb_element el[BATCH];
    bool more = true, packed = r->key->info->layout == RDB_L_TEMPLATE_PACK;
    r->k->flags |= KEY_ESTIMATE;
    while (more) {
        size_t n = elements_next(r, el, BATCH, &more);
        for (size_t i = 0; i < n; i++) {
            if (el[i].role == RDB_R_VALUE)
                value_string(r, &el[i]);
            else if (el[i].role == RDB_R_BLOB)
                packed_values(r, &el[i]);
            else /* a name, or all of them: the template's */
                note_largest(r, el[i].pack == RDB_PACK_NONE ? el[i].len : 0);
        }
    }
    if (!packed && r->k->elements && !rdb_failed(r->p))
        zmalloc(r->z, POINTER * r->k->elements, ZL_TABLE);
}
