/* Augmentation: each time a photograph is shown to the network in training it is changed a little at random.
 *
 * All geometry is one warp from the photograph's bytes to the network's input, so each costs nothing on top of the
 * resize that is done anyway; colour is applied to the result. Random numbers are keyed by (seed, epoch, image): the
 * same image in the same epoch is changed in the same way whatever the number of threads. */
#ifndef CNN_AUGMENT_H
#define CNN_AUGMENT_H

#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/image.h>
#include <cnn/options.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

CNN_BEGIN_DECLS

/* Zero everywhere is no augmentation. */
typedef struct cnn_augment {
    uint32_t struct_size;
    uint32_t flip_horizontal; /* not 0: mirrored with probability 1/2 */
    uint32_t flip_vertical;
    float rotation;      /* degrees: uniform in −rotation … rotation */
    float zoom;          /* magnification uniform in 1 − zoom … 1 + zoom; 0 to 0.99 */
    float shift;         /* in fractions of width and height: each uniform in −shift … shift */
    float shear;         /* degrees: uniform in −shear … shear */
    float brightness;    /* factor uniform in 1 − brightness … 1 + brightness; 0 to 1; so contrast and saturation */
    float contrast;      /* around the image's mean grey */
    float saturation;    /* around each pixel's grey */
    float crop_min_area; /* random resized crop: fraction of the area, uniform in crop_min_area … 1; 0: none */
    float crop_max_aspect; /* of that crop: ratio log-uniform in 1/crop_max_aspect … crop_max_aspect; 0: 4/3 */
    float erase;           /* probability that a random rectangle (2 to 20 % of the area) is blanked to the mean */
} cnn_augment;

CNN_INLINE void cnn_augment_init(cnn_augment *augment)
{
    cnn_options_clear(augment, sizeof *augment);
}

/* Reads a list such as "flip,rotation=20,zoom=0.2" into `augment` (from cnn_augment_init), all of whose fields it
 * sets. Names: flip, vertical_flip, rotation, zoom, shift, shear, brightness, contrast, saturation, crop, aspect,
 * erase; a name without a value takes a usual one (rotation 20, zoom 0.2, shift 0.1, shear 10, brightness, contrast and
 * saturation 0.2, crop 0.5, erase 0.25). "none" or "" is no augmentation. Errors: CNN_ERROR_ARGUMENT names the word
 * that is not understood. */
CNN_API cnn_status cnn_augment_parse(const char *list, cnn_augment *augment);

/* Augments one photograph into one network input: `output` holds height × width × 3 floats. `pixels` is H×W×3,
 * CNN_UINT8. Pixels from outside the photograph repeat its edge, or are grey with CNN_FIT_LETTERBOX. `augment` may be
 * NULL: that is cnn_image_preprocess. Errors: CNN_ERROR_ARGUMENT names the value that is out of range. Thread-safe. */
CNN_API cnn_status cnn_augment_apply(cnn_context *context, const cnn_tensor *pixels, const cnn_augment *augment,
                                     const cnn_preprocess *preprocess, uint64_t seed, uint32_t epoch, uint64_t image,
                                     float *output);

CNN_END_DECLS

#endif
