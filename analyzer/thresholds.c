/*
 * thresholds.c - see thresholds.h.
 *
 * Only the number of elements and the bytes of the user's data are known here, so elements are taken to be of the same
 * length each.
 */
#include "analyzer/thresholds.h"

#include <string.h>

#include "analyzer/analysis.h"
#include "analyzer/profile.h"

enum { RAISE_ENTRIES = 2, RAISE_LENGTH = 4 };

static const struct {
    enum setting setting;
    enum rdb_type type;
    bool by_length;
} kinds[THRESHOLDS] = {
    {SET_HASH_ENTRIES, RDB_T_HASH, false}, {SET_HASH_VALUE, RDB_T_HASH, true},  {SET_ZSET_ENTRIES, RDB_T_ZSET, false},
    {SET_ZSET_VALUE, RDB_T_ZSET, true},    {SET_SET_ENTRIES, RDB_T_SET, false}, {SET_SET_VALUE, RDB_T_SET, true},
};

void thresholds_init(struct threshold_row rows[THRESHOLDS])
{
    for (unsigned i = 0; i < THRESHOLDS; i++)
        rows[i] =
            (struct threshold_row){.setting = kinds[i].setting, .type = kinds[i].type, .by_length = kinds[i].by_length};
}

void thresholds_target(struct threshold_row rows[THRESHOLDS], const struct profile *pf)
{
    for (unsigned i = 0; i < THRESHOLDS; i++) {
        rows[i].value = pf->set[rows[i].setting];
        rows[i].known = (rows[i].type != RDB_T_SET || pf->set_listpack) && rows[i].value > 0;
        rows[i].raised =
            rows[i].known ? (uint64_t)rows[i].value * (rows[i].by_length ? RAISE_LENGTH : RAISE_ENTRIES) : 0;
    }
}

/* ---------------------------------------------------------------- what it would cost */

static uint64_t strings_of(const struct key_report *k)
{
    return k->type == RDB_T_SET ? k->elements : 2 * k->elements;
}

static uint64_t content_of(const struct key_report *k)
{
    return k->payload > k->name_full_len ? k->payload - k->name_full_len : 0;
}

/* Name, entry, object, expiry. */
static uint64_t key_bytes(const struct profile *pf, const struct allocator *a, const struct key_report *k)
{
    enum { OBJECT = 16, SDS_HEADER = 4 };
    uint64_t entry = pf->main_entry ? allocator_usable(a, (uint64_t)pf->main_entry) : 0;
    uint64_t expiry =
        k->expire_ms >= 0 && pf->shared_expires_entry ? allocator_usable(a, (uint64_t)pf->shared_expires_entry) : 0;
    return allocator_usable(a, k->name_full_len + SDS_HEADER) + allocator_usable(a, OBJECT) + entry + expiry;
}

/* listpack.c: an entry's own length before it and the length of both behind it. */
static uint64_t entry_overhead(uint64_t len)
{
    return len <= 62 ? 2 : len <= 4092 ? 4 : 8;
}

uint64_t threshold_packed_bytes(const struct profile *pf, const struct allocator *a, const struct key_report *k)
{
    enum { PACK_ENDS = 7 };
    uint64_t n = strings_of(k), content = content_of(k);
    uint64_t pack = PACK_ENDS + content + n * entry_overhead(n ? content / n : 0);
    return key_bytes(pf, a, k) + allocator_usable(a, pack);
}

uint64_t threshold_table_bytes(const struct profile *pf, const struct allocator *a, const struct key_report *k)
{
    enum { ENTRY = 24, DICT = 56, SDS_HEADER = 2, BUCKET = 8, LEVELS_MEAN_X3 = 4 /* 4/3 levels of 16 bytes */ };
    uint64_t n = k->elements, strings = strings_of(k), buckets = 4;
    while (buckets < n)
        buckets *= 2;
    uint64_t each = allocator_usable(a, (strings ? content_of(k) / strings : 0) + SDS_HEADER);
    uint64_t sum = key_bytes(pf, a, k) + DICT + allocator_usable(a, buckets * BUCKET) + n * allocator_usable(a, ENTRY);
    if (k->type == RDB_T_ZSET) /* the score stands in the node */
        return sum + n * each + n * (24 + 16 * LEVELS_MEAN_X3 / 3);
    return sum + strings * each;
}

/* ---------------------------------------------------------------- keys */

static bool is_packed(const struct key_report *k)
{
    return k->encoding == ENC_LISTPACK || k->encoding == ENC_ZIPLIST || k->encoding == ENC_ZIPMAP;
}

static bool is_table(const struct key_report *k)
{
    return k->encoding == ENC_HASHTABLE || k->encoding == ENC_SKIPLIST;
}

static void note_side(struct threshold_side *s, uint64_t now, uint64_t other, bool packed)
{
    int64_t saving = packed ? (int64_t)(other - now) : (int64_t)(now - other);
    s->keys++;
    s->bytes += now;
    s->saving += saving > 0 ? saving : 0;
}

/* partner: the other limit of the same type, which must hold too for a table to become packed. */
static void note(struct threshold_row *row, const struct threshold_row *partner, const struct profile *pf,
                 const struct allocator *a, const struct key_report *k)
{
    uint64_t figure = row->by_length ? k->largest : k->elements, limit = (uint64_t)row->value;
    uint64_t partner_figure = row->by_length ? k->elements : k->largest;
    uint64_t factor = row->by_length ? RAISE_LENGTH : RAISE_ENTRIES;
    if (is_table(k) && figure > limit && figure <= row->raised && partner_figure <= (uint64_t)partner->value)
        note_side(&row->above, k->bytes, threshold_packed_bytes(pf, a, k), false);
    else if (is_packed(k) && figure > limit / factor && figure <= limit)
        note_side(&row->below, k->bytes, threshold_table_bytes(pf, a, k), true);
}

void thresholds_add(struct threshold_row rows[THRESHOLDS], const struct profile *pf, const struct allocator *a,
                    const struct key_report *k)
{
    for (unsigned i = 0; i < THRESHOLDS; i++)
        if (rows[i].type == k->type && rows[i].known)
            note(&rows[i], &rows[i ^ 1U], pf, a, k);
}

/* ---------------------------------------------------------------- sums */

static void merge_side(struct threshold_side *to, const struct threshold_side *from)
{
    to->keys += from->keys;
    to->bytes += from->bytes;
    to->saving += from->saving;
}

void thresholds_merge(struct threshold_row rows[THRESHOLDS], const struct threshold_row from[THRESHOLDS], bool targeted)
{
    for (unsigned i = 0; i < THRESHOLDS; i++) {
        if (targeted) {
            rows[i].value = from[i].value;
            rows[i].known = from[i].known;
            rows[i].raised = from[i].raised;
        }
        merge_side(&rows[i].above, &from[i].above);
        merge_side(&rows[i].below, &from[i].below);
    }
}

static void scale_side(struct threshold_side *s, uint64_t scale)
{
    s->keys *= scale;
    s->bytes *= scale;
    s->saving *= (int64_t)scale;
}

void thresholds_scale(struct threshold_row rows[THRESHOLDS], uint64_t scale)
{
    for (unsigned i = 0; i < THRESHOLDS; i++) {
        scale_side(&rows[i].above, scale);
        scale_side(&rows[i].below, scale);
    }
}
