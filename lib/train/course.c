#include "train/course.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/os.h"
#include "data/loader.h"
#include "optim/ema.h"
#include "optim/optimizer_internal.h"
#include "optim/snapshot.h"
#include "runtime/model_internal.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"
#include "train/history.h"
#include "train/loss.h"
#include "train/metrics.h"
#include "train/mixing.h"
#include "train/progressive.h"

typedef struct trainer {
    cnn_context *context;
    cnn_model *model;
    const cnn_train_settings *settings;
    cnn_batches batches;
    cnn_loader *loader;
    cnn_evaluation validation;
    cnn_optimizer *optimizer;
    cnn_ema *ema;       /* NULL: weights aren't averaged */
    cnn_snapshot *best; /* the weights to end with; at first, those at the start */
    cnn_history *history;
    cnn_checkpoint *checkpoint; /* NULL: none */
    cnn_tensor *targets, *gradient;

    /* The epoch under way. */
    cnn_progress progress;
    double loss, correct; /* sums over its images */
    double started;
    bool partial; /* weights have changed since the last whole epoch */
    bool stopped; /* by a callback */

    /* What follows from the history alone: see follow(). */
    double lowest_loss;       /* of validation */
    uint32_t epochs_since;    /* it was reached */
    uint32_t epochs_on_level; /* since then or since the rate was last lowered */
    double plateau_factor;
} trainer;

static int report_validation(void *user, uint64_t batches)
{
    trainer *t = user;
    t->progress.step = batches;
    cnn_metrics_means(t->validation.metrics, &t->progress.loss, &t->progress.accuracy);
    t->progress.seconds = cnn_os_seconds() - t->started;
    t->stopped =
        t->settings->options.on_step && t->settings->options.on_step(&t->progress, t->settings->options.on_step_user);
    return t->stopped;
}

static cnn_status create_validation(trainer *t)
{
    t->validation.model = t->model;
    t->validation.outputs = t->settings->outputs;
    t->validation.threshold = 0.5f;
    t->validation.step = report_validation;
    t->validation.user = t;
    return cnn_metrics_create(t->context, cnn_classes_of_outputs(t->settings->outputs), &t->validation.metrics);
}

static cnn_status create_checkpoint(trainer *t, json_t *fingerprint)
{
    /* the latest weights need no second copy in the file */
    const cnn_snapshot *best = t->settings->keeps_latest ? NULL : t->best;
    return cnn_checkpoint_create(t->settings->options.checkpoint, fingerprint, t->model, t->optimizer, t->ema, best,
                                 &t->checkpoint);
}

/* The model takes images of its own size but while it trains. */
static cnn_status give_own_size(trainer *t)
{
    if (!t->settings->progressive)
        return CNN_OK;
    return cnn_model_resize(t->model, t->settings->preprocess.height, t->settings->preprocess.width);
}

static cnn_status give_training_size(trainer *t, uint32_t epoch)
{
    const cnn_train_options *options = &t->settings->options;
    if (!t->settings->progressive)
        return CNN_OK;
    uint32_t size = cnn_progressive_size(options->first_size, options->last_size, epoch, options->epochs);
    cnn_loader_resize(t->loader, size, size);
    return cnn_model_resize(t->model, size, size);
}

static cnn_status set_up(trainer *t, json_t *fingerprint)
{
    cnn_status status = cnn_history_create(t->context, &t->history);
    if (!status && t->settings->validates)
        status = create_validation(t);
    if (!status)
        status = cnn_optimizer_create(t->model, &t->settings->optimizer, &t->optimizer);
    if (!status && t->settings->options.ema_decay > 0)
        status = cnn_ema_create(t->model, t->settings->options.ema_decay, &t->ema);
    if (!status)
        status = cnn_snapshot_create(t->model, &t->best);
    if (!status && fingerprint)
        return create_checkpoint(t, fingerprint);
    json_decref(fingerprint);
    return status;
}

static void tear_down(trainer *t)
{
    cnn_tensor_destroy(t->targets);
    cnn_tensor_destroy(t->gradient);
    cnn_tensor_destroy(t->validation.logits);
    cnn_metrics_destroy(t->validation.metrics);
    cnn_checkpoint_destroy(t->checkpoint);
    cnn_snapshot_destroy(t->best);
    cnn_ema_destroy(t->ema);
    cnn_optimizer_destroy(t->optimizer);
    cnn_history_destroy(t->history);
}

/* Exchanges the weights with their averages, which validation and the end use; twice is as before. */
static void swap_averages(trainer *t)
{
    if (t->ema)
        cnn_snapshot_swap(t->ema->weights);
}

static void capture_best(trainer *t)
{
    swap_averages(t);
    cnn_snapshot_capture(t->best);
    swap_averages(t);
}

static bool is_best(const trainer *t, const cnn_epoch *epoch)
{
    if (t->settings->keeps_latest || t->history->count == 0)
        return true;
    const cnn_epoch *best = &t->history->epochs[t->history->best];
    return epoch->validation_accuracy > best->validation_accuracy ||
           (epoch->validation_accuracy == best->validation_accuracy && epoch->validation_loss < best->validation_loss);
}

