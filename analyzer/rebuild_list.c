/*
 * rebuild_list.c - lists (rdb.c rdbLoadObject, quicklist.c, t_list.c listTypeTryConvertQuicklist).
 *
 * Nodes come whole from the file (types 14, 18) or are filled element by element (types 1, 10). With list-compress-depth
 * the inner nodes are LZF-compressed: a node that the file holds compressed has its length there; any other is built in
 * a scratch buffer, over which lzf_length does what the compressor would.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/lzf_length.h"
#include "analyzer/rebuild.h"
#include "analyzer/sizes.h"

enum {
    BATCH = 32,
    FILL_SAFETY = 8192,       /* quicklist.c SIZE_SAFETY_LIMIT */
    COMPRESS_MIN = 48,        /* MIN_COMPRESS_BYTES */
    COMPRESS_GAIN = 8,        /* MIN_COMPRESS_IMPROVE */
    NODE_BUFFER_MAX = 4 << 20 /* longer nodes are taken as they are */
};

struct list_node {
    uint64_t bytes;      /* requested, uncompressed */
    uint64_t compressed; /* LZF length, 0: does not compress */
    uint64_t elements;
    bool plain;
};

struct list_state {
    uint64_t elements, nodes;
    uint64_t depth;         /* list-compress-depth */
    struct list_node *held; /* the last `depth` nodes: they stay uncompressed if nothing follows */
    uint64_t nheld, first_held;
    struct list_node only; /* the first node, for the conversion to a bare listpack */
    struct list_node open; /* node being filled (types 1, 10) */
    bool has_open;
    size_t built; /* bytes of the open node in r->node */
};

/* ---------------------------------------------------------------- limits */

/* quicklist.c optimization_level: bytes a node may hold, 0: limited by count */
static uint64_t byte_limit(const struct profile *pf)
{
    static const uint32_t level[] = {4096, 8192, 16384, 32768, 65536};
    int64_t fill = pf->set[SET_LIST_SIZE];
    if (fill >= 0)
        return 0;
    return level[fill < -5 ? 4 : -fill - 1];
}

static uint64_t count_limit(const struct profile *pf)
{
    int64_t fill = pf->set[SET_LIST_SIZE];
    return fill == 0 ? 1 : (uint64_t)fill;
}

static bool is_large(const struct profile *pf, uint64_t len)
{
    if (pf->plain_rule == 0)
        return false;
    if (pf->plain_rule == 1)
        return len >= (1ULL << 30); /* packed_threshold */
    uint64_t limit = byte_limit(pf);
    return len > (limit ? limit : FILL_SAFETY);
}

static bool node_takes(const struct profile *pf, const struct list_node *n, uint64_t len)
{
    uint64_t overhead = pf->listpacks ? 8 : (uint64_t)(len < 254 ? 1 : 5) + (len < 64 ? 1 : len < 16384 ? 2 : 5);
    uint64_t size = n->bytes + len + overhead, limit = byte_limit(pf);
    if (n->plain)
        return false;
    return limit ? size <= limit : size <= FILL_SAFETY && n->elements + 1 <= count_limit(pf);
}

/* ---------------------------------------------------------------- finished nodes */

static void node_charge(struct rebuild *r, const struct list_node *n, bool compress)
{
    const struct profile *pf = r->pf;
    uint64_t request = n->bytes, first_word = n->bytes;
    if (compress && n->bytes >= COMPRESS_MIN && n->compressed && n->compressed + COMPRESS_GAIN < n->bytes) {
        request = (uint64_t)pf->quicklist_lzf + n->compressed;
        first_word = n->compressed;
    }
    zmalloc(r->z, (uint64_t)pf->quicklist_node, ZL_QUICKLIST_NODE);
    uint64_t usable = zmalloc(r->z, request, n->plain ? ZL_PLAIN_NODE : ZL_PACK);
    r->st.ql_nodes++;
    r->st.ql_entry_zs += usable;
    r->st.ql_first_word += first_word;
    r->st.ql_bytes += request;
}

/* Nodes are charged when it is known on which side of the compression depth they stand. The first one waits longer: it
 * may be the only one, and then there is no quicklist. */
