/* Models: networks with weights, which predict and can be trained.
 *
 * Predicting a batch of images that are prepared already:
 *
 *     cnn_status predict(const char *path, const float *images, int64_t count, float *logits)
 *     {
 *         cnn_model *model;
 *         cnn_tensor *input = NULL, *output = NULL;
 *         int64_t in[4] = { count }, out[2] = { count };
 *         cnn_status status = cnn_model_load(NULL, path, &model);
 *         if (status)
 *             return status;
 *         cnn_model_input_dims(model, in + 1, 3);
 *         cnn_model_output_dims(model, out + 1, 1);
 *         status = cnn_tensor_wrap(NULL, CNN_FLOAT32, 4, in, (void *)images, &input);
 *         if (!status)
 *             status = cnn_tensor_wrap(NULL, CNN_FLOAT32, 2, out, logits, &output);
 *         if (!status)
 *             status = cnn_model_predict(model, input, output);
 *         cnn_tensor_destroy(output);
 *         cnn_tensor_destroy(input);
 *         cnn_model_destroy(model);
 *         return status;
 *     }
 *
 * A model may predict, and be read by the getters, from many threads at once, as long as no thread trains, resizes,
 * changes or destroys it. */
#ifndef CNN_MODEL_H
#define CNN_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/file.h>
#include <cnn/graph.h>
#include <cnn/options.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

CNN_BEGIN_DECLS

typedef struct cnn_model cnn_model;

/* Makes a model of a graph, which is copied, with weights that are drawn by `seed`. The caller owns it; its context
 * must outlive it. Errors: the graph's own first error, if it has one; CNN_ERROR_LIMIT if the model costs more than the
 * context's limits for one image allow. */
CNN_API cnn_status cnn_model_create(cnn_context *context, const cnn_graph *graph, uint64_t seed, cnn_model **model);
CNN_API void cnn_model_destroy(cnn_model *model);

/* Return the model's graph, which is valid as long as the model, and the shapes of its input and output as
 * cnn_graph_node_dims gives them. cnn_model_resize changes the shapes. */
CNN_API const cnn_graph *cnn_model_graph(const cnn_model *model);
CNN_API int32_t cnn_model_input_dims(const cnn_model *model, int64_t *dims, int32_t capacity);
CNN_API int32_t cnn_model_output_dims(const cnn_model *model, int64_t *dims, int32_t capacity);

/* Changes the height and width of the model's input. The weights stay as they are, which nets that end in a global
 * average pooling allow. Errors: CNN_ERROR_SHAPE names the layer whose weights depend on the size; the model is then as
 * it was. */
CNN_API cnn_status cnn_model_resize(cnn_model *model, int64_t height, int64_t width);

/* Computes the output for a batch: `input` is N × height × width × channels, `output` N × the output's shape, both
 * CNN_FLOAT32. N may be any number: many images are computed some at a time, in bounded memory; of 0 nothing is done.
 * Dropout does nothing, and batch normalisation uses the running means. The same image gives the same bits whatever N
 * and the number of threads. Errors: CNN_ERROR_SHAPE, CNN_ERROR_OUT_OF_MEMORY. Thread-safe. */
CNN_API cnn_status cnn_model_predict(const cnn_model *model, const cnn_tensor *input, cnn_tensor *output);

/* Tells how much memory a prediction of `images` images takes from the model's context, beside what the caller gives:
 * `*bytes` are those of the weights that are arranged for prediction, which the model keeps once for all predictions,
 * and of the values, which the model keeps for later predictions. Threads that predict at once take the values' memory
 * once each. Errors: CNN_ERROR_ARGUMENT, and those of the model's first prediction. */
CNN_API cnn_status cnn_model_prediction_memory(const cnn_model *model, uint64_t images, uint64_t *bytes);

#ifdef CNN_EXPERIMENTAL

