/*
 * module_estimate.c - one row a known module type: the blocks that its rdb_load takes for what it saved.
 *
 * Where an item of the file is a number of things, the strings that came are counted in its place: a number may lie.
 * Sources: RedisBloom sb.h, cuckoo.h, cms.h, topk.h and rm_*.c, rebloom.c; t-digest-c tdigest.h; others in their files.
 * valkey-bloom's and Tair's rows are a first approximation.
 */
#include "analyzer/module_estimate.h"

#include "analyzer/module_json.h"
#include "analyzer/module_series.h"

#include <string.h>

enum { BATCH = 64, MODULE_VALUE = 16, NUMBER = 8, FIELDS = 4, TDIGEST = 80, TDIGEST_HEAD = 9 };

struct module_walk;
typedef void (*module_fn)(struct rebuild *r, struct module_walk *w, const struct rdb_element *e);

struct module_row {
    const char *type; /* nine characters of the id */
    const char *product;
    int encver_min, encver_max; /* layouts that are known */
    uint64_t base;              /* struct of the value */
    uint64_t in_array;          /* one array with so much for each saved string */
    uint64_t beside;            /* a block beside each saved string */
    uint64_t at_number;         /* a block for each saved number */
    uint64_t least;             /* shorter strings are not kept */
    int elements;               /* which of the first unsigned numbers is the number of elements, -1: none */
    module_fn item;             /* NULL: a string is a block of its length, as the fields above say */
    module_fn end;              /* e is NULL */
};

struct module_walk {
    const struct module_row *row; /* NULL: unknown */
    int encver;
    uint64_t items, strings, numbers, bytes; /* that came; bytes: of the strings, and 8 a number */
    uint64_t field[FIELDS];                  /* first unsigned numbers */
    unsigned nfields;
    double compression; /* t-digest: its first number */
    int64_t capacity;   /* and its fourth */
    bool failed;        /* not the layout that it should have */
    union {
        struct json_walk json;
        struct series_walk series;
    } u;
};

static void tdigest_item(struct rebuild *r, struct module_walk *w, const struct rdb_element *e);
static void tdigest_end(struct rebuild *r, struct module_walk *w, const struct rdb_element *e);
static void json_item(struct rebuild *r, struct module_walk *w, const struct rdb_element *e);
static void json_end(struct rebuild *r, struct module_walk *w, const struct rdb_element *e);
static void series_step(struct rebuild *r, struct module_walk *w, const struct rdb_element *e);
static void series_finish(struct rebuild *r, struct module_walk *w, const struct rdb_element *e);

/* clang-format off */
static const struct module_row rows[] = {
    {"ReJSON-RL", "RedisJSON", 0, 4, .elements = -1, .item = json_item, .end = json_end},
    {"TSDB-TYPE", "RedisTimeSeries", SERIES_ENCVER_MIN, SERIES_ENCVER_MAX, .elements = -1, .item = series_step,
     .end = series_finish},
    {"MBbloom--", "RedisBloom (Bloom filter)", 0, 4, .base = 32, .in_array = 64, .elements = 0},
    {"MBbloomCF", "RedisBloom (cuckoo filter)", 0, 4, .base = 40, .in_array = 16, .elements = 2},
    {"CMSk-TYPE", "RedisBloom (count-min sketch)", 0, 0, .base = 32, .elements = 2},
    /* with the table of powers, 256 doubles; an item that is not there is saved as its terminator alone */
    {"TopK-TYPE", "RedisBloom (top-k)", 0, 0, .base = 40 + 2048, .least = 2, .elements = 0},
    {"TDIS-TYPE", "RedisBloom (t-digest)", 0, 0, .base = TDIGEST, .elements = -1, .item = tdigest_item,
     .end = tdigest_end},
    {"bloomfltr", "valkey-bloom", 0, 1, .base = 64, .beside = 80, .elements = -1},
    {"exstrtype", "TairString", 0, 1, .base = 24, .beside = 24, .elements = -1},
    {"tairhash-", "TairHash", 0, 0, .base = 80, .beside = 40, .at_number = 8, .elements = 0},
    {"tairzset_", "TairZset", 0, 0, .base = 80, .beside = 64, .at_number = 24, .elements = 0},
};
/* clang-format on */

static const struct module_row *row_of(const char *type)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].type, type) == 0)
            return &rows[i];
    return NULL;
}

const char *module_product(const char *type_name)
{
    const struct module_row *row = row_of(type_name);
    return row ? row->product : strcmp(type_name, "vectorset") == 0 ? "Redis (vector set)" : NULL;
}

/* ---------------------------------------------------------------- a row's own fields */

static void plain_item(struct rebuild *r, const struct module_row *row, const struct rdb_element *e)
{
    if (e->role != RDB_R_MODULE_STRING || e->len < row->least)
        return;
    zmalloc(r->z, e->len, ZL_MODULE);
    if (row->beside)
        zmalloc(r->z, row->beside, ZL_MODULE);
}

