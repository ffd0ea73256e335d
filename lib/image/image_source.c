#include "image/image_source.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/error.h"
#include "image/exif.h"

#define HOW_TO_RAISE "cnn_context_options.max_pixels or CNN_MAX_PIXELS"

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
    if (width > CNN_IMAGE_MAX_SIDE || height > CNN_IMAGE_MAX_SIDE)
        return cnn_image_fail(source, CNN_ERROR_LIMIT, "is %u×%u pixels; a side may be %d pixels: cut it into parts",
                              width, height, CNN_IMAGE_MAX_SIDE);
    if ((uint64_t)width * height > source->options.max_pixels)
        return cnn_image_fail(source, CNN_ERROR_LIMIT,
                              "is %u×%u pixels; the limit is %llu: make it smaller, or raise it by " HOW_TO_RAISE,
                              width, height, (unsigned long long)source->options.max_pixels);
    return CNN_OK;
}

cnn_status cnn_image_check_memory(const cnn_image_source *source, uint64_t bytes, const char *why)
{
    enum { BYTES_A_PIXEL = 4, ALWAYS_ALLOWED = 64 << 20, MEGABYTE = 1000000 };
    const uint64_t most = (UINT64_MAX - ALWAYS_ALLOWED) / BYTES_A_PIXEL, pixels = source->options.max_pixels;
    uint64_t limit = (pixels < most ? pixels : most) * BYTES_A_PIXEL + ALWAYS_ALLOWED;
    if (bytes <= limit)
        return CNN_OK;
    return cnn_image_fail(
        source, CNN_ERROR_LIMIT,
        "takes %llu MB to decode%s; the limit is %llu MB: make it smaller, or raise it by " HOW_TO_RAISE,
        (unsigned long long)(bytes / MEGABYTE), why, (unsigned long long)(limit / MEGABYTE));
}

cnn_reduction_aim cnn_image_aim(const cnn_image_source *source, uint32_t orientation)
{
    uint32_t width = source->options.min_width, height = source->options.min_height;
    bool swaps = cnn_orientation_swaps(orientation);
    return (cnn_reduction_aim){ .width = swaps ? height : width, .height = swaps ? width : height, .fit = source->fit };
}
