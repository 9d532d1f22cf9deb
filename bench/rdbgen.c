/*
 * rdbgen - write RDB files of any size, without a server. The same options give the same bytes on every machine.
 *
 *     rdbgen --mix=small --keys=8000000 -o small.rdb
 *     rdbgen --mix=mixed --size=60G | rdbmem -
 */
#include "bench/gen.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    OPT_MIX = 256,
    OPT_KEYS,
    OPT_ELEMENTS,
    OPT_VALUE_BYTES,
    OPT_SIZE,
    OPT_SEED,
    OPT_RDB_VERSION,
    OPT_HELP,
    EXIT_USAGE = 2
};

struct arguments {
    const struct mix *mix;
    const char *path;
    uint64_t keys, elements, value_bytes, size, seed, version;
    bool help;
};

static void print_help(FILE *to)
{
    fputs("usage: rdbgen --mix=MIX [options] [-o FILE]\n\n"
          "  -o, --output=FILE     where to (default: standard output)\n"
          "  --keys=N              number of keys; k, m, g = thousand, million, billion\n"
          "  --elements=N          of each collection (mix big)\n"
          "  --value-bytes=N       of each string (mix blobs); K, M, G = KiB, MiB, GiB\n"
          "  --size=N              choose the number of keys so that the file becomes about so long\n"
          "  --seed=N              default 1\n"
          "  --rdb-version=N       10 (default), 11, 12, or 80 for Valkey\n\n"
          "mixes:\n",
          to);
    for (const struct mix *m = gen_mixes; m->name; m++)
        fprintf(to, "  %-17s %s (--keys=%llu)\n", m->name, m->help, (unsigned long long)m->keys);
}

/* A whole number with a suffix for thousands of `unit`. */
static bool parse_number(const char *text, uint64_t unit, uint64_t *out)
{
    static const char suffixes[] = "kmgt";
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *text == '-')
        return false;
    uint64_t factor = 1;
    if (*end) {
        const char *s = strchr(suffixes, *end | 0x20);
        if (!s || end[1])
            return false;
        for (ptrdiff_t i = s - suffixes; i >= 0; i--)
            factor *= unit;
    }
    return !__builtin_mul_overflow(v, factor, out);
}

static bool known_version(uint64_t v)
{
    return (v >= 10 && v <= 12) || v == 80;
}

/* False when the option's argument is wrong. */
static bool take_option(struct arguments *a, int option, const char *value)
{
    switch (option) {
    case OPT_MIX: a->mix = gen_find_mix(value); return a->mix != NULL;
    case 'o': a->path = value; return true;
    case OPT_KEYS: return parse_number(value, 1000, &a->keys) && a->keys > 0;
    case OPT_ELEMENTS: return parse_number(value, 1000, &a->elements) && a->elements - 1 < UINT32_MAX;
    case OPT_VALUE_BYTES: return parse_number(value, 1024, &a->value_bytes);
    case OPT_SIZE: return parse_number(value, 1024, &a->size) && a->size > 0;
    case OPT_SEED: return parse_number(value, 1000, &a->seed);
    case OPT_RDB_VERSION: return parse_number(value, 1000, &a->version) && known_version(a->version);
    case OPT_HELP: a->help = true; return true;
    default: return false;
    }
}

static bool parse_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {{"mix", required_argument, NULL, OPT_MIX},
                                            {"output", required_argument, NULL, 'o'},
                                            {"keys", required_argument, NULL, OPT_KEYS},
                                            {"elements", required_argument, NULL, OPT_ELEMENTS},
                                            {"value-bytes", required_argument, NULL, OPT_VALUE_BYTES},
                                            {"size", required_argument, NULL, OPT_SIZE},
                                            {"seed", required_argument, NULL, OPT_SEED},
                                            {"rdb-version", required_argument, NULL, OPT_RDB_VERSION},
                                            {"help", no_argument, NULL, OPT_HELP},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
        if (option == '?')
            return false; /* getopt has said why */
        if (!take_option(a, option, optarg)) {
            fprintf(stderr, "rdbgen: wrong value \"%s\"\n", optarg);
            return false;
        }
    }
    if (!a->help && (!a->mix || optind < argc)) {
        fputs("rdbgen: one --mix is needed and nothing else than options (see --help)\n", stderr);
        return false;
    }
    return true;
}

static uint64_t given_or(uint64_t given, uint64_t otherwise)
{
    return given > 0 ? given : otherwise;
}

static bool generate(const struct arguments *a, int fd)
{
    struct gen g = {.mix = a->mix,
                    .seed = gen_hash(a->seed),
                    .keys = given_or(a->keys, a->mix->keys),
                    .elements = a->mix->elements > 0 ? given_or(a->elements, a->mix->elements) : 0,
                    .value_bytes = a->mix->value_bytes > 0 ? given_or(a->value_bytes, a->mix->value_bytes) : 0,
                    .version = (int)a->version};
    bool ok = gen_open(&g, fd);
    if (!ok)
        g.out.sys = ENOMEM;
    if (ok && a->size > 0)
        gen_plan_size(&g, a->size);
    ok = ok && gen_write(&g);
    if (!ok)
        fprintf(stderr, "rdbgen: cannot write \"%s\": %s\n", a->path, strerror(g.out.sys));
    gen_close(&g);
    return ok;
}

int main(int argc, char **argv)
{
    struct arguments a = {.path = "-", .seed = 1, .version = 10};
    if (!parse_arguments(&a, argc, argv))
        return EXIT_USAGE;
    if (a.help) {
        print_help(stdout);
        return EXIT_SUCCESS;
    }
    bool to_stdout = strcmp(a.path, "-") == 0;
    int fd = to_stdout ? STDOUT_FILENO : open(a.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        fprintf(stderr, "rdbgen: cannot open \"%s\": %s\n", a.path, strerror(errno));
        return EXIT_FAILURE;
    }
    bool ok = generate(&a, fd);
    if (!to_stdout && close(fd) != 0 && ok) {
        fprintf(stderr, "rdbgen: cannot write \"%s\": %s\n", a.path, strerror(errno));
        ok = false;
    }
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
