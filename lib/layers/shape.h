/* The shape of one image's value, without the batch. */
#ifndef CNN_LAYERS_SHAPE_H
#define CNN_LAYERS_SHAPE_H

#include <stdint.h>

/* Rank 3 (height, width, channels) or 1 (features); 0: none. */
typedef struct cnn_shape {
    int32_t rank;
    int64_t dims[3];
} cnn_shape;

#endif
