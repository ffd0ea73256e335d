/* Running steps as planned. */
#ifndef CNN_RUNTIME_SESSION_H
#define CNN_RUNTIME_SESSION_H

#include "compile/plan.h"

/* Memory to run steps in, for one call at a time, and the plans of the batch sizes that came lately. */
typedef struct cnn_executor cnn_executor;
struct cnn_executor {
    cnn_executor *next; /* for lists of idle ones */
    char *arena;
    size_t arena_bytes;
    cnn_plan *plans[32];
    int32_t oldest;
};

cnn_executor *cnn_executor_create(const cnn_model *model);
void cnn_executor_destroy(const cnn_model *model, cnn_executor *executor);

/* The plan for a batch size, and an arena that is large enough for it; allocates only if the size is new. */
cnn_status cnn_executor_prepare(cnn_executor *executor, const cnn_model *model, const cnn_steps *steps, int64_t batch,
                                const cnn_plan **plan);

/* Is shown each step's value, of a prediction in floats. */
typedef struct cnn_observer {
    void (*see)(void *user, cnn_node node, const float *values, int64_t count);
    void *user;
} cnn_observer;

/* One forward pass, and the backward pass after it. */
typedef struct cnn_run {
    const cnn_model *model;
    const cnn_steps *steps;
    const cnn_plan *plan;
    char *arena;
    const char *packed;           /* weights packed for prediction; NULL when training */
    const size_t *packed_offsets; /* where each step's are in it */
    const float *input;
    const float *output_gradient; /* backward */
    uint64_t seed, step;
    const cnn_observer *observer; /* NULL: none */
} cnn_run;

void cnn_run_forward(const cnn_run *run);
void cnn_run_backward(const cnn_run *run);

/* The output's value, after forward. */
float *cnn_run_output(const cnn_run *run);

/* The gradient by the input, after backward of a model that wants it. */
float *cnn_run_input_gradient(const cnn_run *run);

#endif
