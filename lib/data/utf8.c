#include "data/utf8.h"

#include <stdint.h>
#include <string.h>

/* The length of the character at `at`; 0 if it is not UTF-8 (overlong, a surrogate, beyond U+10FFFF, cut off). */
static size_t character_length(const unsigned char *at, size_t available)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t length = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0;
    if (length <= 1)
        return length;
    if (length > available)
        return 0;
    uint32_t code = at[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        code = code << 6 | (at[i] & 0x3F);
    }
    bool sound = code >= smallest[length] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    return sound ? length : 0;
}

bool cnn_is_utf8(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t used = character_length((const unsigned char *)bytes + i, length - i);
        if (!used)
            return false;
        i += used;
    }
    return true;
}

void cnn_to_utf8(const char *bytes, size_t length, char *to)
{
    const unsigned char *from = (const unsigned char *)bytes;
    bool as_it_is = cnn_is_utf8(bytes, length);
    for (size_t i = 0; i < length; i++) {
        if (as_it_is || from[i] < 0x80) {
            *to++ = bytes[i];
        } else {
            *to++ = (char)(0xC0 | from[i] >> 6);
            *to++ = (char)(0x80 | (from[i] & 0x3F));
        }
    }
    *to = 0;
}

/* The character there, of UTF-8, and moves on; 0 at the end. */
static uint32_t next_character(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    size_t length = at[0] ? character_length(at, strlen(*text)) : 0;
    uint32_t code = length > 1 ? at[0] & (0xFFu >> (length + 1)) : length ? at[0] : 0;
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (at[i] & 0x3F);
    *text += length;
    return code;
}

/* Accents, the sound marks of kana, and the letters that follow the first in a Korean syllable. */
static bool is_mark(uint32_t code)
{
    return (code >= 0x300 && code < 0x370) || code == 0x3099 || code == 0x309A || (code >= 0x1160 && code < 0x1200);
}

static size_t skip_marks(const char **text)
{
    size_t count = 0;
    for (const char *at = *text; is_mark(next_character(&at)); count++)
        *text = at;
    return count;
}

bool cnn_differs_in_form(const char *a, const char *b)
{
    size_t differences = 0, same = 0;
    while (a[same] && a[same] == b[same])
        same++;
    if (!((a[same] | b[same]) & 0x80)) /* as most are */
        return false;
    if (!cnn_is_utf8(a, strlen(a)) || !cnn_is_utf8(b, strlen(b)))
        return false;
    while (*a && *b) {
        uint32_t first = next_character(&a), second = next_character(&b);
        size_t first_marks = skip_marks(&a), second_marks = skip_marks(&b);
        if (first == second && first_marks == second_marks)
            continue;
        if (!(first_marks > second_marks && second >= 0xC0) && !(second_marks > first_marks && first >= 0xC0))
            return false;
        differences++;
    }
    return !*a && !*b && differences;
}
