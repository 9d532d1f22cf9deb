/*
 * pins.h - whose blocks keep half-empty slabs: what a key is called by there, in one small number.
 *
 * The slab model reports by tag (slabs.h). Here a tag is a key's type and the first part of its name as segments.h cuts it
 * ("user:", "session:"), as long as tags last: they go to the first pairs that come. Keys of later pairs, and keys whose
 * names have one part only, go by their type alone.
 */
#ifndef RDBMEM_PINS_H
#define RDBMEM_PINS_H

#include "analyzer/segments.h"
#include "analyzer/slabs.h"
#include "rdb/rdb.h"

struct findings;

enum { PINS_TAGS = SLABS_TAG_SERVER, PINS_INDEX_BITS = 10, PINS_RECENT_BITS = 9 };

struct pins {
    struct splitter splitter;
    const struct findings *findings; /* hides names; may be NULL */
    unsigned n;                      /* tags in use: the first RDB_T_COUNT are types without a prefix */
    struct pins_owner {
        uint64_t hash;
        enum rdb_type type;
        uint8_t len; /* 0: no prefix, or any */
        uint8_t prefix[SEGMENT_ROOM];
    } owner[PINS_TAGS];
    uint16_t index[1 << PINS_INDEX_BITS]; /* tags by hash, 0: free; twice the number of tags and more */
    struct {
        uint64_t hash;
        uint16_t tag;
    } recent[1 << PINS_RECENT_BITS]; /* tags by the whole name with its digits blanked, direct-mapped */
};

/* findings: whose separators are used and who hides names; NULL: the usual separators. */
void pins_init(struct pins *p, const struct findings *findings);

unsigned pins_find(struct pins *p, const uint8_t *name, size_t len, enum rdb_type type, uint64_t hash);

static inline uint64_t pins_hash(uint64_t blanked, enum rdb_type type)
{
    return blanked + (uint64_t)type * UINT64_C(0xA0761D6478BD642F);
}

static inline uint64_t pins_slot(uint64_t hash)
{
    return hash * UINT64_C(0x9E3779B97F4A7C15) >> (64 - PINS_RECENT_BITS);
}

/* blanked: segments_blanked(name, len). */
static inline unsigned pins_tag(struct pins *p, const uint8_t *name, size_t len, uint64_t blanked, enum rdb_type type)
{
    uint64_t hash = pins_hash(blanked, type), slot = pins_slot(hash);
    return p->recent[slot].hash == hash ? p->recent[slot].tag : pins_find(p, name, len, type, hash);
}

/* The same, but only if it is known, and that of all names with this blanked form. */
static inline bool pins_known(const struct pins *p, uint64_t blanked, enum rdb_type type, unsigned *tag)
{
    uint64_t hash = pins_hash(blanked, type), slot = pins_slot(hash);
    *tag = p->recent[slot].tag;
    return p->recent[slot].hash == hash;
}

#endif
