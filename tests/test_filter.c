/*
 * test_filter.c - globs against the server's own algorithm written down plainly, conditions of the filter, the sample;
 * the hidden names; the limits of big keys and the rules' grammar.
 */
#include "analyzer/analysis.h"
#include "analyzer/audit.h"
#include "analyzer/explain.h"
#include "analyzer/filter.h"
#include "analyzer/hash_names.h"
#include "analyzer/segments.h"
#include "check.h"

typedef unsigned long long seed;

/* ---------------------------------------------------------------- globs */

/* util.c stringmatchlen as the server has it: by recursion, a star tried at every place. */
static bool naive_set(const char **pp, const char *end, uint8_t c)
{
    const char *p = *pp + 1;
    bool negated = p < end && *p == '^', match = false;
    p += negated;
    for (;; p++) {
        if (p < end - 1 && *p == '\\') {
            p++;
            match |= (uint8_t)*p == c;
        } else if (p < end && *p == ']') {
            p++;
            break;
        } else if (p >= end) {
            break;
        } else if (end - p >= 3 && p[1] == '-') {
            uint8_t a = (uint8_t)p[0], b = (uint8_t)p[2];
            match |= (a < b ? a : b) <= c && c <= (a < b ? b : a);
            p += 2;
        } else {
            match |= (uint8_t)*p == c;
        }
    }
    *pp = p;
    return match != negated;
}

static bool naive_glob(const char *p, const char *end, const uint8_t *s, size_t n)
{
    if (p == end)
        return n == 0;
    if (*p == '*') {
        for (size_t i = 0; i <= n; i++)
            if (naive_glob(p + 1, end, s + i, n - i))
                return true;
        return false;
    }
    if (n == 0)
        return false;
    if (*p == '?')
        return naive_glob(p + 1, end, s + 1, n - 1);
    if (*p == '[')
        return naive_set(&p, end, *s) && naive_glob(p, end, s + 1, n - 1);
    if (*p == '\\' && end - p >= 2)
        p++;
    return (uint8_t)*p == *s && naive_glob(p + 1, end, s + 1, n - 1);
}

static bool glob(const char *pattern, const char *text)
{
    return glob_matches(pattern, strlen(pattern), (const uint8_t *)text, strlen(text));
}

static void test_glob(void)
{
    static const char letters[] = "ab*?[]^-\\c";
    seed r = 1;
    CHECK(glob("user:*", "user:1") && !glob("user:*", "xuser:1") && glob("*", "") && glob("", "") && !glob("", "a"));
    CHECK(glob("h[ae]llo", "hallo") && !glob("h[^e]llo", "hello") && glob("h[a-c]x", "hbx") && glob("h\\*", "h*"));
    CHECK(!glob("User*", "user") && glob("a**b", "ab") && glob("[", "[") == false);
    for (int i = 0; i < 300000; i++) {
        char pattern[10], text[10];
        size_t n = (size_t)(check_random(&r) % 8), m = (size_t)(check_random(&r) % 7);
        for (size_t j = 0; j < n; j++)
            pattern[j] = letters[check_random(&r) % (sizeof letters - 1)];
        for (size_t j = 0; j < m; j++)
            text[j] = letters[check_random(&r) % (sizeof letters - 1)];
        pattern[n] = text[m] = '\0';
        bool got = glob_matches(pattern, n, (const uint8_t *)text, m);
        bool want = naive_glob(pattern, pattern + n, (const uint8_t *)text, m);
        CHECK_MSG(got == want, "'%s' on '%s': %d", pattern, text, got);
    }
}

/* A star at every place must not cost more than the product of the lengths. */
static void test_glob_hostile(void)
{
    static uint8_t text[20000];
    memset(text, 'a', sizeof text);
    CHECK(!glob_matches("a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", 29, text, sizeof text));
}

/* ---------------------------------------------------------------- conditions */

static struct key_report a_key(void)
{
    struct key_report k;
    memset(&k, 0, sizeof k);
    k.name = (const uint8_t *)"user:17:profile";
    k.name_len = 15;
    k.type = RDB_T_HASH;
    k.encoding = ENC_LISTPACK;
    k.db = 2;
    k.bytes = 1000;
    k.elements = 7;
    k.slot = 5000;
    k.expire_ms = 1000000 + 7200 * 1000;
    return k;
}

