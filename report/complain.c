/*
 * complain.c - see complain.h.
 */
#include "report/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "report/escape.h"

static void vcomplain(const char *format, va_list args)
{
    char *raw = NULL, *safe;
    if (vasprintf(&raw, format, args) < 0)
        return;
    safe = safe_text(raw);
    fprintf(stderr, "rdbmem: %s\n", safe ? safe : "out of memory");
    free(safe);
    free(raw);
}

void complain_line(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vcomplain(format, args);
    va_end(args);
}

int usage_error(const char *message)
{
    complain_line("%s; try --help", message);
    return EXIT_USAGE;
}
