/* The bytes to decode, and what is said when that fails. */
#ifndef CNN_IMAGE_SOURCE_H
#define CNN_IMAGE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/image.h>

typedef struct cnn_image_source {
    cnn_context *context;
    const uint8_t *bytes;
    size_t size;
    const char *name;          /* for messages; not NULL */
    cnn_image_options options; /* defaults filled in */
} cnn_image_source;

/* Sets the error sentence, beginning with the source's name, and returns `status`. */
__attribute__((format(printf, 3, 4))) cnn_status cnn_image_fail(const cnn_image_source *source, cnn_status status,
                                                                const char *format, ...);

/* Refuses an image without pixels or with more than the limit. */
cnn_status cnn_image_check_size(const cnn_image_source *source, uint32_t width, uint32_t height);

#endif
