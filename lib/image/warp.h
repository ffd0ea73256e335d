/* From a photograph's bytes to a network's input, by one affine map.
 *
 * Positions are in pixels with edges at whole numbers: a pixel's centre lies at a half. */
#ifndef CNN_IMAGE_WARP_H
#define CNN_IMAGE_WARP_H

#include <stdint.h>

#include <cnn/image.h>

typedef struct cnn_photo {
    const uint8_t *bytes; /* RGB */
    int64_t width, height;
} cnn_photo;

/* source x = xx × output x + xy × output y + x0; source y likewise. */
typedef struct cnn_affine {
    double xx, xy, x0;
    double yx, yy, y0;
} cnn_affine;

typedef enum cnn_border {
    CNN_BORDER_REPEAT, /* outside the photograph its edge is repeated */
    CNN_BORDER_GREY
} cnn_border;

/* Where the result goes: to floats, normalised, or to bytes as it is; the other is NULL. */
typedef struct cnn_warp_target {
    uint32_t width, height;
    float mean[3], scale[3];
    float *floats;
    uint8_t *bytes;
} cnn_warp_target;

/* Checks that `pixels` is H×W×3 of bytes and not empty. `function` begins the message. */
cnn_status cnn_photo_open(const cnn_tensor *pixels, const char *function, cnn_photo *photo);

/* Reads and checks the caller's struct. */
cnn_status cnn_preprocess_read(const cnn_preprocess *given, cnn_preprocess *preprocess);

cnn_affine cnn_fit_affine(cnn_fit fit, const cnn_photo *photo, uint32_t width, uint32_t height);

static inline cnn_border cnn_fit_border(cnn_fit fit)
{
    return fit == CNN_FIT_LETTERBOX ? CNN_BORDER_GREY : CNN_BORDER_REPEAT;
}

/* Any map, to floats. Without rotation or shear it is cnn_resample; with them, bilinear samples of the photograph,
 * which is first averaged over blocks where the map shrinks it much. */
cnn_status cnn_warp(cnn_context *context, const cnn_photo *photo, const cnn_affine *affine, cnn_border border,
                    const cnn_warp_target *target);

/* A map without rotation or shear (xy and yx are ignored): a filter along each axis, which averages the pixels covered
 * where the map shrinks and is bilinear where it enlarges. */
cnn_status cnn_resample(cnn_context *context, const cnn_photo *photo, const cnn_affine *affine, cnn_border border,
                        const cnn_warp_target *target);

#endif
