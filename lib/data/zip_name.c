#include "data/zip_name.h"

#include <string.h>

#include "data/utf8.h"

enum { EXTRA_UNICODE_PATH = 0x7075, UNICODE_PATH_VERSION = 1, UNICODE_PATH_HEADER = 5, LARGEST_GROWTH = 3 };

/* The upper half of code page 437, that of the first PCs. */
static const uint16_t code_page_437[128] = {
    0x00C7, 0x00FC, 0x00E9, 0x00E2, 0x00E4, 0x00E0, 0x00E5, 0x00E7, 0x00EA, 0x00EB, 0x00E8, 0x00EF, 0x00EE,
    0x00EC, 0x00C4, 0x00C5, 0x00C9, 0x00E6, 0x00C6, 0x00F4, 0x00F6, 0x00F2, 0x00FB, 0x00F9, 0x00FF, 0x00D6,
    0x00DC, 0x00A2, 0x00A3, 0x00A5, 0x20A7, 0x0192, 0x00E1, 0x00ED, 0x00F3, 0x00FA, 0x00F1, 0x00D1, 0x00AA,
    0x00BA, 0x00BF, 0x2310, 0x00AC, 0x00BD, 0x00BC, 0x00A1, 0x00AB, 0x00BB, 0x2591, 0x2592, 0x2593, 0x2502,
    0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255D, 0x255C, 0x255B, 0x2510, 0x2514,
    0x2534, 0x252C, 0x251C, 0x2500, 0x253C, 0x255E, 0x255F, 0x255A, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
    0x256C, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256B, 0x256A, 0x2518, 0x250C,
    0x2588, 0x2584, 0x258C, 0x2590, 0x2580, 0x03B1, 0x00DF, 0x0393, 0x03C0, 0x03A3, 0x03C3, 0x00B5, 0x03C4,
    0x03A6, 0x0398, 0x03A9, 0x03B4, 0x221E, 0x03C6, 0x03B5, 0x2229, 0x2261, 0x00B1, 0x2265, 0x2264, 0x2320,
    0x2321, 0x00F7, 0x2248, 0x00B0, 0x2219, 0x00B7, 0x221A, 0x207F, 0x00B2, 0x25A0, 0x00A0,
};

static uint32_t crc_of(const unsigned char *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

static uint32_t get16(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

/* Info-ZIP's extra field: the name in UTF-8, valid as long as the other name is the one that it was made for. */
static bool find_unicode_path(const cnn_zip_entry *entry, const char **name, size_t *length)
{
    const unsigned char *at = entry->extra, *end = at + entry->extra_length;
    for (; end - at >= 4 && get16(at + 2) <= (size_t)(end - at - 4); at += 4 + get16(at + 2)) {
        size_t size = get16(at + 2);
        if (get16(at) != EXTRA_UNICODE_PATH || size < UNICODE_PATH_HEADER || at[4] != UNICODE_PATH_VERSION)
            continue;
        uint32_t crc = get16(at + 5) | get16(at + 7) << 16;
        if (crc != crc_of((const unsigned char *)entry->name, entry->name_length))
            continue;
        *name = (const char *)at + 4 + UNICODE_PATH_HEADER;
        *length = size - UNICODE_PATH_HEADER;
        return cnn_is_utf8(*name, *length);
    }
    return false;
}

static size_t put_character(uint32_t code, char *to)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xC0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    to[0] = (char)(0xE0 | code >> 12);
    to[1] = (char)(0x80 | (code >> 6 & 0x3F));
    to[2] = (char)(0x80 | (code & 0x3F));
    return 3;
}

static size_t put_name(const char *name, size_t length, bool is_utf8, char *to)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c == '\\')
            to[used++] = '/';
        else if (is_utf8 || c < 0x80)
            to[used++] = name[i];
        else
            used += put_character(code_page_437[c - 0x80], to + used);
    }
    to[used] = 0;
    return used;
}

/* Takes out the folders named ".", which are no folders. */
static void remove_dots(char *name)
{
    char *to = name;
    for (const char *at = name; *at;) {
        size_t length = strcspn(at, "/");
        size_t used = length + (at[length] == '/');
        if (length != 1 || *at != '.') {
            memmove(to, at, used);
            to += used;
        }
        at += used;
    }
    *to = 0;
}

char *cnn_zip_path(cnn_source *source, const char *root, const cnn_zip_entry *entry)
{
    const char *name = entry->name;
    size_t length = entry->name_length, root_length = strlen(root);
    /* a name without the mark of UTF-8 is in code page 437 by the specification, but macOS leaves out the mark */
    bool is_utf8 = entry->utf8 || find_unicode_path(entry, &name, &length) || cnn_is_utf8(name, length);
    char *path = cnn_source_text(source, root_length + LARGEST_GROWTH * length + 1);
    if (!path)
        return NULL;
    memcpy(path, root, root_length + 1);
    put_name(name, length, is_utf8, path + root_length);
    remove_dots(path + root_length);
    return path;
}
