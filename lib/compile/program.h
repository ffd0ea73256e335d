/* What is run of a graph: its layers that lead to the output, in order, chains of them fused into one. */
#ifndef CNN_COMPILE_PROGRAM_H
#define CNN_COMPILE_PROGRAM_H

#include "runtime/model_internal.h"

typedef struct cnn_step {
    cnn_layer layer;                        /* the node's, or a fused one for a chain of nodes */
    void *fused_attributes;                 /* of a fused layer; the step owns them */
    bool training;                          /* not frozen: all in a prediction are as if they were */
    cnn_node node;                          /* the chain's last: the step gives its value */
    int32_t inputs[CNN_MAX_INPUTS];         /* steps */
    int32_t parameters[CNN_MAX_PARAMETERS]; /* indices into the model's weights, in the layer's order */
} cnn_step;

/* The first step is the network's input, which isn't run; the last is the output. */
typedef struct cnn_steps {
    cnn_context *context;
    cnn_step *items;
    int32_t count;
    bool training;
} cnn_steps;

/* In floats; the two passes that follow change that. */
cnn_status cnn_steps_create(const cnn_model *model, bool training, cnn_steps **steps);

/* Makes values bfloat16 wherever their layers can take them, with conversions between layers that can and layers that
 * can't. The input and the output stay floats. */
cnn_status cnn_steps_narrow(cnn_steps *steps);
void cnn_steps_destroy(cnn_steps *steps);

#endif
