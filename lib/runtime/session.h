/* A session: the memory in which one caller runs a program. It has room for as many images as it was asked for at most;
 * fewer lie closer together. */
#ifndef CNN_RUNTIME_SESSION_H
#define CNN_RUNTIME_SESSION_H

#include "compile/program.h"

typedef struct cnn_session {
    cnn_context *context;
    int64_t images; /* it has room for */
    char *values;   /* all buffers */
    char *scratch;  /* what one operation has while it runs: weights packed for it, and its workspace */
    size_t scratch_bytes;
} cnn_session;

cnn_session *cnn_session_create(cnn_context *context);
void cnn_session_destroy(cnn_session *session);

/* Makes room to run the program with as many images; allocates only if they are more than ever before. A session runs
 * one program. */
cnn_status cnn_session_reserve(cnn_session *session, const cnn_program *program, int64_t images);

/* Is shown each operation's value once it is computed, as floats: not of a quantised model. */
typedef struct cnn_observer {
    void (*see)(void *user, const cnn_operation *operation, const float *values, int64_t count);
    void *user;
} cnn_observer;

/* One forward pass, and the backward pass after it. */
typedef struct cnn_run {
    const cnn_program *program;
    cnn_session *session;
    int64_t images;
    const float *input;
    const float *output_gradient; /* backward */
    uint64_t seed, step;
    const cnn_observer *observer; /* NULL: none */
} cnn_run;

void cnn_run_forward(const cnn_run *run);
void cnn_run_backward(const cnn_run *run);

/* Where a buffer lies in the run; NULL for none. */
void *cnn_run_place(const cnn_run *run, int32_t buffer);

/* What both passes tell an operation. */
cnn_layer_pass cnn_run_start(const cnn_run *run, int32_t operation);

/* Numbers of an operation's value, of all images. */
int64_t cnn_run_value_count(const cnn_run *run, int32_t operation);

/* The value of one of the program's outputs, after forward. */
float *cnn_run_output(const cnn_run *run, int32_t output);

/* The gradient by the input, after backward of a program that wants it. */
float *cnn_run_input_gradient(const cnn_run *run);

#endif
