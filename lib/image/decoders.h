/* The decoders, one for each format. */
#ifndef CNN_IMAGE_DECODERS_H
#define CNN_IMAGE_DECODERS_H

#include "image/image_source.h"

enum { CNN_IMAGE_EXTENSIONS = 4 };

typedef struct cnn_image_decoder {
    cnn_image_format format;
    const char *name;                             /* "JPEG" */
    const char *extensions[CNN_IMAGE_EXTENSIONS]; /* of the names of its files; NULL where there are fewer */

    /* Whether content is of the format, by its first bytes. */
    bool (*recognizes)(const uint8_t *bytes, size_t size);

    /* What the header says, but for the format; and the pixels. */
    cnn_status (*probe)(const cnn_image_source *source, cnn_image_info *info);
    cnn_status (*decode)(const cnn_image_source *source, cnn_tensor **pixels);
} cnn_image_decoder;

extern const cnn_image_decoder cnn_jpeg_decoder, cnn_png_decoder;

#endif
