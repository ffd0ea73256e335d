/* Rows as they are stored, to an upright RGB tensor. */
#ifndef CNN_IMAGE_CANVAS_H
#define CNN_IMAGE_CANVAS_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/tensor.h>

#include "image/image_source.h"
#include "image/reduction.h"

/* Where decoded rows go: an RGB tensor, upright, addressed by the coordinates of the image as it is stored, and reduced
 * on the way, so that no more than a row of the whole is ever held. */
typedef struct cnn_canvas {
    cnn_context *context;
    cnn_tensor *pixels;
    cnn_reduction reduction; /* as stored */
    uint8_t *origin;
    ptrdiff_t step_x, step_y;
    uint32_t *sums;  /* over the rows of a block; NULL where blocks are single pixels */
    uint8_t *blocks; /* a row of their means */
} cnn_canvas;

/* The reduction is of the image as it is stored. cnn_canvas_finish ends it. */
cnn_status cnn_canvas_create(const cnn_image_source *source, const cnn_reduction *reduction, uint32_t orientation,
                             cnn_canvas *canvas);

/* The row's own memory if a stored row lies in the tensor as it is, else NULL. */
uint8_t *cnn_canvas_row(const cnn_canvas *canvas, uint32_t y);

/* Rows come in order, each once. */
void cnn_canvas_put_row(const cnn_canvas *canvas, uint32_t y, const uint8_t *rgb);

/* How decoding ends: `status` is what it came to. The pixels go to `*pixels`, or are destroyed if it failed. */
cnn_status cnn_canvas_finish(cnn_canvas *canvas, const cnn_image_source *source, cnn_status status,
                             cnn_tensor **pixels);

#endif
