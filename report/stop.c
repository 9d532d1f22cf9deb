/*
 * stop.c - see stop.h.
 */
#include "report/stop.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "report/out.h"

static atomic_int caught; /* several threads ask */

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
