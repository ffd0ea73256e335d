/* What a model keeps from call to call: for prediction, and for training. */
#ifndef CNN_RUNTIME_MODEL_STATE_H
#define CNN_RUNTIME_MODEL_STATE_H

#include "runtime/model_internal.h"
#include "runtime/session.h"

void cnn_training_destroy(cnn_model *model);

/* Predicts, for the observer's sake alone. */
cnn_status cnn_model_observe(const cnn_model *model, const cnn_tensor *images, const cnn_observer *observer);

/* Predicts to one array for each output of the pool's. There is at least one image. */
cnn_status cnn_model_predict_outputs(const cnn_model *model, cnn_session_pool *pool, const cnn_tensor *images,
                                     float *const *outputs);

/* Predicts, and says how long each operation of the model's program for prediction took. */
cnn_status cnn_time_operations(const cnn_model *model, const cnn_program *program, const cnn_tensor *input,
                               double *seconds);

/* Tells the context's log what a program is, if it wants to know. */
void cnn_log_program(const cnn_program *program);

/* Tells it how long each operation took. */
void cnn_log_times(const cnn_program *program, int64_t images, const double *seconds);

/* Checks a batch of a caller: float32, N × shape, N at least `least`. `what` begins the sentence on failure. */
cnn_status cnn_check_batch(const cnn_tensor *tensor, const cnn_shape *shape, int64_t least, const char *what);

#endif
