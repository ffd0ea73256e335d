/* What layers with weights want of their backward pass. */
#ifndef CNN_KERNELS_GEMM_WEIGHT_GRADIENT_H
#define CNN_KERNELS_GEMM_WEIGHT_GRADIENT_H

typedef struct cnn_weight_gradient {
    const void *input; /* the layer's */
    float *weights;
    float *bias;     /* NULL: not wanted */
    void *workspace; /* aligned to 64 */
} cnn_weight_gradient;

#endif
