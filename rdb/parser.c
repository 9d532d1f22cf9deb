/*
 * parser.c - the frame of the file: magic, opcodes, keys, footer.
 *
 *     "REDIS" 4 digits | "VALKEY" 3 digits
 *     { opcode payload | [expiry] [idle | freq] [key meta] type name value } ...
 *     ff  u64le checksum                                                         (checksum from RDB 5 on)
 *
 * Opcodes may come in any order and again. What stands in front of a key (expiry and so on) waits in p->attr, through
 * other opcodes, for the next type byte. rdb.c rdbLoadRioWithLoadingCtx.
 */
#include "rdb/internal.h"
#include "rdb/places.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    KEY_LIMIT_DEFAULT = 8 * 1024 * 1024,
    NEWEST_REDIS = 15,
    NEWEST_VALKEY = 81,
    META_CLASSES_MAX = 7,
    AUX_NAME_MAX = 4096,
    AHEAD_MIN = 256 * 1024 /* bytes of a compressed file from which on a thread pays */
};

/* ---------------------------------------------------------------- failures */

/* The last key begun, copied from where its name still stands. */
static void error_key(struct rdb_parser *p)
{
    reader_note_keep(&p->r);
    p->error.has_key = p->has_key;
    if (!p->has_key)
        return;
    p->error.db = p->key_db;
    p->error.key_len = p->r.note_len;
    memcpy(p->error.key, p->r.note_copy, p->r.note_len);
}

void rdb_note(struct rdb_parser *p, enum rdb_err kind, uint64_t offset, const char *fmt, ...)
{
    if (p->state == RDB_S_FAILED)
        return;
    if (p->tries) {
        p->error.kind = p->r.p > p->r.end ? RDB_ERR_TRUNCATED : kind;
        p->state = RDB_S_FAILED;
        return;
    }
    if (kind == RDB_ERR_CORRUPT && p->r.p > p->r.end) { /* what was judged are the zeros behind the end */
        rdb_note_short(p, rdb_at(p, p->r.end), "the rest of a record");
        return;
    }
    char text[sizeof p->error.expected];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    p->state = RDB_S_FAILED;
    error_key(p);
    rdb_error_note(&p->error, kind, offset, "%s", text);
}

void rdb_note_short(struct rdb_parser *p, uint64_t offset, const char *what)
{
    const struct rdb_error *below = &p->r.in->error;
    uint64_t end = rdb_at(p, p->r.end);
    offset = offset < end ? offset : end; /* the unchecked primitives may have gone beyond */
    if (below->kind == RDB_OK) {
        rdb_note(p, RDB_ERR_TRUNCATED, offset, "expected %s, the input ends", what);
        return;
    }
    rdb_note(p, below->kind, offset, "%s", below->expected); /* not the end of the input but its failure */
    p->error.sys = below->sys;
}

bool rdb_look_far(struct rdb_parser *p, const char *what)
{
    if (reader_fill(&p->r, RDB_LOOK) || p->r.p < p->r.end)
        return true;
    return rdb_fail_short(p, rdb_at(p, p->r.end), what);
}

/* ---------------------------------------------------------------- open and close */

static bool read_magic(struct rdb_parser *p)
{
    struct rdb_reader *r = &p->r;
    if (!reader_fill(r, 9))
        return rdb_fail_short(p, 0, "9 bytes of magic and version");
    bool valkey = r->p[0] == 'V';
    unsigned digits = valkey ? 3 : 4;
    int version = 0;
    char shown[9 * 4 + 8];
    rdb_error_bytes(shown, sizeof shown, r->p, 9);
    for (unsigned i = 9 - digits; i < 9; i++) {
        if (r->p[i] < '0' || r->p[i] > '9')
            return rdb_fail(p, RDB_ERR_MAGIC, 0, "expected %u digits of version behind the magic, found \"%s\"", digits,
                            shown);
        version = version * 10 + (r->p[i] - '0');
    }
    if (version < (valkey ? 80 : 1)) /* rdb.c rdbIsVersionAccepted */
        return rdb_fail(p, RDB_ERR_MAGIC, 0, "expected a version that is written with this magic, found \"%s\"", shown);
    p->info.family = valkey ? RDB_FAMILY_VALKEY : RDB_FAMILY_REDIS;
    p->info.version = version;
    p->info.newer = version > (valkey ? NEWEST_VALKEY : NEWEST_REDIS);
    p->ms_little = version >= 9;
    p->info.crc = version < 5 ? RDB_CRC_ABSENT : RDB_CRC_UNKNOWN;
    p->families = valkey ? RDB_FAM_VALKEY : RDB_FAM_REDIS | RDB_FAM_KEYDB;
    rdb_types_select(p);
    r->p += 9;
    return true;
}

