/* Graphs: descriptions of networks. A graph is built layer by layer:
 *
 *     cnn_status make_model(cnn_context *context, cnn_model **model)
 *     {
 *         cnn_graph *g;
 *         cnn_status status = cnn_graph_create(context, &g);
 *         cnn_node x = cnn_input(g, 150, 150, 3);
 *         x = cnn_max_pool2d(g, cnn_relu(g, cnn_conv2d(g, x, 32, NULL)), NULL);
 *         cnn_dense(g, cnn_flatten(g, x), 1, NULL);
 *         if (!status)
 *             status = cnn_model_create(context, g, 1, model);
 *         cnn_graph_destroy(g);
 *         return status;
 *     }
 *
 * A function that adds a layer has the name of the layer, and returns the layer's node. A node may be the input of
 * several layers, so that any directed acyclic graph can be built. All other functions for graphs are named
 * cnn_graph_....
 *
 * You needn't check for errors after each layer. The graph remembers the first error, such as shapes that don't fit.
 * Later calls then do nothing and return CNN_NODE_ERROR, and cnn_graph_status and each function that uses the graph
 * report the error with the layer's name.
 *
 * Shapes are those of one image, without the batch: height × width × channels; or, after cnn_flatten,
 * cnn_global_avg_pool and cnn_dense, a single dimension, whose numbers are called features. Where a function takes
 * options, NULL stands for the defaults.
 *
 * A graph may be used from one thread at a time. The graph of a model (cnn_model_graph) is only read, and may be used
 * from several. */
#ifndef CNN_GRAPH_H
#define CNN_GRAPH_H

#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/options.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

typedef struct cnn_graph cnn_graph;

/* A layer of a graph. Nodes are numbered from 0 in the order in which they were added. A graph has at most 4096. */
typedef int32_t cnn_node;
#define CNN_NODE_ERROR ((cnn_node)-1)

typedef enum cnn_padding {
    CNN_PADDING_VALID = 0,    /* none */
    CNN_PADDING_SAME = 1,     /* so much that the output has ceil(input / stride) pixels; if that is an odd number of
                                 pixels, there is one more at the bottom or right, as in TensorFlow */
    CNN_PADDING_EXPLICIT = 2, /* as many pixels as `pads` says */
    CNN_PADDING_MAX_ENUM = 0x7fffffff
} cnn_padding;

/* How a layer's weights begin: with random numbers around 0. (Biases begin with zeros.) */
typedef enum cnn_initializer {
    CNN_INIT_DEFAULT = 0,        /* CNN_INIT_HE_NORMAL */
    CNN_INIT_HE_NORMAL = 1,      /* standard deviation sqrt(2 / fan_in): He et al. 2015, arXiv:1502.01852 */
    CNN_INIT_HE_UNIFORM = 2,     /* uniform, of the same standard deviation */
    CNN_INIT_GLOROT_NORMAL = 3,  /* standard deviation sqrt(2 / (fan_in + fan_out)): Glorot and Bengio 2010 */
    CNN_INIT_GLOROT_UNIFORM = 4, /* uniform, of the same standard deviation */
    CNN_INIT_ZEROS = 5,
    CNN_INITIALIZER_MAX_ENUM = 0x7fffffff
} cnn_initializer;

/* Makes an empty graph, which the caller owns. Errors: CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_graph_create(cnn_context *context, cnn_graph **graph);
CNN_API void cnn_graph_destroy(cnn_graph *graph);

/* Returns CNN_OK, or the graph's first error; its sentence is then in cnn_last_error() again. */
CNN_API cnn_status cnn_graph_status(const cnn_graph *graph);

/* --- layers --- */

/* The input of the network: height × width × channels, each at least 1. Each graph has one input, which comes first. */
CNN_API cnn_node cnn_input(cnn_graph *graph, int64_t height, int64_t width, int64_t channels);

/* Names a layer, and returns its node. Without this the name is made of the type and a number: "conv2d_1". A name is
 * UTF-8 of 1 to 128 bytes without control characters, and no two layers of a graph may have the same. The names of a
 * layer's weights begin with it: "conv2d_1.weight". */
CNN_API cnn_node cnn_graph_set_name(cnn_graph *graph, cnn_node node, const char *name);

/* Two-dimensional convolution (to be exact, cross-correlation) of height × width × channels to `filters` channels, plus
 * a bias for each of these. The weights are kernel height × kernel width × (input channels / groups) × filters. */
