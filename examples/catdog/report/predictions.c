#include "report/predictions.h"

#include <math.h>
#include <stdlib.h>

#include "cli/data.h"
#include "cli/interrupt.h"
#include "cli/output.h"

typedef struct collecting {
    predictions *all;
    progress_line *progress;
} collecting;

static int add_sample(const cnn_sample_result *sample, void *user)
{
    predictions *all = ((collecting *)user)->all;
    float *row = all->probabilities + all->count * all->classes;
    for (uint32_t k = 0; k < all->classes; k++)
        row[k] = sample->probabilities[k];
    all->list[all->count++] =
        (prediction){ sample->image, sample->label, sample->predicted, (double)row[sample->predicted] };
    return interrupt_asked();
}

static int show(uint64_t done, uint64_t total, void *user)
{
    progress_work(((collecting *)user)->progress, "evaluating", done, total);
    return interrupt_asked();
}

static int evaluate(cnn_classifier *classifier, const cnn_dataset *dataset, collecting *state)
{
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    cnn_classifier_evaluate_options(classifier, &options);
    options.progress = show;
    options.on_image = add_sample;
    options.progress_user = options.on_image_user = state;
    state->all->result.struct_size = sizeof state->all->result;
    cnn_status status = cnn_evaluate(cnn_classifier_model(classifier), dataset, &options, &state->all->metrics);
    if (!status)
        status = cnn_metrics_compute(state->all->metrics, &state->all->result);
    progress_clear(state->progress);
    if (status == CNN_ERROR_STOPPED)
        output_error("interrupted; nothing was written");
    else if (status)
        output_library_error();
    return status ? -1 : 0;
}

int predictions_collect(cnn_classifier *classifier, const cnn_dataset *dataset, progress_line *progress,
                        predictions *all)
{
    size_t count = (size_t)cnn_dataset_count(dataset);
    *all = (predictions){ .classes = cnn_classifier_class_count(classifier) };
    all->list = calloc(count, sizeof *all->list);
    all->probabilities = calloc(count, all->classes * sizeof *all->probabilities);
    all->names = calloc(all->classes, sizeof *all->names);
    if (!all->list || !all->probabilities || !all->names) {
        output_error("out of memory: the predictions can't be kept");
        return -1;
    }
    for (uint32_t k = 0; k < all->classes; k++)
        output_utf8_into(all->names[k], sizeof all->names[k], cnn_classifier_class_name(classifier, k));
    return evaluate(classifier, dataset, &(collecting){ all, progress });
}

void predictions_release(predictions *all)
{
    free(all->list);
    free(all->probabilities);
    free(all->names);
    cnn_metrics_destroy(all->metrics);
    *all = (predictions){ 0 };
}
