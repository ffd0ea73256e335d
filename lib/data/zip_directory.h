/* The directory at the end of a zip file, read once, so that any entry can be read at any time: libarchive, which
 * unpacks the entries, only goes through a zip in order. After APPNOTE.TXT, PKWARE's description of the format. */
#ifndef CNN_DATA_ZIP_DIRECTORY_H
#define CNN_DATA_ZIP_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/status.h>

typedef struct cnn_zip_entry {
    const char *name; /* as stored, not ended by a zero byte */
    size_t name_length;
    const unsigned char *extra; /* further fields */
    size_t extra_length;
    uint64_t header_offset; /* of its local header */
    uint64_t packed_size, size;
    uint32_t crc;
    uint16_t method;
    bool utf8; /* the zip says that the name is UTF-8 */
    bool encrypted;
    bool special; /* a symbolic link, device or the like */
} cnn_zip_entry;

typedef struct cnn_zip_directory {
    cnn_context *context;
    cnn_zip_entry *entries;
    size_t count, capacity;
    uint64_t file_size;
    uint64_t prefix;      /* bytes before the zip itself, as of a program that unpacks it; offsets count from there */
    unsigned char *bytes; /* the directory as it stands in the file; names point into it */
} cnn_zip_directory;

/* Reads the directory of an open zip file. `path` names it in messages. Freed with cnn_zip_directory_free, also after
 * an error. */
cnn_status cnn_zip_directory_read(cnn_context *context, int descriptor, const char *path, cnn_zip_directory *directory);
void cnn_zip_directory_free(cnn_zip_directory *directory);

/* CNN_ERROR_FORMAT if two entries share bytes of the file. */
cnn_status cnn_zip_check_overlap(const cnn_zip_directory *directory, const char *path);

/* The entry's packed bytes, behind a local header of their own: a zip of one entry that can be read front to back. */
cnn_status cnn_zip_read_packed(cnn_context *context, int descriptor, const char *name, const cnn_zip_entry *entry,
                               unsigned char **bytes, size_t *size);

#endif
