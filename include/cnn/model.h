/* A model: a graph with weights, which predicts and can be trained. */
#ifndef CNN_MODEL_H
#define CNN_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/graph.h>
#include <cnn/options.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

CNN_BEGIN_DECLS

typedef struct cnn_model cnn_model;

/* Makes a model of a graph, with weights initialised from `seed`. The graph is copied and stays the caller's.
 * Reports the error that stuck to the graph, if one did. The context must outlive the model. */
CNN_API cnn_status cnn_model_create(cnn_context *context, const cnn_graph *graph, uint64_t seed, cnn_model **model);
CNN_API void cnn_model_destroy(cnn_model *model);

/* The model's graph; it and its strings are valid as long as the model. cnn_model_resize changes the shapes in it,
 * which isn't done while another thread reads them. The shapes of its input and output, without the batch, as
 * cnn_graph_node_dims gives them. */
CNN_API const cnn_graph *cnn_model_graph(const cnn_model *model);
CNN_API int32_t cnn_model_input_dims(const cnn_model *model, int64_t *dims, int32_t capacity);
CNN_API int32_t cnn_model_output_dims(const cnn_model *model, int64_t *dims, int32_t capacity);

/* Gives the model an input of another height and width; its weights stay as they are. A net that ends in a global
 * average pooling can do this, with any size that its layers can take. Errors: CNN_ERROR_SHAPE names the layer whose
 * weights depend on the size; the model is then as it was. */
CNN_API cnn_status cnn_model_resize(cnn_model *model, int64_t height, int64_t width);

/* Computes the output for a batch: `input` N×H×W×C, `output` N×(output shape), both CNN_FLOAT32, any N: many images are
 * computed some at a time, in bounded memory; with none there is nothing to do. Dropout does nothing, batch_norm uses
 * the running statistics. One model may predict from many threads at once, while nothing changes it. */
CNN_API cnn_status cnn_model_predict(const cnn_model *model, const cnn_tensor *input, cnn_tensor *output);

/* Tells how much memory a prediction of `images` images takes from the model's context, beside what the caller gives:
 * `*bytes` are those of the weights that are arranged for prediction, which the model keeps once for all predictions,
 * and of the values, which the model keeps for later predictions. Threads that predict at once take the values' memory
 * once each. Errors: CNN_ERROR_ARGUMENT, and those of the model's first prediction. */
CNN_API cnn_status cnn_model_prediction_memory(const cnn_model *model, uint64_t images, uint64_t *bytes);

#ifdef CNN_EXPERIMENTAL

/* Predicts a batch and gives the values of `count` layers by their names, instead of the model's output: `values[i]`
 * becomes a new tensor, N × the shape of the layer named `layers[i]`, CNN_FLOAT32, which the caller owns. `values` has
 * room for `count` pointers; on an error all are NULL. The layers are computed one after the other, each from the
 * input. Errors: CNN_ERROR_SHAPE; CNN_ERROR_ARGUMENT if there is no such layer, or it is the input;
 * CNN_ERROR_UNSUPPORTED for a quantised model. Thread-safe, as cnn_model_predict is. */
CNN_API cnn_status cnn_model_predict_layers(const cnn_model *model, const cnn_tensor *input, const char *const *layers,
                                            uint32_t count, cnn_tensor **values);

#endif

/* Training by hand; cnn_train (trainer.h) does this for most people.
 * A step is cnn_model_forward, a loss, cnn_model_backward, cnn_optimizer_step. Forward computes as training does
 * (dropout, batch statistics; `step` keys dropout's random numbers) and keeps what backward needs. `input` isn't
 * copied: it must stay as it is until backward is done. `*output` belongs to the model and is valid until the next
 * forward. Backward takes the loss's gradient by the output and leaves each parameter's in cnn_parameter.gradient (it
 * overwrites, it doesn't add); each comes after a forward of its own. One thread at a time. */
CNN_API cnn_status cnn_model_forward(cnn_model *model, const cnn_tensor *input, uint64_t seed, uint64_t step,
                                     const cnn_tensor **output);
CNN_API cnn_status cnn_model_backward(cnn_model *model, const cnn_tensor *output_gradient);

/* What training computes in: floats; or bfloat16 for values, for gradients by them and for a copy of the weights, with
 * sums, the weights themselves, their gradients, statistics and the input and output in floats. Faster, most of all on
 * processors with instructions for it, with nearly the accuracy of floats. Prediction is in floats whatever the
 * precision of training; that of a quantised model (quantize.h), which can't be trained, is mostly in bytes. */
typedef enum cnn_precision {
    CNN_PRECISION_FLOAT32 = 0,
    CNN_PRECISION_BFLOAT16 = 1,
    CNN_PRECISION_MAX_ENUM = 0x7fffffff
} cnn_precision;

/* For the next cnn_model_forward and what follows. Not kept in files. */
CNN_API cnn_status cnn_model_set_precision(cnn_model *model, cnn_precision precision);

