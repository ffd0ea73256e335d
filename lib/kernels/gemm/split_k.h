/* Split-K: a gradient by weights is a sum over many pixels for few results. To make tasks enough, its terms are split,
 * each split makes sums of its own, and these partial sums are added up in order. */
#ifndef CNN_KERNELS_GEMM_SPLIT_K_H
#define CNN_KERNELS_GEMM_SPLIT_K_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

typedef struct cnn_split_k {
    int64_t splits, weights, channels;
    float *partial_sums; /* of each split but the first: weights and, behind them, biases, one for each channel */
    float *weight_gradient,
        *bias_gradient; /* the first split's, which the others are added to; bias NULL: not wanted */
} cnn_split_k;

/* How many splits there are where one makes `tasks` tasks, and more than `most` wouldn't be worth adding up. */
int64_t cnn_split_k_count(int64_t tasks, int64_t most, int64_t weights);

/* Floats of all partial sums, a multiple of 16. */
size_t cnn_split_k_floats(const cnn_split_k *split);

/* Where a split's sums go. */
float *cnn_split_k_weights(const cnn_split_k *split, int64_t index);
float *cnn_split_k_bias(const cnn_split_k *split, int64_t index); /* NULL: not wanted */

void cnn_split_k_reduce(cnn_context *context, const cnn_split_k *split);

#endif