static rdb_parser *parser_new(const struct rdb_options *options)
{
    rdb_parser *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->key_limit = options && options->key_limit ? options->key_limit : KEY_LIMIT_DEFAULT;
    p->input.read_size = options ? options->read_size : 0;
    p->attr = (struct rdb_attr){.expire_ms = -1, .idle_s = -1, .freq = -1};
    p->r.in = &p->input;
    return p;
}

/* The input is open (or not): unwraps it and reads the magic. */
static rdb_parser *parser_start(rdb_parser *p, bool opened, const struct rdb_options *options)
{
    size_t window = options && options->window ? options->window : RDB_WINDOW_DEFAULT;
    bool no_crc = options && options->no_crc;
    const unsigned packed = RDB_WRAP_GZIP | RDB_WRAP_ZSTD | RDB_WRAP_LZ4;
    if (opened && rdb_input_unwrap(&p->input)) {
        if (p->input.wraps & packed && p->input.file_size >= AHEAD_MIN && !(options && options->no_thread))
            rdb_ahead_push(&p->input);
        if (reader_open(&p->r, &p->input, window, no_crc))
            (void)read_magic(p);
        else
            rdb_fail(p, RDB_ERR_NOMEM, 0, "out of memory");
    } else {
        p->error = p->input.error;
        p->state = RDB_S_FAILED;
    }
    p->info.wraps = p->input.wraps;
    p->info.file_size = p->input.file_size;
    return p;
}

rdb_parser *rdb_open(const char *path, const struct rdb_options *options)
{
    rdb_parser *p = parser_new(options);
    return p ? parser_start(p, rdb_input_open_path(&p->input, path), options) : NULL;
}

rdb_parser *rdb_open_fd(int fd, const struct rdb_options *options)
{
    rdb_parser *p = parser_new(options);
    return p ? parser_start(p, rdb_input_open_fd(&p->input, fd), options) : NULL;
}

rdb_parser *rdb_open_reader(rdb_read_fn read, void *ctx, const struct rdb_options *options)
{
    rdb_parser *p = parser_new(options);
    return p ? parser_start(p, rdb_input_open_callback(&p->input, read, ctx), options) : NULL;
}

void rdb_close(rdb_parser *p)
{
    if (!p)
        return;
    rdb_close(p->trial);
    rdb_piece_free(p);
    reader_close(&p->r);
    rdb_input_close(&p->input);
    free(p->name);
    free(p->aux_name);
    free(p->scratch);
    free(p->lzf.out);
    free(p->templates);
    free(p);
}

const struct rdb_error *rdb_error(const rdb_parser *p)
{
    return &p->error;
}

const struct rdb_info *rdb_info(const rdb_parser *p)
{
    struct rdb_info *info = (struct rdb_info *)(uintptr_t)&p->info; /* progress is brought up to date when asked for */
    if (p->r.buf)
        info->offset = rdb_at(p, p->r.p > p->r.end ? p->r.end : p->r.p);
    info->file_offset = p->input.file_offset;
    return info;
}

uint64_t rdb_tell(const rdb_parser *p)
{
    return rdb_at(p, p->r.p) + (p->piece ? 0 : p->pending);
}

