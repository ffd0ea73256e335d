/* Which photographs are shown, and as what. */
#ifndef CATDOG_REPORT_PICTURES_H
#define CATDOG_REPORT_PICTURES_H

#include <stdint.h>

#include <cnn/cnn.h>

#include "report/grids.h"
#include "report/verdicts.h"

/* Draws `count` images of a dataset, as many of each class as can be, class by class. Gives how many there are.
 * `images` has room for `count`. -1 with a sentence printed. */
long pictures_draw(const cnn_dataset *dataset, size_t count, uint64_t seed, uint64_t *images);

/* Grids. Not 0 with a sentence printed; they are to be released all the same. */
int pictures_samples(cnn_context *context, const cnn_dataset *dataset, size_t count, uint64_t seed, grid *g);

/* Each row is a photograph, as it is and changed in `changes` ways. */
int pictures_augmented(cnn_context *context, const cnn_dataset *dataset, const cnn_augment *augment,
                       const cnn_preprocess *size, size_t photographs, size_t changes, uint64_t seed, grid *g);

/* Predictions of photographs drawn from all; of those that were most confidently wrong. */
int pictures_predictions(cnn_context *context, const cnn_dataset *dataset, const verdicts *v, size_t count,
                         uint64_t seed, grid *g);
int pictures_mistakes(cnn_context *context, const cnn_dataset *dataset, const verdicts *v, size_t count, grid *g);

/* Photographs beside what the net looked at in them: some mistakes and some drawn from all. A model that can't be
 * explained gives an empty grid, and cnn_last_error says why. */
int pictures_heat_maps(cnn_context *context, const cnn_classifier *classifier, const cnn_dataset *dataset,
                       const verdicts *v, size_t count, uint64_t seed, grid *g);

#endif
