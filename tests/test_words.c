/*
 * test_words.c - completion offers something for every option that can be offered something for, and the option takes
 * each word that is offered.
 */
#include "check.h"
#include "report/pages/words.h"

/* Puts in *o what options begin with. */
static void begin(struct options *o)
{
    char *argv[] = {"rdbmem", "--help", NULL}, err[OPTION_ERROR];
    CHECK(options_parse(o, 2, argv, err));
}

static bool takes(const struct option_row *r, const char *value)
{
    struct options o;
    char err[OPTION_ERROR], why[256];
    begin(&o);
    bool ok = r->set(&o, value, err);
    for (unsigned i = 0; ok && i < o.nassignments; i++)
        ok = config_set(&o.config, o.assignments[i], why);
    options_free(&o);
    return ok;
}

static bool takes_with_more(const struct option_row *r, const char *word)
{
    static const char *const more[] = {"1", "yes", "noeviction", "1.5", "user:*>10G", "user:*"};
    char value[128];
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        snprintf(value, sizeof value, "%s%s", word, more[i]);
        if (takes(r, value))
            return true;
    }
    return false;
}

static void test_option(const struct option_row *r)
{
    struct words w;
    enum value_kind kind = value_kind(r);
    words_of(r, &w);
    CHECK_MSG(kind != VALUE_UNKNOWN, "--%s: nothing in words.c tells what %s is", r->name, r->arg);
    CHECK_MSG((kind >= VALUE_WORDS) == (w.n > 0), "--%s: %zu words", r->name, w.n);
    CHECK_MSG(w.n < WORDS_MAX, "--%s: too many words", r->name);
    for (size_t i = 0; i < w.n; i++) {
        const char *word = w.of[i].text;
        CHECK_MSG(w.of[i].open ? takes_with_more(r, word) : takes(r, word), "--%s=%s is not taken", r->name, word);
    }
    if (kind == VALUE_WORDS)
        CHECK_MSG(!takes(r, "no such word"), "--%s takes anything", r->name);
}

int main(void)
{
    for (const struct option_row *r = option_rows; r->group || r->name; r++)
        if (r->name)
            test_option(r);
    return check_result();
}