static void node_push(struct rebuild *r, struct list_state *s, const struct list_node *n)
{
    s->nodes++;
    s->elements += n->elements;
    if (s->nodes == 1) {
        s->only = *n;
        return;
    }
    if (s->nodes == 2)
        node_charge(r, &s->only, false);
    if (s->held == NULL || s->nodes <= s->depth) {
        node_charge(r, n, false);
        return;
    }
    if (s->nheld == s->depth) {
        struct list_node *oldest = &s->held[s->first_held];
        node_charge(r, oldest, true);
        *oldest = *n;
        s->first_held = (s->first_held + 1) % s->depth;
        return;
    }
    s->held[(s->first_held + s->nheld++) % s->depth] = *n;
}

/* t_list.c listTypeTryConvertQuicklist */
static bool becomes_listpack(const struct rebuild *r, const struct list_state *s, bool tried)
{
    if (!r->pf->list_listpack || !tried || s->nodes != 1 || s->only.plain)
        return false;
    uint64_t limit = byte_limit(r->pf);
    return limit ? s->only.bytes <= limit : s->only.elements <= count_limit(r->pf);
}

static void finish(struct rebuild *r, struct list_state *s, bool convert)
{
    r->k->elements = s->elements;
    if (becomes_listpack(r, s, convert)) {
        value_pack(r, s->only.bytes, ENC_LISTPACK);
    } else {
        r->k->encoding = ENC_QUICKLIST;
        zmalloc(r->z, (uint64_t)r->pf->quicklist, ZL_QUICKLIST);
        if (s->nodes == 1)
            node_charge(r, &s->only, false);
        for (uint64_t i = 0; i < s->nheld; i++)
            node_charge(r, &s->held[(s->first_held + i) % s->depth], false);
    }
    free(s->held);
}

static void begin(struct rebuild *r, struct list_state *s)
{
    enum { DEPTH_MAX = 65536 };
    memset(s, 0, sizeof *s);
    int64_t depth = r->pf->set[SET_LIST_DEPTH];
    s->depth = depth > DEPTH_MAX ? DEPTH_MAX : depth < 0 ? 0 : (uint64_t)depth;
    if (s->depth)
        s->held = calloc((size_t)s->depth, sizeof *s->held);
}

/* ---------------------------------------------------------------- building a node's bytes (only to compress it) */

static uint8_t *node_room(struct rebuild *r, size_t n)
{
    if (n > NODE_BUFFER_MAX)
        return NULL;
    if (n > r->node_cap) {
        size_t cap = n + n / 2 + 4096;
        uint8_t *grown = realloc(r->node, cap);
        if (grown == NULL)
            return NULL;
        r->node = grown;
        r->node_cap = cap;
    }
    return r->node;
}

static size_t put_integer(uint8_t *p, int64_t v)
{
    uint64_t u = (uint64_t)v;
    unsigned bytes;
    if (v >= 0 && v <= 127) {
        p[0] = (uint8_t)v;
        return 1;
    }
    if (v >= -4096 && v <= 4095) {
        p[0] = (uint8_t)(0xC0 | ((u >> 8) & 0x1F));
        p[1] = (uint8_t)u;
        return 2;
    }
    if (v >= INT16_MIN && v <= INT16_MAX) {
        p[0] = 0xF1;
        bytes = 2;
    } else if (v >= -8388608 && v <= 8388607) {
        p[0] = 0xF2;
        bytes = 3;
    } else if (v >= INT32_MIN && v <= INT32_MAX) {
        p[0] = 0xF3;
        bytes = 4;
    } else {
        p[0] = 0xF4;
        bytes = 8;
    }
    for (unsigned i = 0; i < bytes; i++)
        p[1 + i] = (uint8_t)(u >> (8 * i));
    return 1 + bytes;
}

static size_t put_backlen(const struct profile *pf, uint8_t *p, uint64_t enc)
{
    size_t n = (size_t)lp_backlen(pf, enc);
    for (size_t i = 0; i < n; i++) {
        p[n - 1 - i] = (uint8_t)((enc >> (7 * i)) & 127);
        if (i + 1 < n)
            p[n - 1 - i] |= 128;
    }
    for (size_t i = 1; i < n; i++)
        p[i] |= 128;
    p[0] &= 127;
    return n;
}

