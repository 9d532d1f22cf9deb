/*
 * rebuild_module.c - module values: vector sets exactly, others by what their serialised form says.
 *
 * Vector set (Redis 8.0+, modules/vector-sets: vset.c VectorSetRdbLoad, hnsw.c hnsw_insert_serialized): the file has
 * each node with its level and links, so nothing is left to chance.
 *
 *     dim  nodes  config  flags  [input dim  projection]
 *     { element  [attributes]  vector  count  { parameter }*count }*nodes
 *     parameters: id, level, per layer: links, max links, the links..., [worst link]; last: range and l2
 */
#include <string.h>

#include "analyzer/module_estimate.h"
#include "analyzer/rebuild.h"
#include "analyzer/sizes.h"

enum {
    BATCH = 64,
    MODULE_VALUE = 16,
    VSET_OBJECT = 112,
    HNSW = 1672 /* with 32 mutexes of 40 */,
    NODE_VALUE = 16,
    NODE = 312,
    NODE_LAYER = 24,
    LINK = 8,
    SAMPLED = 20 /* VectorSetMemUsage looks at so many nodes from the head */
};

enum vset_step {
    V_DIM,
    V_NODES,
    V_CONFIG,
    V_FLAGS,
    V_INPUT,
    V_PROJECTION,
    V_NAME,
    V_ATTRIBUTES,
    V_VECTOR,
    V_COUNT,
    V_PARAM
};

struct vset {
    enum vset_step step;
    uint64_t dim, nodes, quant, m, flags, input, projection;
    uint64_t params, at; /* of the current node; index of the next parameter */
    uint64_t level, layer, links, next_layer;
    bool has_worst;
    uint64_t max_links0, vector, attributes, attribute_nodes;
    uint64_t names[SAMPLED], attrs[SAMPLED], seen; /* item sizes of the last nodes: they are the head */
};

/* A redisObject made from text: embstr up to 44 bytes; what came compressed stays raw. */
uint64_t module_text_object(struct rebuild *r, const struct rdb_element *e)
{
    if (e->len <= 44 && e->form != RDB_F_LZF)
        return zmalloc(r->z, 16 + 3 + e->len + 1, ZL_MODULE);
    return zmalloc(r->z, 16, ZL_MODULE) + zmalloc(r->z, sds_request(r->pf, e->len), ZL_MODULE);
}

static void name_keep(struct rebuild *r, const struct rdb_element *e)
{
    struct rdb_cursor c;
    char text[21];
    if (e->form == RDB_F_INT)
        key_set_add(r->set, text, (size_t)rdb_ll2text(e->num, text));
    else if (e->form == RDB_F_RAW && e->data != NULL)
        key_set_add(r->set, e->data, (size_t)e->len);
    else if (rdb_element_open(r->p, e, &c) && (uint64_t)(c.end - c.p) >= e->len)
        key_set_add(r->set, c.p, (size_t)e->len);
}

static void vset_string(struct rebuild *r, struct vset *v, const struct rdb_element *e)
{
    r->k->payload += e->len;
    switch (v->step) {
    case V_PROJECTION:
        v->projection = e->len;
        zmalloc(r->z, 4 * v->input * v->dim, ZL_MODULE);
        v->step = V_NAME;
        break;
    case V_NAME:
        note_largest(r, e->len);
        zmalloc(r->z, NODE_VALUE, ZL_MODULE);
        v->names[v->seen % SAMPLED] = module_text_object(r, e);
        v->attrs[v->seen % SAMPLED] = 0;
        name_keep(r, e);
        v->step = v->flags & 2 ? V_ATTRIBUTES : V_VECTOR;
        break;
    case V_ATTRIBUTES:
        if (e->len) {
            v->attrs[v->seen % SAMPLED] = module_text_object(r, e);
            v->attribute_nodes++;
        }
        v->step = V_VECTOR;
        break;
    case V_VECTOR:
        v->vector = e->len;
        zmalloc(r->z, e->len, ZL_MODULE);
        v->step = V_COUNT;
        break;
    default: break;
    }
}

static void layer_max(struct rebuild *r, struct vset *v, uint64_t max_links)
{
    uint64_t least = v->layer == 0 ? 2 * v->m : v->m;
    if (max_links < least)
        max_links = least;
    if (max_links > (1U << 20))
        max_links = 1U << 20; /* nothing a server would have made */
    if (v->layer == 0)
        v->max_links0 = max_links;
    zmalloc(r->z, LINK * max_links, ZL_MODULE);
}