static void plain_end(struct rebuild *r, const struct module_walk *w)
{
    const struct module_row *row = w->row;
    if (row->in_array && w->strings)
        zmalloc(r->z, row->in_array * w->strings, ZL_MODULE);
    if (row->at_number && w->numbers)
        zmalloc_n(r->z, row->at_number, ZL_MODULE, w->numbers);
    if (row->elements >= 0 && (unsigned)row->elements < w->nfields)
        r->k->elements = w->field[row->elements];
}

/* ---------------------------------------------------------------- t-digest */

static void tdigest_item(struct rebuild *r, struct module_walk *w, const struct rdb_element *e)
{
    (void)r;
    if (w->items == 0 && e->role == RDB_R_MODULE_DOUBLE)
        w->compression = e->u.score;
    if (w->items == 3 && e->role == RDB_R_MODULE_SINT)
        w->capacity = e->num;
}

/* Two arrays of the capacity that follows from the compression; only what came, when the file contradicts itself. */
static void tdigest_end(struct rebuild *r, struct module_walk *w, const struct rdb_element *e)
{
    (void)e;
    uint64_t nodes = w->numbers > TDIGEST_HEAD ? (w->numbers - TDIGEST_HEAD) / 2 : 0;
    r->k->elements = nodes;
    if (w->compression > 0 && w->compression < INT32_MAX / 6 && w->capacity == 6 * (int64_t)w->compression + 10)
        nodes = (uint64_t)w->capacity;
    else
        w->failed = true;
    if (nodes)
        zmalloc_n(r->z, 8 * nodes, ZL_MODULE, 2);
}

/* ---------------------------------------------------------------- those with files of their own */

static void json_item(struct rebuild *r, struct module_walk *w, const struct rdb_element *e)
{
    struct rdb_cursor c;
    if (w->items == 0)
        json_begin(&w->u.json, r);
    if (w->encver < 2) {
        json_node_item(&w->u.json, e);
        return;
    }
    if (w->items > 0) /* encver 2: where RediSearch had it indexed */
        return;
    if (e->role != RDB_R_MODULE_STRING || !rdb_element_open(r->p, e, &c))
        w->failed = true;
    else if (w->encver == 4)
        json_cbor_document(&w->u.json, &c);
    else
        json_text_document(&w->u.json, &c);
}

static void json_end(struct rebuild *r, struct module_walk *w, const struct rdb_element *e)
{
    (void)r;
    (void)e;
    w->failed = w->failed || w->items == 0 || w->u.json.failed || w->u.json.depth > 0;
}

static void series_step(struct rebuild *r, struct module_walk *w, const struct rdb_element *e)
{
    if (w->items == 0)
        series_begin(&w->u.series, r, w->encver);
    series_item(&w->u.series, e);
}

static void series_finish(struct rebuild *r, struct module_walk *w, const struct rdb_element *e)
{
    (void)e;
    if (w->items == 0)
        series_begin(&w->u.series, r, w->encver);
    w->failed = !series_end(&w->u.series);
}

/* ---------------------------------------------------------------- a value */

static void one_item(struct rebuild *r, struct module_walk *w, const struct rdb_element *e)
{
    uint64_t len = e->role == RDB_R_MODULE_STRING ? e->len : NUMBER;
    w->bytes += len;
    r->k->payload += len;
    if (e->role == RDB_R_MODULE_STRING) {
        note_largest(r, len);
        w->strings++;
    } else {
        w->numbers++;
        if (w->nfields < FIELDS && e->role == RDB_R_MODULE_UINT)
            w->field[w->nfields++] = (uint64_t)e->num;
    }
    if (w->row && w->row->item)
        w->row->item(r, w, e);
    else if (w->row)
        plain_item(r, w->row, e);
    w->items++;
}

/* Not below what was saved, or it would not be the bound that it is called. */
static void lower_bound(struct rebuild *r, const struct module_walk *w, uint64_t charged)
{
    r->k->flags |= KEY_LOWER_BOUND;
    if (w->bytes > charged)
        zcharge(r->z, (double)(w->bytes - charged), 0, ZL_MODULE);
}

static void walk_items(struct rebuild *r, struct module_walk *w)
{
    struct rdb_element el[BATCH];
    bool more = true;
    r->opens_strings = w->row && w->row->item == json_item;
    while (more) {
        size_t n = elements_next(r, el, BATCH, &more);
        for (size_t i = 0; i < n; i++)
            one_item(r, w, &el[i]);
    }
    r->opens_strings = false;
    if (w->row && w->row->end)
        w->row->end(r, w, NULL);
    else if (w->row)
        plain_end(r, w);
}

void module_estimate(struct rebuild *r, const char *name, int encver)
{
    struct module_walk w;
    memset(&w, 0, offsetof(struct module_walk, u));
    w.row = row_of(name);
    if (w.row && (encver < w.row->encver_min || encver > w.row->encver_max))
        w.row = NULL;
    w.encver = encver;
    zmalloc(r->z, MODULE_VALUE, ZL_MODULE);
    uint64_t before = r->z->key_used;
    if (w.row && w.row->base)
        zmalloc(r->z, w.row->base, ZL_MODULE);
    walk_items(r, &w);
    if (w.row && !w.failed)
        r->k->flags |= KEY_ESTIMATE;
    else
        lower_bound(r, &w, r->z->key_used - before);
}