static size_t put_string_head(uint8_t *p, uint64_t len)
{
    if (len < 64) {
        p[0] = (uint8_t)(0x80 | len);
        return 1;
    }
    if (len < 4096) {
        p[0] = (uint8_t)(0xE0 | (len >> 8));
        p[1] = (uint8_t)len;
        return 2;
    }
    p[0] = 0xF0;
    for (unsigned i = 0; i < 4; i++)
        p[1 + i] = (uint8_t)(len >> (8 * i));
    return 5;
}

/* Appends an entry behind r->node[s->built]; data may be NULL for integers. */
static void build_entry(struct rebuild *r, struct list_state *s, bool integer, int64_t v, const uint8_t *data,
                        uint64_t len)
{
    uint8_t *base = node_room(r, s->built + (size_t)len + 32);
    if (base == NULL || (!integer && data == NULL)) {
        s->built = SIZE_MAX / 2; /* cannot be built any more: stays as it is */
        return;
    }
    uint8_t *p = base + s->built;
    uint64_t enc;
    if (integer) {
        enc = put_integer(p, v);
    } else {
        size_t head = put_string_head(p, len);
        memcpy(p + head, data, (size_t)len);
        enc = head + len;
    }
    s->built += (size_t)enc;
    s->built += put_backlen(r->pf, p + enc, enc);
}

static uint64_t compressed_length(struct rebuild *r, size_t len)
{
    if (len < COMPRESS_MIN || len > NODE_BUFFER_MAX)
        return 0;
    if (r->lzf == NULL)
        r->lzf = calloc(1, sizeof *r->lzf);
    return r->lzf ? lzf_length(r->lzf, r->node, len) : 0;
}

/* Header and terminator around what was built; returns the node's compressed length. */
static uint64_t build_finish(struct rebuild *r, struct list_state *s, uint64_t elements)
{
    if (s->built > NODE_BUFFER_MAX || node_room(r, s->built + 1) == NULL)
        return 0;
    size_t total = s->built + 1;
    uint16_t count = elements > 65534 ? 65535 : (uint16_t)elements;
    r->node[s->built] = 0xFF;
    for (unsigned i = 0; i < 4; i++)
        r->node[i] = (uint8_t)(total >> (8 * i));
    r->node[4] = (uint8_t)count;
    r->node[5] = (uint8_t)(count >> 8);
    return compressed_length(r, total);
}

/* ---------------------------------------------------------------- types 14, 18: nodes from the file */

/* A node that the file holds uncompressed, or a plain one: compressed here. */
static uint64_t compress_element(struct rebuild *r, const struct rdb_element *e)
{
    struct rdb_cursor c;
    if (e->form == RDB_F_LZF)
        return e->clen;
    if (e->len < COMPRESS_MIN || e->len > NODE_BUFFER_MAX || node_room(r, (size_t)e->len) == NULL ||
        !rdb_element_open(r->p, e, &c))
        return 0;
    size_t have = 0;
    while (have < e->len) {
        size_t want = (size_t)(e->len - have) < 32768 ? (size_t)(e->len - have) : 32768;
        if (!rdb_cursor_need(&c, want))
            return 0;
        memcpy(r->node + have, c.p, want);
        c.p += want;
        have += want;
    }
    return compressed_length(r, have);
}

/* A ziplist node loaded by a server of listpacks: rewritten entry by entry. */
static void convert_node(struct rebuild *r, struct list_state *s, const struct rdb_element *e, struct list_node *n)
{
    struct rdb_pack pk;
    struct rdb_entry it;
    int got = -1;
    n->bytes = 7;
    s->built = 6;
    if (!pack_begin(r, e, &pk))
        return;
    if (s->depth && node_room(r, 64) == NULL)
        s->built = SIZE_MAX / 2;
    while ((got = rdb_pack_next(&pk, &it)) > 0) {
        n->bytes += it.is_int ? lp_integer(it.num) : lp_string(r->pf, it.len);
        if (s->depth && s->built <= NODE_BUFFER_MAX)
            build_entry(r, s, it.is_int, it.num, it.data, it.len);
    }
    if (got < 0)
        note_damage(r, &pk);
    if (s->depth)
        n->compressed = build_finish(r, s, n->elements);
}

