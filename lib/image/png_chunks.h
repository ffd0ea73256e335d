/* The chunks of a PNG, as they lie in the file. */
#ifndef CNN_IMAGE_PNG_CHUNKS_H
#define CNN_IMAGE_PNG_CHUNKS_H

#include <stdbool.h>

#include "image/image_source.h"

/* The content of the first chunk of a type ("eXIf", ...) that lies in the file whole, and its size; NULL if there is
 * none. Its checksum is not looked at. */
const uint8_t *cnn_png_find_chunk(const cnn_image_source *source, const char *type, size_t *size);

/* Whether the file ends behind the last chunk of pixels: at most what follows them is missing. */
bool cnn_png_has_all_pixels(const cnn_image_source *source);

#endif
