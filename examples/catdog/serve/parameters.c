#include "serve/parameters.h"

#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *c)
{
    return c + strspn(c, " \t\r\n");
}

/* To what follows a value, which is copied to `value`. Of backslashes only \" is an escape: browsers send Windows'
 * paths as they are. */
static const char *take_quoted(const char *c, char *value)
{
    for (; *c && *c != '"'; c++) {
        if (c[0] == '\\' && c[1] == '"')
            c++;
        *value++ = *c;
    }
    *value = 0;
    return *c ? c + 1 : c;
}

/* Blanks inside stay: names of files have them, and some clients quote none. */
static const char *take_token(const char *c, char *value)
{
    size_t length = strcspn(c, ";"), used = length;
    while (used && strchr(" \t\r\n", c[used - 1]))
        used--;
    memcpy(value, c, used);
    value[used] = 0;
    return c + length;
}

int parameters_find(const char *header, const char *name, char *found)
{
    const char *c = header + strcspn(header, ";");
    while (*c) {
        const char *key = skip_blanks(c + 1);
        size_t length = strcspn(key, "=; \t\r\n");
        int is_it = length == strlen(name) && !strncasecmp(key, name, length);
        c = skip_blanks(key + length);
        if (*c == '=') {
            c = skip_blanks(c + 1);
            c = *c == '"' ? take_quoted(c + 1, found) : take_token(c, found);
            if (is_it)
                return 1;
        }
        c += strcspn(c, ";");
    }
    return 0;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *place = c ? strchr(digits, c | 0x20) : NULL;
    return place ? (int)(place - digits) : -1;
}

int parameters_decode_extended(char *value)
{
    const char *language = strchr(value, '\''), *c = language ? strchr(language + 1, '\'') : NULL;
    if (!c)
        return 0;
    char *out = value;
    for (c++; *c; c++) {
        int high = *c == '%' ? hex_digit(c[1]) : -1, low = high >= 0 ? hex_digit(c[2]) : -1;
        char byte = *c;
        if (low >= 0) {
            byte = (char)(16 * high + low);
            c += 2;
        }
        *out++ = byte ? byte : '?';
    }
    *out = 0;
    return 1;
}

void parameters_decode_quoted(char *value)
{
    static const char escapes[][4] = { "%22", "%0A", "%0D" }, meanings[] = "\"\n\r";
    char *out = value;
    while (*value) {
        char byte = *value;
        size_t size = 1;
        for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++)
            if (!strncasecmp(value, escapes[i], 3)) {
                byte = meanings[i];
                size = 3;
            }
        *out++ = byte;
        value += size;
    }
    *out = 0;
}
