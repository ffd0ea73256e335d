#include "report/isolate.h"

#include <stdio.h>

/* By the first byte of a character in UTF-8: those of Hebrew, Arabic, and all scripts up to U+08FF; those of U+F000 to
 * U+FFFF, where there are more letters of these; those beyond U+10000. Too many do no harm. */
static int may_go_left(const char *name)
{
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        if ((*c >= 0xd6 && *c <= 0xe0) || *c >= 0xef)
            return 1;
    return 0;
}

const char *isolate(char *to, size_t size, const char *name)
{
    snprintf(to, size, may_go_left(name) ? "\xe2\x81\xa8%s\xe2\x81\xa9" : "%s", name);
    return to;
}
