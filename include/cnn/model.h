/* Models: networks with weights. They predict, and can be trained.
 *
 * Predicting a batch of images that have been prepared as the network's input (image.h):
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

/* Makes a model from a graph, which is copied, with random weights that follow from `seed`. The caller owns the model;
 * its context must outlive it. Errors: the graph's own first error; CNN_ERROR_ARGUMENT if it has no layer but its
 * input; CNN_ERROR_LIMIT if the model costs more for one image than the context allows; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_create(cnn_context *context, const cnn_graph *graph, uint64_t seed, cnn_model **model);
CNN_API void cnn_model_destroy(cnn_model *model);

/* Return the model's graph, which the model owns, and the shapes of its input and its output, in the way of
 * cnn_graph_node_dims. cnn_model_resize changes the shapes. */
CNN_API const cnn_graph *cnn_model_graph(const cnn_model *model);
CNN_API int32_t cnn_model_input_dims(const cnn_model *model, int64_t *dims, int32_t capacity);
CNN_API int32_t cnn_model_output_dims(const cnn_model *model, int64_t *dims, int32_t capacity);

/* Changes the height and width of the model's input, in pixels, and keeps the weights. This is possible for networks
 * that end in a global average pooling. After an error the model is as it was. Errors: CNN_ERROR_SHAPE names the layer
 * whose weights depend on the size; CNN_ERROR_LIMIT; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_resize(cnn_model *model, int64_t height, int64_t width);

/* Computes the output for a batch. `input` is N × height × width × channels, `output` is N × the output's shape; both
 * are CNN_FLOAT32. N may be any number, 0 included: many images are computed some at a time, so that memory stays
 * bounded. Dropout changes nothing, and batch normalisation uses the running means. An image's output has the same
 * bits, whatever N and the number of threads. Thread-safe. Errors: CNN_ERROR_SHAPE; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_predict(const cnn_model *model, const cnn_tensor *input, cnn_tensor *output);

/* Tells how many bytes a prediction of `images` images takes from the model's context, without the input and output.
 * They are for the weights in the order in which prediction reads them, and for the values of the layers. The model
 * keeps both for later predictions. If several threads predict at once, each takes memory for values of its own.
 * Thread-safe. Errors: CNN_ERROR_ARGUMENT; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_prediction_memory(const cnn_model *model, uint64_t images, uint64_t *bytes);

#ifdef CNN_EXPERIMENTAL

/* Predicts a batch and gives the values of `count` layers by their names, instead of the model's output: `values[i]`
 * becomes a new tensor, N × the shape of the layer named `layers[i]`, CNN_FLOAT32, which the caller owns. `values` has
 * room for `count` pointers; on an error all are NULL.
 *
 * All values come from one pass, which computes what they depend on and nothing else. The layers may be any of the
 * graph, in any order: several outputs of a net, its input, and layers that its output isn't made from. N may be 0. A
 * quantised model's values are converted to CNN_FLOAT32. Layers that a prediction computes together are computed apart
 * where one of them is asked for. Later values may then differ from the prediction's: in their last bits, or, if the
 * model is quantised, by the rounding of one more value to 8 bits. Each call prepares the weights for its pass, so give
 * it as many images as you can. Errors: CNN_ERROR_SHAPE; CNN_ERROR_ARGUMENT if there is no such layer;
 * CNN_ERROR_UNSUPPORTED for a layer of a quantised model that its output isn't made from.
 * Thread-safe, as cnn_model_predict is. */
CNN_API cnn_status cnn_model_predict_layers(const cnn_model *model, const cnn_tensor *input, const char *const *layers,
                                            uint32_t count, cnn_tensor **values);

#endif

