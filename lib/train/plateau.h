/* How long the validation loss has not fallen: early stopping and the plateau schedule go by it. All of it follows from
 * the history, so a checkpoint keeps nothing of it. */
#ifndef CNN_TRAIN_PLATEAU_H
#define CNN_TRAIN_PLATEAU_H

#include <stdint.h>

#include <cnn/optimizer.h>

typedef struct cnn_plateau {
    double lowest_loss;
    uint32_t epochs_since_lowest;
    uint32_t epochs_on_level; /* since the lowest loss, or since the learning rate was last lowered */
    double rate_factor;       /* what the learning rate has been lowered by */
} cnn_plateau;

/* Before the first epoch. */
void cnn_plateau_init(cnn_plateau *plateau);

/* Takes one more epoch into account. */
void cnn_plateau_add_epoch(cnn_plateau *plateau, const cnn_schedule *schedule, double validation_loss);

#endif
