/* Augmentation: random changes to photographs in training. The network sees each photograph a little differently in
 * each epoch, and so learns what matters in it.
 *
 *     cnn_status train_augmented(cnn_classifier *classifier, const cnn_dataset *photos)
 *     {
 *         cnn_augment augment;
 *         cnn_train_options options;
 *         cnn_augment_init(&augment);
 *         augment.flip_horizontal = 1;
 *         augment.rotation = 20; // degrees
 *         augment.zoom = 0.2f;
 *         cnn_train_options_init(&options);
 *         options.augment = &augment;
 *         return cnn_classifier_fit(classifier, photos, NULL, &options);
 *     }
 *
 * Flips, rotation, zoom, shift, shear and crop are computed together with the resize that each photograph needs anyway,
 * so a further one takes no more time. Colours are changed after that, and the random rectangle is erased last.
 *
 * The random numbers follow from the seed, the epoch and the image's number. The same image in the same epoch is
 * therefore changed in the same way, whatever the number of threads. */
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

/* What may change, and by how much. A field that is 0 changes nothing. Random values are uniform in the range that is
 * given, unless the field's comment says otherwise. */
typedef struct cnn_augment {
    uint32_t struct_size;
    uint32_t flip_horizontal; /* not 0: half of the photographs are mirrored left to right */
    uint32_t flip_vertical;   /* not 0: half of the photographs are turned upside down */
    float rotation;           /* by −rotation … rotation degrees; 0 to 180 */
    float zoom;               /* magnified by 1 − zoom … 1 + zoom; 0 to 0.99 */
    float shift;      /* moved by −shift … shift of the width, and of the height by another such number; 0 to 1 */
    float shear;      /* by −shear … shear degrees; 0 to 80 */
    float brightness; /* all values are multiplied by 1 − brightness … 1 + brightness; 0 to 1 */
    float contrast;   /* differences from the image's mean grey, by 1 − contrast … 1 + contrast; 0 to 1 */
    float saturation; /* differences from the pixel's own grey, by 1 − saturation … 1 + saturation; 0 to 1 */

    /* Random resized crop (Szegedy et al. 2014, arXiv:1409.4842): a part of the photograph takes the place of the
     * whole. Its area is crop_min_area … 1 of the whole; 0.01 to 1, or 0 for no crop. Its shape is the whole's, made
     * wider or narrower by a factor of up to crop_max_aspect, whose logarithm is uniform; 1 to 10, or 0 for 4/3. */
    float crop_min_area, crop_max_aspect;

    /* Random erasing (Zhong et al. 2017, arXiv:1708.04896): the probability that a rectangle of 2 to 20 % of the area
     * is filled with cnn_preprocess.mean; 0 to 1. */
    float erase;
} cnn_augment;

CNN_INLINE void cnn_augment_init(cnn_augment *augment)
{
    cnn_options_clear(augment, sizeof *augment);
}

/* Reads a list such as "flip,rotation=20,zoom=0.2" into `augment`, which has been initialised. All its fields are set,
 * those that aren't in the list to 0. A word stands for a field, and may stand alone, for the value in parentheses:
 *
 *   flip, vertical_flip; rotation (20), zoom (0.2), shift (0.1), shear (10); brightness (0.2), contrast (0.2),
 *   saturation (0.2); crop, which is crop_min_area (0.5), aspect, which is crop_max_aspect (4/3); erase (0.25)
 *
 * "none" and "" are no augmentation. Thread-safe. Errors: CNN_ERROR_ARGUMENT names the word that isn't known, or whose
 * value is out of range; `augment` is then as it was. */
CNN_API cnn_status cnn_augment_parse(const char *list, cnn_augment *augment);

/* Augments a photograph, and makes it the network's input, as training does: for previews, and for a program that
 * prepares its own batches. `pixels` are height × width × 3, CNN_UINT8. `output` has room for preprocess->height ×
 * preprocess->width × 3 floats. Beyond the photograph's edge its outermost pixels are repeated, or there is grey with
 * CNN_FIT_LETTERBOX. With `augment` NULL the result is that of cnn_image_preprocess, bit for bit. Thread-safe. Errors:
 * CNN_ERROR_ARGUMENT names the value that is out of range; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_augment_apply(cnn_context *context, const cnn_tensor *pixels, const cnn_augment *augment,
                                     const cnn_preprocess *preprocess, uint64_t seed, uint32_t epoch, uint64_t image,
                                     float *output);

CNN_END_DECLS

#endif
