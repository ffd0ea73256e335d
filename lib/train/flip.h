/* Test-time augmentation: an image and its mirror image are predicted, and the mean is taken. */
#ifndef CNN_TRAIN_FLIP_H
#define CNN_TRAIN_FLIP_H

#include <cnn/model.h>

/* Predicts a batch and its mirror image, which `images` then holds, and leaves the means of the two's outputs. */
cnn_status cnn_predict_both_ways(const cnn_model *model, cnn_tensor *images, cnn_tensor *output);

#endif
