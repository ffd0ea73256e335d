/* Losses, probabilities and predicted classes of single images. */
#ifndef CNN_TRAIN_LOSS_H
#define CNN_TRAIN_LOSS_H

#include <stdint.h>

#include <cnn/metrics.h>

/* Checks that the loss suits so many outputs and replaces CNN_LOSS_AUTO. */
cnn_status cnn_loss_resolve(cnn_loss loss, int64_t outputs, cnn_loss *resolved);

/* How many classes so many logits tell apart: one logit stands for two classes. */
static inline uint32_t cnn_classes_of_outputs(uint32_t outputs)
{
    return outputs == 1 ? 2 : outputs;
}

/* Logits divided by a temperature; 0 stands for 1. */
void cnn_divide_logits(const float *logits, uint32_t outputs, float temperature, float *scaled);

/* The probability of each class, from one image's logits. */
void cnn_probabilities(const float *logits, uint32_t outputs, float *probabilities);

/* The cross-entropy of one image's logits against its class. */
double cnn_label_loss(const float *logits, uint32_t outputs, uint32_t label);

/* The class of the largest probability; of two equal ones the later class if there are two, as with a threshold of a
 * half, else the first. */
uint32_t cnn_decide(const float *logits, uint32_t outputs);

#endif
