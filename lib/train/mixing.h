/* Images mixed in pairs, with their labels: mixup (Zhang et al. 2017, arXiv:1710.09412) and CutMix (Yun et al. 2019,
 * arXiv:1905.04899). */
#ifndef CNN_TRAIN_MIXING_H
#define CNN_TRAIN_MIXING_H

#include <cnn/tensor.h>

typedef struct cnn_mixing {
    float mixup, cutmix; /* α of the beta distribution that shares are drawn from; 0: not; both: each for half the pairs
                          */
    uint64_t seed, step; /* key what is drawn */
} cnn_mixing;

/* Mixes the images of a batch (N×H×W×C), the first with the last and so on, and their targets (N×K) in the same shares.
 * Each stays the larger part of itself. */
void cnn_mix_batch(cnn_context *context, const cnn_mixing *mixing, cnn_tensor *images, cnn_tensor *targets);

#endif
