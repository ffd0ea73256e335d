/* The search of `catdog tune`: which trial to train next, and for how long; and the file that keeps the results.
 *
 * Successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943; Li et al. 2018, "Hyperband", arXiv:1603.06560) in
 * its asynchronous form (Li et al. 2020, arXiv:1810.05934), which can end at any time: many trials are trained for few
 * epochs, the best third of them for three times as many, and so on. Trials are drawn by their number alone, so that
 * what was found is all that has to be kept. */
#ifndef CATDOG_TRAINING_TUNE_SEARCH_H
#define CATDOG_TRAINING_TUNE_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* One training of one trial. */
typedef struct tune_result {
    uint32_t trial;
    uint32_t rung;         /* 0 has the fewest epochs */
    double accuracy, loss; /* of validation; 0 and infinity if the training diverged */
    double seconds;
} tune_result;

typedef struct tune_search {
    uint64_t seed;
    uint32_t epochs; /* of the last rung */
    uint32_t rungs;
    double seconds; /* spent, in earlier runs too */
    tune_result *results;
    size_t count;
} tune_search;

/* Sets up the rungs. `epochs` is at least 1. */
void tune_init(tune_search *search, uint64_t seed, uint32_t epochs);
void tune_release(tune_search *search);

uint32_t tune_epochs(const tune_search *search, uint32_t rung);

/* What to train next: of those that are due, a trial that has done well so far goes before a new one. With `new_only`
 * not 0, a new one in any case. */
void tune_next(const tune_search *search, int new_only, uint32_t *trial, uint32_t *rung);

/* The best result at the highest rung that has any; NULL if there is none. */
const tune_result *tune_best(const tune_search *search);

/* Not 0, with a sentence printed, if memory is short. */
int tune_add(tune_search *search, const tune_result *result);

/* A number in 0 … 1 for one of a trial's choices, always the same. */
double tune_draw(const tune_search *search, uint32_t trial, uint32_t choice);

/* Reads what was found, if the file exists, and writes it, whole or not at all. `settings` says what the search is of;
 * a file of another is refused. Not 0 with a sentence printed. */
int tune_read(tune_search *search, const json_t *settings, const char *path);
int tune_write(const tune_search *search, json_t *settings, const char *path);

#endif
