/*
 * module_estimate.c - one row a known module type: how its memory follows from what it saved.
 */
#include "analyzer/module_estimate.h"

#include <string.h>

struct module_row {
    const char *type; /* nine characters of the id */
    const char *product;
    uint64_t base;       /* structs of an empty value */
    uint64_t per_string; /* structs beside each saved string */
    uint64_t per_number;
    unsigned text_permille; /* memory per 1000 bytes of saved text, for values kept in another form than saved */
    int count_field;        /* which of the first numbers is the element count, -1: none */
};

/* Layouts as documented for the modules' rdb_save functions. JSON text: a tree of small nodes takes two to three times
 * its text; bit arrays and counters are kept as they are saved. */
static const struct module_row rows[] = {
    {"ReJSON-RL", "RedisJSON", 16, 0, 0, 2600, -1},
    {"TSDB-TYPE", "RedisTimeSeries", 400, 64, 0, 1000, -1},
    {"MBbloom--", "RedisBloom (Bloom filter)", 40, 80, 0, 1000, 0},
    {"MBbloomCF", "RedisBloom (cuckoo filter)", 72, 32, 0, 1000, 2},
    {"CMSk-TYPE", "RedisBloom (count-min sketch)", 40, 0, 0, 1000, 2},
    {"TopK-TYPE", "RedisBloom (top-k)", 72, 16, 0, 1000, 0},
    {"TDIS-TYPE", "RedisBloom (t-digest)", 104, 0, 8, 1000, -1},
    {"bloomfltr", "valkey-bloom", 64, 80, 0, 1000, -1},
    {"exstrtype", "TairString", 24, 24, 0, 1000, -1},
    {"tairhash-", "TairHash", 80, 40, 8, 1000, 0},
    {"tairzset_", "TairZset", 80, 64, 24, 1000, 0},
};

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
    return row ? row->product : NULL;
}

void module_estimate_begin(struct module_estimate *m, const char *name, int encver)
{
    memset(m, 0, sizeof *m);
    m->row = row_of(name);
    m->known = m->row != NULL;
    m->encver = encver;
}

void module_estimate_item(struct module_estimate *m, const struct rdb_element *e)
{
    m->items++;
    if (e->role == RDB_R_MODULE_STRING) {
        m->strings++;
        m->string_bytes += e->len;
        return;
    }
    m->numbers++;
    if (m->nfields < 16 && e->role == RDB_R_MODULE_UINT)
        m->field[m->nfields++] = (uint64_t)e->num;
}

uint64_t module_estimate_end(struct module_estimate *m, const struct allocator *a)
{
    const struct module_row *row = m->row;
    if (row == NULL) {
        m->estimate = m->string_bytes + 8 * m->numbers;
        return m->estimate;
    }
    if (row->count_field >= 0 && (unsigned)row->count_field < m->nfields)
        m->elements = m->field[row->count_field];
    uint64_t text = m->string_bytes / 1000 * row->text_permille + m->string_bytes % 1000 * row->text_permille / 1000;
    uint64_t average = m->strings ? text / m->strings : 0;
    uint64_t rounding = m->strings ? (allocator_usable(a, average) - average) * m->strings : 0;
    m->estimate =
        allocator_usable(a, row->base) + text + rounding + row->per_string * m->strings + row->per_number * m->numbers;
    return m->estimate;
}
