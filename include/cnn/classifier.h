/* Classifiers: the simple way to train on photographs and to predict them. cnn.h begins with a whole program.
 *
 * A classifier is a model (model.h) and what is needed to use it: how photographs are prepared for the network, the
 * names of the classes, and how the network's outputs become a class and a confidence.
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
 * A classifier may predict, and be read by the getters, from many threads at once, as long as no thread trains, changes
 * or destroys it. */
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
    uint32_t classes;                 /* at least 2, at most 1000; 2 */
    const cnn_net_options *net;       /* its `outputs` are ignored: they follow from `classes`. NULL: the defaults */
    const cnn_preprocess *preprocess; /* its width and height are ignored: they are the net's. NULL: the defaults */
    uint64_t seed;                    /* of the random numbers that the weights begin with */
} cnn_classifier_options;

CNN_INLINE void cnn_classifier_options_init(cnn_classifier_options *options)
{
    cnn_options_clear(options, sizeof *options);
    if (!options)
        return;
    options->classes = 2;
}

/* Makes an untrained classifier. `net` is the name of a network: cnn_net_options lists them. The network ends in one
 * logit if there are two classes, else in one for each class. The caller owns the classifier; its context must outlive
 * it. `options` may be NULL. Errors: CNN_ERROR_ARGUMENT if there is no network of that name, or an option is out of
 * range; CNN_ERROR_SHAPE if the net doesn't fit the size; CNN_ERROR_LIMIT if it costs more than the context allows;
 * CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_classifier_create(cnn_context *context, const char *net, const cnn_classifier_options *options,
                                         cnn_classifier **classifier);

/* Makes an untrained classifier from a graph, which is copied. The graph's input is height × width × 3. It ends in one
 * logit for two classes, or in one for each class, and not in a sigmoid or softmax. The options' `classes` and `net`
 * are ignored. Errors: those of cnn_classifier_create, and the graph's own first error. */
CNN_API cnn_status cnn_classifier_create_from_graph(cnn_context *context, const cnn_graph *graph,
                                                    const cnn_classifier_options *options, cnn_classifier **classifier);

/* Makes a classifier that begins with the weights of `pretrained`, for transfer learning. Its network is the pretrained
 * one with a new head in the place of the old, which is the last layer with weights and everything after it. Train it
 * in two steps: first the head by cnn_classifier_fit_head, then the whole network by cnn_classifier_fit, at a low
 * learning rate.
 *
 * If the options give no preprocessing and the pretrained model was a classifier, its preprocessing is used. Of the
 * options' `net` only `dropout` is used: it comes before the new head. `pretrained` may be destroyed afterwards.
 * Errors: those of cnn_classifier_create; CNN_ERROR_ARGUMENT if the pretrained model is quantised or has no layer with
 * weights. */
CNN_API cnn_status cnn_classifier_create_from_model(cnn_context *context, const cnn_model *pretrained,
                                                    const cnn_classifier_options *options, cnn_classifier **classifier);

CNN_API void cnn_classifier_destroy(cnn_classifier *classifier);

/* --- training --- */

/* Train the classifier on a dataset that has as many classes as it has. The first training takes the names of the
 * classes from the dataset; a further one continues from the weights, and needs the same classes. Files that can't be
 * decoded are left out, and the context's log names each. `validation` NULL: a tenth of `training` is split off, chosen
 * by the options' seed. `options` may be NULL; their `preprocess` must be NULL, since the classifier has its own. At
 * the end the classifier is calibrated on the validation data: see cnn_classifier_calibrate. The datasets stay as they
 * are.
 *
 * With the second function `*history` becomes the figures of each epoch, even after an error. The caller owns it;
 * `history` may be NULL. Errors: those of cnn_train; CNN_ERROR_DATA if the classes differ. */
CNN_API cnn_status cnn_classifier_fit(cnn_classifier *classifier, const cnn_dataset *training,
                                      const cnn_dataset *validation, const cnn_train_options *options);
CNN_API cnn_status cnn_classifier_fit_with_history(cnn_classifier *classifier, const cnn_dataset *training,
                                                   const cnn_dataset *validation, const cnn_train_options *options,
                                                   cnn_history **history);

