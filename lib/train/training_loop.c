#include "train/training_loop.h"

#include <errno.h>
#include <math.h>

#include "core/cancel.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/os.h"
#include "data/loader.h"
#include "runtime/model_internal.h"
#include "train/metrics.h"
#include "train/trainer_state.h"

static cnn_status create_checkpoint(cnn_trainer *t, json_t *fingerprint)
{
    const cnn_checkpoint_contents contents = {
        .model = t->model,
        .optimizer = t->optimizer,
        .ema = t->ema,
        .best = t->settings->keeps_latest ? NULL : t->best, /* the latest weights need no second copy in the file */
    };
    return cnn_checkpoint_create(t->settings->options.checkpoint, fingerprint, &contents, &t->checkpoint);
}

/* Where images grow in training, the model takes another size than its own for that time. */
static cnn_status use_own_size(cnn_trainer *t)
{
    if (!t->settings->progressive)
        return CNN_OK;
    return cnn_model_resize(t->model, t->settings->preprocess.height, t->settings->preprocess.width);
}

static cnn_status use_training_size(cnn_trainer *t, uint32_t epoch)
{
    const cnn_train_options *options = &t->settings->options;
    if (!t->settings->progressive)
        return CNN_OK;
    uint32_t size = cnn_progressive_size(options->first_size, options->last_size, epoch, options->epochs);
    cnn_loader_resize(t->loader, size, size);
    return cnn_model_resize(t->model, size, size);
}

static cnn_status set_up(cnn_trainer *t, json_t *fingerprint)
{
    cnn_status status = cnn_history_create(t->context, &t->history);
    if (!status)
        status = cnn_history_begin(t->history, t->settings->options.earlier);
    if (!status && t->settings->validates)
        status = cnn_trainer_prepare_validation(t);
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

static void tear_down(cnn_trainer *t)
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

/* A file is written again after each epoch; a pipe gets its bytes at the end, once. */
static cnn_status write_history(const cnn_trainer *t, bool at_end)
{
    const char *path = t->settings->options.history;
    return path && cnn_file_is_stream(path) == at_end ? cnn_history_write(t->history, path) : CNN_OK;
}

/* How many epochs of this training are over. */
static uint32_t own_epochs(const cnn_trainer *t)
{
    return t->history->count - t->history->earlier;
}

static cnn_status resume(cnn_trainer *t)
{
    cnn_history stored = { .context = t->context };
    cnn_status status = cnn_checkpoint_read(t->checkpoint, &stored);
    if (!status) {
        t->history->count = 0; /* the checkpoint has the earlier ones, too */
        t->history->earlier = stored.earlier;
    }
    for (uint32_t i = 0; i < stored.count && !status; i++) {
        if (cnn_trainer_is_best(t, &stored.epochs[i]))
            t->history->best = i;
        status = cnn_history_append(t->history, &stored.epochs[i]);
        if (!status && i >= stored.earlier)
            cnn_plateau_add_epoch(&t->plateau, &t->settings->schedule, stored.epochs[i].validation_loss);
    }
    cnn_release(t->context, stored.epochs);
    if (status)
        return status;
    uint64_t steps = own_epochs(t) * t->batches.count;
    cnn_optimizer_set_steps(t->optimizer, steps);
    if (t->ema)
        t->ema->steps = steps;
    cnn_model_changed(t->model);
    if (t->settings->keeps_latest)
        cnn_trainer_capture_best(t);
    return write_history(t, false);
}

static cnn_status train_epoch(cnn_trainer *t)
{
    t->progress = (cnn_progress){ .struct_size = sizeof t->progress,
                                  .epoch = t->history->count + 1,
                                  .epochs = t->history->earlier + t->settings->options.epochs,
                                  .steps = t->batches.count };
    t->loss = t->correct = 0;
    t->started = cnn_os_seconds();
    t->partial = true;
    const uint32_t own = own_epochs(t) + 1;
    cnn_status status = use_training_size(t, own);
    if (!status)
        status = t->batches.start(t->batches.source, own);
    while (!status && !t->stopped) {
        cnn_batch batch = { .struct_size = sizeof batch };
        status = cnn_work_check("the training");
        if (!status)
            status = t->batches.next(t->batches.source, &batch);
        if (status || batch.count == 0)
            break;
        status = cnn_train_step(t, &batch);
    }
    return status;
}

static cnn_status record_epoch(cnn_trainer *t, cnn_epoch *epoch)
{
    const cnn_train_options *options = &t->settings->options;
    t->partial = false;
    epoch->seconds = cnn_os_seconds() - t->started;
    cnn_status status = cnn_history_append(t->history, epoch);
    if (status)
        return status;
    cnn_plateau_add_epoch(&t->plateau, &t->settings->schedule, epoch->validation_loss);
    if (t->checkpoint)
        status = cnn_checkpoint_write(t->checkpoint, t->history);
    if (!status)
        status = write_history(t, false);
    if (!status && options->on_epoch)
        t->stopped = options->on_epoch(epoch, options->on_epoch_user);
    return status;
}

static cnn_status run_epoch(cnn_trainer *t)
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
    status = use_own_size(t);
    if (!status)
        status = cnn_trainer_validate(t, &epoch);
    return status || t->stopped ? status : record_epoch(t, &epoch);
}

static bool is_done(const cnn_trainer *t)
{
    const cnn_train_options *options = &t->settings->options;
    return t->stopped || own_epochs(t) >= options->epochs ||
           (options->early_stopping && t->plateau.epochs_since_lowest >= options->early_stopping);
}

static cnn_status run(cnn_trainer *t)
{
    cnn_status status = CNN_OK;
    if (t->checkpoint && t->settings->options.resume &&
        (cnn_os_exists(t->settings->options.checkpoint) || errno != ENOENT))
        status = resume(t);
    else if (t->history->earlier)
        status = write_history(t, false);
    if (status)
        return status;
    while (!status && !is_done(t))
        status = run_epoch(t);
    status = cnn_trainer_restore_best(t, status);
    if (!status)
        status = write_history(t, true);
    cnn_status resized = use_own_size(t);
    return status ? status : resized;
}

cnn_status cnn_training_loop(const cnn_training_inputs *inputs, cnn_history **history)
{
    cnn_context *context = inputs->model->context;
    cnn_trainer *t = cnn_allocate_zeroed(context, 1, sizeof *t);
    if (!t) {
        json_decref(inputs->fingerprint);
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    t->context = context;
    t->model = inputs->model;
    t->settings = inputs->settings;
    t->batches = inputs->batches;
    t->loader = inputs->loader;
    t->validation.batches = inputs->validation;
    cnn_plateau_init(&t->plateau);
    cnn_precision precision = t->model->precision;
    cnn_work work;
    cnn_work_begin(&work, context);
    cnn_status status = set_up(t, inputs->fingerprint);
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
    cnn_work_end(&work);
    return status;
}
