/*
 * audit.c - holding keys and figures against the rules. See audit.h.
 */
#include "analyzer/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/analysis.h"
#include "analyzer/glob.h"
#include "analyzer/topn.h"

enum {
    NAME_SHOWN = 120 /* bytes of a name in a line */,
    KEY_IS_BIG = KEY_BIG_BYTES | KEY_BIG_ELEMENTS | KEY_BIG_ELEMENT
};

/* What a rule has seen. */
struct watch {
    uint64_t keys, bytes;   /* that match */
    uint64_t example_bytes; /* RULE_NO_TTL: of the largest one */
    uint8_t example[NAME_SHOWN];
    size_t example_len;
    uint32_t example_db;
};

struct audit {
    const struct audit_options *o;
    struct watch watches[AUDIT_RULES_MAX];
    uint64_t new_example; /* bits: rules whose example is the current key */
    uint64_t *allowed;    /* by entry of the list: big keys */
    bool wants_big;       /* there is a rule big-key */
    bool fails;           /* the current key breaks it */
    struct topn big;
    uint64_t big_allowed, big_expired, big_failing;
};

struct audit *audit_new(const struct audit_options *o)
{
    struct audit *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->o = o;
    for (size_t i = 0; i < o->rules.n; i++)
        a->wants_big |= o->rules.rules[i].kind == RULE_BIG_KEY;
    a->allowed = calloc(o->allow.n + 1, sizeof *a->allowed);
    if (!topn_init(&a->big, AUDIT_BIG_LINES, false) || !a->allowed) {
        audit_free(a);
        return NULL;
    }
    return a;
}

void audit_free(struct audit *a)
{
    if (!a)
        return;
    topn_free(&a->big);
    free(a->allowed);
    free(a);
}

/* ---------------------------------------------------------------- keys */

static bool glob_is(const char *glob, const struct key_report *k)
{
    return glob_matches(glob, strlen(glob), k->name, k->name_len);
}

/* Counts with every entry that allows the key, so that the report tells which ones are needed. */
static bool is_allowed(struct audit *a, const struct key_report *k)
{
    bool allowed = false;
    for (size_t i = 0; i < a->o->allow.n; i++) {
        const struct allow_entry *e = &a->o->allow.entries[i];
        if (k->bytes > e->max_bytes || !glob_is(e->glob, k))
            continue;
        a->allowed[i]++;
        allowed |= a->o->today_s < e->until_s;
    }
    return allowed;
}

static void judge_big(struct audit *a, struct key_report *k)
{
    bool expired = (k->flags & KEY_EXPIRED) && !a->o->rules.fail_on_expired;
    if (is_allowed(a, k)) {
        k->flags |= KEY_ALLOWED;
        a->big_allowed++;
    } else if (expired) {
        a->big_expired++;
    } else {
        a->big_failing++;
        a->fails = true;
    }
}

static void watch_key(struct audit *a, size_t i, const struct key_report *k)
{
    const struct audit_rule *r = &a->o->rules.rules[i];
    struct watch *w = &a->watches[i];
    if ((k->flags & KEY_EXPIRED) && !a->o->rules.fail_on_expired)
        return;
    if (r->kind == RULE_NO_TTL && k->expire_ms >= 0)
        return;
    if (!glob_is(r->glob, k))
        return;
    w->keys++;
    w->bytes += k->bytes;
    if (r->kind == RULE_NO_TTL && (w->keys == 1 || k->bytes > w->example_bytes))
        a->new_example |= UINT64_C(1) << i;
}

void audit_key(struct audit *a, struct key_report *k)
{
    k->flags |= big_flags(&a->o->big, k);
    a->fails = false;
    a->new_example = 0;
    if (k->flags & (unsigned)KEY_IS_BIG)
        judge_big(a, k);
    for (size_t i = 0; i < a->o->rules.n; i++)
        if (a->o->rules.rules[i].glob)
            watch_key(a, i, k);
}

