/*
 * module.c - values of modules: a list of tagged items, readable without the module.
 *
 *     LEN 1  LEN         signed integer (two's complement)
 *     LEN 2  LEN         unsigned integer
 *     LEN 3  f32         float
 *     LEN 4  f64         double
 *     LEN 5  STR         string
 *     LEN 0              end
 *
 * rdb.c rdbLoadCheckModuleValue; the same items stand in MODULE_AUX and KEY_META. The id in front is nine 6-bit
 * symbols and ten bits of encoding version (module.c moduleTypeEncodeId).
 */
#include "rdb/internal.h"

enum { ITEM_END, ITEM_SINT, ITEM_UINT, ITEM_FLOAT, ITEM_DOUBLE, ITEM_STRING };

int rdb_module_name(uint64_t id, char name[10])
{
    static const char symbols[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int encver = (int)(id & 1023);
    id >>= 10;
    for (int i = 8; i >= 0; i--) {
        name[i] = symbols[id & 63];
        id >>= 6;
    }
    name[9] = '\0';
    return encver;
}

static bool bad_item(struct rdb_parser *p, const uint8_t *at, uint64_t item)
{
    return rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, at), "expected a module item 0 to 5, found %llu",
                    (unsigned long long)item);
}

/* The number items. The look covers opcode and payload. */
static void take_number(struct rdb_parser *p, struct rdb_element *e, uint64_t item)
{
    e->data = NULL;
    e->len = 0;
    e->form = RDB_F_NUM;
    if (item == ITEM_SINT || item == ITEM_UINT) {
        e->role = item == ITEM_SINT ? RDB_R_MODULE_SINT : RDB_R_MODULE_UINT;
        e->num = (int64_t)rdb_take_len(p);
    } else if (item == ITEM_FLOAT) {
        float f;
        memcpy(&f, p->r.p, 4);
        p->r.p += 4;
        e->role = RDB_R_MODULE_FLOAT;
        e->u.score = (double)f;
    } else {
        e->role = RDB_R_MODULE_DOUBLE;
        e->u.score = rdb_take_double(p);
    }
}

size_t rdb_fill_module(struct rdb_parser *p, struct rdb_element *out, size_t cap)
{
    size_t n = 0;
    while (n < cap) {
        if (!rdb_look_item(p, n, "a module item"))
            return n;
        const uint8_t *at = p->r.p;
        uint64_t item = rdb_take_len(p);
        if (item == ITEM_END) {
            if (p->state != RDB_S_FAILED)
                p->v.open = rdb_over(p, "a module item");
            return n;
        }
        if (item > ITEM_STRING) {
            bad_item(p, at, item);
            return n;
        }
        if (item != ITEM_STRING) {
            take_number(p, &out[n], item);
            if (p->state == RDB_S_FAILED || rdb_over(p, "a module item"))
                return n;
            n++;
            continue;
        }
        out[n].role = RDB_R_MODULE_STRING;
        out[n].pack = RDB_PACK_NONE;
        enum rdb_take how = rdb_take_string(p, &out[n], n, 0);
        if (how == RDB_TAKE_STOP)
            p->r.p = at;
        if (how != RDB_TAKE_OK)
            return n + (how == RDB_TAKE_BIG);
        n++;
    }
    return n;
}

bool rdb_module_skip(struct rdb_parser *p)
{
    for (;;) {
        if (!rdb_look(p, "a module item"))
            return false;
        const uint8_t *at = p->r.p;
        uint64_t item = rdb_take_len(p);
        switch (item) {
        case ITEM_END: return p->state != RDB_S_FAILED && !rdb_over(p, "a module item");
        case ITEM_SINT:
        case ITEM_UINT: (void)rdb_take_len(p); break;
        case ITEM_FLOAT: p->r.p += 4; break;
        case ITEM_DOUBLE: p->r.p += 8; break;
        case ITEM_STRING:
            if (!rdb_skip_string(p))
                return false;
            break;
        default: return bad_item(p, at, item);
        }
        if (p->state == RDB_S_FAILED)
            return false;
    }
}
