/* One step of a training. */
#include <math.h>
#include <stdio.h>

#include "core/error.h"
#include "core/os.h"
#include "runtime/model_internal.h"
#include "train/loss.h"
#include "train/mixing.h"
#include "train/trainer_state.h"

static double learning_rate(const cnn_trainer *t)
{
    uint32_t epochs = t->settings->options.epochs;
    double steps = (double)epochs * (double)t->progress.steps;
    double factor =
        cnn_schedule_factor(&t->settings->schedule, (double)cnn_optimizer_steps(t->optimizer) / steps, epochs);
    return (double)t->settings->optimizer.learning_rate * factor * t->plateau.rate_factor;
}

static cnn_status set_targets(cnn_trainer *t, const cnn_batch *batch)
{
    uint32_t outputs = t->settings->outputs;
    cnn_status status = cnn_fit_tensor(t->context, batch->count, outputs, &t->targets);
    if (!status)
        status = cnn_fit_tensor(t->context, batch->count, outputs, &t->gradient);
    if (status)
        return status;
    float *targets = cnn_tensor_data(t->targets);
    for (uint32_t i = 0; i < batch->count; i++)
        for (uint32_t k = 0; k < outputs; k++)
            targets[(size_t)i * outputs + k] =
                outputs == 1 ? (float)batch->labels[i] : (float)((uint32_t)batch->labels[i] == k);
    return CNN_OK;
}

static void mix_images(cnn_trainer *t, const cnn_batch *batch)
{
    const cnn_train_options *options = &t->settings->options;
    const cnn_mixing mixing = { options->mixup, options->cutmix, options->seed, cnn_optimizer_steps(t->optimizer) };
    if (options->mixup > 0 || options->cutmix > 0)
        cnn_mix_batch(t->context, &mixing, batch->images, t->targets);
}

cnn_status cnn_trainer_suggest_lower_rate(const cnn_trainer *t)
{
    char batch[40] = "";
    if (!t->progress.validating && t->progress.step < t->progress.steps)
        snprintf(batch, sizeof batch, ", batch %llu", (unsigned long long)t->progress.step + 1);
    return cnn_fail(CNN_ERROR_NOT_FINITE, "training went astray in epoch %u%s: %s; try a learning rate below %g",
                    t->progress.epoch, batch, cnn_last_error(), t->progress.learning_rate);
}

cnn_status cnn_trainer_check_weights(const cnn_trainer *t)
{
    const char *weight = cnn_model_find_not_finite(t->model);
    if (!weight)
        return CNN_OK;
    cnn_fail(CNN_ERROR_NOT_FINITE, "%s holds a value that is not finite", weight);
    return cnn_trainer_suggest_lower_rate(t);
}

/* Shows the batch to the caller's hook, which may change it, or end the training. */
static void show_batch(cnn_trainer *t, const cnn_batch *batch)
{
    const cnn_train_hooks *hooks = &t->settings->hooks;
    const cnn_training_batch shown = {
        .struct_size = sizeof shown,
        .count = batch->count,
        .epoch = t->progress.epoch,
        .outputs = t->settings->outputs,
        .step = cnn_optimizer_steps(t->optimizer),
        .images = batch->images,
        .targets = t->targets,
        .labels = batch->labels,
        .indices = batch->indices,
    };
    t->stopped = hooks->on_batch && hooks->on_batch(&shown, hooks->on_batch_user);
}

static cnn_status compute_loss(cnn_trainer *t, const cnn_tensor *logits, double *loss)
{
    const cnn_train_hooks *hooks = &t->settings->hooks;
    const cnn_train_options *options = &t->settings->options;
    *loss = 0;
    uint64_t failures = cnn_count_failures();
    cnn_status status =
        hooks->loss ? hooks->loss(logits, t->targets, loss, t->gradient, hooks->loss_user)
                    : cnn_loss_compute(options->loss, options->label_smoothing, logits, t->targets, loss, t->gradient);
    if (status && hooks->loss)
        return cnn_fail_callback(status, "cnn_train_hooks: loss", failures);
    if (!status && !isfinite(*loss))
        status = cnn_fail(CNN_ERROR_NOT_FINITE, "the loss is not finite");
    return status;
}

/* Forward, loss, backward, and the change of weights; `*loss` is the batch's mean. */
static cnn_status update_weights(cnn_trainer *t, const cnn_batch *batch, const cnn_tensor **logits, double *loss)
{
    const cnn_train_options *options = &t->settings->options;
    cnn_status status =
        cnn_model_forward(t->model, batch->images, options->seed, cnn_optimizer_steps(t->optimizer), logits);
    if (!status)
        status = compute_loss(t, *logits, loss);
    if (!status)
        status = cnn_model_backward(t->model, t->gradient);
    if (!status)
        status = cnn_optimizer_step(t->optimizer, (float)t->progress.learning_rate);
    if (!status && t->ema)
        cnn_ema_update(t->ema);
    return status == CNN_ERROR_NOT_FINITE ? cnn_trainer_suggest_lower_rate(t) : status;
}

static void report_step(cnn_trainer *t, const cnn_batch *batch, const float *logits, double loss)
{
    uint32_t outputs = t->settings->outputs;
    for (uint32_t i = 0; i < batch->count; i++)
        t->correct += cnn_decide(logits + (size_t)i * outputs, outputs) == (uint32_t)batch->labels[i];
    t->loss += loss * batch->count;
    t->progress.images += batch->count;
    t->progress.step++;
    t->progress.loss = t->loss / (double)t->progress.images;
    t->progress.accuracy = t->correct / (double)t->progress.images;
    t->progress.seconds = cnn_os_seconds() - t->started;
    const cnn_train_options *options = &t->settings->options;
    t->stopped = options->on_step && options->on_step(&t->progress, options->on_step_user);
}

cnn_status cnn_train_step(cnn_trainer *t, const cnn_batch *batch)
{
    const cnn_tensor *logits = NULL;
    double loss = 0;
    t->progress.learning_rate = learning_rate(t);
    cnn_status status = set_targets(t, batch);
    if (status)
        return status;
    mix_images(t, batch);
    show_batch(t, batch);
    if (t->stopped)
        return CNN_OK;
    status = update_weights(t, batch, &logits, &loss);
    if (!status)
        report_step(t, batch, cnn_tensor_const_data(logits), loss);
    return status;
}
