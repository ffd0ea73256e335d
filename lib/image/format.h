/* Telling images by their first bytes and by their names. */
#ifndef CNN_IMAGE_FORMAT_H
#define CNN_IMAGE_FORMAT_H

#include "image/decoders.h"

/* The decoder of content, by its first bytes; NULL: none can decode it. */
const cnn_image_decoder *cnn_image_find_decoder(const uint8_t *bytes, size_t size);

/* What content that none can decode is: "a GIF image", ... ; NULL if that can't be told. Static text. */
const char *cnn_image_foreign_name(const uint8_t *bytes, size_t size);

/* Whether files with this extension ("jpg", "WebP") are images. `*decoder` becomes that of their format; NULL: none can
 * decode them. It may be NULL itself. */
bool cnn_image_has_extension(const char *extension, const cnn_image_decoder **decoder);

#endif
