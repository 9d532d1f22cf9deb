/*
 * inputs.h - from what stands on the command line to the dumps that are read.
 *
 *     FILE, -                          itself
 *     appendonlydir/, its manifest     the base file that the manifest names; the increments are counted, not read
 *     any other directory              its *.rdb, and whatever else in it begins like a dump, in order of names;
 *                                      where there is none, the append-only directories in it
 *
 * A server's unfinished temp-PID.rdb and hidden files are passed over in a directory. The same file is read once.
 */
#ifndef RDBMEM_INPUTS_H
#define RDBMEM_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct input {
    char *path;         /* of the dump; of what was named when there is a problem */
    char *problem;      /* why there is no dump to open, else NULL */
    uint64_t aof_files; /* increments of the append-only file whose base this is */
    uint64_t aof_bytes; /* of those that are there */
    uint64_t aof_gone;  /* increments that are named and not there */
    bool named;         /* on the command line, not found in a directory */
    bool stream;        /* no file: nobody knows how long it is */
    uint64_t bytes;     /* of the file */
    dev_t dev;
    ino_t ino; /* 0: not a file */
};

struct inputs {
    struct input *list;
    size_t n, cap;
    bool several; /* several were named, or a directory that may hold several: the report is about all */
};

enum { INPUTS_ERROR = 512 };

/* False: wrong use (the same file named twice) or out of memory, with a message. To be freed in any case. */
bool inputs_find(struct inputs *in, const char *const *operands, size_t n, char err[INPUTS_ERROR]);
void inputs_free(struct inputs *in);

#endif
