/*
 * human.h - numbers and times as people read them, and ISO 8601 for machines. No locale anywhere.
 */
#ifndef RDBMEM_HUMAN_H
#define RDBMEM_HUMAN_H

#include <stddef.h>
#include <stdint.h>

struct text32 {
    char s[40];
};

struct text32 human_bytes(uint64_t bytes);                /* 1.50 GiB */
struct text32 human_count(uint64_t n);                    /* 1,234,567 */
struct text32 human_share(uint64_t part, uint64_t whole); /* 12.3 %; "-" of nothing */
struct text32 human_duration(int64_t seconds);            /* 45 s, 12 min, 5 h, 203 days, 2.4 years */
struct text32 human_time(int64_t seconds);                /* 2026-11-25 01:18:08 UTC */

/* ISO 8601 in UTC without a zone, as redis-rdb-tools prints an expiry: microseconds only where not zero.
 * Returns the end; at most 40 bytes. */
char *put_iso_ms(char *p, int64_t ms);

/* Its two parts: the day, counted from 1970-01-01, and the rest with the T before it. */
enum { DAY_MS = 86400000 };
char *put_date(char *p, int64_t days);
char *put_time_of_day(char *p, uint32_t ms);

#endif
