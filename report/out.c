/*
 * out.c - buffered output into a file that appears whole, or into a stream. See out.h.
 */
#include "report/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- temporary files */

/* What a signal handler may read: each slot is written once while it is free and cleared before its text is freed. */
enum { TEMP_MAX = 64 };
static char *volatile temps[TEMP_MAX];

static int temp_remember(char *path)
{
    for (int i = 0; i < TEMP_MAX; i++)
        if (!temps[i]) {
            temps[i] = path;
            return i;
        }
    return -1;
}

void out_unlink_all(void)
{
    for (int i = 0; i < TEMP_MAX; i++)
        if (temps[i])
            unlink(temps[i]);
}

/* Where the file really is: through symbolic links, so that a link stays one. */
static char *real_target(const char *path)
{
    char *real = realpath(path, NULL);
    return real ? real : strdup(path);
}

/* The mode of the file that is replaced, else what the umask leaves. */
static mode_t mode_for(const char *path)
{
    struct stat st;
    mode_t mask;
    if (stat(path, &st) == 0)
        return st.st_mode & 0777;
    mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static bool open_temp(struct out *o)
{
    size_t len = strlen(o->path) + PATH_MAX + 16;
    o->target = real_target(o->path);
    o->temp = malloc(len);
    if (!o->target || !o->temp)
        return false;
    snprintf(o->temp, len, "%s.XXXXXX", o->target);
    o->fd = mkostemp(o->temp, O_CLOEXEC);
    if (o->fd < 0)
        return false;
    o->temp_slot = temp_remember(o->temp);
    return fchmod(o->fd, mode_for(o->target)) == 0;
}

static bool open_path(struct out *o)
{
    struct stat st;
    bool exists = stat(o->path, &st) == 0;
    if (exists && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return false;
    }
    if (!exists || S_ISREG(st.st_mode))
        return open_temp(o);
    o->fd = open(o->path, O_WRONLY | O_CLOEXEC);
    return o->fd >= 0;
}

static void out_free(struct out *o)
{
    if (o->temp_slot >= 0)
        temps[o->temp_slot] = NULL;
    free(o->path);
    free(o->target);
    free(o->temp);
    free(o);
}

struct out *out_open(const char *path)
{
    struct out *o = malloc(sizeof *o);
    if (!o)
        return NULL;
    memset(o, 0, offsetof(struct out, buf));
    o->fd = -1;
    o->temp_slot = -1;
    o->path = strdup(path);
    if (strcmp(path, "-") == 0)
        o->fd = STDOUT_FILENO;
    else if (!o->path || !open_path(o)) {
        int sys = errno;
        out_discard(o);
        errno = sys;
        return NULL;
    }
    return o;
}

static void out_close(struct out *o)
{
    if (o->fd > STDERR_FILENO && close(o->fd) != 0 && o->sys == 0)
        o->sys = errno;
    o->fd = -1;
}

void out_discard(struct out *o)
{
    if (!o)
        return;
    out_close(o);
    if (o->temp_slot >= 0)
        unlink(o->temp);
    out_free(o);
}

bool out_commit(struct out *o, int *sys)
{
    out_flush(o);
    out_close(o);
    if (o->temp && o->sys == 0 && rename(o->temp, o->target) != 0)
        o->sys = errno;
    if (o->temp && o->sys != 0)
        unlink(o->temp);
    *sys = o->sys;
    out_free(o);
    return *sys == 0;
}

/* ---------------------------------------------------------------- writing */

void out_flush(struct out *o)
{
    size_t done = 0;
    while (o->sys == 0 && done < o->n) {
        ssize_t n = write(o->fd, o->buf + done, o->n - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            o->sys = errno;
    }
    o->n = 0;
}

void out_bytes(struct out *o, const void *data, size_t len)
{
    const char *p = data;
    while (len > 0) {
        size_t part = len < OUT_SIZE / 2 ? len : OUT_SIZE / 2;
        char *to = out_room(o, part);
        memcpy(to, p, part);
        out_advance(o, to + part);
        p += part;
        len -= part;
    }
}

void out_str(struct out *o, const char *s)
{
    out_bytes(o, s, strlen(s));
}

void out_spaces(struct out *o, size_t n)
{
    while (n-- > 0)
        out_char(o, ' ');
}

/* ---------------------------------------------------------------- numbers */

const char digit_pairs[200] = "00010203040506070809"
                              "10111213141516171819"
                              "20212223242526272829"
                              "30313233343536373839"
                              "40414243444546474849"
                              "50515253545556575859"
                              "60616263646566676869"
                              "70717273747576777879"
                              "80818283848586878889"
                              "90919293949596979899";

static unsigned digits_of(uint64_t v)
{
    static const uint64_t powers[] = {0,
                                      10,
                                      100,
                                      1000,
                                      10000,
                                      100000,
                                      1000000,
                                      10000000,
                                      100000000,
                                      1000000000,
                                      10000000000,
                                      100000000000,
                                      1000000000000,
                                      10000000000000,
                                      100000000000000,
                                      1000000000000000,
                                      10000000000000000,
                                      100000000000000000,
                                      1000000000000000000,
                                      10000000000000000000U};
    unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1);
    unsigned guess = bits * 1233 >> 12; /* log10(2) = 0.30103 = 1233 / 4096 */
    return guess + (v >= powers[guess]);
}

char *put_u64(char *p, uint64_t v)
{
    char *end = p + (v < 10 ? 1 : digits_of(v)), *at = end;
    while (v >= 100) {
        at -= 2;
        put_pair(at, (unsigned)(v % 100));
        v /= 100;
    }
    if (v >= 10)
        put_pair(at - 2, (unsigned)v);
    else
        at[-1] = (char)('0' + v);
    return end;
}

char *put_i64(char *p, int64_t v)
{
    if (v >= 0)
        return put_u64(p, (uint64_t)v);
    *p++ = '-';
    return put_u64(p, 0 - (uint64_t)v);
}
