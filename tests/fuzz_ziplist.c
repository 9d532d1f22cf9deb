/*
 * fuzz_ziplist.c - ziplists, and by the first byte intsets and zipmaps: walk and sum agree, whole and in pieces.
 */
#define FUZZ_PACK(data)   ((data)[0] == 'i' ? RDB_PACK_INTSET : (data)[0] == 'm' ? RDB_PACK_ZIPMAP : RDB_PACK_ZIPLIST)
#define FUZZ_PACK_CHOOSES 1
#include "fuzz_pack.h"
