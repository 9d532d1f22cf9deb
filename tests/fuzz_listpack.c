/*
 * fuzz_listpack.c - listpacks: walk and sum agree, whole and in pieces. (fuzz_ziplist.c is the same for the others.)
 */
#define FUZZ_PACK(data) RDB_PACK_LISTPACK
#include "fuzz_pack.h"
