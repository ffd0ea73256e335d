#include "image/exif.h"

#include <stdbool.h>
#include <string.h>

typedef struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
} tiff;

/* 0 beyond the end. */
static uint32_t read_number(const tiff *file, size_t offset, size_t length)
{
    if (offset > file->size || length > file->size - offset)
        return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < length; i++)
        value = value << 8 | file->bytes[offset + (file->big_endian ? i : length - 1 - i)];
    return value;
}

uint32_t cnn_exif_orientation(const uint8_t *bytes, size_t size)
{
    enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY_SIZE = 12 };
    if (size < 8)
        return 1;
    tiff file = { .bytes = bytes, .size = size, .big_endian = memcmp(bytes, "MM\0*", 4) == 0 };
    if (!file.big_endian && memcmp(bytes, "II*\0", 4) != 0)
        return 1;
    size_t directory = read_number(&file, 4, 4);
    uint32_t entries = read_number(&file, directory, 2);
    for (uint32_t i = 0; i < entries; i++) {
        size_t entry = directory + 2 + (size_t)i * ENTRY_SIZE;
        if (read_number(&file, entry, 2) != TAG_ORIENTATION || read_number(&file, entry + 2, 2) != TYPE_SHORT)
            continue;
        uint32_t value = read_number(&file, entry + 8, 2);
        return value >= 1 && value <= 8 ? value : 1;
    }
    return 1;
}
