/* The window that convolutions and pooling slide over an image. */
#ifndef CNN_LAYERS_WINDOW_H
#define CNN_LAYERS_WINDOW_H

#include <stdint.h>

#include <cnn/graph.h>
#include <cnn/status.h>

#include "layers/shape.h"

typedef struct cnn_window {
    int32_t kernel[2], stride[2], dilation[2]; /* down, across */
    int32_t padding;                           /* cnn_padding */
    const int32_t *pads;                       /* top, left, bottom, right; for CNN_PADDING_EXPLICIT */
} cnn_window;

/* Where the windows lie on an input. */
typedef struct cnn_window_grid {
    int64_t count[2];   /* windows down and across: the output's size */
    int32_t padding[2]; /* above and left of the image */
} cnn_window_grid;

/* Fails, with the sizes in the sentence, if the window isn't possible or not one fits. */
cnn_status cnn_window_place(const cnn_window *window, const cnn_shape *input, cnn_window_grid *grid);

/* The same for a window that has been placed on that input before. */
cnn_window_grid cnn_window_placed(const cnn_window *window, const cnn_shape *input);

#endif
