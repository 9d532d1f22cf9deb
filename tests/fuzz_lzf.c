/*
 * fuzz_lzf.c - our LZF expander against liblzf: the same verdict and the same bytes, whole, piece by piece and first
 * bytes. The first two bytes are the length it shall expand to.
 */
#include "rdb/internal.h"

#include <liblzf/lzf.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool piecewise(const uint8_t *in, size_t clen, const uint8_t *want, size_t ulen, bool good)
{
    static uint8_t *out;
    if (!out && !(out = malloc(LZF_PIECE + LZF_SLACK)))
        abort();
    struct lzf_stream s = {.out = out};
    struct rdb_cursor packed, c;
    rdb_cursor_memory(&packed, in, clen);
    lzf_stream_open(&s, &packed, clen, ulen, &c);
    size_t n = 0;
    while (n < ulen && rdb_cursor_need(&c, 1)) {
        size_t there = (size_t)(c.end - c.p);
        there = there < 777 ? there : 777;
        must(!good || memcmp(c.p, want + n, there) == 0);
        c.p += there;
        n += there;
    }
    return n == ulen && !c.damage;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    size_t ulen = 1 + (size_t)data[0] + 256 * (size_t)data[1], clen = size - 2;
    uint8_t *in = malloc(clen), *want = malloc(ulen), *got = malloc(ulen + LZF_SLACK), *head = malloc(ulen);
    if (!in || !want || !got || !head)
        abort();
    memcpy(in, data + 2, clen);
    bool good = lzf_decompress(in, (unsigned)clen, want, (unsigned)ulen) == ulen;
    must(lzf_whole(in, clen, got, ulen) == good);
    must(!good || (memcmp(got, want, ulen) == 0 && lzf_plausible(clen, ulen)));
    must(piecewise(in, clen, want, ulen, good) == good);
    size_t half = lzf_head(in, clen, head, ulen / 2);
    must(!good || (half == ulen / 2 && memcmp(head, want, half) == 0));
    free(in);
    free(want);
    free(got);
    free(head);
    return 0;
}
