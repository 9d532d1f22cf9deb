/*
 * module_json.h - what RedisJSON holds for a document, from any of the three forms in which it saves one.
 *
 * The document is not kept: its values go by one after another, and the containers that are open wait on a stack. What
 * it becomes in memory is in module_json.c.
 */
#ifndef RDBMEM_MODULE_JSON_H
#define RDBMEM_MODULE_JSON_H

#include "analyzer/rebuild.h"

enum { JSON_DEPTH = 128 /* what the module itself can load */ };

struct json_frame {
    bool object;
    uint8_t tag; /* of an array: enum json_tag */
    uint64_t len, cap;
    uint64_t left; /* items still to come, where the form says how many */
};

struct json_walk {
    struct rebuild *r;
    bool modern; /* layout of 8.4 and later */
    bool failed; /* no document, or deeper than the module reads */
    uint8_t step;
    unsigned depth;
    uint64_t text, hash; /* string at hand: bytes, and a hash of them */
    struct json_frame stack[JSON_DEPTH];
};

void json_begin(struct json_walk *j, struct rebuild *r);

/* ---------------------------------------------------------------- what a document consists of (module_json.c) */

/* A string, byte by byte; end: a member's name. */
void json_string_begin(struct json_walk *j);
static inline void json_string_byte(struct json_walk *j, uint8_t byte)
{
    j->hash = (j->hash ^ byte) * 0x100000001b3;
    j->text++;
}

void json_string_end(struct json_walk *j);

/* Values. negative: v is without its sign. The string is the one that was begun. */
void json_string(struct json_walk *j);
void json_integer(struct json_walk *j, bool negative, uint64_t v);
void json_double(struct json_walk *j, double d);
void json_literal(struct json_walk *j);
void json_typed(struct json_walk *j, uint64_t bytes); /* an array of numbers, whole */
void json_open(struct json_walk *j, bool object, uint64_t cap, uint64_t left);
void json_close(struct json_walk *j);

/* ---------------------------------------------------------------- the saved forms (module_json_read.c) */

/* The whole document is in the bytes under c: encver 2 and 3, and 4. */
void json_text_document(struct json_walk *j, struct rdb_cursor *c);
void json_cbor_document(struct json_walk *j, struct rdb_cursor *c);

/* The next item of encver 0, where each node is items of its own. */
void json_node_item(struct json_walk *j, const struct rdb_element *e);

/* Names and strings are kept once for all documents: those that have been charged, by their hashes. */
struct json_strings;
void json_strings_free(struct json_strings *s);

#endif
