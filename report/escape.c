/*
 * escape.c - hostile bytes made readable. See escape.h.
 */
#include "report/escape.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const char upper_hex[] = "0123456789ABCDEF";
static const char lower_hex[] = "0123456789abcdef";

const char *const escape_names[] = {"utf8", "print", "raw", "base64", NULL};

bool escape_by_name(const char *name, enum escape *e)
{
    for (unsigned i = 0; escape_names[i]; i++)
        if (strcmp(name, escape_names[i]) == 0) {
            *e = (enum escape)i;
            return true;
        }
    return false;
}

/* ---------------------------------------------------------------- UTF-8 */

/* What the first byte says: length of the sequence, 0 = cannot begin one. */
static unsigned utf8_length(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

unsigned utf8_decode(const uint8_t *s, size_t len, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned n = len > 0 ? utf8_length(*s) : 0;
    uint32_t c;
    if (n == 0 || n > len)
        return 0;
    c = n == 1 ? *s : *s & (0x7fU >> n);
    for (unsigned i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *code = c;
    return n;
}

bool utf8_valid(const uint8_t *s, size_t len)
{
    uint32_t code;
    for (size_t i = 0; i < len;) {
        unsigned n = utf8_decode(s + i, len - i, &code);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

/* ---------------------------------------------------------------- the four ways */

char *put_base64(char *p, const uint8_t *s, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (; len >= 3; s += 3, len -= 3) {
        uint32_t v = (uint32_t)s[0] << 16 | (uint32_t)s[1] << 8 | s[2];
        *p++ = digits[v >> 18];
        *p++ = digits[v >> 12 & 63];
        *p++ = digits[v >> 6 & 63];
        *p++ = digits[v & 63];
    }
    if (len > 0) {
        uint32_t v = (uint32_t)s[0] << 16 | (len > 1 ? (uint32_t)s[1] << 8 : 0);
        *p++ = digits[v >> 18];
        *p++ = digits[v >> 12 & 63];
        *p++ = len > 1 ? digits[v >> 6 & 63] : '=';
        *p++ = '=';
    }
    return p;
}

static void write_base64(struct out *o, const uint8_t *s, size_t len)
{
    static const size_t STEP = (size_t)3 * 4096;
    while (len > 0) {
        size_t n = len < STEP ? len : STEP;
        out_advance(o, put_base64(out_room(o, STEP / 3 * 4), s, n));
        s += n;
        len -= n;
    }
}

/* How many of the next bytes stand as they are; 0: the first one must be escaped. */
static unsigned plain_length(enum escape e, const uint8_t *s, size_t len)
{
    uint32_t code;
    if (e == ESCAPE_RAW)
        return 1;
    if (e == ESCAPE_PRINT)
        return *s >= 0x20 && *s <= 0x7e;
    return utf8_decode(s, len, &code);
}

void escape_write(struct out *o, enum escape e, const uint8_t *s, size_t len, int doubled)
{
    if (e == ESCAPE_BASE64) {
        write_base64(o, s, len);
        return;
    }
    for (size_t i = 0; i < len;) {
        unsigned n = plain_length(e, s + i, len - i);
        char *p = out_room(o, 8);
        if (n == 0) {
            *p++ = '\\';
            *p++ = 'x';
            *p++ = upper_hex[s[i] >> 4];
            *p++ = upper_hex[s[i] & 15];
            n = 1;
        } else {
            if (n == 1 && s[i] == doubled)
                *p++ = (char)doubled;
            memcpy(p, s + i, n);
            p += n;
        }
        out_advance(o, p);
        i += n;
    }
}

/* ---------------------------------------------------------------- JSON */

static char *put_json_byte(char *p, uint8_t c)
{
    static const char letters[] = "\"\\\b\f\n\r\t", escapes[] = "\"\\bfnrt";
    const char *at = c ? strchr(letters, c) : NULL;
    if (at) {
        *p++ = '\\';
        *p++ = escapes[at - letters];
    } else if (c < 0x20 || c == 0x7f) {
        memcpy(p, "\\u00", 4);
        p[4] = lower_hex[c >> 4];
        p[5] = lower_hex[c & 15];
        p += 6;
    } else {
        *p++ = (char)c;
    }
    return p;
}

/* What stands for the next character, at p (6 bytes); *taken is its length in s. */
static char *put_json_unit(char *p, const uint8_t *s, size_t len, unsigned *taken)
{
    uint32_t code;
    unsigned n = utf8_decode(s, len, &code);
    *taken = n ? n : 1;
    if (n == 1)
        return put_json_byte(p, *s);
    if (n > 1) {
        memcpy(p, s, n);
        return p + n;
    }
    memcpy(p, "\\\\x", 3);
    p[3] = upper_hex[*s >> 4];
    p[4] = upper_hex[*s & 15];
    return p + 5;
}

char *json_text(const uint8_t *s, size_t len)
{
    char *text = malloc(len * 6 + 1), *p = text;
    unsigned taken;
    if (!text)
        return NULL;
    for (size_t i = 0; i < len; i += taken)
        p = put_json_unit(p, s + i, len - i, &taken);
    *p = '\0';
    return text;
}

void json_write(struct out *o, const uint8_t *s, size_t len)
{
    unsigned taken;
    for (size_t i = 0; i < len; i += taken)
        out_advance(o, put_json_unit(out_room(o, 8), s + i, len - i, &taken));
}

/* ---------------------------------------------------------------- terminals */

/* Characters that show nothing and change how what follows is shown: they would let a name lie about itself. */
static bool is_invisible_control(uint32_t c)
{
    return c == 0x200b || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
           c == 0xfeff || c == 0x061c || c == 0x00ad || (c >= 0xfff9 && c <= 0xfffb) || c >= 0xe0000;
}

/* Columns of a character: -1 when it must not be shown. The report's own locale, so that it is the same everywhere. */
static int char_width(uint32_t c)
{
    static locale_t utf8;
    static bool tried;
    locale_t before;
    int width;
    if (c < 0x7f)
        return c < 0x20 ? -1 : 1;
    if (is_invisible_control(c))
        return -1;
    if (!tried) {
        utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
        tried = true;
    }
    if (!utf8)
        return -1;
    before = uselocale(utf8);
    width = wcwidth((wchar_t)c);
    uselocale(before);
    return width;
}

/* One displayed unit: its bytes and its columns. */
struct unit {
    char text[8];
    size_t bytes;
    size_t columns;
};

static void unit_escape(struct unit *u, char c)
{
    u->text[0] = '\\';
    u->text[1] = c;
    u->bytes = u->columns = 2;
}

static void unit_hex(struct unit *u, uint8_t c)
{
    unit_escape(u, 'x');
    u->text[2] = lower_hex[c >> 4];
    u->text[3] = lower_hex[c & 15];
    u->bytes = u->columns = 4;
}

/* The unit that shows the bytes at s; returns how many bytes it shows. */
static unsigned next_unit(const uint8_t *s, size_t len, struct unit *u)
{
    static const char controls[] = "\n\r\t\a\b\"\\", letters[] = "nrtab\"\\";
    uint32_t code = 0;
    unsigned n = utf8_decode(s, len, &code);
    int width = n ? char_width(code) : -1;
    const char *at = *s ? strchr(controls, *s) : NULL;
    if (at) {
        unit_escape(u, letters[at - controls]);
        return 1;
    }
    if (width < 0) {
        unit_hex(u, *s);
        return 1;
    }
    memcpy(u->text, s, n);
    u->bytes = n;
    u->columns = (size_t)width;
    return n;
}

/* Whether the units from s on fit into room columns. */
static bool fits(const uint8_t *s, size_t len, size_t room)
{
    struct unit u;
    size_t used = 0;
    for (size_t i = 0; i < len;) {
        i += next_unit(s + i, len - i, &u);
        used += u.columns;
        if (used > room)
            return false;
    }
    return true;
}

/* As many units as fit into room columns; returns the columns used. */
static size_t write_units(struct out *o, const uint8_t *s, size_t len, size_t room)
{
    struct unit u;
    size_t used = 0;
    for (size_t i = 0; i < len;) {
        i += next_unit(s + i, len - i, &u);
        if (used + u.columns > room)
            break;
        used += u.columns;
        if (o)
            out_bytes(o, u.text, u.bytes);
    }
    return used;
}

size_t quote_write(struct out *o, const uint8_t *s, size_t len, size_t width, bool cut)
{
    static const char dots[] = "\"...";
    size_t used;
    bool whole;
    if (width < 6)
        width = 6;
    whole = !cut && fits(s, len, width - 2);
    if (o)
        out_char(o, '"');
    used = write_units(o, s, len, whole ? width - 2 : width - 5);
    if (o)
        out_bytes(o, dots, whole ? 1 : 4);
    return used + (whole ? 2 : 5);
}

char *safe_text(const char *s)
{
    size_t len = strlen(s);
    char *text = malloc(len * 4 + 1), *p = text;
    struct unit u;
    if (!text)
        return NULL;
    for (size_t i = 0; i < len;) {
        unsigned n = next_unit((const uint8_t *)s + i, len - i, &u);
        bool bare = s[i] == '"' || s[i] == '\\';
        memcpy(p, bare ? s + i : u.text, bare ? 1 : u.bytes);
        p += bare ? 1 : u.bytes;
        i += n;
    }
    *p = '\0';
    return text;
}

size_t text_width(const char *s)
{
    size_t width = 0, len = strlen(s);
    for (size_t i = 0; i < len;) {
        uint32_t code;
        unsigned n = utf8_decode((const uint8_t *)s + i, len - i, &code);
        int columns = n ? char_width(code) : 1;
        width += columns > 0 ? (size_t)columns : 0;
        i += n ? n : 1;
    }
    return width;
}
