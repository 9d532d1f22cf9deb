/*
 * escape.h - bytes that anybody may have chosen (key names, paths, fields of the file) in readable form.
 */
#ifndef RDBMEM_ESCAPE_H
#define RDBMEM_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/out.h"

/* The four ways of redis-rdb-tools. */
enum escape {
    ESCAPE_UTF8,  /* valid UTF-8 as it is, every other byte as \xHH */
    ESCAPE_PRINT, /* printable ASCII as it is, every other byte as \xHH */
    ESCAPE_RAW,   /* the bytes */
    ESCAPE_BASE64 /* always, also where plain text would do: so that it can always be undone */
};
extern const char *const escape_names[]; /* by enum escape, ended by NULL */
bool escape_by_name(const char *name, enum escape *e);

/* Length of the valid UTF-8 sequence at s, 1..4; 0 when there is none. *code is its character. */
unsigned utf8_decode(const uint8_t *s, size_t len, uint32_t *code);
bool utf8_valid(const uint8_t *s, size_t len);

/* Writes s escaped; where `doubled` stands as itself it is written twice (a quote inside CSV; -1 = none). */
void escape_write(struct out *o, enum escape e, const uint8_t *s, size_t len, int doubled);

/* Base64 with padding, without newlines, at p (room for 4 * ((len + 2) / 3)); returns the end. */
char *put_base64(char *p, const uint8_t *s, size_t len);

/* The text of a JSON string without its quotes: valid UTF-8 as it is, other bytes as \\xHH. Allocated; NULL: no memory. */
char *json_text(const uint8_t *s, size_t len);

/* The same, written. */
void json_write(struct out *o, const uint8_t *s, size_t len);

/* ---------------------------------------------------------------- for terminals */

/*
 * Quoted as redis-cli quotes, so that a name can be pasted back: "..." with \n \r \t \a \b \" \\ and \xHH for what is
 * not printable; printable UTF-8 stays. Writes at most width columns: a name that does not fit is cut before the
 * closing quote and marked with dots behind it. Returns the columns used. o may be NULL: only measured.
 */
size_t quote_write(struct out *o, const uint8_t *s, size_t len, size_t width, bool cut);

/* Not printable bytes escaped, quotes and backslashes as they are: for text in a sentence. Allocated; NULL: no memory. */
char *safe_text(const char *s);

/* Columns that a string made of safe text takes. */
size_t text_width(const char *s);

#endif
