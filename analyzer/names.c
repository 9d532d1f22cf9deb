/*
 * names.c - words of OBJECT ENCODING.
 */
#include "analyzer/analysis.h"

const char *encoding_name(enum encoding e)
{
    static const char *const names[ENC_COUNT] = {
        [ENC_RAW] = "raw",
        [ENC_INT] = "int",
        [ENC_EMBSTR] = "embstr",
        [ENC_HASHTABLE] = "hashtable",
        [ENC_ZIPMAP] = "zipmap",
        [ENC_ZIPLIST] = "ziplist",
        [ENC_LISTPACK] = "listpack",
        [ENC_LISTPACKEX] = "listpackex",
        [ENC_INTSET] = "intset",
        [ENC_SKIPLIST] = "skiplist",
        [ENC_LINKEDLIST] = "linkedlist",
        [ENC_QUICKLIST] = "quicklist",
        [ENC_STREAM] = "stream",
        [ENC_MODULE] = "module",
        [ENC_ARRAY] = "sliced-array",
        [ENC_OTHER] = "other",
    };
    return (unsigned)e < ENC_COUNT ? names[e] : "unknown";
}
