/* Loops over int8 values beside those of gemm. Every instruction set gives the same bytes. */
#ifndef CNN_KERNELS_INT8_INT8_VALUES_H
#define CNN_KERNELS_INT8_INT8_VALUES_H

#include <stdbool.h>

#include "kernels/int8/int8.h"

typedef struct cnn_int8_values_kernels {
    /* byte = round(value * inverse_scale) + zero, clamped to 0..255; value = scale * (byte - zero) */
    void (*quantize)(const float *from, int64_t count, float inverse_scale, int32_t zero, uint8_t *to);
    void (*dequantize)(const uint8_t *from, int64_t count, float scale, int32_t zero, float *to);

    /* (byte - zero) * scale, added to the sums or put into their place. */
    void (*add_scaled)(const uint8_t *from, int64_t count, float scale, int32_t zero, float *sums, bool first);
    /* round(sum) + zero, clamped. */
    void (*round_sums)(const float *sums, int64_t count, int32_t zero, cnn_int8_clamp clamp, uint8_t *to);

    /* The greatest of each channel in a window: `size` pixels down and across, bytes between rows. */
    void (*max_window)(const uint8_t *from, const int64_t size[2], int64_t row, int64_t channels, uint8_t *to);
    /* Bytes added to sums. */
    void (*accumulate)(const uint8_t *from, int64_t count, int32_t *sums);
} cnn_int8_values_kernels;

#endif
