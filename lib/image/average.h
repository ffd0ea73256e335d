/* Averages of blocks of pixels. */
#ifndef CNN_IMAGE_AVERAGE_H
#define CNN_IMAGE_AVERAGE_H

#include "image/warp.h"

/* The rounded means of blocks; those at the right and lower edge are smaller if the photograph ends within them. A
 * block is no larger than the photograph. `smaller` points to `*bytes`, which the caller releases. */
cnn_status cnn_average_blocks(cnn_context *context, const cnn_photo *photo, int64_t block_width, int64_t block_height,
                              cnn_photo *smaller, uint8_t **bytes);

#endif
