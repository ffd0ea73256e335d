/* The web page's files, which are part of the program: embed.py makes pages.c of them. */
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
