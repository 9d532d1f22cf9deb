/*
 * test_groups.c - groups by prefix against a naive table of all paths; names' parts against a list of cases.
 */
#include "analyzer/groups.h"
#include "analyzer/groups_custom.h"
#include "check.h"

typedef unsigned long long seed;

/* ---------------------------------------------------------------- parts of names */

static void check_path(const struct splitter *s, const char *name, const char *expected)
{
    uint8_t padded[256 + SEGMENTS_PAD] = {0};
    char got[1024] = "";
    struct segments parts;
    bool digits_matter;
    size_t n = 0, len = strlen(name);
    memcpy(padded, name, len);
    segments_of(s, padded, len, &parts);
    for (unsigned i = 0; i < parts.n; i++)
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%.*s", i ? "  " : "", parts.len[i],
                              (const char *)parts.text + parts.at[i]);
    CHECK_MSG(strcmp(got, expected) == 0, "'%s': '%s', not '%s'", name, got, expected);
    CHECK_MSG(segments_hash(s, padded, len, &digits_matter) == parts.hash[parts.n - 1], "'%s'", name);
}

static void test_parts(void)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"plain", "plain"},
        {":", ":  "},
        {"user:", "user:  "},
        {"user:123:profile", "user:  *:  profile"},
        {"user:00000000000000000000123:profile", "user:  *:  profile"},
        {"session:550e8400-e29b-41d4-a716-446655440000", "session:  *"},
        {"obj:507f1f77bcf86cd799439011:x", "obj:  *:  x"},
        {"deadbeef:facade", "deadbeef:  facade"},
        {"h:deadbee5", "h:  *"},
        {"h:dead5", "h:  dead5"},
        {"t:9fGh3kLmQ2xW8zR1", "t:  *"},
        {"order-2024-01-15:item42", "order-*-*-*:  item42"},
        {"day:2024-01-15", "day:  *"},
        {"ip:10.0.0.1:hits", "ip:  *:  hits"},
        {"v1:users", "v1:  users"},
        {"item1234:x", "item*:  x"},
        {"{user:77}:cart", "{user:  *}:  cart"},
        {"{1234}:cart", "{*}:  cart"},
        {"{abc}:cart", "{abc}:  cart"},
        {"a:b:c:d:e:f", "a:  b:  c:  d:"},
        {"app/user/12", "app/  user/  *"},
        {"my_setting_7", "my_  setting_  *"},
        {"550e8400-e29b-41d4-a716-446655440000", "*"},
        {"2024-01-15", "*"},
        {"shop.cart.9", "shop.  cart.  *"},
        {"\xc3\xa9t\xc3\xa9:12", "\xc3\xa9t\xc3\xa9:  *"},
    };
    struct splitter s;
    splitter_init(&s, 4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_path(&s, cases[i][0], cases[i][1]);
    splitter_init(&s, 16);
    CHECK(splitter_add(&s, '/') && splitter_add(&s, '|') && !splitter_add(&s, 'a') && !splitter_add(&s, '7'));
    check_path(&s, "a/b|c:d/9", "a/  b|  c:d/  *");
    check_path(&s, "a_b", "a_b");
}

static void test_long_parts(void)
{
    struct splitter s;
    char name[200], expected[200];
    splitter_init(&s, 4);
    for (size_t len = SEGMENT_TEXT - 2; len < 120; len++) {
        memset(name, 'q', len);
        strcpy(name + len, ":z");
        size_t shown = len <= SEGMENT_TEXT ? len : SEGMENT_TEXT;
        memset(expected, 'q', shown);
        strcpy(expected + shown, len <= SEGMENT_TEXT ? ":  z" : "*:  z");
        check_path(&s, name, expected);
    }
}

