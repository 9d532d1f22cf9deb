/*
 * explain.c - see explain.h.
 */
#include "report/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/explain.h"
#include "report/complain.h"
#include "report/human.h"
#include "report/inputs.h"
#include "report/json_parts.h"
#include "report/sinks.h"
#include "report/text.h"

/* ---------------------------------------------------------------- text */

static void text_head(struct text *t, const struct explain *x, const struct analysis *a)
{
    const struct key_report *k = &x->key;
    out_str(t->out, "Key ");
    quote_write(t->out, k->name, k->name_len, t->width - 4 /* "Key " */, false);
    out_char(t->out, '\n');
    text_wrap(t, "in db%u of %s: %s, %s, %s elements, payload %s; priced for %s (%s) with %s.", k->db, a->file.path,
              rdb_type_name(k->type), k->module[0] ? k->module : encoding_name(k->encoding), human_count(k->elements).s,
              human_bytes(k->payload).s, a->target, a->target_why, a->allocator);
    if (k->expire_ms >= 0)
        text_wrap(t, "Expires %s%s.", human_time(k->expire_ms / 1000).s,
                  k->flags & KEY_EXPIRED ? ", before the dump was made" : "");
}

static void text_rows(struct text *t, const struct explain *x)
{
    static const struct grid_column columns[] = {{"blocks", false, 0},     {"what", true, 0},   {"asked for", false, 0},
                                                 {"handed out", false, 2}, {"waste", false, 1}, {"in all", false, 0}};
    struct grid g;
    text_heading(t, "Allocations");
    grid_begin(&g, columns, 6);
    for (size_t i = 0; i < x->n; i++) {
        const struct explain_row *r = &x->rows[i];
        grid_text(&g, human_count(r->count).s);
        grid_text(&g, zlabel_names[r->label]);
        grid_text(&g, human_count(r->request).s);
        grid_text(&g, human_count(r->usable).s);
        grid_text(&g, human_count(r->usable - r->request).s);
        grid_text(&g, human_count(r->count * r->usable).s);
    }
    grid_text(&g, human_count(x->blocks).s);
    grid_text(&g, "all");
    grid_text(&g, "");
    grid_text(&g, "");
    grid_text(&g, human_count(x->usable - x->requested).s);
    grid_text(&g, human_count(x->usable).s);
    text_grid(t, &g);
}

static bool write_text(struct out *out, const struct explain *x, const struct analysis *a, unsigned width)
{
    struct text t = {.out = out, .width = width, .bold = "", .dim = "", .warn = "", .plain = ""};
    const struct key_report *k = &x->key;
    text_head(&t, x, a);
    if (k->flags & KEY_EMPTY)
        text_wrap(&t, "It is empty, and this target does not load it.");
    text_rows(&t, x);
    if (x->chance)
        text_wrap(&t, "  + %s bytes expected of what the server draws by lot (skiplist levels, collisions).",
                  human_count(x->chance).s);
    text_wrap(&t, "  = %s bytes (%s)%s", human_count(k->bytes).s, human_bytes(k->bytes).s,
              k->flags & KEY_LOWER_BOUND ? ": a lower bound, the module is unknown"
              : k->flags & KEY_ESTIMATE  ? ": an estimate"
                                         : "");
    if (k->has_memory_usage)
        text_wrap(&t, "  MEMORY USAGE would print %s.", human_count(k->memory_usage).s);
    return !t.failed;
}

/* ---------------------------------------------------------------- JSON */

static bool write_json(struct out *out, const struct explain *x, const struct analysis *a)
{
    cJSON *doc = cJSON_CreateObject(), *list;
    add_string(doc, "path", a->file.path);
    add_string(doc, "target", a->target);
    add_string(doc, "allocator", a->allocator);
    cJSON_AddItemToObject(doc, "key", json_key(&x->key));
    list = cJSON_AddArrayToObject(doc, "allocations");
    for (size_t i = 0; i < x->n; i++) {
        const struct explain_row *r = &x->rows[i];
        cJSON *row = cJSON_CreateObject();
        add_string(row, "what", zlabel_names[r->label]);
        add_u64(row, "count", r->count);
        add_u64(row, "requested_bytes", r->request);
        add_u64(row, "usable_bytes", r->usable);
        add_u64(row, "waste_bytes", r->usable - r->request);
        cJSON_AddItemToArray(list, row);
    }
    add_u64(doc, "blocks", x->blocks);
    add_u64(doc, "requested_bytes", x->requested);
    add_u64(doc, "usable_bytes", x->usable);
    add_u64(doc, "expected_by_chance_bytes", x->chance);
    char *text = cJSON_Print(doc);
    cJSON_Delete(doc);
    if (!text)
        return false;
    out_str(out, text);
    out_char(out, '\n');
    free(text);
    return true;
}

