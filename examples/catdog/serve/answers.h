/* What the server says, as JSON text. Each gives NULL if memory is short; the caller frees it. */
#ifndef CATDOG_SERVE_ANSWERS_H
#define CATDOG_SERVE_ANSWERS_H

#include <cnn/cnn.h>

#include "serve/limits.h"
#include "serve/photographs.h"

char *answer_error(const char *sentence);
char *answer_health(int stopping);

/* `name`: of the model's file. */
char *answer_model(cnn_classifier *classifier, const char *name, const serve_limits *limits);

/* `refused`: how many of them could not be classified. */
char *answer_predictions(const cnn_classifier *classifier, const photographs *all, size_t *refused);

#endif
