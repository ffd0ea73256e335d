/* The table of kernels: for each family a struct of function pointers, filled once per instruction set.
 *
 * Families, in the order in which to read them, each in a folder of its own:
 *   gemm/         the micro-kernel to which convolutions and dense layers come down; dense layers
 *   conv/         convolutions: the choice of an algorithm, direct convolution, gradients
 *   winograd/     3×3 convolutions by fewer multiplications
 *   depthwise/    convolutions of each channel by itself
 *   norm/ pool/ elementwise/    what isn't a product
 *   int8/         inference in bytes
 *
 * A folder has its interface (functions over whole arrays, on the context's threads), whose header says in which order
 * to read the rest, and micro-kernels, `*_ukernel.c`: written over simd/vector.h, named in meson.build, compiled once
 * per instruction set. Each defines one constant of its family's struct,
 * `const cnn_pool_kernels CNN_FOR_ISA(cnn_pool_kernels) = { ... }`. */
#ifndef CNN_KERNELS_KERNELS_H
#define CNN_KERNELS_KERNELS_H

#include <cnn/context.h>

/* clang-format off */
/* All families, by what they are compiled for: X(family, argument) for each. Family x has the struct cnn_x_kernels. */
#define CNN_KERNELS_OF_EVERY_SET(X, argument) \
    X(batch_norm, argument)        \
    X(convert_bf16, argument)      \
    X(elementwise, argument)       \
    X(epilogue, argument)          \
    X(matrix, argument)            \
    X(winograd, argument)          \
    X(winograd_adjoint, argument)

/* These gain nothing from dot products: one set's serve all tiers with vectors of the same length. */
#define CNN_KERNELS_WITHOUT_DOT(X, argument) \
    X(depthwise, argument)         \
    X(depthwise_gemm, argument)    \
    X(depthwise_weights, argument) \
    X(dropout, argument)           \
    X(gemm, argument)              \
    X(int8_finish, argument)       \
    X(int8_values, argument)       \
    X(int8_winograd, argument)     \
    X(pool, argument)              \
    X(softmax, argument)

typedef struct cnn_kernels {
#define CNN_KERNELS_MEMBER(family, unused) const struct cnn_##family##_kernels *family;
    CNN_KERNELS_OF_EVERY_SET(CNN_KERNELS_MEMBER, )
    CNN_KERNELS_WITHOUT_DOT(CNN_KERNELS_MEMBER, )
    CNN_KERNELS_MEMBER(int8_depthwise, )
    CNN_KERNELS_MEMBER(int8_gemm, )
#undef CNN_KERNELS_MEMBER
    const struct cnn_bf16_dot_kernels *bf16_dot; /* NULL where the set has no dot products of bfloat16 */
} cnn_kernels;
/* clang-format on */

/* The kernels of the context's instruction set. `context` may be NULL. */
const cnn_kernels *cnn_kernels_get(cnn_context *context);

#endif