/* ---------------------------------------------------------------- the run */

static int write_one(const struct output *o, const struct explain *x, const struct analysis *a, unsigned width)
{
    struct out *out = out_open(o->path);
    int sys = errno;
    if (!out) {
        complain_line("%s: cannot be written: %s", o->path, strerror(sys));
        return EXIT_INPUT;
    }
    if (!(strcmp(o->format->name, "json") == 0 ? write_json(out, x, a) : write_text(out, x, a, width))) {
        out_discard(out);
        complain_line("%s: out of memory", o->path);
        return EXIT_INPUT;
    }
    if (out_commit(out, &sys))
        return EXIT_DONE;
    complain_line("%s: cannot be written: %s", o->path, strerror(sys));
    return EXIT_INPUT;
}

static int write_all(const struct options *o, struct explain *x, const struct analysis *a)
{
    int status = EXIT_DONE;
    uint8_t *hidden = NULL;
    if (o->findings.hash_names) {
        hidden = malloc(x->name_len + 1);
        if (!hidden)
            return EXIT_INPUT;
        memcpy(hidden, x->name, x->name_len);
        name_hash(&o->findings.name_key, hidden, x->name_len);
        x->key.name = hidden;
    }
    for (unsigned i = 0; i < o->noutputs && status == EXIT_DONE; i++)
        status = write_one(&o->outputs[i], x, a, report_width(o));
    free(hidden);
    return status;
}

/* Looks for the key in one dump. EXIT_USAGE when the options are not for it. */
static int read_one(const struct options *o, const char *path, struct explain *x, struct analysis *a)
{
    char err[256];
    struct analyze_options ao = {.target = o->target,
                                 .allocator = o->allocator,
                                 .config = &o->config,
                                 .load_as = o->load_as,
                                 .now_ms = o->now_s >= 0 ? o->now_s * 1000 : -1,
                                 .want_largest = true,
                                 .want_slot = o->slots,
                                 .no_forecast = true,
                                 .explain = x};
    rdb_parser *p = rdb_open(path, NULL);
    int status = EXIT_DONE;
    if (!p || !analyze(p, path, &ao, a, err))
        status = p ? usage_error(err) : EXIT_INPUT;
    else if (!x->found && a->file.error.kind != RDB_OK) {
        complain_line("%s: byte %llu: %s: %s", path, (unsigned long long)a->file.error.offset,
                      rdb_err_name(a->file.error.kind), a->file.error.expected);
        status = EXIT_INPUT;
    }
    if (p)
        rdb_close(p);
    return status;
}

static int read_all(const struct options *o, const struct inputs *inputs, struct explain *x)
{
    int status = EXIT_DONE;
    for (size_t i = 0; i < inputs->n && !x->found && status != EXIT_USAGE; i++) {
        struct analysis a;
        memset(&a, 0, sizeof a);
        int one = read_one(o, inputs->list[i].path, x, &a);
        status = one > status ? one : status;
        if (x->found)
            status = write_all(o, x, &a);
        analysis_free(&a);
    }
    if (!x->found && status == EXIT_DONE) {
        complain_line("there is no key '%s'", o->findings.hash_names ? "(hidden)" : o->explain);
        return EXIT_INPUT;
    }
    return status;
}

int explain_run(const struct options *o)
{
    const struct filter *f = &o->findings.filter;
    struct explain x = {
        .name = (const uint8_t *)o->explain, .name_len = strlen(o->explain), .has_db = f->ndbs > 0, .db = f->dbs[0]};
    struct inputs inputs = {0};
    char err[INPUTS_ERROR];
    for (unsigned i = 0; i < o->noutputs; i++)
        if (strcmp(o->outputs[i].format->name, "text") != 0 && strcmp(o->outputs[i].format->name, "json") != 0)
            return usage_error("--explain writes text or json");
    if (!inputs_find(&inputs, o->files, o->nfiles, err))
        return usage_error(err);
    int status = read_all(o, &inputs, &x);
    explain_free(&x);
    inputs_free(&inputs);
    return status;
}
