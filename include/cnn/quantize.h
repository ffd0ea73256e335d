/* Quantised models: they predict with 8-bit integers, are a quarter as large, and faster than in float32.
 *
 *     cnn_status make_small(const char *from, const cnn_dataset *photos, const char *to)
 *     {
 *         cnn_classifier *classifier, *quantized = NULL;
 *         cnn_status status = cnn_classifier_load(NULL, from, &classifier);
 *         if (!status)
 *             status = cnn_classifier_quantize(classifier, photos, NULL, &quantized);
 *         if (!status)
 *             status = cnn_classifier_save(quantized, to);
 *         cnn_classifier_destroy(quantized);
 *         cnn_classifier_destroy(classifier);
 *         return status;
 *     }
 *
 * The accuracy falls a little: measure it with cnn_classifier_evaluate before you use the quantised model. */
#ifndef CNN_QUANTIZE_H
#define CNN_QUANTIZE_H

#include <stdint.h>

#include <cnn/classifier.h>
#include <cnn/dataset.h>
#include <cnn/export.h>
#include <cnn/model.h>
#include <cnn/options.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

CNN_BEGIN_DECLS

/* Makes a quantised model from a trained one, which stays as it is. `images` are some hundreds of inputs such as the
 * model will meet: N × height × width × channels, CNN_FLOAT32. The function predicts them, to find the range of the
 * values between the layers (calibration). The caller owns `*quantized`; its context is the model's.
 *
 * Convolutions, dense layers and what lies between them compute with bytes (Jacob et al. 2017, arXiv:1712.05877). Their
 * weights are int8 with a scale for each output channel. Batch normalisation becomes part of the convolution before it,
 * and dropout is left out. Other layers compute in float32, and so does a convolution or dense layer whose sums have
 * more than 49,152 terms.
 *
 * A quantised model predicts, is saved and is loaded as any model; it can't be trained. It gives the same bits on every
 * processor, unless one of its convolutions or dense layers computes in float32. Bytes have no NaN: an input that isn't
 * finite gives an output that means nothing, where a model in float32 gives NaN. Errors: CNN_ERROR_SHAPE if the images
 * don't fit the model; CNN_ERROR_NOT_FINITE names the layer whose values or weights aren't finite; CNN_ERROR_ARGUMENT
 * if the model is quantised already, or there are no images; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_quantize(const cnn_model *model, const cnn_tensor *images, cnn_model **quantized);

/* Returns 1 if the model is quantised, else 0. Thread-safe. */
CNN_API uint32_t cnn_model_is_quantized(const cnn_model *model);

typedef struct cnn_quantize_options {
    uint32_t struct_size;
    uint32_t images; /* how many photographs to predict; 0: 500. If the dataset has fewer, all of them */
    uint64_t seed;   /* which photographs: they are drawn at random from the whole dataset */

    /* Called now and then, from the calling thread, with the number of photographs predicted and the number in all.
     * Return not 0 to stop, with CNN_ERROR_STOPPED. May be NULL. */
    int (*progress)(uint64_t done, uint64_t total, void *user);
    void *progress_user;
} cnn_quantize_options;

CNN_INLINE void cnn_quantize_options_init(cnn_quantize_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

/* Makes a quantised classifier from a trained one, as cnn_model_quantize does, with photographs of `dataset`. They are
 * prepared as in prediction, and need no classes. Those that can't be decoded are left out, and the context's log names
 * each. The caller owns `*quantized`. `options` may be NULL. Errors: those of cnn_model_quantize; CNN_ERROR_DATA if no
 * photograph can be decoded; CNN_ERROR_STOPPED. */
CNN_API cnn_status cnn_classifier_quantize(const cnn_classifier *classifier, const cnn_dataset *dataset,
                                           const cnn_quantize_options *options, cnn_classifier **quantized);

CNN_END_DECLS

#endif
