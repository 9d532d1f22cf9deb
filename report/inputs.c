/*
 * inputs.c - see inputs.h.
 */
#include "report/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rdb/rdb.h"
#include "report/escape.h"
#include "report/manifest.h"

/* ---------------------------------------------------------------- the list */

static struct input *same_file(struct inputs *in, const struct input *x)
{
    for (size_t i = 0; i < in->n; i++)
        if (x->ino && in->list[i].ino == x->ino && in->list[i].dev == x->dev) /* a pipe has no ino here */
            return &in->list[i];
    return NULL;
}

static void input_free(struct input *x)
{
    free(x->path);
    free(x->problem);
}

static bool out_of_memory(char err[INPUTS_ERROR])
{
    snprintf(err, INPUTS_ERROR, "out of memory");
    return false;
}

/* Takes *x over. */
static bool add(struct inputs *in, struct input x, char err[INPUTS_ERROR])
{
    struct stat st;
    struct input *twin;
    if (!x.path) {
        input_free(&x);
        return out_of_memory(err);
    }
    bool there = stat(x.path, &st) == 0;
    x.stream = !x.problem && (there ? !S_ISREG(st.st_mode) : strcmp(x.path, "-") == 0);
    if (there && S_ISREG(st.st_mode)) {
        x.bytes = (uint64_t)st.st_size;
        x.dev = st.st_dev;
        x.ino = st.st_ino;
    }
    twin = same_file(in, &x);
    if (twin) {
        bool twice = twin->named && x.named;
        char *shown = twice ? safe_text(x.path) : NULL;
        if (twice)
            snprintf(err, INPUTS_ERROR, "'%.300s' is given twice", shown ? shown : "");
        free(shown);
        input_free(&x);
        return !twice;
    }
    if (in->n == in->cap) {
        size_t cap = in->cap ? 2 * in->cap : 16;
        struct input *grown = realloc(in->list, cap * sizeof *grown);
        if (!grown) {
            input_free(&x);
            return out_of_memory(err);
        }
        in->list = grown;
        in->cap = cap;
    }
    in->list[in->n++] = x;
    return true;
}

__attribute__((format(printf, 1, 2))) static char *text(const char *format, ...)
{
    char *s;
    va_list args;
    va_start(args, format);
    if (vasprintf(&s, format, args) < 0)
        s = NULL;
    va_end(args);
    return s;
}

void inputs_free(struct inputs *in)
{
    for (size_t i = 0; i < in->n; i++)
        input_free(&in->list[i]);
    free(in->list);
    *in = (struct inputs){0};
}

/* ---------------------------------------------------------------- append-only files */

static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return slash ? text("%.*s/%s", (int)(slash - path), path, name) : strdup(name);
}

static void count_increment(struct input *x, const char *manifest, const char *name)
{
    struct stat st;
    char *path = beside(manifest, name);
    x->aof_files++;
    if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode))
        x->aof_bytes += (uint64_t)st.st_size;
    else
        x->aof_gone++;
    free(path);
}

static bool add_manifest(struct inputs *in, const char *path, bool named, char err[INPUTS_ERROR])
{
    struct manifest m;
    struct input x = {.named = named};
    const char *base = NULL;
    char why[MANIFEST_ERROR];
    if (!manifest_read(&m, path, why)) {
        x.path = strdup(path);
        x.problem = text("%s", why);
        return add(in, x, err);
    }
    for (size_t i = 0; i < m.n; i++) {
        if (m.files[i].type == MANIFEST_BASE)
            base = m.files[i].name;
        else if (m.files[i].type == MANIFEST_INCREMENT)
            count_increment(&x, path, m.files[i].name);
    }
    x.path = base ? beside(path, base) : strdup(path);
    if (!base)
        x.problem = text("the manifest names no base file, so there is no dump; %llu bytes of commands in its "
                         "increments are not analysed",
                         (unsigned long long)x.aof_bytes);
    manifest_free(&m);
    return add(in, x, err);
}

/* ---------------------------------------------------------------- directories */

struct names {
    char **list; /* paths, in order of bytes */
    size_t n, cap;
};

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(struct names *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->list[i]);
    free(l->list);
}

