/* A training's options, checked and with every default filled in. */
#ifndef CNN_TRAIN_TRAIN_SETTINGS_H
#define CNN_TRAIN_TRAIN_SETTINGS_H

#include <stdbool.h>

#include <cnn/trainer.h>

typedef struct cnn_train_settings {
    cnn_train_options options; /* its pointers to the structs below are not used */
    cnn_optimizer_options optimizer;
    cnn_schedule schedule;
    cnn_augment augment;
    cnn_preprocess preprocess;
    cnn_train_hooks hooks;
    uint32_t outputs;  /* of the model */
    bool progressive;  /* images have another size in training than the model's input */
    bool validates;    /* there is validation data */
    bool keeps_latest; /* ends with the latest weights, not the best ones */
} cnn_train_settings;

cnn_status cnn_train_settings_resolve(const cnn_model *model, const cnn_dataset *training,
                                      const cnn_dataset *validation, const cnn_train_options *given,
                                      cnn_train_settings *settings);

/* Checks that the files which the training is to write can be written, and are not one and the same. */
cnn_status cnn_train_check_outputs(const cnn_train_options *options);

/* Checks that a model classifies photographs, and says by how many logits. */
cnn_status cnn_check_classifier(const cnn_model *model, uint32_t *outputs);

/* Checks that every image has a class, and that the model knows it. */
cnn_status cnn_check_dataset(const cnn_dataset *dataset, uint32_t outputs);

/* `given` may be NULL; the width and height become the model's. */
cnn_status cnn_preprocess_resolve(const cnn_model *model, const cnn_preprocess *given, cnn_preprocess *preprocess);

/* The size of images in an epoch (1 is the first): from `first` to `last` in steps of 16 pixels over the first three
 * quarters of the training. It begins on smaller images, which cost less, and ends on larger ones: Howard 2018
 * (fast.ai's DAWNBench entry); Tan and Le 2021, "EfficientNetV2", arXiv:2104.00298. */
uint32_t cnn_progressive_size(uint32_t first, uint32_t last, uint32_t epoch, uint32_t epochs);

#endif
