#include "check.h"
void bench(const check_sets *sets, const char *filter)
{
    (void)sets, (void)filter;
}