/* Trains only the layers after the one named `layer`, or only the head if that is NULL, as cnn_train_head does. All
 * else is as in cnn_classifier_fit_with_history. */
CNN_API cnn_status cnn_classifier_fit_head(cnn_classifier *classifier, const char *layer, const cnn_dataset *training,
                                           const cnn_dataset *validation, const cnn_train_options *options,
                                           cnn_history **history);

/* Measures the classifier on a dataset with the same classes, in any order. Files that can't be decoded are left out.
 * The caller owns `*metrics`. Errors: those of cnn_evaluate; CNN_ERROR_DATA if the classes differ; CNN_ERROR_ARGUMENT
 * if the classifier hasn't been trained. */
CNN_API cnn_status cnn_classifier_evaluate(const cnn_classifier *classifier, const cnn_dataset *dataset,
                                           cnn_metrics **metrics);

/* Fits the temperature, by which the logits are divided, so that of photographs with a confidence of 0.9, say, nine in
 * ten are predicted correctly: see cnn_calibrate. Use a dataset that the classifier wasn't trained on. Predictions and
 * evaluations use the temperature, and the model file stores it. It changes which class is predicted only if the
 * threshold isn't 0.5. (Calibration doesn't help with photographs of other things: a photograph of none of the classes
 * still gets one of them, often with high confidence.) Errors: those of cnn_classifier_evaluate. */
CNN_API cnn_status cnn_classifier_calibrate(cnn_classifier *classifier, const cnn_dataset *dataset);

/* Returns the temperature; 1 before the first calibration. */
CNN_API float cnn_classifier_temperature(const cnn_classifier *classifier);

/* --- settings, which are saved with the classifier --- */

/* Set and get the threshold, 0 to 1: of two classes, class 1 is predicted if its probability is at least the threshold.
 * It is 0.5 at first. Of more classes, the likeliest is predicted. Errors: CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_classifier_set_threshold(cnn_classifier *classifier, float threshold);
CNN_API float cnn_classifier_threshold(const cnn_classifier *classifier);

/* Set and get whether a photograph is predicted together with its mirror image, and their logits are averaged. This is
 * more accurate and takes twice as long. 0, which is no, at first. */
CNN_API cnn_status cnn_classifier_set_flip(cnn_classifier *classifier, uint32_t flip);
CNN_API uint32_t cnn_classifier_flip(const cnn_classifier *classifier);

/* Changes the height and width, in pixels, to which photographs are scaled for the network: see cnn_model_resize. A
 * network is often a little more accurate with larger images than those of its training, by a quarter, say. */
CNN_API cnn_status cnn_classifier_resize(cnn_classifier *classifier, uint32_t height, uint32_t width);

/* --- predicting --- */

/* The prediction for one photograph. Call cnn_prediction_init first, then set the pointers if you want lists or text.
 */
typedef struct cnn_prediction {
    uint32_t struct_size;
    cnn_status status;    /* CNN_OK, or why this photograph couldn't be predicted */
    int32_t class_index;  /* the predicted class; −1 unless status is CNN_OK */
    float confidence;     /* the probability of the predicted class; 0 unless status is CNN_OK */
    float probability;    /* of class 1; 0 unless status is CNN_OK */
    uint32_t class_count; /* of the classifier */
    const char
        *label; /* the name of the predicted class, valid as long as the classifier; NULL unless status is CNN_OK */

    /* Set by the caller; each pointer may be NULL. */
    float *probabilities; /* receives the probability of each class, or of as many classes as there is room for */
    char *error;          /* receives the sentence for `status`, shortened if there is no room; "" for CNN_OK */
    uint32_t probability_capacity; /* how many numbers there is room for */
    uint32_t error_capacity;       /* how many bytes there is room for, the final 0 included */
} cnn_prediction;

CNN_INLINE void cnn_prediction_init(cnn_prediction *prediction)
{
    cnn_options_clear(prediction, sizeof *prediction);
}

