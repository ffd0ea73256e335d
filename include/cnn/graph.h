/* Graphs: networks as they are described, layer by layer, in expressions.
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
 * Functions that add a layer are named for the layer, and return its node. A node may be the input of several layers:
 * any directed acyclic graph can be built. Everything else that is done with a graph is named cnn_graph_....
 *
 * Errors needn't be checked after each layer. The first one, an impossible shape, say, stays with the graph: later
 * calls do nothing and return CNN_NODE_ERROR, and cnn_graph_status, or whatever uses the graph, reports it with the
 * layer's name.
 *
 * Shapes are those of one image, without the batch: height × width × channels, or features (one dimension) after
 * cnn_flatten, cnn_global_avg_pool and cnn_dense. Where options are taken, NULL stands for the defaults.
 *
 * A graph may be used from one thread at a time; the graph of a model (cnn_model_graph) is only read, which any number
 * of threads may do at once. */
#ifndef CNN_GRAPH_H
#define CNN_GRAPH_H

#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/options.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

typedef struct cnn_graph cnn_graph;

/* A layer of a graph. Nodes are numbered from 0, in the order in which they are added. */
typedef int32_t cnn_node;
#define CNN_NODE_ERROR ((cnn_node)-1)

typedef enum cnn_padding {
    CNN_PADDING_VALID = 0, /* no padding */
    CNN_PADDING_SAME = 1, /* output = ceil(input / stride), the odd pixel of padding at the end, as TensorFlow has it */
    CNN_PADDING_EXPLICIT = 2, /* as given in `pads` */
    CNN_PADDING_MAX_ENUM = 0x7fffffff
} cnn_padding;

typedef enum cnn_initializer {
    CNN_INIT_DEFAULT = 0,   /* He, normal, for weights */
    CNN_INIT_HE_NORMAL = 1, /* He et al. 2015, arXiv:1502.01852: deviation sqrt(2 / fan_in) */
    CNN_INIT_HE_UNIFORM = 2,
    CNN_INIT_GLOROT_NORMAL = 3, /* Glorot and Bengio 2010: deviation sqrt(2 / (fan_in + fan_out)) */
    CNN_INIT_GLOROT_UNIFORM = 4,
    CNN_INIT_ZEROS = 5,
    CNN_INITIALIZER_MAX_ENUM = 0x7fffffff
} cnn_initializer;

/* Makes an empty graph, which the caller owns. */
CNN_API cnn_status cnn_graph_create(cnn_context *context, cnn_graph **graph);
CNN_API void cnn_graph_destroy(cnn_graph *graph);

/* Returns CNN_OK, or the first error of a call that was to add a layer; its sentence is then in cnn_last_error() again.
 */
CNN_API cnn_status cnn_graph_status(const cnn_graph *graph);

/* --- layers --- */

/* The network's input, height × width × channels, all at least 1. A graph has one, which comes first. */
CNN_API cnn_node cnn_input(cnn_graph *graph, int64_t height, int64_t width, int64_t channels);

/* Gives a node's layer another name than "conv2d_1" and the like, and returns the node. A name is UTF-8 of 1 to 128
 * bytes, and no two layers of a graph have the same. The layer's weights are named for it: "conv2d_1.weight". */
CNN_API cnn_node cnn_graph_set_name(cnn_graph *graph, cnn_node node, const char *name);

/* Two-dimensional convolution (strictly, cross-correlation) to `filters` channels, with a bias for each. Its weights
 * are kernel height × kernel width × (input channels / groups) × filters. */
typedef struct cnn_conv2d_options {
    uint32_t struct_size;
    int32_t kernel[2];   /* height, width; 0: 3 */
    int32_t stride[2];   /* down, across; 0: 1 */
    int32_t dilation[2]; /* down, across; 0: 1 */
    int32_t groups;      /* divides the input's channels and `filters`; 0: 1. As many as channels: depthwise */
    cnn_padding padding;
    int32_t pads[4];  /* top, left, bottom, right, for CNN_PADDING_EXPLICIT */
    uint32_t no_bias; /* not 0: no bias is added */
    cnn_initializer weight_init;
} cnn_conv2d_options;

CNN_INLINE void cnn_conv2d_options_init(cnn_conv2d_options *options)
{
    cnn_options_clear(options, sizeof *options);
}
CNN_API cnn_node cnn_conv2d(cnn_graph *graph, cnn_node input, int64_t filters, const cnn_conv2d_options *options);

