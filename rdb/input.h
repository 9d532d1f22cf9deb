/*
 * input.h - where the bytes come from: a chain of layers that ends in plain RDB.
 *
 *     file, pipe, callback        source layer: descriptor or callback
 *        |
 *     gzip, zstd, lz4, VKCS       unpack layers, as many as the magics at hand say (at most INPUT_LAYERS_MAX)
 *     "$<len>\r\n", "$EOF:..."    stripped from the layer they are found in
 *        |
 *     ahead                       for compressed files: all of the above on a thread (ahead.c)
 *        |
 *     rdb_input_read()            plain RDB, beginning with its magic
 *
 * Layers are recognised by the bytes they begin with, never by a name. Each has read(): bytes > 0, 0 at its end, -1
 * after noting what is wrong in the input. A call that neither takes nor gives bytes is an error, so nothing spins.
 */
#ifndef RDBMEM_RDB_INPUT_H
#define RDBMEM_RDB_INPUT_H

#include <stdatomic.h>

#include "rdb/error.h"

enum { INPUT_LAYERS_MAX = 4, INPUT_PEEK = 64 };

struct rdb_input;

struct rdb_layer {
    ptrdiff_t (*read)(struct rdb_layer *l, uint8_t *buf, size_t n);
    void (*close)(struct rdb_layer *l);
    struct rdb_layer *below;
    struct rdb_input *input;
    uint64_t left;            /* bytes this layer may still give: "$<len>" bounds it */
    size_t peek_at, peek_len; /* bytes looked at and not taken: peek[peek_at .. peek_len) */
    uint8_t peek[INPUT_PEEK];
};

struct rdb_input {
    struct rdb_layer *top;
    unsigned wraps;          /* RDB_WRAP_* */
    bool dropped;            /* something stood in front of the magic */
    uint64_t file_size;      /* of the wrapped file, 0 = unknown */
    uint64_t file_offset;    /* bytes of it read so far */
    size_t read_size;        /* most bytes for one read, 0 = no limit */
    const atomic_bool *stop; /* read before each: true is the end of the input; NULL: none */
    struct rdb_error error;
};

/* One of the three fills the chain. False: see in->error. close() is right after any of them. */
bool rdb_input_open_path(struct rdb_input *in, const char *path);
bool rdb_input_open_fd(struct rdb_input *in, int fd);
bool rdb_input_open_callback(struct rdb_input *in, rdb_read_fn read, void *ctx);

/* The same plain file as `in` reads, from rdb_input_seek() on, with pread(): any number can be on one descriptor, which stays
 * in's. False: in is no plain file that begins with its magic, or memory is out. */
bool rdb_input_open_again(struct rdb_input *again, const struct rdb_input *in);

/* Goes on at this offset of the RDB stream: of an input for which rdb_input_open_again() is possible. */
void rdb_input_seek(struct rdb_input *in, uint64_t offset);

/* Puts unpack layers on top until an RDB magic is at hand. */
bool rdb_input_unwrap(struct rdb_input *in);

/* Bytes of the top layer: > 0, 0 at the end, -1 see in->error. */
ptrdiff_t rdb_input_read(struct rdb_input *in, uint8_t *buf, size_t n);
void rdb_input_close(struct rdb_input *in);

/* --- for the layers themselves */

/* Reads from a layer: what was peeked at first, then its own read(); never more than its bound. */
ptrdiff_t rdb_layer_read(struct rdb_layer *l, uint8_t *buf, size_t n);

/* Reads the chain on a thread from now on, if one can be had (ahead.c). */
void rdb_ahead_push(struct rdb_input *in);

/* Puts a layer for one of RDB_WRAP_GZIP, _ZSTD, _LZ4 on top (unpack.c). */
bool rdb_unpack_push(struct rdb_input *in, unsigned wrap);

#endif