/* Takes the last epoch of the history into account. A resumed training does so for each epoch anew, which is why a
 * checkpoint keeps nothing of this. */
static void follow(trainer *t, uint32_t index)
{
    const cnn_epoch *epoch = &t->history->epochs[index];
    const cnn_schedule *schedule = &t->settings->schedule;
    t->epochs_since++;
    t->epochs_on_level++;
    if (epoch->validation_loss < t->lowest_loss) {
        t->lowest_loss = epoch->validation_loss;
        t->epochs_since = t->epochs_on_level = 0;
    }
    if (schedule->kind == CNN_SCHEDULE_PLATEAU && t->epochs_on_level >= schedule->patience) {
        t->plateau_factor *= (double)schedule->gamma;
        t->epochs_on_level = 0;
    }
}

/* A file is written again after each epoch; a pipe gets its bytes at the end, once. */
static cnn_status write_history(const trainer *t, bool at_end)
{
    const char *path = t->settings->options.history;
    return path && cnn_file_is_stream(path) == at_end ? cnn_history_write(t->history, path) : CNN_OK;
}

static cnn_status resume(trainer *t)
{
    cnn_history stored = { .context = t->context };
    cnn_status status = cnn_checkpoint_read(t->checkpoint, &stored);
    for (uint32_t i = 0; i < stored.count && !status; i++) {
        if (is_best(t, &stored.epochs[i]))
            t->history->best = i;
        status = cnn_history_append(t->history, &stored.epochs[i]);
        if (!status)
            follow(t, i);
    }
    cnn_release(t->context, stored.epochs);
    if (status)
        return status;
    uint64_t steps = t->history->count * t->batches.count;
    cnn_optimizer_set_steps(t->optimizer, steps);
    if (t->ema)
        t->ema->steps = steps;
    cnn_model_changed(t->model);
    if (t->settings->keeps_latest)
        capture_best(t);
    return write_history(t, false);
}

static double learning_rate(const trainer *t)
{
    uint32_t epochs = t->settings->options.epochs;
    double steps = (double)epochs * (double)t->progress.steps;
    double factor =
        cnn_schedule_factor(&t->settings->schedule, (double)cnn_optimizer_steps(t->optimizer) / steps, epochs);
    return (double)t->settings->optimizer.learning_rate * factor * t->plateau_factor;
}

static cnn_status set_targets(trainer *t, const cnn_batch *batch)
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

static void mix(trainer *t, const cnn_batch *batch)
{
    const cnn_train_options *options = &t->settings->options;
    const cnn_mixing mixing = { options->mixup, options->cutmix, options->seed, cnn_optimizer_steps(t->optimizer) };
    if (options->mixup > 0 || options->cutmix > 0)
        cnn_mix_batch(t->context, &mixing, batch->images, t->targets);
}

/* Adds to a sentence what helps. */
static cnn_status suggest_lower_rate(const trainer *t)
{
    return cnn_fail(CNN_ERROR_NOT_FINITE,
                    "training went astray in epoch %u, batch %llu: %s; try a learning rate below %g", t->progress.epoch,
                    (unsigned long long)t->progress.step + 1, cnn_last_error(), t->progress.learning_rate);
}

/* Forward, loss, backward, and the change of weights; `*loss` is the batch's mean. */
static cnn_status learn(trainer *t, const cnn_batch *batch, const cnn_tensor **logits, double *loss)
{
    const cnn_train_options *options = &t->settings->options;
    cnn_status status =
        cnn_model_forward(t->model, batch->images, options->seed, cnn_optimizer_steps(t->optimizer), logits);
    if (!status)
        status = cnn_loss_compute(options->loss, options->label_smoothing, *logits, t->targets, loss, t->gradient);
    if (!status && !isfinite(*loss))
        status = cnn_fail(CNN_ERROR_NOT_FINITE, "the loss is not finite");
    if (!status)
        status = cnn_model_backward(t->model, t->gradient);
    if (!status)
        status = cnn_optimizer_step(t->optimizer, (float)t->progress.learning_rate);
    if (!status && t->ema)
        cnn_ema_update(t->ema);
    return status == CNN_ERROR_NOT_FINITE ? suggest_lower_rate(t) : status;
}

static void report_step(trainer *t, const cnn_batch *batch, const float *logits, double loss)
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

static cnn_status train_batch(trainer *t, const cnn_batch *batch)
{
    const cnn_tensor *logits;
    double loss;
    t->progress.learning_rate = learning_rate(t);
    cnn_status status = set_targets(t, batch);
    if (status)
        return status;
    mix(t, batch);
    status = learn(t, batch, &logits, &loss);
    if (!status)
        report_step(t, batch, cnn_tensor_const_data(logits), loss);
    return status;
}

