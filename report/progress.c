/*
 * progress.c - rate and time left while reading; signals. See progress.h.
 */
#include "report/progress.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "report/human.h"
#include "report/run.h"

/* Not before a second has passed, then five times a second; without a terminal every ten seconds. */
static const double FIRST = 1.0, EVERY = 0.2, EVERY_LINE = 10.0;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void progress_begin(struct progress *p, enum when when, const char *name, bool terminal_in_use)
{
    struct winsize w;
    *p = (struct progress){.name = name, .width = 80};
    p->terminal = isatty(STDERR_FILENO);
    p->shown = when == WHEN_ALWAYS || (when == WHEN_AUTO && p->terminal && !terminal_in_use);
    if (p->terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20)
        p->width = w.ws_col;
    p->begin = now();
    p->last = p->begin + FIRST - EVERY;
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

static void write_line(char *out, size_t size, const struct rdb_info *info, uint64_t keys, double seconds)
{
    char percent[16] = "", eta[40] = "";
    uint64_t rate = seconds > 0 ? (uint64_t)((double)info->file_offset / seconds) : 0;
    if (info->file_size > 0) {
        snprintf(percent, sizeof percent, "%3.0f %%, ", 100.0 * (double)info->file_offset / (double)info->file_size);
        write_eta(eta, info->file_offset, info->file_size, seconds);
    }
    snprintf(out, size, "%s%s, %s/s, %s keys%s", percent, human_bytes(info->file_offset).s, human_bytes(rate).s,
             human_count(keys).s, eta);
}

void progress_draw(struct progress *p, const struct rdb_info *info, uint64_t keys)
{
    char line[256];
    double t;
    if (!p->shown || (t = now()) - p->last < (p->terminal ? EVERY : EVERY_LINE))
        return;
    p->last = t;
    write_line(line, sizeof line, info, keys, t - p->begin);
    if (p->terminal)
        fprintf(stderr, "\r\033[K%.*s", (int)p->width - 1, line);
    else
        complain_line("%s: %s", p->name, line);
    p->drawn = p->terminal;
}

void progress_end(struct progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}

/* ---------------------------------------------------------------- signals */

static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
    if (caught) {
        out_unlink_all();
        signal(sig, SIG_DFL);
        raise(sig);
    }
    caught = sig;
}

void stop_catch_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction sa = {.sa_handler = on_signal}, old;
    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(signals[i], &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int stop_signal(void)
{
    return caught;
}
