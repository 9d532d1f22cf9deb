/*
 * test_rdb_chunk.c - the same dump in other pieces tells the same; cut or damaged it ends in an error or a result.
 */
#include "rdb_build.h"

static const int versions[] = {1, 4, 6, 8, 9, 11, 12, 14, 15, 80, 81};
enum { VERSIONS = sizeof versions / sizeof *versions };

/* Those whose every byte is cut off or changed: between them they hold every type. */
static const int damaged[] = {4, 9, 15, 81};

static void check_same(const struct buf *dump, const struct buf *want, struct rdb_options o, struct telling how)
{
    struct buf t = {0};
    tell_memory(&t, dump, &o, how);
    CHECK_MSG(strcmp((const char *)t.data, (const char *)want->data) == 0,
              "window %zu, read %zu, batch %zu, step %zu:\n%s--- instead of\n%s", o.window, o.read_size, how.batch,
              how.step, (const char *)t.data, (const char *)want->data);
    buf_free(&t);
}

/* Windows that hold everything: reads and batches of any size make no difference. */
static void test_reads_and_batches(void)
{
    static const size_t reads[] = {0, 1, 7, 4096}, batches[] = {64, 1, 2, 3, 7};
    for (size_t i = 0; i < VERSIONS; i++) {
        struct buf dump = {0}, want = {0};
        put_sample(&dump, versions[i], 3000 + i % 2);
        tell_memory(&want, &dump, NULL, (struct telling){.batch = 64, .opcodes = true});
        CHECK_MSG(strstr((char *)want.data, "\neof\n"), "version %d: %s", versions[i], (char *)want.data);
        CHECK(!strstr((char *)want.data, "!"));
        for (size_t r = 0; r < 4; r++)
            for (size_t b = 0; b < 5; b++)
                check_same(&dump, &want, (struct rdb_options){.read_size = reads[r]},
                           (struct telling){.batch = batches[b], .opcodes = true});
        buf_free(&dump);
        buf_free(&want);
    }
}

/* Small windows: elements beyond half of it are handed out without bytes, and their bytes read through cursors. The
 * transcript is the same but for what is cut by design (texts of events) or told later (an expiry behind the value). */
static void test_windows(void)
{
    static const size_t windows[] = {512, 1000, 4096, 70000};
    for (size_t i = 0; i < VERSIONS; i++) {
        for (size_t w = 0; w < 4; w++) {
            /* a string beyond half the window is cut in events: keep those of version 10 and later short */
            size_t longest = versions[i] >= 10 && w < 3 ? 200 : 3000;
            struct buf dump = {0}, want = {0};
            put_sample(&dump, versions[i], longest + i % 2);
            tell_memory(&want, &dump, NULL, (struct telling){.batch = 64, .opcodes = true});
            for (size_t r = 0; r < 3; r++)
                check_same(&dump, &want, (struct rdb_options){.window = windows[w], .read_size = r * r * 50},
                           (struct telling){.batch = 5, .opcodes = true, .step = r == 2 ? 1 : 100 * r});
            buf_free(&dump);
            buf_free(&want);
        }
    }
}

/* Skipped values: the same records at the same offsets, and the right end. */
static void test_skipping(void)
{
    for (size_t i = 0; i < VERSIONS; i++) {
        struct buf dump = {0}, want = {0};
        put_sample(&dump, versions[i], 3000 + i % 2);
        tell_memory(&want, &dump, NULL, (struct telling){0});
        CHECK(strstr((char *)want.data, "\neof\n"));
        check_same(&dump, &want, (struct rdb_options){.read_size = 1}, (struct telling){0});
        check_same(&dump, &want, (struct rdb_options){.read_size = 501}, (struct telling){0});
        buf_free(&dump);
        buf_free(&want);
    }
}

/* One batch of each value and then on: the rest is skipped from wherever it stands. */
static void test_partial(void)
{
    for (size_t i = 0; i < VERSIONS; i++)
        for (size_t window = 0; window < 2; window++)
            for (size_t cap = 1; cap < 12; cap++) {
                struct buf dump = {0};
                put_sample(&dump, versions[i], 3000 + i % 2);
                struct memory_reader m = {dump.data, dump.len, 0};
                struct rdb_options o = {.window = window ? 600 : 0, .read_size = 700};
                rdb_parser *p = rdb_open_reader(memory_read, &m, &o);
                struct rdb_event ev;
                struct rdb_element el[12];
                while (rdb_next(p, &ev) > 0) {
                    bool more = ev.kind == RDB_EV_KEY || ev.kind == RDB_EV_MODULE_AUX;
                    for (size_t k = 0; more && k < cap % 3 + 1; k++)
                        (void)rdb_elements(p, el, cap, &more);
                }
                CHECK_MSG(!rdb_failed(p) && rdb_info(p)->crc != RDB_CRC_UNKNOWN, "version %d, %zu elements: %s",
                          versions[i], cap, rdb_error(p)->expected);
                rdb_close(p);
                buf_free(&dump);
            }
}

/* ---------------------------------------------------------------- cut and damaged */

static void test_every_cut(void)
{
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        struct buf dump = {0}, want = {0}, t = {0};
        struct rdb_options o = {.window = 2048};
        put_sample(&dump, damaged[i], 40 + i % 2);
        tell_memory(&want, &dump, &o, (struct telling){0});
        for (size_t n = 0; n < dump.len; n++) {
            uint8_t *exact = malloc(n ? n : 1);
            memcpy(exact, dump.data, n);
            struct buf cut = {exact, n, n};
            enum rdb_err kind = drain_memory(&cut, &o, 16);
            CHECK_MSG(kind == RDB_ERR_TRUNCATED || (kind != RDB_OK && n < 9), "version %d cut at %zu: %s", damaged[i],
                      n, rdb_err_name(kind));
            tell_memory(&t, &cut, &o, (struct telling){0}); /* skipping: what was whole, then the error */
            const char *error = strstr((char *)t.data, "error ");
            size_t told = error ? (size_t)(error - (char *)t.data) : 0;
            CHECK_MSG(error && memcmp(t.data, want.data, told) == 0, "version %d cut at %zu", damaged[i], n);
            free(exact);
        }
        buf_free(&dump);
        buf_free(&want);
        buf_free(&t);
    }
}

/* Every byte, several wrong values: an end, whatever it is. The checksum tells of all that framing does not. */
static void test_every_byte(void)
{
    static const unsigned flips[] = {1, 0xc0};
    size_t silent = 0;
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        struct buf dump = {0};
        put_sample(&dump, damaged[i], 40 + i % 2);
        for (size_t at = 0; at < dump.len; at++)
            for (size_t f = 0; f < 2; f++) {
                struct rdb_options o = {.window = f ? 2048 : 600};
                dump.data[at] ^= (uint8_t)flips[f];
                enum rdb_err kind = drain_memory(&dump, &o, f ? 7 : 0);
                silent += damaged[i] >= 5 && kind == RDB_OK;
                dump.data[at] ^= (uint8_t)flips[f];
            }
        buf_free(&dump);
    }
    CHECK_MSG(silent < 20, "%zu changes were not noticed", silent); /* version digits alone may pass */
}

int main(void)
{
    test_reads_and_batches();
    test_windows();
    test_skipping();
    test_partial();
    test_every_cut();
    test_every_byte();
    return check_result();
}