/* Predicts a batch and gives the values of `count` layers by their names, instead of the model's output: `values[i]`
 * becomes a new tensor, N × the shape of the layer named `layers[i]`, CNN_FLOAT32, which the caller owns. `values` has
 * room for `count` pointers; on an error all are NULL.
 *
 * All values come from one pass, which computes what they depend on and nothing else. The layers may be any of the
 * graph, in any order: several outputs of a net, its input, and layers that its output isn't made from. A quantised
 * model's values are converted to CNN_FLOAT32. Layers that a prediction computes together are computed apart where one
 * of them is asked for, so that later values may differ from the prediction's in their last bits. Each call prepares
 * the weights for its pass, so give it as many images as you can. Errors: CNN_ERROR_SHAPE; CNN_ERROR_ARGUMENT if there
 * is no such layer; CNN_ERROR_UNSUPPORTED for a layer of a quantised model that its output isn't made from.
 * Thread-safe, as cnn_model_predict is. */
CNN_API cnn_status cnn_model_predict_layers(const cnn_model *model, const cnn_tensor *input, const char *const *layers,
                                            uint32_t count, cnn_tensor **values);

#endif

/* Training step by step; cnn_train (trainer.h) does this for most people. A step is cnn_model_forward, a loss
 * (cnn_loss_compute, say), cnn_model_backward and cnn_optimizer_step.
 *
 * Forward computes as training does: with dropout, whose random numbers follow from `seed` and `step`, and with the
 * batch's own statistics. `input` isn't copied and must stay as it is until backward is done. `*output` belongs to the
 * model and is valid until the next forward.
 *
 * Backward takes the derivative of the loss by the output, of the output's shape, and sets the gradient of each
 * parameter (cnn_parameter.gradient); it doesn't add to it. It may be called once after each forward. Both may be
 * called by one thread at a time. */
CNN_API cnn_status cnn_model_forward(cnn_model *model, const cnn_tensor *input, uint64_t seed, uint64_t step,
                                     const cnn_tensor **output);
CNN_API cnn_status cnn_model_backward(cnn_model *model, const cnn_tensor *output_gradient);

/* What training computes in. With bfloat16 the values, the gradients by them and a copy of the weights are bfloat16;
 * sums, the weights themselves, their gradients, the statistics, and the input and output stay float32. That is faster,
 * most of all on processors with instructions for it, and nearly as accurate. Prediction computes in float32 whatever
 * the precision of training, and mostly in 8-bit integers if the model is quantised (quantize.h). */
typedef enum cnn_precision {
    CNN_PRECISION_FLOAT32 = 0,
    CNN_PRECISION_BFLOAT16 = 1,
    CNN_PRECISION_MAX_ENUM = 0x7fffffff
} cnn_precision;

/* Sets the precision of the next cnn_model_forward and of what follows it. It isn't saved. */
CNN_API cnn_status cnn_model_set_precision(cnn_model *model, cnn_precision precision);

/* One array of weights. The tensors belong to the model and are valid as long as it. */
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

/* Tells the model that parameters were written to, by any means but an optimizer: call it before the next prediction.
 * Of a quantised model only the parameters that are CNN_FLOAT32 may be written to. */
CNN_API void cnn_model_changed(cnn_model *model);

/* Copies from `source` each array of weights that has the same name and shape in both models. `*copied` becomes their
 * number; it may be NULL. Errors: CNN_ERROR_ARGUMENT if one of the models is quantised. */
CNN_API cnn_status cnn_model_copy_weights(cnn_model *model, const cnn_model *source, int32_t *copied);

/* Lets the layer named `layer`, and all layers that lead to it, learn at `multiplier` times the learning rate. 0
 * freezes them: training then computes them as prediction does (batch_norm by its running statistics, dropout not at
 * all). `layer` NULL: all. Holds for optimizers made afterwards; not kept in files. */
CNN_API cnn_status cnn_model_set_learning_rate_multiplier(cnn_model *model, const char *layer, float multiplier);

/* Returns how many weights there are; `*trainable`, which may be NULL, becomes how many of them are trained. */
CNN_API uint64_t cnn_model_weight_count(const cnn_model *model, uint64_t *trainable);

/* Returns the multiply-adds of one prediction for one image, times two. */
CNN_API uint64_t cnn_model_flops(const cnn_model *model);

