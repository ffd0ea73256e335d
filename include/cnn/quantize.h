/* Models that predict with bytes: a quarter of the size, and faster than in float32. */
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

/* Makes a quantised model of a trained one, which stays as it is. The weights of its convolutions and dense layers are
 * int8, with a scale for each output channel; the values between layers are bytes, whose range is found by predicting
 * `images`: N×H×W×C, CNN_FLOAT32, some hundreds as the model will meet them. Batch normalisation becomes part of the
 * convolution before it, dropout goes. What bytes can't compute stays in float32.
 *
 * The result predicts, is saved and loaded as any model is, and gives the same bits on every processor, unless a
 * convolution or dense layer stays in float32 because its sums have more than 49,152 terms. It can't be trained. Its
 * context is the model's. Errors: CNN_ERROR_SHAPE; CNN_ERROR_NOT_FINITE if a value of the model isn't;
 * CNN_ERROR_ARGUMENT if the model is quantised already. */
CNN_API cnn_status cnn_model_quantize(const cnn_model *model, const cnn_tensor *images, cnn_model **quantized);

/* Not 0 if the model is quantised. */
CNN_API uint32_t cnn_model_is_quantized(const cnn_model *model);

typedef struct cnn_quantize_options {
    uint32_t struct_size;
    uint32_t images; /* of the dataset, drawn from all of it; 0: 500. At most as many as there are. */
    uint64_t seed;   /* of the draw */

    /* Called now and then with the images seen and how many there will be; not 0 stops with CNN_ERROR_STOPPED. */
    int (*progress)(uint64_t done, uint64_t total, void *user);
    void *progress_user;
} cnn_quantize_options;

CNN_INLINE void cnn_quantize_options_init(cnn_quantize_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

/* The same for a classifier, with photographs of a dataset as it prepares them for its net. What can't be read is left
 * out, and named in the context's log. `options` may be NULL. */
CNN_API cnn_status cnn_classifier_quantize(const cnn_classifier *classifier, const cnn_dataset *dataset,
                                           const cnn_quantize_options *options, cnn_classifier **quantized);

CNN_END_DECLS

#endif
