/* Class names go into files that must be UTF-8; names of files may be anything. */
#ifndef CNN_DATA_UTF8_H
#define CNN_DATA_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool cnn_is_utf8(const char *bytes, size_t length);

/* Bytes of text as UTF-8: as they are if they are UTF-8, else read as Latin-1. Writes a text ended by a zero byte, for
 * which `to` has 2 × length + 1 bytes. */
void cnn_to_utf8(const char *bytes, size_t length, char *to);

/* Whether two texts in UTF-8 differ only in that one writes as a letter with marks behind it what the other writes as
 * one character (Unicode's forms NFD and NFC): they look alike, as macOS's names and others' do. Which letter a
 * character decomposes to isn't looked up, so that it may be wrong about two words that differ in such a character
 * alone. */
bool cnn_differs_in_form(const char *a, const char *b);

#endif
