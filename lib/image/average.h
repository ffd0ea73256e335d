/* Averages of blocks of pixels. */
#ifndef CNN_IMAGE_AVERAGE_H
#define CNN_IMAGE_AVERAGE_H

#include <stddef.h>

#include "image/warp.h"

/* sums[x] += row[x] */
void cnn_add_row(uint32_t *restrict sums, const uint8_t *restrict row, size_t length);

/* The rounded means of blocks, from sums over `rows` rows of `width` pixels. The last block is smaller if the row ends
 * within it. */
void cnn_average_sums(const uint32_t *sums, size_t width, size_t block_width, size_t rows, uint8_t *output);

/* The rounded means of blocks; those at the right and lower edge are smaller if the photograph ends within them. A
 * block is no larger than the photograph. `smaller` points to `*bytes`, which the caller releases. */
cnn_status cnn_average_blocks(cnn_context *context, const cnn_photo *photo, int64_t block_width, int64_t block_height,
                              cnn_photo *smaller, uint8_t **bytes);

#endif
