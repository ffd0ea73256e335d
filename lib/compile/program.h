/* A program: what is run of a graph. It is made once, from a graph, its weights and a purpose, by the passes of
 * passes.h, and doesn't change afterwards, so that any number of threads may run it; sessions (runtime/session.h) have
 * the memory. Only the weights that are packed in it are packed anew when a model's have changed. */
#ifndef CNN_COMPILE_PROGRAM_H
#define CNN_COMPILE_PROGRAM_H

#include <cnn/model.h>

#include "graph/weights.h"

/* What a program is made from. All of it outlives the program. */
typedef struct cnn_program_source {
    cnn_context *context;
    const cnn_graph *graph;
    const cnn_node_state *nodes; /* as many as the graph has */
    const cnn_weights *weights;
    int32_t weights_count;
    bool quantized;          /* some weights are int8 */
    const cnn_node *outputs; /* the nodes whose values are wanted; NULL: the graph's output */
    int32_t output_count;
    bool fuse, share_memory;   /* true; tests compare with false */
    bool differentiates_input; /* backward gives the gradient by the input, too */
} cnn_program_source;

typedef struct cnn_purpose {
    bool training;
    cnn_precision precision; /* of training */
} cnn_purpose;

/* A buffer holds bytes of one image, which are multiplied by the number of images when the program is run, as its
 * offset is: no place depends on how many there are. It is in use from time `first` to time `last`, both included.
 * Time is counted in operations: with n of them, forward of operation i is at time i, its backward at 2n − 1 − i. */
typedef struct cnn_buffer {
    size_t bytes, offset;
    int32_t first, last;
} cnn_buffer;

/* Places that aren't in the arena: none, the caller's input, and the caller's gradient by the output. */
enum { CNN_BUFFER_NONE = -1, CNN_BUFFER_INPUT = 0, CNN_BUFFER_OUTPUT_GRADIENT = 1, CNN_BUFFER_FIRST = 2 };

typedef struct cnn_operation {
    cnn_layer layer;                        /* the node's, or one that a pass has put in the place of some nodes */
    void *own_attributes;                   /* of a layer that a pass has made */
    bool training;                          /* not frozen: all in a prediction are as if they were */
    cnn_node node;                          /* the last of those that it computes: it gives its value */
    int32_t inputs[CNN_MAX_INPUTS];         /* operations */
    int32_t parameters[CNN_MAX_PARAMETERS]; /* indices of weights, in the layer's order */

    /* Numbers of buffers. */
    int32_t value, saved;
    bool backward;                           /* a parameter, or one before it, wants a gradient */
    int32_t gradient;                        /* by the value */
    int32_t input_gradients[CNN_MAX_INPUTS]; /* what backward writes, NONE where nobody wants it; */
    bool added[CNN_MAX_INPUTS];              /* it is then added to the input's `gradient` */

    size_t packed_bytes, packed_backward_bytes; /* of weights */
    size_t packed_offset;                       /* in the program's, when predicting */
} cnn_operation;

/* The first operation is the network's input, which isn't run; the last gives an output. */
typedef struct cnn_program {
    cnn_program_source source;
    cnn_purpose purpose;
    cnn_operation *operations;
    int32_t count;
    int32_t *outputs; /* the operations that give the wanted values, which stay until the end, as floats */
    int32_t output_count;
    cnn_buffer *buffers;
    int32_t buffer_count;
    size_t buffer_capacity;
    size_t image_bytes; /* of all buffers, for one image */
    char *packed;       /* weights, when predicting; training packs them before each use */
} cnn_program;

cnn_status cnn_program_create(const cnn_program_source *source, cnn_purpose purpose, cnn_program **program);
void cnn_program_destroy(cnn_program *program);

/* Packs the weights of a program for prediction, which nobody runs meanwhile, as they are now. */
void cnn_program_pack(cnn_program *program);

/* Bytes that the operation which needs most has for itself while it runs, forward or backward. It needn't grow with the
 * number of images. */
size_t cnn_program_scratch_bytes(const cnn_program *program, int64_t images);

/* Whether a prediction's program could be made: that nothing in a file of a quantised model contradicts the rest. */
cnn_status cnn_program_check(const cnn_program_source *source);

typedef struct cnn_print_options {
    bool dot;              /* a drawing for Graphviz instead of a line for each operation */
    bool places;           /* where values lie, too */
    bool algorithms;       /* what computes convolutions */
    const double *seconds; /* that each operation takes; NULL: isn't said */
} cnn_print_options;

/* The caller releases the text. */
cnn_status cnn_program_print(const cnn_program *program, const cnn_print_options *options, char **text);

#endif
