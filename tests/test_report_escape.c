/*
 * Names made readable: UTF-8 against the rule written out, cutting by width, nothing unsafe ever, fields and their table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/escape.h"
#include "report/fields.h"

static int failures;

static void fail(const char *what, const char *got, const char *want)
{
    if (++failures <= 20)
        printf("%s: '%s', not '%s'\n", what, got, want);
}

/* What is written into an output, without a file. */
static struct out *scratch(void)
{
    struct out *o = out_open("/dev/null");
    if (!o) {
        perror("/dev/null");
        exit(1);
    }
    return o;
}

static void quoted(const char *name, size_t len, size_t width, const char *want)
{
    struct out *o = scratch();
    size_t columns = quote_write(o, (const uint8_t *)name, len, width, false);
    char got[256];
    snprintf(got, sizeof got, "%.*s", (int)o->n, o->buf);
    if (strcmp(got, want) != 0)
        fail("quote_write", got, want);
    else if (columns != text_width(got) || columns > width ||
             columns != quote_write(NULL, (const uint8_t *)name, len, width, false))
        fail("quote_write", "another width", got);
    out_discard(o);
}

static void test_quote(void)
{
    quoted("", 0, 10, "\"\"");
    quoted("abc", 3, 10, "\"abc\"");
    quoted("12345678", 8, 10, "\"12345678\"");
    quoted("123456789", 9, 10, "\"12345\"...");
    quoted("a\"b\\", 4, 20, "\"a\\\"b\\\\\"");
    quoted("\n\r\t\a\b", 5, 20, "\"\\n\\r\\t\\a\\b\"");
    quoted("\0\x1b\x7f\xff", 4, 30, "\"\\x00\\x1b\\x7f\\xff\"");
    quoted("\xc3\xa9", 2, 10, "\"\xc3\xa9\"");
    quoted("\xe4\xb8\xad\xe6\x96\x87", 6, 6, "\"\xe4\xb8\xad\xe6\x96\x87\"");
    quoted("\xe4\xb8\xad\xe6\x96\x87\xe5", 7, 9, "\"\xe4\xb8\xad\xe6\x96\x87\"...");
    quoted("\xc2\x85", 2, 20, "\"\\xc2\\x85\"");
    quoted("\xe2\x80\xae", 3, 20, "\"\\xe2\\x80\\xae\"");
    quoted("\xff\xff\xff", 3, 10, "\"\\xff\"...");
}

/* The definition, without shortcuts: is there a character whose encoding these bytes are? */
static unsigned plain_utf8(const uint8_t *s, size_t len)
{
    for (unsigned n = 1; n <= 4 && n <= len; n++) {
        static const uint32_t from[] = {0, 0, 0x80, 0x800, 0x10000}, to[] = {0, 0x7f, 0x7ff, 0xffff, 0x10ffff};
        static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0}, mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
        uint32_t code = s[0] & mask[n];
        bool good = (s[0] & (uint8_t)~mask[n]) == lead[n];
        for (unsigned i = 1; i < n; i++) {
            good = good && s[i] >= 0x80 && s[i] <= 0xbf;
            code = code * 64 + (s[i] & 63);
        }
        if (good && code >= from[n] && code <= to[n] && (code < 0xd800 || code > 0xdfff))
            return n;
    }
    return 0;
}

static void test_utf8(void)
{
    static const uint8_t tails[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    enum { N = sizeof tails };
    uint32_t code;
    for (unsigned first = 0; first < 256; first++)
        for (unsigned t = 0; t < N * N * N; t++) {
            uint8_t s[4] = {(uint8_t)first, tails[t % N], tails[t / N % N], tails[t / N / N]};
            for (size_t len = 1; len <= 4; len++)
                if (utf8_decode(s, len, &code) != plain_utf8(s, len))
                    fail("utf8_decode", "another length", "the rule's");
        }
}

/* Random bytes: what is meant for a terminal has no control bytes, JSON text has none either and is UTF-8. */
static void test_never_unsafe(void)
{
    uint64_t x = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t name[24];
        struct out *o = round % 64 == 0 ? scratch() : NULL;
        char *json = NULL;
        for (size_t i = 0; i < sizeof name; i++) {
            x = x * UINT64_C(6364136223846793005) + 1;
            name[i] = x >> 62 ? (uint8_t)(x >> 40) : (uint8_t) "\x1b\xc2\xe2\xf0\x80\x9b\"\\"[x >> 41 & 7];
        }
        json = json_text(name, sizeof name);
        if (!json || !utf8_valid((const uint8_t *)json, strlen(json)))
            fail("json_text", "not UTF-8", "UTF-8");
        for (const char *p = json; p && *p; p++)
            if ((uint8_t)*p < 0x20)
                fail("json_text", "a control byte", "none");
        free(json);
        if (!o)
            continue;
        quote_write(o, name, sizeof name, 80, false);
        for (size_t i = 0; i < o->n; i++)
            if ((uint8_t)o->buf[i] < 0x20 || o->buf[i] == 0x7f)
                fail("quote_write", "a control byte", "none");
        if (!utf8_valid((const uint8_t *)o->buf, o->n))
            fail("quote_write", "not UTF-8", "UTF-8");
        out_discard(o);
    }
}

static void test_base64(void)
{
    static const char *const pairs[][2] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                                           {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char got[16];
        *put_base64(got, (const uint8_t *)pairs[i][0], strlen(pairs[i][0])) = '\0';
        if (strcmp(got, pairs[i][1]) != 0)
            fail("put_base64", got, pairs[i][1]);
    }
}

/* The first columns are a contract with what reads redis-rdb-tools' files. */
static void test_fields(void)
{
    static const char *const first[] = {
        "database", "type", "key", "size_in_bytes", "encoding", "num_elements", "len_largest_element", "expiry"};
    char flags[KEY_FLAGS_TEXT];
    unsigned all = 0, bit;
    for (size_t i = 0; i < 8; i++)
        if (strcmp(key_fields[i].name, first[i]) != 0)
            fail("column", key_fields[i].name, first[i]);
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        if (!key_fields[i].name || !key_fields[i].unit || !key_fields[i].help)
            fail("column", "an empty row", "a name, unit and help");
    for (unsigned i = 0; i < RDB_T_COUNT; i++)
        if (!key_type_words[i])
            fail("type", "no word", "a word");
    for (unsigned i = 0; key_flag_word(i, &bit); i++)
        all |= bit;
    *put_flags(flags, all) = '\0';
    if (strlen(flags) >= KEY_FLAGS_TEXT)
        fail("flags", flags, "shorter");
    *put_flags(flags, KEY_EXPIRED | KEY_NOT_LOADED) = '\0';
    if (strcmp(flags, "expired not_loaded") != 0)
        fail("flags", flags, "expired not_loaded");
}

int main(void)
{
    test_quote();
    test_utf8();
    test_never_unsafe();
    test_base64();
    test_fields();
    printf("%d passed, %d failed\n", failures == 0, failures);
    return failures != 0;
}
