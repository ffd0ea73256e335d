/* Histories of trainings from strangers, as `catdog report` reads them. */
#include "report/history.h"

#include <stdarg.h>

#include "cli/output.h"
#include "fuzz.h"

/* What is printed would slow the fuzzer down. */
void output_error(const char *format, ...)
{
    (void)format;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    history h;
    if (history_read(fuzz_write_file("history.csv", data, size), &h))
        return 0;
    long best = history_best(&h);
    if (!h.count || best >= (long)h.count)
        fuzz_fail("a history was read that has no such epoch");
    history_release(&h);
    return 0;
}
