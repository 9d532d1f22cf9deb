/*
 * Settings: names old and new, units, what servers refuse, quoting, includes, and the three shapes of files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/config.h"

static int failures;

static void fail(const char *what, const char *why)
{
    printf("%s: %s\n", what, why);
    failures++;
}

/* ---------------------------------------------------------------- NAME=VALUE */

static void good(const char *assignment, enum setting s, int64_t want)
{
    struct config c;
    char err[256] = "";
    config_init(&c);
    if (!config_set(&c, assignment, err))
        fail(assignment, err);
    else if (!c.given[s] || c.value[s] != want)
        fail(assignment, "another value, or another setting");
}

static void bad(const char *assignment)
{
    struct config c;
    char err[256] = "";
    config_init(&c);
    if (config_set(&c, assignment, err))
        fail(assignment, "taken");
    else if (!*err || strchr(err, '\n'))
        fail(assignment, "no message of one line");
    for (unsigned i = 0; i < SET_COUNT; i++)
        if (c.given[i])
            fail(assignment, "refused, but stored");
}

static void test_set(void)
{
    good("hash-max-listpack-entries=512", SET_HASH_ENTRIES, 512);
    good("hash-max-ziplist-entries=512", SET_HASH_ENTRIES, 512);
    good("HASH-MAX-ZIPMAP-ENTRIES=64", SET_HASH_ENTRIES, 64);
    good("hash-max-listpack-value=1kb", SET_HASH_VALUE, 1024);
    good("hash-max-listpack-value=0", SET_HASH_VALUE, 0);
    good("list-max-ziplist-size=-2", SET_LIST_SIZE, -2);
    good("list-max-ziplist-entries=512", SET_LIST_ENTRIES, 512);
    good("list-max-ziplist-value=64", SET_LIST_VALUE, 64);
    good("maxmemory=100", SET_MAXMEMORY, 100);
    good("maxmemory=100b", SET_MAXMEMORY, 100);
    good("maxmemory=2k", SET_MAXMEMORY, 2000);
    good("maxmemory=2KB", SET_MAXMEMORY, 2048);
    good("maxmemory=3m", SET_MAXMEMORY, 3000000);
    good("maxmemory=3mb", SET_MAXMEMORY, 3 << 20);
    good("maxmemory=4G", SET_MAXMEMORY, 4000000000);
    good("maxmemory=4Gb", SET_MAXMEMORY, INT64_C(4) << 30);
    good("maxmemory=9223372036854775807", SET_MAXMEMORY, INT64_MAX);
    good("maxmemory-policy=allkeys-lfu", SET_MAXMEMORY_POLICY, POLICY_ALLKEYS_LFU);
    good("maxmemory-policy=Volatile-LRM", SET_MAXMEMORY_POLICY, POLICY_VOLATILE_LRM);
    good("cluster-enabled=YES", SET_CLUSTER, 1);
    good("cluster-enabled=no", SET_CLUSTER, 0);
    good("active-defrag-ignore-bytes=100mb", SET_DEFRAG_IGNORE, 100 << 20);

    bad("hash-max-listpack-entries");
    bad("=1");
    bad("");
    bad("hash-max-listpack-entries=");
    bad("hash-max-listpack-entries=-1");
    bad("hash-max-listpack-entries=1k");
    bad("hash-max-listpack-entries= 1");
    bad("hash-max-listpack-entries=1 ");
    bad("hash-max-listpack-entries=0x10");
    bad("hash-max-listpack-entries=99999999999999999999");
    bad("list-max-ziplist-size=3000000000");
    bad("maxmemory=9223372036854775808");
    bad("maxmemory=9223372036854775807kb");
    bad("maxmemory=1tb");
    bad("maxmemory=-1");
    bad("maxmemory=k");
    bad("maxmemory-policy=lru");
    bad("cluster-enabled=1");
    bad("databases=0");
    bad("active-defrag-cycle-min=0");
    bad("active-defrag-cycle-max=100");
    bad("save=900");
}

