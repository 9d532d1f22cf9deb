/*
 * keyspace.c - growth of the databases' tables while keys are loaded (db.c, kvstore.c, dict.c, hashtable.c).
 */
#include "analyzer/keyspace.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/sizes.h"

bool keyspace_init(struct keyspace *ks, const struct profile *pf, struct zheap *z)
{
    memset(ks, 0, sizeof *ks);
    ks->pf = pf;
    ks->z = z;
    ks->dbs = calloc(KEYSPACE_DBS, sizeof *ks->dbs);
    if (ks->dbs == NULL)
        return false;
    if (pf->cluster && pf->cluster_slots == 4 && !(ks->slots = calloc(KEYSPACE_SLOTS, sizeof *ks->slots)))
        return false;
    if (pf->cluster && pf->cluster_slots == 2 && !(ks->slot_names = key_set_new()))
        return false;
    return true;
}

void keyspace_free(struct keyspace *ks)
{
    free(ks->dbs);
    free(ks->slots);
    key_set_free(ks->slot_names);
}

static bool slot_list(const struct profile *pf)
{
    return pf->cluster && pf->cluster_slots == 1;
}

/* ---------------------------------------------------------------- blocks of the server */

static void take(struct keyspace *ks, struct keyspace_table *kt, uint64_t request)
{
    uint64_t usable = zmalloc(ks->z, request, ZL_KEYSPACE);
    kt->bytes += usable;
    ks->bytes += usable;
}

static void give_back(struct keyspace *ks, struct keyspace_table *kt, uint64_t request)
{
    uint64_t usable = zusable(ks->z, request);
    zfree(ks->z, request, ZL_KEYSPACE);
    kt->bytes -= usable;
    ks->bytes -= usable;
}

static void server_begin(struct keyspace *ks)
{
    if (ks->z->slabs)
        slabs_server(ks->z->slabs);
}

/* Arrays and list nodes that a step from `was` to the present state made or freed. */
static void follow(struct keyspace *ks, struct keyspace_table *kt, const struct table *was)
{
    const struct table *t = &kt->t;
    if (was->size == t->size && was->next == t->next)
        return;
    server_begin(ks);
    uint64_t node = (uint64_t)ks->pf->rehash_node;
    if (was->size == 0 && t->size)
        take(ks, kt, table_array(t, t->size));
    else if (!was->next && !t->next && was->size != t->size) { /* an empty array was replaced */
        take(ks, kt, table_array(t, t->size));
        give_back(ks, kt, table_array(t, was->size));
    }
    if (was->next && (!t->next || t->size != was->size)) { /* the rehash ended */
        give_back(ks, kt, table_array(t, was->size));
        if (node)
            give_back(ks, kt, node);
    }
    if (t->next && t->next != was->next) { /* one began */
        take(ks, kt, table_array(t, t->next));
        if (node)
            take(ks, kt, node);
    }
}

static void make(struct keyspace *ks, struct keyspace_table *kt, int header)
{
    if (kt->made)
        return;
    kt->made = true;
    table_init(&kt->t, ks->pf);
    kt->t.hashtable = ks->pf->keyspace == KEYSPACE_HASHTABLE;
    if (header && ks->pf->keyspace != KEYSPACE_DICT) {
        server_begin(ks);
        take(ks, kt, (uint64_t)header);
    }
}

/* ---------------------------------------------------------------- databases and hints */

/* Valkey 9.1 db.c createDatabase: the database; struct, table pointer, table of importing slots and list of rehashing
 * tables of its three kvstores; four dicts. */
static void database_structs(struct keyspace *ks)
{
    static const struct {
        uint16_t request, count;
    } blocks[] = {{96, 1}, {112, 3}, {8, 3}, {80, 3}, {48, 3}, {56, 4}};
    server_begin(ks);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        for (unsigned n = 0; n < blocks[i].count; n++)
            take(ks, &ks->current->keys, blocks[i].request);
}

void keyspace_select(struct keyspace *ks, uint32_t db)
{
    for (size_t i = 0; i < ks->ndbs; i++) {
        if (ks->dbs[i].db == db) {
            ks->current = &ks->dbs[i];
            return;
        }
    }
    if (ks->ndbs < KEYSPACE_DBS)
        ks->ndbs++; /* beyond the limit databases share the last one */
    ks->current = &ks->dbs[ks->ndbs - 1];
    ks->current->db = db;
    if (ks->pf->db_on_demand && db > 0)
        database_structs(ks);
}