/* Predict one photograph: a file, the `size` bytes of a file, or pixels (height × width × 3, CNN_UINT8). `prediction`
 * has been initialised. Its `status` is what the function returns, unless an argument was refused. Thread-safe. Errors:
 * those of cnn_image_load; CNN_ERROR_ARGUMENT if the classifier hasn't been trained; CNN_ERROR_NOT_FINITE if the
 * network's output isn't finite. */
CNN_API cnn_status cnn_classifier_predict_file(const cnn_classifier *classifier, const char *path,
                                               cnn_prediction *prediction);
CNN_API cnn_status cnn_classifier_predict_memory(const cnn_classifier *classifier, const void *bytes, size_t size,
                                                 cnn_prediction *prediction);
CNN_API cnn_status cnn_classifier_predict_pixels(const cnn_classifier *classifier, const cnn_tensor *pixels,
                                                 cnn_prediction *prediction);

/* Predicts `count` files, which is faster than one after the other: they are decoded in parallel and computed in
 * batches. `predictions` has `count` elements, each of which has been initialised. If a file can't be used, its
 * prediction says so by its `status`, and the function goes on. With a `count` of 0 the other pointers may be NULL.
 * Thread-safe. Errors, by which all files are affected: CNN_ERROR_ARGUMENT; CNN_ERROR_OUT_OF_MEMORY; CNN_ERROR_STOPPED
 * if cnn_context_cancel was called. Some predictions may then be as they were before. */
CNN_API cnn_status cnn_classifier_predict_files(const cnn_classifier *classifier, const char *const *paths,
                                                size_t count, cnn_prediction *predictions);

/* Predicts `count` files whose bytes are in memory, in the same way: `bytes[i]`, of which there are `sizes[i]`. */
CNN_API cnn_status cnn_classifier_predict_memories(const cnn_classifier *classifier, const void *const *bytes,
                                                   const size_t *sizes, size_t count, cnn_prediction *predictions);

/* Finds the likeliest classes, the likeliest first; of equally likely ones, that with the lower index comes first.
 * `probabilities` has `class_count` numbers. `classes` has room for `capacity` indices. Returns how many were written:
 * the smaller of both numbers. Thread-safe. */
CNN_API uint32_t cnn_top_classes(const float *probabilities, uint32_t class_count, uint32_t *classes,
                                 uint32_t capacity);

/* --- what a classifier consists of --- */

/* Returns the number of classes. */
CNN_API uint32_t cnn_classifier_class_count(const cnn_classifier *classifier);

/* Return the name of a class (NULL past the last class, and before the first training), the preprocessing, and the
 * model. The classifier owns what they return; it is valid as long as the classifier. When you copy the preprocessing,
 * set the copy's struct_size to sizeof(cnn_preprocess). */
CNN_API const char *cnn_classifier_class_name(const cnn_classifier *classifier, uint32_t class_index);
CNN_API const cnn_preprocess *cnn_classifier_preprocess(const cnn_classifier *classifier);
CNN_API cnn_model *cnn_classifier_model(cnn_classifier *classifier);

/* Sets the options of cnn_evaluate that the classifier determines: preprocess, threshold, flip, temperature. `options`
 * have been initialised. They are valid as long as the classifier. */
CNN_API void cnn_classifier_evaluate_options(const cnn_classifier *classifier, cnn_evaluate_options *options);

/* --- files --- */

/* Write a trained classifier to a file, and read it back: see cnn_model_save. The one file holds everything. Loading
 * takes ONNX files, too, if they hold a classifier's metadata. The caller owns the classifier; its context must outlive
 * it. Errors: those of cnn_model_save and cnn_model_load; CNN_ERROR_FORMAT or CNN_ERROR_SHAPE if the file's model is no
 * classifier; CNN_ERROR_ARGUMENT if the classifier to be saved hasn't been trained. */
CNN_API cnn_status cnn_classifier_save(const cnn_classifier *classifier, const char *path);
CNN_API cnn_status cnn_classifier_load(cnn_context *context, const char *path, cnn_classifier **classifier);

/* Write a trained classifier to memory, and read it back: see cnn_model_save_to_memory. `*bytes` are freed by
 * cnn_bytes_free. Errors: as above. */
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
