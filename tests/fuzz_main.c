/*
 * fuzz_main.c - runs a fuzz target over files, without a fuzzer: so the corpus is part of every test run.
 *
 *     replay_NAME FILE-OR-DIRECTORY...
 *
 * Directories are walked. Beside each file whole, its beginnings are fed too: an input that ends early is the most
 * common damage of all.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_ROOM = 4096, BEGINNINGS = 16 };

static size_t files;

static bool complain(const char *path)
{
    fprintf(stderr, "cannot read \"%s\": %s\n", path, strerror(errno));
    return false;
}

/* A copy of its own for each run: a read beyond the end is then beyond an allocation. */
static bool feed(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (!copy)
        return false;
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return true;
}

static bool feed_with_beginnings(const uint8_t *data, size_t size)
{
    bool ok = feed(data, size);
    for (size_t i = 1; ok && i <= BEGINNINGS && i < size; i++)
        ok = feed(data, size * i / (BEGINNINGS + 1));
    files++;
    return ok;
}

static bool replay_file(const char *path, size_t size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(size > 0 ? size : 1);
    bool ok = f && data && fread(data, 1, size, f) == size;
    if (!ok)
        complain(path);
    ok = ok && feed_with_beginnings(data, size);
    free(data);
    if (f)
        fclose(f);
    return ok;
}

static bool replay(const char *path);

static bool replay_directory(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    if (n < 0)
        return complain(path);
    bool ok = true;
    for (int i = 0; i < n; i++) {
        char child[PATH_ROOM];
        int length = snprintf(child, sizeof child, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && length < PATH_ROOM)
            ok = replay(child) && ok;
        free(entries[i]);
    }
    free(entries);
    return ok;
}

static bool replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return complain(path);
    return S_ISDIR(st.st_mode) ? replay_directory(path) : replay_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
    bool ok = argc > 1;
    for (int i = 1; i < argc; i++)
        ok = replay(argv[i]) && ok;
    printf("%zu files\n", files);
    return ok && files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
