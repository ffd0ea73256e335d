/* libarchive, which unpacks the entries of zips. It is loaded when the first zip is opened: with it come libxml2 and
 * ICU, which took a program that only predicts a sixth of its processor time and 3 MB. A static build links it instead.
 */
#ifndef CNN_DATA_ARCHIVE_LIBRARY_H
#define CNN_DATA_ARCHIVE_LIBRARY_H

#include <archive.h>
#include <archive_entry.h>

#include <cnn/status.h>

/* The functions that are called. */
#define CNN_ARCHIVE_FUNCTIONS(X)                  \
    X(archive_read_new)                           \
    X(archive_read_support_format_zip_streamable) \
    X(archive_read_set_read_callback)             \
    X(archive_read_set_callback_data)             \
    X(archive_read_open1)                         \
    X(archive_read_next_header2)                  \
    X(archive_read_data)                          \
    X(archive_read_free)                          \
    X(archive_entry_new)                          \
    X(archive_entry_free)                         \
    X(archive_errno)                              \
    X(archive_error_string)

typedef struct cnn_archive_library {
#define CNN_ARCHIVE_POINTER(name) __typeof__(name) *name;
    CNN_ARCHIVE_FUNCTIONS(CNN_ARCHIVE_POINTER)
#undef CNN_ARCHIVE_POINTER
} cnn_archive_library;

/* `path` is the zip that it is wanted for. The library stays loaded. */
cnn_status cnn_archive_library_load(const char *path, cnn_archive_library *library);

#endif
