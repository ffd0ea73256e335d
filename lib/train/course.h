/* The course of a training: epochs of steps, validation, the best weights, checkpoints. */
#ifndef CNN_TRAIN_COURSE_H
#define CNN_TRAIN_COURSE_H

#include <jansson.h>

#include "train/batches.h"
#include "train/settings.h"

typedef struct cnn_course {
    cnn_model *model;
    const cnn_train_settings *settings;
    cnn_batches training, validation; /* `validation` has a source if the settings say that it validates */
    cnn_loader *loader;               /* of the training photographs, where images grow; else it may be NULL */
    json_t *fingerprint;              /* for the checkpoint, which the course takes over; NULL: there is none */
} cnn_course;

/* `history` may be NULL; else the caller owns it, after an error too. */
cnn_status cnn_course_run(const cnn_course *course, cnn_history **history);

#endif
