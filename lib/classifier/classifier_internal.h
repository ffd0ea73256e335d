/* The struct behind cnn_classifier, and what its source files share. */
#ifndef CNN_CLASSIFIER_CLASSIFIER_INTERNAL_H
#define CNN_CLASSIFIER_CLASSIFIER_INTERNAL_H

#include <stdbool.h>

#include <cnn/classifier.h>

struct cnn_classifier {
    cnn_context *context;
    cnn_model *model; /* its metadata always say what is here: saving the model saves the classifier */
    cnn_preprocess preprocess;
    uint32_t outputs, class_count; /* of the model */
    char **class_names;            /* as many; the first is NULL before training */
    float threshold, temperature;
    bool flip;
};

/* Fails if the classifier is NULL; or, the second, if it has not learned any classes either. `function` begins the
 * sentence. */
cnn_status cnn_classifier_check(const cnn_classifier *classifier, const char *function);
cnn_status cnn_classifier_check_trained(const cnn_classifier *classifier, const char *function);

/* How photographs are decoded for its net. */
cnn_image_options cnn_classifier_image_options(const cnn_classifier *classifier);

/* Pixels of any size to the net's input. They are first reduced as a photograph of theirs is when it is decoded, so
 * that both give the same. */
cnn_status cnn_classifier_prepare(const cnn_classifier *classifier, const cnn_tensor *pixels, float *input);

/* Predicts from what was decoded, unless `status` says that nothing was, and frees it. */
cnn_status cnn_classifier_finish_prediction(const cnn_classifier *classifier, cnn_status status, cnn_tensor *pixels,
                                            cnn_prediction *prediction);

/* Makes one around a model that ends in logits. Takes the model over if it succeeds. */
cnn_status cnn_classifier_wrap(cnn_context *context, cnn_model *model, cnn_classifier **classifier);

/* How many logits the net of so many classes ends in. */
cnn_status cnn_classifier_choose_outputs(const cnn_classifier_options *options, uint32_t *outputs);

/* Fails if the preprocessing isn't possible; sets its width and height to the model's. */
cnn_status cnn_classifier_set_preprocess(cnn_classifier *classifier, const cnn_preprocess *preprocess);

cnn_status cnn_classifier_set_classes(cnn_classifier *classifier, const char *const *names);

/* It has no classes any more, as before its first training. */
void cnn_classifier_forget_classes(cnn_classifier *classifier);

/* What a training was, for the model's metadata. */
typedef struct cnn_training_record {
    const cnn_train_options *options;
    const cnn_history *history;
    uint64_t images, validation_images;
} cnn_training_record;

/* Writes the model's metadata anew: preprocessing, classes, threshold, temperature, flip; and the training. */
cnn_status cnn_classifier_write_metadata(cnn_classifier *classifier);
cnn_status cnn_classifier_write_training(cnn_classifier *classifier, const cnn_training_record *record);

/* The key of the metadata that say how images are prepared, and their text (NULL: nothing is done). */
#define CNN_METADATA_PREPROCESS "cnn.preprocess"
cnn_status cnn_classifier_read_preprocess(cnn_classifier *classifier, const char *text);

/* The other way; `path` begins the sentence. */
cnn_status cnn_classifier_read_metadata(cnn_classifier *classifier, const char *path);

#endif
