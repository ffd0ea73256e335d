/* Arrays of floats to bfloat16 and back. */
#ifndef CNN_KERNELS_ELEMENTWISE_CONVERT_BF16_H
#define CNN_KERNELS_ELEMENTWISE_CONVERT_BF16_H

#include <stddef.h>

#include <cnn/context.h>

#include "simd/bf16.h"

void cnn_bf16_round_array(cnn_context *context, const float *from, cnn_bf16 *to, size_t count);
void cnn_bf16_widen_array(cnn_context *context, const cnn_bf16 *from, float *to, size_t count);

/* The loops, of one instruction set. Those with BF16 may take numbers below the normal ones for zero. */
typedef struct cnn_convert_bf16_kernels {
    void (*round)(const float *from, cnn_bf16 *to, size_t count);
    void (*widen)(const cnn_bf16 *from, float *to, size_t count);
} cnn_convert_bf16_kernels;

#endif
