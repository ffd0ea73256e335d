/* Grids of photographs as they are in a dataset, and as training augments them. */
#ifndef CATDOG_REPORT_SAMPLE_GRIDS_H
#define CATDOG_REPORT_SAMPLE_GRIDS_H

#include "report/photo_source.h"

/* Photographs with their labels. Not 0 with a sentence printed; the grid is to be released even so. */
int sample_grid_create(const photo_source *source, size_t count, uint64_t seed, grid *g);

typedef struct augmented_samples {
    const cnn_augment *augment;
    const cnn_preprocess *preprocess; /* its size and fit */
    size_t photographs;               /* rows: */
    size_t variants;                  /* a photograph as it is, and so many variants of it */
    uint64_t seed;
} augmented_samples;

/* The same of augmented photographs. */
int augmented_grid_create(const photo_source *source, const augmented_samples *samples, grid *g);

#endif
