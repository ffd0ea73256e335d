/* The short way: photographs in, a trained classifier out, predictions from it.
 *
 *     #include <stdio.h>
 *
 *     #include <cnn/cnn.h>
 *
 *     int main(void)
 *     {
 *         cnn_dataset *photos = NULL;
 *         cnn_classifier *pets = NULL;
 *         cnn_prediction p;
 *         cnn_prediction_init(&p);
 *         int failed = cnn_dataset_open(NULL, "PetImages", NULL, &photos) ||
 *                      cnn_classifier_create(NULL, "two_conv", NULL, &pets) ||
 *                      cnn_classifier_fit(pets, photos, NULL, NULL) ||
 *                      cnn_classifier_save(pets, "pets.safetensors") ||
 *                      cnn_classifier_predict_file(pets, "photo.jpg", &p);
 *         if (failed)
 *             fprintf(stderr, "%s\n", cnn_last_error());
 *         else
 *             printf("%s %.1f %%\n", p.label, 100.0 * p.confidence);
 *         cnn_classifier_destroy(pets);
 *         cnn_dataset_destroy(photos);
 *         return failed;
 *     }
 */
#ifndef CNN_CLASSIFIER_H
#define CNN_CLASSIFIER_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/dataset.h>
#include <cnn/export.h>
#include <cnn/graph.h>
#include <cnn/metrics.h>
#include <cnn/model.h>
#include <cnn/options.h>
#include <cnn/status.h>
#include <cnn/trainer.h>

CNN_BEGIN_DECLS

typedef struct cnn_classifier cnn_classifier;

typedef struct cnn_classifier_options {
    uint32_t struct_size;
    uint32_t classes;                 /* 2; more have a logit each */
    const cnn_net_options *net;       /* NULL: the net as it is; `outputs` is ignored: it follows from `classes` */
    const cnn_preprocess *preprocess; /* NULL: cnn_preprocess_init; width and height are the net's */
    uint64_t seed;                    /* of the weights */
} cnn_classifier_options;

CNN_INLINE void cnn_classifier_options_init(cnn_classifier_options *options)
{
    cnn_options_clear(options, sizeof *options);
    if (!options)
        return;
    options->classes = 2;
}

/* Makes an untrained classifier of a net by name ("two_conv", ...), or of a graph (copied) that ends in one logit, for
 * two classes, or in one for each: `classes` is then ignored. */
CNN_API cnn_status cnn_classifier_create(cnn_context *context, const char *net, const cnn_classifier_options *options,
                                         cnn_classifier **classifier);
CNN_API cnn_status cnn_classifier_create_from_graph(cnn_context *context, const cnn_graph *graph,
                                                    const cnn_classifier_options *options, cnn_classifier **classifier);

/* Makes one that begins with what `pretrained` has learned: its net without its head, that is, without its last layer
 * with weights and all that follows, then a new head for the options' classes. Its preprocessing is the pretrained
 * model's, if that was a classifier and the options give none; of the options' net, only `dropout` counts. The head is
 * best trained by cnn_classifier_fit_head before all of it is by cnn_classifier_fit. */
CNN_API cnn_status cnn_classifier_create_from_model(cnn_context *context, const cnn_model *pretrained,
                                                    const cnn_classifier_options *options, cnn_classifier **classifier);
CNN_API void cnn_classifier_destroy(cnn_classifier *classifier);

/* Trains on data of as many classes as it has; their names come from the data. Broken files are left out, each named
 * once in the context's log. `validation` NULL: the dataset's test part if it has one is not looked for; a tenth is
 * split off by the options' seed. `options` may be NULL; their `preprocess` must be: the classifier has its own. A
 * classifier that has been trained before goes on from there, with the same classes. In the end it is calibrated on the
 * validation data (cnn_classifier_calibrate). Use cnn_classifier_fit_with_history to get the curves. */
CNN_API cnn_status cnn_classifier_fit(cnn_classifier *classifier, const cnn_dataset *training,
                                      const cnn_dataset *validation, const cnn_train_options *options);
CNN_API cnn_status cnn_classifier_fit_with_history(cnn_classifier *classifier, const cnn_dataset *training,
                                                   const cnn_dataset *validation, const cnn_train_options *options,
                                                   cnn_history **history);

/* Trains only what follows the layer named `layer` (NULL: the head), on values computed once: see cnn_train_head. */
CNN_API cnn_status cnn_classifier_fit_head(cnn_classifier *classifier, const char *layer, const cnn_dataset *training,
                                           const cnn_dataset *validation, const cnn_train_options *options,
                                           cnn_history **history);

/* Measures it on a dataset with the same classes. The caller owns `*metrics`. */
CNN_API cnn_status cnn_classifier_evaluate(const cnn_classifier *classifier, const cnn_dataset *dataset,
                                           cnn_metrics **metrics);

/* Fits the temperature that makes confidence mean what it says to data that the classifier wasn't trained on (see
 * cnn_calibrate), and keeps it: predictions and evaluation use it, and it is saved. It changes no decision but with
 * another threshold than 0.5. What confidence can't say: a photograph of none of the classes gets the class that it
 * is most like, often with some confidence, as no such photograph was ever seen. */
CNN_API cnn_status cnn_classifier_calibrate(cnn_classifier *classifier, const cnn_dataset *dataset);
CNN_API float cnn_classifier_temperature(const cnn_classifier *classifier); /* 1 unless calibrated */