/* The maximum, or the mean, of each channel over windows. Padding doesn't count: only pixels inside the image do. */
typedef struct cnn_pool2d_options {
    uint32_t struct_size;
    int32_t kernel[2]; /* 0: 2 */
    int32_t stride[2]; /* 0: the kernel's size */
    cnn_padding padding;
    int32_t pads[4];
} cnn_pool2d_options;

CNN_INLINE void cnn_pool2d_options_init(cnn_pool2d_options *options)
{
    cnn_options_clear(options, sizeof *options);
}
CNN_API cnn_node cnn_max_pool2d(cnn_graph *graph, cnn_node input, const cnn_pool2d_options *options);
CNN_API cnn_node cnn_avg_pool2d(cnn_graph *graph, cnn_node input, const cnn_pool2d_options *options);

/* The mean of each channel over the whole image: height × width × channels to channels. */
CNN_API cnn_node cnn_global_avg_pool(cnn_graph *graph, cnn_node input);

/* A fully connected layer with a bias for each unit. Its input is features: flatten an image first. Its weights are
 * inputs × units. */
typedef struct cnn_dense_options {
    uint32_t struct_size;
    uint32_t no_bias;
    cnn_initializer weight_init;
} cnn_dense_options;

CNN_INLINE void cnn_dense_options_init(cnn_dense_options *options)
{
    cnn_options_clear(options, sizeof *options);
}
CNN_API cnn_node cnn_dense(cnn_graph *graph, cnn_node input, int64_t units, const cnn_dense_options *options);

/* An image as features: height × width × channels to their product, in that order. */
CNN_API cnn_node cnn_flatten(cnn_graph *graph, cnn_node input);

/* Batch normalisation of each channel (Ioffe and Szegedy 2015, arXiv:1502.03167), with a scale and an offset that are
 * learned. Training normalises by the batch's mean and variance, and keeps running means of them, which prediction
 * uses: running = momentum × running + (1 − momentum) × batch. */