static cnn_status train_epoch(trainer *t)
{
    t->progress = (cnn_progress){ .struct_size = sizeof t->progress,
                                  .epoch = t->history->count + 1,
                                  .epochs = t->settings->options.epochs,
                                  .steps = t->batches.count };
    t->loss = t->correct = 0;
    t->started = cnn_os_seconds();
    t->partial = true;
    cnn_status status = give_training_size(t, t->progress.epoch);
    if (!status)
        status = t->batches.start(t->batches.source, t->progress.epoch);
    while (!status && !t->stopped) {
        cnn_batch batch = { .struct_size = sizeof batch };
        status = t->batches.next(t->batches.source, &batch);
        if (status || batch.count == 0)
            break;
        status = train_batch(t, &batch);
    }
    return status;
}

static cnn_status validate(trainer *t, cnn_epoch *epoch)
{
    t->progress.validating = 1;
    t->progress.step = 0;
    t->progress.steps = t->validation.batches.count;
    cnn_metrics_reset(t->validation.metrics);
    cnn_status status = cnn_evaluation_run(&t->validation);
    if (status == CNN_ERROR_STOPPED)
        return CNN_OK;
    cnn_metrics_means(t->validation.metrics, &epoch->validation_loss, &epoch->validation_accuracy);
    if (!status && !isfinite(epoch->validation_loss))
        status = cnn_fail(CNN_ERROR_NOT_FINITE, "the validation loss is not finite");
    return status == CNN_ERROR_NOT_FINITE ? suggest_lower_rate(t) : status;
}

/* Validates and captures with the averages in place of the weights. */
static cnn_status judge_epoch(trainer *t, cnn_epoch *epoch)
{
    cnn_status status = give_own_size(t);
    if (status)
        return status;
    swap_averages(t);
    if (t->settings->validates)
        status = validate(t, epoch);
    if (!status && !t->stopped && is_best(t, epoch)) {
        cnn_snapshot_capture(t->best);
        t->history->best = t->history->count;
    }
    swap_averages(t);
    return status;
}

static cnn_status record_epoch(trainer *t, cnn_epoch *epoch)
{
    const cnn_train_options *options = &t->settings->options;
    t->partial = false;
    epoch->seconds = cnn_os_seconds() - t->started;
    cnn_status status = cnn_history_append(t->history, epoch);
    if (status)
        return status;
    follow(t, t->history->count - 1);
    if (t->checkpoint)
        status = cnn_checkpoint_write(t->checkpoint, t->history);
    if (!status)
        status = write_history(t, false);
    if (!status && options->on_epoch)
        t->stopped = options->on_epoch(epoch, options->on_epoch_user);
    return status;
}

static cnn_status run_epoch(trainer *t)
{
    cnn_status status = train_epoch(t);
    if (status || t->stopped)
        return status;
    cnn_epoch epoch = {
        .struct_size = sizeof epoch,
        .epoch = t->progress.epoch,
        .learning_rate = t->progress.learning_rate,
        .loss = t->progress.loss,
        .accuracy = t->progress.accuracy,
        .validation_loss = NAN,
        .validation_accuracy = NAN,
        .images = t->progress.images,
    };
    status = judge_epoch(t, &epoch);
    return status || t->stopped ? status : record_epoch(t, &epoch);
}

static bool is_done(const trainer *t)
{
    const cnn_train_options *options = &t->settings->options;
    return t->stopped || t->history->count >= options->epochs ||
           (options->early_stopping && t->epochs_since >= options->early_stopping);
}

/* Leaves the model with the weights it is to have. A part of an epoch counts where no whole one is better. */
static void settle(trainer *t, cnn_status status)
{
    bool keep_part = t->partial && (t->settings->keeps_latest || t->history->count == 0);
    if (status != CNN_ERROR_NOT_FINITE && keep_part)
        swap_averages(t);
    else
        cnn_snapshot_apply(t->best);
}

static cnn_status run(trainer *t)
{
    cnn_status status = CNN_OK;
    if (t->checkpoint && t->settings->options.resume &&
        (cnn_os_exists(t->settings->options.checkpoint) || errno != ENOENT))
        status = resume(t);
    if (status)
        return status;
    while (!status && !is_done(t))
        status = run_epoch(t);
    settle(t, status);
    if (!status)
        status = write_history(t, true);
    cnn_status resized = give_own_size(t);
    return status ? status : resized;
}

cnn_status cnn_course_run(const cnn_course *course, cnn_history **history)
{
    cnn_context *context = course->model->context;
    trainer *t = cnn_allocate_zeroed(context, 1, sizeof *t);
    if (!t) {
        json_decref(course->fingerprint);
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    t->context = context;
    t->model = course->model;
    t->settings = course->settings;
    t->batches = course->training;
    t->loader = course->loader;
    t->validation.batches = course->validation;
    t->lowest_loss = INFINITY;
    t->plateau_factor = 1;
    cnn_precision precision = t->model->precision;
    cnn_status status = set_up(t, course->fingerprint);
    if (!status)
        status = cnn_model_set_precision(t->model, t->settings->options.precision);
    if (!status)
        status = run(t);
    cnn_model_set_precision(t->model, precision);
    if (history) {
        *history = t->history;
        t->history = NULL;
    }
    tear_down(t);
    cnn_release(context, t);
    return status;
}
