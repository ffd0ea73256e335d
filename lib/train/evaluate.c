#include "train/evaluate.h"

#include <math.h>

#include "core/cancel.h"
#include "core/error.h"
#include "core/options.h"
#include "runtime/model_internal.h"
#include "train/flip.h"
#include "train/loss.h"
#include "train/train_settings.h"

cnn_status cnn_fit_tensor(cnn_context *context, int64_t rows, int64_t columns, cnn_tensor **tensor)
{
    if (*tensor && cnn_tensor_dim(*tensor, 0) == rows)
        return CNN_OK;
    cnn_tensor_destroy(*tensor);
    return cnn_tensor_create(context, CNN_FLOAT32, 2, (int64_t[]){ rows, columns }, tensor);
}

static cnn_status fail_stopped(void)
{
    return cnn_fail(CNN_ERROR_STOPPED, "the evaluation was stopped");
}

static cnn_status add_image(cnn_evaluation *evaluation, const float *logits, uint32_t label, uint64_t index)
{
    float scaled[CNN_MAX_METRIC_CLASSES], probabilities[CNN_MAX_METRIC_CLASSES];
    uint32_t outputs = evaluation->outputs;
    if (evaluation->sink.take)
        evaluation->sink.take(evaluation->sink.user, logits, label);
    cnn_divide_logits(logits, outputs, evaluation->temperature, scaled);
    cnn_probabilities(scaled, outputs, probabilities);
    cnn_sample_result result = {
        .struct_size = sizeof result,
        .image = index,
        .label = label,
        .predicted = outputs <= 2 ? probabilities[1] >= evaluation->threshold : cnn_decide(scaled, outputs),
        .probabilities = probabilities,
        .loss = cnn_label_loss(scaled, outputs, label),
    };
    cnn_status status = cnn_metrics_add(evaluation->metrics, label, probabilities, result.predicted, result.loss);
    if (!status && evaluation->image && evaluation->image(&result, evaluation->image_user))
        status = fail_stopped();
    return status;
}

static cnn_status add_batch(cnn_evaluation *evaluation, const cnn_batch *batch)
{
    cnn_status status =
        cnn_fit_tensor(evaluation->model->context, batch->count, evaluation->outputs, &evaluation->logits);
    if (!status && evaluation->flip)
        status = cnn_predict_both_ways(evaluation->model, batch->images, evaluation->logits);
    else if (!status)
        status = cnn_model_predict(evaluation->model, batch->images, evaluation->logits);
    const float *logits = status ? NULL : cnn_tensor_const_data(evaluation->logits);
    for (uint32_t i = 0; i < batch->count && !status; i++)
        status = add_image(evaluation, logits + (size_t)i * evaluation->outputs, (uint32_t)batch->labels[i],
                           batch->indices[i]);
    return status;
}

cnn_status cnn_evaluation_run(cnn_evaluation *evaluation)
{
    cnn_work work;
    cnn_work_begin(&work, evaluation->model->context);
    cnn_status status = evaluation->batches.start(evaluation->batches.source, 0);
    for (uint64_t batches = 1; !status; batches++) {
        cnn_batch batch = { .struct_size = sizeof batch };
        status = cnn_work_check("the evaluation");
        if (!status)
            status = evaluation->batches.next(evaluation->batches.source, &batch);
        if (status || batch.count == 0)
            break;
        status = add_batch(evaluation, &batch);
        if (!status && evaluation->step && evaluation->step(evaluation->user, batches))
            status = fail_stopped();
    }
    cnn_work_end(&work);
    return status;
}

typedef struct progress {
    const cnn_evaluate_options *options;
    uint64_t images;
} progress;

static int report(void *user, uint64_t batches)
{
    const progress *to = user;
    uint64_t done = batches * to->options->batch_size;
    return to->options->progress(done < to->images ? done : to->images, to->images, to->options->progress_user);
}

/* Of all images of the dataset; `options` with their preprocessing. */
static cnn_status evaluate(cnn_evaluation *evaluation, const cnn_dataset *dataset, const cnn_evaluate_options *options)
{
    cnn_loader_options loader_options;
    cnn_loader_options_init(&loader_options);
    loader_options.batch_size = options->batch_size;
    loader_options.workers = options->workers;
    loader_options.preprocess = options->preprocess;
    progress to = { options, cnn_dataset_count(dataset) };
    evaluation->threshold = options->threshold;
    evaluation->flip = options->flip != 0;
    evaluation->temperature = options->temperature;
    evaluation->image = options->on_image;
    evaluation->image_user = options->on_image_user;
    evaluation->step = options->progress ? report : NULL;
    evaluation->user = &to;
    cnn_loader *loader;
    cnn_status status = cnn_loader_create(evaluation->model->context, dataset, &loader_options, &loader);
    if (!status) {
        evaluation->batches = cnn_batches_of_loader(loader);
        status = cnn_evaluation_run(evaluation);
        cnn_tensor_destroy(evaluation->logits);
        cnn_loader_destroy(loader);
    }
    evaluation->user = NULL;
    return status;
}

static cnn_status resolve(const cnn_evaluate_options *given, cnn_evaluate_options *options)
{
    cnn_evaluate_options_init(options);
    cnn_status status = cnn_options_read(options, sizeof *options, given, "cnn_evaluate_options");
    if (status)
        return status;
    if (!options->batch_size)
        return cnn_fail(CNN_ERROR_ARGUMENT, "evaluation: batch_size is 0; begin with cnn_evaluate_options_init");
    if (!(options->threshold >= 0 && options->threshold <= 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "evaluation: the threshold is %g; it must be from 0 to 1",
                        (double)options->threshold);
    if (!(options->temperature > 0 && isfinite(options->temperature)))
        return cnn_fail(CNN_ERROR_ARGUMENT, "evaluation: the temperature is %g; it must be above 0 and finite",
                        (double)options->temperature);
    return CNN_OK;
}

cnn_status cnn_evaluate(const cnn_model *model, const cnn_dataset *dataset, const cnn_evaluate_options *options,
                        cnn_metrics **metrics)
{
    return cnn_evaluate_with(model, dataset, options, NULL, metrics);
}

cnn_status cnn_evaluate_with(const cnn_model *model, const cnn_dataset *dataset, const cnn_evaluate_options *given,
                             const cnn_logits_sink *sink, cnn_metrics **metrics)
{
    if (!metrics)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_evaluate: the result has no place: NULL was given");
    *metrics = NULL;
    if (!model || !dataset)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_evaluate: no model or no dataset was given");
    cnn_evaluate_options options;
    cnn_preprocess preprocess;
    cnn_evaluation evaluation = { .model = model, .sink = sink ? *sink : (cnn_logits_sink){ 0 } };
    cnn_status status = resolve(given, &options);
    if (!status)
        status = cnn_check_classifier(model, &evaluation.outputs);
    if (!status)
        status = cnn_preprocess_resolve(model, options.preprocess, &preprocess);
    if (!status)
        status = cnn_check_dataset(dataset, evaluation.outputs);
    if (!status)
        status = cnn_metrics_create(model->context, cnn_classes_of_outputs(evaluation.outputs), metrics);
    options.preprocess = &preprocess;
    evaluation.metrics = *metrics;
    if (!status)
        status = evaluate(&evaluation, dataset, &options);
    if (status) {
        cnn_metrics_destroy(*metrics);
        *metrics = NULL;
    }
    return status;
}
