/*
 * option_values.h - reading what stands behind an option; shared by the files that set options (options.c,
 * option_findings.c).
 */
#ifndef RDBMEM_OPTION_VALUES_H
#define RDBMEM_OPTION_VALUES_H

#include "report/options.h"

/* "--OPTION: 'VALUE' is not EXPECTED" into err; returns false. */
bool complain(char err[OPTION_ERROR], const char *option, const char *value, const char *expected);

/* Digits at the beginning of text; *end is behind them. */
bool read_u64(const char *text, uint64_t max, uint64_t *v, const char **end);
bool read_count(const char *text, uint64_t max, uint64_t *v);

/* K, M, G, T, also as KiB or KB: powers of 1024. */
bool read_size(const char *text, uint64_t *v);

/* 30s, 10m, 6h, 7d, 2w; a bare number is seconds. */
bool read_duration(const char *text, int64_t *seconds);

/* The words that some options take, ended by NULL. */
extern const char *const when_words[], *const load_as_words[], *const on_error_words[];

/* What to look for over all keys: option_findings.c */
bool set_separator(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_depth(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_groups(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_group(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_filter_db(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_filter_type(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_filter_encoding(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_filter_key(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_filter_regex(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_filter_not_key(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_filter_min_bytes(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_filter_max_bytes(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_filter_min_elements(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_filter_ttl(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_filter_slot(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_filter_sample(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_big(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_big_preset(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_only_big(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_fail_on(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_allow(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_fail_on_expired(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_hash_names(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_explain(struct options *o, const char *value, char err[OPTION_ERROR]);

/* When all options are known: what follows from several of them. */
void options_settle_findings(struct options *o);

/* The real allocator: option_rebuild.c */
bool set_rebuild(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_rebuild_limit(struct options *o, const char *value, char err[OPTION_ERROR]);
bool set_rebuild_sample(struct options *o, const char *value, char err[OPTION_ERROR]);

#endif
