/* The bodies of responses, as JSON text. Each returns NULL if memory is short; the caller frees the text. */
#ifndef CATDOG_SERVE_ANSWERS_H
#define CATDOG_SERVE_ANSWERS_H

#include <cnn/cnn.h>

#include "serve/limits.h"
#include "serve/photographs.h"

char *answer_error(const char *sentence);
char *answer_health(int stopping);

/* `name`: of the model's file. */
char *answer_model(cnn_classifier *classifier, const char *name, const serve_limits *limits);

/* `*refused` receives the number of photographs that could not be classified. */
char *answer_predictions(const cnn_classifier *classifier, const photographs *all, size_t *refused);

#endif
