/* Photographs whose label a model confidently contradicts. */
#ifndef CATDOG_TRAINING_LABEL_ISSUES_H
#define CATDOG_TRAINING_LABEL_ISSUES_H

#include <stddef.h>

#include <cnn/cnn.h>
#include <jansson.h>

#include "cli/progress.h"

typedef struct label_issue {
    uint64_t image;
    uint32_t label, suggested;
    double probability; /* of the class that the model suggests */
    double loss;        /* of the label; the list is in its order, largest first */
} label_issue;

typedef struct label_issues {
    const cnn_dataset *dataset;
    label_issue *list;
    size_t count;
} label_issues;

/* Compares the labels of a dataset with the classifier's predictions. The dataset's classes must be in the classifier's
 * order, and the dataset must outlive the list. Prints the sentence of an error. The list is released with
 * label_issues_release, even after an error. */
cnn_status label_issues_find(cnn_classifier *classifier, const cnn_dataset *dataset, progress_line *progress,
                             label_issues *found);
void label_issues_release(label_issues *found);

void label_issues_print(const label_issues *found);
json_t *label_issues_to_json(const label_issues *found);

#endif
