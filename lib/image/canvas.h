/* Rows as they are stored, to an upright RGB tensor. */
#ifndef CNN_IMAGE_CANVAS_H
#define CNN_IMAGE_CANVAS_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/tensor.h>

#include "image/source.h"

/* Where decoded rows go: an RGB tensor, upright, addressed by the coordinates of the image as it is stored. */
typedef struct cnn_canvas {
    cnn_tensor *pixels;
    uint32_t width; /* as stored */
    uint8_t *origin;
    ptrdiff_t step_x, step_y;
} cnn_canvas;

/* `width` and `height` are as stored. cnn_canvas_finish ends it. */
cnn_status cnn_canvas_create(const cnn_image_source *source, uint32_t width, uint32_t height, uint32_t orientation,
                             cnn_canvas *canvas);

/* The row's own memory if a stored row lies in the tensor as it is, else NULL. */
uint8_t *cnn_canvas_row(const cnn_canvas *canvas, uint32_t y);

void cnn_canvas_put_row(const cnn_canvas *canvas, uint32_t y, const uint8_t *rgb);

/* How decoding ends: `status` is what it came to. The pixels go to `*pixels`, or are destroyed if it failed. */
cnn_status cnn_canvas_finish(cnn_canvas *canvas, const cnn_image_source *source, cnn_status status,
                             cnn_tensor **pixels);

#endif