typedef struct cnn_conv2d_options {
    uint32_t struct_size;
    int32_t kernel[2];   /* height, width; 0: 3 */
    int32_t stride[2];   /* vertical, horizontal; 0: 1 */
    int32_t dilation[2]; /* vertical, horizontal; 0: 1 */
    int32_t groups;      /* the input's channels and `filters` are multiples of it; equal to the input's channels, the
                            convolution is depthwise; 0: 1 */
    cnn_padding padding;
    int32_t pads[4];  /* top, left, bottom, right; only for CNN_PADDING_EXPLICIT */
    uint32_t no_bias; /* not 0: there is no bias */
    cnn_initializer weight_init;
} cnn_conv2d_options;

CNN_INLINE void cnn_conv2d_options_init(cnn_conv2d_options *options)
{
    cnn_options_clear(options, sizeof *options);
}
CNN_API cnn_node cnn_conv2d(cnn_graph *graph, cnn_node input, int64_t filters, const cnn_conv2d_options *options);

/* Pooling: the maximum or the mean of each channel over a window of pixels. Only pixels of the image count, not the
 * padding. The maximum of a window in which a number is NaN is that NaN or the maximum of others. */
typedef struct cnn_pool2d_options {
    uint32_t struct_size;
    int32_t kernel[2]; /* height, width of the window; 0: 2 */
    int32_t stride[2]; /* vertical, horizontal; 0: the kernel's */
    cnn_padding padding;
    int32_t pads[4]; /* top, left, bottom, right; only for CNN_PADDING_EXPLICIT */
} cnn_pool2d_options;

CNN_INLINE void cnn_pool2d_options_init(cnn_pool2d_options *options)
{
    cnn_options_clear(options, sizeof *options);
}
CNN_API cnn_node cnn_max_pool2d(cnn_graph *graph, cnn_node input, const cnn_pool2d_options *options);
CNN_API cnn_node cnn_avg_pool2d(cnn_graph *graph, cnn_node input, const cnn_pool2d_options *options);

/* The mean of each channel over the whole image: height × width × channels to one feature for each channel. */
CNN_API cnn_node cnn_global_avg_pool(cnn_graph *graph, cnn_node input);

/* A fully connected layer: features to `units` features, plus a bias for each. An image must be flattened first. The
 * weights are input features × units. */
typedef struct cnn_dense_options {
    uint32_t struct_size;
    uint32_t no_bias; /* not 0: there is no bias */
    cnn_initializer weight_init;
} cnn_dense_options;

CNN_INLINE void cnn_dense_options_init(cnn_dense_options *options)
{
    cnn_options_clear(options, sizeof *options);
}
CNN_API cnn_node cnn_dense(cnn_graph *graph, cnn_node input, int64_t units, const cnn_dense_options *options);

/* Makes features of an image: height × width × channels to height · width · channels, in the same order. */
CNN_API cnn_node cnn_flatten(cnn_graph *graph, cnn_node input);

/* Batch normalisation of each channel, then a scale and an offset, which are learned (Ioffe and Szegedy 2015,
 * arXiv:1502.03167). Training normalises by the mean and variance of the batch. It also keeps running means of both, by
 * which prediction normalises: running = momentum × running + (1 − momentum) × batch. */
typedef struct cnn_batch_norm_options {
    uint32_t struct_size;
    float momentum; /* above 0 and below 1; 0.9 */
    float epsilon;  /* added to the variance; above 0; 1e-5 */
} cnn_batch_norm_options;

CNN_INLINE void cnn_batch_norm_options_init(cnn_batch_norm_options *options)
{
    cnn_options_clear(options, sizeof *options);
    if (options) {
        options->momentum = 0.9f;
        options->epsilon = 1e-5f;
    }
}
CNN_API cnn_node cnn_batch_norm(cnn_graph *graph, cnn_node input, const cnn_batch_norm_options *options);

/* Dropout: in training, each value becomes 0 with the probability `rate`, 0 or more and below 1, and the others are
 * multiplied by 1 / (1 − rate). Prediction changes nothing. */
CNN_API cnn_node cnn_dropout(cnn_graph *graph, cnn_node input, float rate);

/* Activations. ReLU is max(x, 0); leaky ReLU is x, or slope × x where x is negative (`slope` is 0 or more); ReLU6 is
 * min(max(x, 0), 6); sigmoid is 1 / (1 + e^−x). Softmax is over the last dimension: the features, or each pixel's
 * channels. */