static void vset_param(struct rebuild *r, struct vset *v, uint64_t value)
{
    uint64_t i = v->at++;
    if (i == 1) {
        v->level = value & 255;
        v->has_worst = (value >> 24) != 0;
        v->layer = 0;
        v->next_layer = 2;
        zmalloc(r->z, NODE + NODE_LAYER * (v->level + 1), ZL_MODULE);
    } else if (i > 1 && i == v->next_layer && v->layer <= v->level) {
        v->links = value;
    } else if (i > 2 && i == v->next_layer + 1 && v->layer <= v->level) {
        layer_max(r, v, value);
        v->next_layer += 2 + v->links + (v->has_worst ? 1 : 0);
        v->layer++;
    }
    if (v->at == v->params) {
        v->seen++;
        v->step = V_NAME;
    }
}

static void vset_number(struct rebuild *r, struct vset *v, uint64_t value)
{
    switch (v->step) {
    case V_DIM:
        v->dim = value > (1U << 24) ? 1U << 24 : value;
        v->step = V_NODES;
        break;
    case V_NODES:
        v->nodes = value;
        v->step = V_CONFIG;
        break;
    case V_CONFIG:
        v->quant = value & 255;
        v->m = (value >> 8) & 0xFFFF;
        if (v->m == 0)
            v->m = 16; /* HNSW_DEFAULT_M */
        v->step = V_FLAGS;
        break;
    case V_FLAGS:
        v->flags = value;
        v->step = value & 1 ? V_INPUT : V_NAME;
        break;
    case V_INPUT:
        v->input = value > (1U << 24) ? 1U << 24 : value;
        v->step = V_PROJECTION;
        break;
    case V_COUNT:
        v->params = value;
        v->at = 0;
        v->step = value ? V_PARAM : V_NAME;
        if (value == 0)
            v->seen++;
        break;
    case V_PARAM: vset_param(r, v, value); break;
    default: break;
    }
}

/* vset.c VectorSetMemUsage */
static uint64_t vset_usage(const struct vset *v)
{
    uint64_t n = v->seen, sampled = n < SAMPLED ? n : SAMPLED, names = 0, attrs = 0, with = 0;
    uint64_t usage = VSET_OBJECT + HNSW + (v->flags & 1 ? 4 * v->input * v->dim : 0);
    if (n == 0)
        return usage;
    for (uint64_t i = 0; i < sampled; i++) {
        names += v->names[i];
        attrs += v->attrs[i];
        with += v->attrs[i] != 0;
    }
    usage += n * (NODE + v->vector) + n * NODE_LAYER * 4 / 3 + LINK * v->max_links0 * n;
    usage += LINK * (v->max_links0 / 2) * n / 3 + names / sampled * n + NODE_VALUE * n;
    if (v->attribute_nodes)
        usage += (with ? attrs / with : 64) * v->attribute_nodes;
    return usage;
}

static void vector_set(struct rebuild *r)
{
    struct vset v = {0};
    struct rdb_element el[BATCH];
    struct rax_sum names = {0, 0, 0};
    bool more = true;
    r->k->type = RDB_T_VECTORSET;
    key_set_clear(r->set);
    zmalloc(r->z, MODULE_VALUE, ZL_MODULE);
    zmalloc(r->z, VSET_OBJECT, ZL_MODULE);
    zmalloc(r->z, HNSW, ZL_MODULE);
    zmalloc(r->z, r->pf->mu == MU_88 ? 16 : 8, ZL_MODULE); /* RedisModuleDict */
    while (more) {
        size_t n = elements_next(r, el, BATCH, &more);
        for (size_t i = 0; i < n; i++) {
            if (el[i].role == RDB_R_MODULE_STRING)
                vset_string(r, &v, &el[i]);
            else
                vset_number(r, &v, (uint64_t)el[i].num);
        }
    }
    r->rax = r->raxes[RAX_MAIN];
    key_set_rax(r, r->set, (uint64_t)r->pf->rax, true, NULL, &names);
    r->k->elements = v.nodes;
    r->st.module_mu = vset_usage(&v);
    r->st.has_module_mu = true;
}

void rebuild_module(struct rebuild *r)
{
    int encver = rdb_module_name(r->key->module_id, r->k->module);
    r->k->module_encver = (int16_t)encver;
    key_alloc(r);
    r->k->encoding = ENC_MODULE;
    if (strcmp(r->k->module, "vectorset") == 0)
        vector_set(r);
    else
        module_estimate(r, r->k->module, encver);
}
