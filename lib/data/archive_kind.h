/* Archives that aren't read as they lie: what to say of them. */
#ifndef CNN_DATA_ARCHIVE_KIND_H
#define CNN_DATA_ARCHIVE_KIND_H

#include <stddef.h>

enum { CNN_ARCHIVE_START = 265 }; /* bytes that tell */

typedef struct cnn_archive_kind {
    const char *name;   /* "a 7-Zip archive" */
    const char *unpack; /* the command that unpacks it, before the file's name */
} cnn_archive_kind;

/* By a file's first bytes; NULL if it is none that is known. */
const cnn_archive_kind *cnn_archive_kind_of(const unsigned char *start, size_t size);

#endif