/* Train a model step by step. Most programs call cnn_train (trainer.h) instead. A step consists of cnn_model_forward, a
 * loss such as cnn_loss_compute, cnn_model_backward, and cnn_optimizer_step: optimizer.h has an example. No other
 * thread may use the model meanwhile.
 *
 * cnn_model_forward computes the output for a batch as training does: batch normalisation uses the batch's own mean and
 * variance, and dropout random numbers that follow from `seed` and `step`. `input` is N × height × width × channels,
 * CNN_FLOAT32. It isn't copied, and must stay as it is until cnn_model_backward is done. `*output` is N × the output's
 * shape; the model owns it, and it is valid until the next cnn_model_forward.
 *
 * cnn_model_backward takes the derivative of the loss by the output, in the output's shape. It sets the gradient of
 * each trainable parameter (cnn_parameter.gradient), and doesn't add to an earlier one. Call it once after each
 * cnn_model_forward. Errors of both: CNN_ERROR_SHAPE; CNN_ERROR_ARGUMENT for a quantised model, and for a backward
 * without a forward; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_forward(cnn_model *model, const cnn_tensor *input, uint64_t seed, uint64_t step,
                                     const cnn_tensor **output);
CNN_API cnn_status cnn_model_backward(cnn_model *model, const cnn_tensor *output_gradient);

/* The numbers that training computes with. With bfloat16, the layers' outputs, the gradients by them and a copy of the
 * weights are bfloat16. Sums, the weights themselves, their gradients, running means, and the network's input and
 * output stay float32. Training is then faster, above all on processors with instructions for bfloat16, and nearly as
 * accurate. Prediction doesn't depend on this: it computes in float32 or, if the model is quantised, mostly in 8-bit
 * integers. */
typedef enum cnn_precision {
    CNN_PRECISION_FLOAT32 = 0,
    CNN_PRECISION_BFLOAT16 = 1,
    CNN_PRECISION_AUTO = 2, /* the faster one: bfloat16 if the processor has instructions for it, else float32 */
    CNN_PRECISION_MAX_ENUM = 0x7fffffff
} cnn_precision;

/* Sets the precision of the following calls of cnn_model_forward. It isn't saved with the model. cnn_train has its own
 * in its options. Errors: CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_model_set_precision(cnn_model *model, cnn_precision precision);

/* One array of weights. The model owns the tensors and the name; they are valid as long as the model. */
typedef struct cnn_parameter {
    uint32_t struct_size; /* set by cnn_parameter_init */
    const char *name;     /* such as "conv2d_1.weight", "conv2d_1.bias", "batch_norm_1.running_mean" */
    cnn_tensor *value;    /* CNN_FLOAT32; of a quantised model also CNN_INT8, which must not be written to */
    cnn_tensor *gradient; /* of the same shape; NULL if it isn't trainable, and before the first cnn_model_backward */
    uint32_t trainable;   /* 0: optimizers don't change it, as it is a running mean or variance, or frozen */
    uint32_t decay;       /* not 0: optimizers apply their weight decay; they don't to biases and batch normalisation */
} cnn_parameter;

CNN_INLINE void cnn_parameter_init(cnn_parameter *parameter)
{
    cnn_options_clear(parameter, sizeof *parameter);
}

/* Return how many arrays of weights there are, and one of them, by an index from 0. `parameter` has been initialised.
 * Errors: CNN_ERROR_ARGUMENT. */
CNN_API int32_t cnn_model_parameter_count(const cnn_model *model);
CNN_API cnn_status cnn_model_parameter(const cnn_model *model, int32_t index, cnn_parameter *parameter);

/* Tells the model that the program has written to its parameters. Call it before the next prediction. An optimizer does
 * so itself. Only parameters that are CNN_FLOAT32 may be written to. */
CNN_API void cnn_model_changed(cnn_model *model);

/* Copies from `source` each array of weights that has the same name and shape in both models. `*copied` becomes the
 * number of arrays; `copied` may be NULL. Errors: CNN_ERROR_ARGUMENT if one of the models is quantised. */
CNN_API cnn_status cnn_model_copy_weights(cnn_model *model, const cnn_model *source, int32_t *copied);

/* Multiplies the learning rate of the layer named `layer`, and of all layers that lead to it, by `multiplier`, 0 or
 * more. `layer` NULL: of all layers. 0 freezes them: training then computes them as prediction does, with batch
 * normalisation by the running means and without dropout. Optimizers that are made later use the multipliers. They
 * aren't saved with the model. Errors: CNN_ERROR_ARGUMENT if there is no such layer, or the model is quantised. */