uint64_t rdb_drain(rdb_parser *p)
{
    struct rdb_reader *r = &p->r;
    if (p->state != RDB_S_ENDED)
        return p->info.trailing;
    r->no_crc = true;
    do {
        p->info.trailing += (uint64_t)(r->end - r->p);
        r->p = r->end;
    } while (reader_fill(r, 1));
    return p->info.trailing;
}

/* ---------------------------------------------------------------- keys */

/* What every key has, but its name and attributes. */
static inline void key_begin(struct rdb_parser *p, struct rdb_event *ev, const struct rdb_type_info *info,
                             uint64_t offset)
{
    struct rdb_key *k = &ev->key;
    p->r.note = k->name.data;
    p->r.note_len = k->name.len;
    p->has_key = true;
    k->db = p->key_db = p->db;
    k->info = info;
    k->ttl_min_ms = 0;
    k->module_id = 0;
    k->template_id = 0;
    k->array_insert = UINT64_MAX;
    k->offset = ev->offset = offset;
    ev->kind = RDB_EV_KEY;
}

static inline void key_attributes(struct rdb_parser *p, struct rdb_event *ev)
{
    struct rdb_key *k = &ev->key;
    k->expire_ms = p->attr.expire_ms;
    k->idle_s = p->attr.idle_s;
    k->freq = p->attr.freq;
    k->meta_classes = p->attr.meta_classes;
    if (p->attr.any) {
        k->offset = ev->offset = p->attr.offset;
        p->attr = (struct rdb_attr){.expire_ms = -1, .idle_s = -1, .freq = -1};
    }
}

/* The name at r.p, lent from the window when it is short, raw, and followed by a look's worth of bytes. */
static inline bool take_name(struct rdb_parser *p, struct rdb_bytes *name)
{
    const uint8_t *s = p->r.p;
    size_t len = s[0];
    if (RDB_UNLIKELY(len >= 0x80))
        return rdb_take_name_far(p, name);
    s += 1;
    if (len >= 0x40)
        len = (len & 0x3f) << 8 | *s++;
    if (RDB_UNLIKELY(p->r.end - s < (ptrdiff_t)(len + RDB_LOOK)))
        return rdb_take_name_far(p, name);
    *name = (struct rdb_bytes){s, len, len};
    p->r.p = s + len;
    return true;
}

static bool take_key(struct rdb_parser *p, struct rdb_event *ev, const struct rdb_type_info *info)
{
    uint64_t offset = rdb_at(p, p->r.p);
    p->r.p++;
    if (RDB_UNLIKELY(!take_name(p, &ev->key.name)))
        return false;
    key_begin(p, ev, info, offset);
    key_attributes(p, ev);
    return rdb_value_begin(p, &ev->key);
}

/* ---------------------------------------------------------------- opcodes in front of a key */

/* KEY_META: LEN n, n x (u32 class, module items). keymeta.c rdbLoadKeyMetadata; the type byte follows directly. */
static bool take_key_meta(struct rdb_parser *p)
{
    const uint8_t *at = p->r.p;
    uint64_t n = rdb_take_len(p);
    if (p->state == RDB_S_FAILED)
        return false;
    if (n > META_CLASSES_MAX)
        return rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, at), "expected at most %d classes of key metadata, found %llu",
                        META_CLASSES_MAX, (unsigned long long)n);
    for (uint64_t i = 0; i < n; i++) {
        if (!rdb_look(p, "a class of key metadata"))
            return false;
        p->r.p += 4;
        if (rdb_over(p, "a class of key metadata") || !rdb_module_skip(p))
            return false;
    }
    p->attr.meta_classes = (uint8_t)n;
    if (!rdb_look(p, "a type"))
        return false;
    return p->types[*p->r.p] != NULL ||
           rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, p->r.p), "expected a type behind key metadata, found %u", *p->r.p);
}