/* Not 0: the logits of a photograph and of its mirror image are averaged, which is more accurate and takes twice as
 * long. It is saved. */
CNN_API cnn_status cnn_classifier_set_flip(cnn_classifier *classifier, uint32_t flip);
CNN_API uint32_t cnn_classifier_flip(const cnn_classifier *classifier);

/* Has photographs scaled to another height and width for the net: see cnn_model_resize. It is saved. A net is often a
 * little better with images that are larger than those it was trained on, by a quarter, say. */
CNN_API cnn_status cnn_classifier_resize(cnn_classifier *classifier, uint32_t height, uint32_t width);

/* Sets those of cnn_evaluate's options (from cnn_evaluate_options_init) that the classifier has: preprocess, threshold,
 * flip, temperature. They are valid as long as the classifier. */
CNN_API void cnn_classifier_evaluate_options(const cnn_classifier *classifier, cnn_evaluate_options *options);

/* What a classifier says of one photograph. cnn_prediction_init comes first, as the struct also tells where lists and
 * text are to be written. */
typedef struct cnn_prediction {
    uint32_t struct_size;
    cnn_status status;    /* of this image; if it isn't CNN_OK, class_index is −1 and the rest is 0 or NULL */
    int32_t class_index;  /* of the class that was predicted */
    float confidence;     /* its probability */
    float probability;    /* of class 1 */
    uint32_t class_count; /* how many classes the classifier tells apart */
    const char *label;    /* the class's name, as cnn_classifier_class_name gives it: valid as long as the classifier */

    /* Set by the caller before the call. Each may be NULL, if its capacity is 0. */
    float *probabilities; /* gets the probability of each class, as many as there is room for */
    char *error;          /* gets the sentence for `status` ("" for CNN_OK), cut to fit between two characters */
    uint32_t probability_capacity; /* floats */
    uint32_t error_capacity;       /* bytes, the final 0 among them */
} cnn_prediction;

CNN_INLINE void cnn_prediction_init(cnn_prediction *prediction)
{
    cnn_options_clear(prediction, sizeof *prediction);
}

/* Gives the indices of the likeliest of `class_count` classes, the likeliest first, and of equal ones the one with the
 * lower index. `classes` has room for `capacity` of them. Returns how many were written. */
CNN_API uint32_t cnn_top_classes(const float *probabilities, uint32_t class_count, uint32_t *classes,
                                 uint32_t capacity);

/* Classifies one photograph, from a file, from a file's bytes in memory, or from pixels (H×W×3, CNN_UINT8).
 * One classifier may predict from many threads at once. */
CNN_API cnn_status cnn_classifier_predict_file(const cnn_classifier *classifier, const char *path,
                                               cnn_prediction *prediction);
CNN_API cnn_status cnn_classifier_predict_memory(const cnn_classifier *classifier, const void *bytes, size_t size,
                                                 cnn_prediction *prediction);
CNN_API cnn_status cnn_classifier_predict_pixels(const cnn_classifier *classifier, const cnn_tensor *pixels,
                                                 cnn_prediction *prediction);

/* Many at once: decoded in parallel, computed in batches. `predictions` has `count` elements, each of
 * them initialised. A file that can't be used has its error in its own prediction; the rest go on. Of 0 files, nothing
 * is done: `paths` and `predictions` may be NULL. */
CNN_API cnn_status cnn_classifier_predict_files(const cnn_classifier *classifier, const char *const *paths,
                                                size_t count, cnn_prediction *predictions);

/* The same for the bytes of `count` files that are in memory: `bytes[i]`, of which there are `sizes[i]`. */
CNN_API cnn_status cnn_classifier_predict_memories(const cnn_classifier *classifier, const void *const *bytes,
                                                   const size_t *sizes, size_t count, cnn_prediction *predictions);

/* The probability of class 1 from which an image is class 1; 0.5 unless set. Between 0 and 1. Of more than two classes
 * the likeliest is decided on. */
CNN_API cnn_status cnn_classifier_set_threshold(cnn_classifier *classifier, float threshold);
CNN_API float cnn_classifier_threshold(const cnn_classifier *classifier);

/* How many classes it tells apart. */
CNN_API uint32_t cnn_classifier_class_count(const cnn_classifier *classifier);

/* The class names (NULL past the last, or before training), the preprocessing, and the model underneath. All are valid
 * as long as the classifier. Who copies the preprocessing sets the struct_size of the copy. */
CNN_API const char *cnn_classifier_class_name(const cnn_classifier *classifier, uint32_t class_index);
CNN_API const cnn_preprocess *cnn_classifier_preprocess(const cnn_classifier *classifier);
CNN_API cnn_model *cnn_classifier_model(cnn_classifier *classifier);

/* One file holds all of it: see cnn_model_save. */
CNN_API cnn_status cnn_classifier_save(const cnn_classifier *classifier, const char *path);
CNN_API cnn_status cnn_classifier_load(cnn_context *context, const char *path, cnn_classifier **classifier);

/* The same to and from memory: see cnn_model_save_to_memory. */
CNN_API cnn_status cnn_classifier_save_to_memory(const cnn_classifier *classifier, void **bytes, size_t *size);
CNN_API cnn_status cnn_classifier_load_from_memory(cnn_context *context, const void *bytes, size_t size,
                                                   cnn_classifier **classifier);

CNN_END_DECLS

#endif
