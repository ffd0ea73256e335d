#include "image/source.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/error.h"

cnn_status cnn_image_fail(const cnn_image_source *source, cnn_status status, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return cnn_fail(status, "%s: %s", source->name, text);
}

cnn_status cnn_image_check_size(const cnn_image_source *source, uint32_t width, uint32_t height)
{
    if (width == 0 || height == 0)
        return cnn_image_fail(source, CNN_ERROR_FORMAT, "has no pixels: its size is %u×%u", width, height);
    if ((uint64_t)width * height > source->options.max_pixels)
        return cnn_image_fail(source, CNN_ERROR_LIMIT, "is %u×%u pixels; the limit is %u", width, height,
                              source->options.max_pixels);
    return CNN_OK;
}
