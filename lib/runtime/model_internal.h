/* A model from within. */
#ifndef CNN_RUNTIME_MODEL_INTERNAL_H
#define CNN_RUNTIME_MODEL_INTERNAL_H

#include <cnn/model.h>

#include "compile/program.h"

typedef struct cnn_metadata_entry {
    char *key, *text;
} cnn_metadata_entry;

typedef struct cnn_session_pool cnn_session_pool;
typedef struct cnn_training cnn_training;

/* Where the values of weights lie already, such as a mapped file. */
typedef struct cnn_weight_memory {
    void *owner;
    /* NULL: not there. `*type` becomes CNN_FLOAT32 or CNN_INT8. */
    void *(*find)(void *owner, const char *name, int64_t count, cnn_dtype *type);
    void (*release)(void *owner);
} cnn_weight_memory;

struct cnn_model {
    cnn_context *context;
    cnn_weight_memory memory; /* released with the model */
    cnn_graph *graph;
    cnn_node_state *nodes; /* as many as the graph has */
    cnn_weights *weights;
    int32_t weights_count;
    cnn_metadata_entry *metadata;
    size_t metadata_count, metadata_capacity;
    cnn_names metadata_keys;
    uint64_t version;           /* counts the changes of values */
    cnn_precision precision;    /* of training */
    bool quantized;             /* has int8 weights, and can't be trained */
    bool fuse, share_memory;    /* true; tests compare with false, set before the first use */
    bool differentiates_input;  /* backward gives the gradient by the input, too */
    cnn_session_pool *sessions; /* of predictions */
    cnn_training *training;     /* NULL before the first forward */
};

/* A model whose values are zeros: for readers of files, as random ones take a while to draw. With `memory` those that
 * are found there are used, and changed, in place; on success the model owns it. */
cnn_status cnn_model_create_blank(cnn_context *context, const cnn_graph *graph, cnn_model **model);
cnn_status cnn_model_create_over(cnn_context *context, const cnn_graph *graph, const cnn_weight_memory *memory,
                                 cnn_model **model);

/* The weights of another model where they lie, for one of a part of its graph, which it outlives. */
cnn_weight_memory cnn_weights_of_model(const cnn_model *model);

/* An error if the model is quantised; `function` begins the sentence. */
cnn_status cnn_model_check_floats(const cnn_model *model, const char *function);

/* CNN_PRECISION_AUTO becomes what is faster on the context's processor; an error if it is no precision. */
cnn_status cnn_precision_resolve(cnn_context *context, cnn_precision *precision);

/* The name of a weight, or of running statistics, that hold NaN or infinity; NULL if all are finite. */
const char *cnn_model_find_not_finite(const cnn_model *model);

/* What a program of the model is made from. */
cnn_program_source cnn_model_source(const cnn_model *model);

/* Draws all values anew. */
void cnn_model_initialize(cnn_model *model, uint64_t seed);

/* Without the batch; rank 0 for no model. */
cnn_shape cnn_model_input_shape(const cnn_model *model);
cnn_shape cnn_model_output_shape(const cnn_model *model);

#endif
