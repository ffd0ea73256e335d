/* The report's page. */
#ifndef CATDOG_REPORT_PAGE_H
#define CATDOG_REPORT_PAGE_H

#include "report/filters.h"
#include "report/grids.h"
#include "report/layers.h"
#include "report/predictions.h"
#include "report/score_curves.h"
#include "report/training_curves.h"

/* The content of a report. */
typedef struct report {
    const char *model_path, *data_path;
    cnn_classifier *classifier;
    const cnn_dataset *dataset;
    uint64_t skipped;
    predictions predictions;
    curve_set roc, precision_recall;
    history history; /* of no epochs: there is none */
    filters filters;
    int has_filters;
    layers layers;
    bars balance;
    bar *balance_list;
    grid sample_grid, augmented_grid, prediction_grid, mistake_grid, heat_map_grid; /* empty: not shown */
    const char *augmentation;
    char no_heat_maps[256]; /* why there are none */
} report;

/* Writes the figures' files to a folder, and index.html once they are there. Files that aren't catdog's are replaced
 * with `force` alone. Not 0 with a sentence printed. */
int page_write(const report *r, const char *folder, int force);

#endif
