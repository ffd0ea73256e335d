/* Classifiers: photographs in, a trained classifier out, predictions from it. This is the simple way; cnn.h begins with
 * a whole program. A classifier is a model (model.h) together with what its use needs: how photographs are prepared for
 * it, the names of its classes, and how its outputs become decisions.
 *
 * Predicting a photograph with the probability of each class:
 *
 *     #include <stdio.h>
 *
 *     #include <cnn/cnn.h>
 *
 *     int print_likeliest(const cnn_classifier *classifier, const char *path)
 *     {
 *         enum { MOST = 1000, SHOWN = 3 };
 *         float probabilities[MOST];
 *         uint32_t classes[SHOWN];
 *         cnn_prediction p;
 *         cnn_prediction_init(&p);
 *         p.probabilities = probabilities;
 *         p.probability_capacity = MOST;
 *         if (cnn_classifier_predict_file(classifier, path, &p))
 *             return fprintf(stderr, "%s\n", cnn_last_error());
 *         uint32_t count = cnn_top_classes(probabilities, p.class_count, classes, SHOWN);
 *         for (uint32_t i = 0; i < count; i++) {
 *             const char *name = cnn_classifier_class_name(classifier, classes[i]);
 *             printf("%s %.1f %%\n", name, 100 * probabilities[classes[i]]);
 *         }
 *         return 0;
 *     }
 *
 * A classifier may predict from many threads at once, as long as no thread trains, changes or destroys it. */
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
    uint32_t classes;           /* 2; at most 1000 */
    const cnn_net_options *net; /* NULL: the net as it is. Its `outputs` are ignored: they follow from `classes` */
    const cnn_preprocess *preprocess; /* NULL: as cnn_preprocess_init has it. Width and height are the net's */
    uint64_t seed;                    /* of the weights */
} cnn_classifier_options;

CNN_INLINE void cnn_classifier_options_init(cnn_classifier_options *options)
{
    cnn_options_clear(options, sizeof *options);
    if (!options)
        return;
    options->classes = 2;
}

/* Makes an untrained classifier of a net that is known by name (see cnn_net_options), with one logit for two classes
 * and one for each of more. `options` may be NULL. Errors: CNN_ERROR_ARGUMENT, CNN_ERROR_SHAPE, CNN_ERROR_LIMIT. */
CNN_API cnn_status cnn_classifier_create(cnn_context *context, const char *net, const cnn_classifier_options *options,
                                         cnn_classifier **classifier);

/* Makes one of a graph, which is copied. The graph takes height × width × 3 and ends in one logit, for two classes, or
 * in one for each class; `classes` and `net` of the options are ignored. */
CNN_API cnn_status cnn_classifier_create_from_graph(cnn_context *context, const cnn_graph *graph,
                                                    const cnn_classifier_options *options, cnn_classifier **classifier);

/* Makes one that begins with the weights of `pretrained`. Its net is the pretrained one without the head, which is the
 * last layer with weights and everything after it, followed by a new head for the options' classes. If the pretrained
 * model was a classifier and the options give no preprocessing, its preprocessing is used. Of the options' net only
 * `dropout` counts; it comes before the new head. Train the head first, by cnn_classifier_fit_head, then the whole
 * net, by cnn_classifier_fit. `pretrained` may be destroyed afterwards. */
CNN_API cnn_status cnn_classifier_create_from_model(cnn_context *context, const cnn_model *pretrained,
                                                    const cnn_classifier_options *options, cnn_classifier **classifier);

CNN_API void cnn_classifier_destroy(cnn_classifier *classifier);

/* --- training --- */

/* Trains on a dataset with as many classes as the classifier has, and takes their names from it. A classifier that has
 * been trained before continues from its weights, with the same classes. Files that can't be decoded are left out, and
 * the context's log names each once. `validation` NULL: a tenth of `training` is split off, chosen by the options'
 * seed. `options` may be NULL; their `preprocess` must be NULL, as the classifier has its own. At the end the
 * classifier is calibrated on the validation data: see cnn_classifier_calibrate. `history` of the second function
 * receives the figures of each epoch, also after an error; the caller owns it, and may pass NULL. Errors: as cnn_train.
 */