/* Counts the keys that came since quiet was granted. */
static void catch_up(struct keyspace_table *kt)
{
    uint64_t came = kt->granted - kt->quiet;
    kt->t.used += came;
    kt->owed += (double)came * kt->rate;
    kt->granted = kt->quiet = 0;
}

static void hint_table(struct keyspace *ks, struct keyspace_table *kt, int header, uint64_t n, bool always)
{
    const struct profile *pf = ks->pf;
    catch_up(kt);
    if (n == 0 && !pf->hint_zero && !always)
        return;
    make(ks, kt, header);
    struct table was = kt->t;
    if (n > (1ULL << 40))
        n = 1ULL << 40; /* a server would refuse; nothing is allocated here anyway */
    if (n > 0 || pf->hint_zero)
        table_expand(&kt->t, n);
    follow(ks, kt, &was);
}

void keyspace_hint(struct keyspace *ks, uint64_t keys, uint64_t expires)
{
    if (ks->current == NULL)
        keyspace_select(ks, 0);
    ks->size_hint = true;
    if (!ks->pf->hint || ks->slots)
        return;
    hint_table(ks, &ks->current->keys, ks->pf->keys_header, keys, false);
    hint_table(ks, &ks->current->expires, ks->pf->expires_header, expires, ks->pf->expires_header_always);
}

void keyspace_slot_hint(struct keyspace *ks, uint64_t slot, uint64_t keys, uint64_t expires, uint64_t fields)
{
    if (ks->slots == NULL || slot >= KEYSPACE_SLOTS)
        return;
    struct keyspace_slot *s = &ks->slots[slot];
    ks->slot_hints = true;
    s->hint_keys = keys > UINT32_MAX ? UINT32_MAX : (uint32_t)keys;
    s->hint_expires = expires > UINT32_MAX ? UINT32_MAX : (uint32_t)expires;
    s->hint_fields = fields > UINT32_MAX ? UINT32_MAX : (uint32_t)fields;
}

/* ---------------------------------------------------------------- blocks that chance decides */

static uint64_t chance_request(const struct profile *pf, bool hashtable)
{
    return hashtable ? 64 : (uint64_t)pf->collision;
}

double keyspace_chance(const struct keyspace_table *kt, const struct profile *pf, const struct allocator *a,
                       uint64_t used, bool shared_buckets, double *variance)
{
    struct table t = kt->t;
    double blocks, size;
    *variance = 0;
    if (!kt->made || (!t.hashtable && !shared_buckets))
        return 0;
    t.used = used;
    blocks = t.hashtable ? table_children(&t, variance) : table_collisions(&t, variance);
    size = (double)allocator_usable(a, chance_request(pf, t.hashtable));
    *variance *= size * size;
    return blocks > 0 ? blocks * size : 0;
}

/* Colliding entries and child buckets come with the keys, and go with them: the slab model gets them at the rate at which
 * their expectation grows, looked at every STRIDE keys. */
enum { STRIDE = 256 };

static bool places_chance(const struct keyspace *ks, const struct keyspace_table *kt, bool shared_buckets)
{
    return kt->made && ks->z->slabs && (kt->t.hashtable || shared_buckets);
}

static void place_chance(struct keyspace *ks, struct keyspace_table *kt, bool shared_buckets)
{
    if (!places_chance(ks, kt, shared_buckets))
        return;
    if (kt->t.used % STRIDE == 0) {
        struct table soon = kt->t;
        double variance;
        soon.used += STRIDE;
        double want = soon.hashtable ? table_children(&soon, &variance) : table_collisions(&soon, &variance);
        kt->rate = want > kt->placed ? (want - kt->placed) / STRIDE : 0;
    }
    kt->owed += kt->rate;
    if (kt->owed >= 1) {
        zplace(ks->z, chance_request(ks->pf, kt->t.hashtable), 1);
        kt->owed -= 1;
        kt->placed += 1;
    }
}

/* ---------------------------------------------------------------- keys */