CNN_API cnn_node cnn_relu(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_leaky_relu(cnn_graph *graph, cnn_node input, float slope);
CNN_API cnn_node cnn_relu6(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_sigmoid(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_tanh(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_softmax(cnn_graph *graph, cnn_node input);

/* SiLU, or swish, is x × sigmoid(x) (Ramachandran et al. 2017, arXiv:1710.05941). Hard swish is x × min(max(x + 3, 0),
 * 6) / 6 (Howard et al. 2019, arXiv:1905.02244). */
CNN_API cnn_node cnn_silu(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_hard_swish(cnn_graph *graph, cnn_node input);

/* Hard sigmoid: min(max(slope × x + offset, 0), 1). `slope` is above 0; if both numbers are 0, they are 1/6 and 1/2, as
 * in PyTorch. */
CNN_API cnn_node cnn_hard_sigmoid(cnn_graph *graph, cnn_node input, float slope, float offset);

/* GELU (Hendrycks and Gimpel 2016, arXiv:1606.08415): x × (1 + erf(x / √2)) / 2, or, as GPT and others were trained,
 * x × (1 + tanh(√(2/π) × (x + 0.044715 x³))) / 2. The two differ by 0.0005 at most. */
typedef enum cnn_gelu_form { CNN_GELU_EXACT = 0, CNN_GELU_TANH = 1, CNN_GELU_FORM_MAX_ENUM = 0x7fffffff } cnn_gelu_form;
CNN_API cnn_node cnn_gelu(cnn_graph *graph, cnn_node input, cnn_gelu_form form);

/* ELU (Clevert et al. 2015, arXiv:1511.07289) is x, or alpha × (e^x − 1) where x is negative. `alpha` is above 0, or 0,
 * which stands for 1. SELU (Klambauer et al. 2017, arXiv:1706.02515) is 1.0507 × ELU with the alpha 1.6733: layers then
 * keep a mean of 0 and a variance of 1. Softplus is ln(1 + e^x). */
CNN_API cnn_node cnn_elu(cnn_graph *graph, cnn_node input, float alpha);
CNN_API cnn_node cnn_selu(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_softplus(cnn_graph *graph, cnn_node input);

/* min(max(x, min), max); `min` is below `max`. −INFINITY and INFINITY: no bound on that side. */
CNN_API cnn_node cnn_clip(cnn_graph *graph, cnn_node input, float min, float max);

/* The sum of two nodes of the same shape, element by element. */
CNN_API cnn_node cnn_add(cnn_graph *graph, cnn_node a, cnn_node b);

/* Joins the channels of `count` nodes, 2 to 16, which have the same height and width. Features are joined likewise. */
CNN_API cnn_node cnn_concat(cnn_graph *graph, const cnn_node *inputs, int32_t count);

/* Multiplies each value by `scale`, then adds `offset`. */
CNN_API cnn_node cnn_rescale(cnn_graph *graph, cnn_node input, float scale, float offset);

/* Normalises each channel c by fixed numbers: (x − mean[c]) / deviation[c]. Both arrays have a number for each of the
 * input's channels, of which there are at most 16. */
CNN_API cnn_node cnn_normalize(cnn_graph *graph, cnn_node input, const float *mean, const float *deviation);

/* --- the graph itself --- */

/* Makes a node the output of the network. Without this, the last layer that was added is the output. An error, such as
 * a node that doesn't exist, stays with the graph. */
CNN_API void cnn_graph_set_output(cnn_graph *graph, cnn_node node);

/* Return the number of nodes, a node's name, and the name of its type, such as "conv2d". The graph owns the texts; they
 * are
 * "" for a node that doesn't exist. */
CNN_API int32_t cnn_graph_node_count(const cnn_graph *graph);
CNN_API const char *cnn_graph_node_name(const cnn_graph *graph, cnn_node node);
CNN_API const char *cnn_graph_node_type(const cnn_graph *graph, cnn_node node);

/* Writes the shape of a node's output for one image to `dims`, which has room for `capacity` numbers, and returns the
 * number of dimensions: 3 for height, width, channels; 1 for features; 0 for a node that doesn't exist. If there are
 * more than `capacity`, only so many are written. `dims` may be NULL if `capacity` is 0. */
CNN_API int32_t cnn_graph_node_dims(const cnn_graph *graph, cnn_node node, int64_t *dims, int32_t capacity);

/* Writes the inputs of a node to `inputs`, which has room for `capacity` nodes, in the order in which they were given,
 * and returns their number: 0 for the network's input, and for a node that doesn't exist. If there are more than
 * `capacity`, only so many are written. `inputs` may be NULL if `capacity` is 0. */
CNN_API int32_t cnn_graph_node_inputs(const cnn_graph *graph, cnn_node node, cnn_node *inputs, int32_t capacity);

/* Returns the node with that name; CNN_NODE_ERROR if there is none. */
CNN_API cnn_node cnn_graph_find(const cnn_graph *graph, const char *name);

/* Makes a new graph that ends in the layer named `layer`, and has only the layers that lead to it. `layer` NULL: it
 * ends before the head, which is the last layer with weights. You can add other layers to it: transfer.h has an
 * example. The caller owns `*truncated`. Errors: the graph's own first error; CNN_ERROR_ARGUMENT if there is no such
 * layer, or it is the input; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_graph_truncate(cnn_context *context, const cnn_graph *graph, const char *layer,
                                      cnn_graph **truncated);

/* Write a graph as JSON, and read it back. docs/net-json.md describes the schema; model files hold it, too. The caller
 * frees `*text` by cnn_text_free, and owns `*graph`. The `text` to be read is `length` bytes of UTF-8, and may come
 * from a stranger. Errors: the graph's own first error; CNN_ERROR_FORMAT for JSON that is broken, or no graph;
 * CNN_ERROR_ARGUMENT, CNN_ERROR_SHAPE and CNN_ERROR_LIMIT name the layer at fault; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_graph_to_json(const cnn_graph *graph, char **text);
CNN_API cnn_status cnn_graph_from_json(cnn_context *context, const char *text, size_t length, cnn_graph **graph);

/* --- nets that have names --- */

/* The networks that have names, the height and width of their input in pixels, and what they consist of. Each ends in
 * `outputs` logits.
 *   two_conv             64; convolutions of 64 and 64 filters, each with ReLU and max-pooling; dense 64
 *   three_conv          128; padded convolutions of 32, 64 and 128 filters, each with both; dense 128
 *   four_conv           150; convolutions of 32, 64, 128 and 128 filters, each with both; dense 512; dropout 0.5
 *   catdog_net          128; seven residual blocks; ours, for training from scratch on a few cores
 *   vgg16               224; Simonyan and Zisserman 2014, arXiv:1409.1556
 *   resnet18            128; He et al. 2015, arXiv:1512.03385
 *   resnet50            224; the same paper
 *   mobilenet_v2        224; Sandler et al. 2018, arXiv:1801.04381
 *   efficientnet_lite0  224; after Tan and Le 2019, arXiv:1905.11946
 * catdog_net, the ResNets, mobilenet_v2 and efficientnet_lite0 end in a global average pooling, so that they take
 * images of any size with the same weights, and always have batch normalisation. */
typedef struct cnn_net_options {
    uint32_t struct_size;
    uint32_t size;       /* height and width of the input in pixels; 0: those above */
    uint32_t outputs;    /* 1 */
    uint32_t batch_norm; /* not 0: batch normalisation after each convolution */
    float dropout;       /* rate of a dropout before the last layer, below 1; 0: none; negative: the net's own; −1 */
    float width; /* all numbers of filters and units are multiplied by this, to a multiple of 8; at most 16; 1 */
} cnn_net_options;
CNN_INLINE void cnn_net_options_init(cnn_net_options *options)
{
    cnn_options_clear(options, sizeof *options);
    if (!options)
        return;
    options->outputs = 1;
    options->dropout = -1;
    options->width = 1;
}

/* Makes the graph of the network with that name. The caller owns it. `options` may be NULL. Errors: CNN_ERROR_ARGUMENT
 * if there is no such network, or an option is out of range; CNN_ERROR_SHAPE if the size is too small for it;
 * CNN_ERROR_LIMIT; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_graph_create_net(cnn_context *context, const char *name, const cnn_net_options *options,
                                        cnn_graph **graph);

/* Returns the names of the networks above, by an index from 0; NULL past the last. The text is static. Thread-safe. */
CNN_API const char *cnn_net_name(uint32_t index);

CNN_END_DECLS

#endif
