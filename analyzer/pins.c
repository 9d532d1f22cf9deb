/*
 * pins.c - see pins.h.
 */
#include "analyzer/pins.h"

#include <string.h>

#include "analyzer/findings.h"

_Static_assert((int)PINS_TAGS > (int)RDB_T_COUNT && PINS_TAGS * 2 < 1 << PINS_INDEX_BITS,
               "tags for types, and room in the index");

enum { NAME_READ = 1024 /* bytes of a name that are looked at for its first part */ };

void pins_init(struct pins *p, const struct findings *findings)
{
    memset(p, 0, sizeof *p);
    p->findings = findings;
    if (findings)
        p->splitter = *findings_splitter(findings);
    else
        splitter_init(&p->splitter, 1);
    p->splitter.depth = 1;
    p->n = RDB_T_COUNT;
    for (unsigned t = 0; t < RDB_T_COUNT; t++)
        p->owner[t].type = (enum rdb_type)t;
}

/* The first part of a name, as it is to be shown; *len 0 when it is the only one. */
static uint64_t first_part(const struct pins *p, const uint8_t *name, size_t name_len, uint8_t out[SEGMENT_ROOM],
                           uint8_t *len)
{
    uint8_t copy[NAME_READ + SEGMENTS_PAD];
    struct segments parts;
    size_t n = name_len < NAME_READ ? name_len : NAME_READ;
    memcpy(copy, name, n);
    if (p->findings)
        findings_hide(p->findings, copy, n);
    struct splitter two = p->splitter;
    two.depth = 2;
    segments_of(&two, copy, n, &parts);
    *len = parts.n > 1 ? parts.len[0] : 0;
    memcpy(out, parts.text, *len);
    return parts.hash[0];
}

static bool has_digits(const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] >= '0' && s[i] <= '9')
            return true;
    return false;
}

/* The tag of this pair, a new one if there still is one; else that of the type. */
static unsigned tag_of(struct pins *p, uint64_t hash, enum rdb_type type, const uint8_t *prefix, uint8_t len)
{
    uint64_t h = hash + (uint64_t)type * UINT64_C(0xD6E8FEB86659FD93);
    uint64_t slot = h * UINT64_C(0x9E3779B97F4A7C15) >> (64 - PINS_INDEX_BITS);
    while (p->index[slot] != 0) {
        const struct pins_owner *o = &p->owner[p->index[slot]];
        if (o->hash == h && o->type == type && o->len == len && memcmp(o->prefix, prefix, len) == 0)
            return p->index[slot];
        slot = (slot + 1) & ((1U << PINS_INDEX_BITS) - 1);
    }
    if (p->n == PINS_TAGS)
        return type;
    struct pins_owner *o = &p->owner[p->n];
    o->hash = h;
    o->type = type;
    o->len = len;
    memcpy(o->prefix, prefix, len);
    p->index[slot] = (uint16_t)p->n;
    return p->n++;
}

unsigned pins_find(struct pins *p, const uint8_t *name, size_t len, enum rdb_type type, uint64_t hash)
{
    uint8_t prefix[SEGMENT_ROOM], n;
    uint64_t first = first_part(p, name, len, prefix, &n);
    unsigned tag = n > 0 ? tag_of(p, first, type, prefix, n) : type;
    uint64_t slot = pins_slot(hash);
    if (!has_digits(prefix, n)) { /* else names that differ in digits only may differ in their first part */
        p->recent[slot].hash = hash;
        p->recent[slot].tag = (uint16_t)tag;
    }
    return tag;
}
