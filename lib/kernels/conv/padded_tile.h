/* A padded tile: rows of an image, with the zeros of its padding around them, copied to scratch memory for one task. */
#ifndef CNN_KERNELS_CONV_PADDED_TILE_H
#define CNN_KERNELS_CONV_PADDED_TILE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/conv/conv.h"
#include "kernels/kernels.h"

/* What to copy. Rows and columns outside the image, which may begin below 0, become zeros. */
typedef struct cnn_padded_tile {
    int64_t image, top, left, rows, columns;
    int64_t channel, channels, pixel_stride; /* the first channel, how many, and values between pixels of the tile */
    bool bf16;                               /* the tile is of bfloat16, as the source must be; else it is of floats */
} cnn_padded_tile;

/* Where tiles come from: the plain image, or the gradient by a convolution's result. */
typedef struct cnn_tile_source {
    const cnn_kernels *kernels;
    int64_t height, width, channels;
    bool bf16;                         /* its values are bfloat16 */
    const void *image;                 /* unless the gradient is given */
    const cnn_conv_gradient *gradient; /* by the pooled map of `height` × `width` */
} cnn_tile_source;

/* Whether the gradient by the convolution's result is that by the epilogue's output: nothing is to be undone. */
bool cnn_conv_gradient_is_plain(const cnn_conv_gradient *gradient);

void cnn_padded_tile_fill(const cnn_tile_source *source, const cnn_padded_tile *tile, void *to);

#endif
