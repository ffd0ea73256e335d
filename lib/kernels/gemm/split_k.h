/* Split-K: a gradient by weights is a sum over many pixels for few results. To make tasks enough, its terms are split,
 * each split makes sums of its own, and these partial sums are added up in order: first those of a group of
 * neighbouring splits, then those of the groups. Few threads may take a group in one task, which adds up its splits on
 * the way: less memory, and the same bits. */
#ifndef CNN_KERNELS_GEMM_SPLIT_K_H
#define CNN_KERNELS_GEMM_SPLIT_K_H

#include <stddef.h>
#include <stdint.h>

#include <stdbool.h>

#include "kernels/kernels.h"

typedef struct cnn_split_k {
    int64_t splits, group; /* group: of so many splits */
    bool by_group;         /* a task takes a group */
    int64_t weights, channels;
    float *partial_sums; /* of each task but the first: weights and, behind them, biases, one for each channel */
    float *weight_gradient, *bias_gradient; /* the first task's, which the others are added to; bias NULL: not wanted */
} cnn_split_k;

/* Sets splits and groups where one split makes `tasks` tasks, and more than `most` wouldn't be worth adding up. */
void cnn_split_k_plan(cnn_split_k *split, int64_t tasks, int64_t most);

/* Tasks that `tasks` of one split become. */
int64_t cnn_split_k_tasks(const cnn_split_k *split);

/* Floats of all partial sums, a multiple of 16. */
size_t cnn_split_k_floats(const cnn_split_k *split);

/* Where a task's sums go. */
float *cnn_split_k_weights(const cnn_split_k *split, int64_t task);
float *cnn_split_k_bias(const cnn_split_k *split, int64_t task); /* NULL: not wanted */

void cnn_split_k_reduce(cnn_context *context, const cnn_split_k *split);

#endif
