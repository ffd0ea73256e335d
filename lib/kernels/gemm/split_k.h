/* Gradients by weights whose pixels were shared out: the sums of the shares are added up in order. */
#ifndef CNN_KERNELS_GEMM_SPLIT_K_H
#define CNN_KERNELS_GEMM_SPLIT_K_H

#include <stdint.h>

#include "kernels/kernels.h"

typedef struct cnn_shares {
    const cnn_kernels *kernels;
    const float *sums; /* of each share but the first: weights and, behind them, biases, one for each channel */
    int64_t count;     /* of those shares */
    int64_t weights, channels;
    float *weight_gradient,
        *bias_gradient; /* the first share's, which the others are added to; bias NULL: not wanted */
} cnn_shares;

void cnn_shares_add(cnn_context *context, const cnn_shares *shares);

#endif