void audit_note_name(struct audit *a, const struct key_report *k)
{
    if (a->fails && a->wants_big && topn_wants(&a->big, k->bytes))
        topn_add(&a->big, k);
    for (uint64_t bits = a->new_example; bits; bits &= bits - 1) {
        struct watch *w = &a->watches[__builtin_ctzll(bits)];
        w->example_len = k->name_len < NAME_SHOWN ? k->name_len : NAME_SHOWN;
        memcpy(w->example, k->name, w->example_len);
        w->example_bytes = k->bytes;
        w->example_db = k->db;
    }
}

/* ---------------------------------------------------------------- several dumps */

/* The example is the largest one; of equals the first. */
static void merge_watch(struct watch *w, const struct watch *from)
{
    struct watch sum = w->keys == 0 || from->example_bytes > w->example_bytes ? *from : *w;
    sum.keys = w->keys + from->keys;
    sum.bytes = w->bytes + from->bytes;
    *w = sum;
}

void audit_merge(struct audit *a, const struct audit *from)
{
    for (size_t i = 0; i < a->o->rules.n; i++)
        merge_watch(&a->watches[i], &from->watches[i]);
    for (size_t i = 0; i < a->o->allow.n; i++)
        a->allowed[i] += from->allowed[i];
    topn_merge(&a->big, &from->big);
    a->big_allowed += from->big_allowed;
    a->big_expired += from->big_expired;
    a->big_failing += from->big_failing;
}

/* ---------------------------------------------------------------- lines */

struct line {
    char text[1024];
    size_t n;
};

static __attribute__((format(printf, 2, 3))) void line_add(struct line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang-tidy 14 loses sight of va_start in a loop of calls */
    int n = vsnprintf(l->text + l->n, sizeof l->text - l->n, format, args);
    va_end(args);
    if (n > 0)
        l->n += (size_t)n < sizeof l->text - l->n ? (size_t)n : sizeof l->text - l->n - 1;
}

/* As redis-cli quotes it, cut when long. */
static void line_name(struct line *l, const uint8_t *name, size_t len)
{
    size_t shown = len < NAME_SHOWN ? len : NAME_SHOWN;
    line_add(l, "\"");
    for (size_t i = 0; i < shown; i++) {
        if (name[i] == '"' || name[i] == '\\')
            line_add(l, "\\%c", name[i]);
        else
            line_add(l, name[i] >= 0x20 && name[i] < 0x7f ? "%c" : "\\x%02x", name[i]);
    }
    line_add(l, len > shown ? "\"..." : "\"");
}

static void line_bytes(struct line *l, uint64_t bytes)
{
    static const char units[] = "KMGT";
    double v = (double)bytes;
    int u = -1;
    for (; v >= 1024 && u < 3; u++)
        v /= 1024;
    if (u < 0)
        line_add(l, "%llu B", (unsigned long long)bytes);
    else
        line_add(l, "%.2f %ciB", v, units[u]);
}

/* "prefix:GLOB>2G" with the glob hidden where names are. */
static char *rule_text(const struct audit *a, size_t i)
{
    const struct audit_rule *r = &a->o->rules.rules[i];
    struct line l = {.n = 0};
    if (!r->glob || !a->o->rules.hide_names)
        return strdup(r->text);
    line_add(&l, "%s:(hidden)", r->kind == RULE_PREFIX ? "prefix" : "no-ttl");
    if (r->kind == RULE_PREFIX)
        line_add(&l, ">%llu", (unsigned long long)r->bytes);
    return strdup(l.text);
}

/* ---------------------------------------------------------------- verdicts */

struct verdicts {
    const struct audit *a;
    const struct analysis *parts;
    size_t nparts;
    uint64_t scale;
    struct audit_report *out;
    size_t cap;
    bool failed; /* out of memory */
};

static void breach(struct verdicts *v, size_t rule, const struct line *l)
{
    struct audit_report *r = v->out;
    if (r->nviolations == v->cap) {
        size_t cap = 2 * v->cap + 16;
        struct violation *more = realloc(r->violations, cap * sizeof *more);
        if (!more) {
            v->failed = true;
            return;
        }
        r->violations = more;
        v->cap = cap;
    }
    char *text = strdup(l->text);
    if (!text) {
        v->failed = true;
        return;
    }
    r->broken[rule] = true;
    r->violations[r->nviolations++] = (struct violation){rule, text};
}

