/* Prints predictions as a table, as CSV or as JSON. */
#ifndef CATDOG_CLI_PREDICTION_OUTPUT_H
#define CATDOG_CLI_PREDICTION_OUTPUT_H

#include <cnn/cnn.h>

typedef struct prediction_output {
    int json, csv; /* at most one of them; neither: a table */
    const cnn_classifier *classifier;
    int width; /* of the table's first column */
} prediction_output;

/* Makes the first column wide enough for a path. */
void prediction_output_widen(prediction_output *o, const char *path);

/* What comes before the first prediction. */
void prediction_output_begin(const prediction_output *o);

/* Prints one prediction; `sentence` is the error of one that failed. Not 0 if standard output accepts no more, so that
 * there is no use in continuing. */
int prediction_output_print(const prediction_output *o, const char *path, const cnn_prediction *prediction,
                            const char *sentence);

#endif
