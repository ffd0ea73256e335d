/* The files of the web page, which embed.py turns into pages.c. */
#ifndef CATDOG_SERVE_PAGES_H
#define CATDOG_SERVE_PAGES_H

#include <stddef.h>

typedef struct page {
    const char *path; /* NULL ends the list */
    const char *type, *tag;
    const char *bytes;
    size_t size;
} page;

extern const page pages[];

#endif
