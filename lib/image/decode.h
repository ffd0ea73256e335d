/* Decoding for a network's input: what its fit doesn't show, or shows only reduced, takes no memory. */
#ifndef CNN_IMAGE_DECODE_H
#define CNN_IMAGE_DECODE_H

#include <cnn/image.h>

#include "image/reduction.h"

/* An image's file in memory. */
typedef struct cnn_image_file {
    const void *bytes;
    size_t size;
    const char *name; /* begins sentences; NULL: "the image" */
} cnn_image_file;

/* As cnn_image_decode and cnn_image_load, for an input of min_width × min_height. `fit`: a cnn_fit, or
 * CNN_FIT_UNKNOWN, by which they are the same. */
cnn_status cnn_image_decode_to_fit(cnn_context *context, const cnn_image_file *file, const cnn_image_options *options,
                                   int fit, cnn_tensor **pixels);
cnn_status cnn_image_load_to_fit(cnn_context *context, const char *path, const cnn_image_options *options, int fit,
                                 cnn_tensor **pixels);

/* As cnn_image_decode; `*decoded` gets how many pixels of it were decoded before it ended, or was found to be broken.
 */
cnn_status cnn_image_decode_counted(cnn_context *context, const cnn_image_file *file, const cnn_image_options *options,
                                    uint64_t *decoded, cnn_tensor **pixels);

/* What decoding would have made of a PNG of these pixels; NULL, without an error, if it is the pixels as they are. The
 * caller owns the tensor. */
cnn_status cnn_image_reduce(cnn_context *context, const cnn_tensor *pixels, const cnn_image_options *options, int fit,
                            cnn_tensor **reduced);

#endif
