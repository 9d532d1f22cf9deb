/*
 * pack.c - what the four packed containers have in common: open, next, sum.
 *
 * A container is checked while it is walked: its header at open, each entry at next, counts and end at the last next.
 * A walk never reads behind the cursor's bytes, whatever the container says about itself.
 *
 * Sums run over what lies contiguous with the tight loop of each kind, which stops before whatever is not plain: a
 * boundary, a long entry, damage. The careful next takes that one entry (or says what is wrong), and the tight loop
 * goes on.
 */
#include "rdb/internal.h"

void pack_note(struct rdb_pack *k, const char *what)
{
    if (k->damage)
        return;
    k->damage = k->c.damage ? k->c.damage : what;
    k->damage_at = rdb_cursor_tell(&k->c);
}

int pack_end(struct rdb_pack *k)
{
    if (rdb_cursor_tell(&k->c) != k->bytes)
        pack_damage(k, "expected the end at the last byte");
    else if (k->count != UINT64_MAX && k->count != k->seen)
        pack_damage(k, "expected as many entries as the header says");
    return k->damage ? -1 : 0;
}

bool rdb_pack_open(struct rdb_pack *k, enum rdb_pack_kind kind, const struct rdb_cursor *c, uint64_t total)
{
    *k = (struct rdb_pack){.c = *c, .kind = kind, .bytes = total, .count = UINT64_MAX};
    k->c.base -= rdb_cursor_tell(c); /* offsets count from the container's first byte */
    if (!pack_holds(k, total))
        return pack_damage(k, "expected all bytes of the container");
    switch (kind) {
    case RDB_PACK_ZIPMAP: return zipmap_open(k);
    case RDB_PACK_ZIPLIST: return ziplist_open(k);
    case RDB_PACK_INTSET: return intset_open(k);
    case RDB_PACK_LISTPACK: return listpack_open(k);
    case RDB_PACK_NONE: break;
    }
    return pack_damage(k, "expected a packed container");
}

int rdb_pack_next(struct rdb_pack *k, struct rdb_entry *e)
{
    if (RDB_UNLIKELY(k->damage != NULL))
        return -1;
    switch (k->kind) {
    case RDB_PACK_LISTPACK: return listpack_next(k, e);
    case RDB_PACK_ZIPLIST: return ziplist_next(k, e);
    case RDB_PACK_INTSET: return intset_next(k, e);
    case RDB_PACK_ZIPMAP: return zipmap_next(k, e);
    case RDB_PACK_NONE: break;
    }
    return -1;
}

int rdb_pack_sum(struct rdb_pack *k, struct rdb_pack_sum *sum)
{
    *sum = (struct rdb_pack_sum){0};
    for (;;) {
        struct rdb_entry e;
        if (k->kind == RDB_PACK_LISTPACK)
            listpack_sum(k, sum);
        else if (k->kind == RDB_PACK_ZIPLIST)
            ziplist_sum(k, sum);
        else if (k->kind == RDB_PACK_INTSET)
            intset_sum(k, sum);
        int rc = rdb_pack_next(k, &e);
        if (rc <= 0) {
            sum->entries = k->seen;
            return rc;
        }
        sum->payload += e.len;
        if (e.len > sum->longest)
            sum->longest = e.len;
    }
}