CNN_API cnn_status cnn_classifier_fit(cnn_classifier *classifier, const cnn_dataset *training,
                                      const cnn_dataset *validation, const cnn_train_options *options);
CNN_API cnn_status cnn_classifier_fit_with_history(cnn_classifier *classifier, const cnn_dataset *training,
                                                   const cnn_dataset *validation, const cnn_train_options *options,
                                                   cnn_history **history);

/* Trains only the layers after the one named `layer` (NULL: only the head), on values of that layer that are computed
 * once: see cnn_train_head. */
CNN_API cnn_status cnn_classifier_fit_head(cnn_classifier *classifier, const char *layer, const cnn_dataset *training,
                                           const cnn_dataset *validation, const cnn_train_options *options,
                                           cnn_history **history);

/* Measures the classifier on a dataset with the same classes. The caller owns `*metrics`. */
CNN_API cnn_status cnn_classifier_evaluate(const cnn_classifier *classifier, const cnn_dataset *dataset,
                                           cnn_metrics **metrics);

/* Fits the temperature by which logits are divided, so that confidence means what it says: of photographs with a
 * confidence of 0.9, nine in ten are classified correctly (see cnn_calibrate). The dataset is one that the classifier
 * wasn't trained on. Predictions and evaluations use the temperature, and model files store it. It changes which class
 * is predicted only where the threshold isn't 0.5. A photograph of none of the classes still gets one of them, often
 * with some confidence: no such photograph was ever seen in training. */
CNN_API cnn_status cnn_classifier_calibrate(cnn_classifier *classifier, const cnn_dataset *dataset);

/* Returns the temperature; 1 before calibration. */
CNN_API float cnn_classifier_temperature(const cnn_classifier *classifier);

/* --- settings, which are saved with the classifier --- */

/* Of two classes, class 1 is predicted where its probability is at least this: 0 to 1; 0.5 at first. Of more classes
 * the likeliest is predicted. */
CNN_API cnn_status cnn_classifier_set_threshold(cnn_classifier *classifier, float threshold);
CNN_API float cnn_classifier_threshold(const cnn_classifier *classifier);

/* Not 0: the logits of each photograph are averaged with those of its mirror image, which is more accurate and takes
 * twice as long. 0 at first. */
CNN_API cnn_status cnn_classifier_set_flip(cnn_classifier *classifier, uint32_t flip);
CNN_API uint32_t cnn_classifier_flip(const cnn_classifier *classifier);

/* Changes the height and width, in pixels, to which photographs are scaled for the net: see cnn_model_resize. A net is
 * often a little better with images that are larger than those it was trained on, by a quarter, say. */
CNN_API cnn_status cnn_classifier_resize(cnn_classifier *classifier, uint32_t height, uint32_t width);

/* --- predicting --- */

/* What a classifier says of one photograph. Call cnn_prediction_init first: the struct also tells the library where to
 * write lists and text. */
typedef struct cnn_prediction {
    uint32_t struct_size;
    cnn_status status;    /* of this image; unless it is CNN_OK, class_index is −1, and the rest 0 or NULL */
    int32_t class_index;  /* of the predicted class */
    float confidence;     /* the probability of the predicted class */
    float probability;    /* of class 1 */
    uint32_t class_count; /* of the classifier */
    const char *label;    /* the predicted class's name, valid as long as the classifier */

    /* Set by the caller before the call. Each may be NULL. */
    float *probabilities; /* receives the probability of each class, as many as there is room for */
    char *error;          /* receives the sentence for `status`, cut to fit between characters; "" for CNN_OK */
    uint32_t probability_capacity; /* room in `probabilities`: numbers */
    uint32_t error_capacity;       /* room in `error`: bytes, the final 0 among them */
} cnn_prediction;

CNN_INLINE void cnn_prediction_init(cnn_prediction *prediction)
{
    cnn_options_clear(prediction, sizeof *prediction);
}

