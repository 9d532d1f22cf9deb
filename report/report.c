/*
 * report.c - the table of formats, and the words they share.
 */
#include "report/report.h"

#include <stdio.h>
#include <string.h>

#include "report/rows.h"

const struct report_format report_formats[] = {
    {.name = "text", .extension = ".txt", .help = "a summary to read (default)", .finish = text_finish},
    {.name = "json", .extension = ".json", .help = "the summary as one JSON document", .finish = json_finish},
    {.name = "csv",
     .extension = ".csv",
     .help = "one row a key, the first eight columns as redis-rdb-tools has them",
     .begin = csv_begin,
     .key = csv_key,
     .finish = rows_finish,
     .drop = rows_drop},
    {.name = "ndjson",
     .extension = ".ndjson",
     .help = "one JSON object a line for each key, members as the columns of CSV",
     .begin = ndjson_begin,
     .key = ndjson_key,
     .finish = rows_finish,
     .drop = rows_drop},
    {.name = "openmetrics",
     .extension = ".openmetrics",
     .help = "metrics in OpenMetrics 1.0",
     .finish = openmetrics_finish},
    {.name = "prometheus",
     .extension = ".prom",
     .help = "the same in Prometheus' older text format, for node_exporter's textfile collector",
     .finish = prometheus_finish},
    {.name = "sqlite",
     .extension = ".db",
     .help = "a SQLite database: every key a row, and the summary in tables; needs a FILE",
     .begin = sqlite_begin,
     .key = sqlite_key,
     .finish = sqlite_finish,
     .drop = sqlite_drop,
     .needs_file = true},
    {.name = "html",
     .extension = ".html",
     .help = "a page to look at and to send: one file that needs no network",
     .begin = page_begin,
     .key = page_key,
     .finish = page_finish,
     .drop = page_drop},
    {0},
};

const struct report_format *report_format(const char *name, size_t len)
{
    for (const struct report_format *f = report_formats; f->name; f++)
        if (strlen(f->name) == len && memcmp(f->name, name, len) == 0)
            return f;
    return NULL;
}

const struct report_format *report_format_of_path(const char *path)
{
    size_t len = strlen(path);
    for (const struct report_format *f = report_formats; f->name; f++) {
        size_t n = strlen(f->extension);
        if (len > n && strcmp(path + len - n, f->extension) == 0)
            return f;
    }
    return NULL;
}

const struct unknowable report_unknowable[] = {
    {"mem_clients_normal", "buffers of connected clients"},
    {"mem_clients_slaves", "replicas' output buffers"},
    {"mem_replication_backlog", "replication backlog"},
    {"mem_aof_buffer", "AOF buffer"},
    {"mem_cluster_links", "cluster links"},
    {"used_memory_vm_eval", "Lua and other script engines"},
    {"used_memory_scripts_eval", "cached EVAL scripts"},
    {"mem_overhead_db_hashtable_rehashing", "tables being rehashed"},
    {"pubsub_and_tracking", "subscriptions, watched and tracked keys"},
    {"string_spare_room", "spare room of strings that grew by APPEND, SETRANGE or SETBIT"},
    {"module_private", "what modules hold besides their keys"},
    {0},
};

const char *report_family_name(enum rdb_family f)
{
    return f == RDB_FAMILY_VALKEY ? "valkey" : "redis";
}

const char *report_crc_name(enum rdb_crc c)
{
    switch (c) {
    case RDB_CRC_UNKNOWN: return "not reached";
    case RDB_CRC_ABSENT: return "none in this version";
    case RDB_CRC_OFF: return "switched off";
    case RDB_CRC_OK: return "ok";
    case RDB_CRC_BAD: return "wrong";
    case RDB_CRC_SKIPPED: return "not checked";
    }
    return "not reached";
}

const char *report_load_name(enum load_as l)
{
    return l == LOAD_MASTER ? "master" : l == LOAD_REPLICA ? "replica" : "all";
}

const struct load_total *report_loaded(const struct analysis *a, enum load_as l)
{
    return l == LOAD_MASTER ? &a->master : l == LOAD_REPLICA ? &a->replica : &a->all;
}

void report_wrap_names(unsigned wraps, char out[64])
{
    static const char *const names[] = {"gzip", "zstd", "lz4", "vkcs", "replication", "replication-eof"};
    size_t n = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (wraps & 1U << i)
            n += (size_t)snprintf(out + n, 64 - n, "%s%s", n ? "," : "", names[i]);
}