/* Takes an attribute at r.p if there is one. *taken says so. */
static bool take_attribute(struct rdb_parser *p, bool *taken)
{
    const uint8_t *s = p->r.p;
    uint64_t at = rdb_at(p, s);
    *taken = true;
    p->r.p++;
    switch (*s) {
    case RDB_OP_EXPIRE_MS: p->attr.expire_ms = rdb_take_ms(p); break;
    case RDB_OP_EXPIRE:
        p->attr.expire_ms = (int64_t)(int32_t)load_le32(s + 1) * 1000;
        p->r.p += 4;
        break;
    case RDB_OP_IDLE: p->attr.idle_s = (int64_t)rdb_take_len(p); break;
    case RDB_OP_FREQ:
        p->attr.freq = s[1];
        p->r.p++;
        break;
    case RDB_OP_META_OR_IMPORT:
        if (p->families & RDB_FAM_REDIS && rdb_opcode_find(p, *s)) {
            if (!take_key_meta(p))
                return false;
            break;
        } /* fall through */
    default:
        *taken = false;
        p->r.p--;
        return true;
    }
    if (!p->attr.any) {
        p->attr.any = true;
        p->attr.offset = at;
    }
    return p->state != RDB_S_FAILED && !rdb_over(p, "an expiry, idle time or frequency");
}

/* ---------------------------------------------------------------- opcodes that are events */

static bool take_numbers(struct rdb_parser *p, struct rdb_event *ev, enum rdb_event_kind kind, unsigned n)
{
    ev->kind = kind;
    for (unsigned i = 0; i < n; i++)
        ev->num[i] = rdb_take_len(p);
    return p->state != RDB_S_FAILED && !rdb_over(p, "the numbers of an opcode");
}

static bool aux_buffer(struct rdb_parser *p)
{
    if (!p->aux_name)
        p->aux_name = malloc(AUX_NAME_MAX);
    return p->aux_name || rdb_fail(p, RDB_ERR_NOMEM, rdb_at(p, p->r.p), "out of memory");
}

/* STR name (copied), STR value (lent). df-ver makes the numbers above 28 Dragonfly's. */
static bool take_aux(struct rdb_parser *p, struct rdb_event *ev)
{
    ev->kind = RDB_EV_AUX;
    if (!aux_buffer(p) || !rdb_take_text(p, &ev->name, p->aux_name, AUX_NAME_MAX) ||
        !rdb_take_text(p, &ev->value, NULL, 0))
        return false;
    if (ev->name.len == 6 && memcmp(ev->name.data, "df-ver", 6) == 0 && p->families & RDB_FAM_REDIS &&
        !(p->families & RDB_FAM_DRAGONFLY)) {
        p->families |= RDB_FAM_DRAGONFLY;
        rdb_types_select(p);
    }
    return true;
}

/* STR name, STR engine, LEN has-description, [STR description], STR code: functions of 7.0-rc1 and rc2. */
static bool take_function_pre_ga(struct rdb_parser *p, struct rdb_event *ev)
{
    ev->kind = RDB_EV_FUNCTION_PRE_GA;
    if (!aux_buffer(p) || !rdb_take_text(p, &ev->name, p->aux_name, AUX_NAME_MAX) ||
        !rdb_look(p, "a function's engine") || !rdb_skip_string(p) || !rdb_look(p, "a function's description"))
        return false;
    uint64_t described = rdb_take_len(p);
    if (p->state == RDB_S_FAILED || (described && (!rdb_look(p, "a function's description") || !rdb_skip_string(p))))
        return false;
    return rdb_take_text(p, &ev->value, NULL, 0);
}

/* LEN id, LEN 2, LEN when, items, LEN 0: the items can be asked for like a value's. */
static bool take_module_aux(struct rdb_parser *p, struct rdb_event *ev)
{
    if (!take_numbers(p, ev, RDB_EV_MODULE_AUX, 3))
        return false;
    if (ev->num[1] != 2)
        return rdb_fail(p, RDB_ERR_CORRUPT, ev->offset,
                        "expected a module's auxiliary data to begin with 2, found %llu",
                        (unsigned long long)ev->num[1]);
    ev->num[1] = ev->num[2];
    rdb_value_begin_items(p);
    return true;
}

