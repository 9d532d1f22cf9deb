/*
 * option_rebuild.c - the options of --rebuild.
 */
#include "report/option_values.h"

#include <string.h>

enum { SAMPLE_MOST = 16384 /* there are no more slots */ };

bool set_rebuild(struct options *o, const char *value, char err[OPTION_ERROR])
{
    (void)value;
    (void)err;
    o->rebuild = true;
    return true;
}

bool set_rebuild_limit(struct options *o, const char *value, char err[OPTION_ERROR])
{
    o->rebuild = true;
    return (read_size(value, &o->rebuild_limit) && o->rebuild_limit > 0) ||
           complain(err, "rebuild-limit", value, "a size such as 4G");
}

bool set_rebuild_sample(struct options *o, const char *value, char err[OPTION_ERROR])
{
    uint64_t n = 0;
    o->rebuild = true;
    if (strncmp(value, "1/", 2) != 0 || !read_count(value + 2, SAMPLE_MOST, &n) || n == 0)
        return complain(err, "rebuild-sample", value, "a share such as 1/16, at least 1/16384");
    o->rebuild_sample = (unsigned)n;
    return true;
}
