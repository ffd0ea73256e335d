/* The bytes to decode, and what is said when that fails. */
#ifndef CNN_IMAGE_IMAGE_SOURCE_H
#define CNN_IMAGE_IMAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/image.h>

#include "image/reduction.h"

typedef struct cnn_image_source {
    cnn_context *context;
    const uint8_t *bytes;
    size_t size;
    const char *name;          /* for messages; not NULL */
    cnn_image_options options; /* defaults filled in */
    int fit;                   /* to min_width × min_height: a cnn_fit, or CNN_FIT_UNKNOWN */
    uint64_t *decoded;         /* gets how many of its pixels were decoded; may be NULL */
} cnn_image_source;

/* Sets the error sentence, beginning with the source's name, and returns `status`. */
__attribute__((format(printf, 3, 4))) cnn_status cnn_image_fail(const cnn_image_source *source, cnn_status status,
                                                                const char *format, ...);

/* Refuses an image without pixels, with more than the limit, or with a side that is too long. */
cnn_status cnn_image_check_size(const cnn_image_source *source, uint32_t width, uint32_t height);

/* Refuses an image that takes more memory than this while it is decoded. `why` says what makes it take so much. */
cnn_status cnn_image_check_memory(const cnn_image_source *source, uint64_t bytes, const char *why);

/* What the pixels are for, in the directions of the image as it is stored. */
cnn_reduction_aim cnn_image_aim(const cnn_image_source *source, uint32_t orientation);

#endif