typedef struct cnn_batch_norm_options {
    uint32_t struct_size;
    float momentum; /* above 0 and below 1; 0.9 */
    float epsilon;  /* above 0; 1e-5 */
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

/* In training, sets each value to zero with probability `rate` (at least 0, below 1) and multiplies the others by
 * 1 / (1 − rate). In prediction it does nothing. */
CNN_API cnn_node cnn_dropout(cnn_graph *graph, cnn_node input, float rate);

/* Activations, element by element: max(x, 0); x below 0 multiplied by `slope`; min(max(x, 0), 6); 1 / (1 + e^−x); tanh.
 * Softmax is over the last dimension. */

CNN_API cnn_node cnn_relu(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_leaky_relu(cnn_graph *graph, cnn_node input, float slope);
CNN_API cnn_node cnn_relu6(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_sigmoid(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_tanh(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_softmax(cnn_graph *graph, cnn_node input);

/* The sum of two values of the same shape, element by element. */
CNN_API cnn_node cnn_add(cnn_graph *graph, cnn_node a, cnn_node b);

/* Values side by side along the channels, 2 to 16 of them, of the same height and width. */
CNN_API cnn_node cnn_concat(cnn_graph *graph, const cnn_node *inputs, int32_t count);

/* x × scale + offset, with the same two numbers for all values. */
CNN_API cnn_node cnn_rescale(cnn_graph *graph, cnn_node input, float scale, float offset);
/* (x − mean[c]) / deviation[c] for channel c. Both arrays have a number for each of the input's channels, of which
 * there are 16 at most. */
CNN_API cnn_node cnn_normalize(cnn_graph *graph, cnn_node input, const float *mean, const float *deviation);

/* --- the graph itself --- */

/* Makes a node the network's output. Without this the last layer that was added is the output. */
CNN_API void cnn_graph_set_output(cnn_graph *graph, cnn_node node);

/* Return the number of nodes; a node's name; and the name of its layer's type, such as "conv2d". The texts belong to
 * the graph, and are "" for a node that is none. */
CNN_API int32_t cnn_graph_node_count(const cnn_graph *graph);
CNN_API const char *cnn_graph_node_name(const cnn_graph *graph, cnn_node node);
CNN_API const char *cnn_graph_node_type(const cnn_graph *graph, cnn_node node);

/* Gives the shape of one image's value at a node and returns its rank: 3 (height, width, channels) or 1 (features); 0
 * for a node that is none. `dims` has room for `capacity` numbers and gets so many at most; it may be NULL if
 * `capacity` is 0. */
CNN_API int32_t cnn_graph_node_dims(const cnn_graph *graph, cnn_node node, int64_t *dims, int32_t capacity);

/* Gives the nodes that a node is computed from, in the order in which they were given, and returns their number: 0 for
 * the input and for a node that is none. `inputs` has room for `capacity` nodes and gets so many at most; it may be
 * NULL if `capacity` is 0. */
CNN_API int32_t cnn_graph_node_inputs(const cnn_graph *graph, cnn_node node, cnn_node *inputs, int32_t capacity);

/* Returns the node of that name; CNN_NODE_ERROR if there is none. */
CNN_API cnn_node cnn_graph_find(const cnn_graph *graph, const char *name);

/* Makes a new graph of the layers that lead to the one named `layer`, which becomes its last node. More layers may be
 * added to it, for transfer learning: see cnn_model_copy_weights. `layer` NULL: the layer before the last one with
 * weights, which is the head of a classifier. The caller owns `*truncated`. Errors: CNN_ERROR_ARGUMENT if there is no
 * such layer, or it is the input. */
CNN_API cnn_status cnn_graph_truncate(cnn_context *context, const cnn_graph *graph, const char *layer,
                                      cnn_graph **truncated);

/* Write a graph as JSON, and read it back. docs/net-json.md describes the schema, which model files have, too. `*text`
 * is freed by cnn_text_free. `text` of the second function is `length` bytes of UTF-8, and may come from a stranger.
 * Errors: CNN_ERROR_FORMAT, CNN_ERROR_SHAPE, CNN_ERROR_LIMIT. */
CNN_API cnn_status cnn_graph_to_json(const cnn_graph *graph, char **text);
CNN_API cnn_status cnn_graph_from_json(cnn_context *context, const char *text, size_t length, cnn_graph **graph);

/* --- nets that have names --- */

/* Options for a net by name. Each net ends in `outputs` logits.
 *   two_conv     64 px; conv 64, conv 64 (valid), each with ReLU and max-pool; dense 64
 *   three_conv  128 px; conv 32, 64, 128 (same), each with ReLU and max-pool; dense 128
 *   four_conv   150 px; conv 32, 64, 128, 128 (valid), each with ReLU and max-pool; dense 512; dropout 0.5
 *   catdog_net  128 px; ours, for learning from scratch on a few cores: seven residual blocks; any size
 *   vgg16       224 px; Simonyan and Zisserman 2014, arXiv:1409.1556
 *   resnet18    128 px; He et al. 2015, arXiv:1512.03385
 *   resnet50    224 px; the same with blocks of three convolutions
 *   mobilenet_v2        224 px; Sandler et al. 2018, arXiv:1801.04381
 *   efficientnet_lite0  224 px; after Tan and Le 2019, arXiv:1905.11946
 * catdog_net and those below vgg16 end in a global average and take images of any size. The sizes above are those of
 * the input, height and width, if `size` is 0. */
typedef struct cnn_net_options {
    uint32_t struct_size;
    uint32_t size;       /* height and width of the input; 0: the net's own */
    uint32_t outputs;    /* 1 */
    uint32_t batch_norm; /* not 0: batch normalisation after each convolution; catdog_net, resnet18 and those below it
                            always have it */
    float dropout;       /* before the last layer, below 1; 0: none; negative, as it is at first: the net's own */
    float width;         /* filters and units (not outputs) times this, in multiples of 8; 1: as they are */
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

/* Makes the graph of a net by name, which the caller owns. `options` may be NULL. Errors: CNN_ERROR_ARGUMENT for a name
 * that isn't known, CNN_ERROR_SHAPE if the net doesn't fit the size. */
CNN_API cnn_status cnn_graph_create_net(cnn_context *context, const char *name, const cnn_net_options *options,
                                        cnn_graph **graph);

/* Returns the name of the net numbered `index`; NULL past the last. The text is static. */
CNN_API const char *cnn_net_name(uint32_t index);

CNN_END_DECLS

#endif
