/*
 * dragonfly.c - compressed pieces in the middle of a Dragonfly snapshot.
 *
 *     201 STR      zstd frame     its content is a piece of this same stream,
 *     202 STR      lz4 frame      ending with 203
 *
 * rdb_load.cc HandleCompressedBlob. The piece is read through a window of its own, and never held whole: a chain of
 * its own takes the compressed bytes from the outer window as they are needed. While it is read, p->r is the inner
 * window and the outer one waits here. Offsets inside are those of the blob being read outside.
 */
#include "rdb/internal.h"

#include <stdlib.h>

struct rdb_piece {
    struct rdb_reader outer;
    struct rdb_input input;
    uint64_t left; /* compressed bytes not yet taken from the outer window */
    uint64_t at;   /* where the blob began */
};

static ptrdiff_t piece_read(void *ctx, void *buf, size_t n)
{
    struct rdb_piece *piece = ctx;
    struct rdb_reader *r = &piece->outer;
    if (n > piece->left)
        n = (size_t)piece->left;
    if (n == 0 || !reader_fill(r, 1))
        return 0;
    size_t there = (size_t)reader_avail(r);
    if (n > there)
        n = there;
    memcpy(buf, r->p, n);
    r->p += n;
    piece->left -= n;
    return (ptrdiff_t)n;
}

uint64_t rdb_piece_tell(const struct rdb_parser *p)
{
    return reader_tell(&p->piece->outer);
}

void rdb_piece_free(struct rdb_parser *p)
{
    struct rdb_piece *piece = p->piece;
    if (!piece)
        return;
    reader_close(&p->r);
    rdb_input_close(&piece->input);
    p->r = piece->outer;
    p->piece = NULL;
    free(piece);
}

bool rdb_piece_push(struct rdb_parser *p, uint8_t opcode)
{
    struct rdb_element e = {0};
    uint64_t at = rdb_at(p, p->r.p);
    if (p->piece)
        return rdb_fail(p, RDB_ERR_CORRUPT, at, "expected no compressed piece inside another");
    if (!rdb_look(p, "a compressed piece") || rdb_take_string(p, &e, 0, 0) == RDB_TAKE_FAIL)
        return false;
    if (e.form != RDB_F_RAW)
        return rdb_fail(p, RDB_ERR_CORRUPT, at, "expected a compressed piece as a raw string");
    if (e.data) /* it is in the window: read it from there all the same */
        p->r.p -= e.len;
    p->pending = 0;
    struct rdb_piece *piece = calloc(1, sizeof *piece);
    if (!piece)
        return rdb_fail(p, RDB_ERR_NOMEM, at, "out of memory");
    piece->left = e.len;
    piece->at = at;
    reader_note_keep(&p->r);
    struct rdb_reader inner;
    if (!rdb_input_open_callback(&piece->input, piece_read, piece) ||
        !rdb_unpack_push(&piece->input, opcode == RDB_OP_DF_ZSTD ? RDB_WRAP_ZSTD : RDB_WRAP_LZ4) ||
        !reader_open(&inner, &piece->input, p->r.window, true)) {
        rdb_input_close(&piece->input);
        free(piece);
        return rdb_fail(p, RDB_ERR_NOMEM, at, "out of memory");
    }
    memcpy(inner.note_copy, p->r.note_copy, sizeof inner.note_copy);
    inner.note_len = p->r.note_len;
    piece->outer = p->r;
    p->r = inner;
    p->piece = piece;
    return true;
}

/* The piece has ended, by 203 or by itself: back to the outer window, behind the blob. */
bool rdb_piece_pop(struct rdb_parser *p)
{
    struct rdb_piece *piece = p->piece;
    if (!piece)
        return rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, p->r.p), "expected no end of a piece outside of one");
    if (piece->input.error.kind != RDB_OK)
        return rdb_fail_short(p, rdb_at(p, p->r.p), "a compressed piece");
    reader_note_keep(&p->r);
    memcpy(piece->outer.note_copy, p->r.note_copy, sizeof piece->outer.note_copy);
    piece->outer.note_len = p->r.note_len;
    uint64_t left = piece->left;
    rdb_piece_free(p);
    uint64_t at = reader_tell(&p->r);
    return reader_skip(&p->r, left) || rdb_fail_short(p, at, "a compressed piece");
}