/* Any bytes at all: the short way and the long way agree, and what is not read does not matter. */
static void test_hash_agrees(void)
{
    static const char alphabet[] = "ab7:9/._-{}f0\xff\0xyz";
    struct splitter s[3];
    seed r = 1;
    splitter_init(&s[0], 4);
    splitter_init(&s[1], 16);
    splitter_init(&s[2], 2);
    CHECK(splitter_add(&s[2], '/') && splitter_add(&s[2], '_'));
    for (int i = 0; i < 200000; i++) {
        uint8_t name[160];
        struct segments parts;
        bool digits_matter;
        size_t len = (size_t)(check_random(&r) % (i % 10 ? 40 : 130));
        for (size_t j = 0; j < sizeof name; j++)
            name[j] = (uint8_t)alphabet[check_random(&r) % (i % 3 ? sizeof alphabet - 1 : 6)];
        const struct splitter *one = &s[i % 3];
        segments_of(one, name, len, &parts);
        CHECK_MSG(segments_hash(one, name, len, &digits_matter) == parts.hash[parts.n - 1], "'%.*s'", (int)len,
                  (const char *)name);
        CHECK(parts.n >= 1 && parts.n <= one->depth);
        if (!digits_matter) {
            uint64_t hash = parts.hash[parts.n - 1], blanked = segments_blanked(name, len);
            for (size_t j = 0; j < len; j++)
                if (name[j] >= '0' && name[j] <= '9')
                    name[j] = (uint8_t)('0' + check_random(&r) % 10);
            CHECK(segments_blanked(name, len) == blanked);
            CHECK_MSG(segments_hash(one, name, len, &digits_matter) == hash, "'%.*s'", (int)len, (const char *)name);
        }
    }
}

/* ---------------------------------------------------------------- the naive table */

struct path {
    char name[128];
    struct group_sums sums;
};

struct naive {
    struct path *paths;
    size_t n, cap;
};

static struct group_sums *naive_find(struct naive *t, const char *name, bool make)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->paths[i].name, name) == 0)
            return &t->paths[i].sums;
    if (!make)
        return NULL;
    if (t->n == t->cap) {
        t->cap = 2 * t->cap + 64;
        t->paths = realloc(t->paths, t->cap * sizeof *t->paths);
        if (!t->paths)
            abort();
    }
    memset(&t->paths[t->n], 0, sizeof t->paths[0]);
    snprintf(t->paths[t->n].name, sizeof t->paths[0].name, "%s", name);
    return &t->paths[t->n++].sums;
}

static void sums_add(struct group_sums *s, enum rdb_type type, uint64_t bytes, bool expires)
{
    s->keys++;
    s->bytes += bytes;
    s->expiring_keys += expires;
    s->expiring_bytes += expires ? bytes : 0;
    s->largest = bytes > s->largest ? bytes : s->largest;
    s->type_keys[type]++;
    s->type_bytes[type] += bytes;
}

static void naive_add(struct naive *t, const struct splitter *s, const uint8_t *name, size_t len, enum rdb_type type,
                      uint64_t bytes, bool expires)
{
    struct segments parts;
    char path[128] = "";
    size_t n = 0;
    segments_of(s, name, len, &parts);
    sums_add(naive_find(t, "", true), type, bytes, expires);
    for (unsigned i = 0; i < parts.n; i++) {
        n += (size_t)snprintf(path + n, sizeof path - n, "%.*s", parts.len[i], (const char *)parts.text + parts.at[i]);
        if (parts.len[i]) /* an empty last part has its parent's name */
            sums_add(naive_find(t, path, true), type, bytes, expires);
    }
}

static bool sums_equal(const struct group_sums *a, const struct group_sums *b)
{
    return a->keys == b->keys && a->bytes == b->bytes && a->expiring_keys == b->expiring_keys &&
           a->expiring_bytes == b->expiring_bytes && a->largest == b->largest &&
           memcmp(a->type_keys, b->type_keys, sizeof a->type_keys) == 0 &&
           memcmp(a->type_bytes, b->type_bytes, sizeof a->type_bytes) == 0;
}

