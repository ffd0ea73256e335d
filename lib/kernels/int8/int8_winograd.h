/* Winograd's algorithm (see winograd/) in integers, for instruction sets that multiply 16-bit numbers: 2×2 results of a
 * 3×3 convolution by 16 multiplications instead of 36. Transformed inputs are sums of four bytes. Transformed weights,
 * which in fractions are quarters, are kept four times as large, so that they are whole and the end divides by 4: the
 * sums are those of the definition, to the bit.
 *
 * Read int8_winograd.c, then int8_winograd_ukernel.c (the transforms). The products are int8_gemm.h's. */
#ifndef CNN_KERNELS_INT8_INT8_WINOGRAD_H
#define CNN_KERNELS_INT8_INT8_WINOGRAD_H

#include "kernels/int8/int8_plan.h"

enum { CNN_INT8_WINOGRAD_MATRICES = 16 };

/* The 16 numbers of a kernel, whose taps lie `stride` apart. */
void cnn_int8_winograd_weights(const int8_t *taps, ptrdiff_t stride, int16_t transformed[CNN_INT8_WINOGRAD_MATRICES]);

size_t cnn_int8_winograd_workspace(cnn_context *context, const cnn_conv_shape *shape, bool pool);

/* One call. */
typedef struct cnn_int8_winograd_call {
    cnn_context *context;
    const cnn_conv_shape *shape;
    bool pool;
    int32_t zero; /* of the input */
    const uint8_t *input;
    const char *packed;
    cnn_int8_result result; /* from the first channel of the first pixel on */
} cnn_int8_winograd_call;

void cnn_int8_winograd_run(const cnn_int8_winograd_call *call, void *workspace);

typedef struct cnn_int8_winograd_kernels {
    /* A tile of 4×4 pixels, to the same place of each matrix. At least 16 channels. */
    void (*input)(const uint8_t *from, ptrdiff_t row_stride, int64_t channels, int16_t *to, ptrdiff_t matrix_stride);

    /* The 2×2 sums of a tile, in whole vectors of columns; with `pool` their maximum, to the first of `to`. */
    void (*output)(const int32_t *products, ptrdiff_t matrix_stride, int64_t columns, const int32_t *bias, bool pool,
                   int32_t *const to[4]);
} cnn_int8_winograd_kernels;

#endif
