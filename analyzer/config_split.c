/*
 * config_split.c - words of a configuration line, quoted as redis.conf quotes (sdssplitargs).
 *
 * Words shrink or stay as they are when escapes are resolved, so they are written over the line itself.
 */
#include "analyzer/config_internal.h"

#include <string.h>

struct splitter {
    const char *in;
    char *out;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static char simple_escape(char c)
{
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
    }
}

/* in is behind the opening quote; afterwards behind the closing one. */
static bool double_quoted(struct splitter *s)
{
    for (; *s->in && *s->in != '"'; s->in++) {
        if (*s->in != '\\' || !s->in[1]) {
            *s->out++ = *s->in;
            continue;
        }
        s->in++;
        if (*s->in == 'x' && hex_digit(s->in[1]) >= 0 && hex_digit(s->in[2]) >= 0) {
            *s->out++ = (char)(hex_digit(s->in[1]) * 16 + hex_digit(s->in[2]));
            s->in += 2;
        } else {
            *s->out++ = simple_escape(*s->in);
        }
    }
    return *s->in && s->in++;
}

static bool single_quoted(struct splitter *s)
{
    for (; *s->in && *s->in != '\''; s->in++) {
        if (*s->in == '\\' && s->in[1] == '\'')
            s->in++;
        *s->out++ = *s->in;
    }
    return *s->in && s->in++;
}

/* One word; false when its quotes are wrong. */
static bool word(struct splitter *s)
{
    while (*s->in && !is_blank(*s->in)) {
        char quote = *s->in;
        if (quote != '"' && quote != '\'') {
            *s->out++ = *s->in++;
            continue;
        }
        s->in++;
        if (!(quote == '"' ? double_quoted(s) : single_quoted(s)) || (*s->in && !is_blank(*s->in)))
            return false;
    }
    return true;
}

int config_split(char *line, char **words, int max)
{
    struct splitter s = {line, line};
    int n = 0;
    for (;;) {
        while (is_blank(*s.in))
            s.in++;
        if (!*s.in)
            return n;
        if (n < max)
            words[n] = s.out;
        n++;
        if (!word(&s))
            return -1;
        if (*s.in)
            s.in++;
        *s.out++ = '\0';
    }
}
