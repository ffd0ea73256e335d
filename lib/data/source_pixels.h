/* Images that are already decoded, in the caller's memory. */
#ifndef CNN_DATA_SOURCE_PIXELS_H
#define CNN_DATA_SOURCE_PIXELS_H

#include <cnn/tensor.h>

#include "data/source.h"

/* A source whose entries are `images`, in their order. Their memory is borrowed, the tensors aren't. */
cnn_status cnn_source_create_pixels(cnn_context *context, const cnn_tensor *const *images, uint64_t count,
                                    cnn_source **source);

#endif
