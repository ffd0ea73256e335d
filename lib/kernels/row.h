/* What is done to rows of pixels on their way into and out of products. */
#ifndef CNN_KERNELS_ROW_H
#define CNN_KERNELS_ROW_H

#include <stddef.h>
#include <stdint.h>

typedef struct cnn_row_kernels {
    /* Max-pools `pixels` windows that lie side by side: from[(y * row_stride + x) * pixel_stride + channel]. The result
     * is limited to low..high; `argmax`, the place of the maximum in its window, may be NULL. */
    void (*pool)(const float *from, ptrdiff_t row_stride, ptrdiff_t pixel_stride, const int32_t window[2],
                 int64_t pixels, int64_t channels, float low, float high, float *to, uint8_t *argmax,
                 ptrdiff_t to_stride);

    /* to = gradient where argmax == place (argmax NULL: everywhere) and low < output < high (output NULL: everywhere),
     * elsewhere 0. */
    void (*mask_gradient)(const float *gradient, const float *output, const uint8_t *argmax, uint8_t place, float low,
                          float high, int64_t count, float *to);

    void (*sum_rows)(const float *from, ptrdiff_t stride, int64_t rows, int64_t columns, float *sum); /* adds to sum */

    void (*limit)(float *values, int64_t count, float low, float high);

    /* to[c * to_stride + r] = from[r * from_stride + c] */
    void (*transpose)(const float *from, ptrdiff_t from_stride, int64_t rows, int64_t columns, float *to,
                      ptrdiff_t to_stride);
} cnn_row_kernels;

#endif
