/*
 * test_rdb_lzf.c - our expander against liblzf: whole, first bytes, piece by piece, and damaged.
 */
#include "rdb/internal.h"
#include "rdb_build.h"

enum { MOST = 700 * 1024 };

static unsigned long long seed = 4;

/* Data of several kinds: runs, few letters, texts that repeat far back, noise. */
static void make(uint8_t *out, size_t n, unsigned kind)
{
    for (size_t i = 0; i < n; i++) {
        unsigned long long r = check_random(&seed);
        switch (kind % 5) {
        case 0: out[i] = (uint8_t)(i / 1000); break;
        case 1: out[i] = (uint8_t)('a' + r % 3); break;
        case 2: out[i] = (uint8_t) "the quick brown fox "[i % 20]; break;
        case 3: out[i] = i > 8000 && r % 50 ? out[i - 8000] : (uint8_t)r; break;
        default: out[i] = r % 4 ? (uint8_t)(i % 7) : (uint8_t)r; break;
        }
    }
}

/* A cursor that gives its bytes in small pieces. */
struct trickle {
    const uint8_t *data;
    size_t len, piece;
};

static bool trickle_more(struct rdb_cursor *c, size_t need)
{
    struct trickle *t = c->ctx;
    uint64_t at = rdb_cursor_tell(c);
    if (need > t->len - at)
        return false;
    size_t n = need > t->piece ? need : t->piece;
    if (n > t->len - at)
        n = (size_t)(t->len - at);
    c->base = at;
    c->p = c->start = t->data + at;
    c->end = c->p + n;
    c->left = t->len - at - n;
    return true;
}

static void trickle_open(struct rdb_cursor *c, struct trickle *t)
{
    *c = (struct rdb_cursor){
        .p = t->data, .end = t->data, .start = t->data, .left = t->len, .more = trickle_more, .ctx = t};
}

/* All of the stream, in steps; -1 for damage, else 0. */
static int stream(const uint8_t *in, size_t clen, uint8_t *out, size_t ulen, size_t piece, size_t step)
{
    struct lzf_stream s = {.out = malloc(LZF_PIECE + LZF_SLACK)};
    struct trickle t = {in, clen, piece};
    struct rdb_cursor packed, c;
    trickle_open(&packed, &t);
    lzf_stream_open(&s, &packed, clen, ulen, &c);
    size_t at = 0;
    while (at < ulen) {
        size_t n = ulen - at < step ? ulen - at : step;
        if (!rdb_cursor_need(&c, n))
            break;
        CHECK(rdb_cursor_tell(&c) == at);
        memcpy(out + at, c.p, n);
        c.p += n;
        at += n;
    }
    bool good = at == ulen && !rdb_cursor_need(&c, 1) && !c.damage;
    free(s.out);
    return good ? 0 : -1;
}

static void test_round_trips(void)
{
    static uint8_t plain[MOST], packed[MOST + 1024], out[MOST + LZF_SLACK];
    for (unsigned round = 0; round < 120; round++) {
        size_t n = round < 60 ? 5 + check_random(&seed) % 600 : check_random(&seed) % (MOST - 10) + 10;
        make(plain, n, round);
        unsigned clen = lzf_compress(plain, (unsigned)n, packed, sizeof packed);
        CHECK(clen > 0 && lzf_plausible(clen, n));
        memset(out, 0, n);
        CHECK(lzf_whole(packed, clen, out, n) && memcmp(out, plain, n) == 0);
        CHECK(!lzf_whole(packed, clen, out, n - 1));
        CHECK(!lzf_whole(packed, clen, out, n + 1));
        static const size_t steps[] = {1, 13, 4096, 65536};
        static const size_t pieces[] = {1, 7, 33, 5000};
        for (size_t i = round < 60 ? 0 : 2; i < 4; i++) {
            memset(out, 0, n);
            CHECK(stream(packed, clen, out, n, pieces[(i + round) % 4], steps[i]) == 0 && memcmp(out, plain, n) == 0);
        }
        CHECK(stream(packed, clen, out, n - 1, 100, 1000) == -1);
        CHECK(stream(packed, clen, out, n + 1, 100, 1000) == -1);
        CHECK(stream(packed, clen - 1, out, n, 100, 1000) == -1);
    }
}

static void test_heads(void)
{
    uint8_t plain[2000], packed[3000], out[2000];
    for (unsigned kind = 0; kind < 5; kind++) {
        make(plain, sizeof plain, kind);
        unsigned clen = lzf_compress(plain, sizeof plain, packed, sizeof packed);
        for (size_t want = 0; want <= sizeof plain; want++) {
            out[want < sizeof out ? want : 0] = 0xee;
            CHECK(lzf_head(packed, clen, out, want) == want && memcmp(out, plain, want) == 0);
            CHECK(want == sizeof plain || want == 0 || out[want] == 0xee); /* nothing behind it is touched */
        }
        for (size_t have = 0; have < clen; have += 3) { /* fewer compressed bytes: a true beginning */
            size_t got = lzf_head(packed, have, out, sizeof plain);
            CHECK(got <= sizeof plain && memcmp(out, plain, got) == 0);
        }
    }
}

/* Damaged and random data: the same verdict and the same bytes as liblzf, in all three ways. */
static void test_damage(void)
{
    uint8_t plain[600], packed[800], want[700], got[700 + LZF_SLACK];
    unsigned agreed_good = 0;
    for (unsigned round = 0; round < 60000; round++) {
        size_t n = 20 + check_random(&seed) % 500;
        make(plain, n, round);
        unsigned clen = lzf_compress(plain, (unsigned)n, packed, sizeof packed);
        for (unsigned k = 0; k <= round % 3; k++)
            packed[check_random(&seed) % clen] = (uint8_t)check_random(&seed);
        unsigned liblzf = lzf_decompress(packed, clen, want, (unsigned)n);
        bool ours = lzf_whole(packed, clen, got, n);
        CHECK(ours == (liblzf == n));
        if (ours) {
            CHECK(memcmp(want, got, n) == 0);
            agreed_good++;
        }
        if (round % 8 == 0) {
            CHECK((stream(packed, clen, got, n, 1 + round % 50, 1 + round % 90) == 0) == ours);
            CHECK(!ours || memcmp(want, got, n) == 0);
        }
        size_t head = lzf_head(packed, clen, got, n / 2);
        CHECK(head == SIZE_MAX || head <= n / 2);
        CHECK(!ours || (head == n / 2 && memcmp(want, got, head) == 0));
    }
    CHECK(agreed_good > 100);
}

static void test_plausible(void)
{
    CHECK(lzf_plausible(3, 264));
    CHECK(lzf_plausible(1, 1));
    CHECK(!lzf_plausible(0, 1));
    CHECK(!lzf_plausible(1, 0));
    CHECK(!lzf_plausible(10, 10 * 88 + 33));
    CHECK(!lzf_plausible(UINT64_MAX, 100));
    CHECK(!lzf_plausible(5, UINT64_MAX));
    CHECK(lzf_plausible(33, 32));
    CHECK(lzf_plausible(2, 1));
    CHECK(!lzf_plausible(4, 1));
    CHECK(!lzf_plausible(2000, 900));
}

int main(void)
{
    test_round_trips();
    test_heads();
    test_damage();
    test_plausible();
    return check_result();
}
