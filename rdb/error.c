/*
 * error.c - names and texts of failures.
 */
#include "rdb/error.h"

#include <stdarg.h>
#include <stdio.h>

const char *rdb_err_name(enum rdb_err kind)
{
    switch (kind) {
    case RDB_OK: return "ok";
    case RDB_ERR_IO: return "input/output error";
    case RDB_ERR_NOMEM: return "out of memory";
    case RDB_ERR_TRUNCATED: return "truncated";
    case RDB_ERR_MAGIC: return "not an rdb file";
    case RDB_ERR_CORRUPT: return "corrupt";
    case RDB_ERR_TYPE: return "unknown type";
    case RDB_ERR_CHECKSUM: return "wrong checksum";
    case RDB_ERR_WRAPPER: return "damaged wrapper";
    case RDB_ERR_LIMIT: return "limit reached";
    }
    return "unknown error";
}

void rdb_error_note(struct rdb_error *e, enum rdb_err kind, uint64_t offset, const char *fmt, ...)
{
    if (e->kind != RDB_OK)
        return;
    e->kind = kind;
    e->offset = offset;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(e->expected, sizeof e->expected, fmt, ap);
    va_end(ap);
}

void rdb_error_bytes(char *out, size_t cap, const void *bytes, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *b = bytes;
    size_t at = 0;
    for (size_t i = 0; i < n && at + 5 <= cap; i++) {
        if (b[i] >= 0x20 && b[i] < 0x7f) {
            out[at++] = (char)b[i];
            continue;
        }
        out[at++] = '\\';
        out[at++] = 'x';
        out[at++] = hex[b[i] >> 4];
        out[at++] = hex[b[i] & 15];
    }
    out[at] = '\0';
}