CNN_API cnn_status cnn_model_set_learning_rate_multiplier(cnn_model *model, const char *layer, float multiplier);

/* Returns the number of weights. `*trainable` becomes the number of those that optimizers change; it may be NULL. */
CNN_API uint64_t cnn_model_weight_count(const cnn_model *model, uint64_t *trainable);

/* Returns the number of operations that the prediction of one image takes. A multiply-add counts as two. */
CNN_API uint64_t cnn_model_flops(const cnn_model *model);

/* Predicts `input`, which is as for cnn_model_predict, and measures how long each layer takes. `seconds` has room for
 * `count` numbers; `count` must be the number of nodes of the model's graph. Of layers that are computed together, the
 * last has the time of all, and the others have 0. Errors: CNN_ERROR_ARGUMENT; CNN_ERROR_SHAPE;
 * CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_time_layers(const cnn_model *model, const cnn_tensor *input, double *seconds,
                                         int32_t count);

/* Describe what a prediction runs: its operations, of which one may compute several layers and then has the name of the
 * last. The first function gives text for people, whose form may change in any version; the second gives a drawing in
 * Graphviz's DOT language. If `input` isn't NULL, it is predicted a few times, and each operation is shown with its
 * shortest time in milliseconds. The caller frees `*text` by cnn_text_free. Errors: CNN_ERROR_SHAPE;
 * CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_program_text(const cnn_model *model, const cnn_tensor *input, char **text);
CNN_API cnn_status cnn_model_program_dot(const cnn_model *model, const cnn_tensor *input, char **text);

/* Set and get metadata: texts under keys, which are saved with the model. Both are UTF-8. There may be up to 262,144.
 * Setting a `text` of NULL removes the key. Keys that begin with "cnn." belong to the library. cnn_model_metadata
 * returns NULL if there is no such key; its text is valid until that key is set again. Errors: CNN_ERROR_ARGUMENT;
 * CNN_ERROR_LIMIT; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_set_metadata(cnn_model *model, const char *key, const char *text);
CNN_API const char *cnn_model_metadata(const cnn_model *model, const char *key);

/* Makes a table for people: each layer with its output shape and its number of weights, and the totals. The caller
 * frees
 * `*text` by cnn_text_free. Errors: CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_summary(const cnn_model *model, char **text);

/* Writes the model to one safetensors file: its weights, its graph and its metadata (docs/model-file.md). The file is
 * written whole or not at all: see cnn_file_save. Errors: CNN_ERROR_IO; CNN_ERROR_NOT_FINITE names the weights that
 * aren't finite; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_save(const cnn_model *model, const char *path);

/* Writes the model in the same way, with weights of the type CNN_FLOAT32 or CNN_BFLOAT16. The latter rounds them, and
 * makes the file half as large. Biases and running means stay CNN_FLOAT32; loading makes all weights CNN_FLOAT32 again.
 * The weights of a quantised model are int8 in any case, and CNN_BFLOAT16 is then CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_model_save_as(const cnn_model *model, const char *path, cnn_dtype weights);

/* Reads a model from such a file; or from an ONNX file, as cnn_model_load_onnx does with default options. Nothing in
 * the file is trusted, and it isn't needed afterwards. The caller owns the model; its context must outlive it. Errors:
 * CNN_ERROR_IO; CNN_ERROR_FORMAT if the file is broken, or no model; CNN_ERROR_SHAPE if its arrays don't fit its graph;
 * CNN_ERROR_UNSUPPORTED; CNN_ERROR_LIMIT if the model costs more than the context allows; CNN_ERROR_NOT_FINITE;
 * CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_load(cnn_context *context, const char *path, cnn_model **model);

/* Write a model to memory, and read it back. The `size` bytes are those of the safetensors file. The caller frees
 * `*bytes` by cnn_bytes_free. Loading copies what it needs, and doesn't read ONNX. Errors: as above, but for
 * CNN_ERROR_IO. */
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