static bool keeps(const char *option, const char *value, const struct key_report *k)
{
    struct filter f;
    char err[REGEX_ERROR];
    filter_init(&f);
    CHECK_MSG(filter_set(&f, option, value, err), "%s=%s: %s", option, value, err);
    struct regex_matcher *m = regex_matcher_new();
    bool kept = filter_keeps(&f, m, k, 1000000);
    regex_matcher_free(m);
    CHECK(f.active && f.nconditions == 1);
    filter_free(&f);
    return kept;
}

static void test_conditions(void)
{
    static const struct {
        const char *option, *value;
        bool kept;
    } cases[] = {
        {"db", "2", true},
        {"db", "0", false},
        {"type", "hash", true},
        {"type", "zset", false},
        {"encoding", "listpack", true},
        {"encoding", "hashtable", false},
        {"key", "user:*", true},
        {"key", "*:x", false},
        {"not-key", "user:*", false},
        {"not-key", "cart:*", true},
        {"regex", ":1\\d:", true},
        {"regex", "^17", false},
        {"min-bytes", "1000", true},
        {"min-bytes", "1K", false},
        {"max-bytes", "1000", true},
        {"max-bytes", "999", false},
        {"min-elements", "7", true},
        {"min-elements", "8", false},
        {"ttl", "none", false},
        {"ttl", "any", true},
        {"ttl", "expired", false},
        {"ttl", "2h..3h", true},
        {"ttl", "..2h", false},
        {"ttl", "..7201", true},
        {"ttl", "1d..", false},
        {"ttl", "1m..", true},
        {"slot", "5000", true},
        {"slot", "0-4999", false},
        {"slot", "4999-5001", true},
    };
    struct key_report k = a_key();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_MSG(keeps(cases[i].option, cases[i].value, &k) == cases[i].kept, "%s=%s", cases[i].option,
                  cases[i].value);
    k.expire_ms = -1;
    CHECK(keeps("ttl", "none", &k) && !keeps("ttl", "any", &k) && !keeps("ttl", "..1h", &k));
    k.expire_ms = 999;
    k.flags = KEY_EXPIRED;
    CHECK(keeps("ttl", "expired", &k) && keeps("ttl", "any", &k) && !keeps("ttl", "..1h", &k));
    k.slot = -1;
    CHECK(!keeps("slot", "0-16383", &k));
}

static void test_together(void)
{
    struct filter f;
    char err[REGEX_ERROR];
    struct key_report k = a_key();
    struct regex_matcher *m = regex_matcher_new();
    filter_init(&f);
    CHECK(filter_keeps(&f, m, &k, 0) && !f.active);
    CHECK(filter_set(&f, "db", "0", err) && filter_set(&f, "db", "2", err) && filter_keeps(&f, m, &k, 0));
    CHECK(filter_set(&f, "key", "cart:*", err) && !filter_keeps(&f, m, &k, 0));
    CHECK(filter_set(&f, "regex", "profile$", err) && filter_keeps(&f, m, &k, 0));
    CHECK(filter_set(&f, "type", "set", err) && !filter_keeps(&f, m, &k, 0));
    CHECK(filter_set(&f, "type", "hash", err) && filter_keeps(&f, m, &k, 0));
    CHECK(filter_set(&f, "not-key", "*:17:*", err) && !filter_keeps(&f, m, &k, 0));
    regex_matcher_free(m);
    filter_free(&f);
}