static void file_node(struct rebuild *r, struct list_state *s, const struct rdb_element *e)
{
    struct list_node n = {.bytes = e->len, .plain = e->role == RDB_R_PLAIN};
    if (n.plain) {
        n.elements = 1;
        note_largest(r, e->len);
        r->k->payload += e->len;
    } else {
        pack_walk(r, e, &n.elements);
        if (r->damage || rdb_failed(r->p) || (n.elements == 0 && r->pf->skips_empty))
            return; /* rdb.c rdbLoadObject: an empty node is dropped from 6.2 on, as an empty key is */
    }
    if (!n.plain && r->pf->listpacks && e->pack == RDB_PACK_ZIPLIST)
        convert_node(r, s, e, &n);
    else if (s->depth)
        n.compressed = compress_element(r, e);
    node_push(r, s, &n);
}

static void nodes_list(struct rebuild *r)
{
    struct list_state s;
    struct rdb_element el[BATCH];
    bool more = true;
    begin(r, &s);
    while (more) {
        size_t n = elements_next(r, el, BATCH, &more);
        for (size_t i = 0; i < n; i++)
            file_node(r, &s, &el[i]);
    }
    finish(r, &s, true);
}

/* ---------------------------------------------------------------- types 1, 10: elements pushed at the tail */

static uint64_t entry_bytes(const struct profile *pf, bool integer, int64_t v, uint64_t len)
{
    if (pf->listpacks)
        return integer ? lp_integer(v) : lp_string(pf, len);
    uint64_t body = integer ? zl_integer_body(v) : zl_string_body(len);
    return body + (body + 1 < 254 ? 1 : 5);
}

static void close_node(struct rebuild *r, struct list_state *s)
{
    if (!s->has_open)
        return;
    if (s->depth && !s->open.plain)
        s->open.compressed = build_finish(r, s, s->open.elements);
    node_push(r, s, &s->open);
    s->has_open = false;
}

static void push(struct rebuild *r, struct list_state *s, bool integer, int64_t v, const uint8_t *data, uint64_t len)
{
    const struct profile *pf = r->pf;
    note_largest(r, len);
    r->k->payload += len;
    if (is_large(pf, len)) {
        close_node(r, s);
        struct list_node n = {.bytes = len, .elements = 1, .plain = true};
        node_push(r, s, &n);
        return;
    }
    if (s->has_open && !node_takes(pf, &s->open, len))
        close_node(r, s);
    if (!s->has_open) {
        s->open = (struct list_node){.bytes = pf->listpacks ? 7 : 11};
        s->has_open = true;
        s->built = 6;
        if (s->depth)
            node_room(r, 64);
    }
    s->open.bytes += entry_bytes(pf, integer, v, len);
    s->open.elements++;
    if (s->depth && pf->listpacks && s->built <= NODE_BUFFER_MAX)
        build_entry(r, s, integer, v, data, len);
}

/* Bytes of an element for the scratch node: lent, or expanded when they are LZF. NULL: not to be had in one piece. */
static const uint8_t *element_bytes(struct rebuild *r, const struct rdb_element *e)
{
    struct rdb_cursor c;
    if (e->form == RDB_F_RAW)
        return e->data;
    if (e->form != RDB_F_LZF || !rdb_element_open(r->p, e, &c) || (uint64_t)(c.end - c.p) < e->len)
        return NULL;
    return c.p;
}

static void pushed_list(struct rebuild *r)
{
    struct list_state s;
    struct rdb_element el[BATCH];
    bool more = true;
    begin(r, &s);
    while (more) {
        size_t n = elements_next(r, el, BATCH, &more);
        for (size_t i = 0; i < n; i++) {
            int64_t v = 0;
            bool integer = element_integer(r, &el[i], &v);
            push(r, &s, integer, v, s.depth && !integer ? element_bytes(r, &el[i]) : NULL, el[i].len);
        }
    }
    close_node(r, &s);
    finish(r, &s, true);
}

