/* The history of a training, as `catdog train --history` writes it. */
#ifndef CATDOG_REPORT_HISTORY_H
#define CATDOG_REPORT_HISTORY_H

#include <stddef.h>

enum {
    HISTORY_EPOCH,
    HISTORY_LOSS,
    HISTORY_ACCURACY,
    HISTORY_VALIDATION_LOSS,
    HISTORY_VALIDATION_ACCURACY,
    HISTORY_COLUMNS
};

typedef struct history {
    double *columns[HISTORY_COLUMNS]; /* `count` values each; NaN where there is none */
    size_t count;
} history;

/* Reads a CSV file. Not 0 with a sentence printed. */
int history_read(const char *path, history *h);
void history_release(history *h);

/* The row of the best validation accuracy, the first of equals; -1: nothing was validated. */
long history_best(const history *h);

#endif