/* Classify one photograph: a file, the bytes of a file, or pixels (height × width × 3, CNN_UINT8). Errors: those of
 * cnn_image_decode; CNN_ERROR_ARGUMENT if the classifier hasn't been trained. Thread-safe. */
CNN_API cnn_status cnn_classifier_predict_file(const cnn_classifier *classifier, const char *path,
                                               cnn_prediction *prediction);
CNN_API cnn_status cnn_classifier_predict_memory(const cnn_classifier *classifier, const void *bytes, size_t size,
                                                 cnn_prediction *prediction);
CNN_API cnn_status cnn_classifier_predict_pixels(const cnn_classifier *classifier, const cnn_tensor *pixels,
                                                 cnn_prediction *prediction);

/* Classify `count` photographs together, which is faster: they are decoded in parallel and computed in batches.
 * `predictions` has `count` elements, each of them initialised. A file that can't be used has its status in its own
 * prediction, and the others go on. If `count` is 0 the other pointers may be NULL. Thread-safe. */
CNN_API cnn_status cnn_classifier_predict_files(const cnn_classifier *classifier, const char *const *paths,
                                                size_t count, cnn_prediction *predictions);

/* The same for the bytes of files: `bytes[i]`, of which there are `sizes[i]`. */
CNN_API cnn_status cnn_classifier_predict_memories(const cnn_classifier *classifier, const void *const *bytes,
                                                   const size_t *sizes, size_t count, cnn_prediction *predictions);

/* Writes the indices of the likeliest of `class_count` classes to `classes`, the likeliest first; of equal ones, that
 * with the lower index. At most `capacity` are written. Returns how many were. */
CNN_API uint32_t cnn_top_classes(const float *probabilities, uint32_t class_count, uint32_t *classes,
                                 uint32_t capacity);

/* --- what a classifier consists of --- */

/* Returns how many classes it tells apart. */
CNN_API uint32_t cnn_classifier_class_count(const cnn_classifier *classifier);

/* Return the name of a class (NULL past the last, and before training), the preprocessing, and the model underneath.
 * All are valid as long as the classifier, and none is to be destroyed. Set the struct_size of a copy of the
 * preprocessing to the size of the copy. */
CNN_API const char *cnn_classifier_class_name(const cnn_classifier *classifier, uint32_t class_index);
CNN_API const cnn_preprocess *cnn_classifier_preprocess(const cnn_classifier *classifier);
CNN_API cnn_model *cnn_classifier_model(cnn_classifier *classifier);

/* Sets those of cnn_evaluate's options that the classifier has: preprocess, threshold, flip, temperature. `options`
 * have been initialised. They are valid as long as the classifier. */
CNN_API void cnn_classifier_evaluate_options(const cnn_classifier *classifier, cnn_evaluate_options *options);

/* --- files --- */

/* Write a trained classifier to a file, and read it back: see cnn_model_save. One file holds everything. */
CNN_API cnn_status cnn_classifier_save(const cnn_classifier *classifier, const char *path);
CNN_API cnn_status cnn_classifier_load(cnn_context *context, const char *path, cnn_classifier **classifier);

/* The same to and from memory: see cnn_model_save_to_memory. */
CNN_API cnn_status cnn_classifier_save_to_memory(const cnn_classifier *classifier, void **bytes, size_t *size);
CNN_API cnn_status cnn_classifier_load_from_memory(cnn_context *context, const void *bytes, size_t size,
                                                   cnn_classifier **classifier);

#ifdef CNN_EXPERIMENTAL

/* The same to and from a file that the program keeps itself: see cnn_model_save_to_callbacks. */
CNN_API cnn_status cnn_classifier_save_to_callbacks(const cnn_classifier *classifier,
                                                    const cnn_file_callbacks *callbacks);
CNN_API cnn_status cnn_classifier_load_from_callbacks(cnn_context *context, const cnn_file_callbacks *callbacks,
                                                      cnn_classifier **classifier);

#endif

CNN_END_DECLS

#endif
