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

static int hexadecimal(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Bytes of two digits each; what is no digit, the ends of lines, is passed over. */
static size_t read_hexadecimal(const char *text, uint8_t *bytes)
{
    size_t digits = 0;
    for (; *text; text++) {
        int value = hexadecimal(*text);
        if (value < 0)
            continue;
        bytes[digits / 2] = (uint8_t)(digits % 2 ? bytes[digits / 2] << 4 | value : value);
        digits++;
    }
    return digits / 2;
}

uint32_t cnn_exif_text_orientation(char *text)
{
    static const char space[] = " \t\r\n", exif[] = { 'E', 'x', 'i', 'f', 0, 0 };
    const char *name = text + strspn(text, space);
    const char *length = name + strcspn(name, space);
    length += strspn(length, space);
    uint8_t *bytes = (uint8_t *)text; /* two digits become one byte, behind which they stand */
    size_t size = read_hexadecimal(length + strcspn(length, space), bytes);
    if (size > sizeof exif && !memcmp(bytes, exif, sizeof exif))
        return cnn_exif_orientation(bytes + sizeof exif, size - sizeof exif);
    return cnn_exif_orientation(bytes, size);
}