/* ---------------------------------------------------------------- trees */

struct made_key {
    uint8_t name[64 + SEGMENTS_PAD];
    size_t len;
    enum rdb_type type;
    uint64_t bytes;
    bool expires;
};

static void make_key(struct made_key *k, seed *r, unsigned words)
{
    char text[80] = "";
    unsigned parts = 1 + (unsigned)(check_random(r) % 4);
    size_t n = 0;
    for (unsigned i = 0; i < parts; i++) {
        unsigned pick = (unsigned)(check_random(r) % words);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", i ? ":" : "");
        if (pick % 3 == 0)
            n += (size_t)snprintf(text + n, sizeof text - n, "%u", (unsigned)(check_random(r) % 100000));
        else
            n += (size_t)snprintf(text + n, sizeof text - n, "%c%c", 'a' + pick / 26 % 26, 'a' + pick % 26);
    }
    memset(k, 0xee, sizeof *k);
    memcpy(k->name, text, n);
    k->len = n;
    k->type = (enum rdb_type)(check_random(r) % 5);
    k->bytes = 40 + 8 * (check_random(r) % (k->type == RDB_T_HASH ? 10000 : 20));
    k->expires = check_random(r) % 3 == 0;
}

static void add(struct groups *g, const struct made_key *k)
{
    groups_add(g, k->name, k->len, groups_tag(k->type, k->bytes, k->expires), k->bytes);
}

static void sums_take(struct group_sums *s, const struct group_sums *from)
{
    s->keys -= from->keys;
    s->bytes -= from->bytes;
    s->expiring_keys -= from->expiring_keys;
    s->expiring_bytes -= from->expiring_bytes;
    for (int t = 0; t < RDB_T_COUNT; t++) {
        s->type_keys[t] -= from->type_keys[t];
        s->type_bytes[t] -= from->type_bytes[t];
    }
}

/* Each row with children is their exact sum; rows come after their parents, children by falling weight, "other" last. */
static void check_tree(const struct group_tree *t)
{
    static const struct group_sums nothing;
    for (size_t i = 0; i < t->n; i++) {
        struct group_sums left = t->rows[i].sums;
        size_t children = 0, last = 0;
        uint64_t before = UINT64_MAX;
        for (size_t j = i + 1; j < t->n; j++) {
            if (t->rows[j].parent != i)
                continue;
            CHECK(t->rows[j].depth == t->rows[i].depth + 1);
            CHECK(t->rows[j].other || t->rows[j].sums.bytes <= before);
            before = t->rows[j].sums.bytes;
            sums_take(&left, &t->rows[j].sums);
            children++;
            last = j;
        }
        for (size_t j = i + 1; j < t->n; j++)
            CHECK(!(t->rows[j].parent == i && t->rows[j].other) || j == last);
        left.p50 = left.p99 = left.largest = 0;
        if (children)
            CHECK_MSG(memcmp(&left, &nothing, sizeof left) == 0, "row %zu of %zu: %lld bytes left", i, t->n,
                      (long long)left.bytes);
        CHECK(i == 0 || t->rows[i].parent < i);
        CHECK(t->rows[i].sums.p50 <= t->rows[i].sums.p99 && t->rows[i].sums.p99 <= t->rows[i].sums.largest);
    }
}

static void check_against(const struct group_tree *t, struct naive *all)
{
    char name[256];
    for (size_t i = 0; i < t->n; i++) {
        if (t->rows[i].other)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)t->rows[i].name_len, t->rows[i].name);
        const struct group_sums *s = naive_find(all, name, false);
        CHECK_MSG(s != NULL, "'%s' is not a path", name);
        if (s && t->rows[i].name_len)
            CHECK_MSG(sums_equal(s, &t->rows[i].sums), "'%s': %llu bytes, not %llu", name,
                      (unsigned long long)t->rows[i].sums.bytes, (unsigned long long)s->bytes);
    }
}