static void pushed_ziplist(struct rebuild *r)
{
    struct list_state s;
    struct rdb_element e;
    struct rdb_pack pk;
    struct rdb_entry it;
    bool more;
    int got = -1;
    begin(r, &s);
    if (elements_next(r, &e, 1, &more) == 1 && pack_begin(r, &e, &pk)) {
        while ((got = rdb_pack_next(&pk, &it)) > 0)
            push(r, &s, it.is_int, it.num, it.data, it.len);
        if (got < 0)
            note_damage(r, &pk);
    }
    close_node(r, &s);
    finish(r, &s, false);
}

/* ---------------------------------------------------------------- 2.8: ziplist or linked list */

static void linked_begin(struct rebuild *r)
{
    r->k->encoding = ENC_LINKEDLIST;
    zmalloc(r->z, 48, ZL_QUICKLIST); /* adlist.h list */
}

static void linked_memo(struct rebuild *r, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        zmalloc(r->z, 24, ZL_LIST_NODE);
        element_object_memo(r, &r->memo[i], ZL_ELEMENT);
    }
}

static void old_plain(struct rebuild *r)
{
    const struct profile *pf = r->pf;
    struct rdb_element el[BATCH];
    uint64_t n = 0, packed = 11;
    bool more = true, linked = r->key->count > (uint64_t)pf->set[SET_LIST_ENTRIES];
    if (linked)
        linked_begin(r);
    while (more) {
        size_t got = elements_next(r, el, BATCH, &more);
        for (size_t i = 0; i < got; i++, n++) {
            int64_t v = 0;
            uint8_t kind = memo_kind_of(r, &el[i], &v);
            note_largest(r, el[i].len);
            r->k->payload += el[i].len;
            if (!linked && kind == MEMO_TEXT && el[i].len > (uint64_t)pf->set[SET_LIST_VALUE]) {
                linked = true;
                linked_begin(r);
                linked_memo(r, n);
            }
            if (linked) {
                zmalloc(r->z, 24, ZL_LIST_NODE);
                element_object(r, &el[i], ZL_ELEMENT);
                continue;
            }
            struct memo *m = memo_reserve(r, (size_t)n + 1);
            if (m != NULL)
                m[n] = (struct memo){(uint32_t)el[i].len, kind, 0};
            packed += entry_bytes(pf, kind != MEMO_TEXT, v, el[i].len);
        }
    }
    r->k->elements = n;
    if (!linked)
        value_pack(r, packed, ENC_ZIPLIST);
}

static void old_packed(struct rebuild *r)
{
    struct rdb_element e;
    struct rdb_pack pk;
    struct rdb_entry it;
    bool more;
    int got = -1;
    if (elements_next(r, &e, 1, &more) != 1)
        return;
    pack_walk(r, &e, &r->k->elements);
    if (r->k->elements <= (uint64_t)r->pf->set[SET_LIST_ENTRIES]) {
        value_pack(r, e.len, ENC_ZIPLIST);
        return;
    }
    linked_begin(r);
    if (!pack_begin(r, &e, &pk))
        return;
    while ((got = rdb_pack_next(&pk, &it)) > 0) {
        bool shared = it.is_int && integer_is_shared(r, it.num, false);
        struct memo m = {(uint32_t)it.len, it.is_int ? (shared ? MEMO_INT_SHARED : MEMO_INT) : MEMO_TEXT, 0};
        zmalloc(r->z, 24, ZL_LIST_NODE);
        element_object_memo(r, &m, ZL_ELEMENT);
    }
    if (got < 0)
        note_damage(r, &pk);
}

void rebuild_list(struct rebuild *r)
{
    enum rdb_layout layout = r->key->info->layout;
    key_alloc(r);
    if (layout == RDB_L_QUICKLIST || layout == RDB_L_QUICKLIST2)
        nodes_list(r);
    else if (!r->pf->list_quicklist)
        layout == RDB_L_ITEMS ? old_plain(r) : old_packed(r);
    else if (layout == RDB_L_ITEMS)
        pushed_list(r);
    else
        pushed_ziplist(r);
}
