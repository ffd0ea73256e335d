/* Inference in int8: what layers call. All images are N×H×W×C; calls use the context's threads. The results are the
 * same bytes with every instruction set and any number of threads.
 *
 * A byte of an activation stands for scale × (byte − zero); zero is 0 for what a ReLU gives, which has the whole byte
 * then, and keeps 0 exact. A weight stands for its output channel's scale × its value, from −127 to 127. (B. Jacob et
 * al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
 * arXiv:1712.05877.)
 *
 * Read int8_conv.c (conv/direct_conv.c in bytes), int8_plan.h and int8_pack.c (the weights' order), int8_gemm.h and
 * int8_gemm_ukernel.c (a register tile, by simd/vector_bytes.h), int8_finish_ukernel.c (from its
 * sums to bytes); then int8_winograd.h, int8_depthwise.h; int8_elementwise.c, int8_pool.c and int8_values_ukernel.c
 * are what goes beside. */
#ifndef CNN_KERNELS_INT8_INT8_H
#define CNN_KERNELS_INT8_INT8_H

#include <stdbool.h>

#include "kernels/conv/conv.h"
#include "kernels/pool/pool.h"

typedef struct cnn_quantization {
    float scale;
    int32_t zero; /* 0 to 255 */
} cnn_quantization;

/* Terms of a sum, at most: no sum can pass 2³¹ then, as a bias is at most 2²⁹. */
enum { CNN_INT8_MAX_TERMS = 49152, CNN_INT8_MAX_BIAS = 1 << 29 };

/* A convolution's weights as kernels and files have them: kernel height × width × input channels / groups × output
 * channels. */
typedef struct cnn_int8_weights {
    const int8_t *values;
    const float *scales; /* of each output channel */
    const float *bias;   /* of each output channel, in fp32; or NULL */
} cnn_int8_weights;

typedef struct cnn_int8_epilogue {
    cnn_quantization input, output; /* an output of scale 0: fp32, with nothing after the bias */
    cnn_activation activation;
    bool pool;               /* max-pooling, 2×2, windows that don't fit whole are dropped; not of a depthwise one */
    const uint8_t *residual; /* added before the activation, as large as the output; NULL: none. Not with `pool`. */
    cnn_quantization residual_quantization;
} cnn_int8_epilogue;

size_t cnn_int8_conv_packed_bytes(cnn_context *context, const cnn_conv_shape *shape);
void cnn_int8_conv_pack(cnn_context *context, const cnn_conv_shape *shape, const cnn_int8_weights *weights,
                        const cnn_int8_epilogue *epilogue, void *packed);
size_t cnn_int8_conv_workspace(cnn_context *context, const cnn_conv_shape *shape, const cnn_int8_epilogue *epilogue);
/* The input is bytes, the output bytes or floats. */
void cnn_int8_conv(cnn_context *context, const cnn_conv_shape *shape, const cnn_int8_epilogue *epilogue,
                   const cnn_conv_arrays *arrays);
bool cnn_int8_conv_is_depthwise(const cnn_conv_shape *shape);

/* The bytes that an activation leaves. */
typedef struct cnn_int8_clamp {
    int32_t min, max;
} cnn_int8_clamp;

cnn_int8_clamp cnn_int8_activation_clamp(cnn_activation activation, cnn_quantization output);

void cnn_int8_quantize(cnn_context *context, const float *from, size_t count, cnn_quantization to_quantization,
                       uint8_t *to);
void cnn_int8_dequantize(cnn_context *context, const uint8_t *from, size_t count, cnn_quantization quantization,
                         float *to);

/* The sum of values of `count` bytes each, then the activation. */
typedef struct cnn_int8_term {
    const uint8_t *bytes;
    cnn_quantization quantization;
} cnn_int8_term;

typedef struct cnn_int8_sum {
    const cnn_int8_term *terms;
    int32_t term_count;
    cnn_activation activation;
    cnn_quantization quantization; /* of the result */
} cnn_int8_sum;

void cnn_int8_add(cnn_context *context, const cnn_int8_sum *sum, size_t count, uint8_t *output);

/* Windows see what is in the image alone, so that the output has the input's quantisation. */
void cnn_int8_max_pool(cnn_context *context, const cnn_pool_shape *shape, const uint8_t *input, uint8_t *output);
/* The mean of all pixels, in fp32. */
void cnn_int8_global_avg_pool(cnn_context *context, const cnn_global_pool_shape *shape, const cnn_int8_term *input,
                              float *output);

/* `pixels` pixels of `from_channels` each, put into those of `to_channels`, from the first byte of `to` on. */
typedef struct cnn_int8_copy {
    cnn_int8_term from;
    int64_t pixels, from_channels, to_channels;
    cnn_quantization quantization; /* of the result */
} cnn_int8_copy;

void cnn_int8_copy_channels(cnn_context *context, const cnn_int8_copy *copy, uint8_t *to);

#endif