static int by_value(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

static void test_exact(void)
{
    enum { KEYS = 20000 };
    static uint64_t sizes[KEYS];
    struct splitter s;
    struct naive all = {0};
    struct group_tree t;
    seed r = 7;
    splitter_init(&s, 3);
    struct groups *g = groups_new(&s), *half[2] = {groups_new(&s), groups_new(&s)};
    for (int i = 0; i < KEYS; i++) {
        struct made_key k;
        make_key(&k, &r, 12);
        add(g, &k);
        add(half[i % 2], &k);
        naive_add(&all, &s, k.name, k.len, k.type, k.bytes, k.expires);
        sizes[i] = k.bytes;
    }
    for (size_t rows = 0; rows < 3000; rows = rows * 3 + 1) {
        CHECK(groups_finish(g, rows, 1, &t));
        CHECK(t.n >= 1 && t.n <= 2 * rows + 2 && t.merged == 0);
        check_tree(&t);
        check_against(&t, &all);
        group_tree_free(&t);
    }
    CHECK(groups_finish(g, 5000, 1, &t));
    CHECK_MSG(t.n >= all.n, "%zu rows, %zu paths", t.n, all.n);
    qsort(sizes, KEYS, sizeof *sizes, by_value);
    uint64_t p50 = sizes[(KEYS + 1) / 2 - 1], p99 = sizes[KEYS * 99 / 100 - 1];
    CHECK(t.rows[0].sums.p50 >= p50 && t.rows[0].sums.p50 <= p50 + p50 / 16);
    CHECK(t.rows[0].sums.p99 >= p99 && t.rows[0].sums.p99 <= p99 + p99 / 16);
    group_tree_free(&t);
    groups_merge(half[0], half[1]);
    CHECK(groups_finish(half[0], 5000, 1, &t));
    check_tree(&t);
    check_against(&t, &all);
    group_tree_free(&t);
    CHECK(groups_finish(half[1], 50, 10, &t)); /* a scaled one stays consistent */
    check_tree(&t);
    CHECK(t.rows[0].sums.keys == KEYS / 2 * 10);
    group_tree_free(&t);
    groups_free(g);
    groups_free(half[0]);
    groups_free(half[1]);
    free(all.paths);
}

/* ---------------------------------------------------------------- more prefixes than there is room for */

enum { HEAVY = 20, FLOOD = 400000 };

/* One key in ten belongs to a heavy prefix; every other key has a prefix of its own. */
static void flood_key(struct made_key *k, seed *r, int i, unsigned *heavy)
{
    char text[64];
    *heavy = HEAVY;
    size_t n = 0;
    if (i % 10 == 3) {
        *heavy = (unsigned)(check_random(r) % HEAVY);
        n = (size_t)snprintf(text, sizeof text, "heavy%c:%d:x", 'a' + (int)*heavy, i);
    } else {
        for (int j = 0; j < 9; j++)
            text[n++] = (char)('g' + check_random(r) % 16);
        n += (size_t)snprintf(text + n, sizeof text - n, ":%d", i);
    }
    memset(k, 0, sizeof *k);
    memcpy(k->name, text, n);
    k->len = n;
    k->type = RDB_T_STRING;
    k->bytes = 64 + 8 * (check_random(r) % 4);
    k->expires = i % 2;
}

static void flood(struct groups *g, int from, int to, seed *r, uint64_t bytes[HEAVY], uint64_t *all)
{
    for (int i = from; i < to; i++) {
        struct made_key k;
        unsigned heavy;
        flood_key(&k, r, i, &heavy);
        add(g, &k);
        *all += k.bytes;
        if (heavy < HEAVY)
            bytes[heavy] += k.bytes;
    }
}

static void check_heavy(const struct group_tree *t, const uint64_t bytes[HEAVY], uint64_t all)
{
    unsigned found = 0;
    CHECK(t->rows[0].sums.bytes == all && t->rows[0].sums.keys == FLOOD);
    CHECK(t->merged > 0);
    for (size_t i = 0; i < t->n; i++) {
        const struct group *row = &t->rows[i];
        if (row->depth != 1 || row->other || row->name_len != 7 || memcmp(row->name, "heavy", 5) != 0)
            continue;
        uint64_t truth = bytes[row->name[5] - 'a'];
        found++;
        CHECK_MSG(row->sums.bytes <= truth && row->sums.bytes + row->missing_at_most >= truth, "%llu + %llu, not %llu",
                  (unsigned long long)row->sums.bytes, (unsigned long long)row->missing_at_most,
                  (unsigned long long)truth);
    }
    CHECK_MSG(found == HEAVY, "%u", found);
}

static void test_flood(void)
{
    struct splitter s;
    struct group_tree t, again;
    uint64_t bytes[HEAVY] = {0}, all = 0, ignored[HEAVY] = {0}, ignored_all = 0;
    seed r = 3, r2 = 3;
    splitter_init(&s, 4);
    struct groups *g = groups_new(&s), *same = groups_new(&s), *tail = groups_new(&s);
    flood(g, 0, FLOOD, &r, bytes, &all);
    CHECK(groups_finish(g, 100, 1, &t));
    check_tree(&t);
    check_heavy(&t, bytes, all);
    CHECK(t.rows[t.n - 1].other && t.rows[t.n - 1].depth == 1 && t.rows[t.n - 1].folded > FLOOD / 2);

    flood(same, 0, FLOOD / 2, &r2, ignored, &ignored_all);
    flood(tail, FLOOD / 2, FLOOD, &r2, ignored, &ignored_all);
    groups_merge(same, tail); /* two floods together: still exact where it must be */
    CHECK(groups_finish(same, 100, 1, &again));
    check_tree(&again);
    check_heavy(&again, bytes, all);
    group_tree_free(&again);
    group_tree_free(&t);
    groups_free(g);
    groups_free(same);
    groups_free(tail);
}

static void test_same_twice(void)
{
    struct splitter s;
    struct group_tree t[2];
    splitter_init(&s, 4);
    for (int run = 0; run < 2; run++) {
        uint64_t bytes[HEAVY] = {0}, all = 0;
        seed r = 11;
        struct groups *g = groups_new(&s);
        flood(g, 0, 100000, &r, bytes, &all);
        CHECK(groups_finish(g, 200, 1, &t[run]));
        groups_free(g);
    }
    CHECK(t[0].n == t[1].n);
    for (size_t i = 0; i < t[0].n && i < t[1].n; i++)
        CHECK(t[0].rows[i].name_len == t[1].rows[i].name_len &&
              memcmp(t[0].rows[i].name, t[1].rows[i].name, t[0].rows[i].name_len) == 0 &&
              memcmp(&t[0].rows[i].sums, &t[1].rows[i].sums, sizeof t[0].rows[i].sums) == 0);
    group_tree_free(&t[0]);
    group_tree_free(&t[1]);
}

/* Few paths, but more different sizes than there are cells. */
static void test_many_sizes(void)
{
    struct splitter s;
    struct group_tree t;
    splitter_init(&s, 4);
    struct groups *g = groups_new(&s);
    uint64_t all = 0;
    seed r = 9;
    for (unsigned i = 0; i < 300000; i++) {
        char name[64 + SEGMENTS_PAD];
        int len = snprintf(name, sizeof name, "%c%c%c:x", 'g' + i % 16, 'g' + i / 16 % 16, 'g' + i / 256 % 3);
        uint64_t bytes = UINT64_C(1) << i / 768 % 40;
        bytes += bytes * (check_random(&r) % 16) / 16;
        groups_add(g, (const uint8_t *)name, (size_t)len, groups_tag((enum rdb_type)(i % 5), bytes, false), bytes);
        all += bytes;
    }
    CHECK(groups_finish(g, 1000, 1, &t));
    CHECK(t.rows[0].sums.bytes == all && t.merged > 0);
    check_tree(&t);
    group_tree_free(&t);
    groups_free(g);
}

/* ---------------------------------------------------------------- the user's own groups */

static void test_custom(void)
{
    static const struct {
        const char *name;
        unsigned group;
    } keys[] = {{"user:1", 0}, {"xuser:1", 1}, {"cart:9", 1}, {"cart", 2}, {"", 2}, {"user:1\n", 0}};
    struct custom_rules rules = {0};
    struct custom_groups c;
    struct custom_group *rows;
    char err[REGEX_ERROR];
    CHECK(!custom_rules_add(&rules, "noequals", err) && !custom_rules_add(&rules, "=x", err));
    CHECK(!custom_rules_add(&rules, "a=", err) && !custom_rules_add(&rules, "a=(", err) && strstr(err, "character"));
    CHECK(rules.n == 0);
    CHECK(custom_rules_add(&rules, "users=^user:", err));
    CHECK(custom_rules_add(&rules, "digits=:[0-9]", err));
    CHECK(custom_groups_init(&c, &rules));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        custom_groups_add(&c, (const uint8_t *)keys[i].name, strlen(keys[i].name), RDB_T_SET,
                          UINT64_C(1) << (8 * keys[i].group), i == 0);
    CHECK(custom_groups_finish(&c, 2, &rows) == 3);
    CHECK(rows[0].sums.keys == 4 && rows[0].sums.bytes == 4 && rows[0].sums.expiring_keys == 2);
    CHECK(rows[1].sums.keys == 4 && rows[1].sums.bytes == 4 * 256 && rows[1].sums.largest == 256);
    CHECK(rows[2].sums.keys == 4 && strcmp(rows[2].name, "unclassified") == 0 && rows[2].sums.p50 == 65536);
    free(rows);
    custom_groups_free(&c);
    custom_rules_free(&rules);
}

/* A pattern that would need for ever is given up, and says so. */
static void test_regex_limit(void)
{
    char err[REGEX_ERROR];
    struct regex *r = regex_new("^(a+)+$", err);
    struct regex_matcher *m = regex_matcher_new();
    uint64_t gave_up = 0;
    uint8_t name[41];
    memset(name, 'a', 40);
    name[40] = 'b';
    CHECK(r && m && !regex_matches(r, m, name, 41, &gave_up) && gave_up == 1);
    CHECK(r && m && regex_matches(r, m, name, 40, &gave_up) && gave_up == 1);
    CHECK(r && m && !regex_matches(r, m, name + 40, 1, &gave_up) && gave_up == 1);
    regex_matcher_free(m);
    regex_free(r);
}

static void test_histogram(void)
{
    seed r = 5;
    for (unsigned b = 0; b + 1 < HISTOGRAM_BUCKETS; b++) {
        CHECK(histogram_bucket(histogram_low(b)) == b && histogram_bucket(histogram_high(b)) == b);
        CHECK(histogram_high(b) + 1 == histogram_low(b + 1));
    }
    CHECK(histogram_bucket(UINT64_MAX) == HISTOGRAM_BUCKETS - 1 && histogram_high(HISTOGRAM_BUCKETS - 1) == UINT64_MAX);
    for (int i = 0; i < 100000; i++) {
        uint64_t v = check_random(&r) >> check_random(&r) % 64;
        unsigned b = histogram_bucket(v);
        CHECK(v >= histogram_low(b) && v <= histogram_high(b) && histogram_high(b) - histogram_low(b) <= v / 16);
    }
}

int main(void)
{
    test_histogram();
    test_parts();
    test_long_parts();
    test_hash_agrees();
    test_exact();
    test_flood();
    test_same_twice();
    test_many_sizes();
    test_custom();
    test_regex_limit();
    return check_result();
}
