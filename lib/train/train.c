/* cnn_train: makes the loaders, then runs the training loop. */
#include <cnn/trainer.h>

#include "core/error.h"
#include "runtime/model_internal.h"
#include "train/fingerprint.h"
#include "train/training_loop.h"

typedef struct sources {
    cnn_loader *training, *validation; /* NULL without validation data */
} sources;

/* The cache is shared out by numbers of images, as photographs are alike in size. */
static cnn_status create_loaders(cnn_context *context, const cnn_dataset *training, const cnn_dataset *validation,
                                 const cnn_train_settings *settings, sources *s)
{
    const cnn_train_options *options = &settings->options;
    double images = (double)cnn_dataset_count(training);
    double share = validation ? images / (images + (double)cnn_dataset_count(validation)) : 1;
    cnn_loader_options loader;
    cnn_loader_options_init(&loader);
    loader.batch_size = options->batch_size;
    loader.workers = options->workers;
    loader.seed = options->seed;
    loader.preprocess = &settings->preprocess;
    cnn_preprocess largest = settings->preprocess;
    if (settings->progressive)
        largest.width = largest.height = options->last_size;
    cnn_loader_options for_training = loader;
    for_training.preprocess = &largest;
    for_training.shuffle = 1;
    for_training.augment = &settings->augment;
    for_training.cache_bytes = (uint64_t)((double)options->cache_bytes * share);
    loader.cache_bytes = options->cache_bytes - for_training.cache_bytes;
    cnn_status status = cnn_loader_create(context, training, &for_training, &s->training);
    if (!status && validation)
        status = cnn_loader_create(context, validation, &loader, &s->validation);
    return status;
}

/* Whether the net can take each size of its training: better known before the first epoch is over. */
static cnn_status try_sizes(cnn_model *model, const cnn_train_settings *settings)
{
    if (!settings->progressive)
        return CNN_OK;
    const cnn_train_options *options = &settings->options;
    cnn_status status = CNN_OK;
    uint32_t last = 0;
    for (uint32_t epoch = 1; epoch <= options->epochs && !status; epoch++) {
        uint32_t size = cnn_progressive_size(options->first_size, options->last_size, epoch, options->epochs);
        if (size != last)
            status = cnn_model_resize(model, size, size);
        last = size;
    }
    cnn_status restored = cnn_model_resize(model, settings->preprocess.height, settings->preprocess.width);
    return status ? status : restored;
}

cnn_status cnn_train(cnn_model *model, const cnn_dataset *training, const cnn_dataset *validation,
                     const cnn_train_options *options, cnn_history **history)
{
    if (history)
        *history = NULL;
    if (!model || !training)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_train: no model or no training data was given");
    cnn_train_settings settings;
    sources s = { 0 };
    cnn_training_inputs run = { .model = model, .settings = &settings };
    cnn_status status = cnn_train_settings_resolve(model, training, validation, options, &settings);
    if (!status)
        status = cnn_train_check_outputs(&settings.options);
    if (!status)
        status = try_sizes(model, &settings);
    if (!status)
        status = create_loaders(model->context, training, validation, &settings, &s);
    if (!status && settings.options.checkpoint)
        status = cnn_fingerprint_create(model, training, validation, &settings, &run.fingerprint);
    if (!status) {
        run.batches = cnn_batches_of_loader(s.training);
        run.validation = cnn_batches_of_loader(s.validation);
        run.loader = s.training;
        status = cnn_training_loop(&run, history);
    }
    cnn_loader_destroy(s.validation);
    cnn_loader_destroy(s.training);
    return status;
}