static struct line begin_line(const struct verdicts *v, size_t rule)
{
    struct line l = {.n = 0};
    line_add(&l, "%s: ", v->out->rules[rule]);
    return l;
}

static void big_why(struct line *l, const struct audit *a, const struct key_report *k)
{
    const struct big_limits *limits = &a->o->big.of[k->type];
    const char *between = "";
    if (k->flags & KEY_BIG_BYTES) {
        line_add(l, "limit ");
        line_bytes(l, limits->bytes);
        between = ", ";
    }
    if (k->flags & KEY_BIG_ELEMENTS) {
        line_add(l, "%slimit %llu elements", between, (unsigned long long)limits->elements);
        between = ", ";
    }
    if (k->flags & KEY_BIG_ELEMENT) {
        line_add(l, "%sone of ", between);
        line_bytes(l, k->largest);
        line_add(l, ", limit ");
        line_bytes(l, limits->element);
    }
}

static void big_line(struct verdicts *v, size_t rule, const struct key_report *k)
{
    struct line l = begin_line(v, rule);
    char advice[ADVICE_TEXT];
    line_name(&l, k->name, k->name_len);
    if (v->nparts > 1)
        line_add(&l, " in %.200s", v->parts[k->file].file.path);
    line_add(&l, " db%u is a %s of ", k->db, rdb_type_name(k->type));
    line_bytes(&l, k->bytes);
    if (k->type != RDB_T_STRING)
        line_add(&l, ", %llu elements", (unsigned long long)k->elements);
    line_add(&l, " (");
    big_why(&l, v->a, k);
    audit_advice(k, advice);
    line_add(&l, "): %s", advice);
    breach(v, rule, &l);
}

static void judge_big_keys(struct verdicts *v, size_t rule, const struct top_list *big)
{
    for (size_t i = 0; i < big->n; i++)
        big_line(v, rule, &big->keys[i]);
    if (v->a->big_failing > big->n) {
        struct line l = begin_line(v, rule);
        line_add(&l, "... and %llu more big keys", (unsigned long long)(v->a->big_failing - big->n));
        breach(v, rule, &l);
    }
}

static void judge_used_memory(struct verdicts *v, size_t rule)
{
    for (size_t i = 0; i < v->nparts; i++) {
        const struct analysis *part = &v->parts[i];
        struct line l = begin_line(v, rule);
        if (part->ledger.used_memory <= v->a->o->rules.rules[rule].bytes)
            continue;
        line_add(&l, "used_memory of %.200s will be ", part->file.path);
        line_bytes(&l, part->ledger.used_memory);
        breach(v, rule, &l);
    }
}

static void judge_prefix(struct verdicts *v, size_t rule)
{
    const struct watch *w = &v->a->watches[rule];
    struct line l = begin_line(v, rule);
    if (w->bytes * v->scale <= v->a->o->rules.rules[rule].bytes)
        return;
    line_add(&l, "%llu keys take ", (unsigned long long)(w->keys * v->scale));
    line_bytes(&l, w->bytes * v->scale);
    breach(v, rule, &l);
}

static void judge_no_ttl(struct verdicts *v, size_t rule)
{
    const struct watch *w = &v->a->watches[rule];
    struct line l = begin_line(v, rule);
    if (w->keys == 0)
        return;
    line_add(&l, "%llu keys of ", (unsigned long long)(w->keys * v->scale));
    line_bytes(&l, w->bytes * v->scale);
    line_add(&l, " never expire, the largest is ");
    line_name(&l, w->example, w->example_len);
    line_add(&l, " in db%u", w->example_db);
    breach(v, rule, &l);
}

