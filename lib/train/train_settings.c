#include "train/train_settings.h"

#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/options.h"
#include "data/augment.h"
#include "graph/graph_internal.h"
#include "optim/optimizer_internal.h"
#include "runtime/model_internal.h"
#include "train/loss.h"

enum { MOST_IN_BATCH = 1 << 20 };

/* Losses are computed from logits, where they are stable. */
static cnn_status check_last_layer(const cnn_graph *graph)
{
    cnn_node last = cnn_graph_output(graph);
    const char *type = cnn_graph_node_type(graph, last);
    if (type && (!strcmp(type, "sigmoid") || !strcmp(type, "softmax")))
        return cnn_fail(CNN_ERROR_SHAPE, "%s: the net must end in logits: leave out its last layer, the %s",
                        cnn_graph_node_name(graph, last), type);
    return CNN_OK;
}

cnn_status cnn_check_classifier(const cnn_model *model, uint32_t *outputs)
{
    cnn_shape input = cnn_model_input_shape(model), output = cnn_model_output_shape(model);
    if (input.rank != 3 || input.dims[2] != 3 || input.dims[0] > UINT32_MAX || input.dims[1] > UINT32_MAX)
        return cnn_fail(CNN_ERROR_SHAPE, "the net's input must be height × width × 3, as photographs are");
    if (output.rank != 1 || output.dims[0] < 1 || output.dims[0] > CNN_MAX_METRIC_CLASSES)
        return cnn_fail(CNN_ERROR_SHAPE, "the net's output must be 1 to %d logits", CNN_MAX_METRIC_CLASSES);
    *outputs = (uint32_t)output.dims[0];
    return check_last_layer(cnn_model_graph(model));
}

cnn_status cnn_check_dataset(const cnn_dataset *dataset, uint32_t outputs)
{
    uint32_t classes = cnn_dataset_class_count(dataset), known = cnn_classes_of_outputs(outputs);
    if (classes > known)
        return cnn_fail(CNN_ERROR_DATA, "the data has %u classes; the net tells %u apart", classes, known);
    uint64_t count = cnn_dataset_count(dataset);
    if (count == 0)
        return cnn_fail(CNN_ERROR_DATA, "the data has no images");
    for (uint64_t i = 0; i < count; i++) {
        int32_t label = cnn_dataset_label(dataset, i);
        if (label < 0 || (uint32_t)label >= known)
            return cnn_fail(CNN_ERROR_DATA, "%s: has no class", cnn_dataset_path(dataset, i));
    }
    return CNN_OK;
}

cnn_status cnn_preprocess_resolve(const cnn_model *model, const cnn_preprocess *given, cnn_preprocess *preprocess)
{
    cnn_preprocess_init(preprocess);
    cnn_status status = cnn_options_read(preprocess, sizeof *preprocess, given, "cnn_preprocess");
    if (status)
        return status;
    cnn_shape input = cnn_model_input_shape(model);
    if ((preprocess->width && preprocess->width != input.dims[1]) ||
        (preprocess->height && preprocess->height != input.dims[0]))
        return cnn_fail(CNN_ERROR_ARGUMENT, "preprocessing is to %u×%u; the net's input is %lld×%lld",
                        preprocess->height, preprocess->width, (long long)input.dims[0], (long long)input.dims[1]);
    cnn_preprocess sized = *preprocess;
    sized.height = (uint32_t)input.dims[0];
    sized.width = (uint32_t)input.dims[1];
    return cnn_preprocess_read(&sized, preprocess);
}

