/* Augmentation of single images: what is drawn for one, and how it is applied. */
#ifndef CNN_DATA_AUGMENT_H
#define CNN_DATA_AUGMENT_H

#include <stdint.h>

#include <cnn/augment.h>

#include "image/warp.h"

/* Reads the caller's struct (NULL: no augmentation) and checks that every value is in its range. */
cnn_status cnn_augment_read(const cnn_augment *given, cnn_augment *augment);

/* What is drawn for one showing of one image. */
typedef struct cnn_augment_draw {
    int flip_horizontal, flip_vertical;
    double rotation, shear; /* radians */
    double magnification;
    double shift_x, shift_y;                /* fractions of what is shown */
    double crop_width, crop_height;         /* fractions of what is shown; 1: no crop */
    double crop_x, crop_y;                  /* 0 to 1: where in the room that is left */
    float brightness, contrast, saturation; /* factors */
    int erase;
    float erase_area, erase_aspect, erase_x, erase_y;
} cnn_augment_draw;

void cnn_augment_random(const cnn_augment *augment, uint64_t seed, uint32_t epoch, uint64_t image,
                        cnn_augment_draw *draw);

/* The map from the output of a plain fit turned into the drawn one. Rotation, shear and zoom are about the centre of
 * what is shown, in the photograph's own pixels, so that they keep its proportions. */
cnn_affine cnn_augment_affine(const cnn_augment_draw *draw, const cnn_affine *fit, uint32_t width, uint32_t height);

#endif