static void insert(struct keyspace *ks, struct keyspace_table *kt, int header, double extra)
{
    make(ks, kt, header);
    struct table *t = &kt->t;
    if (t->next == 0 && t->used < t->size) { /* room in either kind of table */
        t->used++;
        return;
    }
    struct table was = *t;
    table_insert(t, 1, extra);
    follow(ks, kt, &was);
}

/* 3.2 in cluster mode (db.c slotToKeyAdd): a node of the skiplist of slots for each key, and the name as the file's
 * reader made it, an object and a string. */
static void slot_node(struct keyspace *ks, const struct rdb_bytes *name)
{
    enum { OBJECT = 16 };
    const struct profile *pf = ks->pf;
    struct node_cost c = skiplist_node_cost(ks->z, pf, 0); /* it points to the name */
    server_begin(ks);
    take(ks, &ks->current->keys, OBJECT);
    take(ks, &ks->current->keys, sds_request(pf, name->full_len));
    zcharge(ks->z, c.mean, c.variance, ZL_KEYSPACE);
    zplace(ks->z, skiplist_node_request(pf, 0, 1), 1); /* three of four have one level */
    ks->slot_nodes += c.mean;
    ks->variance += c.variance;
}

/* How many keys will change nothing but counts: those before the table is full or placing a block is due. */
static void grant_quiet(const struct keyspace *ks, struct keyspace_table *kt, bool shared_buckets)
{
    const struct table *t = &kt->t;
    if (t->next != 0 || ks->slot_names || slot_list(ks->pf))
        return;
    uint64_t n = table_room(t);
    if (places_chance(ks, kt, shared_buckets)) {
        double due = kt->rate > 0 ? (1 - kt->owed) / kt->rate - 1 : STRIDE;
        uint64_t stride = (STRIDE - t->used % STRIDE) % STRIDE;
        n = n < stride ? n : stride;
        if (due < (double)n)
            n = due < 1 ? 0 : (uint64_t)due;
    }
    kt->granted = kt->quiet = n;
}

void keyspace_key(struct keyspace *ks, bool ttl, bool field_ttl, unsigned slot, const struct rdb_bytes *name)
{
    const struct profile *pf = ks->pf;
    if (ks->current == NULL)
        keyspace_select(ks, 0);
    if (ks->slots) {
        ks->slots[slot].keys++;
        ks->slots[slot].expires += ttl;
        ks->slots[slot].fields += field_ttl;
        return;
    }
    if (ks->slot_names) {
        uint8_t key[2 + 1024];
        size_t len = name->len < 1024 ? name->len : 1024;
        key[0] = (uint8_t)(slot >> 8);
        key[1] = (uint8_t)slot;
        memcpy(key + 2, name->data, len);
        key_set_add(ks->slot_names, key, len + 2);
    }
    if (slot_list(pf))
        slot_node(ks, name);
    struct keyspace_db *db = ks->current;
    bool shared = pf->main_entry == 0, expires_shared = pf->shared_expires_entry == 0;
    catch_up(&db->keys);
    place_chance(ks, &db->keys, shared);
    if (ttl) {
        catch_up(&db->expires);
        place_chance(ks, &db->expires, expires_shared);
    }
    insert(ks, &db->keys, pf->keys_header, ttl && pf->step_per_ttl ? 1 : 0);
    grant_quiet(ks, &db->keys, shared);
    if (ttl) {
        insert(ks, &db->expires, pf->expires_header, 0);
        grant_quiet(ks, &db->expires, expires_shared);
    }
    if (field_ttl && pf->volatile_set)
        insert(ks, &db->fields, pf->keys_header, 0);
}

/* ---------------------------------------------------------------- the end */

/* Entries that share buckets, or child buckets: by expectation. */
static void charge_chance(struct keyspace *ks, struct keyspace_table *kt, bool shared_buckets)
{
    double variance;
    kt->chance = keyspace_chance(kt, ks->pf, ks->z->a, kt->t.used, shared_buckets, &variance);
    if (kt->chance <= 0)
        return;
    zcharge(ks->z, kt->chance, variance, ZL_KEYSPACE);
    ks->bytes += (uint64_t)(kt->chance + 0.5);
    ks->variance += variance;
}