static cnn_status check_numbers(const cnn_train_options *options)
{
    if (!(options->ema_decay >= 0 && options->ema_decay < 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "training: ema_decay is %g; it must be at least 0 and below 1",
                        (double)options->ema_decay);
    if (!(options->label_smoothing >= 0 && options->label_smoothing < 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "training: label_smoothing is %g; it must be at least 0 and below 1",
                        (double)options->label_smoothing);
    if (!(options->mixup >= 0 && options->mixup <= 1 && options->cutmix >= 0 && options->cutmix <= 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "training: mixup is %g and cutmix %g; each must be from 0 to 1",
                        (double)options->mixup, (double)options->cutmix);
    if (options->resume && !options->checkpoint)
        return cnn_fail(CNN_ERROR_ARGUMENT, "training: resume is set, but no checkpoint to resume from");
    return CNN_OK;
}

/* Fills in the sizes of images in training. */
static cnn_status resolve_sizes(cnn_train_settings *settings)
{
    cnn_train_options *options = &settings->options;
    uint32_t width = settings->preprocess.width, height = settings->preprocess.height;
    settings->progressive = options->first_size || options->last_size;
    if (!settings->progressive)
        return CNN_OK;
    if (width != height)
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "training: the net's input is %u×%u; other sizes in training need a square one", height, width);
    options->last_size = options->last_size ? options->last_size : width;
    options->first_size = options->first_size ? options->first_size : options->last_size;
    if (options->first_size > options->last_size)
        return cnn_fail(CNN_ERROR_ARGUMENT, "training: the first size, %u, must not be above the last, %u",
                        options->first_size, options->last_size);
    return CNN_OK;
}

static cnn_status check_validation(const cnn_train_settings *settings)
{
    if (!settings->validates && settings->options.early_stopping)
        return cnn_fail(CNN_ERROR_ARGUMENT, "training: early stopping needs validation data");
    if (!settings->validates && settings->schedule.kind == CNN_SCHEDULE_PLATEAU)
        return cnn_fail(CNN_ERROR_ARGUMENT, "training: the plateau schedule needs validation data");
    return CNN_OK;
}

static cnn_status resolve_options(const cnn_train_options *given, cnn_train_options *options)
{
    cnn_train_options_init(options);
    cnn_status status = cnn_options_read(options, sizeof *options, given, "cnn_train_options");
    if (!status)
        status = check_numbers(options);
    if (status)
        return status;
    if (options->batch_size > MOST_IN_BATCH)
        return cnn_fail(CNN_ERROR_LIMIT, "training: batch_size is %u; at most %d images are possible",
                        options->batch_size, MOST_IN_BATCH);
    if (!options->batch_size)
        return cnn_fail(CNN_ERROR_ARGUMENT, "training: batch_size is 0; begin with cnn_train_options_init");
    return CNN_OK;
}

cnn_status cnn_train_settings_resolve(const cnn_model *model, const cnn_dataset *training,
                                      const cnn_dataset *validation, const cnn_train_options *given,
                                      cnn_train_settings *settings)
{
    *settings = (cnn_train_settings){ .validates = validation != NULL };
    cnn_train_options *options = &settings->options;
    cnn_status status = cnn_model_check_floats(model, "cnn_train");
    if (!status)
        status = resolve_options(given, options);
    if (!status)
        status = cnn_precision_resolve(model->context, &options->precision);
    if (!status)
        status = cnn_optimizer_options_resolve(options->optimizer, &settings->optimizer);
    if (!status)
        status = cnn_schedule_resolve(options->schedule, &settings->schedule);
    if (!status)
        status = cnn_augment_read(options->augment, &settings->augment);
    cnn_train_hooks_init(&settings->hooks);
    if (!status)
        status = cnn_options_read(&settings->hooks, sizeof settings->hooks, options->hooks, "cnn_train_hooks");
    if (!status)
        status = cnn_check_classifier(model, &settings->outputs);
    if (!status)
        status = cnn_preprocess_resolve(model, options->preprocess, &settings->preprocess);
    if (!status)
        status = resolve_sizes(settings);
    if (!status)
        status = cnn_loss_resolve(options->loss, settings->outputs, &options->loss);
    if (!status)
        status = cnn_check_dataset(training, settings->outputs);
    if (!status && validation)
        status = cnn_check_dataset(validation, settings->outputs);
    settings->keeps_latest = !validation || options->keep_last;
    return status ? status : check_validation(settings);
}

cnn_status cnn_train_check_outputs(const cnn_train_options *options)
{
    cnn_status status = options->checkpoint ? cnn_file_check_target(options->checkpoint) : CNN_OK;
    if (!status && options->history)
        status = cnn_file_check_target(options->history);
    if (!status && options->checkpoint && options->history &&
        cnn_file_same_target(options->checkpoint, options->history))
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "training: checkpoint and history are the same file, %s: one would overwrite the other",
                        options->history);
    return status;
}

uint32_t cnn_progressive_size(uint32_t first, uint32_t last, uint32_t epoch, uint32_t epochs)
{
    enum { STEP = 16 }; /* pixels: what is halved four times stays whole */
    uint64_t done = 4 * ((uint64_t)epoch - 1), rising = 3 * (uint64_t)epochs;
    if (first >= last || epoch >= epochs || done >= rising)
        return last;
    uint64_t sizes = (last - first) / STEP + 1;
    return first + (uint32_t)(sizes * done / rising) * STEP;
}
