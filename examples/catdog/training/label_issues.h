/* Photographs whose label a model confidently contradicts. */
#ifndef CATDOG_TRAINING_LABEL_ISSUES_H
#define CATDOG_TRAINING_LABEL_ISSUES_H

#include <stddef.h>

#include <cnn/cnn.h>
#include <jansson.h>

#include "cli/progress.h"

typedef struct suspect {
    uint64_t image;
    uint32_t label, suggested;
    double probability; /* of the class that the model suggests */
    double loss;        /* of the label; the list is in its order, largest first */
} suspect;

typedef struct suspects {
    const cnn_dataset *dataset;
    suspect *list;
    size_t count;
} suspects;

/* Judges all photographs of a dataset whose classes are in the classifier's order, and must outlive the list. An
 * error's sentence is printed; freed with suspects_release in any case. */
cnn_status suspects_find(cnn_classifier *classifier, const cnn_dataset *dataset, progress_line *progress,
                         suspects *found);
void suspects_release(suspects *found);

void suspects_print(const suspects *found);
json_t *suspects_to_json(const suspects *found);

#endif
