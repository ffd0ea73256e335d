/* Confident learning (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068). The mean probability that the model gives a
 * class in the photographs labelled with it is the threshold of that class. A photograph has a label issue if another
 * class reaches its threshold there, and is likelier than the label. */
#include "training/label_issues.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/data.h"
#include "cli/interrupt.h"
#include "cli/output.h"

/* The probabilities of all images, before the mean confidence in each class is known. */
typedef struct scoring {
    progress_line *progress;
    uint32_t classes;
    float *probabilities; /* `classes` for each image */
    label_issue *images;
    size_t count;
    double *thresholds; /* for each class: sums of probabilities, then their means */
    uint64_t *labelled;
} scoring;

static int add_sample(const cnn_sample_result *sample, void *user)
{
    scoring *s = user;
    float *row = s->probabilities + s->count * s->classes;
    for (uint32_t k = 0; k < s->classes; k++)
        row[k] = sample->probabilities[k];
    s->images[s->count++] = (label_issue){ .image = sample->image, .label = sample->label, .loss = sample->loss };
    s->thresholds[sample->label] += (double)row[sample->label];
    s->labelled[sample->label]++;
    return interrupt_asked();
}

static int show(uint64_t done, uint64_t total, void *user)
{
    const scoring *s = user;
    progress_work(s->progress, "checking the labels", done, total);
    return interrupt_asked();
}

/* Whether an image has an issue. Suggests the likeliest of the classes that reach their thresholds. */
static int has_issue(const scoring *s, size_t index)
{
    const float *row = s->probabilities + index * s->classes;
    label_issue *image = &s->images[index];
    for (uint32_t k = 0; k < s->classes; k++) {
        double probability = (double)row[k];
        if (k != image->label && row[k] > row[image->label] && probability >= s->thresholds[k] &&
            probability > image->probability) {
            image->suggested = k;
            image->probability = probability;
        }
    }
    return image->probability > 0;
}

static int compare(const void *a, const void *b)
{
    const label_issue *x = a, *y = b;
    if (x->loss != y->loss)
        return x->loss < y->loss ? 1 : -1;
    return (x->image > y->image) - (x->image < y->image);
}

static void collect_issues(scoring *s, label_issues *found)
{
    for (uint32_t k = 0; k < s->classes; k++)
        s->thresholds[k] /= s->labelled[k] ? (double)s->labelled[k] : 1;
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (has_issue(s, i))
            s->images[kept++] = s->images[i];
    qsort(s->images, kept, sizeof *s->images, compare);
    found->list = s->images;
    found->count = kept;
    s->images = NULL;
}

static cnn_status evaluate(scoring *s, cnn_classifier *classifier, const cnn_dataset *dataset)
{
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    cnn_classifier_evaluate_options(classifier, &options);
    options.progress = show;
    options.on_image = add_sample;
    options.progress_user = options.on_image_user = s;
    cnn_metrics *metrics;
    cnn_status status = cnn_evaluate(cnn_classifier_model(classifier), dataset, &options, &metrics);
    progress_clear(s->progress);
    cnn_metrics_destroy(metrics);
    return status;
}

cnn_status label_issues_find(cnn_classifier *classifier, const cnn_dataset *dataset, progress_line *progress,
                             label_issues *found)
{
    size_t count = (size_t)cnn_dataset_count(dataset);
    scoring s = { .progress = progress, .classes = cnn_classifier_class_count(classifier) };
    *found = (label_issues){ .dataset = dataset };
    s.probabilities = calloc(count, s.classes * sizeof *s.probabilities);
    s.images = calloc(count, sizeof *s.images);
    s.thresholds = calloc(s.classes, sizeof *s.thresholds);
    s.labelled = calloc(s.classes, sizeof *s.labelled);
    cnn_status status = CNN_ERROR_OUT_OF_MEMORY;
    if (!s.probabilities || !s.images || !s.thresholds || !s.labelled) {
        output_error("out of memory: the labels can't be checked");
    } else {
        status = evaluate(&s, classifier, dataset);
        if (status)
            output_library_error();
        else
            collect_issues(&s, found);
    }
    free(s.probabilities);
    free(s.images);
    free(s.thresholds);
    free(s.labelled);
    return status;
}

void label_issues_release(label_issues *found)
{
    free(found->list);
    found->list = NULL;
}

void label_issues_print(const label_issues *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const label_issue *image = &found->list[i];
        output_text(stdout, cnn_dataset_path(found->dataset, image->image));
        fputs(": is labelled ", stdout);
        output_text(stdout, cnn_dataset_class_name(found->dataset, image->label));
        fputs(", looks like ", stdout);
        output_text(stdout, cnn_dataset_class_name(found->dataset, image->suggested));
        printf(" (%.1f %%)\n", 100 * image->probability);
    }
}

json_t *label_issues_to_json(const label_issues *found)
{
    json_t *list = json_array();
    for (size_t i = 0; i < found->count; i++) {
        const label_issue *image = &found->list[i];
        const cnn_dataset *dataset = found->dataset;
        json_array_append_new(
            list, json_pack("{s:o,s:o,s:o,s:o,s:o}", "path", output_json_text(cnn_dataset_path(dataset, image->image)),
                            "label", output_json_text(cnn_dataset_class_name(dataset, image->label)), "suggested",
                            output_json_text(cnn_dataset_class_name(dataset, image->suggested)), "probability",
                            output_json_number(image->probability), "loss", output_json_number(image->loss)));
    }
    return list;
}