static void finish_rehash(struct keyspace *ks, struct keyspace_table *kt)
{
    struct table was = kt->t;
    if (!was.next)
        return;
    kt->t.size = kt->t.next;
    kt->t.next = 0;
    kt->t.left = 0;
    follow(ks, kt, &was);
}

static void finish_table(struct keyspace *ks, struct keyspace_table *kt, bool shared_buckets)
{
    if (!kt->made)
        return;
    catch_up(kt);
    finish_rehash(ks, kt);
    charge_chance(ks, kt, shared_buckets);
}

static void slot_table(struct keyspace *ks, struct keyspace_table *sum, int header, uint64_t n, uint64_t hint,
                       bool hinted)
{
    if (n == 0 && !hinted)
        return;
    struct keyspace_table kt = {0};
    make(ks, &kt, header);
    struct table was = kt.t;
    if (hinted && hint)
        table_expand(&kt.t, hint);
    table_insert(&kt.t, n, 0);
    if (kt.t.next) {
        kt.t.size = kt.t.next;
        kt.t.next = 0;
    }
    follow(ks, &kt, &was);
    charge_chance(ks, &kt, ks->pf->main_entry == 0);
    sum->bytes += kt.bytes;
    sum->chance += kt.chance;
}

/* Cluster mode: one table a slot, of keys and of expires (kvstore.c). */
static void finish_slots(struct keyspace *ks)
{
    const struct profile *pf = ks->pf;
    bool every = pf->hint && pf->slot_hint && ks->size_hint && !ks->slot_hints && pf->keyspace == KEYSPACE_KVSTORE;
    server_begin(ks);
    for (size_t i = 0; i < KEYSPACE_SLOTS; i++) {
        const struct keyspace_slot *s = &ks->slots[i];
        bool hinted = (pf->slot_hint && s->hint_keys) || every;
        bool dicts = hinted && pf->keyspace == KEYSPACE_KVSTORE; /* both are made, a hashtable only when not empty */
        slot_table(ks, &ks->current->keys, pf->keys_header, s->keys, s->hint_keys, hinted);
        slot_table(ks, &ks->current->expires, pf->expires_header, s->expires, s->hint_expires,
                   dicts || (hinted && s->hint_expires));
        if (pf->volatile_set)
            slot_table(ks, &ks->current->fields, pf->keys_header, s->fields, s->hint_fields, hinted && s->hint_fields);
    }
}

void keyspace_finish(struct keyspace *ks, struct rebuild *r)
{
    server_begin(ks);
    for (size_t i = 0; i < ks->ndbs; i++) {
        finish_table(ks, &ks->dbs[i].keys, ks->pf->main_entry == 0);
        finish_table(ks, &ks->dbs[i].expires, ks->pf->shared_expires_entry == 0);
        finish_table(ks, &ks->dbs[i].fields, false);
    }
    if (ks->slots && ks->current)
        finish_slots(ks);
    if (ks->current && ks->slot_nodes > 0) {
        ks->current->keys.chance += ks->slot_nodes;
        ks->bytes += (uint64_t)(ks->slot_nodes + 0.5);
    }
    if (ks->slot_names && ks->current && key_set_count(ks->slot_names)) {
        struct rax_sum sum = {0, 0, 0};
        key_set_rax(r, ks->slot_names, 24, false, NULL, &sum);
        ks->slot_index = sum.usable;
        ks->current->keys.bytes += sum.usable;
        ks->bytes += sum.usable;
    }
}

/* ---------------------------------------------------------------- slots */

static uint16_t crc16(const uint8_t *p, size_t n)
{
    uint16_t crc = 0;
    while (n--) {
        crc = (uint16_t)(crc ^ (*p++ << 8));
        for (int i = 0; i < 8; i++)
            crc = (uint16_t)(crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
    return crc;
}

unsigned keyspace_slot_of(const uint8_t *name, size_t len)
{
    const uint8_t *open = memchr(name, '{', len);
    if (open) {
        size_t rest = len - (size_t)(open - name) - 1;
        const uint8_t *close = memchr(open + 1, '}', rest);
        if (close && close > open + 1)
            return crc16(open + 1, (size_t)(close - open) - 1) & (KEYSPACE_SLOTS - 1);
    }
    return crc16(name, len) & (KEYSPACE_SLOTS - 1);
}