static void test_names(void)
{
    for (unsigned i = 0; i < SET_COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            if (strcmp(config_name((enum setting)i), config_name((enum setting)j)) == 0)
                fail(config_name((enum setting)i), "named twice");
}

/* ---------------------------------------------------------------- files */

static char dir[] = "/tmp/rdbmem-config-XXXXXX";
static char made[16][128];
static unsigned nmade;

static const char *file(const char *name, const char *text)
{
    char *path = made[nmade++];
    FILE *f;
    snprintf(path, sizeof made[0], "%s/%s", dir, name);
    f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
    return path;
}

static void remove_files(void)
{
    while (nmade > 0)
        unlink(made[--nmade]);
}

/* Reads a file of this text; true when it is taken. */
static bool reads(struct config *c, const char *text, char err[256])
{
    const char *path = file("main.conf", text);
    config_init(c);
    *err = '\0';
    return config_read_file(c, path, err);
}

static void good_file(const char *text, enum setting s, int64_t want)
{
    struct config c;
    char err[256];
    if (!reads(&c, text, err))
        fail(text, err);
    else if (!c.given[s] || c.value[s] != want)
        fail(text, "another value");
    remove_files();
}

static void bad_file(const char *text, const char *says)
{
    struct config c;
    char err[256];
    if (reads(&c, text, err))
        fail(text, "taken");
    else if (!strstr(err, says))
        fail(text, err);
    remove_files();
}

static void test_conf(void)
{
    struct config c;
    char err[256];
    good_file("maxmemory 1gb\n", SET_MAXMEMORY, 1 << 30);
    good_file("maxmemory 1gb", SET_MAXMEMORY, 1 << 30);
    good_file("# maxmemory 2gb\r\n\r\n  \tMaxMemory\t 1gb  \r\n", SET_MAXMEMORY, 1 << 30);
    good_file("maxmemory 1\nmaxmemory 2\n", SET_MAXMEMORY, 2);
    good_file("save 900 1\nrequirepass \"a # b\"\nrename-command CONFIG \"\"\nmaxmemory 1\n", SET_MAXMEMORY, 1);
    good_file("maxmemory \"1\\x67\\x62\"\n", SET_MAXMEMORY, 1 << 30);
    good_file("\"maxmemory\" '1gb'\n", SET_MAXMEMORY, 1 << 30);
    good_file("list-max-ziplist-size \"-5\"\n", SET_LIST_SIZE, -5);
    bad_file("\n\nmaxmemory lots\n", "main.conf:3: bad value 'lots'");
    bad_file("x y\nmaxmemory 1 2\n", "main.conf:2:");
    bad_file("x y\nmaxmemory\n", "main.conf:2:");
    bad_file("x y\nrequirepass \"open\n", "main.conf:2: unbalanced quotes");
    bad_file("x y\nrequirepass 'open\n", "unbalanced quotes");
    bad_file("x y\nrequirepass \"a\"b\n", "unbalanced quotes");
    if (!reads(&c, "# nothing\n", err) || c.given[SET_MAXMEMORY])
        fail("a file without settings", err);
    remove_files();
    config_init(&c);
    if (config_read_file(&c, "/nonexistent/redis.conf", err) || !strstr(err, "/nonexistent/redis.conf"))
        fail("a missing file", err);
    if (config_read_file(&c, dir, err))
        fail("a directory", "taken");
}

static void test_include(void)
{
    char text[256];
    file("a.inc", "maxmemory 1\nhash-max-ziplist-entries 7\n");
    good_file("include a.inc\nmaxmemory 2\n", SET_MAXMEMORY, 2);
    file("a.inc", "maxmemory 1\n");
    good_file("maxmemory 2\ninclude a.inc\n", SET_MAXMEMORY, 1);
    file("a.inc", "maxmemory 1\n");
    file("b.inc", "maxmemory 2\n");
    good_file("include *.inc\n", SET_MAXMEMORY, 2);
    file("b.inc", "maxmemory 2\n");
    snprintf(text, sizeof text, "include %s/b.inc\n", dir);
    good_file(text, SET_MAXMEMORY, 2);
    good_file("include no*such\nmaxmemory 3\n", SET_MAXMEMORY, 3);
    bad_file("include nosuch.inc\n", "nosuch.inc");
    bad_file("include main.conf\n", "nested too deeply");
    file("a.inc", "\nmaxmemory x\n");
    bad_file("include a.inc\n", "a.inc:2:");
}

static void test_config_get(void)
{
    good_file("save\n3600 1 300 100\nrequirepass\n\nmaxmemory\n1073741824\nlogfile\n\n", SET_MAXMEMORY, 1 << 30);
    good_file("hash-max-listpack-entries\n128\nmaxmemory\n5\n", SET_HASH_ENTRIES, 128);
    good_file(" 1) \"requirepass\"\n 2) \"\"\n 3) \"maxmemory\"\n 4) \"5\"\n", SET_MAXMEMORY, 5);
    good_file("1# \"requirepass\" => \"a \\\" b\"\n2# \"maxmemory\" => \"5\"\n", SET_MAXMEMORY, 5);
    good_file("1) \"maxmemory-policy\"\n2) \"allkeys-lru\"\n", SET_MAXMEMORY_POLICY, POLICY_ALLKEYS_LRU);
    bad_file("maxmemory\nlots\n", "main.conf:2: bad value 'lots'");
    bad_file("1) \"maxmemory\"\n2) \"lots\"\n", "main.conf:2: bad value 'lots'");
}

int main(void)
{
    if (!mkdtemp(dir)) {
        perror(dir);
        return 1;
    }
    test_names();
    test_set();
    test_conf();
    test_include();
    test_config_get();
    rmdir(dir);
    printf("%d passed, %d failed\n", failures == 0, failures);
    return failures != 0;
}