static void test_bad_values(void)
{
    static const char *const bad[][2] = {
        {"db", "x"},
        {"db", ""},
        {"type", "strings"},
        {"encoding", "zip"},
        {"regex", "("},
        {"min-bytes", "K"},
        {"max-bytes", "1Q"},
        {"min-elements", "1K"},
        {"ttl", "soon"},
        {"ttl", ".."},
        {"ttl", "1h.."
                "x"},
        {"ttl", "1h"},
        {"slot", "16384"},
        {"slot", "5-4"},
        {"sample", "10"},
        {"sample", "1/0"},
        {"sample", "1/x"},
        {"nonsense", "1"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct filter f;
        char err[REGEX_ERROR] = "";
        filter_init(&f);
        CHECK_MSG(!filter_set(&f, bad[i][0], bad[i][1], err) && err[0], "%s=%s", bad[i][0], bad[i][1]);
        filter_free(&f);
    }
}

static void test_sample(void)
{
    struct filter f;
    char err[REGEX_ERROR];
    unsigned taken = 0;
    filter_init(&f);
    CHECK(filter_set(&f, "sample", "1/20", err) && !f.active);
    for (unsigned i = 0; i < 100000; i++) {
        char name[32];
        int n = snprintf(name, sizeof name, "user:%u", i);
        taken += filter_samples(&f, (const uint8_t *)name, (size_t)n);
    }
    CHECK_MSG(taken > 4600 && taken < 5400, "%u", taken);
    filter_free(&f);
}

/* ---------------------------------------------------------------- hidden names */

static void test_siphash(void)
{
    struct name_key key; /* the paper's test vector */
    uint8_t data[15];
    for (unsigned i = 0; i < 16; i++)
        ((uint8_t *)key.k)[i] = (uint8_t)i;
    for (unsigned i = 0; i < 15; i++)
        data[i] = (uint8_t)i;
    CHECK(siphash24(&key, data, 15) == 0xa129ca6149be45e5);
    CHECK(siphash24(&key, data, 0) == 0x726fdb47dd0e0e31);
}

static void test_hidden_shape(void)
{
    static const char before[] = "user:0012:{Tag9}-550e8400-e29b-41d4 caf\xc3\xa9/x";
    uint8_t name[sizeof before], again[sizeof before];
    struct name_key key, other;
    name_key_of_secret(&key, "s");
    name_key_of_secret(&other, "t");
    memcpy(name, before, sizeof name);
    memcpy(again, before, sizeof again);
    name_hash(&key, name, sizeof before - 1);
    name_hash(&key, again, sizeof before - 1);
    CHECK(memcmp(name, again, sizeof name) == 0 && memcmp(name, before, sizeof name) != 0);
    memcpy(again, before, sizeof again);
    name_hash(&other, again, sizeof before - 1);
    CHECK(memcmp(name, again, sizeof name) != 0);
    for (size_t i = 0; i < sizeof before; i++) {
        char c = before[i];
        char h = (char)name[i];
        CHECK((c >= '0' && c <= '9') == (h >= '0' && h <= '9'));
        CHECK((c >= 'A' && c <= 'Z') == (h >= 'A' && h <= 'Z'));
        CHECK((c >= 'a' && c <= 'z') == (h >= 'a' && h <= 'z'));
        CHECK((c < 0) == (h < 0));
        if (c && strchr(":{}- /", c))
            CHECK(c == h);
    }
}

/* Different words stay different: all words of one kind up to three letters, and their paths keep their shape. */
static void test_hidden_is_one_to_one(void)
{
    static uint8_t seen[26 * 26 * 26];
    struct name_key key;
    name_key_of_secret(&key, "secret");
    for (unsigned i = 0; i < sizeof seen; i++) {
        uint8_t w[3 + SEGMENTS_PAD] = {(uint8_t)('a' + i / 676), (uint8_t)('a' + i / 26 % 26), (uint8_t)('a' + i % 26)};
        name_hash(&key, w, 3);
        unsigned to = (unsigned)(w[0] - 'a') * 676 + (unsigned)(w[1] - 'a') * 26 + (unsigned)(w[2] - 'a');
        CHECK(to < sizeof seen && !seen[to]);
        if (to < sizeof seen)
            seen[to] = 1;
    }
}

static void test_hidden_paths(void)
{
    static const char alphabet[] = "abcdefgxyz0123456789::--_";
    struct splitter s;
    struct name_key key;
    seed r = 2;
    splitter_init(&s, 4);
    name_key_of_secret(&key, "secret");
    for (int i = 0; i < 20000; i++) {
        uint8_t name[40 + SEGMENTS_PAD];
        struct segments plain, hidden;
        size_t len = 1 + (size_t)(check_random(&r) % 39);
        for (size_t j = 0; j < len; j++)
            name[j] = (uint8_t)alphabet[check_random(&r) % (sizeof alphabet - 1)];
        segments_of(&s, name, len, &plain);
        name_hash(&key, name, len);
        segments_of(&s, name, len, &hidden);
        CHECK(plain.n == hidden.n);
        for (unsigned j = 0; j < plain.n && j < hidden.n; j++)
            CHECK(plain.len[j] == hidden.len[j]);
    }
}

/* ---------------------------------------------------------------- big keys and rules */

static void test_big_limits(void)
{
    struct big_table t;
    struct key_report k = a_key();
    big_table_init(&t);
    CHECK(big_flags(&t, &k) == 0);
    CHECK(big_table_set(&t, "bytes=1000,hash.elements=7,element=5K") && t.all.bytes == 1000 && t.all.elements == 10000);
    CHECK(big_flags(&t, &k) == (KEY_BIG_BYTES | KEY_BIG_ELEMENTS));
    k.type = RDB_T_SET;
    CHECK(big_flags(&t, &k) == KEY_BIG_BYTES);
    k.type = RDB_T_STRING;
    k.elements = 1000000;
    k.largest = 5120;
    CHECK(big_flags(&t, &k) == (KEY_BIG_BYTES | KEY_BIG_ELEMENT));
    CHECK(!big_table_set(&t, "") && !big_table_set(&t, "bytes") && !big_table_set(&t, "bytes=") &&
          !big_table_set(&t, "bytes=1,") && !big_table_set(&t, "elements=1K") && !big_table_set(&t, "x.bytes=1") &&
          !big_table_set(&t, "bytes=1 "));
    CHECK(!big_table_preset(&t, "none"));
    for (const struct big_preset *p = big_presets; p->name; p++)
        CHECK(big_table_preset(&t, p->name));
    CHECK(big_table_preset(&t, "10k") && t.of[RDB_T_ZSET].bytes == 10240 && t.of[RDB_T_ZSET].elements == 5000);
}

static void test_rules(void)
{
    static const char *const good[] = {"big-key",        "used-memory>10G",   "prefix:a>b:*>2G",
                                       "no-ttl:cache:*", "fragmentation>1.5", "fragmentation>2"};
    static const char *const bad[] = {"",           "big",      "used-memory", "used-memory>",    "used-memory>x",
                                      "prefix:>2G", "prefix:a", "no-ttl:",     "fragmentation>x", "fragmentation>1.",
                                      "keys>5"};
    struct audit_rules r = {0};
    char err[REGEX_ERROR];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK_MSG(audit_rules_add(&r, good[i], err), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_MSG(!audit_rules_add(&r, bad[i], err), "%s", bad[i]);
    CHECK(r.n == 6 && strcmp(r.rules[2].glob, "a>b:*") == 0 && r.rules[2].bytes == UINT64_C(2) << 30);
    CHECK(r.rules[4].ratio > 1.49999 && r.rules[4].ratio < 1.50001);
    audit_rules_free(&r);
}

/* ---------------------------------------------------------------- explaining */

static uint64_t rows_of(const struct explain *x, enum zlabel label, uint64_t request)
{
    uint64_t n = 0;
    for (size_t i = 0; i < x->n; i++)
        n += x->rows[i].label == label && x->rows[i].request == request;
    return n;
}

/* Random blocks that come and go: what is left is right, whether told singly or not. */
static void test_explain(void)
{
    enum { KINDS = 600 };
    static uint64_t live[KINDS];
    struct explain x = {.name = (const uint8_t *)"k", .name_len = 1};
    struct key_report k = a_key();
    seed r = 4;
    uint64_t usable = 0;
    for (int i = 0; i < 60000; i++) {
        unsigned kind = (unsigned)(check_random(&r) % (i % 3 ? KINDS : 4));
        uint64_t request = kind + 1, count = check_random(&r) % (i % 50 ? 2 : 300) + 1;
        bool frees = check_random(&r) % 3 == 0;
        if (frees && live[kind] < count)
            continue;
        explain_block(&x, (enum zlabel)(kind % ZL_COUNT), request, request + 8, count, frees);
        live[kind] += frees ? 0 - count : count;
    }
    for (unsigned i = 0; i < KINDS; i++)
        usable += live[i] * (i + 9);
    k.bytes = usable + 5;
    explain_finish(&x, &k);
    CHECK(x.found && !x.failed && x.usable == usable && x.chance == 5);
    for (unsigned i = 0; i < KINDS; i++) {
        uint64_t rows = rows_of(&x, (enum zlabel)(i % ZL_COUNT), i + 1), sum = 0;
        for (size_t j = 0; j < x.n; j++)
            if (x.rows[j].request == i + 1)
                sum += x.rows[j].count;
        CHECK_MSG(sum == live[i], "%u: %llu, not %llu", i, (unsigned long long)sum, (unsigned long long)live[i]);
        CHECK(rows <= EXPLAIN_SINGLY);
    }
    explain_free(&x);
}

int main(void)
{
    test_glob();
    test_glob_hostile();
    test_conditions();
    test_together();
    test_bad_values();
    test_sample();
    test_siphash();
    test_hidden_shape();
    test_hidden_is_one_to_one();
    test_hidden_paths();
    test_big_limits();
    test_rules();
    test_explain();
    return check_result();
}
