/*
 * json_parts.h - members of the JSON document, shared by json.c and the files that write parts of it.
 */
#ifndef RDBMEM_JSON_PARTS_H
#define RDBMEM_JSON_PARTS_H

#include <cjson/cJSON.h>

#include "report/report.h"

/* Before anything is built, and after: false when memory was out somewhere, and something is missing. */
void json_start(void);
bool json_whole(void);

/* The members about one analysis; fleet: what it is the sum of, NULL: one dump. */
void json_analysis(cJSON *doc, const struct analysis *a, const struct report_options *o, const struct fleet *fleet);

/* Who wrote this, by which schema. */
void json_generator(cJSON *doc);

void add_u64(cJSON *o, const char *name, uint64_t v);
void add_i64(cJSON *o, const char *name, int64_t v);
void add_string(cJSON *o, const char *name, const char *s); /* NULL: null */

/* A JSON string of any bytes. */
cJSON *json_text_item(const uint8_t *s, size_t len);

/* As a member called name; when it is not UTF-8, its bytes in name_base64 too. */
void add_bytes(cJSON *o, const char *name, const uint8_t *s, size_t len);

/* Numbers that are no counts: with six digits behind the point, null when not finite. */
void add_ratio(cJSON *o, const char *name, double v);

/* The key's fields under the names of the CSV columns. */
cJSON *json_key(const struct key_report *k);

/* What was found over all keys (analysis.found): json_found.c */
void add_found(cJSON *doc, const struct analysis *a);

/* What modules have in the dump: json_modules.c */
void json_modules(cJSON *doc, const struct analysis *a);

/* The forecast: json_forecast.c */
void json_forecast(cJSON *doc, const struct analysis *a);

/* What may come to pass: json_whatif.c */
void json_eviction(cJSON *doc, const struct analysis *a);
void json_rebuild(cJSON *doc, const struct analysis *a);

#endif
