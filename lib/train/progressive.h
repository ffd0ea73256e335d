/* Progressive image size: training begins on smaller images, which cost less, and ends on larger ones. Howard 2018
 * (fast.ai's DAWNBench entry); Tan and Le 2021, "EfficientNetV2", arXiv:2104.00298. */
#ifndef CNN_TRAIN_PROGRESSIVE_H
#define CNN_TRAIN_PROGRESSIVE_H

#include <stdint.h>

/* The size of images in an epoch (1 is the first): from `first` to `last` in steps of 16 pixels over the first three
 * quarters of the training. */
uint32_t cnn_progressive_size(uint32_t first, uint32_t last, uint32_t epoch, uint32_t epochs);

#endif
