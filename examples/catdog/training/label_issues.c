/* After confident learning (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068): a label is suspect if the model finds
 * another class at least as likely as it finds that class, in the mean, in photographs that bear its label. */
#include "training/label_issues.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/data.h"
#include "cli/interrupt.h"
#include "cli/output.h"

/* All judgements, before the mean confidence in each class is known. */
typedef struct judging {
    progress_line *progress;
    uint32_t classes;
    float *probabilities; /* classes for each image */
    suspect *images;
    size_t count;
    double *confidence; /* for each class, of images with its label; sums, then means */
    uint64_t *labelled;
} judging;

static int take(const cnn_judgement *judgement, void *user)
{
    judging *j = user;
    float *row = j->probabilities + j->count * j->classes;
    for (uint32_t k = 0; k < j->classes; k++)
        row[k] = judgement->probabilities[k];
    j->images[j->count++] = (suspect){ .image = judgement->image, .label = judgement->label, .loss = judgement->loss };
    j->confidence[judgement->label] += (double)row[judgement->label];
    j->labelled[judgement->label]++;
    return interrupt_asked();
}

static int show(uint64_t done, uint64_t total, void *user)
{
    const judging *j = user;
    progress_work(j->progress, "judging the labels", done, total);
    return interrupt_asked();
}

/* Whether an image is suspect; the likeliest class of those that contradict its label. */
static int contradicts(const judging *j, size_t index)
{
    const float *row = j->probabilities + index * j->classes;
    suspect *image = &j->images[index];
    for (uint32_t k = 0; k < j->classes; k++) {
        double probability = (double)row[k];
        if (k != image->label && row[k] > row[image->label] && probability >= j->confidence[k] &&
            probability > image->probability) {
            image->suggested = k;
            image->probability = probability;
        }
    }
    return image->probability > 0;
}

static int compare(const void *a, const void *b)
{
    const suspect *x = a, *y = b;
    if (x->loss != y->loss)
        return x->loss < y->loss ? 1 : -1;
    return (x->image > y->image) - (x->image < y->image);
}

static void pick(judging *j, suspects *found)
{
    for (uint32_t k = 0; k < j->classes; k++)
        j->confidence[k] /= j->labelled[k] ? (double)j->labelled[k] : 1;
    size_t kept = 0;
    for (size_t i = 0; i < j->count; i++)
        if (contradicts(j, i))
            j->images[kept++] = j->images[i];
    qsort(j->images, kept, sizeof *j->images, compare);
    found->list = j->images;
    found->count = kept;
    j->images = NULL;
}

static cnn_status evaluate(judging *j, cnn_classifier *classifier, const cnn_dataset *dataset)
{
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    cnn_classifier_evaluate_options(classifier, &options);
    options.progress = show;
    options.on_image = take;
    options.user = j;
    cnn_metrics *metrics;
    cnn_status status = cnn_evaluate(cnn_classifier_model(classifier), dataset, &options, &metrics);
    progress_clear(j->progress);
    cnn_metrics_destroy(metrics);
    return status;
}

cnn_status suspects_find(cnn_classifier *classifier, const cnn_dataset *dataset, progress_line *progress,
                         suspects *found)
{
    size_t count = (size_t)cnn_dataset_count(dataset);
    judging j = { .progress = progress, .classes = data_classifier_classes(classifier) };
    *found = (suspects){ .dataset = dataset };
    j.probabilities = calloc(count, j.classes * sizeof *j.probabilities);
    j.images = calloc(count, sizeof *j.images);
    j.confidence = calloc(j.classes, sizeof *j.confidence);
    j.labelled = calloc(j.classes, sizeof *j.labelled);
    cnn_status status = CNN_ERROR_OUT_OF_MEMORY;
    if (!j.probabilities || !j.images || !j.confidence || !j.labelled) {
        output_error("out of memory: the labels can't be judged");
    } else {
        status = evaluate(&j, classifier, dataset);
        if (status)
            output_library_error();
        else
            pick(&j, found);
    }
    free(j.probabilities);
    free(j.images);
    free(j.confidence);
    free(j.labelled);
    return status;
}

void suspects_release(suspects *found)
{
    free(found->list);
    found->list = NULL;
}

void suspects_print(const suspects *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const suspect *image = &found->list[i];
        output_text(stdout, cnn_dataset_path(found->dataset, image->image));
        fputs(": is labelled ", stdout);
        output_text(stdout, cnn_dataset_class_name(found->dataset, image->label));
        fputs(", looks like ", stdout);
        output_text(stdout, cnn_dataset_class_name(found->dataset, image->suggested));
        printf(" (%.1f %%)\n", 100 * image->probability);
    }
}

json_t *suspects_to_json(const suspects *found)
{
    json_t *list = json_array();
    for (size_t i = 0; i < found->count; i++) {
        const suspect *image = &found->list[i];
        const cnn_dataset *dataset = found->dataset;
        json_array_append_new(
            list, json_pack("{s:o,s:o,s:o,s:o,s:o}", "path", output_json_text(cnn_dataset_path(dataset, image->image)),
                            "label", output_json_text(cnn_dataset_class_name(dataset, image->label)), "suggested",
                            output_json_text(cnn_dataset_class_name(dataset, image->suggested)), "probability",
                            output_json_number(image->probability), "loss", output_json_number(image->loss)));
    }
    return list;
}
