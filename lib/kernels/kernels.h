/* The table of kernels: for each family a struct of function pointers, filled once per instruction set.
 *
 * A family's source is written over simd/vector.h, named in meson.build's isa_sources, compiled once per instruction
 * set, and defines one constant: `const cnn_pool_kernels CNN_FOR_ISA(cnn_pool_kernels) = { ... }`. The struct of a
 * family with functions over it is in the family's header. */
#ifndef CNN_KERNELS_KERNELS_H
#define CNN_KERNELS_KERNELS_H

#include <cnn/context.h>

typedef struct cnn_kernels {
    const struct cnn_product_kernels *product;
    const struct cnn_pair_kernels *pair; /* NULL where the instruction set has none */
    const struct cnn_row_kernels *row;
    const struct cnn_elementwise_kernels *elementwise;
    const struct cnn_softmax_kernels *softmax;
    const struct cnn_channel_kernels *channel;
    const struct cnn_dropout_kernels *dropout;
    const struct cnn_pool_kernels *pool;
    const struct cnn_winograd_kernels *winograd;
    const struct cnn_bf16_kernels *bf16;
    const struct cnn_int8_kernels *int8;
    const struct cnn_depthwise_kernels *depthwise;
} cnn_kernels;

/* The kernels of the context's instruction set. `context` may be NULL. */
const cnn_kernels *cnn_kernels_get(cnn_context *context);

#endif
