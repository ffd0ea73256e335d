/* Where everything lies during a forward (and backward) pass of a batch: one arena for all, in which buffers that don't
 * live at the same time share places.
 *
 * Time is counted in steps: with n steps, forward of step i is at time i, and backward of it at 2n − 1 − i. */
#ifndef CNN_COMPILE_PLAN_H
#define CNN_COMPILE_PLAN_H

#include "compile/program.h"

/* A buffer is in use from time `first` to time `last`, both included. */
typedef struct cnn_buffer {
    size_t bytes, offset;
    int32_t first, last;
} cnn_buffer;

/* Places that aren't in the arena: none, the caller's input, and the caller's gradient by the output. */
enum { CNN_BUFFER_NONE = -1, CNN_BUFFER_INPUT = 0, CNN_BUFFER_OUTPUT_GRADIENT = 1, CNN_BUFFER_FIRST = 2 };

/* Numbers of buffers. */
typedef struct cnn_step_plan {
    int32_t value, saved, workspace, packed; /* `packed` when training: for prediction they are kept with the model */
    bool backward;                           /* a parameter, or one before it, wants a gradient */
    int32_t gradient;                        /* by the value */
    int32_t backward_workspace, packed_backward;
    int32_t input_gradients[CNN_MAX_INPUTS]; /* what backward writes, NONE where nobody wants it; */
    bool added[CNN_MAX_INPUTS];              /* it is then added to the input's `gradient` */
} cnn_step_plan;

typedef struct cnn_plan {
    cnn_context *context;
    int64_t batch;
    cnn_step_plan *steps;
    cnn_buffer *buffers;
    int32_t buffer_count;
    size_t buffer_capacity;
    size_t arena_bytes;
} cnn_plan;

/* Which gradients are wanted follows from the model's weights that are trainable. */
cnn_status cnn_plan_create(const cnn_model *model, const cnn_steps *steps, int64_t batch, cnn_plan **plan);
void cnn_plan_destroy(cnn_plan *plan);

/* Gives each buffer from `first` on a place, at multiples of 64 bytes, and says how many bytes that takes in all. */
cnn_status cnn_arena_assign(cnn_context *context, cnn_buffer *buffers, int32_t first, int32_t count, size_t *bytes);

#endif
