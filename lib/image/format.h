/* Telling content by its first bytes. */
#ifndef CNN_IMAGE_FORMAT_H
#define CNN_IMAGE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/image.h>

/* What the content is by its first bytes. */
cnn_image_format cnn_image_sniff(const uint8_t *bytes, size_t size);

/* What content that is neither JPEG nor PNG is: "a GIF image", ... ; NULL if that can't be told. Static text. */
const char *cnn_image_foreign_name(const uint8_t *bytes, size_t size);

#endif