/* The worst step of one dump. */
static void judge_fragmentation_of(struct verdicts *v, size_t rule, const struct analysis *part)
{
    const struct forecast_report *f = &part->forecast;
    const struct forecast_row *worst = NULL;
    struct line l = begin_line(v, rule);
    for (size_t i = 0; i < f->n; i++)
        if (f->rows[i].s.modelled && (!worst || f->rows[i].s.allocator_frag_ratio > worst->s.allocator_frag_ratio))
            worst = &f->rows[i];
    if (!worst) { /* a gate that cannot be judged must not pass */
        line_add(&l, "cannot be judged for %.200s: no forecast of fragmentation was made", part->file.path);
        breach(v, rule, &l);
        return;
    }
    if (worst->s.allocator_frag_ratio <= v->a->o->rules.rules[rule].ratio)
        return;
    line_add(&l, "allocator_frag_ratio of %.200s will be %.2f ", part->file.path, worst->s.allocator_frag_ratio);
    if (worst->deleted_percent > 0)
        line_add(&l, "after %.0f %% have been deleted", worst->deleted_percent);
    else if (worst->horizon_s == INT64_MAX)
        line_add(&l, "when all keys with an expiry are gone");
    else if (worst->horizon_s > 0)
        line_add(&l, "%lld s after the dump", (long long)worst->horizon_s);
    else
        line_add(&l, "after loading");
    breach(v, rule, &l);
}

static void judge(struct verdicts *v, size_t rule, const struct top_list *big)
{
    switch (v->a->o->rules.rules[rule].kind) {
    case RULE_BIG_KEY: judge_big_keys(v, rule, big); break;
    case RULE_USED_MEMORY: judge_used_memory(v, rule); break;
    case RULE_PREFIX: judge_prefix(v, rule); break;
    case RULE_NO_TTL: judge_no_ttl(v, rule); break;
    case RULE_FRAGMENTATION:
        for (size_t i = 0; i < v->nparts; i++)
            judge_fragmentation_of(v, rule, &v->parts[i]);
        break;
    }
}

static bool list_allows(const struct audit *a, struct audit_report *out)
{
    const struct allow_list *list = &a->o->allow;
    out->allows = calloc(list->n + 1, sizeof *out->allows);
    if (!out->allows)
        return false;
    out->nallows = list->n;
    for (size_t i = 0; i < list->n; i++) {
        const struct allow_entry *e = &list->entries[i];
        out->allows[i] = (struct allow_result){.glob = a->o->rules.hide_names ? NULL : e->glob,
                                               .until = e->until,
                                               .line = e->line,
                                               .expired = a->o->today_s >= e->until_s,
                                               .keys = a->allowed[i]};
    }
    return true;
}

static bool list_rules(const struct audit *a, struct audit_report *out)
{
    size_t n = a->o->rules.n;
    out->rules = calloc(n + 1, sizeof *out->rules);
    out->broken = calloc(n + 1, sizeof *out->broken);
    for (size_t i = 0; out->rules && out->broken && i < n; i++)
        if (!(out->rules[out->nrules++] = rule_text(a, i)))
            return false;
    return out->rules && out->broken;
}

bool audit_finish(struct audit *a, const struct analysis *parts, size_t nparts, uint64_t scale,
                  struct audit_report *out)
{
    struct verdicts v = {.a = a, .parts = parts, .nparts = nparts, .scale = scale, .out = out};
    struct top_list big;
    memset(out, 0, sizeof *out);
    out->limits = &a->o->big;
    topn_finish(&a->big, &big);
    v.failed = !list_rules(a, out) || !list_allows(a, out);
    for (size_t i = 0; i < a->o->rules.n && !v.failed; i++)
        judge(&v, i, &big);
    top_list_free(&big);
    out->big_allowed = a->big_allowed * scale;
    out->big_expired = a->big_expired * scale;
    out->big_failing = a->big_failing * scale;
    if (v.failed)
        audit_report_free(out);
    return !v.failed;
}

void audit_report_free(struct audit_report *r)
{
    for (size_t i = 0; i < r->nrules; i++)
        free(r->rules[i]);
    for (size_t i = 0; i < r->nviolations; i++)
        free(r->violations[i].text);
    free(r->rules);
    free(r->broken);
    free(r->violations);
    free(r->allows);
    memset(r, 0, sizeof *r);
}
