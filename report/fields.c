/*
 * fields.c - names and meanings of a key's fields, and the words of its flags.
 */
#include "report/fields.h"

#include <string.h>

const struct key_field key_fields[FIELD_COUNT] = {
    [FIELD_DATABASE] = {"database", "", "number of the database"},
    [FIELD_TYPE] = {"type", "", "string list set sortedset hash stream module ..."},
    [FIELD_KEY] = {"key", "", "the key's name, see --escape"},
    [FIELD_BYTES] = {"size_in_bytes", "bytes", "what the key costs in memory: name, entries, object, value"},
    [FIELD_ENCODING] = {"encoding", "", "as OBJECT ENCODING names it; for a module's value the module type"},
    [FIELD_ELEMENTS] = {"num_elements", "count", "elements, pairs, entries; of a string its length"},
    [FIELD_LARGEST] = {"len_largest_element", "bytes", "longest element, field or value; of a string its length"},
    [FIELD_EXPIRY] = {"expiry", "", "when it expires: ISO 8601, UTC; empty: never"},
    [FIELD_MEMORY_USAGE] = {"memory_usage", "bytes", "what MEMORY USAGE key SAMPLES 0 prints; empty before 4.0"},
    [FIELD_PAYLOAD] = {"payload_bytes", "bytes", "the user's own data: name, strings, scores as 8 bytes"},
    [FIELD_OVERHEAD] = {"overhead_bytes", "bytes",
                        "size_in_bytes less payload_bytes; negative where numbers are packed"},
    [FIELD_ROUNDING] = {"rounding_bytes", "bytes", "part of the size that the allocator's size classes add"},
    [FIELD_STDERR] = {"stderr_bytes", "bytes", "standard error of the size where the server draws lots, else 0"},
    [FIELD_SERIALIZED] = {"serialized_bytes", "bytes", "length of the record in the dump"},
    [FIELD_OFFSET] = {"offset", "bytes", "where the record begins, counted in the uncompressed dump"},
    [FIELD_IDLE] = {"idle_seconds", "seconds", "LRU idle time when the dump has it"},
    [FIELD_FREQ] = {"lfu_freq", "", "LFU counter, 0 to 255, when the dump has it"},
    [FIELD_SLOT] = {"slot", "", "cluster hash slot, with --slots"},
    [FIELD_FLAGS] = {"flags", "", "words with spaces between them, see below"},
    [FIELD_FREED] = {"freed_bytes", "bytes", "of a big key: slabs and page runs that its deletion gives back"},
    [FIELD_STRANDED] = {"stranded_bytes", "bytes", "of a big key: what its deletion leaves free in shared slabs"},
};

const char *const key_type_words[RDB_T_COUNT] = {
    [RDB_T_STRING] = "string", [RDB_T_LIST] = "list",     [RDB_T_SET] = "set",       [RDB_T_ZSET] = "sortedset",
    [RDB_T_HASH] = "hash",     [RDB_T_STREAM] = "stream", [RDB_T_MODULE] = "module", [RDB_T_VECTORSET] = "vectorset",
    [RDB_T_ARRAY] = "array",   [RDB_T_GCRA] = "gcra",     [RDB_T_CRON] = "cron",     [RDB_T_JSON] = "json",
};

static const struct {
    unsigned bit;
    const char *word;
} flag_words[] = {
    {KEY_EXPIRED, "expired"},         {KEY_ESTIMATE, "estimate"},     {KEY_LOWER_BOUND, "lower_bound"},
    {KEY_DAMAGED, "damaged"},         {KEY_BIG_BYTES, "big_bytes"},   {KEY_BIG_ELEMENTS, "big_elements"},
    {KEY_BIG_ELEMENT, "big_element"}, {KEY_STOCHASTIC, "stochastic"}, {KEY_NAME_CUT, "name_cut"},
    {KEY_NOT_LOADED, "not_loaded"},   {KEY_ALLOWED, "allowed"},
};
enum { FLAG_WORDS = sizeof flag_words / sizeof *flag_words };

const char *key_flag_word(unsigned i, unsigned *bit)
{
    if (i >= FLAG_WORDS)
        return NULL;
    *bit = flag_words[i].bit;
    return flag_words[i].word;
}

char *put_flags(char *p, unsigned flags)
{
    const char *begin = p;
    for (unsigned i = 0; flags && i < FLAG_WORDS; i++)
        if (flags & flag_words[i].bit) {
            size_t n = strlen(flag_words[i].word);
            if (p != begin)
                *p++ = ' ';
            memcpy(p, flag_words[i].word, n);
            p += n;
        }
    return p;
}