/* One array of weights. The tensors belong to the model. */
typedef struct cnn_parameter {
    uint32_t struct_size; /* set by the caller before the call */
    const char *name;     /* "conv2d_1.weight", "conv2d_1.bias", "batch_norm_1.running_mean" */
    cnn_tensor *value;    /* CNN_FLOAT32; of a quantised model also CNN_INT8, and then not to be written to */
    cnn_tensor *gradient; /* same shape; NULL if not trainable, or before the first backward */
    uint32_t trainable;   /* 0: changed by training, but not by an optimizer (running statistics), or frozen */
    uint32_t decay;       /* not 0: weight decay applies (weights; not biases and normalisation) */
} cnn_parameter;

CNN_INLINE void cnn_parameter_init(cnn_parameter *parameter)
{
    cnn_options_clear(parameter, sizeof *parameter);
}

CNN_API int32_t cnn_model_parameter_count(const cnn_model *model);
CNN_API cnn_status cnn_model_parameter(const cnn_model *model, int32_t index, cnn_parameter *parameter);

/* To be called after writing to a parameter's value by any means but an optimizer. Of a quantised model's parameters
 * those that are CNN_FLOAT32 may be written to. */
CNN_API void cnn_model_changed(cnn_model *model);

/* Copies from `source` each array of weights that has the same name and shape in both. `copied` may be NULL: their
 * number. CNN_ERROR_ARGUMENT if one of the models is quantised. */
CNN_API cnn_status cnn_model_copy_weights(cnn_model *model, const cnn_model *source, int32_t *copied);

/* Lets the layer named `layer`, and all layers that lead to it, learn at `factor` times the learning rate. 0 freezes
 * them: training then computes them as prediction does (batch_norm by its running statistics, dropout not at all).
 * `layer` NULL: all. Holds for optimizers made afterwards; not kept in files. */
CNN_API cnn_status cnn_model_set_learning_rate_multiplier(cnn_model *model, const char *layer, float factor);

/* How many weights are trained, and how many there are. */
CNN_API uint64_t cnn_model_weight_count(const cnn_model *model, uint64_t *trainable);

/* Multiply-adds of one prediction for one image, times two. */
CNN_API uint64_t cnn_model_flops(const cnn_model *model);

/* Predicts `input` and says how long each layer took: `seconds` has `count` numbers, one for each node of the model's
 * graph. Layers that are computed together have their time in the last of them, and 0 in the rest. */
CNN_API cnn_status cnn_model_time_layers(const cnn_model *model, const cnn_tensor *input, double *seconds,
                                         int32_t count);

/* What a prediction runs: operations, some of which compute several layers at once, named after the last of them. As
 * text for people, which changes from version to version; or as a drawing in Graphviz's DOT. With `input` (as for
 * cnn_model_predict; else NULL) it is predicted some times, and each operation has the least milliseconds that it took.
 * The text is freed with cnn_text_free. */
CNN_API cnn_status cnn_model_program_text(const cnn_model *model, const cnn_tensor *input, char **text);
CNN_API cnn_status cnn_model_program_dot(const cnn_model *model, const cnn_tensor *input, char **text);

/* Notes that are kept in the model file, 262,144 at most: `key` and `text` are UTF-8, or it is CNN_ERROR_ARGUMENT; text
 * NULL removes. Keys that begin "cnn." are the
 * library's own. cnn_model_metadata gives NULL for a key that isn't there; the text is valid until it is changed. */
CNN_API cnn_status cnn_model_set_metadata(cnn_model *model, const char *key, const char *text);
CNN_API const char *cnn_model_metadata(const cnn_model *model, const char *key);

/* The table people know: layer, output shape, parameters; then the totals. The text is from the model's context; it is
 * freed with cnn_text_free, while there is that context. */
CNN_API cnn_status cnn_model_summary(const cnn_model *model, char **text);

/* A model is one safetensors file: weights, and in its metadata the graph and the notes. Saving writes beside the final
 * name, syncs, and renames, so the file at `path` is always whole. Loading trusts nothing in the file, and
 * maps it: as long as the model lives the file may be replaced, as saving does, but not be written into. */
CNN_API cnn_status cnn_model_save(const cnn_model *model, const char *path);
/* Writes with the weights of layers (biases and statistics excepted) rounded to bfloat16 if `weights` is CNN_BFLOAT16:
 * the file is half as large. Loading widens them: such a model predicts, and learns, in float32 as any other. A
 * quantised model's weights are int8 already; CNN_BFLOAT16 is then CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_model_save_as(const cnn_model *model, const char *path, cnn_dtype weights);

CNN_API cnn_status cnn_model_load(cnn_context *context, const char *path, cnn_model **model);

/* The same to and from memory: the bytes are those of the file. `*bytes` is freed by cnn_bytes_free. Loading copies
 * what it needs; it doesn't read ONNX. */
CNN_API cnn_status cnn_model_save_to_memory(const cnn_model *model, cnn_dtype weights, void **bytes, size_t *size);
CNN_API cnn_status cnn_model_load_from_memory(cnn_context *context, const void *bytes, size_t size, cnn_model **model);

CNN_END_DECLS

#endif
