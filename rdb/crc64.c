/*
 * crc64.c - the checksum of dumps: CRC64 with the polynomial of Jones, bits reflected, nothing complemented.
 *
 * ISA-L folds 16 bytes at a time with carry-less multiplication, at the speed of memory. Where it is not to be had (it
 * has no archive to link a static program with, RDBMEM_ISAL=OFF) tables do it: table[k][b] is what byte b, followed by
 * k zero bytes, makes of a checksum of 0. As the CRC of a sum is the sum of the CRCs, sixteen bytes are sixteen
 * look-ups that do not wait for each other.
 */
#include "rdb/internal.h"
#include "rdb/places.h"

#include <pthread.h>
#if RDBMEM_ISAL
#include <isa-l/crc64.h>
#endif

#define POLYNOMIAL UINT64_C(0x95ac9329ac4bc9b5) /* x^63 is the lowest bit */

enum { SLICES = 16 };

static uint64_t table[SLICES][256];
static pthread_once_t table_made = PTHREAD_ONCE_INIT;

static void table_make(void)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t crc = byte;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        table[0][byte] = crc;
    }
    for (unsigned k = 1; k < SLICES; k++)
        for (unsigned byte = 0; byte < 256; byte++)
            table[k][byte] = table[k - 1][byte] >> 8 ^ table[0][table[k - 1][byte] & 0xff];
}

/* Eight bytes, of which the first in memory is followed by `after` + 7 more. */
static inline uint64_t eight(uint64_t bytes, unsigned after)
{
    uint64_t crc = 0;
    for (unsigned i = 0; i < 8; i++)
        crc ^= table[after + 7 - i][bytes >> (8 * i) & 0xff];
    return crc;
}

uint64_t crc64_by_table(uint64_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;
    pthread_once(&table_made, table_make);
    for (; len >= SLICES; p += SLICES, len -= SLICES)
        crc = eight(crc ^ load_le64(p), 8) ^ eight(load_le64(p + 8), 0);
    for (; len > 0; p++, len--)
        crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
    return crc;
}

uint64_t rdb_crc64(uint64_t crc, const void *data, size_t len)
{
#if RDBMEM_ISAL
    return ~crc64_jones_refl(~crc, data, len); /* ISA-L complements at both ends, the servers at none */
#else
    return crc64_by_table(crc, data, len);
#endif
}

/* ---------------------------------------------------------------- joined */

/* Polynomials modulo the checksum's, the highest bit being x^0. */
static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (unsigned power = 0; power < 64; power++) {
        product ^= a >> (63 - power) & 1 ? b : 0;
        b = b >> 1 ^ (b & 1 ? POLYNOMIAL : 0);
    }
    return product;
}

/* What follows multiplies a checksum by x for every bit. */
uint64_t rdb_checksum_join(uint64_t first, uint64_t second, uint64_t len)
{
    uint64_t square = UINT64_C(1) << (63 - 8); /* x^8, x^16, x^32 ... */
    for (; len > 0; len >>= 1) {
        if (len & 1)
            first = times(first, square);
        square = times(square, square);
    }
    return first ^ second;
}