static bool names_add(struct names *l, char *path)
{
    if (path && l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        char **grown = realloc(l->list, cap * sizeof *grown);
        if (!grown) {
            free(path);
            return false;
        }
        l->list = grown;
        l->cap = cap;
    }
    if (path)
        l->list[l->n++] = path;
    return path != NULL;
}

/* What is in a directory, hidden names left out. False with errno. */
static bool names_read(struct names *l, const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    size_t len = strlen(path);
    bool ok = true;
    *l = (struct names){0};
    if (!d)
        return false;
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (ok && (errno = 0, e = readdir(d)) != NULL)
        if (e->d_name[0] != '.')
            ok = names_add(l, text(path[len - 1] == '/' ? "%.*s%s" : "%.*s/%s", (int)len, path, e->d_name));
    ok = ok && errno == 0;
    if (ok && l->n)
        qsort(l->list, l->n, sizeof *l->list, by_bytes);
    closedir(d);
    if (!ok)
        names_free(l);
    return ok;
}

static bool is_kind(const char *path, mode_t kind)
{
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

/* The manifests among the names. */
static bool add_manifests(struct inputs *in, const struct names *l, size_t *found, char err[INPUTS_ERROR])
{
    for (size_t i = 0; i < l->n; i++) {
        if (!is_kind(l->list[i], S_IFREG) || !manifest_is(l->list[i]))
            continue;
        ++*found;
        if (!add_manifest(in, l->list[i], false, err))
            return false;
    }
    return true;
}

/* By its name even when damaged: it must not be passed over in silence. Other names by what they hold. */
static bool is_dump(const char *path)
{
    const char *name = strrchr(path, '/');
    const char *end;
    name = name ? name + 1 : path;
    end = strstr(name, ".rdb");
    if (end && (end[4] == '\0' || end[4] == '.'))
        return strncmp(name, "temp-", 5) != 0;
    rdb_parser *p = rdb_open(path, &(struct rdb_options){.window = 4096});
    bool dump = p && rdb_info(p)->version > 0;
    rdb_close(p);
    return dump;
}

static bool add_dumps(struct inputs *in, const struct names *l, size_t *found, char err[INPUTS_ERROR])
{
    for (size_t i = 0; i < l->n; i++) {
        if (!is_kind(l->list[i], S_IFREG) || !is_dump(l->list[i]))
            continue;
        ++*found;
        if (!add(in, (struct input){.path = strdup(l->list[i])}, err))
            return false;
    }
    return true;
}

/* The append-only directories in a directory that has nothing else. */
static bool add_deeper(struct inputs *in, const struct names *l, size_t *found, char err[INPUTS_ERROR])
{
    bool ok = true;
    for (size_t i = 0; ok && i < l->n; i++) {
        struct names below;
        if (!is_kind(l->list[i], S_IFDIR) || !names_read(&below, l->list[i]))
            continue;
        ok = add_manifests(in, &below, found, err);
        names_free(&below);
    }
    return ok;
}

static bool add_problem(struct inputs *in, const char *path, char *problem, char err[INPUTS_ERROR])
{
    return add(in, (struct input){.path = strdup(path), .problem = problem, .named = true}, err);
}

static bool add_directory(struct inputs *in, const char *path, char err[INPUTS_ERROR])
{
    struct names l;
    size_t manifests = 0, found = 0;
    if (!names_read(&l, path))
        return add_problem(in, path, text("cannot read the directory: %s", strerror(errno)), err);
    bool ok = add_manifests(in, &l, &manifests, err);
    if (ok && manifests == 0)
        ok = add_dumps(in, &l, &found, err) && (found || add_deeper(in, &l, &manifests, err));
    if (ok && manifests + found == 0)
        ok = add_problem(in, path, text("no dump in this directory"), err);
    in->several = in->several || found > 0 || manifests > 1;
    names_free(&l);
    return ok;
}

bool inputs_find(struct inputs *in, const char *const *operands, size_t n, char err[INPUTS_ERROR])
{
    bool ok = true;
    *in = (struct inputs){.several = n > 1};
    for (size_t i = 0; ok && i < n; i++) {
        if (is_kind(operands[i], S_IFDIR))
            ok = add_directory(in, operands[i], err);
        else if (is_kind(operands[i], S_IFREG) && manifest_is(operands[i]))
            ok = add_manifest(in, operands[i], true, err);
        else
            ok = add(in, (struct input){.path = strdup(operands[i]), .named = true}, err);
    }
    return ok;
}