/* Predicts `input` and measures how long each layer takes. `seconds` receives a number for each node of the model's
 * graph; `count` is their number. Layers that are computed together have their time in the last of them, and 0 in the
 * others. */
CNN_API cnn_status cnn_model_time_layers(const cnn_model *model, const cnn_tensor *input, double *seconds,
                                         int32_t count);

/* Describe what a prediction runs: operations, some of which compute several layers at once and are named for the last
 * of them. The first gives text for people, which may change from version to version, the second a drawing in
 * Graphviz's DOT. If `input` (as for cnn_model_predict) isn't NULL it is predicted some times, and each operation is
 * shown with the least milliseconds that it took. `*text` is freed by cnn_text_free. */
CNN_API cnn_status cnn_model_program_text(const cnn_model *model, const cnn_tensor *input, char **text);
CNN_API cnn_status cnn_model_program_dot(const cnn_model *model, const cnn_tensor *input, char **text);

/* Set and get metadata: texts under keys, which are saved with the model. There may be 262,144 of them. `key` and
 * `text` are UTF-8; text NULL removes the key. Keys that begin with "cnn." are the library's own. cnn_model_metadata
 * returns NULL for a key that isn't there; its text is valid until the key is changed. */
CNN_API cnn_status cnn_model_set_metadata(cnn_model *model, const char *key, const char *text);
CNN_API const char *cnn_model_metadata(const cnn_model *model, const char *key);

/* Makes a table for people: layer, output shape and number of weights, then the totals. `*text` is freed by
 * cnn_text_free. */
CNN_API cnn_status cnn_model_summary(const cnn_model *model, char **text);

/* Writes the model to one safetensors file: its weights, its graph and its metadata (docs/model-file.md). The file is
 * whole at any time, as it is written beside its place, synced and renamed: see cnn_file_save. Errors: CNN_ERROR_IO;
 * CNN_ERROR_NOT_FINITE if a weight isn't finite. */
CNN_API cnn_status cnn_model_save(const cnn_model *model, const char *path);

/* The same with the type in which the weights of layers are stored: CNN_FLOAT32, or CNN_BFLOAT16, which makes the file
 * half as large and rounds them; biases and statistics stay CNN_FLOAT32. Loading widens them again. The weights of a
 * quantised model are int8; CNN_BFLOAT16 is then CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_model_save_as(const cnn_model *model, const char *path, cnn_dtype weights);

/* Reads a model from such a file, or from an ONNX file as cnn_model_load_onnx does by default. Nothing in the file is
 * trusted. The file isn't needed afterwards. The caller owns the model. Errors: CNN_ERROR_IO, CNN_ERROR_FORMAT,
 * CNN_ERROR_SHAPE, CNN_ERROR_UNSUPPORTED, CNN_ERROR_LIMIT, CNN_ERROR_NOT_FINITE. */
CNN_API cnn_status cnn_model_load(cnn_context *context, const char *path, cnn_model **model);

/* The same to and from memory: the bytes are those of the file. `*bytes` is freed by cnn_bytes_free. Loading copies
 * what it needs; it doesn't read ONNX. */
CNN_API cnn_status cnn_model_save_to_memory(const cnn_model *model, cnn_dtype weights, void **bytes, size_t *size);
CNN_API cnn_status cnn_model_load_from_memory(cnn_context *context, const void *bytes, size_t size, cnn_model **model);

#ifdef CNN_EXPERIMENTAL

/* The same to and from a file that the program keeps itself (cnn_file_callbacks in file.h). What fails in a callback is
 * CNN_ERROR_IO. Loading reads the whole file into memory, within the context's memory limit; it doesn't read ONNX. */
CNN_API cnn_status cnn_model_save_to_callbacks(const cnn_model *model, cnn_dtype weights,
                                               const cnn_file_callbacks *callbacks);
CNN_API cnn_status cnn_model_load_from_callbacks(cnn_context *context, const cnn_file_callbacks *callbacks,
                                                 cnn_model **model);

#endif

CNN_END_DECLS

#endif
