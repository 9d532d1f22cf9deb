/* tcmalloc's size classes against tc_nallocx() of the system's gperftools, for every request up to 8 MiB. */
#include <gperftools/nallocx.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/allocator.h"

int main(void)
{
    struct allocator a;
    unsigned long failures = 0;
    allocator_init(&a, ALLOC_TCMALLOC, false, false);
    if (a.nbins != 85 && ++failures)
        printf("%u classes, not 85\n", a.nbins);
    for (uint64_t request = 1; request <= 8388608; request++) {
        uint64_t got = allocator_usable(&a, request), want = tc_nallocx(request, 0);
        if (got != want && ++failures <= 20)
            printf("%" PRIu64 ": %" PRIu64 ", not %" PRIu64 "\n", request, got, want);
    }
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
