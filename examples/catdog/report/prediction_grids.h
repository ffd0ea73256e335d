/* Grids of photographs with what a model predicted for them. */
#ifndef CATDOG_REPORT_PREDICTION_GRIDS_H
#define CATDOG_REPORT_PREDICTION_GRIDS_H

#include "report/photo_source.h"
#include "report/predictions.h"

/* Each gives not 0 with a sentence printed; the grid is to be released even so. */

/* Photographs drawn at random. */
int prediction_grid_create(const photo_source *source, const predictions *all, size_t count, uint64_t seed, grid *g);

/* The wrong predictions with the highest confidence. */
int mistake_grid_create(const photo_source *source, const predictions *all, size_t count, grid *g);

typedef struct heat_map_samples {
    const cnn_classifier *classifier;
    const predictions *predictions;
    size_t count;
    uint64_t seed;
} heat_map_samples;

/* Photographs beside their heat maps: up to a third of them mistakes, the others drawn at random. Of a model that can't
 * be explained the grid stays empty, and cnn_last_error says why. */
int heat_map_grid_create(const photo_source *source, const heat_map_samples *samples, grid *g);

#endif
