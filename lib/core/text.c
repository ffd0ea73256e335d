#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

enum { LINE_SIZE = 512 };

void cnn_text_append(cnn_text *text, const char *bytes, size_t size)
{
    if (text->failed || !cnn_grow(text->context, (void **)&text->bytes, &text->capacity, text->size + size + 1, 1)) {
        text->failed = true;
        return;
    }
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = 0;
}

void cnn_text_repeat(cnn_text *text, char c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cnn_text_append(text, &c, 1);
}

void cnn_text_format(cnn_text *text, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    cnn_text_append(text, line, strlen(line));
}

cnn_status cnn_text_finish(cnn_text *text, char **result)
{
    cnn_text_append(text, "", 0); /* an empty one has its zero, too */
    if (text->failed) {
        cnn_release(text->context, text->bytes);
        text->bytes = NULL;
    }
    *result = text->bytes;
    return text->failed ? CNN_ERROR_OUT_OF_MEMORY : CNN_OK;
}
