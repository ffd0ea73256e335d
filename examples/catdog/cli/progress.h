/* Progress on standard error: a live line on a terminal, else a plain line for each epoch. */
#ifndef CATDOG_CLI_PROGRESS_H
#define CATDOG_CLI_PROGRESS_H

#include <stdint.h>

#include <cnn/trainer.h>

typedef struct progress_line {
    int live;   /* standard error is a terminal that can redraw a line */
    int colour; /* and NO_COLOR isn't set */
    int drawn;  /* the live line is there and must be cleared before other output */
    double last_drawn, epoch_seconds;
    double validation; /* the last epoch's accuracy; NaN: there is none */
    const char *work;  /* the work of the last progress_work, its start, and what was done by then */
    double work_started;
    uint64_t work_begun;
    char part[32];       /* what the training is part of ("trial 3"); empty: nothing */
    double part_seconds; /* the time that the whole has left */
} progress_line;

void progress_init(progress_line *progress);

/* Draws the state of some work ("checking") on images, or of a training. Cheap enough for every step. */
void progress_work(progress_line *progress, const char *what, uint64_t done, uint64_t total);
void progress_training(progress_line *progress, const cnn_progress *state);

/* Prints the line of an epoch that is over. */
void progress_epoch(progress_line *progress, const cnn_epoch *epoch, uint32_t epochs);

/* Clears the live line, to make room for other output. */
void progress_clear(progress_line *progress);

#endif
