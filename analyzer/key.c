/*
 * key.c - what a key's name, its expiry, its place in the keyspace and its value object cost.
 *
 * One function a rule (enum key_rule); db.c dbAddRDBLoad, setExpire, object.c of the servers.
 */
#include "analyzer/rebuild.h"
#include "analyzer/sizes.h"

enum { ROBJ = 16, EXPIRE = 8, KVOBJ_EXPIRE_KEY = 128 /* keys this long always reserve the expiry */ };

static bool policy_unshares(const struct rebuild *r)
{
    switch (r->pf->share) {
    case SHARE_LRU_TEXT: return r->lru;
    case SHARE_LFU_TEXT:
    case SHARE_POLICY: return r->lru || r->lfu;
    default: return true;
    }
}

bool integer_is_shared(const struct rebuild *r, int64_t v, bool from_text)
{
    if (v < 0 || v >= 10000 || r->pf->share == SHARE_NEVER) /* server.h OBJ_SHARED_INTEGERS */
        return false;
    if (!from_text && r->pf->share != SHARE_POLICY)
        return true; /* createStringObjectFromLongLong up to 4.0 does not ask for the policy */
    return !policy_unshares(r);
}

/* The value object in a block of its own, for the rules that have one. */
static void own_object(struct rebuild *r, enum string_kind kind, uint64_t len)
{
    struct value_stats *st = &r->st;
    switch (kind) {
    case STR_INT_SHARED:
        st->obj_req = ROBJ;
        st->obj_zs = 0;
        r->k->encoding = ENC_INT;
        return;
    case STR_INT:
        st->obj_req = ROBJ;
        r->k->encoding = ENC_INT;
        break;
    case STR_INT_IN_EMBSTR:
        st->obj_req = ROBJ + 3 + len + 1;
        r->k->encoding = ENC_INT;
        break;
    case STR_SHORT:
        st->obj_req = ROBJ + 3 + len + 1;
        st->embedded = true;
        r->k->encoding = ENC_EMBSTR;
        break;
    case STR_RAW:
        st->obj_req = ROBJ;
        r->k->encoding = ENC_RAW;
        break;
    }
    st->obj_zs = zmalloc(r->z, st->obj_req, ZL_ROBJ);
    if (kind == STR_RAW)
        st->str_zs = zmalloc(r->z, sds_request(r->pf, len), ZL_STRING);
}

/* KEY_SDS, KEY_IN_ENTRY: name and entry apart from the object */
static void entry_and_name(struct rebuild *r)
{
    const struct profile *pf = r->pf;
    struct value_stats *st = &r->st;
    if (pf->key_rule == KEY_IN_ENTRY) { /* an empty name was read as a type 8 sds */
        uint64_t name = r->key_len ? sds_header_embedded(pf, r->key_len) + r->key_len + 1 : 4;
        st->key_req = (uint64_t)pf->main_entry + name;
        st->key_zs = zmalloc(r->z, st->key_req, ZL_KEY);
    } else {
        st->key_req = sds_request(pf, r->key_len);
        st->key_zs = zmalloc(r->z, st->key_req, ZL_KEY);
        zmalloc(r->z, (uint64_t)(pf->main_entry + (pf->cluster ? pf->cluster_entry : 0)), ZL_ENTRY);
    }
    if (r->ttl)
        zmalloc(r->z, (uint64_t)pf->shared_expires_entry, ZL_EXPIRE);
}

static uint64_t name_with_size_byte(const struct rebuild *r)
{
    return 1 + sds_header_embedded(r->pf, r->key_len) + r->key_len + 1;
}

static void object_block(struct rebuild *r, uint64_t request)
{
    r->st.obj_req = request;
    r->st.obj_zs = zmalloc(r->z, request, ZL_KEY);
}

static void raw_value(struct rebuild *r, uint64_t len)
{
    r->k->encoding = ENC_RAW;
    r->st.str_zs = zmalloc(r->z, sds_request(r->pf, len), ZL_STRING);
}

static void embedded_value(struct rebuild *r)
{
    r->k->encoding = ENC_EMBSTR;
    r->st.embedded = true;
}

/* ---------------------------------------------------------------- Redis 8.2+: kvobj (object.c kvobjCreate) */

static void kvobj_plain(struct rebuild *r)
{
    object_block(r, ROBJ + (r->ttl || r->key_len >= KVOBJ_EXPIRE_KEY ? (uint64_t)EXPIRE : 0) + name_with_size_byte(r));
}

