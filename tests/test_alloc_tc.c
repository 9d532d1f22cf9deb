/* tcmalloc's size classes against tc_nallocx() of the system's gperftools, for every request up to 8 MiB. */
#include <gperftools/nallocx.h>
#include <inttypes.h>

#include "analyzer/allocator.h"
#include "tests/check.h"

int main(void)
{
    struct allocator a;
    allocator_init(&a, ALLOC_TCMALLOC, false, false);
    CHECK(a.nbins == 85);
    for (uint64_t request = 1; request <= 8388608; request++) {
        uint64_t got = allocator_usable(&a, request), want = tc_nallocx(request, 0);
        CHECK_MSG(got == want, "%" PRIu64 ": %" PRIu64 ", not %" PRIu64, request, got, want);
    }
    return check_result();
}
