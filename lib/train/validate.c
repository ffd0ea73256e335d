/* Validation at the end of each epoch, and the best weights so far, which it finds. */
#include <math.h>

#include "core/error.h"
#include "core/os.h"
#include "runtime/model_internal.h"
#include "train/loss.h"
#include "train/metrics.h"
#include "train/trainer_state.h"

static int report_validation(void *user, uint64_t batches)
{
    cnn_trainer *t = user;
    t->progress.step = batches;
    cnn_metrics_means(t->validation.metrics, &t->progress.loss, &t->progress.accuracy);
    t->progress.seconds = cnn_os_seconds() - t->started;
    t->stopped =
        t->settings->options.on_step && t->settings->options.on_step(&t->progress, t->settings->options.on_step_user);
    return t->stopped;
}

cnn_status cnn_trainer_prepare_validation(cnn_trainer *t)
{
    t->validation.model = t->model;
    t->validation.outputs = t->settings->outputs;
    t->validation.threshold = 0.5f;
    t->validation.step = report_validation;
    t->validation.user = t;
    return cnn_metrics_create(t->context, cnn_classes_of_outputs(t->settings->outputs), &t->validation.metrics);
}

/* Exchanges the weights with their averages, which validation and the end use; twice is as before. */
static void swap_averages(cnn_trainer *t)
{
    if (t->ema)
        cnn_snapshot_swap(t->ema->weights);
}

void cnn_trainer_capture_best(cnn_trainer *t)
{
    swap_averages(t);
    cnn_snapshot_capture(t->best);
    swap_averages(t);
}

bool cnn_trainer_is_best(const cnn_trainer *t, const cnn_epoch *epoch)
{
    if (t->settings->keeps_latest || t->history->count == 0)
        return true;
    const cnn_epoch *best = &t->history->epochs[t->history->best];
    return isnan(best->validation_accuracy) || epoch->validation_accuracy > best->validation_accuracy ||
           (epoch->validation_accuracy == best->validation_accuracy && epoch->validation_loss < best->validation_loss);
}

static cnn_status run_validation(cnn_trainer *t, cnn_epoch *epoch)
{
    t->progress.validating = 1;
    t->progress.step = 0;
    t->progress.steps = t->validation.batches.count;
    cnn_metrics_reset(t->validation.metrics);
    cnn_status status = cnn_evaluation_run(&t->validation);
    if (status == CNN_ERROR_STOPPED)
        return t->stopped ? CNN_OK : status;
    cnn_metrics_means(t->validation.metrics, &epoch->validation_loss, &epoch->validation_accuracy);
    if (!status && !isfinite(epoch->validation_loss))
        status = cnn_fail(CNN_ERROR_NOT_FINITE, "the validation loss is not finite");
    return status == CNN_ERROR_NOT_FINITE ? cnn_trainer_suggest_lower_rate(t) : status;
}

cnn_status cnn_trainer_validate(cnn_trainer *t, cnn_epoch *epoch)
{
    cnn_status status = cnn_trainer_check_weights(t);
    swap_averages(t);
    if (!status && t->ema)
        status = cnn_trainer_check_weights(t);
    if (!status && t->settings->validates)
        status = run_validation(t, epoch);
    if (!status && !t->stopped && cnn_trainer_is_best(t, epoch)) {
        cnn_snapshot_capture(t->best);
        t->history->best = t->history->count;
    }
    swap_averages(t);
    return status;
}

/* A part of an epoch counts where no whole one is better. */
cnn_status cnn_trainer_restore_best(cnn_trainer *t, cnn_status status)
{
    bool keep_part = t->partial && (t->settings->keeps_latest || t->history->count == 0);
    if (keep_part)
        swap_averages(t);
    if (!status && keep_part)
        status = cnn_trainer_check_weights(t);
    if (!keep_part || status == CNN_ERROR_NOT_FINITE || cnn_model_find_not_finite(t->model))
        cnn_snapshot_apply(t->best);
    return status;
}
