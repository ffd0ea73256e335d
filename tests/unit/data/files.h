/* Folders, images and zips for the tests of datasets, made in a temporary folder. */
#ifndef CNN_TESTS_DATA_FILES_H
#define CNN_TESTS_DATA_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef CNN_WITH_ZIP
enum { READS_ZIP = 1 };
#else
enum { READS_ZIP = 0 };
#endif

/* Makes the temporary folder, and removes it with all that is in it; as setup and teardown of a test. */
int make_room(void **state);
int remove_room(void **state);

/* The full path of a name in the temporary folder; "" for the folder itself. The last 8 results are valid. */
const char *in_room(const char *name);

/* The path of a committed file. */
const char *fixture(const char *name);

/* Writing below the temporary folder; folders on the way are made. */
void write_file(const char *name, const void *bytes, size_t size);
void write_text(const char *name, const char *text);
void write_folder(const char *name);

/* An image of one colour, of which the first byte is `red`, and a copy of a fixture. */
void write_png(const char *name, int width, int height, uint8_t red, uint8_t green);
void copy_fixture(const char *name, const char *fixture_name);
void *read_fixture(const char *name, size_t *size); /* freed with free() */

/* Files with a few bytes that are no image, for tests that only look at names. */
void write_names(const char *const *names);

/* A zip, written entry by entry, stored. Fields that are 0 get the true value. */
typedef struct zip_entry {
    const char *name;
    const void *bytes;
    size_t size;
    uint32_t claimed_size; /* unpacked, in the directory */
    uint32_t claimed_packed_size;
    uint32_t crc;
    uint16_t flags;
    uint16_t method;
    uint32_t unix_mode;
    uint32_t claimed_offset;
    const void *extra; /* further fields, in the directory */
    size_t extra_size;
} zip_entry;

void write_zip(const char *name, const zip_entry *entries, size_t count);
void write_zip_of_names(const char *name, const char *const *names);

#endif
