/* Depthwise convolutions of any shape, in the manner of gemm.h: channel by channel. `a` has `columns` channels, and
 * `inner` is 1. */
#ifndef CNN_KERNELS_DEPTHWISE_DEPTHWISE_GEMM_H
#define CNN_KERNELS_DEPTHWISE_DEPTHWISE_GEMM_H

#include "kernels/gemm/gemm.h"

typedef struct cnn_depthwise_gemm_kernels {
    /* c[outputs[r] + j] = sum over o of a[rows[r] + taps[o] + j] * b[o * b_stride + j] */
    void (*multiply)(const cnn_gemm *gemm);
} cnn_depthwise_gemm_kernels;

#endif
