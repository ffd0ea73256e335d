/* Averaging of weights over the steps of a training: Polyak and Juditsky 1992, in exponential form. */
#ifndef CNN_OPTIM_EMA_H
#define CNN_OPTIM_EMA_H

#include "optim/blocks.h"
#include "optim/snapshot.h"

typedef struct cnn_ema {
    /* The averages: of the weights, and of batch normalisation's running statistics, which belong to the weights of
     * their time and would suit the averaged ones badly. */
    cnn_snapshot *weights;
    double decay;
    uint64_t steps;
    cnn_block *blocks;
    size_t block_count;
    float take; /* the share of this step */
} cnn_ema;

/* Starts from the weights that the model has now. `decay` is above 0 and below 1. */
cnn_status cnn_ema_create(cnn_model *model, float decay, cnn_ema **ema);
void cnn_ema_destroy(cnn_ema *ema);

/* Takes the model's weights into the averages. Decay begins low, min(decay, (1 + t) / (10 + t)), so that the first
 * weights are soon forgotten. */
void cnn_ema_update(cnn_ema *ema);

#endif