/* kvobjCreateEmbedString's estimate supposes a one-byte header; 8.6 left the expiry out of it */
static bool kvobj_embeds(const struct rebuild *r, uint64_t len)
{
    uint64_t expire = r->ttl && r->pf->key_rule == KEY_KVOBJ_82 ? EXPIRE : 0;
    return ROBJ + (r->key_len + 3) + expire + 4 + len <= 64;
}

static void kvobj_string(struct rebuild *r, enum string_kind kind, uint64_t len)
{
    if (kind == STR_INT) {
        kvobj_plain(r);
        r->k->encoding = ENC_INT;
    } else if (kind == STR_SHORT && kvobj_embeds(r, len)) {
        object_block(r, ROBJ + (r->ttl ? (uint64_t)EXPIRE : 0) + name_with_size_byte(r) + 3 + len + 1);
        embedded_value(r);
    } else {
        kvobj_plain(r);
        raw_value(r, len);
    }
}

/* ---------------------------------------------------------------- Valkey 8.1+ (object.c createObjectWithKeyAndExpire) */

/* Inserted without expiry, which then goes into spare room or makes a larger block. */
static void robj_plain(struct rebuild *r)
{
    uint64_t request = ROBJ + name_with_size_byte(r) + (r->key_len >= KVOBJ_EXPIRE_KEY ? (uint64_t)EXPIRE : 0);
    bool spare = r->key_len >= KVOBJ_EXPIRE_KEY || zusable(r->z, request) >= request + EXPIRE;
    object_block(r, r->ttl && !spare ? ROBJ + EXPIRE + name_with_size_byte(r) : request);
}

static bool robj_embeds(const struct rebuild *r, uint64_t len, bool expire)
{
    uint64_t e = expire ? EXPIRE : 0, name = name_with_size_byte(r);
    switch (r->pf->key_rule) {
    case KEY_IN_ROBJ_81: return ROBJ + (r->key_len + 3) + e + 4 + len <= 64;
    case KEY_IN_ROBJ_90: return ROBJ + name + e + 4 + len <= 64;
    default: return len <= 255 && 8 + name + e + 4 + len <= 128; /* 9.1 shouldEmbedStringObject */
    }
}

static uint64_t robj_embedded_request(const struct rebuild *r, uint64_t len, bool expire)
{
    uint64_t value = 4 + len, base = ROBJ;
    if (r->pf->key_rule == KEY_IN_ROBJ_91) { /* the pointer's 8 bytes are reused, and kept free for un-embedding */
        base = 8;
        value = value < 8 ? 8 : value;
    }
    return base + name_with_size_byte(r) + value + (expire ? (uint64_t)EXPIRE : 0);
}

static void robj_string(struct rebuild *r, enum string_kind kind, uint64_t len)
{
    if (kind == STR_INT) {
        robj_plain(r);
        r->k->encoding = ENC_INT;
        return;
    }
    if (kind == STR_SHORT && robj_embeds(r, len, false)) {
        uint64_t request = robj_embedded_request(r, len, false);
        bool spare = zusable(r->z, request) >= request + EXPIRE;
        if (!r->ttl || spare || robj_embeds(r, len, true)) {
            object_block(r, r->ttl && !spare ? request + EXPIRE : request);
            embedded_value(r);
            return;
        }
    }
    robj_plain(r);
    raw_value(r, len);
}

/* ---------------------------------------------------------------- entry points */

void key_alloc_string(struct rebuild *r, enum string_kind kind, uint64_t len)
{
    r->st.str_len = len;
    switch (r->pf->key_rule) {
    case KEY_SDS:
    case KEY_IN_ENTRY:
        entry_and_name(r);
        own_object(r, kind, len);
        break;
    case KEY_KVOBJ_82:
    case KEY_KVOBJ_86: kvobj_string(r, kind, len); break;
    default: robj_string(r, kind, len); break;
    }
}

void key_alloc(struct rebuild *r)
{
    switch (r->pf->key_rule) {
    case KEY_SDS:
    case KEY_IN_ENTRY:
        entry_and_name(r);
        r->st.obj_req = ROBJ;
        r->st.obj_zs = zmalloc(r->z, ROBJ, ZL_ROBJ);
        break;
    case KEY_KVOBJ_82:
    case KEY_KVOBJ_86: kvobj_plain(r); break;
    default: robj_plain(r); break;
    }
}