/* LEN id, LEN n, n x STR name. */
static bool take_hash_template(struct rdb_parser *p, struct rdb_event *ev)
{
    if (!take_numbers(p, ev, RDB_EV_HASH_TEMPLATE, 2))
        return false;
    ev->num[2] = 0;
    if (ev->num[1] == 0)
        return rdb_fail(p, RDB_ERR_CORRUPT, ev->offset, "expected a hash template of at least one field");
    for (uint64_t i = 0; i < ev->num[1]; i++) {
        struct rdb_element e;
        if (!rdb_look(p, "a field name") || rdb_take_string(p, &e, 0, 0) == RDB_TAKE_FAIL || !rdb_drop_pending(p))
            return false;
        ev->num[2] += e.len;
    }
    return rdb_template_add(p, ev->num[0], ev->num[1]);
}

/* STR job, LEN ranges, ranges x (LEN first, LEN last): cluster_migrateslots.c clusterRDBSaveSlotImports. */
static bool take_slot_import(struct rdb_parser *p, struct rdb_event *ev)
{
    ev->kind = RDB_EV_SLOT_IMPORT;
    if (!aux_buffer(p) || !rdb_take_text(p, &ev->name, p->aux_name, AUX_NAME_MAX) || !rdb_look(p, "slot ranges"))
        return false;
    ev->num[0] = rdb_take_len(p);
    for (uint64_t i = 0; i < ev->num[0] && p->state != RDB_S_FAILED; i++) {
        if (!rdb_look(p, "a slot range"))
            return false;
        (void)rdb_take_len(p);
        (void)rdb_take_len(p);
    }
    return p->state != RDB_S_FAILED && !rdb_over(p, "slot ranges");
}

/* "<mark><decimal>\r\n" of a RESP command. */
static bool take_resp_number(struct rdb_parser *p, char mark, uint64_t *v)
{
    if (!rdb_look(p, "a line of a command"))
        return false;
    const uint8_t *s = p->r.p;
    size_t i = 1;
    *v = 0;
    for (; i < 20 && s[i] >= '0' && s[i] <= '9'; i++)
        *v = *v * 10 + (uint64_t)(s[i] - '0');
    p->r.p += i + 2;
    if (rdb_over(p, "a line of a command"))
        return false;
    return (s[0] == (uint8_t)mark && i > 1 && s[i] == '\r' && s[i + 1] == '\n') ||
           rdb_fail(p, RDB_ERR_CORRUPT, rdb_at(p, s), "expected a line of a command beginning with '%c'", mark);
}

/* One command, to be run on the keys before it: forkless saves of Valkey 9.2. */
static bool take_update(struct rdb_parser *p, struct rdb_event *ev)
{
    ev->kind = RDB_EV_UPDATE;
    if (!take_resp_number(p, '*', &ev->num[0]))
        return false;
    for (uint64_t i = 0; i < ev->num[0]; i++) {
        uint64_t len;
        if (!take_resp_number(p, '$', &len))
            return false;
        if (!reader_skip(&p->r, len) || !reader_skip(&p->r, 2))
            return rdb_fail_short(p, rdb_at(p, p->r.p), "an argument of a command");
    }
    return true;
}

/* Opcodes of forks that say nothing about memory. */
static bool take_other(struct rdb_parser *p, struct rdb_event *ev, uint8_t opcode)
{
    ev->kind = RDB_EV_OTHER;
    ev->num[0] = opcode;
    switch (opcode) {
    case RDB_OP_RAM_LRU:
    case RDB_OP_SLOT_NUM: (void)rdb_take_len(p); break;
    case RDB_OP_DF_FULLSYNC_END:
    case RDB_OP_DF_JOURNAL_OFFSET: p->r.p += 8; break;
    case RDB_OP_DF_MASK: p->r.p += load_le32(p->r.p) & 2 ? 8 : 4; break;
    case RDB_OP_DF_JOURNAL:
        (void)rdb_take_len(p);
        if (p->state == RDB_S_FAILED || !rdb_skip_string(p))
            return false;
        break;
    default: break;
    }
    return p->state != RDB_S_FAILED && !rdb_over(p, "the payload of an opcode");
}

