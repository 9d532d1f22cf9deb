/*
 * progress.c - rate and time left while reading. See progress.h.
 */
#include "report/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "report/complain.h"
#include "report/human.h"

/* Not before a second has passed, then five times a second; without a terminal every ten seconds. */
static const double FIRST = 1.0, EVERY = 0.2, EVERY_LINE = 10.0;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool begin_parts(struct progress *p)
{
    size_t n = p->inputs->n;
    bool files = true;
    p->parts = calloc(n + 1, sizeof *p->parts);
    if (!p->parts)
        return false;
    for (size_t i = 0; i < n; i++) {
        files = files && !p->inputs->list[i].stream;
        p->whole += p->inputs->list[i].bytes;
    }
    if (!files)
        p->whole = 0;
    return true;
}

bool progress_begin(struct progress *p, enum when when, const struct inputs *inputs, bool terminal_in_use)
{
    struct winsize w;
    *p = (struct progress){.inputs = inputs, .width = 80};
    p->terminal = isatty(STDERR_FILENO);
    p->shown = when == WHEN_ALWAYS || (when == WHEN_AUTO && p->terminal && !terminal_in_use);
    if (!p->shown)
        return true;
    if (p->terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20)
        p->width = w.ws_col;
    p->begin = now();
    p->last = p->begin + FIRST - EVERY;
    p->shown = begin_parts(p);
    return p->shown;
}

static void write_eta(char out[40], uint64_t done, uint64_t whole, double seconds)
{
    double left = done > 0 && whole > done ? seconds * ((double)(whole - done) / (double)done) : 0;
    unsigned s = left < 359999 ? (unsigned)(left + 0.5) : 359999;
    if (s >= 3600)
        snprintf(out, 40, ", %u:%02u:%02u left", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, 40, ", %u:%02u left", s / 60, s % 60);
}

/* 37 %, 3.7 GiB, 1.2 GiB/s, 12 M keys, 0:05 left, 3 of 9 dumps */
static void write_line(const struct progress *p, double seconds, char *out, size_t size)
{
    char percent[16] = "", eta[40] = "", dumps[64] = "";
    uint64_t rate = seconds > 0 ? (uint64_t)((double)p->bytes / seconds) : 0;
    if (p->whole > 0) {
        snprintf(percent, sizeof percent, "%3.0f %%, ", 100.0 * (double)p->bytes / (double)p->whole);
        write_eta(eta, p->bytes, p->whole, seconds);
    }
    if (p->inputs->n > 1)
        snprintf(dumps, sizeof dumps, ", %zu of %zu dumps", p->done, p->inputs->n);
    snprintf(out, size, "%s%s, %s/s, %s keys%s%s", percent, human_bytes(p->bytes).s, human_bytes(rate).s,
             human_count(p->keys).s, eta, dumps);
}

static void draw(struct progress *p)
{
    char line[256];
    double t = now();
    if (t - p->last < (p->terminal ? EVERY : EVERY_LINE))
        return;
    p->last = t;
    write_line(p, t - p->begin, line, sizeof line);
    if (p->terminal)
        fprintf(stderr, "\r\033[K%.*s", (int)p->width - 1, line);
    else if (p->inputs->n == 1)
        complain_line("%s: %s", p->inputs->list[0].path, line);
    else
        complain_line("%s", line);
    p->drawn = p->terminal;
}

static void advance(struct progress *p, size_t i, uint64_t bytes, uint64_t keys)
{
    struct progress_part *part = &p->parts[i];
    p->bytes += bytes - part->bytes;
    p->keys += keys - part->keys;
    part->bytes = bytes;
    part->keys = keys;
}

void progress_draw(struct progress *p, size_t i, uint64_t bytes, uint64_t keys)
{
    if (!p->shown)
        return;
    advance(p, i, bytes, keys);
    draw(p);
}

void progress_done(struct progress *p, size_t i)
{
    if (!p->shown)
        return;
    if (!p->inputs->list[i].stream) /* also where it was damaged: nothing more comes */
        advance(p, i, p->inputs->list[i].bytes, p->parts[i].keys);
    p->done++;
}

void progress_clear(struct progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}

void progress_end(struct progress *p)
{
    progress_clear(p);
    free(p->parts);
    p->parts = NULL;
    p->shown = false;
}