/* ---------------------------------------------------------------- the footer */

/* Whether the checksum is right is known here; that it is wrong does not make what was read useless. */
static void judge_checksum(struct rdb_parser *p, uint64_t stored)
{
    p->info.crc_stored = stored;
    p->info.crc_computed = p->r.crc;
    if (stored == 0)
        p->info.crc = RDB_CRC_OFF; /* rdbchecksum no */
    else if (p->r.no_crc)
        p->info.crc = RDB_CRC_SKIPPED;
    else
        p->info.crc = stored == p->r.crc ? RDB_CRC_OK : RDB_CRC_BAD;
    if (p->info.crc == RDB_CRC_BAD)
        rdb_error_set(&p->error, RDB_ERR_CHECKSUM, reader_tell(&p->r), "expected the checksum %016llx, found %016llx",
                      (unsigned long long)p->r.crc, (unsigned long long)stored);
}

static bool take_eof(struct rdb_parser *p, struct rdb_event *ev)
{
    ev->kind = RDB_EV_EOF;
    if (p->attr.any)
        return rdb_fail(p, RDB_ERR_CORRUPT, ev->offset, "expected a key behind an expiry, found the end");
    if (p->info.version >= 5) {
        reader_sum(&p->r);
        if (reader_avail(&p->r) < 8)
            return rdb_fail_short(p, rdb_at(p, p->r.p), "8 bytes of checksum");
        uint64_t stored = load_le64(p->r.p);
        judge_checksum(p, stored);
        p->r.p += 8;
    }
    p->state = RDB_S_ENDED;
    return true;
}

/* ---------------------------------------------------------------- next */

static bool take_opcode(struct rdb_parser *p, struct rdb_event *ev)
{
    uint8_t opcode = *p->r.p;
    if (!rdb_opcode_find(p, opcode))
        return rdb_fail_type(p, opcode);
    bool redis = p->families & RDB_FAM_REDIS;
    p->r.p++;
    switch (opcode) {
    case RDB_OP_SELECTDB:
        if (!take_numbers(p, ev, RDB_EV_SELECTDB, 1))
            return false;
        if (ev->num[0] > UINT32_MAX)
            return rdb_fail(p, RDB_ERR_CORRUPT, ev->offset, "expected a database number, found %llu",
                            (unsigned long long)ev->num[0]);
        p->db = (uint32_t)ev->num[0];
        return true;
    case RDB_OP_RESIZEDB: return take_numbers(p, ev, RDB_EV_RESIZEDB, 2);
    case RDB_OP_SLOT_INFO: return take_numbers(p, ev, RDB_EV_SLOT_INFO, 3);
    case RDB_OP_AUX: return take_aux(p, ev);
    case RDB_OP_FUNCTION: ev->kind = RDB_EV_FUNCTION; return rdb_take_text(p, &ev->value, NULL, 0);
    case RDB_OP_FUNCTION_PRE_GA: return take_function_pre_ga(p, ev);
    case RDB_OP_MODULE_AUX: return take_module_aux(p, ev);
    case RDB_OP_UPDATE_OR_TEMPLATE: return redis ? take_hash_template(p, ev) : take_update(p, ev);
    case RDB_OP_META_OR_IMPORT: return take_slot_import(p, ev);
    case RDB_OP_EOF: return take_eof(p, ev);
    default: return take_other(p, ev, opcode);
    }
}

/* An opcode, or the attributes of a key and then the key. *again: nothing to tell, go on. */
static bool take_record(struct rdb_parser *p, struct rdb_event *ev, bool *again)
{
    bool taken;
    if (!take_attribute(p, &taken))
        return false;
    *again = taken;
    if (taken)
        return true;
    uint8_t b = *p->r.p;
    ev->offset = rdb_at(p, p->r.p);
    if (p->families & RDB_FAM_DRAGONFLY && (b == RDB_OP_DF_ZSTD || b == RDB_OP_DF_LZ4 || b == RDB_OP_DF_PIECE_END)) {
        *again = true;
        p->r.p++;
        return b == RDB_OP_DF_PIECE_END ? rdb_piece_pop(p) : rdb_piece_push(p, b);
    }
    return take_opcode(p, ev);
}

static RDB_COLD int next_ended(struct rdb_parser *p, struct rdb_event *ev)
{
    return ev->kind = p->state == RDB_S_ENDED ? RDB_EV_EOF : RDB_EV_ERROR;
}

/* What was not read of the record before. */
static bool finish_record(struct rdb_parser *p)
{
    return (p->pending == 0 || rdb_drop_pending(p)) && (!p->v.open || rdb_value_skip(p));
}

bool rdb_rest(rdb_parser *p)
{
    return p->state == RDB_S_RUNNING && finish_record(p) && !rdb_over(p, "the rest of a value");
}

/* A compressed piece may end without saying so. */
static RDB_COLD bool look_record(struct rdb_parser *p)
{
    if (p->piece && p->r.p == p->r.end && !reader_fill(&p->r, 1) && !rdb_piece_pop(p))
        return false;
    return rdb_look_far(p, "a type or opcode");
}

static RDB_NOINLINE int next_record(struct rdb_parser *p, struct rdb_event *ev)
{
    if (RDB_UNLIKELY(p->state != RDB_S_RUNNING))
        return next_ended(p, ev);
    if (RDB_UNLIKELY(p->pending || p->v.open) && !finish_record(p))
        return ev->kind = RDB_EV_ERROR;
    bool good, again;
    do {
        good = reader_avail(&p->r) >= RDB_LOOK || look_record(p);
        if (RDB_UNLIKELY(!good))
            break;
        const struct rdb_type_info *info = p->types[*p->r.p];
        again = info == NULL;
        good = again ? take_record(p, ev, &again) : take_key(p, ev, info);
    } while (good && again);
    return good ? (int)ev->kind : (int)(ev->kind = RDB_EV_ERROR);
}

/* The most common record, a plain string under a short name with at most an expiry in front of it and nothing left of
 * the record before, is taken here without a call. All others go the long way. */
int rdb_next(rdb_parser *p, struct rdb_event *ev)
{
    enum { EXPIRY = 9, SHORT = 0x40, ROOM = EXPIRY + 2 + SHORT + RDB_LOOK };
    const uint8_t *begin = p->r.p, *s = begin;
    int64_t expire_ms = -1;
    bool clean = (p->state | p->v.open | p->attr.any | (p->pending != 0)) == 0;
    if (RDB_UNLIKELY(!clean || reader_avail(&p->r) < ROOM))
        return next_record(p, ev);
    if (s[0] == RDB_OP_EXPIRE_MS && p->ms_little) {
        expire_ms = (int64_t)load_le64(s + 1);
        s += EXPIRY;
    }
    if (RDB_UNLIKELY(s[0] != 0 || s[1] >= SHORT))
        return next_record(p, ev);
    struct rdb_key *k = &ev->key;
    k->name = (struct rdb_bytes){s + 2, s[1], s[1]};
    key_begin(p, ev, p->types[0], rdb_at(p, begin));
    p->r.p = s + 2 + s[1];
    k->expire_ms = expire_ms;
    k->idle_s = -1;
    k->freq = -1;
    k->meta_classes = 0;
    k->count = 1;
    p->v.info = k->info;
    p->v.fill = rdb_fill_string;
    p->v.left = 1;
    p->v.open = true;
    return RDB_EV_KEY;
}
